/* SPDX-License-Identifier: MIT */
/*
 * random.c: long random mixes of requests, against a model.
 *
 *  1. Each request ends exactly once, whatever the disk does, with the error that the disk gave.
 *  2. Without errors, a read sees what was written before it was submitted, and nothing later; the
 *     disk ends up as if all had been done in the order of submission.
 *  3. The driver never has more than its depth, nor two that overlap if one writes; nothing that
 * was submitted before a barrier is begun after it, nor the reverse.
 *  4. No request is passed by more than the bound of requests that came later.
 *
 * TAYBERRY_RUNS: how many mixes (100).
 */
#include "suites.h"

#include "../fake_hal.h"
#include "paper.h"

#include <hal/errno.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUESTS 300u
#define AREA 400u /* sectors that the requests touch: many overlap */

struct record {
    struct note *note;
    bool barrier;
    bool begun;
    unsigned passed;      /* by rows that are younger altogether */
    uint8_t expected[16]; /* of a read */
};

static struct record records[REQUESTS];
static unsigned record_count;
static uint8_t model[PAPER_SECTORS];
static uint64_t seed;
static unsigned log_seen;

static uint32_t chance(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

static unsigned record_of(const struct block_request *request)
{
    for (unsigned i = 0; i < record_count; i++)
        if (records[i].note && &records[i].note->request == request)
            return i;
    /* note_submit has not returned yet: it is the newest. */
    return record_count;
}

static void submit_one(void)
{
    struct record *record = &records[record_count];
    enum block_op op = chance(20) == 0 ? BLOCK_FLUSH : chance(2) ? BLOCK_READ : BLOCK_WRITE;
    unsigned flags = chance(25) == 0 ? BLOCK_BARRIER : 0;
    uint32_t sectors = op == BLOCK_FLUSH ? 0 : 1 + chance(12);
    uint64_t at = chance(AREA - 12);
    uint8_t value = (uint8_t)(1 + chance(255));

    flags |= op == BLOCK_WRITE && chance(10) == 0 ? BLOCK_FUA : 0;
    flags |= chance(4) == 0 ? BLOCK_SYNC : 0;
    *record = (struct record){.barrier = op == BLOCK_FLUSH || (flags & BLOCK_BARRIER)};
    memcpy(record->expected, model + at, sectors);
    if (op == BLOCK_WRITE)
        memset(model + at, value, sectors);
    record->note = note_submit(op, flags, at, sectors, value);
    record_count++;
}

static void check_barriers(unsigned index)
{
    for (unsigned i = 0; i < record_count; i++) {
        if (i < index && (records[i].barrier || records[index].barrier))
            ck_assert_msg(records[i].note->ended, "%u begins before %u has ended", index, i);
        if (i > index && records[i].barrier)
            ck_assert_msg(!records[i].begun, "%u begins behind %u", index, i);
    }
}

/* A row was begun for the first time: who was passed? */
static void note_passes(const struct block_request *first)
{
    unsigned oldest = REQUESTS;
    struct block_request *part = (struct block_request *)(uintptr_t)first;

    for (; part; part = block_next_merged(first, part)) {
        unsigned index = record_of(part);

        if (records[index].begun)
            return;
        records[index].begun = true;
        check_barriers(index);
        if (index < oldest)
            oldest = index;
    }
    for (unsigned i = 0; i < oldest && i < record_count; i++)
        if (!records[i].begun) {
            records[i].passed++;
            ck_assert_uint_le(records[i].passed, paper.disk.queue.bound);
        }
}

static void check_given(void)
{
    ck_assert_uint_le(paper.given_count, paper.disk.limits.depth);
    for (unsigned i = 0; i < paper.given_count; i++)
        for (unsigned j = 0; j < i; j++) {
            const struct block_request *a = paper.given[i], *b = paper.given[j];
            bool writes = a->step == BLOCK_WRITE || b->step == BLOCK_WRITE;
            bool flushes = a->step == BLOCK_FLUSH || b->step == BLOCK_FLUSH;

            ck_assert(flushes || !writes || a->at >= b->at + b->all_sectors ||
                      b->at >= a->at + a->all_sectors);
        }
}

static void look(void)
{
    for (; log_seen < paper.log_count; log_seen++)
        note_passes(paper.log[log_seen % PAPER_LOG].request);
    check_given();
}

static void end_one(unsigned errors)
{
    static const int kinds[] = {-EIO, -ETIMEDOUT, -ENOMEDIUM};

    if (paper.given_count > 0)
        paper_end(chance(paper.given_count), chance(100) < errors ? kinds[chance(3)] : 0);
}

static void run(unsigned errors)
{
    unsigned plugs = 0, busy = 1 + chance(9);

    record_count = log_seen = 0;
    memset(model, 0, sizeof(model));
    while (record_count < REQUESTS) {
        switch (chance(20)) {
        case 0:
            block_plug(&paper.disk.device);
            plugs++;
            break;
        case 1:
            if (plugs > 0) {
                plugs--;
                block_unplug(&paper.disk.device);
            }
            break;
        case 2:
            (void)!block_set_elevator(&paper.disk.device, elevator_at(chance(4))->name);
            break;
        default:
            if (chance(10) < busy)
                submit_one();
            else
                end_one(errors);
        }
        look();
    }
    while (plugs-- > 0)
        block_unplug(&paper.disk.device);
    while (paper.given_count > 0) {
        end_one(errors);
        look();
    }
}

static void check_ends(unsigned errors)
{
    for (unsigned i = 0; i < record_count; i++) {
        const struct note *note = records[i].note;

        ck_assert_uint_eq(note->ended, 1);
        ck_assert(errors || note->error == 0);
        for (unsigned n = 0;
             errors == 0 && note->request.op == BLOCK_READ && n < note->request.sectors; n++)
            ck_assert_uint_eq(note_byte(note, n), records[i].expected[n]);
    }
    ck_assert(errors || memcmp(model, paper.image, sizeof(model)) == 0);
    ck_assert_uint_eq(paper.disk.counts.under_way, 0);
    ck_assert_uint_eq(paper.disk.urgent, 0);
    ck_assert_uint_eq(paper.disk.in_flight, 0);
}

static unsigned runs(void)
{
    const char *text = getenv("TAYBERRY_RUNS");

    return text ? (unsigned)atoi(text) : 100;
}

START_TEST(any_mix_keeps_the_promises)
{
    unsigned errors = _i % 2 ? 20 : 0, tried = 0, merged = 0, hurried = 0;

    for (unsigned n = 0; n < runs(); n++) {
        seed = n * 2 + (unsigned)_i;
        paper_start(elevator_at(chance(4))->name, 1 + chance(4), errors ? chance(3) : 0);
        paper.disk.queue.bound = chance(3) ? ELEVATOR_BOUND : chance(6);
        paper.disk.limits.sectors = 12 + chance(50);
        run(errors);
        check_ends(errors);
        merged += paper.disk.counts.read.merged + paper.disk.counts.write.merged;
        hurried += paper.disk.queue.hurried;
        tried += record_count;
        notes_free();
    }
    ck_assert(merged > 0 && hurried > 0);
    printf("# %u requests in %u mixes, %u merged, %u hurried\n", tried, runs(), merged, hurried);
}
END_TEST

Suite *random_suite(void)
{
    Suite *suite = suite_create("mixes");
    TCase *tests = tcase_create("random");

    tcase_set_timeout(tests, 600);
    tcase_add_loop_test(tests, any_mix_keeps_the_promises, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
