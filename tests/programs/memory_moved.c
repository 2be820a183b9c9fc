/* SPDX-License-Identifier: MIT */
/*
 * memory_moved.c: Memory grows, and keeps what is in it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
    char *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    strcpy(memory, "kept");
    memory = mremap(memory, 4096, 1 << 20, MREMAP_MAYMOVE);
    printf("%s %d\n", memory, memory[(1 << 20) - 1]);
    memory[1 << 19] = 'x';
    memory = mremap(memory, 1 << 20, 4096, 0);
    printf("%s\n", memory);
    return 0;
}
