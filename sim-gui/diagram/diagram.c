/* SPDX-License-Identifier: MIT */
/*
 * diagram.c: from JSON text to parts and wires.
 *
 * The file is read in order: parts, then connections, which name parts. The first fault ends it,
 * with one sentence. Members and attributes that the format does not know are ignored, because
 * diagrams of Wokwi's editor have many; types and pins that it does not know are faults, because
 * leaving them out would show a board that is not the one in the file.
 */
#include "diagram/diagram.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diagram/board.h"
#include "diagram/nets.h"
#include "diagram/reader.h"

#define DIAGRAM_FILE_MAX (1024 * 1024)

struct contact_shape {
    const char *name;
    float x, y;
};

struct part_shape {
    const char *type;
    float width, height;
    unsigned contacts;
    struct contact_shape contact[4];
};

/* By enum part_kind. The board's contacts are board.h's. */
static const struct part_shape part_shapes[] = {
    {"board-raspberry-pi-3b", BOARD_WIDTH, BOARD_HEIGHT, BOARD_PINS, {{NULL, 0, 0}}},
    {"wokwi-led", 40, 50, 2, {{"A", 25, 42}, {"C", 15, 42}}},
    {"wokwi-pushbutton",
     67.4f,
     45.4f,
     4,
     {{"1.l", 0, 13}, {"2.l", 0, 32}, {"1.r", 67, 13}, {"2.r", 67, 32}}},
    {"wokwi-resistor", 58.8f, 11.4f, 2, {{"1", 0, 5.65f}, {"2", 58.8f, 5.65f}}},
};

#define PART_KINDS (sizeof(part_shapes) / sizeof(part_shapes[0]))

unsigned diagram_contact_count(enum part_kind kind)
{
    return part_shapes[kind].contacts;
}

void diagram_part_size(enum part_kind kind, float *width, float *height)
{
    *width = part_shapes[kind].width;
    *height = part_shapes[kind].height;
}

/* Worked example: a resistor, 58.8 wide and 11.4 high, turned once clockwise. Its middle stays. The
 * left end, (-29.4, 0) from the middle, comes to (0, -29.4): the top. */
void diagram_map_point(const struct part *part, float *x, float *y)
{
    const struct part_shape *shape = &part_shapes[part->kind];
    float dx = *x - shape->width / 2;
    float dy = *y - shape->height / 2;

    for (unsigned turn = 0; turn < part->turns; turn++) {
        float old = dx;
        dx = -dy;
        dy = old;
    }
    *x = part->left + shape->width / 2 + dx;
    *y = part->top + shape->height / 2 + dy;
}

void diagram_place_contact(const struct diagram *diagram, struct contact contact, float *x,
                           float *y)
{
    const struct part *part = &diagram->parts[contact.part];

    if (part->kind == PART_BOARD) {
        board_place_pin(contact.pin + 1u, x, y);
    } else {
        *x = part_shapes[part->kind].contact[contact.pin].x;
        *y = part_shapes[part->kind].contact[contact.pin].y;
    }
    diagram_map_point(part, x, y);
}

/* ---- parts ---- */

static int diagram_read_type(struct reader *reader, const cJSON *item, const char *path,
                             struct part *part)
{
    char type[PART_TEXT] = "";
    char where[64];

    snprintf(where, sizeof(where), "%s/type", path);
    if (reader_text(reader, item, path, "type", type))
        return -EINVAL;
    for (size_t kind = 0; kind < PART_KINDS; kind++) {
        if (strcmp(type, part_shapes[kind].type) == 0) {
            part->kind = (enum part_kind)kind;
            return 0;
        }
    }
    if (type[0] == '\0')
        return reader_fault(reader, where, "this part has no \"type\"");
    return reader_fault(reader, where,
                        "no part of type \"%s\": there are board-raspberry-pi-3b, wokwi-led, "
                        "wokwi-pushbutton and wokwi-resistor",
                        type);
}

static int diagram_read_id(struct reader *reader, const cJSON *item, const char *path,
                           struct part *part)
{
    const struct diagram *diagram = reader->diagram;
    char where[64];

    snprintf(where, sizeof(where), "%s/id", path);
    if (reader_text(reader, item, path, "id", part->id))
        return -EINVAL;
    if (part->id[0] == '\0')
        return reader_fault(reader, where, "this part has no \"id\"");
    if (strchr(part->id, ':'))
        return reader_fault(reader, where, "an id has no colon in it: \"%s\"", part->id);
    for (size_t i = 0; i < diagram->part_count; i++) {
        if (strcmp(diagram->parts[i].id, part->id) == 0)
            return reader_fault(reader, where, "a part with the id \"%s\" came before", part->id);
    }
    return 0;
}

static int diagram_read_place(struct reader *reader, const cJSON *item, const char *path,
                              struct part *part)
{
    char where[64];
    float degrees = 0;

    if (reader_number(reader, item, path, "left", &part->left) ||
        reader_number(reader, item, path, "top", &part->top) ||
        reader_number(reader, item, path, "rotate", &degrees) ||
        reader_flag(reader, item, path, "hide", &part->hidden))
        return -EINVAL;
    snprintf(where, sizeof(where), "%s/rotate", path);
    if (fmodf(degrees, 90) != 0)
        return reader_fault(reader, where, "\"rotate\" must be a multiple of 90");
    if (part->kind == PART_BOARD && degrees != 0)
        return reader_fault(reader, where, "the board cannot be turned");
    part->turns = (unsigned)((int)(degrees / 90) & 3);
    return 0;
}

static int diagram_read_colour(struct reader *reader, const cJSON *attrs, const char *path,
                               struct part *part)
{
    char name[PART_TEXT] = "";
    char where[96];

    part->colour = part->kind == PART_LED ? 0xf0352b : 0x2fd158;
    if (reader_text(reader, attrs, path, "color", name))
        return -EINVAL;
    snprintf(where, sizeof(where), "%s/color", path);
    if (name[0] && !reader_parse_colour(name, &part->colour))
        return reader_fault(reader, where, "no colour \"%s\": use a name such as red or #rrggbb",
                            name);
    return 0;
}

static int diagram_read_value(struct reader *reader, const cJSON *attrs, const char *path,
                              struct part *part)
{
    char value[PART_TEXT] = "1000";
    char where[96];
    char *end;

    if (reader_text(reader, attrs, path, "value", value))
        return -EINVAL;
    part->ohms = strtod(value, &end);
    snprintf(where, sizeof(where), "%s/value", path);
    if (*end || end == value || !(part->ohms > 0 && part->ohms <= 1e9))
        return reader_fault(reader, where, "\"value\" must be ohms, such as \"330\"");
    return 0;
}

static bool diagram_is_key(const char *key)
{
    if (key[0] == 'F' && key[1] >= '1' && key[1] <= '9')
        return key[2] == '\0' || (key[1] == '1' && key[2] <= '2' && key[3] == '\0');
    return key[0] > ' ' && key[0] < 0x7f && key[1] == '\0';
}

static int diagram_read_button(struct reader *reader, const cJSON *attrs, const char *path,
                               struct part *part)
{
    char bounce[PART_TEXT] = "1";
    char where[96];

    if (reader_text(reader, attrs, path, "key", part->key) ||
        reader_text(reader, attrs, path, "bounce", bounce))
        return -EINVAL;
    snprintf(where, sizeof(where), "%s/key", path);
    if (part->key[0] && !diagram_is_key(part->key))
        return reader_fault(reader, where, "\"key\" must be one character, or F1 to F12");
    part->bounces = strcmp(bounce, "0") != 0;
    return 0;
}

static int diagram_read_attrs(struct reader *reader, const cJSON *item, const char *path,
                              struct part *part)
{
    const cJSON *attrs = cJSON_GetObjectItemCaseSensitive(item, "attrs");
    char where[64];

    snprintf(where, sizeof(where), "%s/attrs", path);
    if (attrs && !cJSON_IsObject(attrs))
        return reader_fault(reader, where, "\"attrs\" must be an object");
    if (reader_text(reader, attrs, where, "label", part->label))
        return -EINVAL;
    switch (part->kind) {
    case PART_LED:
        return diagram_read_colour(reader, attrs, where, part);
    case PART_BUTTON:
        if (diagram_read_button(reader, attrs, where, part))
            return -EINVAL;
        return diagram_read_colour(reader, attrs, where, part);
    case PART_RESISTOR:
        return diagram_read_value(reader, attrs, where, part);
    default:
        return 0;
    }
}

static int diagram_read_part(struct reader *reader, const cJSON *item, const char *path)
{
    struct diagram *diagram = reader->diagram;
    struct part *part = &diagram->parts[diagram->part_count];

    if (!cJSON_IsObject(item))
        return reader_fault(reader, path, "a part must be an object");
    if (diagram->part_count == DIAGRAM_PARTS - 1)
        return reader_fault(reader, path, "more than %d parts", DIAGRAM_PARTS - 1);
    if (diagram_read_id(reader, item, path, part) || diagram_read_type(reader, item, path, part) ||
        diagram_read_place(reader, item, path, part) ||
        diagram_read_attrs(reader, item, path, part))
        return -EINVAL;
    if (part->kind == PART_BOARD) {
        if (diagram->board != DIAGRAM_PARTS)
            return reader_fault(reader, path, "a second board: there can be one");
        diagram->board = diagram->part_count;
    }
    diagram->part_count++;
    return 0;
}

static int diagram_read_parts(struct reader *reader, const cJSON *root)
{
    const cJSON *parts = cJSON_GetObjectItemCaseSensitive(root, "parts");
    const cJSON *item;
    unsigned index = 0;
    char path[32];

    if (!cJSON_IsArray(parts))
        return reader_fault(reader, "parts", "a diagram needs \"parts\", an array");
    cJSON_ArrayForEach(item, parts)
    {
        snprintf(path, sizeof(path), "parts/%u", index++);
        if (diagram_read_part(reader, item, path))
            return -EINVAL;
    }
    if (reader->diagram->board == DIAGRAM_PARTS)
        return reader_fault(reader, "parts", "there is no board-raspberry-pi-3b among the parts");
    return 0;
}

/* ---- connections ---- */

static int diagram_find_board_pin(struct reader *reader, const char *path, const char *name,
                                  struct contact *contact)
{
    unsigned number = board_find_pin(name, strlen(name));

    if (number) {
        contact->pin = (uint16_t)(number - 1);
        return 0;
    }
    if (name[0] && name[strspn(name, "0123456789")] == '\0')
        return reader_fault(reader, path,
                            "pin \"%s\" could mean two: say GPIO%s for the chip's number or J8:%s "
                            "for the place on the header",
                            name, name, name);
    return reader_fault(reader, path,
                        "the board has no pin \"%s\": there are GPIO0 to GPIO27, 3V3.1, 3V3.2, "
                        "5V.1, 5V.2, GND.1 to GND.8, and J8:1 to J8:40",
                        name);
}

static int diagram_find_pin(struct reader *reader, const char *path, const char *name,
                            struct contact *contact)
{
    const struct part *part = &reader->diagram->parts[contact->part];
    const struct part_shape *shape = &part_shapes[part->kind];

    if (part->kind == PART_BOARD)
        return diagram_find_board_pin(reader, path, name, contact);
    for (unsigned pin = 0; pin < shape->contacts; pin++) {
        if (strcmp(shape->contact[pin].name, name) == 0) {
            contact->pin = (uint16_t)pin;
            return 0;
        }
    }
    return reader_fault(reader, path, "\"%s\" is a %s and has no pin \"%s\"; its pins: %s, %s%s",
                        part->id, shape->type, name, shape->contact[0].name, shape->contact[1].name,
                        shape->contacts > 2 ? ", 1.r, 2.r" : "");
}

/* One end of a wire: "part:pin". */
static int diagram_read_end(struct reader *reader, const cJSON *item, const char *path,
                            struct contact *contact)
{
    const struct diagram *diagram = reader->diagram;
    const char *colon = cJSON_IsString(item) ? strchr(item->valuestring, ':') : NULL;

    if (!colon)
        return reader_fault(reader, path, "an end of a connection must be a text \"part:pin\"");
    for (size_t i = 0; i < diagram->part_count; i++) {
        const char *id = diagram->parts[i].id;
        size_t length = strlen(id);

        if (length == (size_t)(colon - item->valuestring) &&
            memcmp(id, item->valuestring, length) == 0) {
            contact->part = (uint16_t)i;
            return diagram_find_pin(reader, path, colon + 1, contact);
        }
    }
    return reader_fault(reader, path, "there is no part with the id \"%.*s\"",
                        (int)(colon - item->valuestring), item->valuestring);
}

/* One step of a wire's way, "h10" or "v-5"; "*" is the caller's. */
static int diagram_read_step(struct reader *reader, const cJSON *item, const char *path,
                             struct wire_step *step)
{
    const char *text = cJSON_IsString(item) ? item->valuestring : "";
    char *end = NULL;
    float length = text[0] ? strtof(text + 1, &end) : 0;

    if ((text[0] != 'h' && text[0] != 'v') || end == text + 1 || *end || !(fabsf(length) <= 10000))
        return reader_fault(reader, path,
                            "a wire's step must be such as \"h10\", \"v-5\" or \"*\"");
    step->dx = text[0] == 'h' ? length : 0;
    step->dy = text[0] == 'v' ? length : 0;
    return 0;
}

static int diagram_read_steps(struct reader *reader, const cJSON *steps, const char *path,
                              struct wire *wire)
{
    const cJSON *item;
    bool star = false;
    unsigned index = 0;
    char where[80];

    if (steps && !cJSON_IsArray(steps))
        return reader_fault(reader, path, "the fourth element of a connection must be an array");
    cJSON_ArrayForEach(item, steps)
    {
        snprintf(where, sizeof(where), "%s/%u", path, index++);
        if (cJSON_IsString(item) && strcmp(item->valuestring, "*") == 0 && !star) {
            star = true;
            continue;
        }
        if (wire->first + wire->last == WIRE_STEPS)
            return reader_fault(reader, where, "a wire has more than %d steps", WIRE_STEPS);
        if (diagram_read_step(reader, item, where, &wire->steps[wire->first + wire->last]))
            return -EINVAL;
        if (star)
            wire->last++;
        else
            wire->first++;
    }
    return 0;
}

static int diagram_read_wire(struct reader *reader, const cJSON *item, const char *path)
{
    struct diagram *diagram = reader->diagram;
    struct wire *wire = &diagram->wires[diagram->wire_count];
    const cJSON *colour = cJSON_GetArrayItem(item, 2);
    char where[4][64];

    for (unsigned i = 0; i < 4; i++)
        snprintf(where[i], sizeof(where[i]), "%s/%u", path, i);
    if (!cJSON_IsArray(item) || cJSON_GetArraySize(item) < 2)
        return reader_fault(reader, path,
                            "a connection must be an array [end, end, colour, steps]");
    if (diagram->wire_count == DIAGRAM_WIRES - 1)
        return reader_fault(reader, path, "more than %d connections", DIAGRAM_WIRES - 1);
    if (diagram_read_end(reader, cJSON_GetArrayItem(item, 0), where[0], &wire->ends[0]) ||
        diagram_read_end(reader, cJSON_GetArrayItem(item, 1), where[1], &wire->ends[1]))
        return -EINVAL;
    wire->colour = 0x2fd158;
    if (colour &&
        (!cJSON_IsString(colour) ||
         (colour->valuestring[0] && !reader_parse_colour(colour->valuestring, &wire->colour))))
        return reader_fault(reader, where[2],
                            "a wire's colour must be a name such as red, or #rrggbb");
    if (diagram_read_steps(reader, cJSON_GetArrayItem(item, 3), where[3], wire))
        return -EINVAL;
    diagram->wire_count++;
    if (nets_short_circuit(diagram))
        return reader_fault(reader, path, "this connection joins a supply pin and ground");
    return 0;
}

static int diagram_read_wires(struct reader *reader, const cJSON *root)
{
    const cJSON *wires = cJSON_GetObjectItemCaseSensitive(root, "connections");
    const cJSON *item;
    unsigned index = 0;
    char path[32];

    if (wires && !cJSON_IsArray(wires))
        return reader_fault(reader, "connections", "\"connections\" must be an array");
    cJSON_ArrayForEach(item, wires)
    {
        snprintf(path, sizeof(path), "connections/%u", index++);
        if (diagram_read_wire(reader, item, path))
            return -EINVAL;
    }
    return 0;
}

static int diagram_read_root(struct reader *reader, const cJSON *root)
{
    float version = 1;

    if (!cJSON_IsObject(root))
        return reader_fault(reader, "", "a diagram must be an object");
    if (reader_number(reader, root, "", "version", &version))
        return -EINVAL;
    if (version != 1)
        return reader_fault(reader, "version", "only version 1 of the format is known");
    if (diagram_read_parts(reader, root))
        return -EINVAL;
    return diagram_read_wires(reader, root);
}

/* ---- files ---- */

/* `text` has `length` bytes and a NUL after them. */
static int diagram_parse_text(struct reader *reader, size_t length)
{
    const char *nul = memchr(reader->text, '\0', length);
    const char *end = NULL;
    cJSON *root;
    int result;

    if (nul)
        return reader_fault_at(reader, nul, "a NUL byte: this is not JSON text");
    root = cJSON_ParseWithOpts(reader->text, &end, true);
    if (!root)
        return reader_fault_at(reader, end,
                               "this is not JSON from here on: look for a missing or surplus "
                               "comma, quote or bracket");
    result = diagram_read_root(reader, root);
    cJSON_Delete(root);
    return result;
}

static int diagram_fail(struct diagram_error *error, int code, const char *name, const char *why)
{
    snprintf(error->text, sizeof(error->text), "%.300s: %s", name, why);
    return code;
}

int diagram_parse(const char *name, const char *text, size_t length, struct diagram **diagram,
                  struct diagram_error *error)
{
    struct diagram *made = calloc(1, sizeof(*made));
    char *copy = malloc(length + 1);
    int result = -ENOMEM;

    *diagram = NULL;
    if (made && copy) {
        struct reader reader = {name, copy, error, made};

        memcpy(copy, text, length);
        copy[length] = '\0';
        made->board = DIAGRAM_PARTS;
        result = diagram_parse_text(&reader, length);
    } else {
        diagram_fail(error, -ENOMEM, name, "there is no memory for the diagram");
    }
    free(copy);
    if (result)
        free(made);
    else
        *diagram = made;
    return result;
}

int diagram_read(const char *path, struct diagram **diagram, struct diagram_error *error)
{
    char *text = malloc(DIAGRAM_FILE_MAX + 1);
    FILE *file = fopen(path, "rb");
    size_t length = 0;
    int result;

    *diagram = NULL;
    if (!text) {
        result = diagram_fail(error, -ENOMEM, path, "there is no memory for the diagram");
        goto out_file;
    }
    if (file)
        length = fread(text, 1, DIAGRAM_FILE_MAX + 1, file);
    if (!file || ferror(file))
        result = diagram_fail(error, errno ? -errno : -EIO, path, strerror(errno ? errno : EIO));
    else if (length > DIAGRAM_FILE_MAX)
        result = diagram_fail(error, -EINVAL, path, "larger than 1 MiB: that is no diagram");
    else
        result = diagram_parse(path, text, length, diagram, error);
out_file:
    if (file)
        fclose(file);
    free(text);
    return result;
}

void diagram_free(struct diagram *diagram)
{
    free(diagram);
}
