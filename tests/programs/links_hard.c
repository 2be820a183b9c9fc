/* SPDX-License-Identifier: MIT */
/*
 * links_hard.c: Several names of one file.
 */
#include "programs.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
    struct stat one, two;
    int fd = open("a", O_CREAT | O_RDWR, 0644);

    printf("%d\n", link("a", "b"));
    printf("%d\n", (int)write(fd, "xyz", 3));
    stat("a", &one);
    stat("b", &two);
    printf("%d %d %d\n", one.st_ino == two.st_ino, (int)two.st_nlink, (int)two.st_size);
    printf("%d\n", unlink("a"));
    printf("%d ", stat("b", &two));
    printf("%d\n", (int)two.st_nlink);
    mkdir("d", 0755);
    printf("%d\n", failed(link("d", "e"), EPERM));
    return 0;
}
