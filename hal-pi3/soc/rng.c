/* SPDX-License-Identifier: MIT */
/*
 * rng.c: the chip's random number generator.
 *
 * It samples noise, throws the first 0x40000 samples away, and then keeps a few words ready; the
 * upper byte of the status register says how many.
 *
 * Source: Linux, drivers/char/hw_random/bcm2835-rng.c (the manual does not mention the device).
 */
#include "soc/rng.h"
#include "soc/bcm2837.h"

#include <hal/cpu.h>
#include <hal/errno.h>
#include <pi3/lock.h>
#include <pi3/mmio.h>

#define RNG_CONTROL (RNG_BASE + 0x00u)
#define RNG_STATUS (RNG_BASE + 0x04u)
#define RNG_DATA (RNG_BASE + 0x08u)
#define RNG_MASK (RNG_BASE + 0x10u)

#define RNG_ON 1u
#define RNG_WARM_UP 0x40000u
#define RNG_IRQ_OFF 1u
#define RNG_READY_SHIFT 24u
#define RNG_WAIT_MICROS 10000u
/** It samples at well below 1 MHz, so throwing the first ones away takes up to a second. */
#define RNG_FIRST_WAIT_MICROS 3000000u

/** When the first word is there at the latest. */
static uint64_t rng_warm;
static struct lock rng_lock;

void rng_start(void)
{
    mmio_barrier();
    mmio_write(RNG_MASK, mmio_read(RNG_MASK) | RNG_IRQ_OFF);
    mmio_write(RNG_STATUS, RNG_WARM_UP);
    mmio_write(RNG_CONTROL, RNG_ON);
    mmio_barrier();
    rng_warm = mmio_microseconds() + RNG_FIRST_WAIT_MICROS;
}

/** Takes a word if there is one. Two CPUs must not find the same last word ready. */
static bool rng_take(uint32_t *word)
{
    hal_irq_state_t state = lock_take(&rng_lock);

    mmio_barrier();
    bool ready = mmio_read(RNG_STATUS) >> RNG_READY_SHIFT != 0;
    if (ready) {
        *word = mmio_read(RNG_DATA);
    }
    mmio_barrier();
    lock_release(&rng_lock, state);
    return ready;
}

int rng_word(uint32_t *word)
{
    uint64_t give_up = mmio_microseconds() + RNG_WAIT_MICROS;

    give_up = give_up > rng_warm ? give_up : rng_warm;
    for (;;) {
        uint64_t now = mmio_microseconds();
        if (rng_take(word)) {
            return 0;
        }
        if (now > give_up) {
            return -EIO;
        }
        hal_cpu_relax();
    }
}
