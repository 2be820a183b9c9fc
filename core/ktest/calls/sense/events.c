/* SPDX-License-Identifier: MIT */
/*
 * events.c: makers of waiting, timers and signals.
 */
#include "ktest/calls/sense/sense.h"

#include "abi/abi.h"
#include "lib/bytes.h"

#include <hal/runtime.h>

#define US 1000u /* ns */

/* ---- epoll, poll and select ---- */

static uint32_t choose_events(struct calls_chance *chance)
{
    static const uint32_t more[] = {0, 0, 1u << 31, 1u << 30, 1u << 28};

    return (1u << calls_below(chance, 14)) | calls_below(chance, 32) | SENSE_PICK(chance, more);
}

void sense_epoll_ctl(struct calls_chance *chance, uint32_t pid, struct sys_args *args)
{
    uint8_t event[ABI_EVENT_MAX] = {0};

    (void)pid;
    put_le32(event, choose_events(chance));
    put_le64(event + abi_event_bytes - 8, calls_bits(chance));
    args->value[0] = sense_descriptor(chance, CALLS_EPOLL);
    args->value[1] = calls_below(chance, 3) ? 1 : calls_below(chance, 5);
    args->value[2] = calls_below(chance, CALLS_GIVEN + 4);
    args->value[3] = sense_put(chance, event, sizeof(event));
}

void sense_epoll_pwait(struct calls_chance *chance, uint32_t pid, struct sys_args *args)
{
    uint64_t mask = calls_bits(chance) & calls_bits(chance);
    uint8_t room[64] = {0};

    (void)pid;
    args->value[0] = sense_descriptor(chance, CALLS_EPOLL);
    args->value[1] = sense_put(chance, room, sizeof(room));
    args->value[2] = 1 + calls_below(chance, 5);
    args->value[3] = calls_below(chance, 4) ? 0 : calls_below(chance, 3) - 1ull;
    args->value[4] = calls_below(chance, 2) ? 0 : sense_put(chance, &mask, sizeof(mask));
    args->value[5] = 8;
}

void sense_poll(struct calls_chance *chance, uint32_t pid, struct sys_args *args)
{
    uint32_t entries[16];
    uint32_t count = 1 + calls_below(chance, 8);

    (void)pid;
    for (unsigned i = 0; i < count; i++) {
        entries[2 * i] = calls_below(chance, CALLS_GIVEN + 4) - (calls_below(chance, 9) == 0);
        entries[2 * i + 1] = 1u << calls_below(chance, 14) | calls_below(chance, 8);
    }
    args->value[0] = sense_put(chance, entries, count * 8);
    args->value[1] = count;
    args->value[2] = calls_below(chance, 4) ? 0 : calls_below(chance, 3) - 1ull;
}

void sense_select(struct calls_chance *chance, uint32_t pid, struct sys_args *args)
{
    uint64_t words[4];

    (void)pid;
    args->value[0] = 1 + calls_below(chance, CALLS_GIVEN + 2);
    for (unsigned i = 1; i < 4; i++) {
        words[0] = calls_bits(chance) & ((1u << CALLS_GIVEN) - 1);
        args->value[i] = calls_below(chance, 3) ? sense_put(chance, words, 8) : 0;
    }
    sense_times(chance, words, US);
    args->value[4] = sense_put(chance, words + 2, 16);
}

/* ---- timers ---- */

void sense_timerfd_settime(struct calls_chance *chance, uint32_t pid, struct sys_args *args)
{
    uint64_t words[4];

    (void)pid;
    sense_times(chance, words, 1);
    args->value[0] = sense_descriptor(chance, CALLS_ALARM);
    args->value[1] = calls_below(chance, 4) == 0;
    args->value[2] = sense_put(chance, words, sizeof(words));
    args->value[3] = calls_below(chance, 2) ? 0 : sense_put(chance, words, sizeof(words));
}

void sense_timerfd_gettime(struct calls_chance *chance, uint32_t pid, struct sys_args *args)
{
    uint64_t words[4] = {0};

    (void)pid;
    args->value[0] = sense_descriptor(chance, CALLS_ALARM);
    args->value[1] = sense_put(chance, words, sizeof(words));
}

/* Signals that end nothing when there is no handler, mostly. */
static uint32_t choose_signal(struct calls_chance *chance)
{
    static const uint8_t quiet[] = {17, 18, 23, 28};

    return calls_below(chance, 4) ? SENSE_PICK(chance, quiet) : calls_below(chance, 66);
}

/* Linux's struct sigevent. */
void sense_timer_create(struct calls_chance *chance, uint32_t pid, struct sys_args *args)
{
    static const uint8_t clocks[] = {0, 1, 7};
    uint8_t event[64] = {0};

    put_le64(event, calls_bits(chance));
    put_le32(event + 8, choose_signal(chance));
    put_le32(event + 12, calls_below(chance, 5));
    put_le32(event + 16, pid);
    args->value[0] = SENSE_PICK(chance, clocks);
    args->value[1] = calls_below(chance, 4) ? sense_put(chance, event, sizeof(event)) : 0;
    args->value[2] = sense_put(chance, event, 8);
}

void sense_timer_settime(struct calls_chance *chance, uint32_t pid, struct sys_args *args)
{
    sense_timerfd_settime(chance, pid, args);
    args->value[0] = calls_below(chance, 4);
}

/* Only the first is by the clock; without a handler its signal ends the process. */
void sense_setitimer(struct calls_chance *chance, uint32_t pid, struct sys_args *args)
{
    uint64_t words[4];

    (void)pid;
    sense_times(chance, words, US);
    args->value[0] = calls_below(chance, 3);
    args->value[1] = sense_put(chance, words, sizeof(words));
    args->value[2] = calls_below(chance, 2) ? 0 : sense_put(chance, words, sizeof(words));
}

/* ---- signals ---- */

/* The layout of both processors: handler, flags, restorer, mask. */
void sense_rt_sigaction(struct calls_chance *chance, uint32_t pid, struct sys_args *args)
{
    static const uint32_t ways[] = {0x04000000, 0x04000004, 0x14000000, 0xc4000000, 0x0c000000, 2};
    uint64_t words[4] = {0};

    (void)pid;
    words[0] = calls_below(chance, 3) ? CALLS_CODE : calls_below(chance, 2);
    words[1] = SENSE_PICK(chance, ways);
    words[2] = CALLS_CODE;
    words[3] = calls_bits(chance) & calls_bits(chance);
    args->value[0] = choose_signal(chance);
    args->value[1] = sense_put(chance, words, sizeof(words));
    args->value[2] = calls_below(chance, 2) ? 0 : sense_put(chance, words, sizeof(words));
    args->value[3] = 8;
}

/* Linux's siginfo_t: signal, errno, code, and whose it is. */
void sense_rt_sigqueueinfo(struct calls_chance *chance, uint32_t pid, struct sys_args *args)
{
    uint8_t info[128] = {0};
    uint32_t signal = choose_signal(chance);

    put_le32(info, signal);
    put_le32(info + 8, (uint32_t)-1 - calls_below(chance, 6));
    put_le32(info + 16, pid);
    put_le64(info + 24, calls_bits(chance));
    args->value[0] = pid;
    args->value[1] = signal;
    args->value[2] = sense_put(chance, info, sizeof(info));
}

void sense_rt_sigtimedwait(struct calls_chance *chance, uint32_t pid, struct sys_args *args)
{
    uint64_t mask = calls_bits(chance) | 1u << 16, words[4];
    uint8_t info[128] = {0};

    (void)pid;
    sense_times(chance, words, 1);
    args->value[0] = sense_put(chance, &mask, sizeof(mask));
    args->value[1] = calls_below(chance, 2) ? 0 : sense_put(chance, info, sizeof(info));
    args->value[2] = sense_put(chance, words + 2, 16);
    args->value[3] = 8;
}

void sense_rt_sigprocmask(struct calls_chance *chance, uint32_t pid, struct sys_args *args)
{
    uint64_t mask = calls_bits(chance) & calls_bits(chance);

    (void)pid;
    args->value[0] = calls_below(chance, 3);
    args->value[1] = calls_below(chance, 6) ? sense_put(chance, &mask, sizeof(mask)) : 0;
    args->value[2] = calls_below(chance, 2) ? 0 : sense_put(chance, &mask, sizeof(mask));
    args->value[3] = 8;
}

/* ---- futexes ---- */

/* Two words that all threads of all lives of this process agree on, with small values. */
void sense_futex(struct calls_chance *chance, uint32_t pid, struct sys_args *args)
{
    static const uint8_t operations[] = {0, 1, 3, 4, 5, 9, 10};
    uint32_t word = calls_below(chance, 2);
    uint64_t words[4];

    (void)pid;
    sense_times(chance, words, 1);
    args->value[0] = calls_below(chance, 2) ? CALLS_PAGE(32) : CALLS_PAGE(32) + 64;
    if (calls_below(chance, 2))
        args->value[0] = sense_put(chance, &word, sizeof(word));
    args->value[1] = SENSE_PICK(chance, operations) | (calls_below(chance, 2) ? 128u : 0u);
    args->value[2] = calls_below(chance, 2);
    args->value[3] =
        calls_below(chance, 2) ? sense_put(chance, words + 2, 16) : calls_below(chance, 5);
    args->value[4] = CALLS_PAGE(32) + calls_below(chance, 4) * 32;
    args->value[5] = calls_below(chance, 3) ? calls_bits(chance) & 0xffffffff : 0;
}
