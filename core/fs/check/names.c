/* SPDX-License-Identifier: MIT */
/*
 * names.c: names: whether they are whole, legal, and there once.
 *
 * In a directory no two names may be alike but for case, whether long or short. All are hashed and
 * sorted: two equal hashes of 64 bits are taken for equal names.
 */
#include "fs/check/judge.h"

#include "lib/bytes.h"
#include "lib/format.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define UNITS 13u

/* ---- long names ---- */

void judge_orphan(struct judge *judge, struct check_long *name)
{
    if (name->total)
        judge_found(judge, CHECK_UNTIDY, "%u slots of a long name have no entry", name->total);
    name->total = 0;
}

uint16_t check_long_unit(const uint8_t *slot, unsigned i)
{
    unsigned at = i < 5 ? 1 + 2 * i : i < 11 ? 4 + 2 * i : 6 + 2 * i;

    return le16(slot + at);
}

void judge_long(struct judge *judge, struct check_long *name, const uint8_t *slot)
{
    unsigned ordinal = slot[0] & 0x3F;

    if (slot[12] != 0)
        judge_found(judge, CHECK_UNTIDY, "a slot of a long name is of the unknown kind %u",
                    slot[12]);
    if (le16(slot + 26) != 0)
        judge_found(judge, CHECK_DAMAGE, "a slot of a long name has a cluster, %u",
                    le16(slot + 26));
    if (slot[0] & 0x40) {
        judge_orphan(judge, name);
        name->total = name->next = ordinal;
        name->sum = slot[13];
    }
    if (ordinal == 0 || ordinal > 20 || name->total == 0 || ordinal != name->next ||
        name->sum != slot[13]) {
        if (name->total == 0)
            name->total = 1; /* this one */
        judge_orphan(judge, name);
        return;
    }
    name->next--;
    for (unsigned i = 0; i < UNITS; i++)
        name->units[(ordinal - 1) * UNITS + i] = check_long_unit(slot, i);
}

uint8_t check_sum(const uint8_t *short_name)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < 11; i++)
        sum = (((sum & 1) << 7 | sum >> 1) + short_name[i]) & 0xFF;
    return (uint8_t)sum;
}

/* How long the name in the slots is; 0 if it is not one. */
static unsigned length_of(const struct check_long *name)
{
    unsigned most = name->total * UNITS, n = 0;

    while (n < most && name->units[n] != 0)
        n++;
    for (unsigned i = n + 1; i < most; i++)
        if (name->units[i] != 0xFFFF)
            return 0;
    return n > 255 || n <= most - UNITS ? 0 : n;
}

bool check_unit_is_legal(uint16_t unit)
{
    static const char illegal[] = "\"*/:<>?\\|";

    for (const char *p = illegal; *p; p++)
        if (unit == (uint8_t)*p)
            return false;
    return unit >= 0x20;
}

static void check_long_name(struct judge *judge, const struct check_entry *entry)
{
    const uint16_t *units = entry->units;
    unsigned n = entry->unit_count;

    for (unsigned i = 0; i < n; i++)
        if (!check_unit_is_legal(units[i])) {
            judge_found(judge, CHECK_DAMAGE, "%s has a character that is not allowed", entry->text);
            return;
        }
    for (unsigned i = 0; i < n; i++) {
        bool high = units[i] >> 10 == 0x36, pair = i + 1 < n && units[i + 1] >> 10 == 0x37;

        if ((high && !pair) || units[i] >> 10 == 0x37)
            judge_found(judge, CHECK_NOTE, "%s has half a character", entry->text);
        i += high && pair;
    }
    if (units[n - 1] == '.' || units[n - 1] == ' ')
        judge_found(judge, CHECK_NOTE, "%s ends with a dot or a blank", entry->text);
}

/* ---- short names ---- */

static bool is_short(uint8_t c)
{
    static const char illegal[] = "\"*+,./:;<=>?[\\]|";

    for (const char *p = illegal; *p; p++)
        if (c == (uint8_t)*p)
            return false;
    return c > 0x20 && c != 0x7F && !(c >= 'a' && c <= 'z');
}

/* Letters, then blanks; in each of the two parts. */
static bool is_part(const uint8_t *part, unsigned n)
{
    unsigned i = 0;

    while (i < n && part[i] != ' ')
        if (!is_short(part[i++]))
            return false;
    while (i < n)
        if (part[i++] != ' ')
            return false;
    return true;
}

bool check_short_is_legal(const uint8_t *short_name)
{
    uint8_t name[11];

    memcpy(name, short_name, sizeof(name));
    if (name[0] == 0x05)
        name[0] = 0xE5;
    return name[0] != ' ' && is_part(name, 8) && is_part(name + 8, 3);
}

bool check_label_is_legal(const uint8_t *label)
{
    for (unsigned i = 0; i < 11; i++)
        if (label[i] != ' ' && !is_short(label[i]))
            return false;
    return label[0] != ' ';
}

static void check_short_name(struct judge *judge, const struct check_entry *entry)
{
    if (entry->slot[12] & 0x20) /* an extension of Linux that fsck.fat knows */
        judge_found(judge, CHECK_DAMAGE, "%s says that it has no short name", entry->text);
    if (!check_short_is_legal(entry->slot))
        judge_found(judge, CHECK_DAMAGE, "%s has a short name that is not allowed", entry->text);
}

static void write_text(struct check_entry *entry)
{
    size_t used = 0;

    for (unsigned i = 0; i < entry->unit_count && used + 8 < sizeof(entry->text); i++) {
        uint16_t unit = entry->units[i];

        if (unit >= 0x20 && unit < 0x7F)
            entry->text[used++] = (char)unit;
        else
            used += format_text(entry->text + used, sizeof(entry->text) - used, "\\u%04x", unit);
    }
    for (unsigned i = 0; i < 11 && entry->unit_count == 0; i++) {
        uint8_t c = entry->slot[i];

        if (i == 8 && c != ' ')
            entry->text[used++] = '.';
        if (c > 0x20 && c < 0x7F)
            entry->text[used++] = (char)c;
        else if (c != ' ')
            used += format_text(entry->text + used, sizeof(entry->text) - used, "\\x%02x", c);
    }
    entry->text[used] = '\0';
}

void judge_name(struct judge *judge, struct check_long *name, struct check_entry *entry)
{
    entry->unit_count = 0;
    if (name->total && name->next == 0 && name->sum == check_sum(entry->slot)) {
        entry->unit_count = length_of(name);
        memcpy(entry->units, name->units, entry->unit_count * sizeof(name->units[0]));
        write_text(entry);
        if (entry->unit_count == 0)
            judge_found(judge, CHECK_DAMAGE, "%s has a long name without an end", entry->text);
        else
            check_long_name(judge, entry);
    } else {
        write_text(entry);
        judge_orphan(judge, name);
    }
    name->total = 0;
    check_short_name(judge, entry);
}

/* ---- twice the same ---- */

/* Letters that differ in case only become the same. */
static uint16_t fold(uint16_t c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 0xE0 && c <= 0xFE && c != 0xF7) ||
        (c >= 0x3B1 && c <= 0x3C9 && c != 0x3C2) || (c >= 0x430 && c <= 0x44F))
        return c - 32;
    return c >= 0x450 && c <= 0x45F ? c - 80 : c;
}

static uint64_t hash_unit(uint64_t hash, uint16_t unit)
{
    return (hash ^ fold(unit)) * 0x100000001B3u;
}

static int add_hash(struct judge *judge, uint64_t hash)
{
    const struct check_means *means = judge->means;

    if (judge->name_count == judge->name_room) {
        uint32_t room = judge->name_room ? judge->name_room * 2 : 256;
        uint64_t *larger = means->allocate(means->context, room * sizeof(*larger));

        if (!larger)
            return -ENOMEM;
        memcpy(larger, judge->names, judge->name_count * sizeof(*larger));
        means->release(means->context, judge->names);
        judge->names = larger;
        judge->name_room = room;
    }
    judge->names[judge->name_count++] = hash;
    return 0;
}

/* The short name as it would be typed. */
uint64_t check_hash_short(const uint8_t *slot)
{
    uint64_t hash = 0xCBF29CE484222325u;

    for (unsigned i = 0; i < 11; i++) {
        if (i == 8 && slot[i] != ' ')
            hash = hash_unit(hash, '.');
        if (slot[i] != ' ')
            hash = hash_unit(hash, slot[i] < 0x80 ? slot[i] : (uint16_t)(0xFF00 + slot[i]));
    }
    return hash;
}

uint64_t check_hash_long(const uint16_t *units, unsigned n)
{
    uint64_t hash = 0xCBF29CE484222325u;

    for (unsigned i = 0; i < n; i++)
        hash = hash_unit(hash, units[i]);
    return hash;
}

int judge_add_names(struct judge *judge, const struct check_entry *entry)
{
    uint64_t hash = check_hash_long(entry->units, entry->unit_count);
    uint64_t short_hash = check_hash_short(entry->slot);
    int error = add_hash(judge, short_hash);

    /* A long name may be its own short one in other letters. */
    if (!error && entry->unit_count > 0 && hash != short_hash)
        error = add_hash(judge, hash);
    return error;
}

/* Heap sort: no memory, no bad case. */
static void sift(uint64_t *values, uint32_t at, uint32_t n)
{
    for (uint32_t child = 2 * at + 1; child < n; at = child, child = 2 * at + 1) {
        uint64_t value = values[at];

        if (child + 1 < n && values[child + 1] > values[child])
            child++;
        if (values[child] <= value)
            return;
        values[at] = values[child];
        values[child] = value;
    }
}

static void sort(uint64_t *values, uint32_t n)
{
    for (uint32_t i = n / 2; i-- > 0;)
        sift(values, i, n);
    for (uint32_t i = n; i-- > 1;) {
        uint64_t last = values[i];

        values[i] = values[0];
        values[0] = last;
        sift(values, 0, i);
    }
}

void judge_compare_names(struct judge *judge, const char *directory)
{
    sort(judge->names, judge->name_count);
    for (uint32_t i = 1; i < judge->name_count; i++)
        if (judge->names[i] == judge->names[i - 1])
            judge_found(judge, CHECK_DAMAGE, "two entries of %s have the same name", directory);
    judge->name_count = 0;
}
