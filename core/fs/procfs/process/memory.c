/* SPDX-License-Identifier: MIT */
/*
 * memory.c: cmdline, environ and maps: what is to be seen in, and of, a program's memory.
 *
 * Arguments and environment are read where the program has them, so a program that writes there
 * (as some do, to tell ps what they are about) changes what is told of it.
 */
#include "fs/procfs/process/texts.h"

#include "fs/file.h"
#include "fs/vfs.h"
#include "heap/heap.h"
#include "vm/copy.h"
#include "vm/space.h"

#include <hal/aspace.h>
#include <hal/errno.h>

#define PART 256u
#define NAME_COLUMN 73

/* Adds the bytes of the program's memory, whatever they are. */
static int say_bytes(const struct proc_view *view, struct report *report, uintptr_t from,
                     uintptr_t end)
{
    uint8_t part[PART];

    for (; view->space && from < end; from += PART) {
        size_t n = end - from < PART ? end - from : PART;

        if (vm_copy_in(view->space, part, from, n))
            return 0; /* the program has unmapped it */
        for (size_t i = 0; i < n; i++)
            report_add(report, "%c", part[i]);
    }
    return 0;
}

int proc_say_arguments(const struct proc_view *view, struct report *report)
{
    return say_bytes(view, report, view->texts.arguments, view->texts.arguments_end);
}

int proc_say_environment(const struct proc_view *view, struct report *report)
{
    return say_bytes(view, report, view->texts.arguments_end, view->texts.environment_end);
}

/* ---- maps ---- */

/* Device and number of a file: 8 bits of the one, as in st_dev. */
static void say_vnode(struct report *report, const struct vnode *vnode)
{
    unsigned device = vnode && vnode->mount ? vnode->mount->number : 0;

    report_add(report, "00:%02x %llu", device,
               vnode ? (unsigned long long)vnode->attributes.id : 0);
}

/* Whether the file is what the program was loaded from, whose path is `path` then. 0 or 1, or
 * -ENOMEM. */
static int is_program(const struct proc_view *view, const struct vnode *file, char *path)
{
    struct vnode *program;
    int error = proc_view_program(&view->who, path, VFS_PATH_MAX);

    if (!error)
        error = vfs_find(NULL, path, 0, &program);
    if (error)
        return error == -ENOMEM ? error : 0;
    vnode_put(program);
    return program == file;
}

/* What stands at the end of a line; NULL: nothing. -ENOMEM. */
static int region_name(const struct proc_view *view, const struct vm_region_info *region,
                       char *path, const char **name)
{
    int result;

    *name = region->is_break ? "[heap]" : region->flags & VM_GROWS_DOWN ? "[stack]" : NULL;
    if (!region->file)
        return 0;
    *name = path;
    result = is_program(view, region->file->vnode, path);
    if (result == 0)
        result = proc_file_text(region->file->vnode, path, VFS_PATH_MAX);
    return result < 0 ? result : 0;
}

static int say_region(const struct proc_view *view, struct report *report,
                      const struct vm_region_info *region, char *path)
{
    size_t begin = report->length;
    const char *name;
    int error = region_name(view, region, path, &name);

    if (error)
        return error;
    report_add(report, "%08lx-%08lx %c%c%c%c %08llx ", (unsigned long)region->start,
               (unsigned long)region->end, region->access & HAL_USER_READ ? 'r' : '-',
               region->access & HAL_USER_WRITE ? 'w' : '-',
               region->access & HAL_USER_EXECUTE ? 'x' : '-', region->flags & VM_SHARED ? 's' : 'p',
               region->file ? (unsigned long long)region->offset : 0);
    say_vnode(report, region->file ? region->file->vnode : NULL);
    if (name)
        report_add(report, "%*s%s", NAME_COLUMN - (int)(report->length - begin), "", name);
    report_add(report, "\n");
    return 0;
}

int proc_say_maps(const struct proc_view *view, struct report *report)
{
    char *path = kmalloc(VFS_PATH_MAX);
    struct vm_region_info region;
    uintptr_t at = 0;
    int error = path ? 0 : -ENOMEM;

    while (!error && view->space && vm_region_at(view->space, at, &region)) {
        error = say_region(view, report, &region, path);
        file_put(region.file);
        at = region.end;
    }
    kfree(path);
    return error;
}
