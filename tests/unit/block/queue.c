/* SPDX-License-Identifier: MIT */
/*
 * queue.c: what becomes of requests between block_submit and done, step by step.
 *
 *  1. What cannot be asked for is refused at once, and done is not called. Who waits for a transfer
 *     of any length has it cut into what the disk takes.
 *  2. Neighbours are merged behind, before and on both sides, within the limits of the disk, and
 *     end together; a plug lets them come together.
 *  3. A row that fails is begun request by request, so that an error meets only whose it is.
 *  4. A read behind a write of the same sectors sees it; reads do not wait for reads.
 *  5. Nothing passes a flush or a barrier, in either direction. A forced write is flushed.
 *  6. A request that failed is begun again as often as the disk says. One that is lost ends in
 * time.
 *  7. Each elevator takes its order; no request is passed more often than the bound allows.
 *  8. The counts are those of Linux's diskstats, of disk and partition.
 */
#include "suites.h"

#include "../fake_hal.h"
#include "paper.h"

#include <hal/errno.h>
#include <hal/machine.h>

#include <stdlib.h>
#include <string.h>

static void build(void)
{
    paper_start("fifo", 1, 0);
}

static void unbuild(void)
{
    notes_free();
}

/* One that keeps the disk busy, far away from all others. */
static struct note *occupy(void)
{
    return note_submit(BLOCK_READ, 0, 4000, 1, 0);
}

START_TEST(what_cannot_be_is_refused_at_once)
{
    static uint8_t data[HAL_SECTOR_SIZE * 2] __attribute__((aligned(64)));
    struct block_vector vector = {data, 1}, none = {data, 0}, odd = {data + 1, 1},
                        huge = {data, BLOCK_SECTORS_MAX + 1}, many[BLOCK_VECTORS_MAX + 1];
    struct block_device nowhere = {.sectors = 10}, closed = paper.disk.device;
    struct block_request good = {
        .device = &paper.disk.device, .op = BLOCK_READ, .vectors = &vector, .vector_count = 1};
    struct block_request bad[10];

    for (unsigned i = 0; i <= BLOCK_VECTORS_MAX; i++)
        many[i] = vector;
    closed.read_only = true;
    for (unsigned i = 0; i < 10; i++)
        bad[i] = good;
    bad[0].sector = PAPER_SECTORS;
    bad[1].sector = UINT64_MAX;
    bad[2].vectors = &none;
    bad[3].vectors = &odd;
    bad[4].vectors = &huge;
    bad[5].vectors = many;
    bad[5].vector_count = BLOCK_VECTORS_MAX + 1;
    bad[6].vector_count = 0;
    bad[7].op = BLOCK_FLUSH;
    bad[8].device = &closed;
    bad[8].op = BLOCK_WRITE;
    bad[9].device = &nowhere;
    for (unsigned i = 0; i < 10; i++)
        ck_assert_int_eq(block_submit(&bad[i]), i == 8 ? -EROFS : i == 9 ? -ENOMEDIUM : -EINVAL);
    ck_assert_uint_eq(paper.log_count, 0);
}
END_TEST

#define SMALL 7u /* sectors of a request, and ... */
#define FEW 3u   /* ... vectors that a disk takes */

static void give_memory(struct block_vector *vectors, const uint32_t *sectors, unsigned n,
                        uint8_t *data)
{
    for (unsigned i = 0; i < n; i++) {
        vectors[i] = (struct block_vector){data, sectors[i]};
        data += (size_t)sectors[i] * HAL_SECTOR_SIZE;
    }
}

START_TEST(a_disk_is_given_no_more_than_it_takes)
{
    static const uint32_t sizes[] = {1, 20, 3, 7, 2, 2, 1, 1, 8, 7, 1};
    static uint8_t data[64 * HAL_SECTOR_SIZE] __attribute__((aligned(64)));
    enum { VECTORS = sizeof sizes / sizeof *sizes, ALL = 53 };
    struct block_vector vectors[VECTORS], large = {data, SMALL + 1};
    const struct block_device *device = &paper.disk.device;
    struct block_request request = {
        .device = device, .op = BLOCK_READ, .vectors = &large, .vector_count = 1};

    paper.disk.limits.sectors = SMALL;
    paper.disk.limits.vectors = FEW;
    paper.at_once = true;
    ck_assert_int_eq(block_submit(&request), -EINVAL);
    give_memory(vectors, sizes, VECTORS, data);
    request.vectors = vectors + 4;
    request.vector_count = FEW + 1;
    ck_assert_int_eq(block_submit(&request), -EINVAL);
    for (unsigned i = 0; i < ALL; i++)
        data[i * HAL_SECTOR_SIZE] = (uint8_t)(i + 1);
    ck_assert_int_eq(block_transfer(device, BLOCK_WRITE, 100, vectors, VECTORS), 0);
    for (unsigned i = 0; i < ALL; i++)
        ck_assert_uint_eq(paper.image[100 + i], i + 1);
    memset(data, 0, sizeof data);
    ck_assert_int_eq(block_read(device, 100, data, ALL), 0);
    for (unsigned i = 0; i < ALL; i++)
        ck_assert_uint_eq(data[i * HAL_SECTOR_SIZE], i + 1);
    for (unsigned i = 0; i < paper.log_count; i++)
        ck_assert_uint_le(paper.log[i].sectors, SMALL);
    ck_assert_uint_ge(paper.log_count, 2 * ALL / SMALL);
    ck_assert_int_eq(block_transfer(device, BLOCK_READ, PAPER_SECTORS - 2, vectors, 2), -EINVAL);
}
END_TEST

START_TEST(neighbours_become_one_request)
{
    static const uint64_t orders[][3] = {
        {100, 108, 116}, {116, 108, 100}, {100, 116, 108}, {116, 100, 108}, {108, 100, 116}};
    struct note *busy = occupy(), *notes[3];

    for (unsigned i = 0; i < 3; i++)
        notes[i] = note_submit(BLOCK_WRITE, 0, orders[_i][i], 8, (uint8_t)(orders[_i][i]));
    paper_end(0, 0);
    ck_assert_uint_eq(busy->ended, 1);
    ck_assert_uint_eq(paper.given_count, 1);
    ck_assert_uint_eq(paper.given[0]->at, 100);
    ck_assert_uint_eq(paper.given[0]->all_sectors, 24);
    ck_assert_uint_eq(paper.given[0]->all_vectors, 6);
    paper_end(0, 0);
    for (unsigned i = 0; i < 3; i++)
        ck_assert(notes[i]->ended == 1 && notes[i]->error == 0);
    for (unsigned i = 0; i < 24; i++)
        ck_assert_uint_eq(paper.image[100 + i], 100 + i / 8 * 8);
    ck_assert_uint_eq(paper.disk.counts.write.merged, 2);
    ck_assert_uint_eq(paper.disk.counts.write.requests, 1);
    ck_assert_uint_eq(paper.disk.counts.write.sectors, 24);
}
END_TEST

START_TEST(what_does_not_fit_is_not_merged)
{
    paper.disk.limits.sectors = 16;
    (void)occupy();
    (void)note_submit(BLOCK_WRITE, 0, 0, 8, 1);
    (void)note_submit(BLOCK_READ, 0, 8, 8, 0);             /* another operation */
    (void)note_submit(BLOCK_WRITE, BLOCK_FUA, 16, 8, 1);   /* to be flushed */
    (void)note_submit(BLOCK_WRITE, BLOCK_ALONE, 24, 8, 1); /* wants to be alone */
    (void)note_submit(BLOCK_WRITE, 0, 40, 10, 1);
    (void)note_submit(BLOCK_WRITE, 0, 50, 8, 1); /* 18 sectors */
    (void)note_submit(BLOCK_WRITE, 0, 70, 8, 1);
    (void)note_submit(BLOCK_WRITE, 0, 79, 8, 1); /* a gap */
    paper_end_all();
    ck_assert_uint_eq(paper.disk.counts.write.merged + paper.disk.counts.read.merged, 0);
    ck_assert_uint_eq(paper.disk.counts.flush.requests, 0);
    ck_assert_uint_eq(paper.disk.counts.write.requests, 7);
}
END_TEST

START_TEST(a_plug_holds_back_what_nobody_waits_for)
{
    struct note *urgent;

    block_plug(&paper.disk.device);
    block_plug(&paper.disk.device);
    for (unsigned i = 0; i < 10; i++)
        (void)note_submit(BLOCK_WRITE, 0, 10 * i, 10, 1);
    block_unplug(&paper.disk.device);
    ck_assert_uint_eq(paper.log_count, 0);
    block_unplug(&paper.disk.device);
    ck_assert_uint_eq(paper.log_count, 1);
    ck_assert_uint_eq(paper.log[0].sectors, 100);
    paper_end_all();
    block_plug(&paper.disk.device);
    urgent = note_submit(BLOCK_READ, BLOCK_SYNC, 5, 1, 0);
    ck_assert_uint_eq(paper.given_count, 1);
    paper_end_all();
    ck_assert_uint_eq(urgent->ended, 1);
    for (unsigned i = 0; i < 100; i++) /* a plug does not hold back any number */
        (void)note_submit(BLOCK_WRITE, 0, 20 * i, 1, 1);
    ck_assert_uint_gt(paper.given_count, 0);
    block_unplug(&paper.disk.device);
    paper_end_all();
}
END_TEST

START_TEST(an_error_meets_only_whose_it_is)
{
    struct note *notes[3];

    (void)occupy();
    for (unsigned i = 0; i < 3; i++)
        notes[i] = note_submit(BLOCK_WRITE, 0, 8 * i, 8, (uint8_t)(i + 1));
    paper_end(0, 0);
    paper_end(0, -EIO); /* the row */
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(paper.given_count, 1);
        ck_assert_uint_eq(paper.given[0]->all_sectors, 8);
        paper_end(0, paper.given[0]->at == 8 ? -EIO : 0);
    }
    ck_assert_int_eq(notes[0]->error, 0);
    ck_assert_int_eq(notes[1]->error, -EIO);
    ck_assert_int_eq(notes[2]->error, 0);
    ck_assert_uint_eq(paper.image[0], 1);
    ck_assert_uint_eq(paper.image[8], 0);
    ck_assert_uint_eq(paper.image[16], 3);
    ck_assert_uint_eq(paper.disk.stats.split, 1);
    ck_assert_uint_eq(paper.disk.stats.errors, 1);
}
END_TEST

START_TEST(a_medium_that_is_gone_is_not_asked_again)
{
    struct note *a, *b;

    paper.disk.limits.retries = 3;
    (void)occupy();
    a = note_submit(BLOCK_READ, 0, 0, 1, 0);
    b = note_submit(BLOCK_READ, 0, 1, 1, 0);
    paper_end(0, 0);
    paper_end(0, -ENOMEDIUM);
    ck_assert_int_eq(a->error, -ENOMEDIUM);
    ck_assert_int_eq(b->error, -ENOMEDIUM);
    ck_assert_uint_eq(paper.log_count, 2);
}
END_TEST

START_TEST(overlapping_requests_keep_their_order)
{
    struct note *write, *read, *second, *other;

    paper.disk.limits.depth = 8;
    write = note_submit(BLOCK_WRITE, 0, 10, 4, 7);
    read = note_submit(BLOCK_READ, 0, 12, 4, 0);
    second = note_submit(BLOCK_WRITE, 0, 9, 4, 8);
    other = note_submit(BLOCK_READ, 0, 100, 1, 0);
    ck_assert_uint_eq(paper.given_count, 1);
    paper_end(0, 0);
    ck_assert_uint_eq(paper.given_count, 1);
    ck_assert(paper.given[0] == &read->request);
    paper_end(0, 0);
    ck_assert_uint_eq(paper.given_count, 2);
    paper_end_all();
    ck_assert_uint_eq(note_byte(read, 0), 7);
    ck_assert_uint_eq(note_byte(read, 2), 0);
    ck_assert_uint_eq(paper.image[12], 8);
    ck_assert_uint_eq(paper.image[13], 7);
    ck_assert(write->ended && second->ended && other->ended);
    (void)note_submit(BLOCK_READ, 0, 10, 4, 0);
    (void)note_submit(BLOCK_READ, 0, 11, 4, 0);
    ck_assert_uint_eq(paper.given_count, 2); /* reads share */
    paper_end_all();
}
END_TEST

START_TEST(nothing_passes_a_barrier)
{
    static const enum block_op ops[] = {BLOCK_FLUSH, BLOCK_WRITE, BLOCK_READ};
    struct note *barrier;

    paper.disk.limits.depth = 8;
    for (unsigned i = 0; i < 3; i++)
        (void)note_submit(BLOCK_WRITE, 0, 100 * i, 1, 1);
    barrier = note_submit(ops[_i], BLOCK_BARRIER, 300, ops[_i] == BLOCK_FLUSH ? 0 : 1, 5);
    for (unsigned i = 4; i < 6; i++)
        (void)note_submit(BLOCK_WRITE, BLOCK_SYNC, 100 * i, 1, 1);
    ck_assert_uint_eq(paper.given_count, 3);
    paper_end(1, 0);
    paper_end(0, -EIO); /* an error does not change the order */
    ck_assert_uint_eq(paper.given_count, 1);
    paper_end(0, 0);
    ck_assert_uint_eq(paper.given_count, 1);
    ck_assert(paper.given[0] == &barrier->request);
    paper_end(0, 0);
    ck_assert_uint_eq(barrier->ended, 1);
    ck_assert_uint_eq(paper.given_count, 2);
    paper_end_all();
    ck_assert_uint_eq(paper.disk.stats.barriers, 1);
}
END_TEST

START_TEST(a_forced_write_is_flushed_before_it_is_done)
{
    struct note *note = note_submit(BLOCK_WRITE, BLOCK_FUA, 5, 1, 9);

    paper_end(0, 0);
    ck_assert_uint_eq(note->ended, 0);
    ck_assert_int_eq(paper.given[0]->step, BLOCK_FLUSH);
    paper_end(0, _i ? -EIO : 0);
    ck_assert_uint_eq(note->ended, 1);
    ck_assert_int_eq(note->error, _i ? -EIO : 0);
    ck_assert_uint_eq(paper.image[5], 9);
}
END_TEST

START_TEST(a_failed_request_is_tried_again_so_often)
{
    struct note *note;

    paper.disk.limits.retries = 2;
    note = note_submit(BLOCK_READ, 0, 5, 1, 0);
    paper_end(0, -EIO);
    paper_end(0, -ETIMEDOUT);
    ck_assert_uint_eq(note->ended, 0);
    paper_end(0, _i ? -EIO : 0);
    ck_assert_uint_eq(note->ended, 1);
    ck_assert_int_eq(note->error, _i ? -EIO : 0);
    ck_assert_uint_eq(paper.disk.stats.retries, 2);
    note = note_submit(BLOCK_FLUSH, 0, 0, 0, 0);
    paper_end(0, -EIO);
    ck_assert_uint_eq(note->ended, 0);
    paper_end_all();
    ck_assert_int_eq(note->error, 0);
}
END_TEST

START_TEST(what_is_refused_ends_with_that_error)
{
    struct note *note;

    paper.refuse = -EINVAL;
    note = note_submit(BLOCK_READ, 0, 5, 1, 0);
    ck_assert_uint_eq(note->ended, 1);
    ck_assert_int_eq(note->error, -EINVAL);
    paper.refuse = 0;
    note = note_submit(BLOCK_READ, 0, 5, 1, 0);
    paper_end_all();
    ck_assert_int_eq(note->error, 0);
}
END_TEST

START_TEST(a_lost_request_ends_in_time)
{
    struct note *note, *next;

    paper.disk.limits.retries = 1;
    note = note_submit(BLOCK_READ, 0, 5, 1, 0);
    next = note_submit(BLOCK_READ, 0, 50, 1, 0);
    paper.lets_go = true;
    block_expire(&paper.disk);
    ck_assert_uint_eq(paper.disk.stats.timeouts, 0);
    for (unsigned i = 1; i <= 2; i++) {
        ck_assert(paper.given[0] == &note->request);
        fake.now += 2000000000;
        block_expire(&paper.disk);
        ck_assert_uint_eq(paper.disk.stats.timeouts, i);
    }
    ck_assert_int_eq(note->error, -ETIMEDOUT);
    ck_assert(paper.given[0] == &next->request);
    paper.lets_go = false;
    fake.now += 2000000000;
    block_expire(&paper.disk); /* the driver keeps it: it ends when the driver says so */
    ck_assert_uint_eq(next->ended, 0);
    paper_end_all();
    ck_assert_int_eq(next->error, 0);
}
END_TEST

/* Where the requests of the textbook's example are begun, with the arm at 530. */
START_TEST(each_elevator_has_its_order)
{
    static const uint64_t stream[] = {980, 1830, 370, 1220, 140, 1240, 650, 670};
    static const struct {
        const char *name;
        uint64_t order[8];
    } kinds[] = {
        {"fifo", {980, 1830, 370, 1220, 140, 1240, 650, 670}},
        {"sstf", {650, 670, 370, 140, 980, 1220, 1240, 1830}},
        {"look", {650, 670, 980, 1220, 1240, 1830, 370, 140}},
        {"clook", {650, 670, 980, 1220, 1240, 1830, 140, 370}},
    };

    ck_assert_int_eq(block_set_elevator(&paper.disk.device, "lift"), -EINVAL);
    ck_assert_int_eq(block_set_elevator(&paper.disk.device, kinds[_i].name), 0);
    (void)note_submit(BLOCK_READ, 0, 529, 1, 0);
    for (unsigned i = 0; i < 8; i++)
        (void)note_submit(BLOCK_READ, 0, stream[i], 1, 0);
    paper_end_all();
    for (unsigned i = 0; i < 8; i++)
        ck_assert_uint_eq(paper.log[1 + i].at, kinds[_i].order[i]);
}
END_TEST

START_TEST(nobody_is_passed_for_ever)
{
    struct note *far;
    unsigned passed = 0;

    ck_assert_int_eq(block_set_elevator(&paper.disk.device, _i ? "look" : "sstf"), 0);
    (void)note_submit(BLOCK_READ, 0, 100, 1, 0);
    far = note_submit(BLOCK_READ, 0, 4000, 1, 0);
    (void)note_submit(BLOCK_READ, BLOCK_ALONE, 101, 1, 0);
    while (!far->ended) { /* there is always one at hand */
        (void)note_submit(BLOCK_READ, BLOCK_ALONE, 102 + passed, 1, 0);
        paper_end(0, 0);
        passed++;
        ck_assert_uint_le(passed, ELEVATOR_BOUND + 2);
    }
    ck_assert_uint_gt(passed, ELEVATOR_BOUND);
    ck_assert_uint_eq(paper.disk.queue.hurried, 1);
    paper_end_all();
}
END_TEST

static struct note again_note;
static unsigned again_left;

static void once_more(struct block_request *request, int error)
{
    ck_assert_int_eq(error, 0);
    if (again_left-- > 0)
        ck_assert_int_eq(block_submit(request), 0);
}

START_TEST(done_may_submit_the_same_request_without_end)
{
    static uint8_t data[HAL_SECTOR_SIZE] __attribute__((aligned(64)));

    paper.at_once = true;
    again_left = 100000; /* would need a very deep stack, if calls were nested */
    again_note.vectors[0] = (struct block_vector){data, 1};
    again_note.request = (struct block_request){.device = &paper.disk.device,
                                                .op = BLOCK_READ,
                                                .vectors = again_note.vectors,
                                                .vector_count = 1,
                                                .done = once_more};
    ck_assert_int_eq(block_submit(&again_note.request), 0);
    ck_assert_uint_eq(paper.log_count, 100001);
}
END_TEST

START_TEST(counts_are_those_of_disk_and_partition)
{
    struct block_device part;
    struct block_stats whole, stats;
    struct block_entry entry;
    struct note *note;

    ck_assert_int_eq(block_add_partition(&paper.disk.device, 3, 100, 50, &part), 0);
    ck_assert_str_eq(part.name, "paper0p3");
    note = note_submit(BLOCK_READ, 0, 0, 1, 0);
    note_submit(BLOCK_READ, 0, 1, 2, 0);
    block_device_stats(&paper.disk.device, &stats);
    ck_assert_uint_eq(stats.counts.under_way, 2);
    fake.now += 5000;
    note->request.device = &part;
    paper_end_all();
    ck_assert_int_eq(block_submit(&note->request), 0);
    ck_assert_uint_eq(paper.given[0]->at, 100);
    fake.now += 7000;
    block_device_stats(&part, &stats);
    ck_assert_uint_eq(stats.counts.under_way, 1);
    ck_assert(stats.counts.busy_ns >= 7000);
    paper_end_all();
    block_device_stats(&part, &stats);
    block_device_stats(&paper.disk.device, &whole);
    ck_assert_uint_eq(stats.counts.read.requests, 1);
    ck_assert_uint_eq(stats.counts.read.sectors, 1);
    ck_assert(stats.counts.read.ns >= 7000 && stats.counts.read.ns < 12000);
    ck_assert_uint_eq(whole.counts.read.requests, 3);
    ck_assert(whole.counts.busy_ns >= 12000);
    ck_assert(whole.counts.weighted_ns >= 17000);
    ck_assert_uint_eq(whole.counts.under_way, 0);
    ck_assert(block_entry_at(0, &entry) && entry.number == 0);
    ck_assert(block_entry_at(1, &entry) && entry.number == 3);
    ck_assert(!block_entry_at(2, &entry));
}
END_TEST

START_TEST(what_is_open_stays)
{
    const struct block_device *device, *part;
    struct block_device known;

    ck_assert_int_eq(block_open("paper0p1", &part), -ENOENT);
    ck_assert_int_eq(block_add_partition(&paper.disk.device, 1, 10, 10, &known), 0);
    ck_assert_int_eq(block_open("paper0p1", &part), 0);
    ck_assert_uint_eq(part->first, 10);
    ck_assert_int_eq(block_forget_partitions(&paper.disk.device), -EBUSY);
    ck_assert_int_eq(block_add_partition(&paper.disk.device, 1, 10, 11, &known), -EBUSY);
    ck_assert_int_eq(block_disk_remove(&paper.disk), -EBUSY);
    block_close(part);
    ck_assert_int_eq(block_add_partition(&paper.disk.device, 1, 10, 11, &known), 0);
    ck_assert_int_eq(block_open("paper0", &device), 0);
    ck_assert_int_eq(block_forget_partitions(&paper.disk.device), 0);
    ck_assert_ptr_null(block_find("paper0p1"));
    ck_assert_int_eq(block_disk_remove(&paper.disk), -EBUSY);
    ck_assert_int_eq(block_remove("paper0"), -EPERM);
    block_close(device);
    (void)note_submit(BLOCK_READ, 0, 0, 1, 0);
    ck_assert_int_eq(block_disk_remove(&paper.disk), -EBUSY);
    paper_end_all();
    ck_assert_ptr_nonnull(block_find("paper0"));
    ck_assert_int_eq(block_disk_remove(&paper.disk), 0);
    ck_assert_ptr_null(block_find("paper0"));
}
END_TEST

/* Somebody uses a partition that he never opened. */
START_TEST(a_disk_that_is_busy_keeps_its_partitions)
{
    struct block_device part, others[4];
    struct block_stats stats;
    struct note *note;

    ck_assert_int_eq(block_add_partition(&paper.disk.device, 3, 100, 50, &part), 0);
    note = note_submit(BLOCK_READ, 0, 0, 1, 0);
    paper_end_all();
    note->request.device = &part;
    ck_assert_int_eq(block_submit(&note->request), 0);
    ck_assert_int_eq(block_disk_remove(&paper.disk), -EBUSY);
    ck_assert_ptr_nonnull(block_find("paper0p3"));
    for (unsigned i = 0; i < 4; i++)
        ck_assert_int_eq(block_add_partition(&paper.disk.device, 4 + i, 200 + i, 1, &others[i]), 0);
    paper_end_all();
    block_device_stats(&part, &stats);
    ck_assert_uint_eq(stats.counts.under_way, 0);
    ck_assert_uint_eq(stats.counts.read.requests, 1);
    for (unsigned i = 0; i < 4; i++) {
        block_device_stats(&others[i], &stats);
        ck_assert_uint_eq(stats.counts.under_way, 0);
        ck_assert_uint_eq(stats.counts.read.requests, 0);
    }
    ck_assert_int_eq(block_disk_remove(&paper.disk), 0);
    ck_assert_ptr_null(block_find("paper0p3"));
}
END_TEST

Suite *queue_suite(void)
{
    Suite *suite = suite_create("queue");
    TCase *tests = tcase_create("steps");

    tcase_add_checked_fixture(tests, build, unbuild);
    tcase_add_test(tests, what_cannot_be_is_refused_at_once);
    tcase_add_test(tests, a_disk_is_given_no_more_than_it_takes);
    tcase_add_loop_test(tests, neighbours_become_one_request, 0, 5);
    tcase_add_test(tests, what_does_not_fit_is_not_merged);
    tcase_add_test(tests, a_plug_holds_back_what_nobody_waits_for);
    tcase_add_test(tests, an_error_meets_only_whose_it_is);
    tcase_add_test(tests, a_medium_that_is_gone_is_not_asked_again);
    tcase_add_test(tests, overlapping_requests_keep_their_order);
    tcase_add_loop_test(tests, nothing_passes_a_barrier, 0, 3);
    tcase_add_loop_test(tests, a_forced_write_is_flushed_before_it_is_done, 0, 2);
    tcase_add_loop_test(tests, a_failed_request_is_tried_again_so_often, 0, 2);
    tcase_add_test(tests, what_is_refused_ends_with_that_error);
    tcase_add_test(tests, a_lost_request_ends_in_time);
    tcase_add_loop_test(tests, each_elevator_has_its_order, 0, 4);
    tcase_add_loop_test(tests, nobody_is_passed_for_ever, 0, 2);
    tcase_add_test(tests, done_may_submit_the_same_request_without_end);
    tcase_add_test(tests, counts_are_those_of_disk_and_partition);
    tcase_add_test(tests, what_is_open_stays);
    tcase_add_test(tests, a_disk_that_is_busy_keeps_its_partitions);
    suite_add_tcase(suite, tests);
    return suite;
}
