/* SPDX-License-Identifier: MIT */
/*
 * hello.c: the smallest program: who am I, where do I run, what was I given.
 */
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct utsname machine;

    if (uname(&machine) != 0) {
        perror("uname");
        return 1;
    }
    printf("Hello from process %d on %s (%s, %s).\n", (int)getpid(), machine.nodename,
           machine.sysname, machine.machine);
    for (int i = 1; i < argc; i++)
        printf("  argument %d: %s\n", i, argv[i]);
    return 0;
}
