/* SPDX-License-Identifier: MIT */
/*
 * test_block.c: the queue of a disk with threads on all CPUs, interrupts and timers.
 *
 * What the disks are: a RAM disk, and over it a fault disk, which takes four requests at a time and
 * gives them back in another order when it is told to delay some.
 */
#include "block/disks/fault.h"
#include "block/disks/ram.h"
#include "block/request.h"
#include "heap/heap.h"
#include "ktest/tests.h"
#include "lib/string.h"
#include "sync/spinlock.h"
#include "sync/wait.h"
#include "thread/thread.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/runtime.h>
#include <hal/time.h>

#define THREADS 4u
#define BYTES (1u << 20)
#define AREA 256u /* sectors of each thread */
#define MOST 16u  /* sectors of a transfer */
#define MS 1000000u

static KSTATE struct block_test {
    const struct block_device *ram, *fault;
    struct thread *threads[THREADS];
    struct ktest_run *run;
    unsigned rounds;

    struct spinlock lock; /* guards the rest */
    struct wait_queue queue;
    unsigned ended;
    int error;
} test;

/* ---- disks and threads ---- */

/* Makes both disks. False: the test is skipped or has failed. */
static bool make_disks(struct ktest_run *run, uint64_t timeout)
{
    int error = block_ram_create(BYTES, &test.ram);

    if (error == -ENOMEM) {
        run->skipped = "no memory for a disk";
        return false;
    }
    if (!KTEST_EXPECT(run, error == 0))
        return false;
    error = block_fault_create(test.ram->name, NULL, 0, timeout, &test.fault);
    if (error) {
        KTEST_EXPECT(run, error == -ENOMEM);
        run->skipped = "no memory for a disk";
        KTEST_EXPECT(run, block_remove(test.ram->name) == 0);
    }
    return error == 0;
}

static void remove_disks(struct ktest_run *run)
{
    KTEST_EXPECT(run, block_remove(test.fault->name) == 0);
    KTEST_EXPECT(run, block_remove(test.ram->name) == 0);
}

/* Runs `body` in several threads, each with its number. */
static void run_threads(struct ktest_run *run, void (*body)(void *number), unsigned usual)
{
    unsigned started = 0;

    test.run = run;
    test.rounds = ktest_size(usual);
    while (started < THREADS && thread_create("disk user", body, (void *)(uintptr_t)started,
                                              &test.threads[started]) == 0)
        started++;
    if (started == 0)
        run->skipped = "no memory for threads";
    for (unsigned i = 0; i < started; i++)
        thread_join(test.threads[i]);
}

static uint32_t chance(uint64_t *state, uint32_t n)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33) % n;
}

/* ---- everybody has an area ---- */

/* One transfer, which is also done to `model`, a byte for each sector. False: it went wrong. */
static bool use_area(uint8_t *memory, uint8_t *model, unsigned number, uint64_t *state)
{
    uint32_t sectors = 1 + chance(state, MOST), at = chance(state, AREA - sectors);
    uint8_t value = (uint8_t)chance(state, 256);

    if (chance(state, 20) == 0)
        return block_flush(test.fault) == 0;
    if (chance(state, 2)) {
        memset(memory, value, sectors * HAL_SECTOR_SIZE);
        memset(model + at, value, sectors);
        return block_write(test.fault, number * AREA + at, memory, sectors) == 0;
    }
    if (block_read(test.fault, number * AREA + at, memory, sectors) != 0)
        return false;
    for (uint32_t i = 0; i < sectors; i++)
        if (memory[i * HAL_SECTOR_SIZE] != model[at + i] ||
            memory[i * HAL_SECTOR_SIZE + HAL_SECTOR_SIZE - 1] != model[at + i])
            return false;
    return true;
}

static void area_user(void *argument)
{
    static const char *const kinds[] = {"fifo", "sstf", "look", "clook"};
    unsigned number = (unsigned)(uintptr_t)argument;
    uint64_t state = number + 1;
    uint8_t *memory = kmalloc_aligned(MOST * HAL_SECTOR_SIZE, 64), *model = kcalloc(1, AREA);

    for (unsigned i = 0; i < test.rounds && memory && model; i++) {
        if (!KTEST_EXPECT(test.run, use_area(memory, model, number, &state)))
            break;
        if (chance(&state, 10) == 0)
            KTEST_EXPECT(test.run, block_set_elevator(test.fault, kinds[chance(&state, 4)]) == 0);
    }
    kfree(model);
    kfree(memory);
}

void test_block_areas(struct ktest_run *run)
{
    struct fault_rule slow = {
        .kind = FAULT_DELAY, .ops = 1u << BLOCK_READ, .last = UINT64_MAX, .ns = MS / 10};
    struct block_stats stats;

    if (!make_disks(run, 0))
        return;
    slow.first = AREA; /* of three threads of four */
    KTEST_EXPECT(run, block_fault_add(test.fault, &slow) == 0);
    run_threads(run, area_user, 60);
    block_device_stats(test.fault, &stats);
    KTEST_EXPECT(run, stats.errors == 0 && stats.counts.under_way == 0);
    remove_disks(run);
}

/* ---- everybody has the same sectors ---- */

/* What one request wrote, another one sees as a whole. */
static void crowd_user(void *argument)
{
    unsigned number = (unsigned)(uintptr_t)argument;
    uint8_t *memory = kmalloc_aligned(MOST * HAL_SECTOR_SIZE, 64);
    bool good = true;

    for (unsigned i = 0; i < test.rounds && memory && good; i++) {
        if (number % 2) {
            memset(memory, (int)(number + i), MOST * HAL_SECTOR_SIZE);
            good = KTEST_EXPECT(test.run, block_write(test.fault, 0, memory, MOST) == 0);
            continue;
        }
        good = KTEST_EXPECT(test.run, block_read(test.fault, 0, memory, MOST) == 0);
        for (size_t at = 1; at < (size_t)MOST * HAL_SECTOR_SIZE && good; at++)
            good = memory[at] == memory[0];
        KTEST_EXPECT(test.run, good);
    }
    kfree(memory);
}

void test_block_overlap(struct ktest_run *run)
{
    if (!make_disks(run, 0))
        return;
    run_threads(run, crowd_user, 40);
    remove_disks(run);
}

/* ---- requests that nobody waits for ---- */

static void note_end(struct block_request *request, int error)
{
    hal_irq_state_t state = spinlock_acquire(&test.lock);

    (void)request;
    test.ended++;
    test.error = error;
    wait_wake_all(&test.queue);
    spinlock_release(&test.lock, state);
}

/* Waits until `count` requests have ended: the last one's error. */
static int await(unsigned count)
{
    hal_irq_state_t state = spinlock_acquire(&test.lock);
    int error;

    while (test.ended < count)
        wait_sleep_always(&test.queue, &test.lock);
    error = test.error;
    spinlock_release(&test.lock, state);
    return error;
}

static struct block_request make_request(struct block_vector *vector)
{
    spinlock_init(&test.lock, LOCK_RANK_DEVICE);
    wait_init(&test.queue);
    test.ended = 0;
    return (struct block_request){.device = test.fault,
                                  .op = BLOCK_READ,
                                  .vectors = vector,
                                  .vector_count = 1,
                                  .done = note_end};
}

void test_block_delay(struct ktest_run *run)
{
    struct fault_rule slow = {
        .kind = FAULT_DELAY, .ops = 1u << BLOCK_READ, .last = UINT64_MAX, .ns = 5 * MS};
    uint8_t *memory = kmalloc_aligned(HAL_SECTOR_SIZE, 64);
    struct block_vector vector = {memory, 1};
    struct block_request request = make_request(&vector);
    uint64_t begun = hal_time_now();

    if (memory && make_disks(run, 0)) {
        request.device = test.fault;
        KTEST_EXPECT(run, block_fault_add(test.fault, &slow) == 0);
        if (KTEST_EXPECT(run, block_submit(&request) == 0))
            KTEST_EXPECT(run, await(1) == 0);
        KTEST_EXPECT(run, hal_time_now() - begun >= 5 * MS);
        remove_disks(run);
    }
    kfree(memory);
}

void test_block_lost(struct ktest_run *run)
{
    struct fault_rule lose = {
        .kind = FAULT_LOSE, .ops = 1u << BLOCK_READ, .last = UINT64_MAX, .count = 2};
    uint8_t *memory = kmalloc_aligned(HAL_SECTOR_SIZE, 64);
    struct block_vector vector = {memory, 1};
    struct block_request request = make_request(&vector);

    if (memory && make_disks(run, 20 * MS)) {
        request.device = test.fault;
        KTEST_EXPECT(run, block_fault_add(test.fault, &lose) == 0);
        KTEST_EXPECT(run, block_read(test.fault, 0, memory, 1) == -ETIMEDOUT);
        if (KTEST_EXPECT(run, block_submit(&request) == 0))
            KTEST_EXPECT(run, await(1) == -ETIMEDOUT);
        KTEST_EXPECT(run, block_read(test.fault, 0, memory, 1) == 0);
        remove_disks(run);
    }
    kfree(memory);
}

/* ---- a request that comes back at once, again and again ---- */

#define COMEBACKS 2000u

static void come_back(struct block_request *request, int error)
{
    hal_irq_state_t state = spinlock_acquire(&test.lock);
    bool more = ++test.ended < COMEBACKS && error == 0;

    test.error = error;
    if (!more)
        wait_wake_all(&test.queue);
    spinlock_release(&test.lock, state);
    if (more && block_submit(request) != 0)
        note_end(request, -EIO);
}

void test_block_endless(struct ktest_run *run)
{
    uint8_t *memory = kmalloc_aligned(HAL_SECTOR_SIZE, 64);
    struct block_vector vector = {memory, 1};
    struct block_request request = make_request(&vector);

    request.done = come_back;
    if (memory && make_disks(run, 0)) {
        request.device = test.ram;
        if (KTEST_EXPECT(run, block_submit(&request) == 0))
            KTEST_EXPECT(run, await(COMEBACKS) == 0);
        remove_disks(run);
    }
    kfree(memory);
}

/* ---- disks that come and go ---- */

static void disk_maker(void *argument)
{
    const struct block_device *ram, *fault;
    struct block_entry entry;
    uint8_t sector[HAL_SECTOR_SIZE] __attribute__((aligned(64)));

    (void)argument;
    for (unsigned i = 0; i < test.rounds; i++) {
        if (block_ram_create(65536, &ram) != 0)
            continue;
        if (block_fault_create(ram->name, NULL, 0, 0, &fault) == 0) {
            KTEST_EXPECT(test.run, block_write(fault, i % 128, sector, 1) == 0);
            KTEST_EXPECT(test.run, block_remove(ram->name) == -EBUSY);
            KTEST_EXPECT(test.run, block_remove(fault->name) == 0);
        }
        for (unsigned row = 0; block_entry_at(row, &entry); row++)
            KTEST_EXPECT(test.run, entry.device.name[0] != '\0');
        KTEST_EXPECT(test.run, block_remove(ram->name) == 0);
    }
}

void test_block_come_and_go(struct ktest_run *run)
{
    run_threads(run, disk_maker, 20);
}

/* ---- memory that no device takes as it is ---- */

void test_block_unaligned(struct ktest_run *run)
{
    const struct block_device *ram;
    uint8_t memory[2 * HAL_SECTOR_SIZE + 1] __attribute__((aligned(64)));
    uint8_t *odd = memory + 1;

    if (!KTEST_EXPECT(run, block_ram_create(65536, &ram) == 0))
        return;
    memset(odd, 0x5a, 2 * HAL_SECTOR_SIZE);
    KTEST_EXPECT(run, block_write(ram, 7, odd, 2) == 0);
    memset(odd, 0, 2 * HAL_SECTOR_SIZE);
    KTEST_EXPECT(run, block_read(ram, 7, odd, 2) == 0);
    KTEST_EXPECT(run, odd[0] == 0x5a && odd[2 * HAL_SECTOR_SIZE - 1] == 0x5a);
    KTEST_EXPECT(run, block_remove(ram->name) == 0);
}
