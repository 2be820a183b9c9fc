/* SPDX-License-Identifier: MIT */
/*
 * main.c: damages a sound volume, in each way that somebody thought of and in many that nobody did;
 * lets the checker judge it, the driver mount and use it, and the repair put it right. Afterwards
 * the checker and fsck.fat must find nothing, and the files that were not hit must be as they were.
 *
 * TAYBERRY_RUNS: how many random ones. TAYBERRY_SEED: the first of them. TAYBERRY_DUMP: where the
 * volume of a random one that fails goes.
 */
#include "case.h"

#include "../unit/check_memory.h"

#include "fs/repair/repair.h"

#include <hal/errno.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_CLEAN 0x08000000u /* in entry 1 of the FAT */
#define STEPS_MAX 4000u         /* requests to the card that a repair may make */

static uint8_t *sound, *damaged;
static struct snapshot before;
static unsigned requests, writes, writes_left;

/* ---- means ---- */

static struct {
    enum opinion worst;
    const char *wanted;
    bool heard;
    char last[240];
} said;

static int read_card(void *context, uint64_t sector, void *data, unsigned count)
{
    (void)context;
    requests++;
    if (sector + count > card.sectors)
        return -EIO;
    memcpy(data, place_sector((uint32_t)sector), (size_t)count * HAL_SECTOR_SIZE);
    return 0;
}

static int write_card(void *context, uint64_t sector, const void *data, unsigned count)
{
    (void)context;
    requests++;
    writes++;
    if (writes_left-- == 0 || sector + count > card.sectors)
        return -EIO;
    memcpy(place_sector((uint32_t)sector), data, (size_t)count * HAL_SECTOR_SIZE);
    return 0;
}

static void hear(void *context, enum check_class class, const char *text)
{
    (void)context;
    if (1 + (enum opinion) class > said.worst)
        said.worst = 1 + (enum opinion) class;
    if (said.wanted && strstr(text, said.wanted))
        said.heard = true;
    snprintf(said.last, sizeof said.last, "%s", text);
}

static struct check_means means_of_card(void)
{
    writes_left = UINT32_MAX;
    requests = writes = 0;
    return (struct check_means){.read = read_card,
                                .write = write_card,
                                .allocate = check_memory_allocate,
                                .release = check_memory_release,
                                .found = hear,
                                .sectors = card.sectors};
}

/* What the checker thinks, and whether it says `wanted`. */
static enum opinion judge(const char *wanted)
{
    const struct check_means means = means_of_card();
    struct check_result result;
    int error;

    said.worst = SOUND;
    said.wanted = wanted;
    said.heard = wanted[0] == '\0';
    error = fat_check(&means, &result);
    return error ? REFUSED : said.worst;
}

static int repair(bool save_lost, unsigned most_writes)
{
    const struct check_means means = means_of_card();
    const struct repair_options options = {.save_lost = save_lost};
    struct repair_result result;

    said.wanted = NULL;
    writes_left = most_writes;
    return fat_repair(&means, &options, &result);
}

/* ---- what has to be so ---- */

static bool is_victim(const char *victims, const char *path)
{
    while (*victims) {
        size_t n = strcspn(victims, ",");

        if (strncmp(victims, path, n) == 0)
            return true;
        victims += n + (victims[n] == ',');
    }
    return false;
}

/* NULL, or what is wrong with the tree. */
static const char *compare(const char *victims)
{
    static struct snapshot after;
    const char *wrong = NULL;

    if (driver_mount()) {
        driver_print_log();
        return "it does not mount";
    }
    if (!driver_read_tree(&after) && after.count < FILES_MAX)
        wrong = "the tree cannot be read";
    for (unsigned i = 0; i < before.count && !wrong; i++) {
        const struct entry *was = &before.files[i];
        const struct entry *is = tree_find_file(&after, was->path);

        if (!is_victim(victims, was->path) && (!is || is->hash != was->hash)) {
            printf("# %s is not what it was\n", was->path);
            wrong = "a file that was not hit has changed";
        }
    }
    driver_unmount();
    return wrong;
}

/* fsck.fat thinks that a label beyond ASCII may be in lower case, by a code page of its own. */
static bool has_plain_label(void)
{
    for (unsigned i = 71; i < 82; i++)
        if (card.image[i] >= 0x80)
            return false;
    return true;
}

/* NULL, or what is wrong with the volume. */
static const char *judge_repaired(bool ask, const char *victims)
{
    const char *text = "", *wrong;

    if (judge("") > NOTED)
        return said.last;
    if (card.image[16] > 2)
        return NULL; /* neither fsck.fat nor the driver wants so many FATs */
    if (ask && has_plain_label() && fsck_ask(&text) > VERDICT_CLEAN &&
        fsck_ask(&text) != VERDICT_NONE) {
        printf("# fsck.fat: %s\n", text);
        return "fsck.fat finds something";
    }
    if (repair(true, UINT32_MAX) || writes > 0)
        return "a second repair finds something";
    wrong = compare(victims);
    return wrong;
}

/* ---- crafted ---- */

enum state { AS_IT_IS, COPY_TOO, IN_USE, STATES };

static void make_damage(const struct craft *craft, enum state state)
{
    uint8_t *boot = place_sector(0);

    memcpy(boot, sound, (size_t)card.sectors * HAL_SECTOR_SIZE);
    if (state == IN_USE)
        set_link(1, get_link(1) & ~TABLE_CLEAN);
    craft->damage();
    if (state == COPY_TOO)
        memcpy(place_sector(6), boot, HAL_SECTOR_SIZE);
}

/* What the driver makes of the damage: by itself, and with operations. */
static const char *try_driver(const struct craft *craft, enum state state)
{
    const char *wrong = NULL;
    char verdict, victims[200];

    snprintf(victims, sizeof victims, "%s%s", craft->victims, craft->driver + STATES);
    make_damage(craft, state);
    verdict = verdict_mount(&wrong);
    if (verdict != craft->driver[state]) {
        printf("# state %d: the driver's verdict is %c\n", (int)state, verdict);
        return "the driver's verdict is another one";
    }
    if (wrong)
        return wrong;
    make_damage(craft, state);
    verdict_operate(craft->victims);
    driver_skips = true;
    if (verdict == 'w')
        wrong = compare(victims);
    driver_skips = false;
    return wrong;
}

static const char *try_craft(const struct craft *craft, bool save_lost)
{
    const char *wrong = NULL;
    enum opinion opinion;
    int error;

    for (enum state state = AS_IT_IS; state < STATES && !wrong; state++)
        wrong = try_driver(craft, state);
    if (wrong)
        return wrong;
    make_damage(craft, AS_IT_IS);
    opinion = judge(craft->says);
    if (opinion != craft->opinion || !said.heard) {
        printf("# opinion %d: %s\n", (int)opinion, said.last);
        return "the checker says something else";
    }
    error = repair(save_lost, UINT32_MAX);
    if (error || requests > STEPS_MAX) {
        printf("# error %d, %u requests\n", error, requests);
        return "it cannot be repaired";
    }
    return judge_repaired(true, craft->victims);
}

static unsigned run_crafted(unsigned *bad)
{
    for (unsigned i = 0; i < craft_count(); i++) {
        const char *wrong = try_craft(&crafts[i], i % 2);

        if (!wrong)
            wrong = try_craft(&crafts[i], i % 2 == 0);
        printf("%sok %u - %s%s%s\n", wrong ? "not " : "", i + 1, crafts[i].name, wrong ? ": " : "",
               wrong ? wrong : "");
        *bad += wrong != NULL;
    }
    return craft_count();
}

/* ---- random ---- */

static uint32_t pick_value(uint64_t *random)
{
    static const uint32_t values[] = {0,  1,  2,          3,          4,          0x0FFFFFF6,
                                      14, 20, 0x0FFFFFF7, 0x0FFFFFF8, 0x0FFFFFFF, 0xFFFFFFFF,
                                      28, 60, 0x7F,       0xE5,       0x0F,       0x80000001};

    if (chance(random, 3) == 0)
        return chance(random, 200);
    if (chance(random, 4) == 0)
        return mix_hash(*random, 1) & 0xFFFFFFFF;
    return values[chance(random, sizeof values / sizeof values[0])];
}

static void damage_at_random(uint64_t *random)
{
    uint32_t kind = chance(random, 32), width = 1u << chance(random, 3), value, at;
    uint8_t *sector;

    if (kind == 0)
        sector = place_sector(chance(random, 8)); /* boot sectors and what is with them */
    else if (kind < 12)
        sector = place_sector(32 + chance(random, 4)); /* the FATs */
    else
        sector = place_sector(36 + chance(random, 30)); /* directories, and files among them */
    at = chance(random, HAL_SECTOR_SIZE / width) * width;
    value = pick_value(random);
    if (kind == 31)
        for (unsigned i = 0; i < HAL_SECTOR_SIZE; i++)
            sector[i] = (uint8_t)chance(random, 256);
    else if (kind > 25)
        memcpy(sector + at / 32 * 32, place_sector(36 + chance(random, 3)) + at / 32 * 32, 32);
    else
        memcpy(sector + at, &value, width);
}

static const char *try_random(uint64_t seed)
{
    uint64_t random = mix_hash(seed, 77);
    unsigned n = 1 + chance(&random, 8), cut = chance(&random, 3) ? UINT32_MAX : chance(&random, 9);
    const char *wrong = NULL;
    int error;

    memcpy(card.image, sound, (size_t)card.sectors * HAL_SECTOR_SIZE);
    for (unsigned i = 0; i < n; i++)
        damage_at_random(&random);
    memcpy(damaged, card.image, (size_t)card.sectors * HAL_SECTOR_SIZE);
    (void)verdict_mount(&wrong);
    verdict_operate("/a.txt,/d/x,/e,/d/inner,");
    if (wrong)
        return wrong;
    memcpy(card.image, damaged, (size_t)card.sectors * HAL_SECTOR_SIZE);
    /* A repair that is cut off is no reason why the next one should fail. */
    if (cut != UINT32_MAX)
        (void)repair(true, cut);
    error = repair(chance(&random, 2), UINT32_MAX);
    if (requests > STEPS_MAX)
        return "it takes too many steps";
    if (error == -EINVAL && judge("") == REFUSED)
        return NULL; /* both boot sectors are hit */
    if (error)
        return said.last;
    return judge_repaired(seed % 64 == 0, "/");
}

static bool run_random_damage(void)
{
    const char *runs = getenv("TAYBERRY_RUNS"), *seeds = getenv("TAYBERRY_SEED");
    unsigned n = runs ? (unsigned)strtoul(runs, NULL, 0) : 3000;
    uint64_t seed = seeds ? strtoull(seeds, NULL, 0) : 1;

    for (unsigned i = 0; i < n; i++) {
        const char *wrong = try_random(seed + i);

        if (wrong) {
            printf("# seed %llu: %s\n", (unsigned long long)(seed + i), wrong);
            if (getenv("TAYBERRY_DUMP"))
                card_dump(getenv("TAYBERRY_DUMP"));
            return false;
        }
    }
    printf("# %u volumes with random damage were used, and repaired\n", n);
    return true;
}

int main(void)
{
    unsigned n, bad = 0;

    counters = calloc(1, sizeof *counters);
    run_start(0);
    sound = malloc((size_t)card.sectors * HAL_SECTOR_SIZE);
    damaged = malloc((size_t)card.sectors * HAL_SECTOR_SIZE);
    if (!counters || !sound || !damaged)
        return 2;
    memcpy(sound, card.image, (size_t)card.sectors * HAL_SECTOR_SIZE);
    before = model.states[0];
    n = run_crafted(&bad) + 1;
    if (!run_random_damage()) {
        printf("not ");
        bad++;
    }
    printf("ok %u - random damage\n1..%u\n", n, n);
    return bad ? 1 : 0;
}
