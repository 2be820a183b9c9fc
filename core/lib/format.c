/* SPDX-License-Identifier: MIT */
/*
 * format.c: the formatting engine.
 *
 * A format is a row of plain bytes and conversions. A conversion is read into a struct spec, its
 * value is turned into digits at the end of a small buffer, and the pieces (blanks, sign or prefix,
 * zeros, digits, blanks) go out through one function, so that the same code fills memory and the
 * console.
 */
#include "lib/format.h"

#include "lib/string.h"

#include <stdbool.h>
#include <stdint.h>

/* Enough for 64 bits in octal. */
#define DIGITS_MAX 24

struct sink {
    void (*put)(void *context, char byte);
    void *context;
    size_t count;
};

struct spec {
    bool left, zero, plus, space, alternate;
    int width;
    int precision; /* -1: none given */
    char length;   /* 'H' for hh, 'h', 'l', 'L' for ll, z, t, j; or 0 */
    char conversion;
};

static void emit(struct sink *sink, char byte)
{
    sink->put(sink->context, byte);
    sink->count++;
}

static void emit_many(struct sink *sink, char byte, int n)
{
    while (n-- > 0)
        emit(sink, byte);
}

static bool read_flag(struct spec *spec, char c)
{
    switch (c) {
    case '-':
        spec->left = true;
        return true;
    case '0':
        spec->zero = true;
        return true;
    case '+':
        spec->plus = true;
        return true;
    case ' ':
        spec->space = true;
        return true;
    case '#':
        spec->alternate = true;
        return true;
    default:
        return false;
    }
}

/* Reads digits at *format; values that make no sense are kept small. */
static int read_number(const char **format)
{
    int n = 0;

    for (; char_is_digit(**format); (*format)++)
        if (n < 100000)
            n = n * 10 + (**format - '0');
    return n;
}

static char read_length(const char **format)
{
    char c = **format;

    if (c != 'h' && c != 'l' && c != 'z' && c != 't' && c != 'j')
        return 0;
    (*format)++;
    if (**format != c || (c != 'h' && c != 'l'))
        return c;
    (*format)++;
    return c == 'h' ? 'H' : 'L';
}

static uint64_t take_unsigned(char length, va_list *args)
{
    switch (length) {
    case 'H':
        return (unsigned char)va_arg(*args, unsigned);
    case 'h':
        return (unsigned short)va_arg(*args, unsigned);
    case 'l':
        return va_arg(*args, unsigned long);
    case 'L':
        return va_arg(*args, unsigned long long);
    case 'z':
    case 't':
        return va_arg(*args, size_t);
    case 'j':
        return va_arg(*args, uintmax_t);
    default:
        return va_arg(*args, unsigned);
    }
}

static int64_t take_signed(char length, va_list *args)
{
    switch (length) {
    case 'H':
        return (signed char)va_arg(*args, int);
    case 'h':
        return (short)va_arg(*args, int);
    case 'l':
        return va_arg(*args, long);
    case 'L':
        return va_arg(*args, long long);
    case 'z':
    case 't':
        return va_arg(*args, ptrdiff_t);
    case 'j':
        return va_arg(*args, intmax_t);
    default:
        return va_arg(*args, int);
    }
}

/* One padded field: prefix and body, with zeros between them. */
static void emit_field(struct sink *sink, const struct spec *spec, const char *prefix, int zeros,
                       const char *body, int n)
{
    int blanks = spec->width - n - zeros - (int)string_length(prefix);

    if (!spec->left)
        emit_many(sink, ' ', blanks);
    while (*prefix)
        emit(sink, *prefix++);
    emit_many(sink, '0', zeros);
    for (int i = 0; i < n; i++)
        emit(sink, body[i]);
    if (spec->left)
        emit_many(sink, ' ', blanks);
}

static void emit_integer(struct sink *sink, const struct spec *spec, const char *prefix,
                         uint64_t value, unsigned base)
{
    const char *symbols = spec->conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    char digits[DIGITS_MAX];
    int at = DIGITS_MAX, zeros = 0, n;

    for (uint64_t rest = value; rest; rest /= base)
        digits[--at] = symbols[rest % base];
    n = DIGITS_MAX - at;
    if (spec->precision >= 0)
        zeros = spec->precision - n;
    else if (spec->zero && !spec->left)
        zeros = spec->width - n - (int)string_length(prefix);
    if (zeros < 0)
        zeros = 0;
    if (n + zeros == 0 && spec->precision != 0)
        zeros = 1;
    emit_field(sink, spec, prefix, zeros, digits + at, n);
}

static void emit_signed(struct sink *sink, const struct spec *spec, int64_t value)
{
    const char *sign = value < 0 ? "-" : spec->plus ? "+" : spec->space ? " " : "";

    emit_integer(sink, spec, sign, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10);
}

static void emit_string(struct sink *sink, const struct spec *spec, const char *s)
{
    size_t max = spec->precision >= 0 ? (size_t)spec->precision : 100000;

    if (!s)
        s = "(null)";
    emit_field(sink, spec, "", 0, s, (int)string_length_max(s, max));
}

static void emit_unsigned(struct sink *sink, const struct spec *spec, uint64_t value)
{
    bool hex = spec->conversion == 'x' || spec->conversion == 'X';
    const char *prefix = "";

    if (spec->alternate && value && hex)
        prefix = spec->conversion == 'x' ? "0x" : "0X";
    else if (spec->alternate && value && spec->conversion == 'o')
        prefix = "0";
    emit_integer(sink, spec, prefix, value, hex ? 16 : spec->conversion == 'o' ? 8 : 10);
}

static void convert(struct sink *sink, struct spec *spec, va_list *args)
{
    char c;

    switch (spec->conversion) {
    case 'd':
    case 'i':
        emit_signed(sink, spec, take_signed(spec->length, args));
        break;
    case 'u':
    case 'x':
    case 'X':
    case 'o':
        emit_unsigned(sink, spec, take_unsigned(spec->length, args));
        break;
    case 'p':
        emit_integer(sink, spec, "0x", (uintptr_t)va_arg(*args, void *), 16);
        break;
    case 's':
        emit_string(sink, spec, va_arg(*args, const char *));
        break;
    case 'c':
        c = (char)va_arg(*args, int);
        emit_field(sink, spec, "", 0, &c, 1);
        break;
    default:
        emit(sink, '%');
        emit(sink, spec->conversion);
        break;
    }
}

/* Reads what stands between % and the conversion; *format moves to the conversion. */
static void read_spec(struct spec *spec, const char **format, va_list *args)
{
    *spec = (struct spec){.precision = -1};
    while (read_flag(spec, **format))
        (*format)++;
    if (**format == '*') {
        (*format)++;
        spec->width = va_arg(*args, int);
        if (spec->width < 0) {
            spec->left = true;
            spec->width = -spec->width;
        }
    } else {
        spec->width = read_number(format);
    }
    if (**format == '.') {
        (*format)++;
        if (**format == '*') {
            (*format)++;
            spec->precision = va_arg(*args, int);
        } else {
            spec->precision = read_number(format);
        }
    }
    spec->length = read_length(format);
    spec->conversion = **format;
}

size_t format_each(void (*put)(void *context, char byte), void *context, const char *format,
                   va_list args)
{
    struct sink sink = {.put = put, .context = context};
    struct spec spec;
    va_list rest;

    va_copy(rest, args);
    for (; *format; format++) {
        if (*format != '%') {
            emit(&sink, *format);
            continue;
        }
        format++;
        if (*format == '%') {
            emit(&sink, '%');
            continue;
        }
        read_spec(&spec, &format, &rest);
        if (!spec.conversion)
            break;
        convert(&sink, &spec, &rest);
    }
    va_end(rest);
    return sink.count;
}

struct memory_sink {
    char *to;
    size_t room; /* without the NUL */
    size_t used;
};

static void put_memory(void *context, char byte)
{
    struct memory_sink *memory = context;

    if (memory->used < memory->room)
        memory->to[memory->used++] = byte;
}

size_t format_text_va(char *to, size_t size, const char *format, va_list args)
{
    struct memory_sink memory = {.to = to, .room = size ? size - 1 : 0};
    size_t length = format_each(put_memory, &memory, format, args);

    if (size)
        to[memory.used] = '\0';
    return length;
}

size_t format_text(char *to, size_t size, const char *format, ...)
{
    va_list args;
    size_t length;

    va_start(args, format);
    length = format_text_va(to, size, format, args);
    va_end(args);
    return length;
}
