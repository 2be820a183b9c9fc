/* SPDX-License-Identifier: MIT */
/*
 * files_removed.c: A removed file stays for those who have it open.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
    char text[8] = "";
    struct stat status;
    int fd = open("a", O_RDWR | O_CREAT | O_TRUNC, 0644);

    printf("%d\n", (int)write(fd, "still", 5));
    printf("%d ", unlink("a"));
    printf("%d\n", unlink("a"));
    printf("%d %s\n", (int)pread(fd, text, 7, 0), text);
    printf("%d", fstat(fd, &status));
    printf(" %d\n", (int)status.st_nlink);
    return 0;
}
