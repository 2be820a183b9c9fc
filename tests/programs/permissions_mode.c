/* SPDX-License-Identifier: MIT */
/*
 * permissions_mode.c: Modes, and the mask that takes bits away.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned mode_of(const char *name)
{
    struct stat status;

    return stat(name, &status) == 0 ? status.st_mode & 07777 : 0;
}

int main(void)
{
    umask(027);
    close(open("a", O_CREAT | O_WRONLY, 0666));
    mkdir("d", 0777);
    printf("%o %o\n", mode_of("a"), mode_of("d"));
    printf("%d ", chmod("a", 04751));
    printf("%o\n", mode_of("a"));
    printf("%d ", fchmod(open("a", O_RDONLY), 0600));
    printf("%o\n", mode_of("a"));
    printf("%o\n", (unsigned)umask(022));
    return 0;
}
