/* SPDX-License-Identifier: MIT */
/*
 * trace.c: lines of threads that make calls at the same time.
 *
 * A call's line is begun when it is made, with what is known then, and completed when it is done.
 * If another thread has something to say meanwhile, the line ends as "unfinished", and goes on
 * later as "resumed". One mutex makes each piece a whole.
 */
#include "sys/trace/trace.h"

#include "abi/abi.h"
#include "boot/cmdline.h"
#include "lib/string.h"
#include "proc/process.h"
#include "sync/mutex.h"
#include "sys/trace/names.h"
#include "sys/trace/text.h"
#include "tty/tty.h"

#include <hal/kstate.h>
#include <hal/trace.h>

static KSTATE struct tracing {
    bool on;                        /* constant after boot */
    bool host;                      /* as well */
    struct mutex mutex;             /* guards the rest */
    const struct user_thread *open; /* whose line has not ended; only its address counts */
    struct text text;
} tracing;

static void out(const char *bytes, size_t n)
{
    if (tracing.host)
        hal_trace_text(bytes, n);
    else
        tty_write(bytes, n);
}

void trace_start(void)
{
    char word[8];

    mutex_init(&tracing.mutex);
    tracing.text.out = out;
    if (!cmdline_value("strace", word, sizeof(word)))
        return;
    tracing.host = string_equal(word, "host");
    tracing.on = tracing.host || string_equal(word, "1");
}

static struct text_call describe(struct user_thread *thread, const struct sys_call *call,
                                 const struct sys_args *args)
{
    struct text_call text = {.call = call,
                             .number = (enum sys_number)(call - sys_call_at(SYS_NONE)),
                             .name = call->name,
                             .args = args,
                             .space = thread->process->space};
    const struct abi_number *numbers;
    uint64_t number = hal_user_call(&thread->user);
    unsigned count;

    numbers = abi_numbers(&count);
    if (text.number != SYS_NONE && number < count && numbers[number].call == text.number) {
        text.order = numbers[number].order;
        text.name = numbers[number].name ? numbers[number].name : call->name;
    }
    return text;
}

/* The line is `thread`'s now. Caller holds the mutex. */
static void take_line(const struct user_thread *thread)
{
    if (tracing.open && tracing.open != thread)
        text_put(&tracing.text, " <unfinished ...>\n");
    if (tracing.open != thread && user_thread_count() > 1)
        text_put(&tracing.text, "[pid %5u] ", thread->tid);
}

/* Nobody else writes until end_line. */
static void begin_line(const struct user_thread *thread)
{
    mutex_lock(&tracing.mutex);
    take_line(thread);
}

/* `open`: whose line it still is, or NULL. */
static void end_line(const struct user_thread *open)
{
    text_flush(&tracing.text);
    tracing.open = open;
    mutex_unlock(&tracing.mutex);
}

static void put_name(const struct text_call *text, const struct user_thread *thread)
{
    if (text->name)
        text_put(&tracing.text, "%s", text->name);
    else
        text_put(&tracing.text, "syscall_%#llx", (unsigned long long)hal_user_call(&thread->user));
}

/* How many arguments come before the first answer. */
static unsigned known_before(const struct text_call *text)
{
    unsigned count = text_arguments(text), known = 0;

    while (known < count && !text_is_answer(text, known))
        known++;
    return known;
}

static void put_arguments(const struct text_call *text, unsigned first, unsigned end,
                          int64_t result)
{
    for (unsigned i = first; i < end; i++) {
        if (i > first)
            text_put(&tracing.text, ", ");
        text_put_argument(&tracing.text, text, i, result);
    }
}

void trace_call(struct user_thread *thread, const struct sys_call *call,
                const struct sys_args *args)
{
    struct text_call text;

    if (!tracing.on)
        return;
    text = describe(thread, call, args);
    begin_line(thread);
    put_name(&text, thread);
    text_put(&tracing.text, "(");
    put_arguments(&text, 0, known_before(&text), 0);
    if (known_before(&text) > 0 && known_before(&text) < text_arguments(&text))
        text_put(&tracing.text, ", ");
    end_line(thread);
}

void trace_result(struct user_thread *thread, const struct sys_call *call,
                  const struct sys_args *args, int64_t result)
{
    struct text_call text;

    if (!tracing.on)
        return;
    text = describe(thread, call, args);
    begin_line(thread);
    if (tracing.open != thread) {
        text_put(&tracing.text, "<... ");
        put_name(&text, thread);
        text_put(&tracing.text, " resumed>");
    }
    put_arguments(&text, known_before(&text), text_arguments(&text), result);
    text_put(&tracing.text, ")");
    text_pad(&tracing.text);
    text_put(&tracing.text, "= ");
    if (__atomic_load_n(&thread->ending, __ATOMIC_ACQUIRE))
        text_put(&tracing.text, "?"); /* nobody will see it */
    else
        text_put_result(&tracing.text, &text, result);
    text_put(&tracing.text, "\n");
    end_line(NULL);
}

void trace_signal(struct user_thread *thread, unsigned signal)
{
    const char *name = names_of_signal(signal);

    if (!tracing.on)
        return;
    begin_line(thread);
    if (name)
        text_put(&tracing.text, "--- %s ---\n", name);
    else
        text_put(&tracing.text, "--- SIGRT_%u ---\n", signal - 32);
    end_line(NULL);
}

void trace_end(struct user_thread *thread, uint32_t status)
{
    const char *name = names_of_signal(status & 0x7f);

    if (!tracing.on)
        return;
    begin_line(thread);
    if (tracing.open == thread)
        text_put(&tracing.text, " <unfinished ...>\n");
    if (name)
        text_put(&tracing.text, "+++ killed by %s +++\n", name);
    else
        text_put(&tracing.text, "+++ exited with %u +++\n", status >> 8);
    end_line(NULL);
}
