/* SPDX-License-Identifier: MIT */
/*
 * links_loop.c: Links that lead in circles.
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
    symlink("b", "a");
    symlink("a", "b");
    printf("%d\n", failed(open("a", O_RDONLY), ELOOP));
    symlink(".", "here");
    close(open("f", O_CREAT | O_WRONLY, 0644));
    printf("%d\n", access("here/here/here/f", F_OK));
    return 0;
}
