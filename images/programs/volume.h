/* SPDX-License-Identifier: MIT */
/*
 * volume.h: an image file, or a device, with a volume somewhere in it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct volume_file {
    const char *path;
    int descriptor;
    uint64_t offset;  /* bytes before the volume */
    uint64_t sectors; /* of 512 bytes, that are there for it */
};

/**
 * Opens the file. `offset`: in sectors of 512 bytes; UINT64_MAX: the first FAT32 partition if there
 * is a table of them, or else the whole file. False, and it has been said why, if that fails.
 */
bool volume_open(struct volume_file *volume, const char *path, bool writable, uint64_t offset);
bool volume_close(struct volume_file *volume);

/* For struct check_means and struct mkfs_options; `context` is a struct volume_file. */
int volume_read(void *context, uint64_t sector, void *data, unsigned count);
int volume_write(void *context, uint64_t sector, const void *data, unsigned count);
void *volume_allocate(void *context, size_t bytes);
void volume_release(void *context, void *memory);

/** A number with an optional K, M or G behind it. False if it is none. */
bool volume_number(const char *text, uint64_t *number);
