/* SPDX-License-Identifier: MIT */
/*
 * names.c: names of one directory: a table of their hashes, long names put together from their
 * slots, and new names for those that cannot stay.
 */
#include "fs/repair/work.h"

#include "lib/format.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define ROOM_MIN 256u
#define UNITS 13u
#define LONG_SLOTS_MAX 20u

/* ---- the table ---- */

void repair_forget_names(struct repair *repair)
{
    if (repair->name_room > ROOM_MIN) {
        repair_release(repair, repair->names);
        repair->names = NULL;
        repair->name_room = 0;
    }
    repair->name_count = 0;
    if (repair->names)
        memset(repair->names, 0, repair->name_room * sizeof(*repair->names));
}

static uint64_t *find(uint64_t *names, uint32_t room, uint64_t hash)
{
    uint32_t at = (uint32_t)(hash >> 20) & (room - 1);

    while (names[at] != 0 && names[at] != hash)
        at = (at + 1) & (room - 1);
    return &names[at];
}

bool repair_has_name(const struct repair *repair, uint64_t hash)
{
    return repair->names && *find(repair->names, repair->name_room, hash) != 0;
}

static int grow(struct repair *repair)
{
    uint32_t room = repair->name_room ? repair->name_room * 2 : ROOM_MIN;
    uint64_t *larger = repair_allocate(repair, room * sizeof(*larger));

    if (!larger)
        return -ENOMEM;
    for (uint32_t i = 0; i < repair->name_room; i++)
        if (repair->names[i])
            *find(larger, room, repair->names[i]) = repair->names[i];
    repair_release(repair, repair->names);
    repair->names = larger;
    repair->name_room = room;
    return 0;
}

int repair_add_name(struct repair *repair, uint64_t hash)
{
    uint64_t *place;
    int error = 0;

    if (repair->name_count >= repair->name_room / 2)
        error = grow(repair);
    if (error)
        return error;
    place = find(repair->names, repair->name_room, hash);
    repair->name_count += *place == 0;
    *place = hash;
    return 0;
}

/* ---- long names ---- */

/* How many units the name has that is in `slots` slots; 0: it is none. */
static unsigned length_of(const uint16_t *units, uint32_t slots)
{
    unsigned most = slots * UNITS, n = 0;

    while (n < most && units[n] != 0) {
        if (!check_unit_is_legal(units[n]))
            return 0;
        n++;
    }
    for (unsigned i = n + 1; i < most; i++)
        if (units[i] != 0xFFFF)
            return 0;
    return n > 255 || n + UNITS <= most ? 0 : n;
}

uint32_t repair_long_slots(const struct repair_directory *directory, uint32_t first,
                           uint32_t number, uint16_t *units, unsigned *n)
{
    const uint8_t *entry = directory->slots + number * REPAIR_SLOT;
    uint8_t sum = check_sum(entry);

    *n = 0;
    for (uint32_t count = 1; count <= LONG_SLOTS_MAX && number - count + 1 > first; count++) {
        const uint8_t *slot = entry - count * REPAIR_SLOT;

        if ((slot[0] & 0x3F) != count || slot[13] != sum)
            return 0;
        for (unsigned i = 0; i < UNITS; i++)
            units[(count - 1) * UNITS + i] = check_long_unit(slot, i);
        if (slot[0] & 0x40) {
            *n = length_of(units, count);
            return *n ? count : 0;
        }
    }
    return 0;
}

/* ---- names for people, and new ones ---- */

void repair_name_text(const uint8_t *slot, char text[16])
{
    unsigned used = 0;

    for (unsigned i = 0; i < 11; i++) {
        if (i == 8)
            text[used++] = '.';
        text[used++] = slot[i] > 0x20 && slot[i] < 0x7F ? (char)slot[i] : '_';
    }
    text[used] = '\0';
}

void repair_rename(struct repair *repair, uint8_t *slot, const char *extension)
{
    char name[16];

    do {
        format_text(name, sizeof(name), "FSCK%04u%s", repair->renamed % 10000, extension);
        repair->renamed++;
        memcpy(slot, name, 11);
        slot[12] = 0;
    } while (repair_has_name(repair, check_hash_short(slot)));
}
