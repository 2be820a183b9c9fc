/* SPDX-License-Identifier: MIT */
/*
 * mtools.c: the same files by mtools: each of its programs does all of them in one run.
 */
#include "host.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* A child's processor time. */
static uint64_t used(const struct rusage *usage)
{
    return (uint64_t)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000000u +
           (uint64_t)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * 1000u;
}

/*
 * Runs a program in silence for at most `seconds`. The processor time it took; *ended: it ended by
 * itself.
 */
static uint64_t run(char *const *words, unsigned seconds, bool *ended)
{
    uint64_t limit = wall_clock() + seconds * 1000000000ull;
    struct rusage usage = {.ru_utime = {0, 0}};
    posix_spawn_file_actions_t files;
    pid_t child, gone;
    int status;

    posix_spawn_file_actions_init(&files);
    for (int fd = 0; fd < 3; fd++)
        posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
    if (posix_spawnp(&child, words[0], &files, NULL, words, environ))
        give_up("cannot start mtools");
    posix_spawn_file_actions_destroy(&files);
    while ((gone = wait4(child, &status, WNOHANG, &usage)) == 0 && wall_clock() < limit)
        nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
    *ended = gone == child;
    if (*ended && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
        give_up("mtools failed");
    if (!*ended) {
        kill(child, SIGKILL);
        (void)wait4(child, &status, 0, &usage);
    }
    return used(&usage);
}

bool mtools_present(void)
{
    return access("/usr/bin/mcopy", X_OK) == 0;
}

static void make_folder(const char *folder, unsigned count)
{
    char name[80];
    int directory;

    if (mkdir(folder, 0755) || (directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        give_up("cannot make a directory");
    for (unsigned i = 0; i < count; i++) {
        int fd;

        snprintf(name, sizeof name, BENCH_NAME, i);
        fd = openat(directory, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0)
            give_up("cannot make a file");
        close(fd);
    }
    close(directory);
}

static void remove_folder(const char *folder, unsigned count)
{
    char path[512];

    for (unsigned i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/" BENCH_NAME, folder, i);
        (void)unlink(path);
    }
    (void)rmdir(folder);
}

void mtools_measure(const char *path, const char *full, const char *folder, unsigned count,
                    unsigned seconds, struct mtools_times *times)
{
    char *start[] = {"mdir", "-b", "-i", (char *)path, "::/", NULL};
    char *create[] = {"mcopy", "-Q", "-s", "-i", (char *)path, (char *)folder, "::/", NULL};
    char *list[] = {"mdir", "-b", "-i", (char *)full, "::/many", NULL};
    char *delete[] = {"mdel", "-i", (char *)full, "::/many/*", NULL};
    bool ended;

    setenv("MTOOLSRC", "/dev/null", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    make_folder(folder, count);
    for (unsigned i = 0; i < 5; i++)
        bench_keep_best(&times->start, run(start, 60, &ended));
    times->create = run(create, seconds, &times->create_ended);
    times->list = run(list, 60, &ended);
    times->delete = run(delete, 60, &ended);
    remove_folder(folder, count);
}
