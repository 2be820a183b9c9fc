/* SPDX-License-Identifier: MIT */
/*
 * memory_protected.c: What may not be touched is a signal, with the address.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static sigjmp_buf back;
static char *expected;

static void handler(int signal, siginfo_t *info, void *context)
{
    (void)context;
    printf("%d %d %d\n", signal == SIGSEGV, info->si_code == SEGV_ACCERR,
           info->si_addr == (void *)expected);
    siglongjmp(back, 1);
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    char *memory = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    sigaction(SIGSEGV, &action, NULL);
    memory[5] = 'a';
    printf("%d\n", mprotect(memory, 4096, PROT_READ));
    expected = memory + 5;
    if (sigsetjmp(back, 1) == 0)
        memory[5] = 'b';
    memory[4096] = 'c';
    printf("%c%c\n", memory[5], memory[4096]);
    return 0;
}
