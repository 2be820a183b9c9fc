/* SPDX-License-Identifier: MIT */
/*
 * memory_allocated.c: Much memory from malloc, used and given back.
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
    enum { BLOCKS = 300 };
    unsigned char *blocks[BLOCKS];
    unsigned long sum = 0;

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < BLOCKS; i++) {
            blocks[i] = malloc((size_t)(i + 1) * 97 % 30000 + 1);
            memset(blocks[i], i + round, (size_t)(i + 1) * 97 % 30000 + 1);
        }
        for (int i = 0; i < BLOCKS; i++)
            sum += blocks[i][(size_t)(i + 1) * 97 % 30000];
        for (int i = BLOCKS - 1; i >= 0; i -= 1)
            free(blocks[i]);
    }
    printf("%lu\n", sum);
    return 0;
}
