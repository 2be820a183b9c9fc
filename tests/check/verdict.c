/* SPDX-License-Identifier: MIT */
/*
 * verdict.c: what the driver makes of a damaged volume: whether it mounts it, with what reason if
 * not, and what operations on it do.
 *
 * Whatever is damaged, no operation takes more than so many requests, and files that were not hit
 * are afterwards as they were, also when those that were are written, cut and removed, and the
 * clusters that this frees are used again.
 */
#include "case.h"

#include "../unit/fake_hal.h"

#include "lib/bytes.h"
#include "lib/log.h"

#include <hal/errno.h>

#include <stdio.h>
#include <string.h>

#define REQUESTS_MAX 3000u /* to the card, for all operations on a volume together */
#define NEW_FILES 12u
#define PATH_ROOM 300u

/* ---- mounting ---- */

/* True if the log has a line with `words`, from number *next on, which becomes where it ends. */
static bool log_says(const char *words, uint64_t *next)
{
    struct klog_line line;
    bool found = false;

    for (; klog_read(*next, &line) == 0; *next = line.number + 1)
        found |= strstr(line.text, words) != NULL;
    return found;
}

char verdict_mount(const char **wrong)
{
    uint64_t next = 0;
    int error;

    (void)log_says("", &next);
    error = driver_mount();
    if (error == 0) {
        driver_unmount();
        return 'w';
    }
    if (error == -EROFS && !log_says("read-only", &next))
        *wrong = "it is mounted read-only, and nothing says why";
    if (error != -EROFS && driver_problem()[0] == '\0')
        *wrong = "it is refused without a reason";
    return error == -EROFS ? 'r' : 'x';
}

/* ---- operations ---- */

static void hurt(const char *path)
{
    static uint8_t data[1200];
    char moved[PATH_ROOM + 8];

    snprintf(moved, sizeof moved, "%s moved", path);
    memset(data, 'h', sizeof data);
    (void)!driver_write(path, 100, data, sizeof data);
    (void)!driver_write(path, 2500, data, 700);
    (void)!driver_truncate(path, 1000);
    (void)!driver_truncate(path, 5000);
    (void)!driver_create(path, true);
    (void)!driver_rename(path, moved);
    (void)!driver_sync();
    (void)!driver_create("/in its place", false);
    (void)!driver_rename("/in its place", path);
    (void)!driver_remove(moved, false);
    (void)!driver_remove(moved, true);
    (void)!driver_remove(path, false);
    (void)!driver_remove(path, true);
}

static void hurt_all(const char *victims)
{
    while (*victims) {
        char path[PATH_ROOM];
        size_t n = strcspn(victims, ",");

        snprintf(path, sizeof path, "%.*s", (int)n, victims);
        hurt(path);
        victims += n + (victims[n] == ',');
    }
}

static void fill(void)
{
    static uint8_t data[3000];
    char path[40];

    memset(data, 'n', sizeof data);
    for (unsigned i = 0; i < NEW_FILES; i++) {
        snprintf(path, sizeof path, "%s/a new file %u", i % 3 ? "" : "/d", i);
        (void)!driver_create(path, false);
        (void)!driver_write(path, 0, data, sizeof data);
    }
    (void)!driver_create("/e/a new directory", true);
    (void)!driver_sync();
}

void verdict_operate(const char *victims)
{
    static struct snapshot tree;

    fake.requests = 0;
    fake.request_limit = REQUESTS_MAX;
    if (driver_mount() == 0) {
        (void)driver_read_tree(&tree);
        hurt_all(victims);
        fill();
        (void)driver_read_tree(&tree);
        driver_unmount();
    }
    fake.request_limit = 0;
}
