/* SPDX-License-Identifier: MIT */
/*
 * power.c: the power manager's watchdog, the only way to restart this chip.
 *
 * The watchdog counts down at 65,536 Hz and then resets everything but the RAM. The firmware, which
 * starts first again, reads a partition number from six scattered bits of RSTS; number 63 (all six)
 * means: halt. There is no switch for the power itself. Each write carries a password, or it is
 * ignored.
 *
 * Source: Linux, drivers/watchdog/bcm2835_wdt.c, for the names of the bits; the manual is silent.
 */
#include "soc/power.h"
#include "soc/bcm2837.h"

#include <pi3/mmio.h>

#define PM_RSTC (PM_BASE + 0x1cu)
#define PM_RSTS (PM_BASE + 0x20u)
#define PM_WDOG (PM_BASE + 0x24u)

#define PM_PASSWORD 0x5a000000u
#define PM_VALUE 0x00ffffffu
#define RSTC_CHOICE 0x00000030u
#define RSTC_FULL_RESET 0x00000020u
#define RSTS_PARTITION 0x00000555u
#define WATCHDOG_TICKS 10u

static void power_reset_with(uint32_t partition)
{
    mmio_barrier();
    uint32_t status = mmio_read(PM_RSTS) & PM_VALUE & ~RSTS_PARTITION;
    mmio_write(PM_RSTS, PM_PASSWORD | status | partition);
    mmio_write(PM_WDOG, PM_PASSWORD | WATCHDOG_TICKS);
    uint32_t control = mmio_read(PM_RSTC) & PM_VALUE & ~RSTC_CHOICE;
    mmio_write(PM_RSTC, PM_PASSWORD | control | RSTC_FULL_RESET);
    mmio_barrier();
}

void power_restart(void)
{
    power_reset_with(0);
}

void power_halt(void)
{
    power_reset_with(RSTS_PARTITION);
}
