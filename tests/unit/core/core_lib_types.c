/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. A list keeps order through adding and removing at both ends and in the middle, as an array
 * does that is changed in the same way.
 *  2. A tree holds what an array that is sorted after each step holds, equal objects in the order
 * in which they came; after each step every node's height is right, its sides differ by one at
 * most, its children know it, and the first node is the one at hand.
 * An object can take the place of another one, and one whose key is there already is told apart.
 *  3. Walking, searching and taking out work at any node, also while walking.
 *  4. Inserted in order, 10,000 objects make a tree of at most 20 levels.
 *  5. A bitmap does what an array of bool does, for every start, end and length around the borders
 * of words, and leaves the bits behind its end alone.
 */
#include "lib/bitmap.h"
#include "lib/list.h"
#include "lib/tree.h"

#include "../../marks.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Numbers by chance that are the same in each run. */
static uint64_t chance;

static unsigned random_below(unsigned n)
{
    chance = chance * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (unsigned)(chance >> 33) % n;
}

/* ---- lists ---- */

#define ITEMS 24

struct item {
    struct list link;
    struct tree_node node;
    int key;
};

static struct item *model[ITEMS];
static unsigned model_size;

static void model_insert(unsigned at, struct item *item)
{
    memmove(&model[at + 1], &model[at], (model_size - at) * sizeof model[0]);
    model[at] = item;
    model_size++;
}

static struct item *model_remove(unsigned at)
{
    struct item *item = model[at];

    model_size--;
    memmove(&model[at], &model[at + 1], (model_size - at) * sizeof model[0]);
    return item;
}

static void assert_list_is_model(struct list *head)
{
    unsigned i = 0;

    list_for_each (link, head) {
        ck_assert(i < model_size);
        ck_assert(list_entry(link, struct item, link) == model[i]);
        ck_assert(link->next->prev == link);
        i++;
    }
    ck_assert(i == model_size);
    ck_assert(list_empty(head) == (model_size == 0));
}

static void list_step(struct list *head, struct item *item)
{
    unsigned at = model_size ? random_below(model_size) : 0;

    switch (random_below(5)) {
    case 0:
        list_add_head(head, &item->link);
        model_insert(0, item);
        break;
    case 1:
        list_add_tail(head, &item->link);
        model_insert(model_size, item);
        break;
    case 2:
        list_insert_before(&item->link, model_size ? &model[at]->link : head);
        model_insert(at, item);
        break;
    case 3:
        if (model_size)
            ck_assert(list_take_head(head) == &model_remove(0)->link);
        break;
    default:
        if (model_size) {
            list_remove(&model[at]->link);
            ck_assert(list_empty(&model_remove(at)->link));
        }
    }
}

START_TEST(a_list_is_what_an_array_is)
{
    static struct item items[ITEMS];
    struct list head;

    chance = (uint64_t)_i;
    model_size = 0;
    list_init(&head);
    for (unsigned i = 0; i < ITEMS; i++)
        list_init(&items[i].link);
    for (unsigned step = 0; step < 2000; step++) {
        struct item *item = NULL;

        for (unsigned i = 0; i < ITEMS && !item; i++)
            item = list_empty(&items[i].link) ? &items[i] : NULL;
        /* A ring of one points at itself too: a full list only loses. */
        if (!item || model_size >= ITEMS - 1)
            list_remove(&model_remove(random_below(model_size))->link);
        else
            list_step(&head, item);
        assert_list_is_model(&head);
    }
}
END_TEST

START_TEST(a_list_can_be_emptied_while_walking)
{
    struct item items[5];
    struct list head;
    unsigned seen = 0;

    list_init(&head);
    ck_assert_ptr_null(list_take_head(&head));
    for (unsigned i = 0; i < 5; i++)
        list_add_tail(&head, &items[i].link);
    list_for_each_safe (link, &head) {
        ck_assert(link == &items[seen++].link);
        list_remove(link);
        list_remove(link); /* it is on no list, and nothing happens */
        memset(link, 0xee, sizeof *link);
    }
    ck_assert(seen == 5);
    ck_assert(list_empty(&head));
}
END_TEST

/* ---- trees ---- */

static int compare_key(const void *key, const struct tree_node *node)
{
    const int *wanted = key;
    int other = tree_entry(node, struct item, node)->key;

    return (*wanted > other) - (*wanted < other);
}

/* The height of the tree at `node`, after checking all of it. */
static unsigned check_node(const struct tree_node *node, const struct tree_node *parent)
{
    unsigned left, right;

    if (!node)
        return 0;
    ck_assert(node->parent == parent);
    left = check_node(node->child[0], node);
    right = check_node(node->child[1], node);
    ck_assert(left <= right + 1 && right <= left + 1);
    ck_assert(node->height == ((left > right ? left : right) + 1));
    return node->height;
}

static void assert_tree_is_model(const struct tree *tree)
{
    const struct tree_node *last = NULL;
    unsigned i = 0;

    (void)check_node(tree->root, NULL);
    ck_assert(tree_empty(tree) == (model_size == 0));
    tree_for_each (node, tree) {
        ck_assert(i < model_size);
        ck_assert(tree_entry(node, struct item, node) == model[i]);
        ck_assert(tree_previous(node) == last);
        ck_assert(tree_linked(node));
        last = node;
        i++;
    }
    ck_assert(i == model_size);
    ck_assert(tree_last(tree) == last);
    ck_assert(tree_first(tree) == (model_size ? &model[0]->node : NULL));
}

static void assert_searches_agree(const struct tree *tree, int keys)
{
    for (int key = -1; key <= keys; key++) {
        struct tree_node *bound = tree_lower_bound(tree, &key, compare_key);
        unsigned i = 0;

        while (i < model_size && model[i]->key < key)
            i++;
        ck_assert(bound == (i < model_size ? &model[i]->node : NULL));
        ck_assert(tree_find(tree, &key, compare_key) ==
                  (i < model_size && model[i]->key == key ? bound : NULL));
    }
}

static void insert_both(struct tree *tree, struct item *item, int key)
{
    unsigned at = 0;

    while (at < model_size && model[at]->key <= key)
        at++;
    item->key = key;
    model_insert(at, item);
    tree_insert(tree, &item->node, &item->key, compare_key);
}

/* Inserts `item` unless its key is there; what is there must be the one of that key. */
static void insert_new_both(struct tree *tree, struct item *item, int key)
{
    unsigned at = 0;
    struct tree_node *there;

    while (at < model_size && model[at]->key < key)
        at++;
    there = tree_insert_new(tree, &item->node, &key, compare_key);
    if (at < model_size && model[at]->key == key) {
        ck_assert(tree_entry(there, struct item, node)->key == key);
        ck_assert(!tree_linked(&item->node));
        return;
    }
    ck_assert(!there);
    item->key = key;
    model_insert(at, item);
}

static void remove_both(struct tree *tree, struct item *item)
{
    for (unsigned i = 0; i < model_size; i++) {
        if (model[i] == item) {
            (void)model_remove(i);
            break;
        }
    }
    tree_remove(tree, &item->node);
    ck_assert(!tree_linked(&item->node));
    tree_remove(tree, &item->node); /* it is in no tree, and nothing happens */
}

/* `heir` takes the place of one by chance. */
static void replace_both(struct tree *tree, struct item *heir)
{
    unsigned at = random_below(model_size);
    struct item *item = model[at];

    heir->key = item->key;
    model[at] = heir;
    tree_replace(tree, &item->node, &heir->node);
    ck_assert(!tree_linked(&item->node));
}

static void tree_step(struct tree *tree, struct item *item, int key)
{
    unsigned kind = random_below(4);

    if (tree_linked(&item->node))
        remove_both(tree, item);
    else if (kind == 0 && model_size > 0)
        replace_both(tree, item);
    else if (kind == 1)
        insert_new_both(tree, item, key);
    else
        insert_both(tree, item, key);
}

START_TEST(a_tree_is_what_a_sorted_array_is)
{
    static struct item items[ITEMS];
    struct tree tree;
    int keys = _i % 2 ? 6 : 1000; /* few keys: many equal ones */

    chance = (uint64_t)_i;
    model_size = 0;
    tree_init(&tree);
    for (unsigned i = 0; i < ITEMS; i++)
        tree_node_init(&items[i].node);
    for (unsigned step = 0; step < 3000; step++) {
        tree_step(&tree, &items[random_below(ITEMS)], (int)random_below((unsigned)keys));
        assert_tree_is_model(&tree);
        if (step % 16 == 0)
            assert_searches_agree(&tree, keys < 10 ? keys : 50);
    }
}
END_TEST

START_TEST(each_node_of_each_shape_can_go_first)
{
    static struct item items[ITEMS];
    struct tree tree;

    for (unsigned size = 1; size <= 12; size++) {
        for (unsigned gone = 0; gone < size; gone++) {
            model_size = 0;
            tree_init(&tree);
            for (unsigned i = 0; i < size; i++)
                insert_both(&tree, &items[i], (int)(_i ? i : size - i));
            tree_remove(&tree, &model_remove(gone)->node);
            assert_tree_is_model(&tree);
        }
    }
}
END_TEST

START_TEST(a_tree_can_be_emptied_while_walking)
{
    static struct item items[ITEMS];
    struct tree tree;
    int expected = 0;

    model_size = 0;
    tree_init(&tree);
    tree_for_each_safe (node, &tree)
        ck_abort_msg("the empty tree has a node");
    for (unsigned i = 0; i < ITEMS; i++)
        insert_both(&tree, &items[i], (int)(i * 7 % ITEMS));
    tree_for_each_safe (node, &tree) {
        ck_assert(tree_entry(node, struct item, node)->key == expected++);
        tree_remove(&tree, node);
        (void)check_node(tree.root, NULL);
        memset(node, 0xee, sizeof *node);
    }
    ck_assert(expected == ITEMS);
    ck_assert(tree_empty(&tree));
}
END_TEST

START_TEST(objects_in_order_make_a_low_tree)
{
    static struct item items[10000];
    struct tree tree;

    tree_init(&tree);
    for (int i = 0; i < 10000; i++) {
        items[i].key = _i ? i : -i;
        tree_insert(&tree, &items[i].node, &items[i].key, compare_key);
    }
    ck_assert(check_node(tree.root, NULL) <= 20);
    for (int i = 0; i < 10000; i += 2)
        tree_remove(&tree, &items[i].node);
    ck_assert(check_node(tree.root, NULL) <= 18);
    for (int i = 0; i < 10000; i++)
        ck_assert((tree_find(&tree, &items[i].key, compare_key) != NULL) == (i % 2));
}
END_TEST

/* ---- bitmaps ---- */

#define BITS 200

static uint64_t map[BITMAP_WORDS(BITS) + 1];
static bool bits[BITS];

static void assert_map_is_bits(void)
{
    size_t count = 0;

    for (size_t i = 0; i < BITS; i++) {
        ck_assert(bitmap_test(map, i) == bits[i]);
        count += bits[i];
        ck_assert(bitmap_count(map, i + 1) == count);
    }
    ck_assert(bitmap_count(map, 0) == 0);
    /* What lies behind the end was set from the start, and still is. */
    ck_assert((map[BITS / 64] >> BITS % 64) == (~UINT64_C(0) >> BITS % 64));
    ck_assert(map[BITMAP_WORDS(BITS)] == ~UINT64_C(0));
}

static size_t model_find(size_t size, size_t from, bool value)
{
    while (from < size && bits[from] != value)
        from++;
    return from < size ? from : size;
}

static size_t model_find_run(size_t size, size_t from, size_t n)
{
    for (; from + n <= size; from++) {
        if (model_find(from + n, from, true) == from + n)
            return from;
    }
    return size;
}

static void assert_finds_agree(size_t size)
{
    for (size_t from = 0; from <= size; from++) {
        ck_assert(bitmap_find_set(map, size, from) == model_find(size, from, true));
        ck_assert(bitmap_find_clear(map, size, from) == model_find(size, from, false));
        for (size_t n = 1; n <= size + 1; n += n < 3 || n % 64 < 2 || n % 64 > 61 ? 1 : 9)
            ck_assert(bitmap_find_clear_run(map, size, from, n) == model_find_run(size, from, n));
    }
}

static void clear_all(void)
{
    memset(map, 0xff, sizeof map);
    memset(bits, 0, sizeof bits);
    bitmap_clear_run(map, 0, BITS);
}

START_TEST(each_run_of_bits_can_be_set_and_cleared)
{
    clear_all();
    assert_map_is_bits();
    for (size_t first = 0; first < BITS; first += first % 64 < 2 || first % 64 > 60 ? 1 : 7) {
        for (size_t n = 0; n <= BITS - first; n += n % 64 < 3 || n % 64 > 60 ? 1 : 5) {
            bitmap_set_run(map, first, n);
            memset(bits + first, true, n);
            assert_map_is_bits();
            ck_assert(bitmap_find_set(map, BITS, 0) == (n ? first : BITS));
            ck_assert(bitmap_find_clear(map, BITS, first) == first + n);
            bitmap_clear_run(map, first, n);
            memset(bits + first, false, n);
        }
    }
    assert_map_is_bits();
}
END_TEST

START_TEST(a_bitmap_is_what_an_array_of_bool_is)
{
    static const size_t sizes[] = {0, 1, 63, 64, 65, 127, 128, 129, BITS};

    clear_all();
    chance = (uint64_t)_i;
    for (unsigned step = 0; step < 400; step++) {
        size_t first = random_below(BITS), n = random_below((unsigned)(BITS - first) + 1);
        bool value = random_below(2);

        if (random_below(8)) {
            (value ? bitmap_set : bitmap_clear)(map, first);
            bits[first] = value;
        } else {
            (value ? bitmap_set_run : bitmap_clear_run)(map, first, n);
            memset(bits + first, value, n);
        }
        assert_map_is_bits();
    }
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        assert_finds_agree(sizes[i]);
}
END_TEST

START_TEST(words_are_counted_as_they_are_needed)
{
    ck_assert(BITMAP_WORDS(0) == 0);
    ck_assert(BITMAP_WORDS(1) == 1);
    ck_assert(BITMAP_WORDS(64) == 1);
    ck_assert(BITMAP_WORDS(65) == 2);
}
END_TEST

static void add_trees(Suite *all)
{
    TCase *trees = tcase_create("trees");

    tcase_add_loop_test(trees, a_tree_is_what_a_sorted_array_is, 0, 8);
    tcase_add_loop_test(trees, each_node_of_each_shape_can_go_first, 0, 2);
    tcase_add_test(trees, a_tree_can_be_emptied_while_walking);
    tcase_add_loop_test(trees, objects_in_order_make_a_low_tree, 0, 2);
    suite_add_tcase(all, trees);
}

int main(void)
{
    Suite *all = suite_create("lib_types");
    TCase *lists = tcase_create("lists"), *bitmaps = tcase_create("bitmaps");
    SRunner *runner = srunner_create(all);
    int failed;

    tcase_add_loop_test(lists, a_list_is_what_an_array_is, 0, 4);
    tcase_add_test(lists, a_list_can_be_emptied_while_walking);
    suite_add_tcase(all, lists);
    add_trees(all);
    tcase_add_test(bitmaps, each_run_of_bits_can_be_set_and_cleared);
    tcase_add_loop_test(bitmaps, a_bitmap_is_what_an_array_of_bool_is, 0, 4);
    tcase_add_test(bitmaps, words_are_counted_as_they_are_needed);
    suite_add_tcase(all, bitmaps);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
