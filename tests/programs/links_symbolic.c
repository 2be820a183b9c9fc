/* SPDX-License-Identifier: MIT */
/*
 * links_symbolic.c: Links by name.
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
    char text[32] = "";
    struct stat status;

    printf("%d\n", symlink("some/where else", "l"));
    printf("%d %s\n", (int)readlink("l", text, sizeof(text) - 1), text);
    printf("%d\n", failed(stat("l", &status), ENOENT));
    printf("%d ", lstat("l", &status));
    printf("%d ", S_ISLNK(status.st_mode));
    printf("%d\n", (int)status.st_size);
    close(open("f", O_CREAT | O_WRONLY, 0644));
    printf("%d ", symlink("f", "m"));
    printf("%d\n", open("m", O_RDONLY) >= 0);
    printf("%d\n", failed(open("m", O_RDONLY | O_NOFOLLOW), ELOOP));
    printf("%d\n", failed(readlink("f", text, 5), EINVAL));
    return 0;
}
