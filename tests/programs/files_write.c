/* SPDX-License-Identifier: MIT */
/*
 * files_write.c: What is written is what is read.
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
    char text[64] = "";
    int fd = open("a", O_RDWR | O_CREAT | O_TRUNC, 0644);

    printf("%zd\n", write(fd, "one two three", 13));
    printf("%ld\n", (long)lseek(fd, 4, SEEK_SET));
    printf("%zd %s\n", read(fd, text, 3), text);
    printf("%zd ", read(fd, text, sizeof(text)));
    printf("%zd\n", read(fd, text, sizeof(text)));
    return close(fd) + close(fd) * 3;
}
