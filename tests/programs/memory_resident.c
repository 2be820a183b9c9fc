/* SPDX-License-Identifier: MIT */
/*
 * memory_resident.c: Which pages are in memory, and keeping them there.
 */
#include "programs.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u

int main(void)
{
    unsigned char *pages =
        mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned char in[8];

    madvise(pages, 8 * PAGE, MADV_NOHUGEPAGE);
    memset(in, 9, sizeof(in));
    printf("%d\n", mincore(pages, 8 * PAGE, in));
    printf("%d %d\n", in[0] & 1, in[7] & 1);
    memset(pages + 2 * PAGE, 1, 2 * PAGE);
    printf("%d\n", mincore(pages, 4 * PAGE + 1, in));
    printf("%d %d\n", in[2] & 1, in[3] & 1); /* others may have been loaded along */
    printf("%d\n", failed(mincore(pages + 1, PAGE, in), EINVAL));
    printf("%d\n", failed(mincore(pages, PAGE, NULL), EFAULT));
    printf("%d\n", mlock(pages + 100, 10));
    printf("%d\n", munlock(pages + 100, 10));
    munmap(pages + 4 * PAGE, PAGE);
    printf("%d\n", failed(mincore(pages, 8 * PAGE, in), ENOMEM));
    printf("%d\n", failed(mlock(pages, 8 * PAGE), ENOMEM));
    printf("%d\n", failed(mlockall(0), EINVAL));
    printf("%d\n", munlockall());
    return 0;
}
