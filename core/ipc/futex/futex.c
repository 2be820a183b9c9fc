/* SPDX-License-Identifier: MIT */
/*
 * futex.c: who waits for which word, in a table by the word's key.
 *
 * One spinlock guards the table. The word is compared under it, without loading its page: a page
 * that is not there is loaded first, outside of the lock, and all begins anew. So whoever changes
 * the word and then wakes finds in the table everybody who saw what it was before.
 */
#include "ipc/futex/futex.h"

#include "lib/list.h"
#include "sync/wait.h"
#include "vm/copy.h"

#include <hal/errno.h>
#include <hal/kstate.h>

#define CHAINS 64u

struct futex_waiter {
    struct list link; /* in the chain of its key */
    struct vm_key key;
    uint32_t bits;
    bool woken; /* and out of its chain */
    struct wait_queue queue;
};

static KSTATE struct futexes {
    struct spinlock lock; /* guards all, and the waiters in it */
    struct list chains[CHAINS];
} futexes;

void futex_init(void)
{
    spinlock_init(&futexes.lock, LOCK_RANK_FUTEX);
    for (unsigned i = 0; i < CHAINS; i++)
        list_init(&futexes.chains[i]);
}

int futex_find(struct vm_space *space, uintptr_t address, bool shared, struct futex_word *word)
{
    *word = (struct futex_word){space, address, {space, address}};
    if (address % sizeof(uint32_t))
        return -EINVAL;
    return shared ? vm_key_of(space, address, &word->key) : 0;
}

/* The order of objects in memory decides only who shares a chain with whom: nobody sees it. */
static struct list *chain_of(const struct vm_key *key)
{
    uint64_t hash = ((uintptr_t)key->object >> 4) + key->offset / sizeof(uint32_t);

    return &futexes.chains[(hash * 0x9e3779b97f4a7c15ull) >> 32 & (CHAINS - 1)];
}

static bool same(const struct vm_key *a, const struct vm_key *b)
{
    return a->object == b->object && a->offset == b->offset;
}

/* Takes the lock with the word known to be `expected`: 0 and *state; or an error without it. */
static int lock_if(const struct futex_word *word, uint32_t expected, hal_irq_state_t *state)
{
    uint32_t value;
    int error;

    for (;;) {
        *state = spinlock_acquire(&futexes.lock);
        error = vm_peek_u32(word->space, word->address, &value);
        if (!error && value == expected)
            return 0;
        spinlock_release(&futexes.lock, *state);
        if (!error)
            return -EAGAIN;
        if (error != -EAGAIN)
            return error;
        error = vm_load_u32(word->space, word->address, &value);
        if (error)
            return error;
    }
}

int futex_wait(const struct futex_word *word, uint32_t expected, uint32_t bits, uint64_t deadline)
{
    struct futex_waiter self = {.key = word->key, .bits = bits};
    hal_irq_state_t state;
    int error = lock_if(word, expected, &state);

    if (error)
        return error;
    wait_init(&self.queue);
    list_add_tail(chain_of(&self.key), &self.link);
    while (!self.woken && !error)
        error = wait_sleep(&self.queue, &futexes.lock, deadline);
    if (self.woken)
        error = 0;
    else
        list_remove(&self.link);
    spinlock_release(&futexes.lock, state);
    return error;
}

/* Caller holds the lock. */
static void wake(struct futex_waiter *waiter)
{
    list_remove(&waiter->link);
    waiter->woken = true;
    (void)wait_wake_one(&waiter->queue);
}

/* As above. */
static uint32_t wake_some(const struct vm_key *key, uint32_t most, uint32_t bits)
{
    uint32_t count = 0;

    list_for_each_safe (link, chain_of(key)) {
        struct futex_waiter *waiter = list_entry(link, struct futex_waiter, link);

        if (count == most)
            break;
        if (!same(&waiter->key, key) || !(waiter->bits & bits))
            continue;
        wake(waiter);
        count++;
    }
    return count;
}

int64_t futex_wake(const struct futex_word *word, uint32_t most, uint32_t bits)
{
    hal_irq_state_t state = spinlock_acquire(&futexes.lock);
    uint32_t count = wake_some(&word->key, most, bits);

    spinlock_release(&futexes.lock, state);
    return count;
}

/* Up to `most` of those who wait for `from` wait for `to`, behind the others. As above. */
static uint32_t move_some(const struct vm_key *from, const struct vm_key *to, uint32_t most)
{
    uint32_t count = 0;

    if (same(from, to))
        return 0;
    list_for_each_safe (link, chain_of(from)) {
        struct futex_waiter *waiter = list_entry(link, struct futex_waiter, link);

        if (count == most)
            break;
        if (!same(&waiter->key, from))
            continue;
        list_remove(link);
        waiter->key = *to;
        list_add_tail(chain_of(to), link);
        count++;
    }
    return count;
}

int64_t futex_requeue(const struct futex_word *from, const struct futex_word *to, uint32_t most,
                      uint32_t rest, const uint32_t *expected)
{
    hal_irq_state_t state;
    int64_t count;
    int error = 0;

    if (expected)
        error = lock_if(from, *expected, &state);
    else
        state = spinlock_acquire(&futexes.lock);
    if (error)
        return error;
    count = wake_some(&from->key, most, FUTEX_ANY);
    count += move_some(&from->key, &to->key, rest);
    spinlock_release(&futexes.lock, state);
    return count;
}

/* ---- an operation, and a comparison ---- */

/* Linux: 1 bit: the argument is a shift; 3: the operation; 4: the comparison; 12, 12: arguments. */
static int32_t signed_12(uint32_t bits)
{
    return (int32_t)(bits << 20) >> 20;
}

static int compute(uint32_t operation, uint32_t old, uint32_t *new)
{
    uint32_t with = (uint32_t)signed_12(operation >> 12);

    if (operation >> 31)
        with = 1u << (with & 31);
    switch (operation >> 28 & 7) {
    case 0:
        *new = with;
        return 0;
    case 1:
        *new = old + with;
        return 0;
    case 2:
        *new = old | with;
        return 0;
    case 3:
        *new = old & ~with;
        return 0;
    case 4:
        *new = old ^ with;
        return 0;
    default:
        return -ENOSYS;
    }
}

/* 1, 0, or -ENOSYS. */
static int compare(uint32_t operation, uint32_t old)
{
    int32_t a = (int32_t)old, b = signed_12(operation);

    switch (operation >> 24 & 15) {
    case 0:
        return a == b;
    case 1:
        return a != b;
    case 2:
        return a < b;
    case 3:
        return a <= b;
    case 4:
        return a > b;
    case 5:
        return a >= b;
    default:
        return -ENOSYS;
    }
}

/* Changes the word: 0 and what it was. */
static int change(const struct futex_word *word, uint32_t operation, uint32_t *old)
{
    int error = vm_load_u32(word->space, word->address, old);

    while (!error) {
        uint32_t expected = *old, new;

        error = compute(operation, *old, &new);
        if (!error)
            error = vm_cmpxchg_u32(word->space, word->address, &expected, new);
        if (!error && expected == *old)
            return 0;
        *old = expected;
    }
    return error;
}

int64_t futex_wake_by(const struct futex_word *from, const struct futex_word *to, uint32_t most,
                      uint32_t rest, uint32_t operation)
{
    hal_irq_state_t state;
    uint32_t old;
    int64_t count;
    int error = compare(operation, 0) < 0 ? -ENOSYS : change(to, operation, &old);

    if (error)
        return error;
    state = spinlock_acquire(&futexes.lock);
    count = wake_some(&from->key, most, FUTEX_ANY);
    if (compare(operation, old) == 1)
        count += wake_some(&to->key, rest, FUTEX_ANY);
    spinlock_release(&futexes.lock, state);
    return count;
}
