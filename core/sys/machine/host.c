/* SPDX-License-Identifier: MIT */
/*
 * host.c: the machine as a whole: its name, and its end.
 *
 * reboot's numbers are Linux's: who wants the machine to end has to say two of them, so that nobody
 * does by accident. The files are on their media before it ends, also for a program that has not
 * asked for that.
 */
#include "sys/calls.h"
#include "sys/user.h"

#include "fs/mount.h"
#include "lib/log.h"
#include "proc/process.h"
#include "sys/machine/name.h"
#include "tty/tty.h"

#include <hal/board.h>
#include <hal/errno.h>

#define MAGIC 0xfee1deadu

enum {
    COMMAND_KEYS_OFF = 0,
    COMMAND_RESTART = 0x01234567,
    COMMAND_POWER_OFF = 0x4321fedc,
};
#define COMMAND_KEYS_ON 0x89abcdefu
#define COMMAND_HALT 0xcdef0123u
#define COMMAND_RESTART_WITH 0xa1b2c3d4u

static bool is_root(void)
{
    return process_credentials(process_current()).effective_uid == 0;
}

int64_t sys_sethostname(const struct sys_args *args)
{
    char name[HOST_NAME_MAX];
    uint64_t length = args->value[1];
    int error;

    if (!is_root())
        return -EPERM;
    if (length > HOST_NAME_MAX)
        return -EINVAL;
    error = user_copy_in(name, args->value[0], (size_t)length);
    return error ? error : host_name_set(name, (size_t)length);
}

/* The end: what was written is on its media, and what was said is on the console. */
static void stop(enum hal_stop how)
{
    mount_remove_all();
    tty_drain();
    hal_board_stop(how, 0);
}

int64_t sys_reboot(const struct sys_args *args)
{
    static const uint32_t magics[] = {0x28121969, 0x05121996, 0x16041998, 0x20112000};
    bool known = false;

    if (!is_root())
        return -EPERM;
    for (unsigned i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
        known |= (uint32_t)args->value[1] == magics[i];
    if ((uint32_t)args->value[0] != MAGIC || !known)
        return -EINVAL;
    switch ((uint32_t)args->value[2]) {
    case COMMAND_KEYS_ON: /* no key of ours restarts the machine */
    case COMMAND_KEYS_OFF:
        return 0;
    case COMMAND_RESTART:
    case COMMAND_RESTART_WITH:
        klog(KLOG_NOTICE, "the machine is started again");
        stop(HAL_STOP_REBOOT);
        return 0;
    case COMMAND_HALT:
    case COMMAND_POWER_OFF:
        klog(KLOG_NOTICE, "the machine is switched off");
        stop(HAL_STOP_POWER_OFF);
        return 0;
    default:
        return -EINVAL;
    }
}
