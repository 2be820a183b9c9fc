/* SPDX-License-Identifier: MIT */
/*
 * share.c: --share: a folder of the host is on the card when the machine starts.
 *
 * It is copied there, in the format of the card, which is FAT32: images/programs/card/put.h does
 * that, and tells what such a card cannot have. The card is a copy, too, which no other program
 * sees and which is gone when this one ends: so nothing of the user's is ever written to, and what
 * the guest changes in /share stays there.
 *
 * A file without a name: it is opened, and its name removed at once. The machine gets it by its
 * descriptor's name, under /proc/self/fd.
 */
#define _FILE_OFFSET_BITS 64
#include "program.h"
#include "put.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHARE_NAME "share"
#define SAID_MAX 8u /* things left out that are named one by one */
#define COPY_BYTES 262144u

static struct {
    char path[64]; /* "": there is none */
    unsigned left_out;
} share;

/** A name may have anything in it: what could move a terminal's cursor is not shown. */
static void say_left_out(void *context, const char *path, const char *why)
{
    char shown[256];
    size_t n = 0;
    (void)context;
    if (share.left_out++ >= SAID_MAX)
        return;
    for (; path[n] != '\0' && n + 1 < sizeof(shown); n++)
        shown[n] = (unsigned char)path[n] < 0x20 || path[n] == 0x7f ? '?' : path[n];
    shown[n] = '\0';
    terminal_say("--share leaves out '%s%s': %s", shown, path[n] != '\0' ? "..." : "", why);
}

/** A file without a name. */
int share_open_nameless(void)
{
    const char *folder = getenv("TMPDIR");
    char path[4096];
    snprintf(path, sizeof(path), "%s/tayberry-card-XXXXXX",
             folder != NULL && folder[0] != '\0' ? folder : "/tmp");
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        terminal_say("no copy of the card can be made as %s: %s", path, strerror(errno));
    else
        unlink(path);
    return fd;
}

/** Copies the bytes from `at` to `end`. */
static bool copy_range(int from, int to, off_t at, off_t end)
{
    static char buffer[COPY_BYTES];
    while (at < end) {
        size_t want = end - at < (off_t)sizeof(buffer) ? (size_t)(end - at) : sizeof(buffer);
        ssize_t n = pread(from, buffer, want, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = EIO;
        if (n <= 0 || pwrite(to, buffer, (size_t)n, at) != n)
            return false;
        at += n;
    }
    return true;
}

/** Copies what is in a file, and leaves its holes alone. */
static bool copy_file(int from, int to)
{
    struct stat status;
    off_t end = lseek(from, 0, SEEK_END), at = 0;
    if (end < 0 || fstat(from, &status) != 0 || (S_ISREG(status.st_mode) && ftruncate(to, end)))
        return false;
    while (at < end) {
        off_t data = lseek(from, at, SEEK_DATA);
        if (data < 0 && errno == ENXIO)
            return true;
        off_t hole = data < 0 ? end : lseek(from, data, SEEK_HOLE);
        if (hole < 0 || !copy_range(from, to, data < 0 ? at : data, hole))
            return false;
        at = hole;
    }
    return true;
}

/** Copies the card, unless a machine has it in its slot and may be writing to it. */
static bool copy_card(const char *card, int to)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    int from = open(card, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool good = false;
    if (from < 0)
        terminal_say("cannot open the card's file %s: %s", card, strerror(errno));
    else if (fcntl(from, F_OFD_SETLK, &lock) != 0 && (errno == EAGAIN || errno == EACCES))
        terminal_say("another simulator uses the card's file %s; end it before --share copies it",
                     card);
    else if (!copy_file(from, to))
        terminal_say("cannot copy the card's file %s: %s", card, strerror(errno));
    else
        good = true;
    if (from >= 0)
        close(from);
    return good;
}

static bool fill(const struct options *options, int fd)
{
    struct put put = {
        .image = fd, .folder = options->share, .name = SHARE_NAME, .left_out = say_left_out};
    struct put_totals totals;
    const char *problem = NULL;
    if (options->card == NULL)
        problem = put_make_volume(fd, options->share);
    else if (!copy_card(options->card, fd))
        return false;
    if (problem == NULL)
        problem = put_folder(&put, &totals);
    if (problem != NULL)
        terminal_say("--share: %s", problem);
    if (share.left_out > SAID_MAX)
        terminal_say("--share leaves out %u more", share.left_out - SAID_MAX);
    return problem == NULL;
}

bool share_prepare(const struct options *options)
{
    if (options->share == NULL)
        return true;
    struct stat status;
    int error = stat(options->share, &status) != 0 ? errno : !S_ISDIR(status.st_mode) ? ENOTDIR : 0;
    if (error != 0) {
        terminal_say("--share wants a folder, and '%s' is none: %s", options->share,
                     strerror(error));
        return false;
    }
    int fd = share_open_nameless();
    if (fd < 0 || !fill(options, fd))
        return false;
    snprintf(share.path, sizeof(share.path), "/proc/self/fd/%d", fd);
    return true;
}

const char *share_card(const struct options *options)
{
    return share.path[0] != '\0' ? share.path : options->card;
}
