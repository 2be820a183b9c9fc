/* SPDX-License-Identifier: MIT */
/*
 * listen.c: who hears what the guest's scheduler does.
 *
 * The kernel calls hal_trace for every event; the file that is being written and up to four others
 * get it, under the host lock, on the host's stack. With nobody there hal_trace does not get here.
 */
#include "lib/library.h"
#include "lib/trace/kept.h"
#include "lib/trace/recorder.h"

#include <errno.h>
#include <hal/inspect.h>
#include <hal/trace.h>

#include <string.h>

#define SAME(member) \
    (offsetof(struct tb_sched_event, member) == offsetof(struct hal_trace_event, member))

_Static_assert(sizeof(struct tb_sched_event) == sizeof(struct hal_trace_event) && SAME(time) &&
                   SAME(a) && SAME(b) && SAME(c) && SAME(kind) && SAME(cpu) && SAME(depth) &&
                   SAME(state) && SAME(self) && SAME(other) && SAME(self.number) &&
                   SAME(self.priority) && SAME(self.nice) && SAME(self.idle) && SAME(self.name),
               "an event is the same on both sides");
_Static_assert((int)TB_SCHED_SWITCH == (int)HAL_TRACE_SWITCH &&
                   (int)TB_SCHED_MOVE == (int)HAL_TRACE_MOVE &&
                   (int)TB_SCHED_READY == (int)HAL_TRACE_READY &&
                   (int)TB_SCHED_PANIC == (int)HAL_TRACE_PANIC &&
                   (int)TB_SCHED_POWER == (int)HAL_TRACE_KINDS,
               "kinds have the same values on both sides");

enum { LISTENERS = 4 };

static struct listener {
    tb_sched_sink *sink; /* NULL: free */
    void *context;
} listeners[LISTENERS]; /* HOST_MACHINE */

/* HOST_MACHINE held. */
static void update_wanted(void)
{
    bool wanted = recorder_runs() || kept_runs();
    for (int i = 0; i < LISTENERS; i++)
        wanted |= listeners[i].sink != NULL;
    atomic_store(&sim_trace_heard, wanted);
}

static void tell(const struct tb_sched_event *event)
{
    recorder_add(event);
    kept_add(event);
    for (int i = 0; i < LISTENERS; i++)
        if (listeners[i].sink)
            listeners[i].sink(listeners[i].context, event);
}

void outside_scheduled(const struct hal_trace_event *event)
{
    struct tb_sched_event told;
    memcpy(&told, event, sizeof told);
    tell(&told);
}

void listen_power_down(uint64_t now)
{
    recorder_stop_time(now);
}

void listen_power_up(uint64_t now, bool restored)
{
    struct tb_sched_event event = {.time = now, .kind = TB_SCHED_POWER, .a = restored};
    recorder_start_time(now);
    tell(&event);
}

static struct listener *find(tb_sched_sink *sink, void *context)
{
    for (int i = 0; i < LISTENERS; i++)
        if (listeners[i].sink == sink && listeners[i].context == context)
            return &listeners[i];
    return NULL;
}

int tb_sched_listen(struct tb_machine *m, tb_sched_sink *sink, void *context)
{
    (void)m;
    host_lock(HOST_MACHINE);
    struct listener *free_one = find(NULL, NULL);
    if (free_one)
        *free_one = (struct listener){sink, context};
    update_wanted();
    host_unlock(HOST_MACHINE);
    return free_one ? 0 : library_fail(-ENOSPC, "%d listen to the scheduler already", LISTENERS);
}

void tb_sched_ignore(struct tb_machine *m, tb_sched_sink *sink, void *context)
{
    (void)m;
    host_lock(HOST_MACHINE);
    struct listener *one = sink ? find(sink, context) : NULL;
    if (one)
        *one = (struct listener){NULL, NULL};
    update_wanted();
    host_unlock(HOST_MACHINE);
}

int tb_sched_keep(struct tb_machine *m, bool keep)
{
    (void)m;
    host_lock(HOST_MACHINE);
    int error = kept_switch(keep);
    update_wanted();
    host_unlock(HOST_MACHINE);
    return error ? library_fail(error, "not enough memory on the host to keep events") : 0;
}

size_t tb_sched_text(const struct tb_sched_event *event, char *text, size_t bytes)
{
    struct hal_trace_event guests;
    memcpy(&guests, event, sizeof guests);
    return hal_inspect_trace_text(&guests, text, bytes);
}

/* HOST_MACHINE held. */
static int replace(const char *path)
{
    uint64_t now = sim_time_now();
    bool on = atomic_load(&machine.power) != POWER_OFF;
    if (on)
        recorder_stop_time(now);
    int error = recorder_end();
    if (error)
        return library_fail(error, "the trace could not be written in full: %s", strerror(-error));
    if (!path)
        return 0;
    error = recorder_begin(path, machine.cpu_count, on ? now : 0);
    if (error)
        return library_fail(error, "cannot write the trace %s: %s", path, strerror(-error));
    return 0;
}

int tb_sched_file(struct tb_machine *m, const char *path)
{
    (void)m;
    host_lock(HOST_MACHINE);
    int error = replace(path);
    update_wanted();
    host_unlock(HOST_MACHINE);
    return error;
}

void listen_close(void)
{
    host_lock(HOST_MACHINE);
    (void)recorder_end();
    (void)kept_switch(false);
    memset(listeners, 0, sizeof listeners);
    update_wanted();
    host_unlock(HOST_MACHINE);
}
