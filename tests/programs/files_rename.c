/* SPDX-License-Identifier: MIT */
/*
 * files_rename.c: A file takes the place of another.
 */
#include "programs.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void make(const char *name, const char *text)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    if (write(fd, text, strlen(text)) < 0)
        perror(name);
    close(fd);
}

int main(void)
{
    char text[8] = "";

    make("a", "first");
    make("b", "other");
    printf("%d\n", rename("a", "b"));
    printf("%d\n", failed(access("a", F_OK), ENOENT));
    printf("%d %s\n", (int)read(open("b", O_RDONLY), text, 7), text);
    printf("%d\n", failed(rename("a", "c"), ENOENT));
    mkdir("d", 0755);
    printf("%d\n", failed(rename("b", "d"), EISDIR));
    printf("%d\n", failed(rename("d", "d/e"), EINVAL));
    return 0;
}
