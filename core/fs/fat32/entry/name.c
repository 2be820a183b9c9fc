/* SPDX-License-Identifier: MIT */
/*
 * name.c: names out of directory entries, and whether two are the same.
 *
 * Case is folded for the letters of ASCII, Latin-1, Latin Extended-A, Greek and Cyrillic, by the
 * regularities of Unicode's blocks. Windows folds by a table of its own version; for other scripts
 * with case (Armenian, Georgian, Latin beyond A) names match here only exactly.
 */
#include "fs/fat32/entry/entry.h"

#include "lib/bytes.h"
#include "lib/string.h"

#include <hal/runtime.h>

#define ORDINAL_LAST 0x40u
#define ORDINAL_MASK 0x3Fu
#define LOWER_BASE 0x08u
#define LOWER_EXTENSION 0x10u

struct text {
    char *to;
    size_t size; /**< with the NUL */
    size_t used;
    bool cut;
};

static void put(struct text *text, unsigned byte)
{
    if (text->used + 1 < text->size)
        text->to[text->used++] = (char)byte;
    else
        text->cut = true;
}

static void put_escaped(struct text *text, uint32_t unit)
{
    static const char digits[] = "0123456789ABCDEF";

    put(text, ':');
    for (int shift = 12; shift >= 0; shift -= 4)
        put(text, (unsigned)digits[unit >> shift & 15]);
}

static void put_utf8(struct text *text, uint32_t c)
{
    if (c < 0x80) {
        put(text, c);
    } else if (c < 0x800) {
        put(text, 0xC0 | c >> 6);
        put(text, 0x80 | (c & 63));
    } else if (c < 0x10000) {
        put(text, 0xE0 | c >> 12);
        put(text, 0x80 | (c >> 6 & 63));
        put(text, 0x80 | (c & 63));
    } else {
        put(text, 0xF0 | c >> 18);
        put(text, 0x80 | (c >> 12 & 63));
        put(text, 0x80 | (c >> 6 & 63));
        put(text, 0x80 | (c & 63));
    }
}

/** Writes a character of the basic plane, or its escape. */
static void put_unit(struct text *text, uint32_t unit)
{
    bool control = unit < 0x20 || (unit >= 0x7F && unit < 0xA0);
    bool half = unit >= 0xD800 && unit < 0xE000;

    if (control || half || unit == '/' || unit == ':')
        put_escaped(text, unit);
    else
        put_utf8(text, unit);
}

static void put_utf16(struct text *text, const uint16_t *units, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t high = units[i], low = i + 1 < n ? units[i + 1] : 0;

        if (high >= 0xD800 && high < 0xDC00 && low >= 0xDC00 && low < 0xE000) {
            put_utf8(text, 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00));
            i++;
        } else {
            put_unit(text, high);
        }
    }
}

void fat32_long_reset(struct fat32_long_name *name)
{
    name->seen = 0;
    name->total = 0;
}

static void copy_units(uint16_t *units, const uint8_t *slot)
{
    static const uint8_t offsets[FAT32_SLOT_UNITS] = {1,  3,  5,  7,  9,  14, 16,
                                                      18, 20, 22, 24, 28, 30};

    for (unsigned i = 0; i < FAT32_SLOT_UNITS; i++)
        units[i] = le16(slot + offsets[i]);
}

void fat32_long_add(struct fat32_long_name *name, const uint8_t *slot)
{
    unsigned ordinal = slot[0] & ORDINAL_MASK;
    bool last = slot[0] & ORDINAL_LAST;
    uint8_t checksum = slot[13];

    if (slot[0] & 0x80 || ordinal == 0 || ordinal > FAT32_LONG_SLOTS || le16(slot + 26) != 0) {
        fat32_long_reset(name);
        return;
    }
    if (name->seen &&
        (name->seen & 1u << ordinal || name->checksum != checksum || (last && name->total)))
        fat32_long_reset(name);
    name->seen |= 1u << ordinal;
    name->checksum = checksum;
    if (last)
        name->total = (uint8_t)ordinal;
    copy_units(name->units + (ordinal - 1) * FAT32_SLOT_UNITS, slot);
}

static uint8_t short_checksum(const uint8_t *short_name)
{
    uint8_t sum = 0;

    for (unsigned i = 0; i < FAT32_SHORT_BYTES; i++)
        sum = (uint8_t)((sum >> 1 | sum << 7) + short_name[i]);
    return sum;
}

size_t fat32_long_finish(const struct fat32_long_name *name, const uint8_t *short_name, char *to,
                         size_t size)
{
    struct text text = {.to = to, .size = size};
    size_t most = (size_t)name->total * FAT32_SLOT_UNITS, n = 0;

    if (name->total == 0 || name->seen != (1u << (name->total + 1)) - 2)
        return 0;
    if (name->checksum != short_checksum(short_name))
        return 0;
    while (n < most && name->units[n] != 0x0000 && name->units[n] != 0xFFFF)
        n++;
    /* A name that ends before its last slot, or does not fit, was not written by anybody. */
    if (n <= most - FAT32_SLOT_UNITS || n > FAT32_LONG_UNITS)
        return 0;
    put_utf16(&text, name->units, n);
    to[text.used] = '\0';
    if (text.cut || string_equal(to, ".") || string_equal(to, ".."))
        return 0;
    return text.used;
}

/* Code page 437 from 0x80 on. */
static const uint16_t code_page[128] = {
    0x00C7, 0x00FC, 0x00E9, 0x00E2, 0x00E4, 0x00E0, 0x00E5, 0x00E7, 0x00EA, 0x00EB, 0x00E8, 0x00EF,
    0x00EE, 0x00EC, 0x00C4, 0x00C5, 0x00C9, 0x00E6, 0x00C6, 0x00F4, 0x00F6, 0x00F2, 0x00FB, 0x00F9,
    0x00FF, 0x00D6, 0x00DC, 0x00A2, 0x00A3, 0x00A5, 0x20A7, 0x0192, 0x00E1, 0x00ED, 0x00F3, 0x00FA,
    0x00F1, 0x00D1, 0x00AA, 0x00BA, 0x00BF, 0x2310, 0x00AC, 0x00BD, 0x00BC, 0x00A1, 0x00AB, 0x00BB,
    0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551, 0x2557,
    0x255D, 0x255C, 0x255B, 0x2510, 0x2514, 0x2534, 0x252C, 0x251C, 0x2500, 0x253C, 0x255E, 0x255F,
    0x255A, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256C, 0x2567, 0x2568, 0x2564, 0x2565, 0x2559,
    0x2558, 0x2552, 0x2553, 0x256B, 0x256A, 0x2518, 0x250C, 0x2588, 0x2584, 0x258C, 0x2590, 0x2580,
    0x03B1, 0x00DF, 0x0393, 0x03C0, 0x03A3, 0x03C3, 0x00B5, 0x03C4, 0x03A6, 0x0398, 0x03A9, 0x03B4,
    0x221E, 0x03C6, 0x03B5, 0x2229, 0x2261, 0x00B1, 0x2265, 0x2264, 0x2320, 0x2321, 0x00F7, 0x2248,
    0x00B0, 0x2219, 0x00B7, 0x221A, 0x207F, 0x00B2, 0x25A0, 0x00A0,
};

/** Writes a part of a short name without the blanks at its end. */
static void put_short(struct text *text, const uint8_t *part, size_t n, bool lower)
{
    while (n > 0 && part[n - 1] == ' ')
        n--;
    for (size_t i = 0; i < n; i++) {
        if (part[i] >= 0x80)
            put_unit(text, code_page[part[i] - 0x80]);
        else if (lower)
            put_unit(text, (uint8_t)char_to_lower((char)part[i]));
        else
            put_unit(text, part[i]);
    }
}

void fat32_short_name(const uint8_t *entry, char *to, size_t size)
{
    struct text text = {.to = to, .size = size};
    uint8_t raw[FAT32_SHORT_BYTES];

    memcpy(raw, entry, sizeof(raw));
    /* 0xE5 in front marks a free entry, so a name that begins with that byte is stored with 5. */
    if (raw[0] == 0x05)
        raw[0] = 0xE5;
    put_short(&text, raw, 8, entry[12] & LOWER_BASE);
    if (memcmp(raw + 8, "   ", 3) != 0) {
        put(&text, '.');
        put_short(&text, raw + 8, 3, entry[12] & LOWER_EXTENSION);
    }
    if (text.used == 0)
        put_escaped(&text, ' ');
    to[text.used] = '\0';
}

/** The letter that stands for `c` and its other case. */
static uint32_t fold(uint32_t c)
{
    if (c < 0x80)
        return (uint8_t)char_to_lower((char)c);
    if ((c >= 0xC0 && c <= 0xDE && c != 0xD7) || (c >= 0x391 && c <= 0x3A9) ||
        (c >= 0x410 && c <= 0x42F))
        return c + 32;
    if (c >= 0x400 && c <= 0x40F)
        return c + 80;
    /* Latin Extended-A: pairs that begin at an even number, or at an odd one. */
    if ((c >= 0x100 && c <= 0x12F) || (c >= 0x132 && c <= 0x137) || (c >= 0x14A && c <= 0x177))
        return c | 1;
    if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E))
        return (c + 1) & ~1u;
    if (c == 0x178)
        return 0xFF;
    if (c == 0x386)
        return 0x3AC;
    if (c >= 0x388 && c <= 0x38A)
        return c + 37;
    if (c == 0x38C)
        return 0x3CC;
    return c == 0x38E || c == 0x38F ? c + 63 : c;
}

/** Takes one character off; a byte that is not UTF-8 becomes a number that no character has. */
static uint32_t next_character(const char **s, const char *end)
{
    const uint8_t *p = (const uint8_t *)*s;
    unsigned more = p[0] >= 0xF0 ? 3 : p[0] >= 0xE0 ? 2 : p[0] >= 0xC0 ? 1 : 0;
    uint32_t c = p[0] & (0x7Fu >> (more ? more + 1 : 0));

    (*s)++;
    if (p[0] < 0x80)
        return c;
    if (more == 0 || p[0] >= 0xF8 || end - *s < (ptrdiff_t)more)
        return 0x110000u + p[0];
    for (unsigned i = 1; i <= more; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0x110000u + p[0];
        c = c << 6 | (p[i] & 63);
    }
    *s += more;
    return c;
}

bool fat32_name_equal(const char *a, size_t n, const char *b, size_t m)
{
    const char *a_end = a + n, *b_end = b + m;

    while (a < a_end && b < b_end) {
        if (fold(next_character(&a, a_end)) != fold(next_character(&b, b_end)))
            return false;
    }
    return a == a_end && b == b_end;
}

uint32_t fat32_name_hash(const char *name, size_t n)
{
    const char *end = name + n;
    uint32_t hash = 2166136261u; /* FNV-1a, by character */

    while (name < end)
        hash = (hash ^ fold(next_character(&name, end))) * 16777619u;
    return hash ^ hash >> 16;
}
