/* SPDX-License-Identifier: MIT */
/*
 * files_sendfile.c: The kernel copies from one file to the other.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
    char text[16] = "";
    off_t at = 2;
    int from = open("a", O_RDWR | O_CREAT | O_TRUNC, 0644);
    int to = open("b", O_RDWR | O_CREAT | O_TRUNC, 0644);

    printf("%d\n", (int)write(from, "0123456789", 10));
    printf("%d ", (int)sendfile(to, from, &at, 5));
    printf("%ld\n", (long)at);
    printf("%d %s\n", (int)pread(to, text, 15, 0), text);
    return 0;
}
