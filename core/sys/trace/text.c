/* SPDX-License-Identifier: MIT */
/*
 * text.c: arguments and results in strace's words.
 */
#include "sys/trace/text.h"

#include "abi/abi.h"
#include "fs/file.h"
#include "lib/format.h"
#include "sys/trace/names.h"
#include "sys/user.h"
#include "vm/copy.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define STRING_MAX 32u /* bytes of data that are shown; of paths all are */
#define STRINGS_MAX 32u
#define VECTORS_MAX 8u
#define PIECE 64u
#define ERROR_MAX 4095
#define RESULT_COLUMN 40u

void text_flush(struct text *text)
{
    if (text->used > 0)
        text->out(text->bytes, text->used);
    text->used = 0;
}

static void put_byte(void *context, char byte)
{
    struct text *text = context;

    if (text->used == sizeof(text->bytes))
        text_flush(text);
    text->bytes[text->used++] = byte;
    text->column = byte == '\n' ? 0 : text->column + 1;
}

void text_pad(struct text *text)
{
    do
        put_byte(text, ' ');
    while (text->column < RESULT_COLUMN);
}

void text_put(struct text *text, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)format_each(put_byte, text, format, args);
    va_end(args);
}

/* ---- strings ---- */

/* A byte as C has it in strings. `digit`: the next one is a digit, which must not join it. */
static void put_quoted(struct text *text, uint8_t byte, bool digit)
{
    static const char plain[] = "\n\t\r\v\f", letters[] = "ntrvf";

    for (unsigned i = 0; i < sizeof(plain) - 1; i++) {
        if (byte == (uint8_t)plain[i]) {
            text_put(text, "\\%c", letters[i]);
            return;
        }
    }
    if (byte == '"' || byte == '\\')
        text_put(text, "\\%c", byte);
    else if (byte >= 32 && byte < 127)
        text_put(text, "%c", byte);
    else
        text_put(text, digit ? "\\%03o" : "\\%o", byte);
}

static void put_bytes(struct text *text, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put_quoted(text, bytes[i], i + 1 < n && bytes[i + 1] >= '0' && bytes[i + 1] <= '9');
}

static void put_address(struct text *text, uint64_t address)
{
    if (address)
        text_put(text, "%#llx", (unsigned long long)address);
    else
        text_put(text, "NULL");
}

/* `n` bytes of the program's, or the address if they cannot be read. */
static void put_data(struct text *text, struct vm_space *space, uint64_t address, uint64_t n)
{
    uint8_t bytes[STRING_MAX];
    size_t shown = n < STRING_MAX ? (size_t)n : STRING_MAX;

    if (!address || vm_copy_in(space, bytes, (uintptr_t)address, shown)) {
        put_address(text, address);
        return;
    }
    text_put(text, "\"");
    put_bytes(text, bytes, shown);
    text_put(text, n > shown ? "\"..." : "\"");
}

/* A string that ends with a NUL, of which up to `most` bytes are shown. */
static void put_string(struct text *text, struct vm_space *space, uint64_t address, size_t most)
{
    char bytes[PIECE + 1];
    int64_t n = 0;

    for (size_t done = 0; done < most; done += (size_t)n) {
        size_t want = most - done < PIECE ? most - done : PIECE;

        n = vm_copy_string_in(space, bytes, (uintptr_t)address + done, want);
        if (n < 0 && done == 0)
            put_address(text, address);
        if (n < 0)
            return;
        text_put(text, done == 0 ? "\"" : "");
        put_bytes(text, (const uint8_t *)bytes, (size_t)n);
        if ((size_t)n < want) {
            text_put(text, "\"");
            return;
        }
    }
    text_put(text, "\"...");
}

/* An array of strings, which ends with a NULL; with `count_only`, how many they are. */
static void put_strings(struct text *text, struct vm_space *space, uint64_t address,
                        bool count_only)
{
    uint64_t string = 0;
    unsigned count = 0;

    if (!address || vm_copy_in(space, &string, (uintptr_t)address, sizeof(string)) || count_only)
        put_address(text, address);
    else
        text_put(text, "[");
    while (string && count < 4096) {
        if (!count_only && count < STRINGS_MAX) {
            text_put(text, count > 0 ? ", " : "");
            put_string(text, space, string, STRING_MAX);
        }
        count++;
        if (vm_copy_in(space, &string, (uintptr_t)address + count * sizeof(string), sizeof(string)))
            break;
    }
    if (count_only && address)
        text_put(text, " /* %u var%s */", count, count == 1 ? "" : "s");
    else if (address)
        text_put(text, count > STRINGS_MAX ? ", ...]" : "]");
}

/* What a writev writes. */
static void put_vectors(struct text *text, struct vm_space *space, uint64_t address, uint64_t count)
{
    struct {
        uint64_t base, length;
    } vector;

    text_put(text, "[");
    for (unsigned i = 0; i < count && i < VECTORS_MAX; i++) {
        if (vm_copy_in(space, &vector, (uintptr_t)address + i * sizeof(vector), sizeof(vector)))
            break;
        text_put(text, "%s{iov_base=", i > 0 ? ", " : "");
        put_data(text, space, vector.base, vector.length);
        text_put(text, ", iov_len=%llu}", (unsigned long long)vector.length);
    }
    text_put(text, "]");
}

/* ---- numbers ---- */

/* Bits of open that processors number differently, out of `rest`. */
static uint64_t put_open_flags(struct text *text, uint64_t rest)
{
    const struct {
        unsigned bit;
        const char *name;
    } own[] = {{abi_open_directory, "O_DIRECTORY"},
               {abi_open_no_follow, "O_NOFOLLOW"},
               {abi_open_large, "O_LARGEFILE"}};

    for (unsigned i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (rest & own[i].bit)
            text_put(text, "|%s", own[i].name);
        rest &= ~(uint64_t)own[i].bit;
    }
    return rest;
}

/* Names for a number, and what has none in hexadecimal. */
static void put_names(struct text *text, const struct text_call *call,
                      const struct names_entry *names, uint32_t value)
{
    uint64_t rest = value;
    bool any = false;

    for (; names->name; names++) {
        if ((value & names->mask) != names->value || (any && names->value == 0))
            continue;
        text_put(text, "%s%s", any ? "|" : "", names->name);
        rest &= ~names->mask;
        any = true;
        if (names->mask == UINT32_MAX)
            return;
    }
    if (call->number == SYS_OPENAT)
        rest = put_open_flags(text, rest);
    if (rest || !any)
        text_put(text, rest ? "%s%#llx" : "%s%llx", any ? "|" : "", (unsigned long long)rest);
}

static void put_signal(struct text *text, uint32_t signal)
{
    const char *name = names_of_signal(signal);

    if (name)
        text_put(text, "%s", name);
    else if (signal >= 32 && signal <= 64)
        text_put(text, "SIGRT_%u", signal - 32);
    else
        text_put(text, "%d", (int)signal);
}

/* ---- arguments ---- */

/* Which argument of the call the program's argument `index` is; SYS_ARGUMENTS: none. */
static unsigned place_of(const struct text_call *call, unsigned index)
{
    if (!call->order)
        return index;
    for (unsigned i = 0; i < SYS_ARGUMENTS && call->order[i]; i++) {
        if (call->order[i] == (char)('0' + index))
            return i;
    }
    return SYS_ARGUMENTS;
}

static enum sys_kind kind_of(const struct text_call *call, unsigned index)
{
    unsigned place = place_of(call, index);

    return place < SYS_ARGUMENTS ? (enum sys_kind)call->call->kinds[place] : SYS_UNUSED;
}

unsigned text_arguments(const struct text_call *call)
{
    unsigned count = SYS_ARGUMENTS;

    while (count > 0 && kind_of(call, count - 1) == SYS_UNUSED)
        count--;
    /* The mode says nothing where nothing is made. */
    if (call->number == SYS_OPENAT && !(call->args->value[2] & FILE_CREATE) && count > 0)
        count -= kind_of(call, count - 1) == SYS_MODE;
    return count;
}

bool text_is_answer(const struct text_call *call, unsigned index)
{
    enum sys_kind kind = kind_of(call, index);

    return kind == SYS_BUFFER_OUT || kind == SYS_STRUCT_OUT;
}

/* What the call has filled. */
static void put_answer(struct text *text, const struct text_call *call, uint64_t address,
                       int64_t result)
{
    if (result < 0 || call->number == SYS_GETDENTS64)
        put_address(text, address);
    else
        put_data(text, call->space, address,
                 (uint64_t)result - (call->number == SYS_GETCWD && result > 0));
}

static void put_vector(struct text *text, const struct text_call *call, unsigned place)
{
    if (call->number == SYS_WRITEV || call->number == SYS_PWRITEV)
        put_vectors(text, call->space, call->args->value[place], call->args->value[place + 1]);
    else
        put_address(text, call->args->value[place]);
}

/* By the kind of the call's argument `place`. */
static void put_value(struct text *text, const struct text_call *call, unsigned place,
                      int64_t result)
{
    uint64_t value = call->args->value[place];

    switch (call->call->kinds[place]) {
    case SYS_FD:
        if ((int32_t)value == USER_THIS_DIRECTORY)
            text_put(text, "AT_FDCWD");
        else
            text_put(text, "%d", (int)value);
        return;
    case SYS_PATH:
    case SYS_STRING:
        put_string(text, call->space, value, VFS_PATH_MAX);
        return;
    case SYS_BUFFER_IN:
        put_data(text, call->space, value, call->args->value[place + 1]);
        return;
    case SYS_BUFFER_OUT:
        put_answer(text, call, value, result);
        return;
    case SYS_STRINGS:
        put_strings(text, call->space, value, place > 1);
        return;
    case SYS_VECTOR:
        put_vector(text, call, place);
        return;
    case SYS_MODE:
        text_put(text, "0%o", (unsigned)value);
        return;
    case SYS_SIZE:
        text_put(text, "%llu", (unsigned long long)value);
        return;
    case SYS_OFFSET:
        text_put(text, "%lld", (long long)value);
        return;
    case SYS_SIGNAL:
        put_signal(text, (uint32_t)value);
        return;
    case SYS_INT:
    case SYS_PID:
    case SYS_ID:
        text_put(text, "%d", (int)value);
        return;
    case SYS_FLAGS:
        text_put(text, (uint32_t)value ? "%#x" : "%u", (unsigned)value);
        return;
    default:
        put_address(text, value);
    }
}

void text_put_argument(struct text *text, const struct text_call *call, unsigned index,
                       int64_t result)
{
    unsigned place = place_of(call, index);
    const struct names_entry *names;

    if (place == SYS_ARGUMENTS)
        return;
    names = names_of(call->number, place);
    if (names)
        put_names(text, call, names, (uint32_t)call->args->value[place]);
    else
        put_value(text, call, place, result);
}

/* ---- results ---- */

/* A call that a signal has cut short, and what becomes of it. */
static void put_interrupted(struct text *text, unsigned restart)
{
    switch (restart) {
    case SYS_RESTART:
        text_put(text, "? ERESTARTSYS (To be restarted if SA_RESTART is set)");
        return;
    case SYS_RESTART_QUIET:
        text_put(text, "? ERESTARTNOHAND (To be restarted if no handler)");
        return;
    case SYS_RESTART_TIMED:
        text_put(text, "? ERESTART_RESTARTBLOCK (Interrupted by signal)");
        return;
    default:
        text_put(text, "-1 EINTR (Interrupted system call)");
    }
}

void text_put_result(struct text *text, const struct text_call *call, int64_t result)
{
    if (result == -EINTR && call->call->restart != SYS_RESTART_NONE)
        put_interrupted(text, call->call->restart);
    else if (result < 0 && result >= -ERROR_MAX && names_of_error((unsigned)-result))
        text_put(text, "-1 %s (%s)", names_of_error((unsigned)-result),
                 names_of_error_text((unsigned)-result));
    else if (result < 0 && result >= -ERROR_MAX)
        text_put(text, "-1 (errno %d)", (int)-result);
    else if (call->number == SYS_MMAP || call->number == SYS_MREMAP || call->number == SYS_BRK)
        text_put(text, "%#llx", (unsigned long long)result);
    else if (call->number == SYS_UMASK)
        text_put(text, "0%llo", (unsigned long long)result);
    else
        text_put(text, "%lld", (long long)result);
}
