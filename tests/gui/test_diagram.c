/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. A diagram is read with parts, attributes, wires, steps and places; what the format does not
 *     know in members and attributes is ignored.
 *  2. Every name of every pin of the board leads to its place on the header.
 *  3. Each kind of fault is refused with one sentence that has the file, the line and the column of
 *     what is wrong.
 *  4. Files that cannot be read, or are too large, are refused with their name.
 *  5. No cut and no change of one byte makes the reader crash or hang, and what it then says has a
 *     place.
 *  6. The built-in board is a good diagram.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "default_diagram.h"
#include "diagram/board.h"
#include "diagram/diagram.h"
#include "gui_test.h"

static const char good[] =
    "{\n"
    "  \"version\": 1, \"author\": \"somebody\", \"editor\": \"wokwi\",\n"
    "  \"serialMonitor\": {\"x\": []},\n"
    "  \"parts\": [\n"
    "    {\"id\": \"pi\", \"type\": \"board-raspberry-pi-3b\", \"left\": 10, \"top\": 100.5},\n"
    "    {\"id\": \"l\", \"type\": \"wokwi-led\", \"left\": 40,\n"
    "     \"attrs\": {\"color\": \"#102030\", \"label\": \"eins\", \"lightColor\": \"red\"}},\n"
    "    {\"id\": \"r\", \"type\": \"wokwi-resistor\", \"rotate\": -90,\n"
    "     \"attrs\": {\"value\": \"330\"}},\n"
    "    {\"id\": \"b\", \"type\": \"wokwi-pushbutton\", \"hide\": true,\n"
    "     \"attrs\": {\"key\": \"F3\", \"bounce\": \"0\"}}\n"
    "  ],\n"
    "  \"connections\": [\n"
    "    [\"pi:GPIO17\", \"r:1\", \"green\", [\"v-5\", \"h10\", \"*\", \"v2.5\"]],\n"
    "    [\"r:2\", \"l:A\", \"\", []],\n"
    "    [\"l:C\", \"pi:GND.1\"],\n"
    "    [\"b:1.l\", \"pi:J8:16\", \"#ff0000\"]\n"
    "  ]\n"
    "}\n";

static struct diagram *read_good(void)
{
    struct diagram *diagram = NULL;
    struct diagram_error error = {""};

    ck_assert_msg(diagram_parse("good.json", good, strlen(good), &diagram, &error) == 0, "%s",
                  error.text);
    return diagram;
}

START_TEST(a_diagram_is_read)
{
    struct diagram *diagram = read_good();
    const struct wire *wire = &diagram->wires[0];

    ck_assert_uint_eq(diagram->part_count, 4);
    ck_assert_uint_eq(diagram->wire_count, 4);
    ck_assert_uint_eq(diagram->board, 0);
    ck_assert_float_eq(diagram->parts[0].top, 100.5f);
    ck_assert_uint_eq(diagram->parts[1].colour, 0x102030);
    ck_assert_str_eq(diagram->parts[1].label, "eins");
    ck_assert_uint_eq(diagram->parts[2].turns, 3);
    ck_assert_double_eq(diagram->parts[2].ohms, 330);
    ck_assert_str_eq(diagram->parts[3].key, "F3");
    ck_assert(!diagram->parts[3].bounces && diagram->parts[3].hidden);
    ck_assert_uint_eq(wire->first, 2);
    ck_assert_uint_eq(wire->last, 1);
    ck_assert_float_eq(wire->steps[1].dx, 10);
    ck_assert_float_eq(wire->steps[2].dy, 2.5f);
    ck_assert_uint_eq(diagram->wires[3].ends[1].pin, 15);
    ck_assert_uint_eq(diagram->wires[3].colour, 0xff0000);
    diagram_free(diagram);
}
END_TEST

START_TEST(a_turned_part_has_its_contacts_where_they_are_seen)
{
    struct diagram *diagram = read_good();
    struct contact one = {2, 0}, two = {2, 1};
    float x1, y1, x2, y2;

    diagram_place_contact(diagram, one, &x1, &y1);
    diagram_place_contact(diagram, two, &x2, &y2);
    ck_assert_float_eq_tol(x1, 29.4f, 0.1f);
    ck_assert_float_eq_tol(x2, 29.4f, 0.1f);
    ck_assert_float_eq_tol(y1 - y2, 58.8f, 0.01f);
    diagram_free(diagram);
}
END_TEST

START_TEST(every_pin_is_found_by_both_names)
{
    for (unsigned number = 1; number <= BOARD_PINS; number++) {
        const char *name = board_pin(number)->name;
        char place[8];

        snprintf(place, sizeof(place), "J8:%u", number);
        ck_assert_uint_eq(board_find_pin(name, strlen(name)), number);
        ck_assert_uint_eq(board_find_pin(place, strlen(place)), number);
    }
    for (unsigned gpio = 0; gpio < BOARD_GPIOS; gpio++)
        ck_assert_uint_eq(board_pin(board_find_gpio(gpio))->gpio, gpio);
    ck_assert_uint_eq(board_find_pin("GPIO28", 6), 0);
    ck_assert_uint_eq(board_find_pin("J8:0", 4), 0);
    ck_assert_uint_eq(board_find_pin("J8:41", 5), 0);
    ck_assert_uint_eq(board_find_pin("J8:1x", 5), 0);
    ck_assert_uint_eq(board_find_pin("", 0), 0);
}
END_TEST

START_TEST(pins_are_where_the_drawing_of_the_board_has_them)
{
    float x1, y1, x2, y2, x39, y39;

    board_place_pin(1, &x1, &y1);
    board_place_pin(2, &x2, &y2);
    board_place_pin(39, &x39, &y39);
    ck_assert_float_eq_tol(x1 / BOARD_MM, 8.37f, 0.01f);
    ck_assert_float_eq_tol(y1 / BOARD_MM, 4.77f, 0.01f);
    ck_assert_float_eq_tol(y2 / BOARD_MM, 2.23f, 0.01f);
    ck_assert_float_eq_tol((x39 - x1) / BOARD_MM, 19 * 2.54f, 0.01f);
    ck_assert_float_eq(y39, y1);
}
END_TEST

/* ---- faults ---- */

#define PI "{\"id\":\"pi\",\"type\":\"board-raspberry-pi-3b\"}"
#define LED "{\"id\":\"l\",\"type\":\"wokwi-led\"}"
#define WIRES(w) "{\"parts\":[\n" PI ",\n" LED "],\n\"connections\":[\n" w "\n]}"
#define PARTS(p) "{\"parts\":[" PI ",\n" p "\n]}"

static const struct {
    const char *text;
    const char *place; /* line and column */
    const char *says;
} faults[] = {
    {"", "1:1", "not JSON"},
    {"{\"parts\": [1,]}", "1:14", "not JSON"},
    {"{\n  \"parts\": [\n    {\"id\": \"x\" \"type\": 1}\n]}", "3:16", "not JSON"},
    {"{\"parts\":[]} x", "1:14", "not JSON"},
    {"[]", "1:1", "must be an object"},
    {"{\"version\": 2, \"parts\": []}", "1:13", "version 1"},
    {"{\"version\": \"1\"}", "1:13", "must be a number"},
    {"{\n \"version\": 1}", "1:1", "needs \"parts\""},
    {"{\n \"parts\": {}}", "2:11", "needs \"parts\""},
    {"{\n \"parts\": []}", "2:11", "no board-raspberry-pi-3b"},
    {PARTS("7"), "2:1", "part must be an object"},
    {PARTS(PI), "2:7", "\"pi\" came before"},
    {PARTS("{\"id\":\"q\",\"type\":\"board-raspberry-pi-3b\"}"), "2:1", "second board"},
    {PARTS("{\"type\":\"wokwi-led\"}"), "2:1", "no \"id\""},
    {PARTS("{\"id\":\"a:b\",\"type\":\"wokwi-led\"}"), "2:7", "no colon"},
    {PARTS("{\"id\":17,\"type\":\"wokwi-led\"}"), "2:7", "must be a text"},
    {PARTS("{\"id\":\"l\"}"), "2:1", "no \"type\""},
    {PARTS("{\"id\":\"l\", \"type\":\"wokwi-servo\"}"), "2:19", "no part of type \"wokwi-servo\""},
    {PARTS("{\"id\":\"\xc3\xa4\", \"type\":\"x\"}"), "2:19", "no part of type"},
    {PARTS("{\"id\":\"l\",\"type\":\"wokwi-led\",\"left\":\"5\"}"), "2:37", "\"left\" must be"},
    {PARTS("{\"id\":\"l\",\"type\":\"wokwi-led\",\"top\":1e9}"), "2:36", "\"top\" must be"},
    {PARTS("{\"id\":\"l\",\"type\":\"wokwi-led\",\"rotate\":45}"), "2:39", "multiple of 90"},
    {PARTS("{\"id\":\"l\",\"type\":\"wokwi-led\",\"hide\":1}"), "2:37", "true or false"},
    {PARTS("{\"id\":\"l\",\"type\":\"wokwi-led\",\"attrs\":[]}"), "2:38", "must be an object"},
    {PARTS("{\"id\":\"l\",\"type\":\"wokwi-led\",\n\"attrs\":{\"color\":\"puce\"}}"), "3:18",
     "no colour \"puce\""},
    {PARTS("{\"id\":\"l\",\"type\":\"wokwi-led\",\n\"attrs\":{\"color\":\"#12345g\"}}"), "3:18",
     "no colour"},
    {PARTS("{\"id\":\"r\",\"type\":\"wokwi-resistor\",\n\"attrs\":{\"value\":\"many\"}}"), "3:18",
     "must be ohms"},
    {PARTS("{\"id\":\"b\",\"type\":\"wokwi-pushbutton\",\n\"attrs\":{\"key\":\"F13\"}}"), "3:16",
     "one character"},
    {WIRES("7"), "5:1", "must be an array"},
    {WIRES("[\"pi:GPIO17\"]"), "5:1", "must be an array"},
    {WIRES("[\"pi\", \"l:A\"]"), "5:2", "part:pin"},
    {WIRES("[7, \"l:A\"]"), "5:2", "part:pin"},
    {WIRES("[\"pi:GPIO17\",\n \"led:A\"]"), "6:2", "no part with the id \"led\""},
    {WIRES("[\"pi:GPIO28\", \"l:A\"]"), "5:2", "no pin \"GPIO28\""},
    {WIRES("[\"pi:17\", \"l:A\"]"), "5:2", "say GPIO17 for the chip's number or J8:17"},
    {WIRES("[\"pi:J8:41\", \"l:A\"]"), "5:2", "no pin \"J8:41\""},
    {WIRES("[\"pi:GPIO17\", \"l:B\"]"), "5:15", "has no pin \"B\""},
    {WIRES("[\"pi:GPIO17\", \"l:A\", 5]"), "5:22", "colour"},
    {WIRES("[\"pi:GPIO17\", \"l:A\", \"puce\"]"), "5:22", "colour"},
    {WIRES("[\"pi:GPIO17\", \"l:A\", \"red\", 5]"), "5:29", "fourth element"},
    {WIRES("[\"pi:GPIO17\", \"l:A\", \"red\", [\"h1\", \"x5\"]]"), "5:36", "step"},
    {WIRES("[\"pi:GPIO17\", \"l:A\", \"red\", [\"*\", \"*\"]]"), "5:35", "step"},
    {WIRES("[\"pi:3V3.1\", \"l:A\"], [\"l:A\", \"pi:GND.3\"]"), "5:22",
     "joins a supply pin and ground"},
};

START_TEST(each_fault_is_named_with_its_place)
{
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        struct diagram *diagram = NULL;
        struct diagram_error error = {""};
        char wanted[64];
        int result =
            diagram_parse("b.json", faults[i].text, strlen(faults[i].text), &diagram, &error);

        snprintf(wanted, sizeof(wanted), "b.json:%s: ", faults[i].place);
        ck_assert_msg(result == -EINVAL && diagram == NULL, "taken: %s", faults[i].text);
        ck_assert_msg(strncmp(error.text, wanted, strlen(wanted)) == 0 &&
                          strstr(error.text, faults[i].says),
                      "for %s: %s", faults[i].text, error.text);
        ck_assert_ptr_null(strchr(error.text, '\n'));
    }
}
END_TEST

START_TEST(a_byte_order_mark_does_not_count_as_a_column)
{
    const char *text = "\xef\xbb\xbf{\"parts\": 5}";
    struct diagram *diagram = NULL;
    struct diagram_error error = {""};

    ck_assert_int_eq(diagram_parse("b", text, strlen(text), &diagram, &error), -EINVAL);
    ck_assert_msg(strncmp(error.text, "b:1:11: ", 8) == 0, "%s", error.text);
}
END_TEST

START_TEST(a_nul_byte_is_refused_where_it_is)
{
    const char text[] = "{\n \0}";
    struct diagram *diagram = NULL;
    struct diagram_error error = {""};

    ck_assert_int_eq(diagram_parse("b", text, sizeof(text) - 1, &diagram, &error), -EINVAL);
    ck_assert_msg(strncmp(error.text, "b:2:2: a NUL byte", 17) == 0, "%s", error.text);
}
END_TEST

START_TEST(too_many_parts_are_refused)
{
    size_t room = 64 * 400;
    char *text = malloc(room);
    size_t used = (size_t)snprintf(text, room, "{\"parts\":[" PI);
    struct diagram *diagram = NULL;
    struct diagram_error error = {""};

    for (int i = 0; i < 300; i++)
        used += (size_t)snprintf(text + used, room - used,
                                 ",\n{\"id\":\"l%d\",\"type\":\"wokwi-led\"}", i);
    used += (size_t)snprintf(text + used, room - used, "]}");
    ck_assert_int_eq(diagram_parse("b", text, used, &diagram, &error), -EINVAL);
    ck_assert_msg(strncmp(error.text, "b:256:1: more than 255 parts", 28) == 0, "%s", error.text);
    free(text);
}
END_TEST

START_TEST(files_that_cannot_be_read_are_named)
{
    struct diagram *diagram = NULL;
    struct diagram_error error = {""};
    FILE *file;

    ck_assert_int_eq(diagram_read("/no/such/file", &diagram, &error), -ENOENT);
    ck_assert_ptr_nonnull(strstr(error.text, "/no/such/file: No such file"));
    ck_assert_int_eq(diagram_read("/", &diagram, &error), -EISDIR);
    file = fopen("large-diagram.json", "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, 1024 * 1024 + 1, SEEK_SET), 0);
    ck_assert_int_ne(fputc(' ', file), EOF);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(diagram_read("large-diagram.json", &diagram, &error), -EINVAL);
    ck_assert_ptr_nonnull(strstr(error.text, "larger than 1 MiB"));
    ck_assert_int_eq(remove("large-diagram.json"), 0);
}
END_TEST

static void parse_damaged(const char *text, size_t length)
{
    struct diagram *diagram = NULL;
    struct diagram_error error = {""};
    unsigned line, column;
    int result = diagram_parse("d", text, length, &diagram, &error);

    if (result == 0)
        ck_assert_ptr_nonnull(diagram);
    else
        ck_assert_msg(sscanf(error.text, "d:%u:%u: ", &line, &column) == 2, "%s", error.text);
    diagram_free(diagram);
}

START_TEST(damage_never_crashes_the_reader)
{
    static const char bytes[] = {'"', '{', '}', '[', ']', ',', ':', '\\', '9', '\0', '\xff'};
    char text[sizeof(good)];

    for (size_t length = 0; length < sizeof(good) - 1; length++)
        parse_damaged(good, length);
    for (size_t at = 0; at < sizeof(good) - 1; at++) {
        for (size_t i = 0; i < sizeof(bytes); i++) {
            memcpy(text, good, sizeof(good));
            text[at] = bytes[i];
            parse_damaged(text, sizeof(good) - 1);
        }
    }
}
END_TEST

START_TEST(the_built_in_board_is_good)
{
    struct diagram *diagram = NULL;
    struct diagram_error error = {""};
    unsigned leds = 0, buttons = 0;

    ck_assert_msg(
        diagram_parse("built-in", default_diagram, default_diagram_size, &diagram, &error) == 0,
        "%s", error.text);
    for (size_t i = 0; i < diagram->part_count; i++) {
        leds += diagram->parts[i].kind == PART_LED;
        buttons += diagram->parts[i].kind == PART_BUTTON;
    }
    ck_assert_uint_ge(leds, 6);
    ck_assert_uint_ge(buttons, 2);
    diagram_free(diagram);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        a_diagram_is_read,
        a_turned_part_has_its_contacts_where_they_are_seen,
        every_pin_is_found_by_both_names,
        pins_are_where_the_drawing_of_the_board_has_them,
        each_fault_is_named_with_its_place,
        a_byte_order_mark_does_not_count_as_a_column,
        a_nul_byte_is_refused_where_it_is,
        too_many_parts_are_refused,
        files_that_cannot_be_read_are_named,
        damage_never_crashes_the_reader,
        the_built_in_board_is_good,
    };

    return gui_test_run("diagram", tests, sizeof(tests) / sizeof(tests[0]), NULL, NULL);
}
