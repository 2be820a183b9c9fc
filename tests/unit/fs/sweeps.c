/* SPDX-License-Identifier: MIT */
/*
 * sweeps.c: whatever fails while files are changed, no file is the worse for it.
 *
 * A script of operations is run on a volume as often as it has requests to the card, or
 * allocations; in the i-th run the i-th fails, or it and all that follow. What the operations that
 * succeeded should have led to is known from a run in which only these are done and nothing fails.
 *
 * 1. The first operation that fails tells why: -EIO, or -ENOMEM.
 * 2. As long as the card works again before the unmount, all that has succeeded is there, nothing
 * of what has failed is, and the volume is in order.
 * 3. If it does not, or the power goes, then after the next mount the tree is what it was after
 * some operation that was not before the last sync that succeeded, and the volume is in order.
 * 4. No memory is left behind.
 */
#include "../fake_hal.h"
#include "../fake_heap.h"
#include "store.h"

#include <hal/block.h>
#include <hal/errno.h>

#include "../../marks.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RAM (1u << 20)
#define TEXT_MAX 8192u
#define CONTENT_MAX 32768u

/* ---- scripts ---- */

enum action { CREATE, MKDIR, UNLINK, RMDIR, RENAME, WRITE, CUT, SYNC };

struct step {
    enum action action;
    const char *path;
    const char *to;
    uint32_t offset, n; /* of a write; the size of a cut */
};

#define LONG_A "/a name that takes up three slots"
#define LONG_B "/another long name for the directory"

static const struct step prepared[] = {
    {CREATE, "/old", NULL, 0, 0},         {WRITE, "/old", NULL, 0, 6000},
    {CREATE, "/target", NULL, 0, 0},      {WRITE, "/target", NULL, 0, 3000},
    {MKDIR, "/dir", NULL, 0, 0},          {CREATE, "/dir/inside", NULL, 0, 0},
    {WRITE, "/dir/inside", NULL, 0, 700}, {MKDIR, "/dir/empty", NULL, 0, 0},
};

static const struct step entries[] = {
    {CREATE, "/new", NULL, 0, 0},
    {MKDIR, LONG_B, NULL, 0, 0},
    {CREATE, LONG_B LONG_A, NULL, 0, 0},
    {RENAME, LONG_B LONG_A, "/dir/x", 0, 0},
    {SYNC, NULL, NULL, 0, 0},
    {RENAME, "/dir/inside", "/target", 0, 0},
    {RENAME, "/dir/empty", "/moved", 0, 0},
    {UNLINK, "/old", NULL, 0, 0},
    {SYNC, NULL, NULL, 0, 0},
    {RMDIR, "/moved", NULL, 0, 0},
    {RENAME, LONG_B, "/dir/y", 0, 0},
    {UNLINK, "/dir/x", NULL, 0, 0},
};

/* Chains that one transaction cannot free. */
static const struct step large[] = {
    {CREATE, "/large", NULL, 0, 0},   {CUT, "/large", NULL, 0, 520000},
    {SYNC, NULL, NULL, 0, 0},         {CUT, "/large", NULL, 0, 1000},
    {CUT, "/large", NULL, 0, 520000}, {RENAME, "/old", "/large", 0, 0},
    {CUT, "/large", NULL, 0, 0},      {CREATE, "/more", NULL, 0, 0},
    {CUT, "/more", NULL, 0, 510000},  {SYNC, NULL, NULL, 0, 0},
    {UNLINK, "/more", NULL, 0, 0},
};

static const struct step contents[] = {
    {CREATE, "/new", NULL, 0, 0},
    {WRITE, "/new", NULL, 0, 100},
    {WRITE, "/new", NULL, 100, 5000},
    {SYNC, NULL, NULL, 0, 0},
    {WRITE, "/new", NULL, 9000, 1000},
    {CUT, "/old", NULL, 0, 10},
    {CUT, "/target", NULL, 0, 20000},
    {SYNC, NULL, NULL, 0, 0},
    {CUT, "/new", NULL, 0, 0},
    {WRITE, "/new", NULL, 0, 30000},
    {WRITE, "/dir/inside", NULL, 700, 1},
    {UNLINK, "/target", NULL, 0, 0},
};

/* Longer than a batch, on a directory that has to grow. */
static struct step many[60];
static char many_names[30][40];

static void make_many(void)
{
    for (unsigned i = 0; i < 30; i++) {
        snprintf(many_names[i], sizeof many_names[i], "/dir/one of very many, number %u", i);
        many[2 * i] = (struct step){CREATE, many_names[i], NULL, 0, 0};
        many[2 * i + 1] = i % 10 == 9 ? (struct step){SYNC, NULL, NULL, 0, 0}
                          : i % 3     ? (struct step){WRITE, many_names[i], NULL, 0, 900}
                                      : (struct step){UNLINK, many_names[i], NULL, 0, 0};
    }
}

static const struct script {
    const struct step *steps;
    unsigned count;
    uint32_t reserved; /* sectors; few of them: no record */
} scripts[] = {
    {entries, sizeof entries / sizeof entries[0], 0},
    {contents, sizeof contents / sizeof contents[0], 0},
    {many, sizeof many / sizeof many[0], 0},
    {large, sizeof large / sizeof large[0], 0},
    {entries, sizeof entries / sizeof entries[0], 9},
    {contents, sizeof contents / sizeof contents[0], 9},
};
#define SCRIPTS (sizeof scripts / sizeof scripts[0])

static uint8_t data[CONTENT_MAX];

static int run_write(const struct step *step)
{
    int64_t n;

    /* The same bytes at the same place in each run. */
    for (uint32_t i = 0; i < step->n; i++)
        data[i] = (uint8_t)(step->offset + i * 7 + step->path[1]);
    n = store_write(step->path, step->offset, data, step->n);
    return n < 0 ? (int)n : n == step->n ? 0 : -EIO;
}

static int run_step(const struct step *step)
{
    switch (step->action) {
    case CREATE:
        return store_create(step->path);
    case MKDIR:
        return store_mkdir(step->path);
    case UNLINK:
        return store_unlink(step->path);
    case RMDIR:
        return store_rmdir(step->path);
    case RENAME:
        return store_rename(step->path, step->to);
    case WRITE:
        return run_write(step);
    case CUT:
        return store_truncate(step->path, step->n);
    case SYNC:
        return store_sync();
    }
    return -EINVAL;
}

/* ---- the tree as text ---- */

static int64_t sum_up(const char *path, uint32_t *sum)
{
    int64_t n, all = 0;

    while ((n = store_read(path, (uint64_t)all, data, sizeof data)) > 0) {
        for (int64_t i = 0; i < n; i++)
            *sum = *sum * 31 + data[i];
        all += n;
    }
    return n < 0 ? n : all;
}

static bool without_sums; /* what is in files does not count */

static void describe(const char *path, char *text)
{
    static struct directory_entry entry;
    struct vnode *directory;
    uint64_t position = 0;
    char child[VFS_NAME_MAX + 300];
    int error = store_lookup(path, &directory);

    ck_assert_int_eq(error, 0);
    while ((error = directory->ops->iterate(directory, &position, &entry)) == 0) {
        bool is_directory = entry.attributes.type == VNODE_DIRECTORY;
        uint32_t sum = 0;
        int64_t n = 0;

        snprintf(child, sizeof child, "%s/%s", path, entry.name);
        if (!is_directory)
            n = sum_up(child, &sum);
        if (without_sums)
            sum = 0;
        ck_assert_int_eq(n, (int64_t)entry.attributes.size);
        ck_assert(strlen(text) + strlen(child) + 40 < TEXT_MAX);
        sprintf(text + strlen(text), "%s %lld %08x\n", child, is_directory ? -1LL : (long long)n,
                sum);
        if (is_directory)
            describe(child, text);
    }
    ck_assert_int_eq(error, -ENOENT);
    vnode_put(directory);
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lines of the tree in the order of their names. */
static char *tree_text(void)
{
    static char text[TEXT_MAX];
    char *lines[200], *sorted = calloc(1, TEXT_MAX);
    unsigned count = 0;

    text[0] = '\0';
    describe("", text);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        lines[count++] = line;
    qsort(lines, count, sizeof lines[0], compare_lines);
    for (unsigned i = 0; i < count; i++) {
        strcat(sorted, lines[i]);
        strcat(sorted, "\n");
    }
    return sorted;
}

/* ---- runs ---- */

#define STEPS_MAX 64u

static const struct script *script;
static uint8_t *image; /* of the prepared volume */
static size_t image_bytes;

static bool succeeded[STEPS_MAX];
static int first_error;

static void prepare(unsigned number)
{
    const struct mkfs_options options = {
        .sectors = 1200, .cluster_bytes = 512, .reserved = scripts[number].reserved};

    make_many();
    script = &scripts[number];
    store_make_with(&options);
    store_start(RAM);
    memset(&fake_heap, 0, sizeof fake_heap);
    ck_assert_int_eq(store_mount(), 0);
    for (unsigned i = 0; i < sizeof prepared / sizeof prepared[0]; i++)
        ck_assert_int_eq(run_step(&prepared[i]), 0);
    store_unmount();
    image_bytes = store.size;
    image = malloc(image_bytes);
    memcpy(image, store.bytes, image_bytes);
}

static void forgive(void)
{
    store.fail_at = store.fail_from = 0;
    fake_heap.fail_at = fake_heap.fail_from = 0;
}

/* Mounts the prepared volume, with what is going to fail set, and does all steps. False: it does
 * not mount, or only to be read. */
static bool run_script(void)
{
    first_error = 0;
    memset(succeeded, 0, sizeof succeeded);
    if (store_mount()) {
        store.root = NULL;
        return false;
    }
    for (unsigned i = 0; i < script->count; i++) {
        int error = run_step(&script->steps[i]);

        succeeded[i] = error == 0;
        if (error && !first_error)
            first_error = error;
    }
    return store_is_writable();
}

/* Trees that are known, by the steps that lead to them. */
#define KNOWN_MAX 2000u

static struct {
    uint64_t steps;
    char *text, *text_without_sums;
} known[KNOWN_MAX];
static unsigned known_count;

static char *make_tree(uint64_t steps, bool sums)
{
    bool was = without_sums;
    char *text;

    memcpy(store.bytes, image, image_bytes);
    ck_assert_int_eq(store_mount(), 0);
    for (unsigned i = 0; i < script->count; i++)
        if (steps >> i & 1)
            ck_assert_int_eq(run_step(&script->steps[i]), 0);
    without_sums = !sums;
    text = tree_text();
    without_sums = was;
    store_unmount();
    return text;
}

/* What the steps before `end` that succeeded lead to, in a run without faults. */
static const char *reference(unsigned end)
{
    uint64_t steps = 0;
    unsigned at = 0;

    for (unsigned i = 0; i < end && i < script->count; i++)
        steps |= (uint64_t)succeeded[i] << i;
    while (at < known_count && known[at].steps != steps)
        at++;
    ck_assert_uint_lt(at, KNOWN_MAX);
    if (at == known_count) {
        known[at].steps = steps;
        known[at].text = make_tree(steps, true);
        known[at].text_without_sums = make_tree(steps, false);
        known_count++;
    }
    return without_sums ? known[at].text_without_sums : known[at].text;
}

static void forget_references(void)
{
    while (known_count > 0) {
        free(known[--known_count].text);
        free(known[known_count].text_without_sums);
    }
}

static void finish(void)
{
    store_finish();
    forget_references();
    free(image);
    free(fake.ram);
    fake.ram = NULL;
}

static void check_order(const char *what, uint64_t run)
{
    bool good = store_passes(CHECK_UNTIDY) ||
                strcmp(store.finding, "the FAT says that the medium had errors") == 0;

    ck_assert_msg(good, "%s, run %llu: %s\n%s", what, (unsigned long long)run, store.finding,
                  fake.console);
    ck_assert_int_eq(fake_heap.live, 0);
}

/* Mounts what is on the card, which is all there is now. */
static char *remount(const char *what, uint64_t run)
{
    char *text;

    ck_assert_msg(store_passes(CHECK_DAMAGE), "%s, run %llu, raw: %s", what,
                  (unsigned long long)run, store.finding);
    ck_assert_int_eq(store_mount(), 0);
    ck_assert_msg(store_is_writable(), "%s, run %llu: read-only\n%s", what, (unsigned long long)run,
                  fake.console);
    text = tree_text();
    store_unmount();
    check_order(what, run);
    return text;
}

static void check_equal(const char *what, uint64_t run, char *text)
{
    const char *expected = reference(script->count);

    ck_assert_msg(strcmp(text, expected) == 0, "%s, run %llu:\n%s\nshould be\n%s", what,
                  (unsigned long long)run, text, expected);
    free(text);
}

/* The tree is one of those since the last sync. Without a record, a rename is not that safe. */
static void check_prefix(const char *what, uint64_t run, char *text)
{
    unsigned first = script->count;
    bool found = script->reserved > 0 && script->steps == entries;

    while (first > 0 && !(succeeded[first - 1] && script->steps[first - 1].action == SYNC))
        first--;
    for (unsigned end = script->count + 1; end-- > first && !found;)
        found = strcmp(text, reference(end)) == 0;
    ck_assert_msg(found, "%s, run %llu: the tree is none since the last sync:\n%s", what,
                  (unsigned long long)run, text);
    free(text);
}

static void start_run(void)
{
    memcpy(store.bytes, image, image_bytes);
    store.requests = store.torn = 0;
    fake_heap.allocations = 0;
    fake.console_used = 0;
    fake.console[0] = '\0';
}

/* How many requests or allocations a run has. */
static uint64_t count_events(bool memory)
{
    start_run();
    ck_assert(run_script());
    ck_assert_int_eq(first_error, 0);
    store_unmount();
    check_order("count", 0);
    return memory ? fake_heap.allocations : store.requests;
}

static void demand_error(int wanted, uint64_t run)
{
    bool good = first_error == 0 || first_error == wanted ||
                (first_error == -EROFS && store.root && !store_is_writable());

    ck_assert_msg(good, "run %llu: error %d", (unsigned long long)run, first_error);
}

/* The power goes, and what is on the card is all there is. A sector of garbage may be anywhere: it
 * has to be noticed, by fsck or by the mount, unless it is in the middle of a file that was being
 * written. */
static struct {
    unsigned by_fsck, at_mount, harmless;
} noticed;

static void cut_power(const char *what, uint64_t run)
{
    char *text = NULL;

    if (store.tear != STORE_GARBAGE) {
        check_prefix(what, run, remount(what, run));
        return;
    }
    if (!store_passes(CHECK_DAMAGE)) {
        noticed.by_fsck++;
        return;
    }
    without_sums = true;
    if (store_mount() == 0 && store_is_writable())
        text = tree_text();
    if (store.root)
        store_unmount();
    if (text && !strstr(fake.console, "cannot be completed")) {
        check_prefix(what, run, text);
        noticed.harmless++;
    } else {
        free(text);
        noticed.at_mount++;
    }
    without_sums = false;
}

/* True if nothing was torn after all: that is tried without tearing. */
static bool is_known(void)
{
    return store.tear != STORE_NOTHING && store.torn == 0;
}

/* The card fails once; later it works, and the volume is unmounted, or the power goes. */
static void fail_once(uint64_t run)
{
    uint8_t *cut = malloc(image_bytes);

    start_run();
    store.fail_at = run;
    if (!run_script() && !store.root) {
        forgive();
        check_order("not mounted", run);
    } else {
        demand_error(-EIO, run);
        memcpy(cut, store.bytes, image_bytes);
        store_unmount();
        forgive();
        if (!is_known()) {
            check_order("once", run);
            check_equal("once", run, remount("once", run));
            memcpy(store.bytes, cut, image_bytes);
            cut_power("once, cut", run);
        }
    }
    free(cut);
}

/* The card fails for ever. */
static void fail_always(uint64_t run)
{
    start_run();
    store.fail_from = run;
    (void)run_script();
    demand_error(-EIO, run);
    if (store.root)
        store_unmount();
    forgive();
    if (!is_known())
        cut_power("always", run);
}

static void sweep_requests(unsigned number, enum store_tear tear, const char *how)
{
    uint64_t count;

    prepare(number);
    count = count_events(false);
    ck_assert_uint_gt(count, 20);
    store.tear = tear;
    for (uint64_t run = 1; run <= count; run++) {
        fail_once(run);
        fail_always(run);
    }
    printf("# script %u: %llu requests, each failed once and for ever%s\n", number,
           (unsigned long long)count, how);
    if (tear == STORE_GARBAGE)
        printf("# the power went then: %u seen by fsck, %u at the mount, %u harmless\n",
               noticed.by_fsck, noticed.at_mount, noticed.harmless);
    finish();
}

START_TEST(the_card_may_fail_once_or_for_ever)
{
    sweep_requests((unsigned)_i, STORE_NOTHING, "");
}
END_TEST

START_TEST(half_of_what_fails_may_be_on_the_card)
{
    sweep_requests((unsigned)_i, STORE_HALF, ", half of it written");
}
END_TEST

START_TEST(a_sector_of_what_fails_may_be_garbage)
{
    sweep_requests((unsigned)_i, STORE_GARBAGE, ", a sector of it garbage");
}
END_TEST

static void run_short_of_memory(uint64_t run, bool always)
{
    start_run();
    if (always)
        fake_heap.fail_from = run;
    else
        fake_heap.fail_at = run;
    (void)run_script();
    demand_error(-ENOMEM, run);
    if (store.root) {
        store_unmount();
        forgive();
        check_order("memory", run);
        check_equal("memory", run, remount("memory", run));
    }
    forgive();
    check_order("memory", run);
}

START_TEST(memory_may_run_out)
{
    uint64_t count;

    prepare((unsigned)_i);
    count = count_events(true);
    ck_assert_uint_gt(count, 20);
    for (uint64_t run = 1; run <= count; run++) {
        run_short_of_memory(run, false);
        run_short_of_memory(run, true);
    }
    printf("# script %d: %llu allocations, each failed once and for ever\n", _i,
           (unsigned long long)count);
    finish();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fs sweeps");
    TCase *tests = tcase_create("sweeps");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_set_timeout(tests, 240);
    tcase_add_loop_test(tests, the_card_may_fail_once_or_for_ever, 0, SCRIPTS);
    tcase_add_loop_test(tests, half_of_what_fails_may_be_on_the_card, 0, SCRIPTS);
    tcase_add_loop_test(tests, a_sector_of_what_fails_may_be_garbage, 0, SCRIPTS);
    tcase_add_loop_test(tests, memory_may_run_out, 0, SCRIPTS);
    suite_add_tcase(suite, tests);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
