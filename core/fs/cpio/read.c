/* SPDX-License-Identifier: MIT */
/*
 * read.c: headers and names, taken apart with distrust.
 */
#include "fs/cpio/unpack.h"

#include "lib/string.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define PADDING 4u

static const char make_again[] = "Make it with: find . | cpio -o -H newc";

static int say(struct cpio_unpacker *unpacker, const char *what)
{
    problem_set(unpacker->problem, make_again, "%s (at byte %llu of the archive).", what,
                (unsigned long long)unpacker->reader.offset);
    return -EINVAL;
}

/* Has at least a byte ready. 1, 0 at the end, or the source's error. */
static int fill(struct cpio_unpacker *unpacker)
{
    struct cpio_reader *reader = &unpacker->reader;
    int64_t n;

    if (reader->next < reader->ready)
        return 1;
    n = reader->source->read(reader->source->context, reader->chunk, CPIO_CHUNK);
    if (n < 0) {
        problem_set(unpacker->problem, "Write the archive again.",
                    "The archive cannot be read at byte %llu (error %d).",
                    (unsigned long long)reader->offset, (int)-n);
        return (int)n;
    }
    reader->next = 0;
    reader->ready = (size_t)n;
    return n > 0;
}

int64_t cpio_read_part(struct cpio_unpacker *unpacker, size_t n, const uint8_t **part)
{
    struct cpio_reader *reader = &unpacker->reader;
    int got = fill(unpacker);

    if (got < 0)
        return got;
    if (got == 0)
        return say(unpacker, "The archive ends too early");
    if (n > reader->ready - reader->next)
        n = reader->ready - reader->next;
    *part = reader->chunk + reader->next;
    reader->next += n;
    reader->offset += n;
    return (int64_t)n;
}

int cpio_read(struct cpio_unpacker *unpacker, void *to, size_t n)
{
    uint8_t *at = to;

    while (n > 0) {
        const uint8_t *part;
        int64_t got = cpio_read_part(unpacker, n, &part);

        if (got < 0)
            return (int)got;
        if (at) {
            memcpy(at, part, (size_t)got);
            at += got;
        }
        n -= (size_t)got;
    }
    return 0;
}

int cpio_skip_zeros(struct cpio_unpacker *unpacker)
{
    struct cpio_reader *reader = &unpacker->reader;
    int got;

    while ((got = fill(unpacker)) > 0 && reader->chunk[reader->next] == 0) {
        reader->next++;
        reader->offset++;
    }
    return got;
}

static int digit_of(char c)
{
    if (char_is_digit(c))
        return c - '0';
    c = char_to_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Takes apart a number of eight digits. */
static bool read_number(const char *text, uint32_t *number)
{
    *number = 0;
    for (unsigned i = 0; i < 8; i++) {
        int digit = digit_of(text[i]);

        if (digit < 0)
            return false;
        *number = *number << 4 | (uint32_t)digit;
    }
    return true;
}

/* Names what `magic` is instead of an archive of this kind. */
static int refuse_magic(struct cpio_unpacker *unpacker, const uint8_t *magic)
{
    static const struct {
        const char *magic, *what;
        size_t n;
    } known[] = {
        {"\x1f\x8b", "This is compressed by gzip, and has to be unpacked first", 2},
        {"BZh", "This is compressed by bzip2, and has to be unpacked first", 3},
        {"\xfd"
         "7zXZ",
         "This is compressed by xz, and has to be unpacked first", 5},
        {"\x28\xb5\x2f\xfd", "This is compressed by zstd, and has to be unpacked first", 4},
        {"\x02\x21\x4c\x18", "This is compressed by lz4, and has to be unpacked first", 4},
        {"070707", "This is a cpio archive of the old kind", 6},
        {"\xc7\x71", "This is a cpio archive of the binary kind", 2},
    };

    for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (memcmp(magic, known[i].magic, known[i].n) == 0)
            return say(unpacker, known[i].what);
    }
    return say(unpacker, "No cpio header where one should be");
}

static int parse_header(struct cpio_unpacker *unpacker, const char *text)
{
    struct cpio_header *header = &unpacker->header;
    uint32_t *const fields[] = {
        &header->inode, &header->mode,         &header->uid,          &header->gid,
        &header->links, &header->mtime,        &header->size,         &header->major,
        &header->minor, &header->device_major, &header->device_minor, &header->name_bytes,
        &header->sum,
    };

    header->summed = text[5] == '2';
    for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (!read_number(text + 6 + 8 * i, fields[i]))
            return say(unpacker, "A header holds something else than numbers");
    }
    if (header->name_bytes < 2 || header->name_bytes > VFS_PATH_MAX)
        return say(unpacker, "A name has an impossible length");
    return 0;
}

/* True if a component of the path is "..". */
static bool leads_up(const char *path)
{
    for (; *path; path++) {
        if (path[0] == '.' && path[1] == '.' && (path[2] == '/' || path[2] == '\0'))
            return true;
        while (*path && *path != '/')
            path++;
        if (!*path)
            break;
    }
    return false;
}

/* Takes "/" and "./" off the front, and slashes off the end; "." itself becomes "". */
static void make_relative(char *name)
{
    const char *from = name;
    size_t n;

    while (*from == '/' || (from[0] == '.' && (from[1] == '/' || from[1] == '\0')))
        from++;
    n = string_length(from);
    while (n > 0 && from[n - 1] == '/')
        n--;
    memmove(name, from, n);
    name[n] = '\0';
}

static int read_name(struct cpio_unpacker *unpacker)
{
    size_t n = unpacker->header.name_bytes;
    size_t padding = (PADDING - (CPIO_HEADER + n) % PADDING) % PADDING;
    int error = cpio_read(unpacker, unpacker->name, n);

    if (!error)
        error = cpio_read(unpacker, NULL, padding);
    if (error)
        return error;
    if (string_length_max(unpacker->name, n) != n - 1)
        return say(unpacker, "A name is not as long as its header says");
    if (leads_up(unpacker->name))
        return say(unpacker, "A name leads out of the tree");
    return 0;
}

int cpio_read_header(struct cpio_unpacker *unpacker, bool *last)
{
    char text[CPIO_HEADER];
    int error = cpio_read(unpacker, text, 6);

    /* What is no archive may be shorter than a header. */
    if (!error && (memcmp(text, "07070", 5) != 0 || (text[5] != '1' && text[5] != '2')))
        return refuse_magic(unpacker, (const uint8_t *)text);
    if (!error)
        error = cpio_read(unpacker, text + 6, CPIO_HEADER - 6);
    if (!error)
        error = parse_header(unpacker, text);
    if (!error)
        error = read_name(unpacker);
    if (error)
        return error;
    *last = string_equal(unpacker->name, "TRAILER!!!");
    make_relative(unpacker->name);
    return 0;
}
