/* SPDX-License-Identifier: MIT */
/*
 * string.c: NUL-terminated byte strings, the plain way.
 */
#include "lib/string.h"

#include <hal/errno.h>
#include <hal/runtime.h>

size_t string_length(const char *s)
{
    return string_length_max(s, SIZE_MAX);
}

size_t string_length_max(const char *s, size_t max)
{
    size_t n = 0;

    while (n < max && s[n])
        n++;
    return n;
}

int string_compare(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return (int)(unsigned char)*a - (int)(unsigned char)*b;
}

bool string_equal(const char *a, const char *b)
{
    return string_compare(a, b) == 0;
}

bool string_equal_nocase(const char *a, const char *b)
{
    while (*a && char_to_lower(*a) == char_to_lower(*b))
        a++, b++;
    return char_to_lower(*a) == char_to_lower(*b);
}

bool string_starts_with(const char *s, const char *prefix)
{
    while (*prefix)
        if (*s++ != *prefix++)
            return false;
    return true;
}

const char *string_find_char(const char *s, char c)
{
    for (; *s; s++)
        if (*s == c)
            return s;
    return NULL;
}

bool string_copy(char *to, size_t size, const char *from)
{
    size_t n = string_length_max(from, size);
    bool fits = n < size;

    if (!fits)
        n = size - 1;
    memcpy(to, from, n);
    to[n] = '\0';
    return fits;
}

/* The value of digit `c` in `base`, or -1. */
static int digit_value(char c, unsigned base)
{
    int value = -1;

    if (char_is_digit(c))
        value = c - '0';
    else if (char_to_lower(c) >= 'a' && char_to_lower(c) <= 'f')
        value = char_to_lower(c) - 'a' + 10;
    return value < (int)base ? value : -1;
}

int string_to_u64(const char *s, uint64_t *value, const char **end)
{
    unsigned base = 10;
    uint64_t sum = 0;

    if (s[0] == '0' && char_to_lower(s[1]) == 'x' && digit_value(s[2], 16) >= 0) {
        base = 16;
        s += 2;
    }
    if (digit_value(*s, base) < 0)
        return -EINVAL;
    for (int digit; (digit = digit_value(*s, base)) >= 0; s++) {
        if (sum > (UINT64_MAX - (unsigned)digit) / base)
            return -ERANGE;
        sum = sum * base + (unsigned)digit;
    }
    *value = sum;
    *end = s;
    return 0;
}

/* The nanoseconds that `suffix` stands for; 0 if it stands for nothing. */
static uint64_t unit_of(const char *suffix)
{
    static const struct {
        const char *name;
        uint64_t ns;
    } units[] = {{"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}, {"m", 60000000000}};

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (string_equal(suffix, units[i].name))
            return units[i].ns;
    return 0;
}

/* Reads the decimals after a point, as a part of `unit`, and moves *s behind them. */
static uint64_t read_fraction(const char **s, uint64_t unit)
{
    uint64_t sum = 0;

    for (uint64_t place = unit / 10; char_is_digit(**s); place /= 10)
        sum += place * (uint64_t)(*(*s)++ - '0');
    return sum;
}

int string_to_duration(const char *s, uint64_t unit, uint64_t *ns)
{
    const char *end, *point;
    uint64_t count;
    int error = string_to_u64(s, &count, &end);

    if (error)
        return error;
    point = end;
    if (*end == '.')
        for (end++; char_is_digit(*end);)
            end++;
    if (*end)
        unit = unit_of(end);
    if (unit == 0)
        return -EINVAL;
    if (count > UINT64_MAX / unit)
        return -ERANGE;
    count *= unit;
    if (*point == '.') {
        point++;
        if (__builtin_add_overflow(count, read_fraction(&point, unit), &count))
            return -ERANGE;
    }
    *ns = count;
    return 0;
}

int string_to_size(const char *s, uint64_t *bytes)
{
    static const char units[] = "KMG";
    const char *end, *unit;
    unsigned shift = 0;
    int error = string_to_u64(s, bytes, &end);

    if (error)
        return error;
    unit = *end ? string_find_char(units, *end) : NULL;
    if (unit) {
        shift = 10 * ((unsigned)(unit - units) + 1);
        end++;
    }
    if (*end)
        return -EINVAL;
    if (*bytes > UINT64_MAX >> shift)
        return -ERANGE;
    *bytes <<= shift;
    return 0;
}

bool char_is_print(char c)
{
    return c >= ' ' && c <= '~';
}

bool char_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool char_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

char char_to_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}
