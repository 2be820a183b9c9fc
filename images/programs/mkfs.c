/* SPDX-License-Identifier: MIT */
/*
 * mkfs.c: tayberry-mkfs: the formatter of core/fs/mkfs, for images and devices of the host.
 */
#define _FILE_OFFSET_BITS 64
#include "volume.h"

#include "fs/mkfs/mkfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct arguments {
    struct mkfs_options options;
    const char *path;
    uint64_t bytes, offset;
    bool create;
};

static int usage(void)
{
    fprintf(stderr, "usage: tayberry-mkfs [OPTION VALUE]... IMAGE [SIZE]\n"
                    "  With SIZE, a number with K, M or G behind it, the file is made anew.\n"
                    "  --label TEXT  --id NUMBER  --cluster BYTES  --sector BYTES  --fats 1|2\n"
                    "  --reserved SECTORS  --offset SECTORS (of 512 bytes, before the volume)\n");
    return 16;
}

static bool take_option(struct arguments *arguments, const char *name, const char *text)
{
    static const struct {
        const char *name;
        size_t at;
    } numbers[] = {{"--id", offsetof(struct mkfs_options, volume_id)},
                   {"--cluster", offsetof(struct mkfs_options, cluster_bytes)},
                   {"--sector", offsetof(struct mkfs_options, sector_bytes)},
                   {"--fats", offsetof(struct mkfs_options, fats)},
                   {"--reserved", offsetof(struct mkfs_options, reserved)}};
    uint64_t number;

    if (strcmp(name, "--label") == 0) {
        arguments->options.label = text;
        return true;
    }
    if (!volume_number(text, &number))
        return false;
    if (strcmp(name, "--offset") == 0) {
        arguments->offset = number;
        return true;
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (strcmp(name, numbers[i].name) == 0 && number <= UINT32_MAX) {
            uint32_t value = (uint32_t)number;

            memcpy((char *)&arguments->options + numbers[i].at, &value, sizeof value);
            return true;
        }
    return false;
}

static bool take_arguments(struct arguments *arguments, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-') {
            if (i + 1 == argc || !take_option(arguments, argv[i], argv[i + 1]))
                return false;
            i++;
        } else if (!arguments->path) {
            arguments->path = argv[i];
        } else if (arguments->create || !volume_number(argv[i], &arguments->bytes)) {
            return false;
        } else {
            arguments->create = true;
        }
    }
    return arguments->path != NULL;
}

/* Now, or when SOURCE_DATE_EPOCH says, for the label and the number of the volume. */
static void set_time(struct mkfs_options *options)
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    time_t now = epoch ? (time_t)strtoll(epoch, NULL, 10) : time(NULL);
    const struct tm *calendar = gmtime(&now);

    options->date = 0x21;
    if (calendar && calendar->tm_year >= 80 && calendar->tm_year <= 207) {
        options->date = (uint16_t)((calendar->tm_year - 80) << 9 | (calendar->tm_mon + 1) << 5 |
                                   calendar->tm_mday);
        options->time =
            (uint16_t)(calendar->tm_hour << 11 | calendar->tm_min << 5 | calendar->tm_sec / 2);
    }
    if (options->volume_id == 0)
        options->volume_id = (uint32_t)now * 2654435761u;
}

static bool create_file(const struct arguments *arguments)
{
    int file = open(arguments->path, O_RDWR | O_CREAT | O_TRUNC, 0666);
    bool good = file >= 0 && ftruncate(file, (off_t)arguments->bytes) == 0;

    if (!good)
        fprintf(stderr, "%s: %s\n", arguments->path, strerror(errno));
    if (file >= 0)
        close(file);
    return good;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.options = {.write = volume_write}};
    struct mkfs_result result;
    struct volume_file volume;
    int error;

    if (!take_arguments(&arguments, argc, argv))
        return usage();
    if (arguments.create && !create_file(&arguments))
        return 8;
    if (!volume_open(&volume, arguments.path, true, arguments.offset))
        return 8;
    set_time(&arguments.options);
    arguments.options.context = &volume;
    arguments.options.sectors = volume.sectors;
    arguments.options.hidden = arguments.offset;
    error = fat_format(&arguments.options, &result);
    if (error) {
        fprintf(stderr, "%s: no volume can be made like that: %s\n", volume.path, strerror(-error));
        return 8;
    }
    printf("%s: %u clusters of %u bytes\n", volume.path, result.clusters, result.cluster_bytes);
    if (result.clusters < 65525)
        printf("%s: some systems take it for FAT16: it has less than 65525 clusters\n",
               volume.path);
    return volume_close(&volume) ? 0 : 8;
}
