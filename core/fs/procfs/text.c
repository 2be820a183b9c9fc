/* SPDX-License-Identifier: MIT */
/*
 * text.c: see text.h. The text is in memory of the open file: whoever has it open reads that, as of
 * that moment, whatever happens meanwhile.
 */
#include "fs/procfs/text.h"

#include "heap/heap.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define TEXT_FIRST 1024u
#define TEXT_MAX (1u << 20)

/* What a file holds for those who have it open. */
struct proc_text {
    size_t length;
    char text[];
};

int proc_text_open(struct file *file, int (*say)(void *context, struct report *), void *context)
{
    if ((file->flags & FILE_ACCESS) != FILE_READ_ONLY)
        return -EACCES;
    for (size_t size = TEXT_FIRST; size <= TEXT_MAX; size *= 2) {
        struct proc_text *text = kmalloc(sizeof(*text) + size);
        struct report report = {.size = size};
        int error;

        if (!text)
            return -ENOMEM;
        report.text = text->text;
        error = say(context, &report);
        if (!error && report.length < size) {
            text->length = report.length;
            file->private = text;
            return 0;
        }
        kfree(text);
        if (error)
            return error;
    }
    return -EFBIG;
}

void proc_text_close(struct vnode *vnode, struct file *file)
{
    (void)vnode;
    kfree(file->private);
}

int64_t proc_text_read(struct file *file, uint64_t offset, void *data, size_t n)
{
    const struct proc_text *text = file->private;

    if (!text) /* a directory */
        return -EISDIR;
    if (offset >= text->length)
        return 0;
    if (n > text->length - offset)
        n = text->length - (size_t)offset;
    memcpy(data, text->text + offset, n);
    return (int64_t)n;
}
