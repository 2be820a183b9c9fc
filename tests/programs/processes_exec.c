/* SPDX-License-Identifier: MIT */
/*
 * processes_exec.c: A program becomes another one, or itself with other arguments.
 */
#include "programs.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int count, char **arguments)
{
    char *again[] = {arguments[0], "second", "a b", NULL}, *environment[] = {"ONLY=this", NULL};

    if (count > 1) {
        printf("%s|%s|%s\n", arguments[1], arguments[2], getenv("ONLY"));
        printf("%d\n", getenv("PATH") == NULL);
        return 9;
    }
    printf("%d\n", failed(execv("/none", again), ENOENT));
    fflush(stdout);
    execve("/proc/self/exe", again, environment);
    return 1;
}
