/* SPDX-License-Identifier: MIT */
/*
 * card_map.c: from sectors to "cluster 17 is the third of /notes.txt".
 */
#include "card_map.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAP_CLUSTERS_MAX (1u << 26) /* more than a card of 1 TiB with clusters of 16 KiB has */
#define MAP_FILES_MAX (1u << 20)
#define MAP_SLOT 32u
#define MAP_UNITS 260u /* of a long name: 20 slots of 13 */
#define MAP_LINK 0x0fffffffu
#define MAP_BAD 0x0ffffff7u
#define MAP_END 0x0ffffff8u

struct reader {
    struct card_map *map;
    card_map_read *read;
    void *context;
    uint8_t *cluster;          /* the one that is being looked at */
    uint16_t units[MAP_UNITS]; /* a long name that is being put together */
    uint32_t seen;             /* its slots, a bit each */
    uint8_t sum;
};

static uint32_t get16(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8;
}

static uint32_t get32(const uint8_t *at)
{
    return get16(at) | get16(at + 2) << 16;
}

void card_map_clear(struct card_map *map)
{
    for (uint32_t i = 0; i < map->file_count; i++)
        free(map->files[i].name);
    free(map->files);
    free(map->table);
    free(map->owner);
    *map = (struct card_map){.problem = ""};
}

static bool fail(struct card_map *map, const char *problem)
{
    card_map_clear(map);
    snprintf(map->problem, sizeof(map->problem), "%s", problem);
    return false;
}

/* ---- the volume ---- */

static bool is_power_of_two(uint32_t n)
{
    return n > 0 && (n & (n - 1)) == 0;
}

static bool is_fat32(const uint8_t *sector)
{
    return get16(sector + 510) == 0xaa55 && is_power_of_two(get16(sector + 11)) &&
           get16(sector + 11) >= CARD_MAP_SECTOR && get16(sector + 11) <= 4096 &&
           is_power_of_two(sector[13]) && sector[16] > 0 && get16(sector + 22) == 0 &&
           get32(sector + 36) > 0;
}

/* Finds the boot sector: the first one of a partition for FAT32, else sector 0 itself. (Not the
 * other way round: who makes a table leaves what was before it in that sector.) */
static bool find_volume(struct reader *r, uint8_t *sector)
{
    uint8_t first[CARD_MAP_SECTOR];

    if (r->read(r->context, 0, first, 1))
        return fail(r->map, "there is no card, or it cannot be read");
    for (unsigned i = 0; get16(first + 510) == 0xaa55 && i < 4; i++) {
        const uint8_t *entry = first + 446 + 16 * i;

        r->map->volume = get32(entry + 8);
        if (entry[4] && r->map->volume > 0 && r->read(r->context, r->map->volume, sector, 1) == 0 &&
            is_fat32(sector))
            return true;
    }
    r->map->volume = 0;
    memcpy(sector, first, sizeof(first));
    return is_fat32(sector) || fail(r->map, "no FAT32 volume is on the card");
}

/* Takes the geometry from the boot sector. *fat: sector where the FAT begins. */
static bool measure(struct reader *r, const uint8_t *sector, uint64_t *fat)
{
    struct card_map *map = r->map;
    uint64_t scale = get16(sector + 11) / CARD_MAP_SECTOR;
    uint64_t total = get32(sector + 32) ? get32(sector + 32) : get16(sector + 19);
    uint64_t before = get16(sector + 14) + (uint64_t)sector[16] * get32(sector + 36);
    uint64_t entries = get32(sector + 36) * scale * (CARD_MAP_SECTOR / 4);
    uint64_t clusters = total > before ? (total - before) / sector[13] : 0;

    if (entries < 2 + clusters)
        clusters = entries - 2;
    map->cluster_bytes = get16(sector + 11) * sector[13];
    map->data = map->volume + before * scale;
    map->clusters = clusters < MAP_CLUSTERS_MAX ? (uint32_t)clusters : MAP_CLUSTERS_MAX;
    *fat = map->volume + get16(sector + 14) * scale;
    return map->clusters > 0 || fail(map, "the card's volume has no clusters");
}

static bool read_table(struct reader *r, uint64_t fat)
{
    struct card_map *map = r->map;
    size_t sectors = ((size_t)map->clusters + 2 + 127) / 128;
    uint8_t *bytes = malloc(sectors * CARD_MAP_SECTOR);

    map->table = malloc(map->clusters * sizeof(*map->table));
    map->owner = malloc(map->clusters * sizeof(*map->owner));
    if (!bytes || !map->table || !map->owner || r->read(r->context, fat, bytes, sectors)) {
        bool memory = bytes && map->table && map->owner;

        free(bytes);
        return fail(map, memory ? "the card's FAT cannot be read" : "no memory for the card's map");
    }
    for (uint32_t i = 0; i < map->clusters; i++) {
        map->table[i] = get32(bytes + (i + 2) * 4) & MAP_LINK;
        map->owner[i] = CARD_MAP_NOBODY;
    }
    free(bytes);
    return true;
}

/* ---- files ---- */

/* Adds a file, or forgets it if there are too many. */
static void add_file(struct card_map *map, const char *name, uint32_t parent, uint32_t start,
                     bool directory)
{
    if (map->file_count == map->file_room) {
        uint32_t room = map->file_room ? map->file_room * 2 : 64;
        struct card_file *files =
            room > MAP_FILES_MAX ? NULL : realloc(map->files, room * sizeof(*files));

        if (!files)
            return;
        map->files = files;
        map->file_room = room;
    }
    map->files[map->file_count] = (struct card_file){
        .name = strdup(name), .parent = parent, .start = start, .directory = directory};
    map->file_count += map->files[map->file_count].name != NULL;
}

/* Makes the chain of a file its own, as far as it is nobody's. */
static void own_chain(struct card_map *map, uint32_t file)
{
    uint32_t cluster = map->files[file].start;

    while (cluster >= 2 && cluster - 2 < map->clusters &&
           map->owner[cluster - 2] == CARD_MAP_NOBODY && map->table[cluster - 2] != 0) {
        map->owner[cluster - 2] = file;
        map->files[file].clusters++;
        cluster = map->table[cluster - 2];
    }
}

/* Writes `count` units of UTF-16 as UTF-8; what is no character becomes '?'. */
static void to_utf8(const uint16_t *units, size_t count, char *text)
{
    for (size_t i = 0; i < count && units[i]; i++) {
        uint32_t c = units[i];

        if (c >= 0xd800 && c < 0xdc00 && i + 1 < count && (units[i + 1] & 0xfc00) == 0xdc00)
            c = 0x10000 + ((c & 0x3ff) << 10) + (units[++i] & 0x3ffu);
        if (c < ' ' || (c >= 0xd800 && c < 0xe000))
            c = '?';
        if (c < 0x80) {
            *text++ = (char)c;
            continue;
        }
        if (c >= 0x10000) {
            *text++ = (char)(0xf0 | c >> 18);
            *text++ = (char)(0x80 | (c >> 12 & 0x3f));
        } else if (c >= 0x800) {
            *text++ = (char)(0xe0 | c >> 12);
        }
        *text++ = (char)(c < 0x800 ? 0xc0 | c >> 6 : 0x80 | (c >> 6 & 0x3f));
        *text++ = (char)(0x80 | (c & 0x3f));
    }
    *text = '\0';
}

static void take_long(struct reader *r, const uint8_t *slot)
{
    static const uint8_t places[13] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
    unsigned number = slot[0] & 0x1fu;

    if (slot[0] & 0x40) {
        memset(r->units, 0, sizeof(r->units));
        r->seen = 0;
        r->sum = slot[13];
    }
    if (number < 1 || number > 20 || slot[13] != r->sum)
        return;
    for (unsigned i = 0; i < 13; i++) {
        uint32_t unit = get16(slot + places[i]);

        r->units[(number - 1) * 13 + i] = (uint16_t)(unit == 0xffff ? 0 : unit);
    }
    r->seen |= 1u << (number - 1);
}

static uint8_t short_sum(const uint8_t *slot)
{
    uint8_t sum = 0;

    for (unsigned i = 0; i < 11; i++)
        sum = (uint8_t)((sum << 7 | sum >> 1) + slot[i]);
    return sum;
}

/* "NAME    EXT" as "name.ext": capitals are what FAT stores, not what people wrote. */
static void short_name(const uint8_t *slot, char *text)
{
    size_t n = 0;

    for (unsigned i = 0; i < 11; i++) {
        char c = (char)slot[i];

        if (i == 8 && slot[8] != ' ')
            text[n++] = '.';
        if (c == ' ')
            continue;
        if ((slot[12] & (i < 8 ? 0x08 : 0x10)) && c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        text[n++] = c < ' ' ? '?' : c; /* also what is not ASCII */
    }
    text[n] = '\0';
}

static void take_entry(struct reader *r, uint32_t directory, const uint8_t *slot)
{
    char name[MAP_UNITS * 3 + 1];
    bool whole = r->seen && (r->seen & (r->seen + 1)) == 0 && r->sum == short_sum(slot);

    if ((slot[11] & 0x08) || slot[0] == '.') /* the label; "." and ".." */
        return;
    if (whole)
        to_utf8(r->units, MAP_UNITS, name);
    else
        short_name(slot, name);
    add_file(r->map, name, directory, get16(slot + 26) | get16(slot + 20) << 16, slot[11] & 0x10);
}

/* The slots of one cluster. False: the directory ends here. */
static bool read_slots(struct reader *r, uint32_t directory)
{
    for (uint32_t at = 0; at < r->map->cluster_bytes; at += MAP_SLOT) {
        const uint8_t *slot = r->cluster + at;

        if (slot[0] == 0)
            return false;
        if (slot[0] != 0xe5 && (slot[11] & 0x3f) == 0x0f) {
            take_long(r, slot);
            continue;
        }
        if (slot[0] != 0xe5)
            take_entry(r, directory, slot);
        r->seen = 0;
    }
    return true;
}

static void read_directory(struct reader *r, uint32_t directory)
{
    struct card_map *map = r->map;
    uint32_t cluster = map->files[directory].start, left = map->files[directory].clusters;
    size_t sectors = map->cluster_bytes / CARD_MAP_SECTOR;
    bool more = true;

    r->seen = 0;
    for (; more && left > 0; left--) {
        uint64_t at = map->data + (uint64_t)(cluster - 2) * sectors;

        more = r->read(r->context, at, r->cluster, sectors) == 0 && read_slots(r, directory);
        cluster = map->table[cluster - 2];
    }
}

/* Files are found in the order of their numbers, directory by directory. */
static void read_tree(struct reader *r, uint32_t root)
{
    add_file(r->map, "", CARD_MAP_NOBODY, root, true);
    for (uint32_t i = 0; i < r->map->file_count; i++) {
        own_chain(r->map, i);
        if (r->map->files[i].directory)
            read_directory(r, i);
    }
}

void card_map_load(struct card_map *map, card_map_read *read, void *context)
{
    struct reader r = {.map = map, .read = read, .context = context};
    uint8_t sector[CARD_MAP_SECTOR];
    uint64_t fat;

    card_map_clear(map);
    if (!find_volume(&r, sector) || !measure(&r, sector, &fat) || !read_table(&r, fat))
        return;
    r.cluster = malloc(map->cluster_bytes);
    if (r.cluster)
        read_tree(&r, get32(sector + 44));
    free(r.cluster);
}

/* ---- questions ---- */

enum card_kind card_map_kind(const struct card_map *map, uint32_t index)
{
    if (map->owner[index] != CARD_MAP_NOBODY)
        return map->files[map->owner[index]].directory ? CARD_DIRECTORY : CARD_FILE;
    if (map->table[index] == 0)
        return CARD_FREE;
    return map->table[index] == MAP_BAD ? CARD_BAD : CARD_LOST;
}

uint32_t card_map_cluster(const struct card_map *map, uint64_t sector)
{
    uint64_t index;

    if (map->clusters == 0 || sector < map->data)
        return CARD_MAP_NOBODY;
    index = (sector - map->data) / (map->cluster_bytes / CARD_MAP_SECTOR);
    return index < map->clusters ? (uint32_t)index : CARD_MAP_NOBODY;
}

void card_map_path(const struct card_map *map, uint32_t file, char *text, size_t size)
{
    size_t at = size - 1;

    text[at] = '\0';
    for (; map->files[file].parent != CARD_MAP_NOBODY; file = map->files[file].parent) {
        size_t n = strlen(map->files[file].name);

        if (n + 1 + 3 > at) {
            at -= 3;
            memcpy(text + at, "...", 3);
            break;
        }
        at -= n;
        memcpy(text + at, map->files[file].name, n);
        text[--at] = '/';
    }
    if (at == size - 1)
        text[--at] = '/';
    memmove(text, text + at, size - at);
}
