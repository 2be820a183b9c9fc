/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

/*
 * card.c: a card is a file of the host.
 *
 * The file is locked while it is in the slot, so that two machines cannot write one file system: a
 * writer's lock, or a reader's lock if the card is read only. The lock belongs to the open file
 * (F_OFD_SETLK), so it holds between processes, between threads, and ends with the descriptor.
 *
 * A flush waits until the host's disk has what was written. So that it need not begin then, the
 * host is told to begin with what follows each other as soon as there is enough of it, while the
 * machine goes on.
 *
 * The host reads ahead for each open file by itself, in pieces that become larger as long as reads
 * follow each other. A file system reads a little here and there between the parts of a large file,
 * which ends that; so small reads go by an open file of their own. POSIX_FADV_SEQUENTIAL does not
 * pay: the host then reads twice as far at a time, and who reads waits for the whole of it where a
 * disk reports its requests in heaps.
 */
#include "host/host.h"

#include <hal/block.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define BEGIN_BYTES (512 << 10) /* from which on it pays to write before a flush */
#define SMALL_BYTES (16 << 10)  /* reads up to this size are small */

static int open_file(const char *path, bool read_only, int *fd, char *message, size_t size)
{
    *fd = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*fd >= 0)
        return 0;
    int error = errno;
    if (error == ENOENT)
        snprintf(message, size,
                 "the card's file %s does not exist; build it first, or check the name", path);
    else if (error == EACCES || error == EROFS || error == EPERM)
        snprintf(message, size, "no permission to %s the card's file %s%s",
                 read_only ? "read" : "write", path,
                 read_only ? "" : "; change the permission or attach it read-only");
    else
        snprintf(message, size, "cannot open the card's file %s: %s", path, strerror(error));
    return error == EROFS || error == EPERM ? -EACCES : -error;
}

static int lock_file(int fd, const char *path, bool read_only, char *message, size_t size)
{
    struct flock lock = {.l_type = read_only ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
        return 0;
    int error = errno;
    if (error == EAGAIN || error == EACCES) {
        snprintf(message, size,
                 "another simulator uses the card's file %s; end it, or give each a copy", path);
        return -EBUSY;
    }
    snprintf(message, size, "cannot lock the card's file %s: %s", path, strerror(error));
    return -error;
}

static int measure(int fd, const char *path, uint64_t *sectors, char *message, size_t size)
{
    struct stat status;
    off_t end = -1;
    if (fstat(fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode)))
        end = lseek(fd, 0, SEEK_END);
    if (end < 0) {
        snprintf(message, size, "%s is not a file that can be a card; name an image file", path);
        return -EINVAL;
    }
    *sectors = (uint64_t)end / HAL_SECTOR_SIZE;
    if (*sectors == 0) {
        snprintf(message, size,
                 end == 0 ? "the card's file %s is empty; build the image again"
                          : "the card's file %s is shorter than one sector of 512 bytes; build the "
                            "image again",
                 path);
        return -EINVAL;
    }
    return 0;
}

/* Opens the file once more. If another one has its name now, or none, the same one has to do. */
static int open_again(int fd, const char *path)
{
    struct stat first, second;
    int again = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (again < 0)
        return fd;
    if (fstat(fd, &first) == 0 && fstat(again, &second) == 0 && first.st_dev == second.st_dev &&
        first.st_ino == second.st_ino)
        return again;
    (void)close(again);
    return fd;
}

int host_card_open(struct host_card *card, const char *path, bool read_only, char *message,
                   size_t size)
{
    int fd;
    *card = (struct host_card){.fd = -1, .read_only = read_only};
    int error = open_file(path, read_only, &fd, message, size);
    if (error)
        return error;
    error = measure(fd, path, &card->sectors, message, size);
    if (!error)
        error = lock_file(fd, path, read_only, message, size);
    if (error) {
        (void)close(fd);
        return error;
    }
    card->fd = fd;
    card->small = open_again(fd, path);
    return 0;
}

void host_card_close(struct host_card *card)
{
    if (card->fd < 0)
        return;
    if (card->small != card->fd)
        (void)close(card->small);
    (void)close(card->fd);
    card->fd = -1;
}

/* Drops the first `done` bytes from the list of pieces. */
static void advance(struct iovec **piece, int *count, size_t done)
{
    while (*count && done >= (*piece)->iov_len) {
        done -= (*piece)->iov_len;
        ++*piece;
        --*count;
    }
    if (*count) {
        (*piece)->iov_base = (char *)(*piece)->iov_base + done;
        (*piece)->iov_len -= done;
    }
}

/* Notes what has been written, from `at` to `end`; has the host begin with it, if it is enough. */
static void begin_writing(struct host_card *card, long at, long end)
{
    if (at != card->row_end)
        card->row_at = at;
    card->row_end = end;
    if (end - card->row_at < BEGIN_BYTES)
        return;
    (void)sync_file_range(card->fd, card->row_at, end - card->row_at, SYNC_FILE_RANGE_WRITE);
    card->row_at = end;
}

/* The descriptor for a read. */
static int read_from(const struct host_card *card, const struct iovec *pieces, int count)
{
    size_t bytes = 0;

    for (int i = 0; i < count; i++)
        bytes += pieces[i].iov_len;
    return bytes <= SMALL_BYTES ? card->small : card->fd;
}

int host_card_transfer(struct host_card *card, const struct hal_block_request *request)
{
    struct iovec pieces[HAL_BLOCK_SEGMENTS], *piece = pieces;
    int count = (int)request->segment_count;
    off_t at = (off_t)(request->sector * HAL_SECTOR_SIZE);
    if (request->op == HAL_BLOCK_FLUSH)
        return card->read_only || fdatasync(card->fd) == 0 ? 0 : -EIO;
    if (request->op == HAL_BLOCK_WRITE && card->read_only)
        return -EROFS;
    for (int i = 0; i < count; i++)
        pieces[i] = (struct iovec){request->segments[i].data,
                                   (size_t)request->segments[i].sectors * HAL_SECTOR_SIZE};
    while (count) {
        ssize_t done = request->op == HAL_BLOCK_READ
                           ? preadv(read_from(card, piece, count), piece, count, at)
                           : pwritev(card->fd, piece, count, at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) /* an error, or a file that has become shorter */
            return -EIO;
        at += done;
        advance(&piece, &count, (size_t)done);
    }
    if (request->op == HAL_BLOCK_WRITE)
        begin_writing(card, (long)(request->sector * HAL_SECTOR_SIZE), (long)at);
    return 0;
}

int host_card_look(const struct host_card *card, uint64_t sector, void *data, size_t count)
{
    size_t left = count * HAL_SECTOR_SIZE;
    if (sector > card->sectors || count > card->sectors - sector)
        return -EINVAL;
    for (off_t at = (off_t)(sector * HAL_SECTOR_SIZE); left;) {
        ssize_t done = pread(card->fd, data, left, at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return -EIO;
        at += done;
        data = (char *)data + done;
        left -= (size_t)done;
    }
    return 0;
}
