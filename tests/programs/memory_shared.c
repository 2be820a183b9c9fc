/* SPDX-License-Identifier: MIT */
/*
 * memory_shared.c: A file in memory: writes reach it.
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
    char text[16] = "";
    int fd = open("a", O_RDWR | O_CREAT | O_TRUNC, 0644);
    char *memory;

    printf("%d\n", ftruncate(fd, 8192));
    memory = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    memcpy(memory + 4090, "across pages", 12);
    printf("%d %s\n", (int)pread(fd, text, 12, 4090), text);
    printf("%d\n", (int)pwrite(fd, "ACROSS", 6, 4090));
    printf("%.12s\n", memory + 4090);
    printf("%d ", msync(memory, 8192, MS_SYNC));
    printf("%d\n", munmap(memory, 8192));
    return 0;
}
