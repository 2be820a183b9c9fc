/* SPDX-License-Identifier: MIT */
/*
 * test_threads.c: threads: their beginning and end, sleeping, yielding, preemption, cancelling.
 *
 * A test that needs two threads not to be torn apart by the clock makes the quantum long meanwhile.
 */
#include "ktest/tests.h"
#include "mem/frame.h"
#include "mem/reclaim.h"
#include "heap/heap.h"
#include "sync/mutex.h"
#include "thread/cpu.h"
#include "thread/local.h"
#include "thread/thread.h"

#include <hal/cpu.h>
#include <hal/errno.h>
#include <hal/machine.h>
#include <hal/time.h>

#define MS 1000000u
#define S 1000000000u

/* How long a loop goes on that nobody ends: a test then fails instead of hanging. */
#define PATIENCE_NS (20ull * S)

/* What the threads of a test share; on the tester's stack. */
struct play {
    volatile bool flag;
    volatile unsigned turns[4];
    char log[64];
    volatile unsigned logged;
    volatile int result;
    uint64_t apart; /* ns between two deadlines */
    struct mutex mutex;
};

struct role {
    struct play *play;
    unsigned number;
};

static void play_log(struct play *play, char c)
{
    unsigned n = __atomic_fetch_add(&play->logged, 1, __ATOMIC_RELAXED);

    play->log[n % sizeof(play->log)] = c;
}

static void set_flag(struct play *play)
{
    __atomic_store_n(&play->flag, true, __ATOMIC_RELAXED);
}

static bool is_flagged(const struct play *play)
{
    return __atomic_load_n(&play->flag, __ATOMIC_RELAXED);
}

/* ---- join ---- */

static void role_late(void *argument)
{
    struct play *play = argument;

    thread_sleep(2 * MS);
    play->flag = true; /* plainly: the join has to order it */
}

void test_thread_join(struct ktest_run *run)
{
    struct play play = {.flag = false};
    struct thread *thread;

    KTEST_REQUIRE(run, thread_create("late", role_late, &play, &thread) == 0);
    thread_join(thread);
    KTEST_EXPECT(run, play.flag);
}

/* ---- the order of waking ---- */

static void role_sleeper(void *argument)
{
    struct role *role = argument;

    /* Number 0 sleeps longest. */
    thread_sleep((3 - role->number) * role->play->apart);
    play_log(role->play, (char)('0' + role->number));
}

static bool play_sleepers(struct ktest_run *run, uint64_t apart)
{
    struct play play = {.apart = apart};
    struct role roles[3];
    struct thread *threads[3];
    unsigned started = 0;

    for (; started < 3; started++) {
        roles[started] = (struct role){&play, started};
        if (!KTEST_EXPECT(run, thread_create("sleeper", role_sleeper, &roles[started],
                                             &threads[started]) == 0))
            break;
    }
    for (unsigned i = 0; i < started; i++)
        thread_join(threads[i]);
    KTEST_EXPECT(run, play.logged == 3);
    return play.log[0] == '2' && play.log[1] == '1' && play.log[2] == '0';
}

/* On other CPUs, and when the host is busy, one may begin late: then they lie down further apart.
 */
void test_thread_sleep_order(struct ktest_run *run)
{
    bool good = false;

    for (uint64_t ms = 20; ms <= 320 && !good; ms *= 4)
        good = play_sleepers(run, ms * MS);
    KTEST_EXPECT(run, good);
}

/* ---- yield ---- */

static void role_yielder(void *argument)
{
    struct role *role = argument;

    for (unsigned i = 0; i < 8; i++) {
        play_log(role->play, (char)('a' + role->number));
        thread_yield();
    }
}

void test_thread_yield(struct ktest_run *run)
{
    struct play play = {.logged = 0};
    struct role roles[2] = {{&play, 0}, {&play, 1}};
    struct thread *a, *b;
    uint64_t quantum = thread_quantum();

    KTEST_REQUIRE(run, thread_set_affinity(thread_current(), 1) == 0); /* and so have a and b */
    thread_set_quantum(10ull * S);
    if (KTEST_EXPECT(run, thread_create("a", role_yielder, &roles[0], &a) == 0)) {
        if (KTEST_EXPECT(run, thread_create("b", role_yielder, &roles[1], &b) == 0))
            thread_join(b);
        thread_join(a);
    }
    thread_set_quantum(quantum);
    KTEST_EXPECT(run, thread_set_affinity(thread_current(), UINT32_MAX) == 0);
    KTEST_EXPECT(run, play.logged == 16);
    for (unsigned i = 0; i + 1 < play.logged; i++)
        KTEST_EXPECT(run, play.log[i] != play.log[i + 1]);
}

/* ---- preemption ---- */

static void role_busy(void *argument)
{
    struct role *role = argument;
    uint64_t start = hal_time_now();

    while (!is_flagged(role->play)) {
        role->play->turns[role->number]++;
        hal_cpu_relax();
        if (hal_time_now() - start > PATIENCE_NS) {
            __atomic_store_n(&role->play->result, -ETIMEDOUT, __ATOMIC_RELAXED);
            break;
        }
    }
}

/* Runs `n` busy threads for `ns`, with the times they got in run_times (NULL: not wanted). */
static void play_busy(struct ktest_run *run, struct play *play, unsigned n, uint64_t ns,
                      uint64_t *run_times)
{
    struct thread *threads[4];
    struct role roles[4];
    struct thread_info info;
    unsigned started = 0;

    for (; started < n; started++) {
        roles[started] = (struct role){play, started};
        if (!KTEST_EXPECT(
                run, thread_create("busy", role_busy, &roles[started], &threads[started]) == 0))
            break;
    }
    thread_sleep(ns);
    for (unsigned i = 0; i < started && run_times != NULL; i++) {
        KTEST_EXPECT(run, thread_read_info(threads[i]->id, &info) == 0);
        run_times[i] = info.run_time;
    }
    set_flag(play);
    for (unsigned i = 0; i < started; i++)
        thread_join(threads[i]);
    KTEST_EXPECT(run, play->result == 0);
}

void test_thread_preemption(struct ktest_run *run)
{
    struct play play = {.flag = false};

    if (ktest_skip_cooperative(run))
        return;
    /* This thread comes back from its sleep only if the timer takes the CPU from both. */
    play_busy(run, &play, 2, 50 * MS, NULL);
    KTEST_EXPECT(run, play.turns[0] > 0);
    KTEST_EXPECT(run, play.turns[1] > 0);
}

/* Whether each of three busy threads has a third of its fair share at least. */
static bool share(struct ktest_run *run)
{
    struct play play = {.flag = false};
    uint64_t times[3] = {0}, least;

    play_busy(run, &play, 3, 300 * MS, times);
    least = (times[0] + times[1] + times[2]) / 9;
    return times[0] >= least && times[1] >= least && times[2] >= least;
}

void test_thread_shares(struct ktest_run *run)
{
    bool good = ktest_skip_cooperative(run);

    for (unsigned left = 5; left > 0 && !good; left--) /* a loaded host may stretch any quantum */
        good = share(run);
    KTEST_EXPECT(run, good);
}

/* ---- cancelling ---- */

static void role_long_sleeper(void *argument)
{
    struct play *play = argument;

    set_flag(play);
    play->result = thread_sleep(PATIENCE_NS);
    play->turns[0] = thread_cancelled();
}

void test_thread_cancel(struct ktest_run *run)
{
    struct play play = {.flag = false};
    struct thread *thread;
    uint64_t start = hal_time_now();

    KTEST_REQUIRE(run, thread_create("long", role_long_sleeper, &play, &thread) == 0);
    while (!is_flagged(&play))
        thread_sleep(MS);
    KTEST_EXPECT(run, thread_cancel(thread->id) == 0);
    thread_join(thread);
    KTEST_EXPECT(run, play.result == -EINTR);
    KTEST_EXPECT(run, play.turns[0] == 1);
    KTEST_EXPECT(run, hal_time_now() - start < PATIENCE_NS);
    KTEST_EXPECT(run, thread_cancel(UINT32_MAX) == -ENOENT);
}

static void role_patient(void *argument)
{
    struct play *play = argument;
    uint64_t start = hal_time_now();

    while (!thread_cancelled() && hal_time_now() - start < PATIENCE_NS)
        thread_yield();
    play->result = thread_sleep(10 * MS);
}

void test_thread_cancel_before_sleep(struct ktest_run *run)
{
    struct play play = {.result = 0};
    struct thread *thread;

    KTEST_REQUIRE(run, thread_create("patient", role_patient, &play, &thread) == 0);
    KTEST_EXPECT(run, thread_cancel(thread->id) == 0);
    thread_join(thread);
    KTEST_EXPECT(run, play.result == -EINTR);
}

/* ---- memory ---- */

static void role_counter(void *argument)
{
    struct play *play = argument;

    mutex_lock(&play->mutex);
    __atomic_store_n(&play->turns[0], play->turns[0] + 1, __ATOMIC_RELAXED);
    mutex_unlock(&play->mutex);
}

/*
 * Those that caches hold only as long as nobody needs them are as good as free, and so are here
 * those of the heap, which keeps some for the next who asks. So what this counts is stacks.
 */
static uint64_t free_frames(void)
{
    struct frame_stats stats;
    struct heap_stats heap;

    (void)reclaim_frames(SIZE_MAX);
    frame_read_stats(&stats);
    heap_read_stats(&heap);
    return stats.free + heap.frames;
}

/* How many have counted, seen without the mutex. */
static unsigned counted(struct play *play)
{
    return __atomic_load_n(&play->turns[0], __ATOMIC_RELAXED);
}

static unsigned start_detached(struct play *play, unsigned n)
{
    struct thread *thread;
    unsigned started = 0;

    for (; started < n; started++) {
        if (thread_create("detached", role_counter, play, &thread) != 0)
            break;
        thread_detach(thread);
    }
    return started;
}

void test_thread_detach(struct ktest_run *run)
{
    struct play *play = kcalloc(1, sizeof(*play));
    uint64_t before = 0;
    unsigned started = 0;

    KTEST_REQUIRE(run, play != NULL);
    mutex_init(&play->mutex);
    for (unsigned round = 1; round <= 2; round++) {
        uint64_t deadline = hal_time_now() + 10ull * S;

        started += start_detached(play, 8);
        KTEST_EXPECT(run, started == 8 * round);
        while ((counted(play) < started || (round == 2 && free_frames() < before)) &&
               hal_time_now() < deadline)
            thread_sleep(MS);
        if (round == 1) {
            thread_sleep(20 * MS);
            before = free_frames();
        }
    }
    KTEST_EXPECT(run, counted(play) == started);
    KTEST_EXPECT(run, free_frames() >= before);
    if (counted(play) == started && free_frames() >= before)
        kfree(play);
}

static void many_round(struct ktest_run *run, struct play *play, struct thread **threads,
                       unsigned n)
{
    unsigned started = 0;

    while (started < n &&
           KTEST_EXPECT(run, thread_create("one", role_counter, play, &threads[started]) == 0))
        started++;
    for (unsigned i = 0; i < started; i++)
        thread_join(threads[i]);
}

void test_thread_many(struct ktest_run *run)
{
    struct thread *threads[16];
    struct play play = {.logged = 0};
    uint64_t before = free_frames(), room = before * HAL_PAGE_SIZE / HAL_STACK_SIZE / 2;
    unsigned n = room < 16 ? (unsigned)room : 16; /* in half of the memory at most */

    mutex_init(&play.mutex);
    many_round(run, &play, threads, n);
    before = free_frames();
    many_round(run, &play, threads, n);
    KTEST_EXPECT(run, n > 0 && play.turns[0] == 2 * n);
    KTEST_EXPECT(run, free_frames() == before);
}

static void count_look(void *context)
{
    ++*(unsigned *)context;
}

void test_thread_guard(struct ktest_run *run)
{
    unsigned looks = 0;

    const char *stack = thread_current()->stack.frames;
    const char *here = (const char *)&run;

    KTEST_EXPECT(run, !stack_look(stack, count_look, &looks) && looks == 0);
    KTEST_EXPECT(run, stack_look(stack + HAL_PAGE_SIZE, count_look, &looks) && looks == 1);
    KTEST_EXPECT(run, here >= stack + HAL_PAGE_SIZE && here < stack + 64 * HAL_PAGE_SIZE);
}

void test_thread_sized(struct ktest_run *run)
{
    static const size_t impossible[] = {0,
                                        1,
                                        HAL_STACK_SMALL - HAL_PAGE_SIZE,
                                        HAL_STACK_MIN + 1,
                                        1024 * HAL_PAGE_SIZE,
                                        SIZE_MAX & ~(HAL_PAGE_SIZE - 1ul)};
    struct play play = {.logged = 0};
    struct thread *thread, *threads[2];
    unsigned n = 0;

    mutex_init(&play.mutex);
    for (size_t i = 0; i < sizeof impossible / sizeof impossible[0]; i++)
        KTEST_EXPECT(run, thread_create_sized("none", role_counter, &play, impossible[i],
                                              &thread) == -EINVAL &&
                              !thread);
    for (; n < 2; n++) {
        size_t bytes = n ? 2 * HAL_STACK_SIZE : HAL_STACK_MIN;

        if (!KTEST_EXPECT(
                run, thread_create_sized("sized", role_counter, &play, bytes, &threads[n]) == 0))
            break;
        KTEST_EXPECT(run, threads[n]->stack.bytes == bytes);
    }
    for (unsigned i = 0; i < n; i++)
        thread_join(threads[i]);
    KTEST_EXPECT(run, play.turns[0] == 2);
}

/* What ended last is taken first, with its guard; and what memory asks for is given back. */
void test_thread_spares(struct ktest_run *run)
{
    struct play play = {.logged = 0};
    struct thread *thread;
    unsigned looks = 0;
    void *stack;

    mutex_init(&play.mutex);
    KTEST_REQUIRE(run, thread_create("first", role_counter, &play, &thread) == 0);
    stack = thread->stack.frames;
    thread_join(thread);
    /* On one CPU nobody else takes the spare meanwhile; with more, that may be. */
    KTEST_EXPECT(run, !stack_look(stack, count_look, &looks) || cpu_count_online() > 1);
    (void)reclaim_frames(SIZE_MAX);
    KTEST_EXPECT(run, stack_look(stack, count_look, &looks));
}

/* ---- thread-local storage ---- */

static void destroy_local(void *value)
{
    unsigned *destroyed = value;

    ++*destroyed;
}

struct local_part {
    int key;
    unsigned destroyed;
    unsigned wrong;
};

static void part_local(void *argument)
{
    struct local_part *part = argument;

    if (thread_local_get(part->key) != NULL)
        part->wrong++;
    thread_local_set(part->key, &part->destroyed);
    thread_yield();
    if (thread_local_get(part->key) != &part->destroyed)
        part->wrong++;
}

void test_thread_locals(struct ktest_run *run)
{
    struct local_part parts[3];
    struct thread *threads[3];
    int keys[THREAD_LOCALS + 1], key = thread_local_create(destroy_local);
    unsigned n = 0, started = 0;

    KTEST_REQUIRE(run, key >= 0);
    for (; started < 3; started++) {
        parts[started] = (struct local_part){.key = key};
        if (!KTEST_EXPECT(
                run, thread_create("local", part_local, &parts[started], &threads[started]) == 0))
            break;
    }
    for (unsigned i = 0; i < started; i++) {
        thread_join(threads[i]);
        KTEST_EXPECT(run, parts[i].destroyed == 1 && parts[i].wrong == 0);
    }
    while (n <= THREAD_LOCALS && (keys[n] = thread_local_create(NULL)) >= 0)
        n++;
    KTEST_EXPECT(run, n < THREAD_LOCALS && keys[n] == -ENOSPC);
    while (n > 0)
        thread_local_delete(keys[--n]);
    thread_local_delete(key);
}
