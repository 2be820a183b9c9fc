/* SPDX-License-Identifier: MIT */
/*
 * select.c: select and pselect6: three sets of descriptors, a bit each.
 *
 *     set         is in it for               stays in it if there is
 *     reading     input                      input, a hang-up or an error
 *     writing     room                       room or an error
 *     exceptions  urgent data                urgent data, which nothing here has
 */
#include "sys/calls.h"
#include "sys/user.h"
#include "sys/wait/watch.h"

#include "heap/heap.h"
#include "proc/files/descriptor.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define SETS 3u
#define WORDS (DESCRIPTORS_MAX / 64)

static const unsigned answered[SETS] = {READY_IN | READY_HANG_UP | READY_ERROR,
                                        READY_OUT | READY_ERROR, READY_URGENT};

/* What one call works on. */
struct select_call {
    unsigned limit; /* descriptors below this count */
    unsigned count; /* of watches */
    uint64_t sets[SETS][WORDS];
    uint16_t numbers[DESCRIPTORS_MAX]; /* the descriptor of each watch */
    struct watch watches[];
};

static bool is_in(const uint64_t *set, unsigned number)
{
    return set[number / 64] >> number % 64 & 1;
}

static size_t bytes_of(unsigned limit)
{
    return (limit + 63) / 64 * sizeof(uint64_t);
}

static int read_sets(struct select_call *call, const uint64_t *addresses)
{
    int error = 0;

    for (unsigned i = 0; i < SETS && !error; i++) {
        if (addresses[i])
            error = user_copy_in(call->sets[i], addresses[i], bytes_of(call->limit));
    }
    return error;
}

/* The events that descriptor `number` is in sets for. */
static unsigned wanted(const struct select_call *call, unsigned number)
{
    unsigned events = 0;

    for (unsigned i = 0; i < SETS; i++)
        events |= is_in(call->sets[i], number) ? answered[i] : 0;
    return events;
}

/* Makes the watches. -EBADF: one is not open. */
static int prepare(struct select_call *call)
{
    for (unsigned number = 0; number < call->limit; number++) {
        struct watch *watch = &call->watches[call->count];
        unsigned events = wanted(call, number);

        if (!events)
            continue;
        watch->file = user_file(number);
        if (!watch->file)
            return -EBADF;
        watch->wanted = events;
        call->numbers[call->count++] = (uint16_t)number;
    }
    return 0;
}

/* Leaves in the sets what is ready: how many bits that is. */
static int64_t keep_ready(struct select_call *call)
{
    int64_t bits = 0;

    for (unsigned k = 0; k < call->count; k++) {
        unsigned number = call->numbers[k];

        for (unsigned i = 0; i < SETS; i++) {
            if (!is_in(call->sets[i], number))
                continue;
            if (call->watches[k].found & answered[i])
                bits++;
            else
                call->sets[i][number / 64] &= ~(1ull << number % 64);
        }
    }
    return bits;
}

static int write_sets(const struct select_call *call, const uint64_t *addresses)
{
    int error = 0;

    for (unsigned i = 0; i < SETS && !error; i++)
        error = user_copy_out_optional(addresses[i], call->sets[i], bytes_of(call->limit));
    return error;
}

static int64_t wait_and_write(struct select_call *call, const uint64_t *addresses,
                              uint64_t deadline)
{
    int64_t result;
    int error;

    result = watch_wait(call->watches, call->count, deadline);
    if (result < 0)
        return result;
    result = keep_ready(call);
    error = write_sets(call, addresses);
    return error ? error : result;
}

static int64_t select(uint64_t number, const uint64_t *addresses, uint64_t deadline)
{
    struct select_call *call;
    int32_t limit = (int32_t)number;
    int64_t result;

    if (limit < 0)
        return -EINVAL;
    if (limit > (int32_t)DESCRIPTORS_MAX)
        limit = DESCRIPTORS_MAX;
    call = kcalloc(1, sizeof(*call) + (size_t)limit * sizeof(struct watch));
    if (!call)
        return -ENOMEM;
    call->limit = (unsigned)limit;
    result = read_sets(call, addresses);
    if (!result)
        result = prepare(call);
    if (!result)
        result = wait_and_write(call, addresses, deadline);
    watch_finish(call->watches, call->count);
    kfree(call);
    return result;
}

int64_t sys_select(const struct sys_args *args)
{
    struct watch_limit limit;
    int64_t result = watch_read_limit(&limit, args->value[4], true);

    if (result)
        return result;
    result = select(args->value[0], &args->value[1], limit.deadline);
    watch_write_limit(&limit);
    return result;
}

int64_t sys_pselect6(const struct sys_args *args)
{
    struct watch_limit limit;
    uint64_t mask[2] = {0, 0}; /* address and size */
    int64_t result = watch_read_limit(&limit, args->value[4], false);

    if (!result && args->value[5])
        result = user_copy_in(mask, args->value[5], sizeof(mask));
    if (!result)
        result = watch_set_mask(mask[0], mask[1]);
    if (result)
        return result;
    result = select(args->value[0], &args->value[1], limit.deadline);
    watch_write_limit(&limit);
    return result;
}
