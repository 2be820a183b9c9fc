/* SPDX-License-Identifier: MIT */
/*
 * directories_current.c: Where a process is, and where its names begin.
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
    char path[4096];

    mkdir("a", 0755);
    mkdir("a/b", 0755);
    printf("%d\n", chdir("a/b"));
    printf("%s\n", strrchr(getcwd(path, sizeof(path)), 'a'));
    close(open("../here", O_CREAT | O_WRONLY, 0644));
    printf("%d ", chdir(".."));
    printf("%d\n", access("here", F_OK));
    printf("%d\n", failed(chdir("here"), ENOTDIR));
    printf("%d\n", failed(getcwd(path, 2) == NULL ? -1 : 0, ERANGE));
    return 0;
}
