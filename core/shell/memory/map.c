/* SPDX-License-Identifier: MIT */
/*
 * map.c: mem map: a picture of RAM, a character for each group of frames.
 *
 *     00000000          ################TTSSHHhh::::....
 *     00100000  ................................
 *
 * A group is the smallest power of two of frames with which all of RAM fits into MAP_ROWS rows. Its
 * character is the letter of the tag that most of its used frames belong to: a capital if all its
 * frames are in use, a small letter if some are free. There are more tags than letters, so only a
 * tag that has frames gets one: of its own name, if one is left.
 */
#include "shell/memory/mem.h"

#include "lib/format.h"
#include "lib/string.h"
#include "shell/commands/command.h"
#include "thread/thread.h"
#include "tty/tty.h"

#define MAP_COLUMNS 64u
#define MAP_ROWS 16u
#define MAP_TEXT (MAP_COLUMNS * 6 + 32) /* a row, with a change of colour at each character */
#define MAP_LEGEND_COLUMNS 79u
#define MAP_DIM 90u /* SGR: bright black */

struct map {
    bool plain;                  /* no colours */
    char letters[ALLOC_TAG_MAX]; /* by tag */
    char text[MAP_TEXT];
    size_t used; /* bytes of text */
    unsigned colour;
};

/* ---- letters and colours ---- */

/* The first small letter in `name` that is not in the set `taken`, or 0. */
static char map_find_letter(const char *name, uint32_t taken)
{
    for (; *name != '\0'; name++) {
        if (*name >= 'a' && *name <= 'z' && !(taken >> (*name - 'a') & 1))
            return *name;
    }
    return 0;
}

/* A letter for tag `name` that is not taken: of its last folder, of its name, or any; or 0. */
static char map_choose_letter(const char *name, uint32_t taken)
{
    const char *last = name;
    char letter;

    for (const char *at = name; *at != '\0'; at++)
        last = *at == '/' ? at + 1 : last;
    letter = map_find_letter(last, taken);
    if (letter == 0)
        letter = map_find_letter(name, taken);
    if (letter == 0)
        letter = map_find_letter("abcdefghijklmnopqrstuvwxyz", taken);
    return letter;
}

static void map_choose_letters(struct map *map, const struct mem_survey *survey)
{
    uint32_t taken = 0;
    const char *name;

    for (unsigned tag = 0; (name = alloc_tag_name(tag)) != NULL; tag++) {
        char letter = 0;

        if (survey->kinds[HAL_FRAME_TAGS + tag] > 0)
            letter = map_choose_letter(name, taken);
        map->letters[tag] = letter != 0 ? letter : '?'; /* '?': it has got frames since then */
        taken |= letter != 0 ? 1u << (letter - 'a') : 0;
    }
}

static char map_symbol(const struct map *map, unsigned kind, bool full)
{
    static const char plain[HAL_FRAME_TAGS] = {[HAL_FRAME_NONE] = ' ',
                                               [HAL_FRAME_KERNEL] = '#',
                                               [HAL_FRAME_UNTOUCHED] = '.',
                                               [HAL_FRAME_FREE] = ':'};
    char letter = kind < HAL_FRAME_TAGS ? plain[kind] : map->letters[kind - HAL_FRAME_TAGS];

    return full && letter >= 'a' && letter <= 'z' ? (char)(letter - 'a' + 'A') : letter;
}

/* The SGR parameter for a kind; 0: the terminal's own colour. */
static unsigned map_colour(unsigned kind)
{
    static const uint8_t colours[] = {31, 32, 33, 34, 35, 36, 91, 92, 93, 94, 95, 96};

    if (kind >= HAL_FRAME_TAGS)
        return colours[(kind - HAL_FRAME_TAGS) % sizeof(colours)];
    return kind == HAL_FRAME_KERNEL ? 0 : MAP_DIM;
}

/* ---- text ---- */

static void map_add(struct map *map, char c)
{
    map->text[map->used++] = c;
}

static void map_set_colour(struct map *map, unsigned colour)
{
    if (map->plain || map->colour == colour)
        return;
    map->colour = colour;
    map->used +=
        format_text(map->text + map->used, sizeof(map->text) - map->used, "\x1b[%um", colour);
}

static void map_end_line(struct map *map)
{
    map_set_colour(map, 0);
    map_add(map, '\n');
    tty_write(map->text, map->used);
    map->used = 0;
}

/* ---- rows ---- */

/* Adds the character of the frames first .. end - 1. */
static void map_add_group(struct map *map, uint64_t first, uint64_t end)
{
    struct mem_survey survey = {0};
    unsigned most = HAL_FRAME_NONE, user = HAL_FRAME_KERNEL;
    uint64_t idle, used;

    mem_survey_add(&survey, first, end);
    for (unsigned kind = HAL_FRAME_TAGS; kind < MEM_KINDS; kind++)
        user = survey.kinds[kind] > survey.kinds[user] ? kind : user;
    for (unsigned kind = HAL_FRAME_UNTOUCHED; kind <= HAL_FRAME_FREE; kind++)
        most = survey.kinds[kind] > survey.kinds[most] ? kind : most;
    idle = survey.kinds[HAL_FRAME_UNTOUCHED] + survey.kinds[HAL_FRAME_FREE];
    used = end - first - idle - survey.kinds[HAL_FRAME_NONE];
    if (used > 0)
        most = user;
    map_set_colour(map, map_colour(most));
    map_add(map, map_symbol(map, most, idle == 0));
}

static void map_print_rows(struct map *map, uint64_t end, uint64_t group)
{
    for (uint64_t row = 0; row < end && !thread_cancelled(); row += group * MAP_COLUMNS) {
        map->used = format_text(map->text, sizeof(map->text), "%08llx  ",
                                (unsigned long long)(row * HAL_PAGE_SIZE));
        for (uint64_t at = row; at < end && at < row + group * MAP_COLUMNS; at += group)
            map_add_group(map, at, end - at < group ? end : at + group);
        map_end_line(map);
    }
}

/* As map_end_line, without the spaces behind the last entry. */
static void map_end_legend(struct map *map)
{
    while (map->used > 0 && map->text[map->used - 1] == ' ')
        map->used--;
    map_end_line(map);
}

static void map_print_legend(struct map *map, const struct mem_survey *survey)
{
    unsigned column = 0;
    char entry[48];

    for (unsigned kind = HAL_FRAME_KERNEL; kind < MEM_KINDS; kind++) {
        size_t n;

        if (survey->kinds[kind] == 0)
            continue;
        n = format_text(entry, sizeof(entry), " %s %llu KiB  ", mem_kind_name(kind),
                        mem_kib(survey->kinds[kind]));
        if (column > 0 && column + n > MAP_LEGEND_COLUMNS) {
            map_end_legend(map);
            column = 0;
        }
        map_set_colour(map, map_colour(kind));
        map_add(map, map_symbol(map, kind, true));
        map_set_colour(map, 0);
        for (size_t i = 0; i < n; i++)
            map_add(map, entry[i]);
        column += 1 + (unsigned)n;
    }
    map_end_legend(map);
}

void mem_map(struct job *job)
{
    uint64_t end = mem_frame_end(), group = 1;
    struct mem_survey survey = {0};
    struct map map = {0};

    map.plain = job->args.count == 3 && string_equal(job->args.words[2], "plain");
    if (job->args.count != 2 && !map.plain) {
        command_usage(job, "mem map takes nothing but the word plain, for no colours");
        return;
    }
    while (group * MAP_COLUMNS * MAP_ROWS < end)
        group *= 2;
    mem_survey_add(&survey, 0, end);
    map_choose_letters(&map, &survey);
    tty_print("RAM, %llu KiB a character; capitals: no frame of it is free\n", mem_kib(group));
    map_print_rows(&map, end, group);
    map_print_legend(&map, &survey);
}
