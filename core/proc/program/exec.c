/* SPDX-License-Identifier: MIT */
/*
 * exec.c: a process gets another program, and the kernel starts its first one.
 */
#include "proc/program/load.h"
#include "proc/session/session.h"
#include "proc/signal/signals.h"

#include "fs/file.h"
#include "heap/heap.h"
#include "ipc/futex/robust.h"
#include "lib/string.h"
#include "proc/program/spawn.h"
#include "vm/space.h"

#include <hal/errno.h>

#define CONSOLE "/dev/console"

/* The last component of a path. */
static const char *base_name(const char *path)
{
    const char *name = path;

    for (; *path; path++) {
        if (*path == '/' && path[1] != '\0')
            name = path + 1;
    }
    return name;
}

/* The process has files of its own now. If it was alone with those that it had before that, they
 * stay: its locks on them, too. */
static void own_files(struct process *process, struct program_image *image)
{
    struct descriptor_table *before = process->files;

    if (!image->files || !descriptor_table_is_shared(before)) {
        descriptor_table_put(image->files);
    } else {
        mutex_lock(&process->mutex);
        process->files = image->files;
        mutex_unlock(&process->mutex);
        descriptor_table_leave(before);
    }
    image->files = NULL;
}

void program_begin(struct user_thread *thread, struct program_image *image)
{
    struct process *process = thread->process;
    struct vm_space *old_space;
    char *old_program;

    robust_leave_memory(thread);
    user_thread_become_first(thread);
    mutex_lock(&process->mutex);
    old_space = process->space;
    old_program = process->program;
    process->space = image->space;
    process->program = image->path;
    process->texts = image->texts;
    string_copy(process->name, sizeof(process->name), base_name(image->path));
    mutex_unlock(&process->mutex);
    signal_begin_program(thread);
    process->executed = true;
    image->space = NULL;
    image->path = NULL;
    hal_user_init(&thread->user, image->entry, image->stack);
    own_files(process, image);
    descriptor_close_on_exec(process->files);
    vm_space_put(old_space);
    kfree(old_program);
    process_give_back(process);
}

/* ---- the kernel's first program ---- */

static int add_strings(struct program_strings *strings, const char *const *arguments,
                       const char *const *environment)
{
    int error = 0;

    for (; !error && *arguments; arguments++)
        error = program_strings_add(strings, *arguments, 0);
    for (; !error && *environment; environment++)
        error = program_strings_add(strings, *environment, 1);
    return error;
}

/* Files 0, 1 and 2, from `files`. */
static int set_files(struct process *process, struct file *const *files)
{
    int error = 0;

    for (unsigned i = 0; !error && i < 3; i++) {
        error = descriptor_set(process->files, file_get(files[i]), i, false);
        if (error)
            file_put(files[i]);
    }
    return error;
}

/* The same: the console is all of them, unless there are others. */
static int give_files(struct process *process, struct file *const *files)
{
    struct file *console;
    int error;

    process->files = descriptor_table_create();
    if (!process->files)
        return -ENOMEM;
    if (files)
        return set_files(process, files);
    error = file_open(NULL, CONSOLE, FILE_READ_WRITE, 0, &console);
    if (error)
        return error;
    error = set_files(process, (struct file *const[]){console, console, console});
    file_put(console);
    return error;
}

/* The new process, which has its number by now, begins, with the terminal if there is one. */
static void begin(struct user_thread *thread, struct program_image *image,
                  struct terminal *terminal)
{
    program_begin(thread, image);
    if (!terminal)
        return;
    process_lock();
    session_give_terminal(thread->process, terminal);
    process_unlock();
}

/* Loads the program, and makes the first thread. */
static int prepare(struct process *process, const struct process_start *start,
                   struct program_strings *strings, struct user_thread **thread)
{
    struct program_image image;
    int error = give_files(process, start->files);

    if (!error)
        error = program_load(process, start->directory, start->path, strings, &image);
    if (error)
        return error;
    error = user_thread_create(process, NULL, thread);
    if (error)
        program_image_free(&image);
    else
        begin(*thread, &image, start->terminal);
    return error;
}

int process_spawn(const struct process_start *start, struct process **result)
{
    struct process *process = process_create(NULL);
    struct program_strings strings = {.bytes = NULL};
    struct user_thread *thread;
    int error;

    if (!process)
        return -ENOMEM;
    process->pid = start->pid;
    process->directory = start->directory ? vnode_get(start->directory) : NULL;
    process->awaited = true;
    error = add_strings(&strings, start->arguments, start->environment);
    if (!error)
        error = prepare(process, start, &strings, &thread);
    program_strings_free(&strings);
    if (error) {
        process_free(process);
        return error;
    }
    error = user_thread_start(thread);
    if (!error)
        *result = process;
    return error;
}
