/* SPDX-License-Identifier: MIT */
/*
 * names.c: many files with long names in one directory of a FAT volume, by system calls.
 *
 * It is the first program of a machine. Where the volume is not at /card by itself, it loads the
 * modules that the archive has in /lib and mounts the first partition of the disk there. Then it
 * prints `row NAME VALUE` for so many files: microseconds for one, with what `sync` takes at the
 * end of what writes; the best of some rounds. It ends with `rows end` and switches the machine
 * off.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 3u
#define FEW 1000u /* more are done once: for each file it makes vfat looks at all names */
#define MSDOS_MAGIC 0x4d44
#define PATH_BYTES 96

static const unsigned sizes[] = {100, 1000, 10000};

enum { CREATE, STAT, DELETE, WORKS };

static uint64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Nothing of a benchmark counts when a call in it fails. */
static void must(int condition, const char *what)
{
    if (condition)
        return;
    printf("names: %s: %s\nrows end\n", what, strerror(errno));
    reboot(RB_POWER_OFF);
    _exit(1);
}

static int is_fat(void)
{
    struct statfs status;

    return statfs("/card", &status) == 0 && status.f_type == MSDOS_MAGIC;
}

static void load_modules(void)
{
    static const char *const names[] = {"nls_cp437", "nls_iso8859-1", "nls_utf8", "fat", "vfat"};
    char path[PATH_BYTES];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int fd;

        snprintf(path, sizeof path, "/lib/%s.ko", names[i]);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        must(fd >= 0, path);
        must(syscall(SYS_finit_module, fd, "", 0) == 0 || errno == EEXIST, path);
        close(fd);
    }
}

static void find_volume(void)
{
    if (is_fat())
        return;
    load_modules();
    (void)mkdir("/card", 0755);
    must(mount("/dev/ubda1", "/card", "vfat", 0, "utf8=1,shortname=mixed") == 0, "/dev/ubda1");
    must(is_fat(), "/card");
}

static const char *path_of(unsigned number)
{
    static char path[PATH_BYTES];

    snprintf(path, sizeof path, "/card/bench/A rather long name of a file, number %06u.text",
             number);
    return path;
}

static void create(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        int fd = open(path_of(i), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

        must(fd >= 0, "create");
        close(fd);
    }
    sync();
}

static void find(unsigned n)
{
    struct stat status;

    for (unsigned i = 0; i < n; i++)
        must(stat(path_of(i), &status) == 0, "stat");
}

static void delete (unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        must(unlink(path_of(i)) == 0, "unlink");
    sync();
}

static void measure(unsigned n)
{
    static void (*const works[WORKS])(unsigned) = {create, find, delete};
    static const char *const names[WORKS] = {"create", "stat", "delete"};
    uint64_t best[WORKS] = {0};

    for (unsigned round = 0; round < (n > FEW ? 1 : ROUNDS); round++) {
        must(mkdir("/card/bench", 0755) == 0, "mkdir");
        sync();
        for (unsigned work = 0; work < WORKS; work++) {
            uint64_t start = now(), took;

            works[work](n);
            took = now() - start;
            if (best[work] == 0 || took < best[work])
                best[work] = took;
        }
        must(rmdir("/card/bench") == 0, "rmdir");
    }
    for (unsigned work = 0; work < WORKS; work++)
        printf("row %s-%u %.2f\n", names[work], n, (double)best[work] / 1000 / n);
}

int main(void)
{
    int console = open("/dev/console", O_RDWR);

    for (int fd = 0; console >= 0 && fd < 3; fd++)
        (void)dup2(console, fd);
    setvbuf(stdout, NULL, _IOLBF, 0);
    find_volume();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        measure(sizes[i]);
    printf("rows end\n");
    sync();
    reboot(RB_POWER_OFF);
    return 0;
}
