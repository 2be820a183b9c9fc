/* SPDX-License-Identifier: MIT */
/*
 * fsck.c: asks fsck.fat, and reads all that it says: its exit status alone tells too little.
 */
#include "cuts.h"

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEXT_BYTES 8192u

extern char **environ;

static char text[TEXT_BYTES];

/* Lines that a cut may cause; those that have nothing to say are among them. */
static const char *const allowed[] = {
    "Dirty bit is set. Fs was not properly unmounted and some data may be corrupt.",
    " Automatically removing dirty bit.",
    "Reclaimed ",
    "FATs differ but appear to be intact.",
    "  Using first FAT.",
    "Using first FAT.",
    "Free cluster summary uninitialized (should be ",
    "Leaving filesystem unchanged.",
    "Orphaned long file name part ", /* of a name that fills more than a sector */
    "  Auto-deleting.",
    "Long filename fragment ",
};

/* What it always says: these volumes are smaller than some systems would have them. */
static const char *const usual[] = {
    "fsck.fat ",
    "Warning: Filesystem is FAT32 according to",
    "  but has only ",
    "  This may lead to problems",
};

static bool begins(const char *line, const char *const *with, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strncmp(line, with[i], strlen(with[i])) == 0)
            return true;
    return false;
}

static const char *program(void)
{
    static const char *const places[] = {"/usr/sbin/fsck.fat", "/sbin/fsck.fat",
                                         "/usr/bin/fsck.fat"};

    for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++)
        if (access(places[i], X_OK) == 0)
            return places[i];
    return NULL;
}

static bool run(const char *path, const char *image, int *status)
{
    char *const argv[] = {(char *)path, "-n", (char *)image, NULL};
    posix_spawn_file_actions_t actions;
    int ends[2];
    size_t used = 0;
    ssize_t n;
    pid_t pid;
    bool good;

    if (pipe(ends))
        return false;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    good = posix_spawn(&pid, path, &actions, NULL, argv, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    while (good && (n = read(ends[0], text + used, sizeof text - 1 - used)) > 0)
        used += (size_t)n;
    text[used] = '\0';
    close(ends[0]);
    return good && waitpid(pid, status, 0) == pid;
}

static bool is_allowed(const char *line, size_t n)
{
    unsigned size, length;

    if (begins(line, allowed, sizeof allowed / sizeof allowed[0]))
        return true;
    if (sscanf(line, "  File size is %u bytes, cluster chain length is > %u", &size, &length) == 2)
        return true;
    return n > 0 && (line[0] == '/' || strstr(line, "Truncating file to") == line + 2);
}

static enum verdict read_text(const char *image)
{
    enum verdict verdict = VERDICT_CLEAN;

    for (const char *line = text; *line;) {
        size_t n = strcspn(line, "\n"), prefix = strlen(image);
        bool summary = n > prefix && memcmp(line, image, prefix) == 0 && line[prefix] == ':';

        if (n > 0 && !summary && !begins(line, usual, sizeof usual / sizeof usual[0])) {
            if (!is_allowed(line, n))
                return VERDICT_BAD;
            verdict = VERDICT_ALLOWED;
        }
        line += n + (line[n] == '\n');
    }
    return verdict;
}

enum verdict fsck_ask(const char **said)
{
    static char image[64];
    const char *path = program();
    enum verdict verdict;
    int status = -1;

    if (!path)
        return VERDICT_NONE;
    snprintf(image, sizeof image, "/dev/shm/tayberry-cuts-%d.img", (int)getpid());
    card_dump(image);
    *said = text;
    verdict = run(path, image, &status) ? read_text(image) : VERDICT_BAD;
    remove(image);
    if (verdict == VERDICT_CLEAN && status != 0)
        return VERDICT_BAD;
    return verdict;
}
