/* SPDX-License-Identifier: MIT */
/*
 * load.c: a program is made ready: its file is found, scripts give way to their interpreters, its
 * memory is filled, its stack is built. All of that beside the old program, which still stands when
 * anything fails.
 */
#include "proc/program/load.h"

#include "abi/abi.h"
#include "abi/frame.h"
#include "dev/random.h"
#include "fs/file.h"
#include "fs/vfs.h"
#include "heap/heap.h"
#include "lib/string.h"
#include "proc/format/elf.h"
#include "proc/format/script.h"
#include "proc/layout/layout.h"
#include "proc/program/stack.h"
#include "vm/copy.h"
#include "vm/space.h"

#include <hal/aspace.h>
#include <hal/errno.h>
#include <hal/runtime.h>

#define SCRIPTS_MAX 4u
#define STACK_FIRST (64u << 10) /* room below what the stack begins with */
#define STACK_MOST (64u << 20)
#define GAP (1u << 20) /* between the stack's end and other mappings */

/* What goes on while a program is loaded. */
struct loading {
    struct process *process;
    struct program_strings *strings;
    struct program_image *image;
    struct program_facts facts;
    struct program_layout layout;
    struct file *file;
    const char *name; /* of the file, as it was given */
    bool runs_stack;
    unsigned scripts;
};

/* ---- finding it ---- */

static int open_program(struct loading *loading, struct vnode *directory)
{
    struct vnode_attributes attributes;
    int error = file_open(directory, loading->image->path, FILE_READ_ONLY, 0, &loading->file);

    if (error)
        return error;
    vfs_attributes(loading->file->vnode, &attributes);
    if (attributes.type != VNODE_FILE || !(attributes.mode & 0111)) {
        file_put(loading->file);
        loading->file = NULL;
        return -EACCES;
    }
    return 0;
}

/* The same text in memory of its own, or NULL. */
static char *copy_text(const char *text)
{
    size_t bytes = string_length(text) + 1;
    char *copy = kmalloc(bytes);

    if (copy)
        memcpy(copy, text, bytes);
    return copy;
}

/* The interpreter of a script is the program from now on. 1: it was none. */
static int follow_script(struct loading *loading, const struct script *script)
{
    const char *words[] = {script->interpreter, script->argument[0] ? script->argument : NULL,
                           loading->name};
    char *interpreter;
    int error;

    if (++loading->scripts > SCRIPTS_MAX)
        return -ELOOP;
    interpreter = copy_text(script->interpreter);
    if (!interpreter)
        return -ENOMEM;
    error = program_strings_replace(loading->strings, words, 3);
    if (error) {
        kfree(interpreter);
        return error;
    }
    kfree(loading->image->path);
    loading->image->path = interpreter;
    loading->name = interpreter;
    return 0;
}

/* Reads the first line. 1: it is no script; 0: `loading` names the interpreter now. */
static int look_for_script(struct loading *loading)
{
    struct script *script = kmalloc(sizeof(*script) + SCRIPT_LINE_MAX);
    uint8_t *head = (uint8_t *)(script + 1);
    int64_t n;
    int error;

    if (!script)
        return -ENOMEM;
    n = file_read_at(loading->file, 0, head, SCRIPT_LINE_MAX);
    if (n < 0)
        error = (int)n;
    else if (script_read(head, (size_t)n, script))
        error = 1;
    else
        error = follow_script(loading, script);
    kfree(script);
    return error;
}

/* Opens the program that is run in the end. */
static int find_program(struct loading *loading, struct vnode *directory)
{
    for (;;) {
        int error = open_program(loading, directory);

        if (!error)
            error = look_for_script(loading);
        if (error)
            return error > 0 ? 0 : error;
        file_put(loading->file);
        loading->file = NULL;
    }
}

/* ---- filling its memory ---- */

static void set_limits(struct loading *loading, uint64_t stack)
{
    struct process *process = loading->process;
    struct vm_limits limits;

    vm_read_limits(loading->image->space, &limits);
    mutex_lock(&process->mutex);
    limits.bytes = process->limits[PROCESS_LIMIT_MEMORY].soft;
    limits.data = process->limits[PROCESS_LIMIT_DATA].soft;
    mutex_unlock(&process->mutex);
    limits.stack = stack;
    limits.top = loading->layout.top - (uintptr_t)stack - GAP - loading->layout.mappings;
    limits.strict = loading->layout.strict;
    vm_set_limits(loading->image->space, &limits);
}

/* How large the stack may become. */
static uint64_t stack_limit(struct process *process)
{
    uint64_t limit;

    mutex_lock(&process->mutex);
    limit = process->limits[PROCESS_LIMIT_STACK].soft;
    mutex_unlock(&process->mutex);
    if (limit > STACK_MOST)
        limit = STACK_MOST;
    return (limit + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE * HAL_PAGE_SIZE;
}

static int gather_facts(struct loading *loading)
{
    struct program_facts *facts = &loading->facts;
    struct process *process = loading->process;

    mutex_lock(&process->mutex);
    facts->uid = process->credentials.uid;
    facts->effective_uid = process->credentials.effective_uid;
    facts->gid = process->credentials.gid;
    facts->effective_gid = process->credentials.effective_gid;
    mutex_unlock(&process->mutex);
    facts->capabilities[0] = hal_user_capabilities(0);
    facts->capabilities[1] = hal_user_capabilities(1);
    facts->platform = abi_platform;
    facts->path = loading->image->path;
    return random_fill(facts->random, sizeof(facts->random));
}

static int fill_stack(struct loading *loading, uint64_t limit)
{
    unsigned access = HAL_USER_READ | HAL_USER_WRITE;
    struct vm_space *space = loading->image->space;
    uintptr_t top = loading->layout.top;
    struct program_stack stack;
    int64_t at;
    int error = program_stack_build(loading->strings, &loading->facts, top, &stack);

    if (error)
        return error;
    if (loading->runs_stack && !loading->layout.strict)
        access |= HAL_USER_EXECUTE;
    at = (int64_t)((stack.count + STACK_FIRST + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE * HAL_PAGE_SIZE);
    if ((uint64_t)at > limit)
        at = -E2BIG;
    else
        at = vm_map(space, top - (uintptr_t)at, (size_t)at, access,
                    VM_PRIVATE | VM_FIXED | VM_GROWS_DOWN, NULL, 0);
    error = at < 0 ? (int)at : vm_copy_out(space, stack.start, stack.bytes, stack.count);
    loading->image->entry = loading->facts.entry;
    loading->image->stack = stack.start;
    loading->image->texts = stack.texts;
    program_stack_free(&stack);
    return error;
}

/* The page with what handlers of signals return to, where the processor's programs rely on one. */
static int map_code(struct vm_space *space)
{
    int64_t at;
    int error;

    if (abi_code_bytes == 0)
        return 0;
    at = vm_map(space, ABI_CODE, HAL_PAGE_SIZE, HAL_USER_READ | HAL_USER_WRITE,
                VM_PRIVATE | VM_FIXED, NULL, 0);
    error = at < 0 ? (int)at : vm_copy_out(space, ABI_CODE, abi_code, abi_code_bytes);
    return error ? error
                 : vm_protect(space, ABI_CODE, HAL_PAGE_SIZE, HAL_USER_READ | HAL_USER_EXECUTE);
}

static int fill_memory(struct loading *loading)
{
    uint64_t limit = stack_limit(loading->process);
    int error = program_layout_choose(&loading->layout);

    if (!error)
        error = vm_space_create(&loading->image->space);
    if (error)
        return error;
    set_limits(loading, limit);
    error = program_load_elf(loading->file, loading->image->space, &loading->layout,
                             &loading->facts, &loading->runs_stack);
    if (!error)
        error = gather_facts(loading);
    if (!error)
        error = fill_stack(loading, limit);
    if (!error)
        error = map_code(loading->image->space);
    return error == -EFAULT ? -ENOMEM : error; /* all addresses are good: no frame was left */
}

/* The absolute path of `path`, from `directory` on, from kmalloc. */
static int absolute_path(struct vnode *directory, const char *path, char **absolute)
{
    size_t n = 0, bytes = string_length(path) + 1;
    char *text = kmalloc(VFS_PATH_MAX + bytes);
    int error = 0;

    if (!text)
        return -ENOMEM;
    if (path[0] != '/' && directory)
        error = vfs_path_of(directory, text, VFS_PATH_MAX);
    if (error && error != -ENOENT && error != -ERANGE) {
        kfree(text);
        return error;
    }
    if (path[0] != '/' && directory && !error)
        n = string_length(text);
    if (path[0] != '/' && !error && (n == 0 || text[n - 1] != '/'))
        text[n++] = '/';
    memcpy(text + n, path, bytes); /* as it was given, if the directory was removed */
    *absolute = text;
    return 0;
}

static int copy_files(const struct process *process, struct program_image *image)
{
    if (!descriptor_table_is_shared(process->files))
        return 0;
    image->files = descriptor_table_copy(process->files);
    return image->files ? 0 : -ENOMEM;
}

int program_load(struct process *process, struct vnode *directory, const char *path,
                 struct program_strings *strings, struct program_image *image)
{
    struct loading loading = {.process = process, .strings = strings, .image = image, .name = path};
    int error;

    *image = (struct program_image){.space = NULL};
    if (!*path)
        return -ENOENT;
    error = absolute_path(directory, path, &image->path);
    if (!error)
        error = find_program(&loading, directory);
    if (!error)
        error = fill_memory(&loading);
    if (!error)
        error = copy_files(process, image);
    file_put(loading.file);
    if (error)
        program_image_free(image);
    return error;
}

void program_image_free(struct program_image *image)
{
    vm_space_put(image->space);
    kfree(image->path);
    descriptor_table_put(image->files);
    image->space = NULL;
    image->path = NULL;
    image->files = NULL;
}
