/* SPDX-License-Identifier: MIT */
/*
 * files_append.c: Who appends writes at the end, wherever the place is.
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
    char text[16] = "";
    int one = open("a", O_RDWR | O_CREAT | O_APPEND, 0644), two = open("a", O_WRONLY | O_APPEND);

    printf("%d", (int)write(one, "ab", 2));
    printf("%d", (int)write(two, "cd", 2));
    lseek(one, 0, SEEK_SET);
    printf("%d\n", (int)write(one, "ef", 2));
    printf("%d %s\n", (int)pread(one, text, 10, 0), text);
    return 0;
}
