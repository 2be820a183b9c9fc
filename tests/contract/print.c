/* SPDX-License-Identifier: MIT */
/*
 * print.c: text and numbers on the console, byte by byte.
 *
 * Through hal_console_putc only, the one way out that is promised to work in any context.
 */
#include "contract.h"

void contract_print(const char *text)
{
    while (*text != '\0')
        hal_console_putc((uint8_t)*text++);
}

static void print_digits(uint64_t value, unsigned base)
{
    char digits[21];
    size_t at = sizeof(digits) - 1;
    digits[at] = '\0';
    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    contract_print(digits + at);
}

void contract_print_number(uint64_t value)
{
    print_digits(value, 10);
}

void contract_print_hex(uint64_t value)
{
    contract_print("0x");
    print_digits(value, 16);
}
