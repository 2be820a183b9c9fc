/* SPDX-License-Identifier: MIT */
/*
 * processes_shared.c: Two processes have the same descriptors, until one becomes another program.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STAYS = 20, CLOSES = 21, MADE = 22, GONE = 23 };

static int is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static void show(const char *who)
{
    printf("%s: %d %d %d %d\n", who, is_open(STAYS), is_open(CLOSES), is_open(MADE), is_open(GONE));
    fflush(stdout);
}

static void play_child(char *name)
{
    char *again[] = {name, "second", NULL};

    dup2(0, MADE);
    close(GONE);
    execv("/proc/self/exe", again);
    _exit(1);
}

int main(int count, char **arguments)
{
    int status = -1;
    long child;

    if (count > 1) {
        show("child");
        printf("%d\n", close(STAYS));
        show("child");
        return 9;
    }
    dup2(0, STAYS);
    dup3(0, CLOSES, O_CLOEXEC);
    dup2(0, GONE);
    show("parent");
    child = syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
    if (child == 0)
        play_child(arguments[0]);
    printf("%d\n", waitpid((pid_t)child, &status, 0) == child);
    printf("%d\n", WIFEXITED(status) && WEXITSTATUS(status) == 9);
    show("parent");
    return 0;
}
