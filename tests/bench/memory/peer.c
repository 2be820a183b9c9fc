/* SPDX-License-Identifier: MIT */
/*
 * peer.c: the workloads on the malloc of a process: the C library's, or that of the library which
 * this program was linked with.
 */

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUND work_round
#define ALLOCATE(bytes) malloc(bytes)
#define ZEROS(bytes) calloc(1, bytes)
#define ALIGNED(bytes, alignment) aligned_alloc(alignment, bytes)
#define RESIZE(block, bytes) realloc(block, bytes)
#define FREE(block) free(block)
#define PAGE_ALLOCATE() aligned_alloc(WORK_PAGE_BYTES, WORK_PAGE_BYTES)
#define PAGE_FREE(page) free(page)
#include "workload.c"

uint64_t work_now(void)
{
    return work_clock();
}

/* Resident memory that is not a file's, by the kernel's walk through the page tables: exact, unlike
 * the counters in /proc/self/status. */
uint64_t work_occupied(void)
{
    static int file = -1;
    char text[2048];
    const char *field;
    ssize_t got;

    if (file < 0)
        file = open("/proc/self/smaps_rollup", O_RDONLY);
    got = pread(file, text, sizeof text - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    field = strstr(text, "\nAnonymous:");
    if (!field) {
        fprintf(stderr, "bench-memory: cannot read /proc/self/smaps_rollup\n");
        exit(EXIT_FAILURE);
    }
    return strtoull(field + strlen("\nAnonymous:"), NULL, 10) * 1024;
}

bool side_option(const char *word)
{
    return !word;
}

/* That it is the library that was meant, and not another one in front of it. */
static bool is_expected(void *function)
{
    Dl_info about;

    return dladdr(function, &about) && about.dli_fname && strstr(about.dli_fname, PEER_LIBRARY);
}

bool side_run(void)
{
    if (!is_expected(dlsym(RTLD_DEFAULT, "malloc")) || !is_expected(dlsym(RTLD_DEFAULT, "free"))) {
        fprintf(stderr, "bench-memory: malloc is not that of %s\n", PEER_LIBRARY);
        return false;
    }
    work_measure();
    return true;
}
