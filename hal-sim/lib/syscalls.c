/* SPDX-License-Identifier: MIT */
/*
 * syscalls.c: the file that has what programs ask of the kernel, line by line. The kernel makes the
 * text, if the boot word `strace=host` says so.
 */
#include "lib/library.h"

#include "host/host.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static FILE *file;  /* HOST_MACHINE; NULL: nobody wants it */
static bool failed; /* something could not be written */

void outside_text(const char *text, size_t n)
{
    if (file && fwrite(text, 1, n, file) != n)
        failed = true;
}

/* HOST_MACHINE held, as below. Negative: not all of it is there. */
static int end(void)
{
    bool lost = failed;
    if (!file)
        return 0;
    lost |= file == stderr ? fflush(file) != 0 : fclose(file) != 0;
    file = NULL;
    failed = false;
    return lost ? -EIO : 0;
}

static int begin(const char *path)
{
    file = strcmp(path, "-") == 0 ? stderr : fopen(path, "w");
    return file ? 0 : -errno;
}

int tb_syscall_file(struct tb_machine *m, const char *path)
{
    (void)m;
    host_lock(HOST_MACHINE);
    int error = end();
    if (error)
        library_fail(error, "the list of system calls could not be written in full");
    else if (path && (error = begin(path)) != 0)
        library_fail(error, "cannot write %s: %s", path, strerror(-error));
    host_unlock(HOST_MACHINE);
    return error;
}

void syscalls_close(void)
{
    host_lock(HOST_MACHINE);
    (void)end();
    host_unlock(HOST_MACHINE);
}
