/* SPDX-License-Identifier: MIT */
/*
 * memory_private.c: A private copy of a file: writes do not reach it, and a child has its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    char text[8] = "";
    int fd = open("a", O_RDWR | O_CREAT | O_TRUNC, 0644);
    char *memory;

    printf("%d\n", (int)write(fd, "abcdef", 6));
    memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    memory[0] = 'X';
    fflush(stdout);
    if (fork() == 0) {
        memory[1] = 'Y';
        printf("%.6s\n", memory);
        exit(0);
    }
    wait(NULL);
    printf("%.6s %d %s\n", memory, (int)pread(fd, text, 6, 0), text);
    return 0;
}
