/* SPDX-License-Identifier: MIT */
/*
 * stream.c: which requests a lab plays: those of the line, those that a disk had, or made ones.
 *
 *     uniform   anywhere
 *     hot       nine of ten in a fiftieth of the disk, the others anywhere
 *     rows      three readers, each from start to end of a file of its own, taking turns
 *     ends      by turns at either end
 */
#include "block/disk.h"
#include "block/lab/lab.h"
#include "lib/format.h"
#include "lib/string.h"

#include <hal/errno.h>
#include <hal/runtime.h>

static uint64_t chance(uint64_t *state, uint64_t n)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (*state >> 33) % n;
}

static uint64_t place_uniform(const struct elevator_lab *lab, uint64_t *state, unsigned number)
{
    (void)number;
    return chance(state, lab->model.sectors);
}

static uint64_t place_hot(const struct elevator_lab *lab, uint64_t *state, unsigned number)
{
    uint64_t part = lab->model.sectors / 50 + 1;

    if (chance(state, 10) == 0)
        return place_uniform(lab, state, number);
    return lab->model.sectors / 3 + chance(state, part);
}

static uint64_t place_rows(const struct elevator_lab *lab, uint64_t *state, unsigned number)
{
    uint64_t third = lab->model.sectors / 3;

    (void)state;
    return number % 3 * third + number / 3 * 8 % (third ? third : 1);
}

static uint64_t place_ends(const struct elevator_lab *lab, uint64_t *state, unsigned number)
{
    uint64_t part = lab->model.sectors / 100 + 1, at = chance(state, part);

    return number % 2 ? lab->model.sectors - 1 - at : at;
}

static const struct pattern {
    const char *name;
    uint64_t (*place)(const struct elevator_lab *lab, uint64_t *state, unsigned number);
} patterns[] = {
    {"uniform", place_uniform},
    {"hot", place_hot},
    {"rows", place_rows},
    {"ends", place_ends},
};

static const struct pattern *find_pattern(const char *name)
{
    for (unsigned i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
        if (string_equal(patterns[i].name, name))
            return &patterns[i];
    return NULL;
}

static void add(struct elevator_lab *lab, uint64_t arrival, uint64_t at, uint32_t sectors)
{
    struct lab_entry *entry = &lab->stream.entries[lab->stream.count++];

    if (sectors > lab->model.sectors)
        sectors = (uint32_t)lab->model.sectors;
    if (at > lab->model.sectors - sectors)
        at = lab->model.sectors - sectors;
    memset(entry, 0, sizeof(*entry));
    entry->arrival = arrival;
    entry->request.at = at;
    entry->request.sectors = entry->request.all_sectors = sectors;
    list_init(&entry->request.link);
    tree_node_init(&entry->request.node);
}

static void make_stream(struct elevator_lab *lab)
{
    const struct pattern *pattern = find_pattern(lab->pattern);
    uint64_t state = lab->seed * 2862933555777941757u + 3037000493u, arrival = 0;

    for (unsigned i = 0; i < lab->requests; i++) {
        add(lab, arrival, pattern->place(lab, &state, i), 8);
        if (lab->gap > 0)
            arrival += chance(&state, 2 * lab->gap);
    }
}

/** Takes what the disk of lab->past was asked for last. */
static int take_past(struct elevator_lab *lab, char *error, size_t size)
{
    const struct block_device *device;
    struct block_disk *disk;
    hal_irq_state_t state;
    uint64_t number, first = 0;

    if (block_open(lab->past, &device)) {
        format_text(error, size, "there is no device %s", lab->past);
        return -EINVAL;
    }
    disk = device->disk;
    state = spinlock_acquire(&disk->lock);
    lab->model.sectors = disk->device.sectors;
    number = disk->past_count > BLOCK_PAST_MAX ? disk->past_count - BLOCK_PAST_MAX : 0;
    for (; number < disk->past_count; number++) {
        const struct block_past *past = &disk->past[number % BLOCK_PAST_MAX];

        if (lab->stream.count == 0)
            first = past->time;
        if (past->sectors > 0)
            add(lab, past->time - first, past->at, past->sectors);
    }
    spinlock_release(&disk->lock, state);
    block_close(device);
    return 0;
}

/* ---- options ---- */

/** The value of `word` if it is "NAME=VALUE", or NULL. */
static const char *value_of(const char *word, const char *name)
{
    size_t n = string_length(name);

    return string_starts_with(word, name) && word[n] == '=' ? word + n + 1 : NULL;
}

static bool read_number(const char *text, uint64_t least, uint64_t most, uint64_t *number)
{
    const char *end;

    return string_to_u64(text, number, &end) == 0 && *end == '\0' && *number >= least &&
           *number <= most;
}

/** Options that are numbers: where each goes is in `to`. False: it is none of these, or wrong. */
static bool read_numeric(struct elevator_lab *lab, const char *word)
{
    static const struct {
        const char *name;
        uint64_t least, most;
    } options[] = {{"sectors", 1, 1ull << 40},
                   {"start", 0, 1ull << 40},
                   {"bound", 0, 1000000},
                   {"rpm", 0, 60000},
                   {"track", 1, 1000000},
                   {"seed", 0, UINT64_MAX},
                   {"requests", 1, LAB_REQUESTS_MAX}};
    uint64_t values[] = {lab->model.sectors, lab->start, lab->bound,   lab->model.rpm,
                         lab->model.track,   lab->seed,  lab->requests};
    bool good = false;

    for (unsigned i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        const char *text = value_of(word, options[i].name);

        if (text)
            good = read_number(text, options[i].least, options[i].most, &values[i]);
    }
    lab->model.sectors = values[0];
    lab->start = values[1];
    lab->bound = (unsigned)values[2];
    lab->model.rpm = (uint32_t)values[3];
    lab->model.track = (uint32_t)values[4];
    lab->seed = values[5];
    lab->requests = (unsigned)values[6];
    return good;
}

static bool read_option(struct elevator_lab *lab, const char *word)
{
    const char *text = value_of(word, "pattern");

    if (text) {
        const struct pattern *pattern = find_pattern(text);

        lab->pattern = pattern ? pattern->name : lab->pattern;
        return pattern != NULL;
    }
    text = value_of(word, "gap");
    if (text)
        return string_to_duration(text, 1000000, &lab->gap) == 0 && lab->gap < 1000000000000u;
    text = value_of(word, "past");
    if (text)
        return string_copy(lab->past, sizeof(lab->past), text) && text[0];
    return read_numeric(lab, word);
}

/** The sector numbers of the line: all at once. */
static int read_sectors(struct elevator_lab *lab, char *const *words, unsigned count, char *error,
                        size_t size)
{
    for (unsigned i = 0; i < count; i++) {
        uint64_t at;

        if (!char_is_digit(words[i][0]))
            continue;
        lab->pattern = NULL;
        if (!read_number(words[i], 0, lab->model.sectors - 1, &at) ||
            lab->stream.count == LAB_REQUESTS_MAX) {
            format_text(error, size, "%s is no sector from 0 to %llu", words[i],
                        (unsigned long long)lab->model.sectors - 1);
            return -EINVAL;
        }
        add(lab, 0, at, 1);
    }
    return 0;
}

int elevator_lab_read(struct elevator_lab *lab, char *const *words, unsigned count, char *error,
                      size_t size)
{
    int result;

    memset(lab, 0, sizeof(*lab));
    lab->model = seek_usual(1000000);
    lab->bound = ELEVATOR_BOUND;
    lab->pattern = "uniform";
    lab->requests = 100;
    lab->gap = 6000000;
    lab->seed = 1;
    for (unsigned i = 0; i < count; i++)
        if (!char_is_digit(words[i][0]) && !read_option(lab, words[i])) {
            format_text(error, size, "%s is no option, or its value cannot be", words[i]);
            return -EINVAL;
        }
    result = read_sectors(lab, words, count, error, size);
    if (result || lab->stream.count > 0)
        return result;
    if (lab->past[0]) {
        lab->pattern = NULL;
        return take_past(lab, error, size);
    }
    make_stream(lab);
    return 0;
}
