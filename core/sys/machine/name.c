/* SPDX-License-Identifier: MIT */
/*
 * name.c: the machine's name, "tayberry" until somebody sets another one.
 */
#include "sys/machine/name.h"

#include "lib/string.h"
#include "sync/spinlock.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/runtime.h>

#define NAME_FIRST "tayberry"

static KSTATE struct host {
    struct spinlock lock; /* guards the rest */
    bool set;
    char name[HOST_NAME_MAX + 1];
} host;

void host_name_start(void)
{
    spinlock_init(&host.lock, LOCK_RANK_DEVICE);
}

void host_name_read(char *to)
{
    hal_irq_state_t state = spinlock_acquire(&host.lock);

    string_copy(to, HOST_NAME_MAX + 1, host.set ? host.name : NAME_FIRST);
    spinlock_release(&host.lock, state);
}

int host_name_set(const char *name, size_t n)
{
    hal_irq_state_t state;

    if (n > HOST_NAME_MAX)
        return -EINVAL;
    state = spinlock_acquire(&host.lock);
    memcpy(host.name, name, n);
    host.name[n] = '\0';
    host.set = true;
    spinlock_release(&host.lock, state);
    return 0;
}
