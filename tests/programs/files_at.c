/* SPDX-License-Identifier: MIT */
/*
 * files_at.c: Reading and writing at a place leaves the file's own place alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
    char text[8] = "";
    int fd = open("a", O_RDWR | O_CREAT | O_TRUNC, 0644);

    printf("%d ", (int)pwrite(fd, "world", 5, 6));
    printf("%d ", (int)pwrite(fd, "hello ", 6, 0));
    printf("%ld\n", (long)lseek(fd, 0, SEEK_CUR));
    printf("%d %s\n", (int)pread(fd, text, 5, 6), text);
    printf("%d\n", (int)pread(fd, text, 5, 11));
    return 0;
}
