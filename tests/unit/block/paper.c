/* SPDX-License-Identifier: MIT */
/*
 * paper.c: see paper.h.
 */
#include "paper.h"

#include "../fake_hal.h"

#include "../../marks.h"
#include <stdlib.h>
#include <string.h>

#define NOTES_MAX 8192u

struct paper paper;
static struct note *notes[NOTES_MAX];
static unsigned note_count;
static uint64_t ends;

static int start(struct block_disk *disk, struct block_request *request)
{
    struct paper_start *log = &paper.log[paper.log_count++ % PAPER_LOG];

    (void)disk;
    *log = (struct paper_start){request, request->step, request->at, request->all_sectors};
    if (paper.refuse)
        return paper.refuse;
    ck_assert_uint_lt(paper.given_count, 64);
    paper.given[paper.given_count++] = request;
    if (paper.at_once)
        paper_end(paper.given_count - 1, 0);
    return 0;
}

static void take(unsigned index)
{
    paper.given_count--;
    memmove(&paper.given[index], &paper.given[index + 1],
            (paper.given_count - index) * sizeof(paper.given[0]));
}

static bool let_go(struct block_disk *disk, struct block_request *request)
{
    (void)disk;
    for (unsigned i = 0; i < paper.given_count && paper.lets_go; i++)
        if (paper.given[i] == request) {
            take(i);
            return true;
        }
    return false;
}

static const struct block_driver driver = {.kind = "paper", .start = start, .abort = let_go};

void paper_start(const char *elevator, unsigned depth, unsigned retries)
{
    fake_kernel_start(4u << 20);
    memset(&paper, 0, sizeof(paper));
    paper.disk.driver = &driver;
    paper.disk.limits =
        (struct block_limits){BLOCK_SECTORS_MAX, BLOCK_VECTORS_MAX, depth, retries, 1000000000};
    ck_assert_int_eq(block_set_default_elevator(elevator), 0);
    ck_assert_int_eq(block_disk_add(&paper.disk, "paper0", PAPER_SECTORS, false), 0);
    ends = 0;
}

/* Moves the data of one request, without those merged with it. */
static void move(const struct block_request *request)
{
    uint64_t at = request->at;

    for (unsigned i = 0; i < request->vector_count; i++) {
        uint8_t *data = request->vectors[i].data;

        for (uint32_t n = 0; n < request->vectors[i].sectors; n++, at++) {
            if (request->step == BLOCK_READ)
                data[(size_t)n * HAL_SECTOR_SIZE] = paper.image[at];
            else
                paper.image[at] = data[(size_t)n * HAL_SECTOR_SIZE];
        }
    }
}

void paper_end(unsigned index, int error)
{
    struct block_request *request = paper.given[index];
    struct block_request *part = error || request->step == BLOCK_FLUSH ? NULL : request;

    take(index);
    for (; part; part = block_next_merged(request, part))
        move(part);
    block_end(request, error);
}

void paper_end_all(void)
{
    while (paper.given_count > 0)
        paper_end(0, 0);
}

static void note_done(struct block_request *request, int error)
{
    struct note *note = request->context;

    note->ended++;
    note->error = error;
    note->sequence = ++ends;
}

static void fill_vectors(struct note *note, uint32_t sectors)
{
    uint32_t first = sectors > 3 ? sectors / 3 : sectors;

    note->vectors[0] = (struct block_vector){note->data, first};
    note->vectors[1] =
        (struct block_vector){note->data + (size_t)first * HAL_SECTOR_SIZE, sectors - first};
    note->request.vectors = note->vectors;
    note->request.vector_count = sectors == 0 ? 0 : sectors > first ? 2 : 1;
}

struct note *note_submit(enum block_op op, unsigned flags, uint64_t at, uint32_t sectors,
                         uint8_t value)
{
    struct note *note = calloc(1, sizeof(*note));

    ck_assert_uint_lt(note_count, NOTES_MAX);
    notes[note_count++] = note;
    note->data = aligned_alloc(64, (size_t)(sectors + 1) * HAL_SECTOR_SIZE);
    memset(note->data, value, (size_t)sectors * HAL_SECTOR_SIZE);
    note->request = (struct block_request){.device = &paper.disk.device,
                                           .op = op,
                                           .flags = flags,
                                           .sector = at,
                                           .done = note_done,
                                           .context = note};
    fill_vectors(note, sectors);
    ck_assert_int_eq(block_submit(&note->request), 0);
    return note;
}

uint8_t note_byte(const struct note *note, uint32_t index)
{
    return note->data[(size_t)index * HAL_SECTOR_SIZE];
}

void notes_free(void)
{
    for (unsigned i = 0; i < note_count; i++) {
        free(notes[i]->data);
        free(notes[i]);
    }
    note_count = 0;
}
