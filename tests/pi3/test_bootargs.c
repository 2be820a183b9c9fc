/* SPDX-License-Identifier: MIT */
/*
 * test_bootargs.c: finding a word in whatever the firmware has left in memory.
 *
 *  1. Words are found in a list of ATAGs and in a device tree, as whole words only.
 *  2. Words outside the command line are not found.
 *  3. Lists that are cut, endless or no list at all end the search inside the given bytes.
 */
#include "board/bootargs.h"
#include "../marks.h"

#include <stdlib.h>
#include <string.h>

/** A list in memory of exactly its size, so that a look behind it is noticed by the sanitizer. */
struct list {
    uint8_t *bytes;
    size_t size;
};

static void list_word(struct list *list, uint32_t word)
{
    list->bytes = realloc(list->bytes, list->size + 4);
    ck_assert_ptr_nonnull(list->bytes);
    for (unsigned i = 0; i < 4; i++) {
        list->bytes[list->size++] = (uint8_t)(word >> 8 * i);
    }
}

static void list_command_line(struct list *list, const char *text)
{
    uint32_t words = ((uint32_t)strlen(text) + 1 + 3) / 4;

    list_word(list, 2 + words);
    list_word(list, 0x54410009);
    for (uint32_t i = 0; i < words; i++) {
        uint8_t part[4] = {0};
        strncpy((char *)part, text + 4 * i, strlen(text) - 4 * i < 4 ? strlen(text) - 4 * i : 4);
        list_word(list, part[0] | part[1] << 8 | part[2] << 16 | (uint32_t)part[3] << 24);
    }
}

static struct list list_begin(void)
{
    struct list list = {NULL, 0};

    list_word(&list, 5);
    list_word(&list, 0x54410001);
    for (unsigned i = 0; i < 3; i++) {
        list_word(&list, i);
    }
    return list;
}

static bool has(const struct list *list, const char *word)
{
    return bootargs_have(list->bytes, list->size, word);
}

static const struct {
    const char *text, *word;
    bool found;
} lines[] = {
    {"semihosting", "semihosting", true},
    {"a semihosting", "semihosting", true},
    {"semihosting b", "semihosting", true},
    {"a\tsemihosting\r\n", "semihosting", true},
    {"console=serial1,115200 x", "console=serial1", true},
    {"xsemihosting", "semihosting", false},
    {"semihostingx", "semihosting", false},
    {"nosemihosting semihostings", "semihosting", false},
    {"console=serial10", "console=serial1", false},
    {",semihosting", "semihosting", false},
    {"", "semihosting", false},
};

START_TEST(words_are_whole)
{
    struct list list = list_begin();

    list_command_line(&list, lines[_i].text);
    list_word(&list, 0);
    list_word(&list, 0);
    ck_assert_int_eq(has(&list, lines[_i].word), lines[_i].found);
    free(list.bytes);
}
END_TEST

START_TEST(only_the_command_line_counts)
{
    struct list list = list_begin();

    list_word(&list, 2);
    list_word(&list, 0x54410005);
    list_word(&list, 0);
    list_word(&list, 0);
    list_command_line(&list, "semihosting");
    ck_assert(!has(&list, "semihosting"));
    free(list.bytes);
}
END_TEST

START_TEST(bad_lists_end)
{
    struct list list = list_begin();

    ck_assert(!has(&list, "semihosting"));
    list_command_line(&list, "semihosting");
    for (size_t cut = 0; cut < list.size; cut++) {
        uint8_t *part = malloc(cut + 1);
        memcpy(part, list.bytes, cut);
        ck_assert(!bootargs_have(part, cut, "semihosting"));
        free(part);
    }
    ck_assert(has(&list, "semihosting"));
    /* A length that runs past everything, one of a single word, and another first tag. */
    list.bytes[0] = list.bytes[1] = list.bytes[2] = list.bytes[3] = 0xff;
    ck_assert(!has(&list, "semihosting"));
    memset(list.bytes, 0, 4);
    list.bytes[0] = 1;
    ck_assert(!has(&list, "semihosting"));
    list.bytes[0] = 5;
    list.bytes[4] = 2;
    ck_assert(!has(&list, "semihosting"));
    free(list.bytes);
}
END_TEST

/** A device tree by its header; the rest is `text`, with a NUL before and after. */
static struct list tree(uint32_t total, const char *text)
{
    struct list list = {NULL, 0};

    list_word(&list, 0xedfe0dd0);
    list_word(&list, __builtin_bswap32(total));
    for (unsigned i = 0; i < 8; i++) {
        list_word(&list, 0);
    }
    list.bytes = realloc(list.bytes, list.size + strlen(text) + 2);
    memcpy(list.bytes + list.size, text, strlen(text) + 1);
    list.size += strlen(text) + 1;
    return list;
}

START_TEST(trees_are_searched)
{
    struct list list = tree(60, "quiet semihosting");

    ck_assert_uint_eq(bootargs_tree_bytes(list.bytes, list.size), 60);
    ck_assert(has(&list, "semihosting"));
    ck_assert(has(&list, "quiet"));
    ck_assert(!has(&list, "semi"));
    free(list.bytes);
}
END_TEST

START_TEST(a_property_begins_with_a_word)
{
    struct list list = tree(80, "");

    /* The name's place, 0x65, is a letter just before the text. */
    list.size -= 1;
    list_word(&list, __builtin_bswap32(3));
    list_word(&list, __builtin_bswap32(12));
    list_word(&list, __builtin_bswap32(0x65));
    list_word(&list, 'q' | 'u' << 8 | 'i' << 16 | 'e' << 24);
    list_word(&list, 't' | ' ' << 8 | 'x' << 16);
    list_word(&list, 'y' | 'z' << 8);
    ck_assert(has(&list, "quiet"));
    ck_assert(has(&list, "x"));
    ck_assert(has(&list, "yz"));
    ck_assert(!has(&list, "uiet"));
    ck_assert(!has(&list, "e"));
    list.bytes[43] = 4; /* another mark: the text is no value, and the letter belongs to the word */
    ck_assert(!has(&list, "quiet"));
    free(list.bytes);
}
END_TEST

START_TEST(a_tree_is_not_believed)
{
    static const uint32_t totals[] = {0, 39, 0x200001, 0xffffffff};

    for (unsigned i = 0; i < 4; i++) {
        struct list list = tree(totals[i], "semihosting");
        ck_assert_uint_eq(bootargs_tree_bytes(list.bytes, list.size), 0);
        ck_assert(bootargs_is_tree(list.bytes, list.size) && !bootargs_is_tree(list.bytes, 39));
        ck_assert(!has(&list, "semihosting"));
        free(list.bytes);
    }
    /* Larger than what there is: searched as far as there is something. */
    struct list list = tree(0x10000, "semihostin");
    ck_assert(!has(&list, "semihosting"));
    free(list.bytes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pi3-bootargs");
    TCase *tests = tcase_create("bootargs");

    tcase_add_loop_test(tests, words_are_whole, 0, (int)(sizeof lines / sizeof lines[0]));
    tcase_add_test(tests, only_the_command_line_counts);
    tcase_add_test(tests, bad_lists_end);
    tcase_add_test(tests, trees_are_searched);
    tcase_add_test(tests, a_property_begins_with_a_word);
    tcase_add_test(tests, a_tree_is_not_believed);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
