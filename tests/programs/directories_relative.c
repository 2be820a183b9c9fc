/* SPDX-License-Identifier: MIT */
/*
 * directories_relative.c: Names that begin at an open folder.
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
    struct stat status;
    int folder;

    mkdir("a", 0755);
    folder = open("a", O_RDONLY | O_DIRECTORY);
    printf("%d\n", openat(folder, "f", O_CREAT | O_WRONLY, 0640) >= 0);
    printf("%d ", fstatat(folder, "f", &status, 0));
    printf("%o\n", (unsigned)status.st_mode);
    printf("%d ", renameat(folder, "f", AT_FDCWD, "g"));
    printf("%d\n", access("g", F_OK));
    printf("%d ", fchdir(folder));
    printf("%d\n", access("../g", F_OK));
    printf("%d\n", failed(openat(99, "f", O_RDONLY), EBADF));
    return 0;
}
