/* SPDX-License-Identifier: MIT */
/*
 * signals_end.c: A program that ends by a signal.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int end_of(int signal)
{
    int status;

    if (fork() == 0) {
        /* Who started this may have it ignored. */
        sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
        raise(signal);
        _exit(1);
    }
    wait(&status);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

int main(void)
{
    static const int signals[] = {SIGTERM, SIGKILL, SIGABRT, SIGCHLD, SIGHUP, SIGURG, SIGFPE};

    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        printf("%d\n", end_of(signals[i]));
    fflush(stdout);
    raise(SIGPIPE);
    return 0;
}
