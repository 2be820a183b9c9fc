/* SPDX-License-Identifier: MIT */
/*
 * misc_input.c: Standard input, line by line, until its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
    char line[80];
    int lines = 0;

    while (fgets(line, sizeof(line), stdin))
        printf("%d %s", ++lines, line);
    fprintf(stderr, "%d lines\n", lines);
    printf("%d\n", feof(stdin) != 0);
    return lines;
}
