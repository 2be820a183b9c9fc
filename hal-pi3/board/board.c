/* SPDX-License-Identifier: MIT */
/*
 * board.c: the board's name, activity LED, entropy, and how it stops.
 *
 * The firmware knows the board by a revision word; bits 11:4 are the type. The activity LED hangs
 * on a pin of the chip on the 3B+ and 3A+, but on the 3B on a port expander that only the firmware
 * reaches. QEMU has neither LED: it does not know the expander's tag, which its log says once for
 * each change, so the expander is not asked when it has once answered that it does not know it.
 *
 * A Pi cannot tell anybody an exit status, but QEMU can, by semihosting: a special instruction that
 * a debugger takes as a request. On a real board without a debugger it would be a fault, so it is
 * used only when the kernel command line has the word `semihosting`.
 *
 * Source: Raspberry Pi documentation, "Raspberry Pi revision codes"; Arm, "Semihosting for AArch32
 * and AArch64", SYS_EXIT.
 */
#include "board/board.h"
#include "board/uart.h"
#include "soc/bcm2837.h"
#include "soc/gpio.h"
#include "soc/mailbox.h"
#include "soc/power.h"
#include "soc/rng.h"

#include <hal/board.h>
#include <hal/compiler.h>
#include <hal/cpu.h>
#include <hal/runtime.h>
#include <hal/trace.h>
#include <pi3/mmio.h>

#include <stdint.h>

#define SYS_EXIT 0x18u
#define REASON_EXIT 0x20026u
#define STATUS_PANIC 134
#define LED_OFF 0u
#define LED_ON 1u
#define RESTART_WAIT_MICROS 1000000u

enum board_type { TYPE_UNKNOWN, TYPE_3B = 0x08, TYPE_3B_PLUS = 0x0d, TYPE_3A_PLUS = 0x0e };
enum board_led { BOARD_LED_NONE, BOARD_LED_PIN, BOARD_LED_EXPANDER };

static enum board_type board_type;
static enum board_led board_led;
static bool board_semihosting;

static void board_start_led(void)
{
    uint32_t pin = EXPANDER_LED;
    uint32_t level = LED_OFF;

    if (board_type == TYPE_3B_PLUS || board_type == TYPE_3A_PLUS) {
        soc_gpio_drive(PIN_LED_3B_PLUS, false);
        soc_gpio_select(PIN_LED_3B_PLUS, HAL_GPIO_OUTPUT);
        board_led = BOARD_LED_PIN;
    } else if (mailbox_ask_one(TAG_SET_EXPANDER, &pin, &level) == 0) {
        board_led = BOARD_LED_EXPANDER;
    }
}

void board_start(bool semihosting)
{
    uint32_t revision = 0;
    uint32_t unused = 0;

    board_semihosting = semihosting;
    if (mailbox_ask_one(TAG_BOARD_REVISION, &revision, &unused) == 0) {
        board_type = (enum board_type)(revision >> 4 & 0xff);
    }
    board_start_led();
    rng_start();
}

const char *hal_board_name(void)
{
    switch (board_type) {
    case TYPE_3B:
        return "Raspberry Pi 3 Model B";
    case TYPE_3B_PLUS:
        return "Raspberry Pi 3 Model B+";
    case TYPE_3A_PLUS:
        return "Raspberry Pi 3 Model A+";
    default:
        return "Raspberry Pi of another type";
    }
}

void hal_board_led(bool on)
{
    if (board_led == BOARD_LED_PIN) {
        soc_gpio_drive(PIN_LED_3B_PLUS, on);
    } else if (board_led == BOARD_LED_EXPANDER) {
        mailbox_tell(TAG_SET_EXPANDER, EXPANDER_LED, on ? LED_ON : LED_OFF);
    }
}

int hal_board_entropy(void *bytes, size_t n)
{
    uint8_t *to = bytes;

    while (n > 0) {
        uint32_t word;
        int result = rng_word(&word);
        if (result != 0) {
            return result;
        }
        size_t part = n < sizeof word ? n : sizeof word;
        memcpy(to, &word, part);
        to += part;
        n -= part;
    }
    return 0;
}

unsigned hal_board_choose(const uint32_t *threads, unsigned n)
{
    (void)threads;
    (void)n;
    return 0;
}

/** Ends QEMU with `status`. Without QEMU or a debugger this is an illegal instruction. */
static void board_exit(int status)
{
    uint64_t block[2] = {REASON_EXIT, (uint64_t)(status & 0xff)};
    register uint64_t operation __asm__("x0") = SYS_EXIT;
    register uint64_t *argument __asm__("x1") = block;

    __asm__ volatile("hlt #0xf000" : "+r"(operation) : "r"(argument) : "memory");
}

void hal_board_stop(enum hal_stop how, int status)
{
    hal_irq_state_t state = hal_irq_save();

    (void)state;
    board_uart_flush();
    if (board_semihosting && how != HAL_STOP_REBOOT) {
        board_exit(how == HAL_STOP_PANIC ? STATUS_PANIC : status);
    }
    if (how == HAL_STOP_REBOOT) {
        power_restart();
    } else if (how == HAL_STOP_POWER_OFF) {
        power_halt();
    }
    /* A panic stays as it is, so that what it said can be read. */
    for (;;) {
        __asm__ volatile("wfi" ::: "memory");
    }
}

void hal_trace(const struct hal_trace_event *event)
{
    (void)event; /* nobody can look into a real board; `trace` prints what the kernel keeps */
}

void hal_trace_text(const char *text, size_t n)
{
    (void)text, (void)n; /* `strace=1` has it on the console */
}
