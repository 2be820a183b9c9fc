/* SPDX-License-Identifier: MIT */
/*
 * processes_spawn.c: A child that runs another program, with its files changed.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int main(int count, char **arguments)
{
    char *again[] = {arguments[0], "child", NULL}, text[32] = "";
    posix_spawn_file_actions_t actions;
    pid_t child;
    int status;

    if (count > 1)
        return puts("from the child") < 0;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "out", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    printf("%d\n", posix_spawn(&child, "/proc/self/exe", &actions, NULL, again, environ));
    printf("%d", waitpid(child, &status, 0) == child);
    printf(" %d\n", status);
    printf("%d %s", (int)read(open("out", O_RDONLY), text, 31), text);
    return 0;
}
