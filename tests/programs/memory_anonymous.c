/* SPDX-License-Identifier: MIT */
/*
 * memory_anonymous.c: Memory of one's own, zeros at first.
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
    size_t bytes = 1 << 20;
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    long sum = 0;

    for (size_t i = 0; i < bytes; i += 4096)
        sum += memory[i]++;
    for (size_t i = 0; i < bytes; i++)
        sum += memory[i];
    printf("%ld\n", sum);
    printf("%d ", munmap(memory, bytes));
    printf("%d\n", munmap(memory + 1, 4096));
    printf("%d\n", mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    return 0;
}
