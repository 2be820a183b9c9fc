/* SPDX-License-Identifier: MIT */
/*
 * The commands that look at memory, against what the library says of the same moment.
 *
 * Criteria:
 *  1. `mem` has as many frames for each tag, free and in all, as tb_memory_frames; the shares of
 *     fragmentation follow from the free runs that it lists.
 *  2. Each character of `mem map` is the one for the frames that it stands for, with 2 MiB, 64 MiB
 *     and 960 MiB; the picture has at most 20 lines of at most 80 columns; colours change nothing
 *     but the colour.
 *  3. `mem top` has the numbers of tb_alloc_site, the largest first; what a background command
 *     holds shows at its site and goes with it; failures are counted. `mem leaks` shows it, too.
 *  4. `slabs` and the caches in `mem`: no more live than there is room for; sums that agree.
 *  5. None of them allocates anything of its own.
 *  6. Wrong words get a usage line.
 *  7. Tab completes their words.
 *  8. Each site has the tag of its folder: the table of tags has room for all.
 *
 * With checks on, which is the default of a debug build, and off: then objects are not counted. And
 * with each allocator.
 */
#include "os.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES (1u << 18)
#define LINES 24
#define TAGS 64 /* that the kernel has at most */

static struct tb_machine *machine;
static uint8_t frames[FRAMES];
static size_t frame_count;

static void boot(uint64_t memory, const char *words)
{
    struct tb_config config = os_config();

    config.memory = memory;
    config.command_line = words;
    machine = os_boot(&config);
    (void)os_command(machine, "sleep 10ms");
}

static void setup(void)
{
    boot(0, NULL);
}

static void setup_unchecked(void)
{
    boot(0, "checks=0");
}

static void teardown(void)
{
    tb_close(machine);
    machine = NULL;
}

static void type(const char *text)
{
    ck_assert_int_eq(tb_uart_write(machine, text, strlen(text)), (int)strlen(text));
}

static void expect(const char *text)
{
    int reason = tb_uart_expect(machine, text, 60 * OS_SECOND);

    ck_assert_msg(reason == TB_MATCH, "no \"%s\" (%d) in: %s", text, reason, os_output(machine));
}

/*
 * Types `line`, looks at all frames when `until` was printed, and returns the output to the end. So
 * `until` is something from the beginning: what is printed last may be still on its way when the
 * thread of the command has ended.
 */
static char *look(const char *line, const char *until)
{
    static char all[1 << 16];
    size_t used;

    (void)os_command(machine, "sleep 10ms"); /* the thread of the last command is gone now */
    (void)os_output(machine);
    type(line);
    type("\r");
    expect(until);
    frame_count = tb_memory_frames(machine, 0, frames, FRAMES);
    used = (size_t)snprintf(all, sizeof(all), "%s", os_output(machine));
    expect("\n/ > ");
    snprintf(all + used, sizeof(all) - used, "%s", os_output(machine));
    return all;
}

static uint64_t count_kind(unsigned kind)
{
    uint64_t count = 0;

    for (size_t i = 0; i < frame_count; i++)
        count += frames[i] == kind;
    return count;
}

/* The number behind `label` in `text`; fails the test if there is none. */
static uint64_t number_after(const char *text, const char *label)
{
    const char *at = strstr(text, label);

    ck_assert_msg(at != NULL, "no \"%s\" in: %s", label, text);
    return strtoull(at + strlen(label), NULL, 10);
}

/* ---- mem ---- */

static void check_mem(void)
{
    const char *text, *tag;
    uint64_t used = 0, free;

    (void)os_command(machine, "spawn 3 1000s");
    text = look("mem", "frames  ");
    free = count_kind(TB_FRAME_FREE) + count_kind(TB_FRAME_UNTOUCHED);
    for (unsigned i = 0; (tag = tb_memory_tag(machine, i)) != NULL; i++) {
        uint64_t mine = count_kind(TB_FRAME_TAGS + i);
        char label[32];

        snprintf(label, sizeof(label), "\n%-15s ", tag);
        used += mine;
        if (mine > 0)
            ck_assert_uint_eq(number_after(text, label), mine);
    }
    ck_assert_uint_gt(used, 3 * 16);
    ck_assert_uint_eq(number_after(text, "\nframe table "), count_kind(TB_FRAME_KERNEL));
    ck_assert_uint_eq(number_after(text, "of which "), 4 * free);
    ck_assert_uint_eq(number_after(text, "KiB are free and "),
                      4 * (used + count_kind(TB_FRAME_KERNEL)));
    ck_assert_uint_eq(number_after(text, "used\r\n        "), 4 * count_kind(TB_FRAME_UNTOUCHED));
    ck_assert_uint_eq(number_after(text, "\nframes  "),
                      4 * (frame_count - count_kind(TB_FRAME_NONE)));
}

START_TEST(mem_agrees_with_the_library)
{
    check_mem();
}
END_TEST

/* What is not counted is said to be so: objects without checks, and nothing at all if `plain`. */
static void check_what_counts(bool checked, bool plain)
{
    const char *top = os_command(machine, "mem top");

    ck_assert(!strstr(top, "BYTES and BLOCKS are those of page frames") == checked);
    ck_assert(!strstr(top, "sites allocate memory") == plain);
    ck_assert(!strstr(os_command(machine, "mem"), "allocations since power-on") == plain);
}

START_TEST(every_allocator_can_be_looked_at)
{
    static const char *const names[] = {"bump", "bin", "slab"};

    for (unsigned i = 0; i < 6; i++) {
        char words[64], served[64];

        snprintf(words, sizeof(words), "allocator=%s checks=%u", names[i / 2], i % 2);
        snprintf(served, sizeof(served), "(%s, %schecked)", names[i / 2], i % 2 ? "" : "not ");
        boot(0, words);
        check_mem();
        ck_assert_ptr_nonnull(strstr(os_command(machine, "mem"), served));
        ck_assert(!strstr(os_command(machine, "slabs"), "has no slabs") == (i / 2 == 2));
        ck_assert_ptr_nonnull(strstr(os_command(machine, "mem top"), "heap/backing.c"));
        check_what_counts(i % 2 == 1, i == 4);
        teardown();
    }
}
END_TEST

/* Reads a row of ten numbers behind `label`. */
static void read_row(const char *text, const char *label, uint64_t row[10])
{
    const char *at = strstr(text, label);
    char *end;

    ck_assert_msg(at != NULL, "no \"%s\" in: %s", label, text);
    at += strlen(label);
    for (unsigned i = 0; i < 10; i++) {
        row[i] = strtoull(at, &end, 10);
        ck_assert_ptr_ne(end, at);
        at = end + (*end == '%');
    }
}

START_TEST(fragmentation_follows_from_the_free_runs)
{
    const char *text = os_command(machine, "mem");
    uint64_t runs[10], unusable[10], free = number_after(text, "of which ") / 4, largest = 0;

    read_row(text, "\nfree    ", runs);
    read_row(text, "\nunusable", unusable);
    for (unsigned order = 0; order < 10; order++) {
        uint64_t usable = 0;

        for (unsigned i = order; i < 10; i++)
            usable += runs[i] << i;
        ck_assert_uint_le(usable, free);
        ck_assert_uint_eq(unusable[order], order ? (free - usable) * 100 / free : 0);
        largest = runs[order] ? 4u << order : largest;
    }
    ck_assert_uint_eq(number_after(text, "largest free run has "), largest);
}
END_TEST

/* ---- mem map ---- */

/* The tag that the legend gives `letter` to, or a small number for a sign. */
static unsigned kind_of(const char *legend, char letter)
{
    char label[4] = {letter, ' ', '\0'};
    const char *at = legend, *tag;

    while ((at = strstr(at, label)) != NULL && at != legend && at[-1] != ' ' && at[-1] != '\n')
        at++;
    ck_assert_msg(at != NULL, "no '%c' in: %s", letter, legend);
    for (unsigned i = 0; (tag = tb_memory_tag(machine, i)) != NULL; i++) {
        if (strncmp(at + 2, tag, strlen(tag)) == 0 && at[2 + strlen(tag)] == ' ')
            return TB_FRAME_TAGS + i;
    }
    ck_abort_msg("no tag of the name at: %s", at);
    return 0;
}

/* Whether `c` is right for `n` frames from `first` on. */
static bool fits(const char *legend, char c, size_t first, size_t n)
{
    size_t counts[TB_FRAME_TAGS + TAGS] = {0}, used = n, most = 0;

    for (size_t i = first; i < first + n; i++)
        counts[frames[i]]++;
    used -= counts[TB_FRAME_NONE] + counts[TB_FRAME_FREE] + counts[TB_FRAME_UNTOUCHED];
    for (unsigned kind = TB_FRAME_TAGS; kind < TB_FRAME_TAGS + TAGS; kind++)
        most = counts[kind] > most ? counts[kind] : most;
    if (used == 0)
        return c == (counts[TB_FRAME_FREE] > counts[TB_FRAME_UNTOUCHED] ? ':'
                     : counts[TB_FRAME_UNTOUCHED] > 0                   ? '.'
                                                                        : ' ');
    if (counts[TB_FRAME_KERNEL] >= most)
        return c == '#';
    if ((c >= 'A' && c <= 'Z') != (counts[TB_FRAME_FREE] == 0 && counts[TB_FRAME_UNTOUCHED] == 0))
        return false;
    return counts[kind_of(legend, (char)(c & ~0x20))] == most;
}

/* Cuts text into lines in place; returns how many. */
static unsigned split(char *text, char *lines[LINES])
{
    unsigned count = 0;

    for (char *line = strtok(text, "\r\n"); line; line = strtok(NULL, "\r\n")) {
        ck_assert_uint_lt(count, LINES);
        lines[count++] = line;
    }
    return count;
}

static void check_map(uint64_t memory)
{
    char *lines[LINES], *text, legend[1024];
    size_t group, seen = 0;
    unsigned count;

    boot(memory, "cpus=1"); /* on another CPU it may go on while its first lines are on their way */
    (void)os_command(machine, "spawn 3 1000s");
    text = look("mem map plain", "RAM, ");
    ck_assert_ptr_nonnull(strstr(text, "\n# frame table"));
    snprintf(legend, sizeof(legend), "%s", strstr(text, "\n# frame table") + 1);
    group = number_after(text, "\nRAM, ") / 4;
    count = split(text, lines);
    ck_assert_uint_le(count, 22); /* the echo and the next prompt too */
    for (unsigned i = 2; i < count && lines[i][0] != '#'; i++) {
        size_t first = strtoull(lines[i], NULL, 16) / 4096;

        ck_assert_uint_le(strlen(lines[i]), 80);
        ck_assert_uint_eq(first, seen);
        for (const char *at = lines[i] + 10; *at; at++, seen += group) {
            size_t n = frame_count - seen < group ? frame_count - seen : group;
            ck_assert_msg(fits(legend, *at, seen, n), "'%c' for frame %zu", *at, seen);
        }
    }
    ck_assert_uint_ge(seen, frame_count);
    ck_assert_uint_lt(seen, frame_count + group);
    teardown();
}

START_TEST(the_map_shows_every_frame)
{
    check_map(2 << 20);
    check_map(64 << 20);
    check_map((uint64_t)960 << 20);
}
END_TEST

START_TEST(colours_change_nothing_else)
{
    static char plain[8192], bare[8192];
    struct tb_snapshot *same; /* a command changes memory, so both look at the same moment */
    const char *text;
    size_t n = 0, escapes = 0;

    ck_assert_int_eq(tb_snapshot(machine, &same), 0);
    snprintf(plain, sizeof(plain), "%s", os_command(machine, "mem map plain"));
    ck_assert_int_eq(tb_restore(machine, same), 0);
    tb_snapshot_free(same);
    text = os_command(machine, "mem map");
    for (const char *at = text; *at; at++) {
        if (*at == '\x1b') {
            at += strcspn(at, "m");
            escapes++;
        } else {
            bare[n++] = *at;
        }
    }
    ck_assert_uint_ge(escapes, 10);
    ck_assert_str_eq(bare, plain);
}
END_TEST

/* ---- mem top ---- */

struct row {
    long long bytes, blocks;
    unsigned long long calls, failures;
    char tag[24], site[64];
};

/* Reads the lines of `mem top`; returns how many. */
static unsigned read_top(const char *text, struct row *rows, unsigned most)
{
    unsigned count = 0;

    text = strchr(text, '\n');
    ck_assert_ptr_nonnull(text);
    while (count < most && sscanf(text + 1, "%lld %lld %llu %llu %23s %63s", &rows[count].bytes,
                                  &rows[count].blocks, &rows[count].calls, &rows[count].failures,
                                  rows[count].tag, rows[count].site) == 6) {
        count++;
        text = strchr(text + 1, '\n');
    }
    return count;
}

/* Has every allocation counted from now on, with checks or without: by a plan that fails none. */
static void count_all(void)
{
    struct tb_alloc_fail never = {.kind = TB_FAIL_NTH, .n = UINT64_MAX};

    ck_assert_int_eq(tb_alloc_fail(machine, &never), 0);
}

START_TEST(top_has_the_librarys_numbers)
{
    struct row rows[200];
    struct tb_alloc_site site;
    unsigned count, found = 0;

    count_all();
    (void)os_command(machine, "cd /; ls; cat /README.TXT; blink GPIO17 1ms 1; slabs");
    count = read_top(os_command(machine, "mem top calls 200"), rows, 200);
    ck_assert_uint_ge(count, 5);
    for (unsigned i = 1; i < count; i++)
        ck_assert_uint_ge(rows[i - 1].calls, rows[i].calls);
    for (unsigned i = 0; tb_alloc_site(machine, i, &site) == 0; i++) {
        char name[64];

        ck_assert_int_eq(strncmp(site.file, "core/", 5), 0);
        snprintf(name, sizeof(name), "%s:%u", site.file + 5, site.line);
        for (unsigned j = 0; j < count; j++) {
            if (strcmp(rows[j].site, name) == 0 && rows[j].calls == site.calls) {
                ck_assert_str_eq(rows[j].tag, tb_memory_tag(machine, site.tag));
                found++;
            }
        }
    }
    ck_assert_uint_eq(found, count);
}
END_TEST

/* Whether that is the site of the stacks that threads have left for the next: the second of its
 * file. */
static bool is_spare(const char *where)
{
    static const char file[] = "core/thread/stack/stack.c";
    struct tb_alloc_site site;
    uint32_t lines[2] = {UINT32_MAX, UINT32_MAX};
    const char *colon = strchr(where, ':');

    for (unsigned i = 0; tb_alloc_site(machine, i, &site) == 0; i++) {
        if (strcmp(site.file, file) != 0 || site.line >= lines[1])
            continue;
        lines[1] = site.line < lines[0] ? lines[0] : site.line;
        lines[0] = site.line < lines[0] ? site.line : lines[0];
    }
    return strstr(where, "thread/stack/stack.c") && colon && (uint32_t)atol(colon + 1) == lines[1];
}

/* Blocks that the sites of tag `tag` have in `mem top`, without spare stacks. */
static long long blocks_of(const char *tag)
{
    struct row rows[200];
    unsigned count = read_top(os_command(machine, "sleep 10ms; mem top 200"), rows, 200);
    long long blocks = 0;

    for (unsigned i = 1; i < count; i++)
        ck_assert_int_ge(rows[i - 1].bytes, rows[i].bytes);
    for (unsigned i = 0; i < count; i++)
        if (strcmp(rows[i].tag, tag) == 0 && !is_spare(rows[i].site))
            blocks += rows[i].blocks;
    return blocks;
}

START_TEST(what_a_command_holds_shows_at_its_site)
{
    long long before = blocks_of("thread/stack"), meanwhile;

    (void)os_command(machine, "sleep 1000 &");
    (void)os_command(machine, "sleep 2000 &");
    meanwhile = blocks_of("thread/stack");
    ck_assert_int_ge(meanwhile, before + 2);
    (void)os_command(machine, "kill %1; kill %2");
    ck_assert_int_eq(blocks_of("thread/stack"), before);
}
END_TEST

/* Blocks that `mem leaks` shows at the sites of tag `tag`. */
static long long leaked(const char *tag)
{
    const char *text = strstr(os_command(machine, "sleep 10ms; mem leaks"), "SITE\r\n") + 5;
    long long bytes, blocks, sum = 0;
    char name[24];

    for (; text && sscanf(text + 1, "%lld %lld %23s", &bytes, &blocks, name) == 3;
         text = strchr(text + 1, '\n')) {
        ck_assert_int_gt(blocks, 0);
        sum += strcmp(name, tag) == 0 ? blocks : 0;
    }
    return sum;
}

START_TEST(leaks_are_what_is_more_than_at_first)
{
    long long before = leaked("thread/stack");

    ck_assert_int_gt(before, 0); /* the command's own thread */
    ck_assert_int_eq(leaked("thread/stack"), before);
    (void)os_command(machine, "sleep 1000 &");
    ck_assert_int_eq(leaked("thread/stack"), 2 * before);
    (void)os_command(machine, "kill %1");
    ck_assert_int_eq(leaked("thread/stack"), before);
    ck_assert_int_eq(leaked("fs/fat32"), 0);
}
END_TEST

START_TEST(failures_are_counted)
{
    struct tb_alloc_fail plan = {.kind = TB_FAIL_NTH, .n = 1}, none = {.kind = TB_FAIL_NONE};
    struct row rows[4];

    ck_assert_uint_eq(read_top(os_command(machine, "mem top failures"), rows, 4), 0);
    ck_assert_int_eq(tb_alloc_fail(machine, &plan), 0);
    (void)os_command(machine, "ls");
    ck_assert_int_eq(tb_alloc_fail(machine, &none), 0);
    ck_assert_uint_eq(read_top(os_command(machine, "mem top failures"), rows, 4), 1);
    ck_assert_uint_eq(rows[0].failures, 1);
}
END_TEST

START_TEST(top_stops_where_it_is_told)
{
    struct row rows[200];

    ck_assert_uint_eq(read_top(os_command(machine, "mem top calls 3"), rows, 200), 3);
    ck_assert_uint_eq(read_top(os_command(machine, "mem top bytes 1"), rows, 200), 1);
    ck_assert_uint_eq(read_top(os_command(machine, "mem top 0"), rows, 200), 0);
    ck_assert_uint_le(read_top(os_command(machine, "mem top"), rows, 200), 10);
}
END_TEST

/* ---- slabs ---- */

struct cache_row {
    unsigned long long bytes, live, total, cached, slabs, kib, percent, tenth;
};

/* Checks the caches that `text` lists, from behind its title on; returns their KiB. */
static uint64_t check_caches(const char *text, unsigned *count)
{
    uint64_t kib = 0;

    text = strstr(text, "CACHE  ");
    ck_assert_ptr_nonnull(text);
    for (*count = 0; (text = strchr(text, '\n')) != NULL && strlen(text) > 16; ++*count) {
        struct cache_row row;

        if (sscanf(text + 1 + 16, "%llu %llu %llu %llu %llu %llu %llu.%llu %%", &row.bytes,
                   &row.live, &row.total, &row.cached, &row.slabs, &row.kib, &row.percent,
                   &row.tenth) != 8)
            break;
        text++;
        kib += row.kib;
        if (row.slabs == 0)
            continue;
        ck_assert_uint_le(row.live, row.total);
        ck_assert_uint_ge(row.kib, 4 * row.slabs);
        ck_assert_uint_le(row.total * row.bytes, row.kib * 1024);
        ck_assert_uint_eq(row.percent * 10 + row.tenth,
                          row.live * row.bytes * 1000 / (row.kib * 1024));
    }
    return kib;
}

START_TEST(caches_hold_what_they_say)
{
    unsigned some, all, five;
    const char *text;
    uint64_t kib;

    (void)os_command(machine, "sleep 10ms");
    text = os_command(machine, "slabs");
    kib = check_caches(text, &some);
    ck_assert_uint_ge(some, 3);
    ck_assert_uint_eq(number_after(text, " caches; "), kib);
    text = os_command(machine, "slabs -a");
    check_caches(text, &all);
    ck_assert_uint_gt(all, some);
    ck_assert_uint_eq(number_after(strrchr(text, '%'), "\n"), all);
    text = os_command(machine, "sleep 10ms; mem");
    check_caches(text, &five);
    ck_assert_uint_eq(five, 5);
    ck_assert_uint_ge(number_after(text, "\nheap    "), kib);
}
END_TEST

/* ---- all of them ---- */

/* Allocations that `line` costs. */
static uint64_t cost(const char *line)
{
    uint64_t before;

    (void)os_command(machine, line); /* what only the first time needs */
    count_all();
    before = tb_alloc_count(machine);
    (void)os_command(machine, line);
    return tb_alloc_count(machine) - before;
}

START_TEST(looking_takes_no_memory)
{
    static const char *const lines[] = {"mem",     "mem leaks", "mem map",
                                        "mem top", "slabs -a",  "mem top calls 100"};
    uint64_t least = cost("sleep 1ms");

    ck_assert_uint_gt(least, 0);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        ck_assert_msg(cost(lines[i]) == least, "%s", lines[i]);
}
END_TEST

START_TEST(wrong_words_are_refused)
{
    static const char *const lines[] = {
        "mem map ugly", "mem map plain plain", "mem top 5 calls", "mem top 99999",
        "mem moon",     "mem 1 2 3",           "slabs x",         "slabs -a -a",
        "mem leaks 1"};

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        const char *text = os_command(machine, lines[i]);
        ck_assert_msg(strncmp(text, "error: ", 7) == 0 && strstr(text, "usage: "), "%s: %s",
                      lines[i], text);
    }
}
END_TEST

START_TEST(tab_completes_their_words)
{
    type("mem t\t");
    expect("mem top ");
    type("\025slabs; mem m\tpl\t\r");
    expect("slabs; mem map plain ");
    expect("\n# frame table");
    expect(OS_PROMPT);
    type("mem \t\t");
    expect("\nmap ");
    expect("top ");
    type("\025led o\t\t");
    expect("\non ");
    expect("off");
}
END_TEST

START_TEST(each_site_has_the_tag_of_its_folder)
{
    struct tb_alloc_site site;
    unsigned total = 0;

    for (; tb_alloc_site(machine, total, &site) == 0; total++) {
        const char *folder = strchr(site.file, '/') + 1, *end = strrchr(site.file, '/');
        char name[16];

        snprintf(name, sizeof(name), "%.*s", (int)(end - folder), folder);
        ck_assert_str_eq(tb_memory_tag(machine, site.tag), name);
    }
    printf("# %u sites\n", total);
    ck_assert_uint_gt(total, 100);
}
END_TEST

static Suite *suite(void)
{
    Suite *all = suite_create("memory_look");
    TCase *commands = tcase_create("commands"), *sizes = tcase_create("sizes");
    TCase *unchecked = tcase_create("unchecked");

    tcase_add_checked_fixture(commands, setup, teardown);
    tcase_set_timeout(commands, 120);
    tcase_add_test(commands, mem_agrees_with_the_library);
    tcase_add_test(commands, fragmentation_follows_from_the_free_runs);
    tcase_add_test(commands, colours_change_nothing_else);
    tcase_add_test(commands, top_has_the_librarys_numbers);
    tcase_add_test(commands, what_a_command_holds_shows_at_its_site);
    tcase_add_test(commands, leaks_are_what_is_more_than_at_first);
    tcase_add_test(commands, failures_are_counted);
    tcase_add_test(commands, top_stops_where_it_is_told);
    tcase_add_test(commands, caches_hold_what_they_say);
    tcase_add_test(commands, looking_takes_no_memory);
    tcase_add_test(commands, tab_completes_their_words);
    tcase_add_test(commands, wrong_words_are_refused);
    tcase_add_test(commands, each_site_has_the_tag_of_its_folder);
    suite_add_tcase(all, commands);
    tcase_add_checked_fixture(unchecked, setup_unchecked, teardown);
    tcase_set_timeout(unchecked, 120);
    tcase_add_test(unchecked, mem_agrees_with_the_library);
    tcase_add_test(unchecked, top_has_the_librarys_numbers);
    tcase_add_test(unchecked, what_a_command_holds_shows_at_its_site);
    tcase_add_test(unchecked, leaks_are_what_is_more_than_at_first);
    tcase_add_test(unchecked, caches_hold_what_they_say);
    tcase_add_test(unchecked, looking_takes_no_memory);
    suite_add_tcase(all, unchecked);
    tcase_set_timeout(sizes, 120);
    tcase_add_test(sizes, the_map_shows_every_frame);
    tcase_add_test(sizes, every_allocator_can_be_looked_at);
    suite_add_tcase(all, sizes);
    return all;
}

int main(void)
{
    return os_run_suite(suite());
}
