/* SPDX-License-Identifier: MIT */
/*
 * permissions_access.c: What access says of what is there.
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
    close(open("a", O_CREAT | O_WRONLY, 0644));
    printf("%d ", access("a", F_OK));
    printf("%d\n", access("a", R_OK | W_OK));
    printf("%d\n", failed(access("none", F_OK), ENOENT));
    printf("%d\n", failed(access("a/b", F_OK), ENOTDIR));
    chmod("a", 0755);
    printf("%d\n", access("a", X_OK));
    return 0;
}
