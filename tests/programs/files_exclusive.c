/* SPDX-License-Identifier: MIT */
/*
 * files_exclusive.c: Only one can make a file.
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
    int one = open("a", O_WRONLY | O_CREAT | O_EXCL, 0600);
    int two = open("a", O_WRONLY | O_CREAT | O_EXCL, 0600);

    printf("%d %d\n", one >= 0, failed(two, EEXIST));
    printf("%d\n", failed(open("none", O_RDONLY), ENOENT));
    printf("%d\n", failed(open("a/b", O_RDONLY), ENOTDIR));
    printf("%d\n", failed(open(".", O_WRONLY), EISDIR));
    return 0;
}
