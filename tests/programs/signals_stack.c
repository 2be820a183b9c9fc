/* SPDX-License-Identifier: MIT */
/*
 * signals_stack.c: A handler with a stack of its own, when the usual one is used up.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char stack[65536];

static void handler(int signal)
{
    char here;

    (void)signal;
    printf("%d\n", &here > stack && &here < stack + sizeof(stack));
    fflush(stdout);
    _exit(4);
}

static int deeper(volatile int *below)
{
    volatile int room[1000];

    room[0] = *below + 1;
    return *below < 0 ? 0 : deeper(room) + room[999];
}

int main(void)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
    stack_t other = {.ss_sp = stack, .ss_size = sizeof(stack)};
    volatile int zero = 0;

    printf("%d\n", sigaltstack(&other, NULL));
    sigaction(SIGSEGV, &action, NULL);
    return deeper(&zero);
}
