/* SPDX-License-Identifier: MIT */
/*
 * locks.c: locks: the classes of the kernel's locks, and what happened to them.
 *
 * A line each: kind, how often taken, how often somebody had to wait, the longest hold in
 * nanoseconds (0: not measured), name, and the place that makes them ready. Counted while the
 * checks are on. Locks on files, which Linux has here, there are none.
 */
#include "fs/procfs/procfs.h"
#include "sync/check/class.h"

static unsigned long long value_of(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

int proc_say_locks(struct report *report)
{
    report_add(report, "# kind taken contended longest_ns name place\n");
    for (unsigned number = 1; number < LOCK_CLASSES; number++) {
        const struct lock_class *class = lock_class_at(number);
        char place[64];

        if (!class)
            continue;
        lock_site_text(&class->site, place, sizeof(place));
        report_add(report, "%s %llu %llu %llu %s %s\n", lock_class_kind(class),
                   value_of(&class->state->taken), value_of(&class->state->contended),
                   value_of(&class->state->longest_ns), lock_class_name(class), place);
    }
    return 0;
}
