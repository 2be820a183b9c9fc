/* SPDX-License-Identifier: MIT */
/*
 * run.c: sequences: done with the driver from the same volume each time, recorded, and given to
 * explore.c.
 */
#include "cuts.h"

#include "../unit/fake_hal.h"
#include "lib/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct counters *counters;
struct settings settings = {
    .subset_bits = 10, .samples = 256, .nested_each = 16, .fsck_raw_each = 0, .fsck_each = 0};

static struct log script;
static uint8_t *base_image;
static uint64_t *base_hashes;

static void mount_first(void)
{
    static const struct where nowhere;
    int error = driver_mount();

    if (error)
        judge_fail(&nowhere, "the first mount: error %d", error);
}

void run_start(unsigned geometry)
{
    size_t bytes;

    settings.geometry = geometry;
    snprintf(settings.sequence, sizeof settings.sequence, "preparation");
    card_start(&geometries[geometry]);
    klog_set_console_level(-1);
    card_format(&geometries[geometry]);
    model_reset();
    mount_first();
    for (unsigned i = 0; i < preparation_count(); i++)
        operate(&preparations[i], NULL);
    driver_unmount();
    model_base();
    bytes = (size_t)card.sectors * HAL_SECTOR_SIZE;
    base_image = malloc(bytes);
    base_hashes = malloc(card.sectors * sizeof *base_hashes);
    if (!base_image || !base_hashes)
        exit(2);
    memcpy(base_image, card.image, bytes);
    memcpy(base_hashes, card.hashes, card.sectors * sizeof *base_hashes);
}

static void begin(void)
{
    card_load(base_image, base_hashes);
    model_reset();
    log_init(&script);
    mount_first();
    card.recording = &script;
}

static void end(unsigned from, const struct where *only)
{
    static const struct where nowhere;
    const struct expected all = {0, model.count > 1, 0};
    struct snapshot *tree = calloc(1, sizeof *tree);

    if (!tree || !driver_read_tree(tree) || tree->hash != model.states[model.count - 1].hash) {
        printf("# there is:\n");
        tree_print(tree);
        printf("# there should be:\n");
        tree_print(&model.states[model.count - 1]);
        judge_fail(&nowhere, "without any cut, the tree is not as it should be");
    }
    free(tree);
    driver_unmount();
    log_done(&script, model.count - 1, model.count - 1);
    card.recording = NULL;
    card_load(base_image, base_hashes);
    explore_base(0);
    explore(&script, from, only, NULL, &all);
    COUNT(sequences);
}

void run_numbers(const unsigned *numbers, unsigned n, const struct where *only)
{
    unsigned from = 0;
    size_t used;

    used = (size_t)snprintf(settings.sequence, sizeof settings.sequence, "--sequence ");
    for (unsigned i = 0; i < n; i++)
        used += (size_t)snprintf(settings.sequence + used, sizeof settings.sequence - used, "%s%u",
                                 i ? "," : "", numbers[i]);
    begin();
    for (unsigned i = 0; i < n; i++) {
        /* Cuts before the last operation are those of a shorter sequence. */
        from = only ? 0 : script.used;
        operate(&operations[numbers[i]], &script);
    }
    end(from, only);
}

void run_random(uint64_t seed, unsigned length, const struct where *only)
{
    uint64_t random = mix_hash(seed, length);

    snprintf(settings.sequence, sizeof settings.sequence, "--seed %llu --length %u",
             (unsigned long long)seed, length);
    begin();
    for (unsigned i = 0; i < length; i++) {
        const struct operation operation = operation_random(&random);

        operate(&operation, &script);
    }
    end(0, only);
}

void run_work(const struct work *work, unsigned part, unsigned parts)
{
    unsigned n = operation_count();

    for (unsigned i = 0; i < n && work->pairs_step; i++)
        if (i % parts == part)
            run_numbers(&i, 1, NULL);
    for (unsigned i = 0; work->pairs_step && i < n * n; i += work->pairs_step)
        if (i / work->pairs_step % parts == part)
            run_numbers((const unsigned[]){i / n, i % n}, 2, NULL);
    for (unsigned i = work->from + part; i < work->to; i += parts)
        run_random(work->seed + i, work->length, NULL);
}
