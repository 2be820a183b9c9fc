/* SPDX-License-Identifier: MIT */
/*
 * kept.c: the last events of the scheduler, for who looks now and then.
 */
#include "lib/trace/kept.h"

#include "lib/library.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT = 65536 };

static struct {
    struct tb_sched_event *events; /* KEPT; number n is at n % KEPT. NULL: none are kept */
    uint64_t count;                /* ever, since they are kept */
} kept;                            /* HOST_MACHINE */

bool kept_runs(void)
{
    return kept.events != NULL;
}

void kept_add(const struct tb_sched_event *event)
{
    if (kept.events)
        kept.events[kept.count++ % KEPT] = *event;
}

int kept_switch(bool keep)
{
    if (keep == kept_runs())
        return 0;
    free(kept.events);
    kept.events = keep ? calloc(KEPT, sizeof *kept.events) : NULL;
    kept.count = 0;
    return keep && !kept.events ? -ENOMEM : 0;
}

size_t tb_sched_read(const struct tb_machine *m, uint64_t *position, struct tb_sched_event *events,
                     size_t n)
{
    size_t got = 0;
    (void)m;
    host_lock(HOST_MACHINE);
    uint64_t oldest = kept.count > KEPT ? kept.count - KEPT : 0;
    uint64_t at = *position < oldest ? oldest : *position;
    if (at > kept.count)
        at = 0; /* it was of an earlier keeping */
    for (; got < n && at < kept.count; got++)
        events[got] = kept.events[at++ % KEPT];
    *position = at;
    host_unlock(HOST_MACHINE);
    return got;
}
