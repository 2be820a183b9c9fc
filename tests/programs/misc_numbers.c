/* SPDX-License-Identifier: MIT */
/*
 * misc_numbers.c: Numbers, also those with fractions, as text and back.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

int main(void)
{
    double values[20], sum = 0;

    for (int i = 0; i < 20; i++)
        values[i] = sin(i) * 100;
    qsort(values, 20, sizeof(values[0]), compare);
    for (int i = 0; i < 20; i++)
        sum += values[i] * i;
    printf("%.3f %.3f %g\n", values[0], values[19], 1e300 * 1e10);
    printf("%.6f %a\n", sum, 0.1);
    printf("%ld %f\n", strtol("-0x1f", NULL, 16), strtod("2.5e3", NULL));
    return 0;
}
