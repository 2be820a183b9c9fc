/* SPDX-License-Identifier: MIT */
/*
 * directories_make.c: Folders in folders, and removing them.
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
    printf("%d ", mkdir("a", 0755));
    printf("%d ", mkdir("a/b", 0700));
    printf("%d\n", mkdir("a/b/c", 0755));
    printf("%d\n", failed(mkdir("a", 0755), EEXIST));
    printf("%d\n", failed(rmdir("a"), ENOTEMPTY));
    printf("%d ", rmdir("a/b/c"));
    printf("%d ", rmdir("a/b"));
    printf("%d\n", rmdir("a"));
    printf("%d\n", failed(mkdir("x/y", 0755), ENOENT));
    return 0;
}
