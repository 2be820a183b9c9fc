/* SPDX-License-Identifier: MIT */
/*
 * processes_exit.c: What is done at the end of a program, in reverse.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void first(void)
{
    printf("registered first\n");
}

static void second(void)
{
    printf("registered second\n");
}

int main(void)
{
    atexit(first);
    atexit(second);
    printf("main\n");
    exit(300);
}
