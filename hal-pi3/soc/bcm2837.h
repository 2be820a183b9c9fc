/* SPDX-License-Identifier: MIT */
/*
 * bcm2837.h: the table of the board: where each device is, its interrupt, its pins.
 *
 * Physical addresses as the ARM sees them; the data sheet writes 0x7e...... for what is 0x3f......
 * here. Interrupt numbers are those of the GPU's list (0 to 63).
 *
 * Source: BCM2837 ARM Peripherals; QA7 rev 3.4 for the local block; Linux's device tree for the
 * random number generator.
 */
#pragma once

#define SYSTIMER_BASE 0x3f003000u
#define DMA_BASE 0x3f007000u
#define ARMCTRL_BASE 0x3f00b200u
#define MAILBOX_BASE 0x3f00b880u
#define PM_BASE 0x3f100000u
#define RNG_BASE 0x3f104000u
#define GPIO_BASE 0x3f200000u
#define PL011_BASE 0x3f201000u
#define AUX_BASE 0x3f215000u
#define EMMC_BASE 0x3f300000u
#define LOCAL_BASE 0x40000000u

enum gpu_irq {
    GPU_IRQ_SYSTIMER_1 = 1,
    GPU_IRQ_SYSTIMER_3 = 3,
    GPU_IRQ_DMA_5 = 21,
    GPU_IRQ_AUX = 29,
    GPU_IRQ_GPIO_0 = 49,
    GPU_IRQ_PL011 = 57,
    GPU_IRQ_EMMC = 62
};

/** A register's address as the DMA controller knows it. */
#define BUS_ADDRESS(address) ((address)-0x3f000000u + 0x7e000000u)

/** Request lines of devices, for the DMA controller. */
#define DMA_LINE_EMMC 11u

/** Pins that are wired on the board. */
enum board_pin {
    PIN_CONSOLE_TX = 14,
    PIN_CONSOLE_RX = 15,
    PIN_LED_3B_PLUS =
        29, /**< the activity LED of the 3B+ and 3A+; the 3B's is behind the firmware */
    PIN_BLUETOOTH_TX = 32,
    PIN_BLUETOOTH_RX = 33,
    PIN_WIFI_FIRST = 34,
    PIN_WIFI_LAST = 39,
    PIN_CARD_CLOCK = 48,
    PIN_CARD_COMMAND = 49,
    PIN_CARD_LAST = 53,
    PINS_OF_CHIP = 54
};

/** The line of the firmware's own port expander that the 3B's activity LED hangs on. */
#define EXPANDER_LED 130u

/** Clocks by the firmware's number. */
enum firmware_clock { CLOCK_EMMC = 1, CLOCK_UART = 2, CLOCK_CORE = 4 };
