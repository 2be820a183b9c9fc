/* SPDX-License-Identifier: MIT */
/*
 * put.h: puts a folder of the host, with all that is in it, onto a FAT32 volume in an image file.
 *
 * The image must be nobody else's meanwhile, and one that may be spoilt: after an error it is not
 * what it was. FAT has no owners, modes, links or devices, so the folder loses some things:
 *
 *     a link to a file          becomes a file of its own
 *     a name of FAT's           at most 255 units of UTF-16, none of "*:<>?\| or controls, no dot
 *                               or blank at the end, and not twice in a folder but for case
 *     a file                    has less than 4 GiB
 *
 * What cannot be there is left out, and the caller is told of each.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PUT_MESSAGE_BYTES 512u

struct put {
    int image;          /**< descriptor, to be read and written */
    const char *folder; /**< of the host */
    const char *name;   /**< what it is called in the volume's root: up to 8 letters or digits */

    void *context;
    /** Something is left out: its path from the folder on, and why. */
    void (*left_out)(void *context, const char *path, const char *why);
};

struct put_totals {
    uint64_t files, folders, bytes;
};

/** Puts it there. NULL, or why not: a sentence, valid until the next call. */
const char *put_folder(const struct put *put, struct put_totals *totals);

/** Makes the image an empty volume, large enough for the folder, with folders for mounts of /dev
 * and /proc. NULL or a sentence, as above. */
const char *put_make_volume(int image, const char *folder);
