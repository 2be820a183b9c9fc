/* SPDX-License-Identifier: MIT */
/*
 * names.c: new names, as UTF-16 and as the eleven bytes that every entry has.
 *
 * A name that fits eight and three capitals (or small letters all through the base or the
 * extension, which byte 12 can say) needs no long name. All others get one, and a short name made
 * of what is left of their letters, which a number makes unique: LONGFI~1.TXT. After a few tries
 * the number is preceded by four digits of a checksum of the name, so that thousands of names with
 * the same beginning do not try each other's numbers one by one.
 *
 * Source: the FAT specification, "Long File Name Implementation".
 */
#include "fs/fat32/entry/entry.h"

#include "lib/bytes.h"
#include "lib/crc32.h"
#include "lib/string.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define BASE_BYTES 8u
#define EXTENSION_BYTES 3u
#define LOWER_BASE 0x08u
#define LOWER_EXTENSION 0x10u
#define PLAIN_ATTEMPTS 5u /* numbers without a checksum before them */
#define ORDINAL_LAST 0x40u

/* ---- from UTF-8 ---- */

/* Takes one character off. -EINVAL: it is not UTF-8, or too long a form of it. */
static int32_t take_character(const char **text, const char *end)
{
    static const int32_t least[4] = {0, 0x80, 0x800, 0x10000};
    const uint8_t *p = (const uint8_t *)*text;
    unsigned more = p[0] >= 0xF0 ? 3 : p[0] >= 0xE0 ? 2 : p[0] >= 0xC0 ? 1 : 0;
    int32_t c = p[0] & (0x7F >> (more ? more + 1 : 0));

    if ((p[0] >= 0x80 && more == 0) || p[0] >= 0xF8 || end - *text <= (ptrdiff_t)more)
        return -EINVAL;
    for (unsigned i = 1; i <= more; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return -EINVAL;
        c = c << 6 | (p[i] & 63);
    }
    *text += more + 1;
    if (c < least[more] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
        return -EINVAL;
    return c;
}

static bool is_legal(int32_t c)
{
    static const char illegal[] = "\"*/:<>?\\|";

    if (c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xFFFF)
        return false;
    for (const char *p = illegal; *p; p++)
        if (c == *p)
            return false;
    return true;
}

static int add_units(struct fat32_new_name *name, int32_t c)
{
    unsigned need = c >= 0x10000 ? 2 : 1;

    if (name->count + need > FAT32_LONG_UNITS)
        return -ENAMETOOLONG;
    if (need == 2) {
        name->units[name->count++] = (uint16_t)(0xD800 + ((c - 0x10000) >> 10));
        c = 0xDC00 + ((c - 0x10000) & 0x3FF);
    }
    name->units[name->count++] = (uint16_t)c;
    return 0;
}

static int read_text(const char *text, size_t n, struct fat32_new_name *name)
{
    const char *end = text + n;

    while (text < end) {
        int32_t c = take_character(&text, end);
        int error = c < 0 || !is_legal(c) ? -EINVAL : add_units(name, c);

        if (error)
            return error;
    }
    return 0;
}

/* ---- the short name ---- */

static bool is_short(uint16_t unit)
{
    static const char others[] = "$%'-_@~`!(){}^#&";

    if ((unit >= '0' && unit <= '9') || (unit >= 'A' && unit <= 'Z') ||
        (unit >= 'a' && unit <= 'z'))
        return true;
    for (const char *p = others; *p; p++)
        if (unit == (uint8_t)*p)
            return true;
    return false;
}

static bool is_lower(uint16_t unit)
{
    return unit >= 'a' && unit <= 'z';
}

static bool is_upper(uint16_t unit)
{
    return unit >= 'A' && unit <= 'Z';
}

/* What the letters of a part are: of one case, which can be said without a long name, or of two. */
struct letters {
    bool lower, upper;
};

/*
 * Writes the units from `from` to `to` as a part of the short name. Blanks and dots vanish, what
 * has no place becomes '_', what is too much is cut; each makes the name lossy.
 */
static struct letters make_part(struct fat32_new_name *name, unsigned from, unsigned to,
                                uint8_t *part, unsigned size)
{
    struct letters letters = {false, false};
    unsigned used = 0;

    for (unsigned i = from; i < to; i++) {
        uint16_t unit = name->units[i];

        if (unit == ' ' || unit == '.' || used == size) {
            name->lossy = true;
            continue;
        }
        letters.lower |= is_lower(unit);
        letters.upper |= is_upper(unit);
        if (!is_short(unit)) {
            name->lossy = true;
            unit = '_';
        }
        part[used++] = (uint8_t)(is_lower(unit) ? unit - 'a' + 'A' : unit);
    }
    return letters;
}

/* Where the extension begins: behind the last dot that is not at the beginning; or the end. */
static unsigned find_extension(const struct fat32_new_name *name)
{
    unsigned first = 0;

    while (first < name->count && name->units[first] == '.')
        first++;
    for (unsigned i = name->count; i > first + 1; i--)
        if (name->units[i - 1] == '.')
            return i;
    return name->count;
}

static void make_short(struct fat32_new_name *name)
{
    unsigned extension = find_extension(name);
    unsigned base_end = extension < name->count ? extension - 1 : name->count;
    struct letters base, rest;

    memset(name->short_name, ' ', FAT32_SHORT_BYTES);
    base = make_part(name, 0, base_end, name->short_name, BASE_BYTES);
    rest = make_part(name, extension, name->count, name->short_name + BASE_BYTES, EXTENSION_BYTES);
    if (name->short_name[0] == ' ') {
        name->short_name[0] = '_';
        name->lossy = true;
    }
    if (name->lossy || (base.lower && base.upper) || (rest.lower && rest.upper))
        return; /* it needs its long name */
    name->lower = (uint8_t)((base.lower ? LOWER_BASE : 0) | (rest.lower ? LOWER_EXTENSION : 0));
    name->count = 0;
}

size_t fat32_name_trim(const char *text, size_t n)
{
    while (n > 0 && (text[n - 1] == '.' || text[n - 1] == ' '))
        n--;
    return n;
}

int fat32_name_make(const char *text, size_t n, struct fat32_new_name *name)
{
    int error;

    memset(name, 0, sizeof(*name));
    n = fat32_name_trim(text, n);
    if (n == 0)
        return -EINVAL;
    error = read_text(text, n, name);
    if (!error)
        make_short(name);
    return error;
}

/* ---- numbers ---- */

static unsigned write_digits(uint8_t *to, uint32_t value, unsigned base)
{
    static const char digits[] = "0123456789ABCDEF";
    uint8_t reversed[10];
    unsigned n = 0;

    do {
        reversed[n++] = (uint8_t)digits[value % base];
        value /= base;
    } while (value);
    for (unsigned i = 0; i < n; i++)
        to[i] = reversed[n - 1 - i];
    return n;
}

void fat32_name_number(struct fat32_new_name *name, unsigned attempt, uint8_t *short_name)
{
    uint8_t tail[16];
    unsigned n = 0, kept = 0, room;

    memcpy(short_name, name->short_name, FAT32_SHORT_BYTES);
    if (attempt == 0)
        return;
    if (attempt >= PLAIN_ATTEMPTS) {
        uint32_t sum = crc32(0, name->units, name->count * sizeof(name->units[0]));

        /* More attempts than one digit can tell take other checksums. */
        sum += (attempt - PLAIN_ATTEMPTS) / 9 * 0x9E3779B1u;
        n = write_digits(tail, 0x10000 | (sum & 0xFFFF), 16);
        memmove(tail, tail + 1, --n);
        attempt = (attempt - PLAIN_ATTEMPTS) % 9 + 1;
    }
    tail[n++] = '~';
    n += write_digits(tail + n, attempt, 10);
    room = BASE_BYTES - n;
    while (kept < room && short_name[kept] != ' ')
        kept++;
    memcpy(short_name + kept, tail, n);
}

/* ---- slots ---- */

static uint8_t checksum(const uint8_t *short_name)
{
    uint8_t sum = 0;

    for (unsigned i = 0; i < FAT32_SHORT_BYTES; i++)
        sum = (uint8_t)((sum >> 1 | sum << 7) + short_name[i]);
    return sum;
}

void fat32_name_slot(const struct fat32_new_name *name, unsigned number, uint8_t *slot)
{
    static const uint8_t offsets[FAT32_SLOT_UNITS] = {1,  3,  5,  7,  9,  14, 16,
                                                      18, 20, 22, 24, 28, 30};
    unsigned total = fat32_name_slots(name) - 1, ordinal = total - number;
    unsigned first = (ordinal - 1) * FAT32_SLOT_UNITS;

    memset(slot, 0, FAT32_SLOT_BYTES);
    slot[0] = (uint8_t)(ordinal | (number == 0 ? ORDINAL_LAST : 0));
    slot[11] = 0x0F;
    slot[13] = checksum(name->short_name);
    for (unsigned i = 0; i < FAT32_SLOT_UNITS; i++) {
        unsigned at = first + i;
        uint16_t unit = at < name->count ? name->units[at] : at == name->count ? 0 : 0xFFFF;

        put_le16(slot + offsets[i], unit);
    }
}
