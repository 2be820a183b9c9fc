/* SPDX-License-Identifier: MIT */
/*
 * cpio.c: archive after archive, entry after entry.
 */
#include "fs/cpio/cpio.h"

#include "fs/cpio/unpack.h"
#include "heap/heap.h"

#include <hal/errno.h>

/* Unpacks up to the next trailer. */
static int unpack_one(struct cpio_unpacker *unpacker)
{
    bool last = false;
    int error = cpio_read_header(unpacker, &last);

    while (!error && !last) {
        error = cpio_place(unpacker);
        if (!error)
            error = cpio_read_header(unpacker, &last);
    }
    cpio_forget_links(unpacker);
    if (!error && unpacker->header.size > 0)
        error = cpio_read(unpacker, NULL, unpacker->header.size);
    return error;
}

static int unpack_all(struct cpio_unpacker *unpacker)
{
    int more = cpio_skip_zeros(unpacker), error = 0;

    if (more == 0) {
        problem_set(unpacker->problem, "Write the archive again.", "The archive is empty.");
        return -EINVAL;
    }
    while (more > 0 && !error) {
        error = unpack_one(unpacker);
        if (!error)
            more = cpio_skip_zeros(unpacker);
    }
    cpio_set_times(unpacker);
    return error ? error : more;
}

int cpio_unpack(const struct cpio_source *source, struct vnode *base, struct cpio_totals *totals,
                struct problem *problem)
{
    struct cpio_unpacker *unpacker = kmalloc(sizeof(*unpacker));
    int error;

    *totals = (struct cpio_totals){0};
    problem_clear(problem);
    if (!unpacker) {
        problem_set(problem, "Give the machine more memory.", "No memory to unpack the archive.");
        return -ENOMEM;
    }
    unpacker->reader.source = source;
    unpacker->reader.offset = 0;
    unpacker->reader.next = 0;
    unpacker->reader.ready = 0;
    unpacker->base = base;
    unpacker->totals = totals;
    unpacker->problem = problem;
    tree_init(&unpacker->links);
    list_init(&unpacker->directories);
    error = unpack_all(unpacker);
    kfree(unpacker);
    return error;
}
