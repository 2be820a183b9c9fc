/* SPDX-License-Identifier: MIT */
/*
 * chrome.c: the JSON that chrome://tracing and Perfetto open ("Trace Event Format").
 *
 * Each event is an object: "X" is a slice (ts, dur, in us), "i" an instant, "b" and "e" the ends of
 * what overlaps others, "M" the name of a track. A track is a pid and a tid:
 *
 *     pid 1, CPUs      tid = CPU + 1           the thread that runs, and inside it interrupts
 *     pid 2, Threads   tid = thread's number   what the thread does; when it was woken and moved
 *     pid 3, Card      requests, from when they were given until they were done
 *
 * A slice is written when it ends. So of each CPU and each thread is kept since when it does what
 * it does; idle threads have no track, their times are the gaps of the CPUs.
 */
#include "lib/trace/recorder.h"

#include <hal/machine.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PID_CPUS = 1, PID_THREADS, PID_CARD };
enum state {
    STATE_UNKNOWN,
    STATE_READY,
    STATE_RUNNING,
    STATE_SLEEPING,
    STATE_BLOCKED,
    STATE_ENDED
};

struct track {
    uint64_t since;
    uint8_t state;
    uint8_t cpu; /* where it runs, or ran last */
    bool named;
    char lock[16]; /* what it waits for, or "" */
};

static struct {
    FILE *file;
    struct tb_sched_thread running[HAL_CPU_MAX]; /* number 0: not known */
    uint64_t running_since[HAL_CPU_MAX];
    uint64_t interrupted[HAL_CPU_MAX]; /* 1 + since when it is in an interrupt; 0: it is not */
    struct track *threads;             /* by number */
    size_t room;
    uint64_t lost; /* events of threads for which there was no memory */
} chrome;

/* ---- writing ---- */

static void put_us(const char *key, uint64_t ns)
{
    fprintf(chrome.file, ",\"%s\":%" PRIu64 ".%03u", key, ns / 1000, (unsigned)(ns % 1000));
}

static void put_string(const char *text)
{
    fputc('"', chrome.file);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', chrome.file);
        fputc(*text >= ' ' && *text < 0x7f ? *text : '?', chrome.file);
    }
    fputc('"', chrome.file);
}

/* The beginning of every event but the first ones, up to where its own members follow. */
static void open_event(const char *ph, int pid, uint32_t tid, uint64_t time)
{
    fprintf(chrome.file, ",\n{\"ph\":\"%s\",\"pid\":%d,\"tid\":%" PRIu32, ph, pid, tid);
    put_us("ts", time);
}

static void put_name(const char *name)
{
    fputs(",\"name\":", chrome.file);
    put_string(name);
}

static void name_track(const char *what, int pid, uint32_t tid, const char *name)
{
    fprintf(chrome.file, ",\n{\"ph\":\"M\",\"pid\":%d,\"tid\":%" PRIu32 ",\"name\":\"%s\"", pid,
            tid, what);
    fputs(",\"args\":{\"name\":", chrome.file);
    put_string(name);
    fputs("}}", chrome.file);
}

static void put_slice(int pid, uint32_t tid, const char *name, uint64_t from, uint64_t to)
{
    open_event("X", pid, tid, from);
    put_us("dur", to - from);
    put_name(name);
}

/* ---- CPUs ---- */

static void end_running(unsigned cpu, uint64_t now, const char *why)
{
    const struct tb_sched_thread *thread = &chrome.running[cpu];
    if (thread->number && !thread->idle) {
        put_slice(PID_CPUS, cpu + 1, thread->name, chrome.running_since[cpu], now);
        fprintf(chrome.file, ",\"args\":{\"thread\":%" PRIu32 ",\"then\":\"%s\"}}", thread->number,
                why);
    }
    chrome.running[cpu].number = 0;
}

static void end_interrupt(unsigned cpu, uint64_t line, uint64_t now)
{
    static const char *const names[] = {"timer", "uart", "card", "gpio", "display", "ipi"};
    if (!chrome.interrupted[cpu])
        return; /* it began before the file */
    put_slice(PID_CPUS, cpu + 1, line < 6 ? names[line] : "interrupt", chrome.interrupted[cpu] - 1,
              now);
    fputs(",\"cat\":\"interrupt\"}", chrome.file);
    chrome.interrupted[cpu] = 0;
}

/* ---- threads ---- */

/* The track of `thread`; NULL: it has none, or there is no memory. */
static struct track *find(const struct tb_sched_thread *thread)
{
    if (thread->idle || !thread->number)
        return NULL;
    if (thread->number >= chrome.room) {
        size_t room = chrome.room ? chrome.room : 256;
        while (room <= thread->number)
            room *= 2;
        struct track *larger = realloc(chrome.threads, room * sizeof *larger);
        if (!larger) {
            chrome.lost++;
            return NULL;
        }
        memset(larger + chrome.room, 0, (room - chrome.room) * sizeof *larger);
        chrome.threads = larger;
        chrome.room = room;
    }
    struct track *track = &chrome.threads[thread->number];
    if (!track->named && thread->name[0]) {
        char name[sizeof thread->name + 16];
        snprintf(name, sizeof name, "%s %" PRIu32, thread->name, thread->number);
        name_track("thread_name", PID_THREADS, thread->number, name);
        track->named = true;
    }
    return track;
}

static void end_state(struct track *track, uint32_t number, uint64_t now)
{
    static const char *const names[] = {"", "Ready", "Running", "Sleeping", "Blocked", ""};
    char waits[sizeof track->lock + 16];
    if (names[track->state][0] == '\0')
        return;
    const char *name = names[track->state];
    if (track->state >= STATE_SLEEPING && track->lock[0]) {
        snprintf(waits, sizeof waits, "Waits for %s", track->lock);
        name = waits;
    }
    put_slice(PID_THREADS, number, name, track->since, now);
    fprintf(chrome.file, ",\"cat\":\"state\",\"args\":{\"cpu\":%u}}", track->cpu);
}

static void set_state(const struct tb_sched_thread *thread, enum state state, unsigned cpu,
                      uint64_t now)
{
    struct track *track = find(thread);
    if (!track)
        return;
    end_state(track, thread->number, now);
    track->state = (uint8_t)state;
    track->since = now;
    track->cpu = (uint8_t)cpu;
}

/* Begins an instant on the thread's track. False: it has none. */
static bool open_instant(const struct tb_sched_thread *thread, uint64_t time, const char *name)
{
    if (!find(thread))
        return false;
    open_event("i", PID_THREADS, thread->number, time);
    put_name(name);
    fputs(",\"s\":\"t\"", chrome.file);
    return true;
}

/* ---- events ---- */

static void on_switch(const struct tb_sched_event *event)
{
    enum state state = STATE_READY;
    const char *why = event->state == 'r' ? "preempted" : "gave way";
    if (event->state == 'S' || event->state == 'D') {
        state = event->state == 'S' ? STATE_SLEEPING : STATE_BLOCKED;
        why = "sleeps";
    } else if (event->state == 'Z') {
        state = STATE_ENDED;
        why = "ended";
    }
    end_running(event->cpu, event->time, why);
    set_state(&event->self, state, event->cpu, event->time);
    set_state(&event->other, STATE_RUNNING, event->cpu, event->time);
    chrome.running[event->cpu] = event->other;
    chrome.running_since[event->cpu] = event->time;
}

static void on_thread(const struct tb_sched_event *event)
{
    const struct tb_sched_thread *thread =
        event->kind == TB_SCHED_EXIT ? &event->self : &event->other;
    char name[48];
    if (event->kind == TB_SCHED_WAKE)
        snprintf(name, sizeof name, "woken");
    else if (event->kind == TB_SCHED_MOVE)
        snprintf(name, sizeof name, "moved to CPU %u", (unsigned)event->b);
    else
        snprintf(name, sizeof name, event->kind == TB_SCHED_EXIT ? "ends" : "created");
    if (!open_instant(thread, event->time, name))
        return;
    fputs(",\"args\":{\"by\":", chrome.file);
    put_string(event->depth ? "an interrupt" : event->self.name);
    fprintf(chrome.file, ",\"cpu\":%u}}", event->cpu);
}

static void on_lock(const struct tb_sched_event *event)
{
    struct track *track = find(&event->self);
    if (track && event->kind == TB_SCHED_WAIT)
        memcpy(track->lock, event->other.name, sizeof track->lock);
    else if (track)
        track->lock[0] = '\0';
}

static void on_request(const struct tb_sched_event *event)
{
    static const char *const names[] = {"read", "write", "flush"};
    char name[48];
    snprintf(name, sizeof name, "%s %" PRIu64 " + %" PRIu64, event->c < 3 ? names[event->c] : "?",
             event->a, event->b);
    open_event(event->kind == TB_SCHED_REQUEST ? "b" : "e", PID_CARD, 1, event->time);
    put_name(name);
    fprintf(chrome.file, ",\"cat\":\"card\",\"id\":\"%u-%" PRIu64 "\"", event->c, event->a);
    if (event->kind == TB_SCHED_DONE)
        fprintf(chrome.file, ",\"args\":{\"errno\":%" PRIu32 "}", event->other.number);
    fputc('}', chrome.file);
}

/* An instant of everything. */
static void on_mark(const struct tb_sched_event *event, const char *name)
{
    open_event("i", PID_CPUS, event->cpu + 1u, event->time);
    put_name(name);
    fputs(",\"s\":\"g\"}", chrome.file);
}

/* Ends all slices: the machine stops, or begins again. */
static void end_all(uint64_t now)
{
    for (unsigned cpu = 0; cpu < HAL_CPU_MAX; cpu++) {
        end_running(cpu, now, "the end");
        chrome.interrupted[cpu] = 0;
    }
    for (size_t i = 0; i < chrome.room; i++) {
        end_state(&chrome.threads[i], (uint32_t)i, now);
        chrome.threads[i] = (struct track){.since = now};
    }
}

static void event(FILE *file, const struct tb_sched_event *event)
{
    (void)file;
    if (event->cpu >= HAL_CPU_MAX)
        return;
    switch (event->kind) {
    case TB_SCHED_SWITCH:
        on_switch(event);
        break;
    case TB_SCHED_INTERRUPT:
        chrome.interrupted[event->cpu] = event->time + 1;
        break;
    case TB_SCHED_END:
        end_interrupt(event->cpu, event->a, event->time);
        break;
    case TB_SCHED_READY:
        set_state(&event->other, STATE_READY, (unsigned)event->b, event->time);
        break;
    case TB_SCHED_WAIT:
    case TB_SCHED_GOT:
        on_lock(event);
        break;
    case TB_SCHED_REQUEST:
    case TB_SCHED_DONE:
        on_request(event);
        break;
    case TB_SCHED_FAULT:
        on_mark(event, "fault");
        break;
    case TB_SCHED_PANIC:
        on_mark(event, "panic");
        break;
    case TB_SCHED_POWER:
        end_all(event->time);
        on_mark(event, event->a ? "restored" : "power on");
        break;
    default:
        on_thread(event);
        break;
    }
}

/* ---- the file ---- */

static void begin(FILE *file, unsigned cpus)
{
    memset(&chrome, 0, sizeof chrome);
    chrome.file = file;
    fputs("{\"traceEvents\":[\n{\"ph\":\"M\",\"pid\":1,\"tid\":1,\"name\":\"process_name\","
          "\"args\":{\"name\":\"CPUs\"}}",
          file);
    name_track("process_name", PID_THREADS, 0, "Threads");
    name_track("process_name", PID_CARD, 0, "Card");
    for (unsigned cpu = 0; cpu < cpus; cpu++) {
        char name[16];
        snprintf(name, sizeof name, "CPU %u", cpu);
        name_track("thread_name", PID_CPUS, cpu + 1, name);
    }
}

static bool end(FILE *file, uint64_t events, uint64_t last)
{
    end_all(last);
    fprintf(file,
            "\n],\n\"displayTimeUnit\":\"ns\",\n\"otherData\":{\"from\":\"Tayberry\",\"events\":"
            "\"%" PRIu64 "\",\"lost\":\"%" PRIu64 "\"}}\n",
            events, chrome.lost);
    free(chrome.threads);
    return chrome.lost == 0;
}

const struct trace_format trace_chrome = {begin, event, end};
