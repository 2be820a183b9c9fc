/* SPDX-License-Identifier: MIT */
/*
 * test_lib.c: strings, formatted text, lists, trees, bitmaps, the log, and the line discipline of
 * the console. The unit tests on the host go further; these show that the same holds where the
 * kernel runs.
 */
#include "ktest/tests.h"
#include "lib/bitmap.h"
#include "lib/format.h"
#include "lib/list.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/tree.h"
#include "proc/signal.h"
#include "tty/discipline/discipline.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/runtime.h>

/* ---- strings ---- */

void test_string_numbers(struct ktest_run *run)
{
    const char *end;
    uint64_t n;

    KTEST_EXPECT(run, string_to_u64("18446744073709551615x", &n, &end) == 0);
    KTEST_EXPECT(run, n == UINT64_MAX && *end == 'x');
    KTEST_EXPECT(run, string_to_u64("18446744073709551616", &n, &end) == -ERANGE);
    KTEST_EXPECT(run, string_to_u64("0xDeadBeef", &n, &end) == 0 && n == 0xDEADBEEF);
    KTEST_EXPECT(run, string_to_u64("", &n, &end) == -EINVAL);
    KTEST_EXPECT(run, string_to_u64("-1", &n, &end) == -EINVAL);
}

void test_string_durations(struct ktest_run *run)
{
    uint64_t ns;

    KTEST_EXPECT(run, string_to_duration("250ms", 1, &ns) == 0 && ns == 250000000);
    KTEST_EXPECT(run, string_to_duration("2", 1000000000, &ns) == 0 && ns == 2000000000);
    KTEST_EXPECT(run, string_to_duration("1m", 1, &ns) == 0 && ns == UINT64_C(60000000000));
    KTEST_EXPECT(run, string_to_duration("5parsecs", 1, &ns) == -EINVAL);
    KTEST_EXPECT(run, string_to_duration("99999999999999999999s", 1, &ns) == -ERANGE);
}

void test_string_copy(struct ktest_run *run)
{
    char to[4] = "???";

    KTEST_EXPECT(run, string_copy(to, sizeof(to), "abc") && string_equal(to, "abc"));
    KTEST_EXPECT(run, !string_copy(to, sizeof(to), "abcd") && string_equal(to, "abc"));
    KTEST_EXPECT(run, string_compare("a", "b") < 0 && string_compare("\xC3", "a") > 0);
    KTEST_EXPECT(run, string_equal_nocase("ReadMe", "README") && !string_equal("a", "A"));
}

/* ---- formatted text ---- */

void test_format_conversions(struct ktest_run *run)
{
    char to[64];

    format_text(to, sizeof(to), "%d|%5d|%-5d|%05d|%+d", -7, -7, -7, -7, 7);
    KTEST_EXPECT(run, string_equal(to, "-7|   -7|-7   |-0007|+7"));
    format_text(to, sizeof(to), "%x|%#X|%o|%llu", 255u, 255u, 8u, (unsigned long long)UINT64_MAX);
    KTEST_EXPECT(run, string_equal(to, "ff|0XFF|10|18446744073709551615"));
    format_text(to, sizeof(to), "%s|%.2s|%6s|%c|%%", "abc", "abc", "abc", 'x');
    KTEST_EXPECT(run, string_equal(to, "abc|ab|   abc|x|%"));
}

void test_format_cut(struct ktest_run *run)
{
    char to[5] = "????";

    KTEST_EXPECT(run, format_text(to, sizeof(to), "%s", "abcdefgh") == 8);
    KTEST_EXPECT(run, string_equal(to, "abcd"));
    KTEST_EXPECT(run, format_text(NULL, 0, "%d", 12345) == 5);
}

/* ---- lists, trees, bitmaps and the log ---- */

struct item {
    int value;
    struct list link;
    struct tree_node node;
};

void test_list_order(struct ktest_run *run)
{
    struct item items[3] = {{.value = 1}, {.value = 2}, {.value = 3}};
    struct list head;
    int order = 0;

    list_init(&head);
    KTEST_EXPECT(run, list_empty(&head) && list_take_head(&head) == NULL);
    list_add_tail(&head, &items[1].link);
    list_add_tail(&head, &items[2].link);
    list_add_head(&head, &items[0].link);
    list_for_each (link, &head)
        order = order * 10 + list_entry(link, struct item, link)->value;
    KTEST_EXPECT(run, order == 123);
    list_remove(&items[1].link);
    list_remove(&items[1].link); /* a link that is on no list is let be */
    KTEST_EXPECT(run, list_take_head(&head) == &items[0].link);
    KTEST_EXPECT(run, list_take_head(&head) == &items[2].link && list_empty(&head));
}

static int compare_value(const void *key, const struct tree_node *node)
{
    const int *value = key;

    return *value - tree_entry(node, struct item, node)->value;
}

void test_tree_order(struct ktest_run *run)
{
    struct item items[7];
    struct tree tree;
    int key = 3, order = 0;

    tree_init(&tree);
    for (int i = 0; i < 7; i++) {
        items[i].value = i * 3 % 7; /* 0 3 6 2 5 1 4 */
        tree_insert(&tree, &items[i].node, &items[i].value, compare_value);
    }
    tree_for_each (node, &tree)
        order = order * 10 + tree_entry(node, struct item, node)->value;
    KTEST_EXPECT(run, order == 123456);
    KTEST_EXPECT(run, tree_find(&tree, &key, compare_value) == &items[1].node);
    tree_remove(&tree, &items[1].node);
    KTEST_EXPECT(run, tree_find(&tree, &key, compare_value) == NULL);
    KTEST_EXPECT(run, tree_lower_bound(&tree, &key, compare_value) == &items[6].node);
    KTEST_EXPECT(run, tree_previous(&items[6].node) == &items[3].node);
    KTEST_EXPECT(run, tree_last(&tree) == &items[2].node && tree_first(&tree) == &items[0].node);
}

void test_tree_height(struct ktest_run *run)
{
    static const unsigned sizes[] = {1, 3, 4, 7, 40};
    static const unsigned heights[] = {1, 2, 3, 3, 7}; /* at most */
    struct item items[40];

    for (unsigned i = 0; i < 5; i++) {
        struct tree tree;

        tree_init(&tree);
        for (unsigned n = 0; n < sizes[i]; n++) {
            items[n].value = (int)n;
            tree_insert(&tree, &items[n].node, &items[n].value, compare_value);
        }
        KTEST_EXPECT(run, tree.root->height <= heights[i]);
        tree_for_each_safe (node, &tree)
            tree_remove(&tree, node);
        KTEST_EXPECT(run, tree_empty(&tree) && tree_first(&tree) == NULL);
    }
}

void test_bitmap_runs(struct ktest_run *run)
{
    uint64_t map[BITMAP_WORDS(130)] = {0};

    bitmap_set_run(map, 60, 8);
    KTEST_EXPECT(run, bitmap_count(map, 130) == 8);
    KTEST_EXPECT(run, bitmap_find_set(map, 130, 0) == 60 && bitmap_find_set(map, 130, 68) == 130);
    KTEST_EXPECT(run, bitmap_find_clear(map, 130, 60) == 68);
    KTEST_EXPECT(run, bitmap_find_clear_run(map, 130, 0, 61) == 68);
    KTEST_EXPECT(run, bitmap_find_clear_run(map, 130, 0, 63) == 130);
    bitmap_clear(map, 64);
    KTEST_EXPECT(run, !bitmap_test(map, 64) && bitmap_test(map, 63) && bitmap_test(map, 65));
    bitmap_clear_run(map, 0, 130);
    KTEST_EXPECT(run, bitmap_find_set(map, 130, 0) == 130);
}

void test_log_keeps(struct ktest_run *run)
{
    struct klog_line line = {.number = 0};
    bool found = false;

    klog(KLOG_DEBUG, "ktest: the answer is %d", 42);
    for (uint64_t n = 1; klog_read(n, &line) == 0; n = line.number + 1)
        found = found ||
                (string_equal(line.text, "ktest: the answer is 42") && line.level == KLOG_DEBUG);
    KTEST_EXPECT(run, found);
    KTEST_EXPECT(run, klog_read(line.number + 1000, &line) == -ENOENT);
}

/* ---- the line discipline ---- */

/* What was typed, echoed, and read in the end. */
static KSTATE struct typed {
    struct discipline discipline;
    char echo[64];
    size_t echoed;
    unsigned signal;
    char text[64];
    size_t read;
} typed;

static void typed_put(void *context, uint8_t byte)
{
    (void)context;
    if (typed.echoed < sizeof(typed.echo) - 1)
        typed.echo[typed.echoed++] = (char)byte;
    typed.echo[typed.echoed] = '\0';
}

static void typed_signal(void *context, unsigned signal, bool flush)
{
    (void)context, (void)flush;
    typed.signal = signal;
}

static void typed_flow(void *context)
{
    (void)context;
}

/* Types `text` on a new terminal; true if there is something to be read, which is then. */
static bool type(const char *text)
{
    static const struct discipline_ops ops = {
        .put = typed_put, .signal = typed_signal, .flow = typed_flow};
    bool has;

    memset(&typed, 0, sizeof(typed));
    discipline_init(&typed.discipline, &ops, NULL);
    (void)!discipline_input(&typed.discipline, (const uint8_t *)text, string_length(text));
    has = discipline_has(&typed.discipline);
    typed.read = discipline_take(&typed.discipline, (uint8_t *)typed.text, sizeof(typed.text) - 1);
    return has;
}

void test_line_erase(struct ktest_run *run)
{
    KTEST_EXPECT(run, type("abx\177c\r") && string_equal(typed.text, "abc\n"));
    KTEST_EXPECT(run, string_equal(typed.echo, "abx\b \bc\r\n"));
    KTEST_EXPECT(run, type("abä\177\177c\n") && string_equal(typed.text, "ac\n"));
    KTEST_EXPECT(run, type("one two\027three\n") && string_equal(typed.text, "one three\n"));
    KTEST_EXPECT(run, type("one two\025three\n") && string_equal(typed.text, "three\n"));
    KTEST_EXPECT(run, type("\177\n") && string_equal(typed.echo, "\r\n"));
}

void test_line_ends(struct ktest_run *run)
{
    KTEST_EXPECT(run, type("a\r") && string_equal(typed.text, "a\n"));
    KTEST_EXPECT(run, !type("a"));
    KTEST_EXPECT(run, type("a\004") && string_equal(typed.text, "a"));
    KTEST_EXPECT(run, type("\004") && typed.read == 0);
    KTEST_EXPECT(run, !type("a\003") && typed.signal == SIGNAL_INT);
}

void test_line_limit(struct ktest_run *run)
{
    const uint8_t x = 'x', end = '\n';

    (void)type("");
    for (unsigned i = 0; i < DISCIPLINE_BYTES + 5; i++)
        KTEST_EXPECT(run, discipline_input(&typed.discipline, &x, 1) == 1);
    KTEST_EXPECT(run, discipline_kept(&typed.discipline) == DISCIPLINE_BYTES);
    KTEST_EXPECT(run, discipline_input(&typed.discipline, &end, 1) == 1);
    KTEST_EXPECT(run, discipline_count(&typed.discipline) == DISCIPLINE_BYTES);
    KTEST_EXPECT(run, discipline_input(&typed.discipline, &x, 1) == 0);
}
