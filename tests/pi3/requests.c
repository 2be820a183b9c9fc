/* SPDX-License-Identifier: MIT */
/*
 * requests.c: see requests.h.
 */
#include "requests.h"
#include "dma_model.h"
#include "fake_bus.h"

#include "sd/block.h"
#include "soc/intc.h"
#include "soc/timer.h"
#include "../marks.h"

#include <string.h>

unsigned pokes;
static uint64_t alarm_at;

void intc_poke(unsigned cpu, enum hal_irq line)
{
    ck_assert_uint_eq(cpu, 0);
    ck_assert_uint_eq(line, HAL_IRQ_BLOCK);
    pokes++;
}

void intc_enable_gpu(unsigned irq)
{
    ck_assert(irq == 62 || irq == 3 || irq == 21);
}

void systimer_arm(enum systimer_user user, uint32_t microseconds)
{
    ck_assert_uint_eq(user, SYSTIMER_CARD);
    alarm_at = fake_now() + microseconds;
}

void systimer_quiet(enum systimer_user user)
{
    ck_assert_uint_eq(user, SYSTIMER_CARD);
}

static uint8_t memory[DATA_BYTES + 64] __attribute__((aligned(64)));
uint8_t *data;
unsigned taken; /**< interrupts */

void setup(void)
{
    card_setup(CARD_SDHC);
    dma_setup();
    fake_poke(0, 50000000);
    pokes = 0;
    alarm_at = 0;
}

/** Memory that DMA can be used for. */
void setup_lines(void)
{
    setup();
    data = memory;
}

/** Memory that it cannot be used for: the processor moves the data. */
void setup_words(void)
{
    setup();
    data = memory + 4;
}

/** Another card in the same slot, after power-on of the whole machine. */
void insert(enum card_kind kind)
{
    setup();
    card.kind = kind;
}

struct hal_block_request request;

void find(void)
{
    struct hal_block_info info;

    ck_assert_int_eq(hal_block_probe(&info), 0);
}

void ask(enum hal_block_op op, uint64_t sector, uint32_t count)
{
    memset(&request, 0, sizeof request);
    request.op = op;
    request.sector = sector;
    request.segment_count = 1;
    request.segments[0].data = data;
    request.segments[0].sectors = count;
}

/** Lets interrupts and alarms happen until a request is complete, or for `patience` rounds. */
struct hal_block_request *run_interrupts(unsigned patience)
{
    for (unsigned i = 0; i < patience; i++) {
        if (pokes > 0) {
            pokes--;
            return hal_block_completed();
        }
        if (card_interrupts() || dma_interrupts()) {
            taken++;
            sd_block_take_interrupt();
        } else if (dma_step()) {
            continue;
        } else if (alarm_at != 0) {
            if (alarm_at > fake_now()) {
                fake_pass(alarm_at - fake_now());
            }
            sd_block_take_interrupt();
        }
    }
    return NULL;
}

int run(void)
{
    ck_assert_int_eq(hal_block_submit(&request), 0);
    ck_assert_ptr_eq(run_interrupts(100000), &request);
    ck_assert(!dma_is_active());
    return request.result;
}

bool sector_as_made(const uint8_t *bytes, unsigned sector)
{
    for (unsigned i = 0; i < 512; i++) {
        if (bytes[i] != (uint8_t)(sector * 7 + i)) {
            return false;
        }
    }
    return true;
}
