/* SPDX-License-Identifier: MIT */
/*
 * fsck.c: tayberry-fsck: the checker of core/fs/check and the repair of core/fs/repair, for images
 * and devices of the host.
 */
#include "volume.h"

#include "fs/repair/repair.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As other programs of this kind have it. */
enum status { CLEAN = 0, MENDED = 1, DAMAGED = 4, FAILED = 8, USAGE = 16 };

struct options {
    bool repair, save, quiet;
    uint64_t offset;
    const char *path;
};

static bool quiet;

static void print_finding(void *context, enum check_class class, const char *text)
{
    static const char *const classes[] = {"note", "untidy", "damage"};

    (void)context;
    if (!quiet)
        printf("%s: %s\n", classes[class], text);
}

static void print_mended(void *context, enum check_class class, const char *text)
{
    (void)context;
    (void)class;
    if (!quiet)
        printf("mended: %s\n", text);
}

static void print_summary(const struct volume_file *volume, const struct check_result *result)
{
    printf("%s: %u files, %u directories, %u of %u clusters", volume->path, result->files,
           result->directories, result->used, result->clusters);
    if (result->bad)
        printf(", %u bad", result->bad);
    printf(", %s\n", result->findings[CHECK_DAMAGE]   ? "damaged"
                     : result->findings[CHECK_UNTIDY] ? "untidy"
                                                      : "clean");
}

static enum status check(const struct check_means *means)
{
    struct check_result result;
    int error = fat_check(means, &result);

    if (error == -EINVAL)
        return DAMAGED;
    if (error) {
        fprintf(stderr, "%s\n", strerror(-error));
        return FAILED;
    }
    print_summary(means->context, &result);
    return result.findings[CHECK_DAMAGE] || result.findings[CHECK_UNTIDY] ? DAMAGED : CLEAN;
}

static enum status repair(const struct check_means *means, bool save)
{
    const struct repair_options options = {.save_lost = save, .finish = !save};
    struct repair_result result;
    int error = fat_repair(means, &options, &result);

    if (error == -EINVAL) {
        fprintf(stderr, "neither the boot sector nor its copy tells where things are\n");
        return DAMAGED;
    }
    if (error && error != -EIO) {
        fprintf(stderr, "%s\n", strerror(-error));
        return FAILED;
    }
    print_summary(means->context, &result.after);
    if (error)
        return DAMAGED;
    return result.mended ? MENDED : CLEAN;
}

static enum status usage(void)
{
    fprintf(stderr, "usage: tayberry-fsck [-y] [-s] [-q] [--offset SECTORS] IMAGE\n"
                    "  -y  repair; without it nothing is written\n"
                    "  -s  repair, and save what nobody has as FSCKnnnn.REC\n"
                    "  -q  only the summary\n");
    return USAGE;
}

static bool take_options(struct options *options, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-y") == 0)
            options->repair = true;
        else if (strcmp(argv[i], "-s") == 0)
            options->repair = options->save = true;
        else if (strcmp(argv[i], "-q") == 0)
            options->quiet = true;
        else if (strcmp(argv[i], "--offset") == 0 && i + 1 < argc) {
            if (!volume_number(argv[++i], &options->offset))
                return false;
        } else if (argv[i][0] == '-' || options->path)
            return false;
        else
            options->path = argv[i];
    }
    return options->path != NULL;
}

int main(int argc, char **argv)
{
    struct options options = {.offset = UINT64_MAX};
    struct volume_file volume;
    struct check_means means = {.context = &volume,
                                .read = volume_read,
                                .write = volume_write,
                                .allocate = volume_allocate,
                                .release = volume_release};
    enum status status;

    if (!take_options(&options, argc, argv))
        return usage();
    quiet = options.quiet;
    if (!volume_open(&volume, options.path, options.repair, options.offset))
        return FAILED;
    means.sectors = volume.sectors;
    means.found = options.repair ? print_mended : print_finding;
    status = options.repair ? repair(&means, options.save) : check(&means);
    return volume_close(&volume) ? status : FAILED;
}
