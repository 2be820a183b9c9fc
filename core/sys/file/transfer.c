/* SPDX-License-Identifier: MIT */
/*
 * transfer.c: read and write in all their forms: between an open file and one or more pieces of the
 * program's memory, by way of a buffer of the kernel's.
 */
#include "sys/calls.h"
#include "sys/user.h"

#include "fs/file.h"
#include "heap/heap.h"
#include "proc/process.h"
#include "vm/copy.h"

#include <hal/errno.h>

#define BUFFER 65536u
#define PIECES_MAX 1024u
#define TOTAL_MAX 0x7ffff000u /* bytes in one call, as on Linux */
#define NO_PLACE UINT64_MAX

/* Linux's struct iovec. */
struct piece {
    uint64_t start, bytes;
};

struct transfer {
    struct file *file;
    struct vm_space *space;
    struct piece *pieces;
    struct piece one; /* what `pieces` points to if there is one only */
    unsigned count, at;
    uint64_t done_of_piece;
    uint64_t total;  /* bytes still to go */
    uint64_t offset; /* in the file; NO_PLACE: at its own place */
    uint8_t *buffer;
    size_t room;
};

/* ---- the program's side ---- */

/* Copies up to `n` bytes between the buffer and the next pieces: how many, or -EFAULT. */
static int64_t copy_pieces(struct transfer *transfer, size_t n, bool in)
{
    size_t done = 0;

    while (done < n && transfer->at < transfer->count) {
        const struct piece *piece = &transfer->pieces[transfer->at];
        uint64_t left = piece->bytes - transfer->done_of_piece;
        size_t part = left < n - done ? (size_t)left : n - done;
        uintptr_t user = (uintptr_t)(piece->start + transfer->done_of_piece);
        int64_t copied = 0;

        if (part > 0)
            copied = in ? vm_copy_in_some(transfer->space, transfer->buffer + done, user, part)
                        : vm_copy_out_some(transfer->space, user, transfer->buffer + done, part);
        if (copied < 0)
            return done > 0 ? (int64_t)done : copied;
        done += (size_t)copied;
        transfer->done_of_piece += (uint64_t)copied;
        if ((size_t)copied < part)
            break;
        if (transfer->done_of_piece == piece->bytes) {
            transfer->at++;
            transfer->done_of_piece = 0;
        }
    }
    return (int64_t)done;
}

/* ---- the file's side ---- */

/* True if the rest can wait for another call: what follows may take for ever. */
static bool has_no_places(const struct file *file)
{
    enum vnode_type type = file->vnode->attributes.type;

    return type == VNODE_CHARACTER || type == VNODE_FIFO;
}

static int64_t read_file(struct transfer *transfer, size_t n)
{
    int64_t done;

    if (transfer->offset == NO_PLACE)
        return file_read(transfer->file, transfer->buffer, n);
    done = file_read_at(transfer->file, transfer->offset, transfer->buffer, n);
    if (done > 0)
        transfer->offset += (uint64_t)done;
    return done;
}

static int64_t write_file(struct transfer *transfer, size_t n)
{
    int64_t done;

    if (transfer->offset == NO_PLACE)
        return file_write(transfer->file, transfer->buffer, n);
    done = file_write_at(transfer->file, transfer->offset, transfer->buffer, n);
    if (done > 0)
        transfer->offset += (uint64_t)done;
    return done;
}

/* One buffer full, of `n` bytes: how many, less at an end. */
static int64_t read_once(struct transfer *transfer, size_t n)
{
    int64_t done = read_file(transfer, n), copied;

    if (done <= 0)
        return done;
    copied = copy_pieces(transfer, (size_t)done, false);
    if (copied < done && transfer->offset == NO_PLACE) /* what nobody got is still to be read */
        (void)!file_seek(transfer->file, (copied > 0 ? copied : 0) - done, FILE_CURRENT);
    return copied;
}

static int64_t write_once(struct transfer *transfer, size_t n)
{
    int64_t done = copy_pieces(transfer, n, true);

    return done > 0 ? write_file(transfer, (size_t)done) : done;
}

static int64_t run(struct transfer *transfer, bool writes)
{
    const struct signal_info info = {.code = SIGNAL_BY_USER, .pid = process_current()->pid};
    uint64_t moved = 0;
    int64_t done;

    do {
        uint64_t left = transfer->total - moved;
        size_t n = left < transfer->room ? (size_t)left : transfer->room;

        done = writes ? write_once(transfer, n) : read_once(transfer, n);
        if (done > 0)
            moved += (uint64_t)done;
        if (done < (int64_t)n || (has_no_places(transfer->file) && !writes))
            break;
    } while (moved < transfer->total);
    if (done == -EPIPE && moved == 0) {
        process_lock();
        signal_send_thread(user_thread_current(), SIGNAL_PIPE, &info);
        process_unlock();
    }
    return moved > 0 ? (int64_t)moved : done;
}

/* ---- the calls ---- */

/* Does it, with pieces that have been read and a file that is there. */
static int64_t transfer_pieces(struct transfer *transfer, bool writes)
{
    uint8_t few[256];
    int64_t result;

    transfer->total = 0;
    for (unsigned i = 0; i < transfer->count; i++) {
        if (transfer->pieces[i].bytes > INT64_MAX)
            return -EINVAL;
        if (transfer->pieces[i].bytes > TOTAL_MAX - transfer->total)
            transfer->pieces[i].bytes = TOTAL_MAX - transfer->total;
        transfer->total += transfer->pieces[i].bytes;
    }
    transfer->space = process_current()->space;
    transfer->room = transfer->total < BUFFER ? (size_t)transfer->total : BUFFER;
    transfer->buffer = transfer->room <= sizeof(few) ? few : kmalloc(transfer->room);
    if (!transfer->buffer)
        return -ENOMEM;
    result = run(transfer, writes);
    if (transfer->buffer != few)
        kfree(transfer->buffer);
    return result;
}

static int64_t transfer_one(const struct sys_args *args, uint64_t offset, bool writes)
{
    struct transfer transfer = {.file = user_file(args->value[0]), .count = 1, .offset = offset};
    int64_t result = -EINVAL;

    if (!transfer.file)
        return -EBADF;
    transfer.one = (struct piece){args->value[1], args->value[2]};
    transfer.pieces = &transfer.one;
    if (offset == NO_PLACE || offset <= INT64_MAX)
        result = transfer_pieces(&transfer, writes);
    file_put(transfer.file);
    return result;
}

static int64_t transfer_vector(const struct sys_args *args, uint64_t offset, bool writes)
{
    struct transfer transfer = {.file = user_file(args->value[0]), .offset = offset};
    uint64_t count = args->value[2];
    int64_t result = -EINVAL;

    if (!transfer.file)
        return -EBADF;
    if (count > PIECES_MAX || (offset != NO_PLACE && offset > INT64_MAX))
        goto out;
    result = -ENOMEM;
    transfer.count = (unsigned)count;
    transfer.pieces = kcalloc((size_t)count, sizeof(struct piece));
    if (transfer.pieces)
        result =
            user_copy_in(transfer.pieces, args->value[1], (size_t)count * sizeof(struct piece));
    if (!result)
        result = transfer_pieces(&transfer, writes);
    kfree(transfer.pieces);
out:
    file_put(transfer.file);
    return result;
}

int64_t sys_read(const struct sys_args *args)
{
    return transfer_one(args, NO_PLACE, false);
}

int64_t sys_write(const struct sys_args *args)
{
    return transfer_one(args, NO_PLACE, true);
}

/* Calls with an offset need a file that has places. */
static int64_t check_places(uint64_t descriptor)
{
    struct file *file = user_file(descriptor);
    bool none;

    if (!file)
        return -EBADF;
    none = has_no_places(file);
    file_put(file);
    return none ? -ESPIPE : 0;
}

/* -1 is no place, and as bad as any other below 0. */
static uint64_t place_of(const struct sys_args *args)
{
    return args->value[3] == NO_PLACE ? NO_PLACE - 1 : args->value[3];
}

int64_t sys_pread64(const struct sys_args *args)
{
    int64_t error = check_places(args->value[0]);

    return error ? error : transfer_one(args, place_of(args), false);
}

int64_t sys_pwrite64(const struct sys_args *args)
{
    int64_t error = check_places(args->value[0]);

    return error ? error : transfer_one(args, place_of(args), true);
}

int64_t sys_readv(const struct sys_args *args)
{
    return transfer_vector(args, NO_PLACE, false);
}

int64_t sys_writev(const struct sys_args *args)
{
    return transfer_vector(args, NO_PLACE, true);
}

int64_t sys_preadv(const struct sys_args *args)
{
    int64_t error = check_places(args->value[0]);

    return error ? error : transfer_vector(args, place_of(args), false);
}

int64_t sys_pwritev(const struct sys_args *args)
{
    int64_t error = check_places(args->value[0]);

    return error ? error : transfer_vector(args, place_of(args), true);
}
