/* SPDX-License-Identifier: MIT */
/*
 * files_vector.c: Several buffers in one call.
 */
#include "programs.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

int main(void)
{
    char a[3] = "", b[5] = "";
    struct iovec out[] = {{"one", 3}, {"", 0}, {"three", 5}}, in[] = {{a, 2}, {b, 4}};
    int fd = open("a", O_RDWR | O_CREAT | O_TRUNC, 0644);

    printf("%d\n", (int)writev(fd, out, 3));
    lseek(fd, 0, SEEK_SET);
    printf("%d %s %s\n", (int)readv(fd, in, 2), a, b);
    printf("%d\n", failed(readv(fd, in, -1), EINVAL));
    return 0;
}
