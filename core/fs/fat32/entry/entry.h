/* SPDX-License-Identifier: MIT */
/*
 * entry.h: what directories are made of: slots, entries, names; read, found, entered, erased.
 *
 * Everything here but the functions of names alone is called with the volume's mutex held, may
 * sleep, and returns 0 or a negative error. "In a transaction" is between fat32_begin and fat32_end
 * (write/write.h).
 */
#pragma once

#include "fs/fat32/volume.h"

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * --- name.c: the two names of a file: eleven bytes, and up to 255 units of UTF-16 before them ---
 *
 * The short name is the entry itself: 8 characters and 3, padded with blanks, in capitals, in the
 * character set of the PC (code page 437). The long name, if any, lies in slots right before the
 * entry, 13 units in each, the last part first:
 *
 *     0x42 | "name.txt"       | sum    the last part of two, marked by 0x40
 *     0x01 | "A rather long " | sum
 *     ARATHE~1TXT                      sum is the checksum of these 11 bytes
 *
 * If the slots are not all there, or the checksum does not fit, they belonged to an entry that a
 * system without long names has since replaced, and the short name is the only one.
 *
 * Both come out as UTF-8. A unit that must not be in a path, or is no character (controls, '/',
 * ':', half a surrogate pair), comes out as ':' and four hexadecimal digits: ':' is in no sound
 * name, so what is shown is also what finds the file.
 */

#define FAT32_SHORT_BYTES 11u
#define FAT32_LONG_UNITS 255u /**< the longest long name */
#define FAT32_LONG_SLOTS 20u  /**< how many slots that takes */
#define FAT32_SLOT_UNITS 13u

/** A long name that is being put together from its slots, in whatever order they come. */
struct fat32_long_name {
    uint16_t units[FAT32_LONG_SLOTS * FAT32_SLOT_UNITS];
    uint32_t seen; /**< a bit for each ordinal 1 .. 20 */
    uint8_t total; /**< how many slots there are; 0: the one that tells has not come */
    uint8_t checksum;
};

void fat32_long_reset(struct fat32_long_name *name);

/** Takes in a slot of 32 bytes; one that does not belong to those before starts anew. */
void fat32_long_add(struct fat32_long_name *name, const uint8_t *slot);

/**
 * Writes the long name for the entry with this short name into the `size` bytes at `to`. Returns
 * its length, or 0 if there is none that is whole, fits and can be a name ("." and ".." cannot).
 */
size_t fat32_long_finish(const struct fat32_long_name *name, const uint8_t *short_name, char *to,
                         size_t size);

/**
 * Writes the short name of an entry of 32 bytes in its readable form ("README.TXT"), with the
 * lower case that Windows NT marks in byte 12. Needs up to 12 * 5 bytes + NUL; cut if `size` is
 * less.
 */
void fat32_short_name(const uint8_t *entry, char *to, size_t size);

/** True if the two names, of `n` and `m` bytes of UTF-8, are the same but for case. */
bool fat32_name_equal(const char *a, size_t n, const char *b, size_t m);

/** A number that is the same for names that are equal by fat32_name_equal. */
uint32_t fat32_name_hash(const char *name, size_t n);

/* --- times.c: nanoseconds since 1970 --- */

/** What the fields say; a part out of its range becomes the nearest in it. */
int64_t fat32_time_read(unsigned date, unsigned time, unsigned hundredths);

/** Writes them; a time that they cannot say becomes the nearest that they can. NULL: none such. */
void fat32_time_put(int64_t ns, uint8_t *date, uint8_t *time, uint8_t *hundredths);

/** What remains of a time of change when it is read again. */
int64_t fat32_time_kept(int64_t ns);

/* --- directory.c --- */

/** Marks of an entry, its byte 11. */
#define FAT32_MARK_READ_ONLY 0x01u
#define FAT32_MARK_HIDDEN 0x02u
#define FAT32_MARK_SYSTEM 0x04u
#define FAT32_MARK_DIRECTORY 0x10u
#define FAT32_MARK_ARCHIVE 0x20u /**< was changed */

#define FAT32_SLOT_BYTES 32u
#define FAT32_SLOTS_MAX 65536u /**< of one directory, by the specification */
#define FAT32_ALIAS_MAX 39     /**< bytes of a short name in UTF-8: 12 characters of up to 3 */

struct fat32_entry {
    struct directory_entry public;
    char alias[FAT32_ALIAS_MAX +
               1]; /**< the short name; equal to the name if there is no long one */
    uint32_t cluster;
    unsigned long_slots; /**< slots of its long name, right before its own */
};

/** What the 32 bytes of an entry say, all but its number. */
void fat32_entry_attributes(const struct fat32_volume *volume, const uint8_t *slot,
                            struct vnode_attributes *attributes);

/**
 * The next file or directory from slot *position on. -ENOENT: no more. Otherwise as
 * fat32_chain_find. Caller holds the volume's mutex. May sleep.
 */
HAL_MUST_CHECK int fat32_directory_next(struct fat32_volume *volume, struct fat32_chain *chain,
                                        uint64_t *position, struct fat32_entry *entry);

/* --- names.c --- */

/** A name as it is written. */
struct fat32_new_name {
    uint16_t units[FAT32_LONG_UNITS];
    unsigned count;                        /**< of units; 0: the short name says it all */
    uint8_t short_name[FAT32_SHORT_BYTES]; /**< its basis, until it is known to be unique */
    uint8_t lower;                         /**< byte 12 of the entry */
    bool lossy;                            /**< the basis says less than the name */
};

/** Slots that the name takes, with its entry. */
static inline unsigned fat32_name_slots(const struct fat32_new_name *name)
{
    return 1 + (name->count + FAT32_SLOT_UNITS - 1) / FAT32_SLOT_UNITS;
}

/** The length without dots and blanks at the end, which are not part of a name. */
size_t fat32_name_trim(const char *text, size_t n);

/** From UTF-8. -EINVAL: not a name that FAT32 can have; -ENAMETOOLONG. */
HAL_MUST_CHECK int fat32_name_make(const char *text, size_t n, struct fat32_new_name *name);

/** Makes the short name the one number `attempt`: 0 the basis, then "BASIS~1" and so on. */
void fat32_name_number(struct fat32_new_name *name, unsigned attempt, uint8_t *short_name);

/** Writes slot `number` of fat32_name_slots - 1 slots of the long name, as they follow. */
void fat32_name_slot(const struct fat32_new_name *name, unsigned number, uint8_t *slot);

/* --- entries.c --- */

/** Where an entry is: its slots in the directory, and its last one's byte on the volume. */
struct fat32_place {
    uint64_t first; /**< slot number */
    unsigned slots;
    uint64_t entry; /**< byte */
    bool at_end;    /**< of room: more slots follow, which were never used */
};

#define FAT32_PLACE_SECTORS 5u /**< that entering or erasing changes at most */

/**
 * Moves *position, which was behind an entry once, out of one that has been entered there since.
 * Otherwise as fat32_chain_find.
 */
HAL_MUST_CHECK int fat32_entry_resume(struct fat32_node *directory, uint64_t *position);

/** Looks for `name`. -ENOENT. `place` may be NULL. */
HAL_MUST_CHECK int fat32_entry_find(struct fat32_node *directory, const char *name, size_t n,
                                    struct fat32_entry *entry, struct fat32_place *place);

/** Where slot `number` of the directory with this chain is on the volume. As fat32_chain_find. */
HAL_MUST_CHECK int fat32_chain_place(struct fat32_volume *volume, struct fat32_chain *chain,
                                     uint64_t number, uint64_t *byte);

/** The same of an open directory. */
HAL_MUST_CHECK int fat32_slot_place(struct fat32_node *directory, uint64_t number, uint64_t *byte);

/**
 * Finds room for `slots` slots, and makes the directory longer if it has to, in transactions of its
 * own. -ENOSPC: the card is full, or the directory as large as one may be.
 */
HAL_MUST_CHECK int fat32_entry_room(struct fat32_node *directory, unsigned slots,
                                    struct fat32_place *place);

/** Enters `name` with the 32 bytes of `entry` (whose name is filled in). In a transaction. */
HAL_MUST_CHECK int fat32_entry_put(struct fat32_node *directory, const struct fat32_place *place,
                                   const struct fat32_new_name *name, uint8_t *entry);

/** Erases the slots. In a transaction. */
HAL_MUST_CHECK int fat32_entry_erase(struct fat32_node *directory, const struct fat32_place *place);

/** Fills in a short name that is not in the directory. */
HAL_MUST_CHECK int fat32_entry_name(struct fat32_node *directory, struct fat32_new_name *name);

/* --- index.c: the names of a directory by their hashes --- */

/** True if there is an index, or one could be made. `entry` is room to read the directory. */
bool fat32_index_make(struct fat32_node *directory, struct fat32_entry *entry);

/**
 * With an index: the next entry that may have this name; begin with *probe = 0. *position: the slot
 * behind it. -ENOENT: there is none.
 */
HAL_MUST_CHECK int fat32_index_find(struct fat32_node *directory, const char *name, size_t n,
                                    uint32_t *probe, struct fat32_entry *entry, uint64_t *position);

/** An entry was entered. `entry` is room to read it. */
void fat32_index_added(struct fat32_node *directory, const struct fat32_place *place,
                       struct fat32_entry *entry);

/** An entry is about to be erased; if that fails, drop the index. */
void fat32_index_removing(struct fat32_node *directory, const struct fat32_place *place,
                          struct fat32_entry *entry);

void fat32_index_drop(struct fat32_node *directory);

/** Drops those that were not used for longest; how many frames that may give. */
size_t fat32_index_reclaim(struct fat32_volume *volume, size_t frames);

/** The first slot at which there may be so many free ones in a row. */
uint64_t fat32_index_room(const struct fat32_node *directory, unsigned slots);

/** There are none before `first`. */
void fat32_index_found_room(struct fat32_node *directory, unsigned slots, uint64_t first);
