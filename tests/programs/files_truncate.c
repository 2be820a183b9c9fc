/* SPDX-License-Identifier: MIT */
/*
 * files_truncate.c: A file is cut, and made longer with zeros.
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
    char text[8];
    struct stat status;
    int fd = open("a", O_RDWR | O_CREAT | O_TRUNC, 0644);

    printf("%d ", (int)write(fd, "abcdefgh", 8));
    printf("%d ", ftruncate(fd, 3));
    printf("%d\n", truncate("a", 6));
    fstat(fd, &status);
    printf("%ld ", (long)status.st_size);
    printf("%d\n", (int)pread(fd, text, 8, 0));
    for (int i = 0; i < 6; i++)
        printf("%d ", text[i]);
    printf("\n%d\n", failed(ftruncate(fd, -1), EINVAL));
    return 0;
}
