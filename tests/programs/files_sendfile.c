/* SPDX-License-Identifier: MIT */
/*
 * files_sendfile.c: The kernel copies from one file to the other, and within one.
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

/* To its own end there is no overlap, however much is asked for; one byte earlier there is. */
static void copy_within(int file)
{
    char text[32] = "";
    off_t start = 0, end = 10;

    printf("%d ", (int)copy_file_range(file, &start, file, &end, 1 << 20, 0));
    printf("%ld %ld\n", (long)start, (long)end);
    printf("%d %s\n", (int)pread(file, text, 31, 0), text);
    start = 0;
    end = 19;
    printf("%d\n", copy_file_range(file, &start, file, &end, 1 << 20, 0) == -1 && errno == EINVAL);
    start = 20;
    end = 0;
    printf("%d\n", (int)copy_file_range(file, &start, file, &end, 1 << 20, 0));
}

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
    copy_within(from);
    return 0;
}
