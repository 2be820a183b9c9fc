/* SPDX-License-Identifier: MIT */
/*
 * environment_words.c: Arguments and environment as they are given on.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

int main(int count, char **arguments)
{
    char *again[] = {"name", "", "two words", "\xc3\xa4\n", NULL};
    char *variables[] = {"A=1", "EMPTY=", "B=x=y", NULL};

    if (strcmp(arguments[0], "name") != 0)
        return execve("/proc/self/exe", again, variables);
    printf("%d\n", count);
    for (int i = 0; i < count; i++)
        printf("[%s]\n", arguments[i]);
    for (char **variable = environ; *variable; variable++)
        printf("%s\n", *variable);
    printf("%d %s\n", setenv("A", "2", 0), getenv("A"));
    return 0;
}
