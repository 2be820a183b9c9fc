/* SPDX-License-Identifier: MIT */
/*
 * inspect.c: the abstract state of the kernel in words: what a command that failed must leave as it
 * was.
 *
 *     mount mmcblk0p1
 *     thread shell
 *     vnode directory 0 bytes 1 reference
 *     memory core/fs/vfs.c:217 1 block 4096 bytes
 *
 * In it is what the kernel holds for somebody. Not in it is what depends on the moment or only
 * makes things faster: numbers of threads, times, counts of events, caches. Asked while the kernel
 * stands still: takes no lock, calls nothing of the HAL, and ends whatever it finds, since each
 * list is followed for LIST_MAX steps only.
 */
#include "fs/root/root.h"
#include "fs/vnode.h"
#include "site/site.h"
#include "lib/format.h"
#include "lib/report.h"
#include "thread/cpu.h"
#include "thread/thread.h"

#include <hal/inspect.h>

#define LIST_MAX 65536u

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static void say_threads(struct report *report)
{
    unsigned steps = 0;

    for (const struct thread *thread = thread_peek(NULL); thread && steps++ < LIST_MAX;
         thread = thread_peek(thread))
        report_add(report, "thread %.*s\n", THREAD_NAME_MAX, thread->name);
}

static void say_files(struct report *report)
{
    unsigned steps = 0;

    if (vfs_mount_device()[0])
        report_add(report, "mount %s\n", vfs_mount_device());
    for (const struct vnode *vnode = vnode_peek(NULL); vnode && steps++ < LIST_MAX;
         vnode = vnode_peek(vnode)) {
        uint32_t used = vnode->references - vnode->kept; /* the others only keep it */

        if (used)
            report_add(report, "vnode %s %llu byte%s %u reference%s\n",
                       vnode->attributes.type == VNODE_DIRECTORY ? "directory" : "file",
                       (unsigned long long)vnode->attributes.size, plural(vnode->attributes.size),
                       used, plural(used));
    }
}

static void say_memory(struct report *report)
{
    struct hal_alloc_site site;

    for (unsigned i = 0; hal_inspect_site(i, &site); i++)
        if (alloc_site_at(i)->use != ALLOC_CACHE && (site.blocks || site.bytes))
            report_add(report, "memory %s:%u %lld block%s %lld byte%s\n", site.file, site.line,
                       (long long)site.blocks, plural((uint64_t)site.blocks), (long long)site.bytes,
                       plural((uint64_t)site.bytes));
}

uint32_t hal_inspect_thread(unsigned id, char *name, size_t bytes)
{
    const struct thread *thread = id < HAL_CPU_MAX ? cpu_at(id)->current : NULL;

    if (bytes)
        (void)format_text(name, bytes, "%.*s", THREAD_NAME_MAX, thread ? thread->name : "");
    return thread ? thread->id : 0;
}

size_t hal_inspect_state(char *text, size_t bytes)
{
    struct report report = {.text = text, .size = bytes};

    if (bytes)
        text[0] = '\0';
    say_files(&report);
    say_threads(&report);
    say_memory(&report);
    return report.length;
}
