/* SPDX-License-Identifier: MIT */
/*
 * judge.c: what a volume must be: before it is mounted, while it is, and afterwards.
 */
#include "cuts.h"

#include "../unit/check_memory.h"

#include "fs/check/check.h"
#include "fs/repair/repair.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FINAL 0xF1A1u /* sets the volumes that have been put in order apart from the others */

/* ---- failing ---- */

static void print_where(const struct where *where)
{
    for (unsigned i = 0; i <= where->depth; i++)
        printf("%s%u:%llu", i ? "/" : "", where->cut[i], (unsigned long long)where->choice[i]);
    if (where->torn)
        printf("~%u", where->torn);
}

_Noreturn void judge_fail(const struct where *where, const char *format, ...)
{
    va_list args;

    flockfile(stdout);
    printf("# ");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n#   geometry %u (%s), sequence %s, cut ", settings.geometry,
           geometries[settings.geometry].name, settings.sequence);
    print_where(where);
    printf("\n#   again: TAYBERRY_CUTS=%s tests/cuts/cuts --geometry %u %s%s%s --cut ",
           settings.size, settings.geometry, settings.sequence, settings.plant ? " --plant " : "",
           settings.plant ? settings.plant : "");
    print_where(where);
    printf(" --dump cut.img\n");
    driver_print_log();
    funlockfile(stdout);
    fflush(stdout);
    COUNT(failed);
    _Exit(1);
}

static struct snapshot found;

static _Noreturn void fail_tree(const struct where *where, const struct expected *expected)
{
    printf("# found:\n");
    tree_print(&found);
    for (unsigned i = expected->first; i <= expected->last && !expected->exact; i++) {
        printf("#   state %u:\n", i);
        tree_print(&model.states[i]);
    }
    judge_fail(where, "the tree is not one of the states %u to %u", expected->first,
               expected->last);
}

bool judge_allows(const struct expected *expected, uint64_t tree)
{
    return expected->exact ? tree == expected->exact
                           : model_allows(tree, expected->first, expected->last);
}

/* ---- the checker ---- */

static struct {
    enum check_class worst;
    char text[240];
} finding;

static int check_read(void *context, uint64_t sector, void *data, unsigned count)
{
    (void)context;
    memcpy(data, card.image + sector * HAL_SECTOR_SIZE, (size_t)count * HAL_SECTOR_SIZE);
    return 0;
}

static int check_write(void *context, uint64_t sector, const void *data, unsigned count)
{
    (void)context;
    for (unsigned i = 0; i < count; i++)
        card_put_new((uint32_t)sector + i, (const uint8_t *)data + (size_t)i * HAL_SECTOR_SIZE);
    return 0;
}

static void check_found(void *context, enum check_class class, const char *text)
{
    (void)context;
    if (class <= finding.worst)
        return;
    finding.worst = class;
    snprintf(finding.text, sizeof finding.text, "%s", text);
}

static const struct check_means *means(void)
{
    static struct check_means all = {.read = check_read,
                                     .write = check_write,
                                     .allocate = check_memory_allocate,
                                     .release = check_memory_release,
                                     .found = check_found};

    all.sectors = card.sectors;
    finding.worst = CHECK_NOTE;
    return &all;
}

static enum check_class check(const struct where *where)
{
    struct check_result result;
    int error = fat_check(means(), &result);

    if (error)
        judge_fail(where, "the checker gave up: error %d: %s", error, finding.text);
    return finding.worst;
}

/* ---- fsck.fat ---- */

static void ask(const struct where *where, const char *when, enum verdict most)
{
    const char *text;
    enum verdict verdict = fsck_ask(&text);

    if (verdict == VERDICT_NONE || verdict <= most) {
        if (verdict != VERDICT_NONE && most == VERDICT_CLEAN)
            COUNT(fsck_clean);
        else if (verdict != VERDICT_NONE)
            COUNT(fsck_raw);
        return;
    }
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
        printf("#     fsck.fat: %.*s\n", (int)strcspn(line, "\n"), line);
    judge_fail(where, "fsck.fat does not accept the volume %s", when);
}

static bool is_sample(unsigned each, uint64_t volume)
{
    return each > 0 && (volume >> 11) % each == 0;
}

/* ---- the way of a volume ---- */

static void mount_and_read(const struct where *where)
{
    int error = driver_mount();

    if (error)
        judge_fail(where, "the volume does not mount, or not writable: error %d", error);
    if (!driver_read_tree(&found))
        judge_fail(where, "the tree cannot be read");
    driver_unmount();
}

static void judge_tree(const struct where *where, const struct expected *expected)
{
    if (judge_allows(expected, found.hash))
        return;
    COUNT(slow);
    if (expected->exact || !model_allows_tree(&found, expected->first, expected->last))
        fail_tree(where, expected);
}

/* What tayberry-fsck makes of the volume is as good as what mounting it does. */
static void judge_repair(const struct where *where, const struct expected *expected)
{
    static uint8_t *image;
    static uint64_t *hashes;
    const struct repair_options options = {.finish = true};
    size_t bytes = (size_t)card.sectors * HAL_SECTOR_SIZE, n = card.sectors * sizeof *hashes;
    struct repair_result result;
    int error;

    image = image ? image : malloc(bytes);
    hashes = hashes ? hashes : malloc(n);
    if (!image || !hashes)
        exit(2);
    memcpy(image, card.image, bytes);
    memcpy(hashes, card.hashes, n);
    error = fat_repair(means(), &options, &result);
    if (error || check(where) != CHECK_NOTE)
        judge_fail(where, "it cannot be repaired: error %d: %s", error, finding.text);
    mount_and_read(where);
    judge_tree(where, expected);
    card_load(image, hashes);
    COUNT(repaired);
}

uint64_t judge_card(const struct where *where, const struct expected *expected, struct log *log)
{
    uint64_t raw = card.hash, tree = 0;
    enum check_class class = check(where);

    if (class == CHECK_DAMAGE)
        judge_fail(where, "the volume is damaged: %s", finding.text);
    if (is_sample(settings.fsck_raw_each, raw))
        ask(where, "as the cut left it", VERDICT_ALLOWED);
    if (is_sample(settings.repair_each, mix_hash(raw, FINAL)))
        judge_repair(where, expected);
    card.recording = log;
    mount_and_read(where);
    card.recording = NULL;
    judge_tree(where, expected);
    if (card.hash == raw && class == CHECK_NOTE)
        return found.hash;
    if (card.hash != raw)
        COUNT(mended);
    if (seen_find(mix_hash(card.hash, FINAL), &tree) && tree == found.hash)
        return found.hash;
    if (check(where) != CHECK_NOTE)
        judge_fail(where, "mounted and unmounted it is not clean: %s", finding.text);
    if (is_sample(settings.fsck_each, card.hash))
        ask(where, "as mount and unmount left it", VERDICT_CLEAN);
    (void)seen_add(mix_hash(card.hash, FINAL), found.hash);
    return found.hash;
}

/* ---- torn sectors ---- */

/* The driver did not take the volume, or not to write: then it must be possible to repair it. */
static void repair(const struct where *where)
{
    const struct repair_options options = {0};
    struct repair_result result;
    int error = fat_repair(means(), &options, &result);

    if (error)
        judge_fail(where, "it cannot be repaired: error %d: %s", error, finding.text);
    if (check(where) != CHECK_NOTE)
        judge_fail(where, "repaired it is not clean: %s", finding.text);
    mount_and_read(where);
}

uint64_t judge_torn(const struct where *where, const struct expected *expected, uint32_t torn)
{
    uint8_t content[HAL_SECTOR_SIZE];
    bool allowed;

    memcpy(content, card.image + (size_t)torn * HAL_SECTOR_SIZE, sizeof content);
    if (driver_mount()) {
        COUNT(torn_found);
        repair(where);
        return TREE_FOUND_OUT;
    }
    if (!driver_read_tree(&found))
        judge_fail(where, "a sector was torn, and the tree cannot be read");
    driver_unmount();
    model.torn = content;
    allowed = judge_allows(expected, found.hash) ||
              (!expected->exact && model_allows_tree(&found, expected->first, expected->last));
    model.torn = NULL;
    if (!allowed)
        fail_tree(where, expected);
    if (judge_allows(expected, found.hash))
        COUNT(torn_whole);
    else
        COUNT(torn_data);
    if (check(where) != CHECK_NOTE)
        judge_fail(where, "a sector was torn, and mounted and unmounted it is not clean: %s",
                   finding.text);
    return found.hash;
}
