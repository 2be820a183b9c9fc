/* SPDX-License-Identifier: MIT */
/*
 * put.c: see put.h.
 *
 * Every folder is new, so it is put together in memory and written once. Its first cluster is
 * taken before its children are, since they say where they come from. The short names of those
 * whose names are short anyway are given first; then those that need a number get one that is left.
 */
#define _FILE_OFFSET_BITS 64
#include "put.h"

#include "fs/fat32/entry/entry.h"
#include "fs/mkfs/mkfs.h"
#include "lib/bytes.h"
#include "space.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BLOCK_BYTES SPACE_CLUSTER_MAX
#define PATH_BYTES 4096u
#define SLOT FAT32_SLOT_BYTES
#define FILE_MAX UINT32_MAX
#define ATTEMPTS 1000u
#define MIB (1024u * 1024u)

/* A folder in the making. */
struct folder {
    uint32_t cluster;      /* its first */
    uint8_t *slots;        /* with room up to the next block */
    size_t used, room;     /* bytes */
    char **names;          /* of the host, in order */
    uint8_t (*shorts)[11]; /* that are given: shorts[i] is of the i-th one that was put */
    const char **put;      /* the names of those, */
    uint32_t *hashes;      /* and fat32_name_hash of each */
    size_t count, done;
};

/* The work as a whole. */
struct work {
    const struct put *put;
    struct put_totals *totals;
    struct space space;
    char path[PATH_BYTES]; /* of the host, for messages: from the folder on */
    uint8_t block[BLOCK_BYTES];
};

static char message[PUT_MESSAGE_BYTES];

static void leave_out(const struct work *work, const char *why)
{
    work->put->left_out(work->put->context, work->path, why);
}

/* ---- entries ---- */

static void put_time(uint8_t *entry, time_t when)
{
    struct tm calendar;
    uint16_t date = 0x21, of_day = 0;

    if (gmtime_r(&when, &calendar) && calendar.tm_year >= 80 && calendar.tm_year <= 207) {
        date = (uint16_t)((calendar.tm_year - 80) << 9 | (calendar.tm_mon + 1) << 5 |
                          calendar.tm_mday);
        of_day = (uint16_t)(calendar.tm_hour << 11 | calendar.tm_min << 5 | calendar.tm_sec / 2);
    }
    put_le16(entry + 14, of_day);
    put_le16(entry + 16, date);
    put_le16(entry + 18, date);
    put_le16(entry + 22, of_day);
    put_le16(entry + 24, date);
}

static void make_entry(uint8_t *entry, const uint8_t *short_name, uint8_t marks, uint32_t cluster,
                       uint64_t bytes, time_t when)
{
    memset(entry, 0, SLOT);
    memcpy(entry, short_name, FAT32_SHORT_BYTES);
    entry[11] = marks;
    put_le16(entry + 20, (uint16_t)(cluster >> 16));
    put_le16(entry + 26, (uint16_t)cluster);
    put_le32(entry + 28, (uint32_t)bytes);
    put_time(entry, when);
}

/* Room for `n` more slots, which are zero. NULL: there is none. */
static uint8_t *add_slots(struct folder *folder, unsigned n)
{
    uint8_t *slots;

    if (folder->used + (size_t)n * SLOT > folder->room) {
        slots = realloc(folder->slots, folder->room + BLOCK_BYTES);
        if (!slots)
            return NULL;
        memset(slots + folder->room, 0, BLOCK_BYTES);
        folder->slots = slots;
        folder->room += BLOCK_BYTES;
    }
    slots = folder->slots + folder->used;
    folder->used += (size_t)n * SLOT;
    return slots;
}

/* ---- names ---- */

static bool is_given(const struct folder *folder, const uint8_t *short_name)
{
    for (size_t i = 0; i < folder->done; i++)
        if (memcmp(folder->shorts[i], short_name, FAT32_SHORT_BYTES) == 0)
            return true;
    return false;
}

/* Why FAT cannot have this name here, or NULL and the name. */
static const char *make_name(const struct folder *folder, const char *text,
                             struct fat32_new_name *name)
{
    uint8_t short_name[FAT32_SHORT_BYTES];
    int error = fat32_name_make(text, strlen(text), name);
    uint32_t hash = fat32_name_hash(text, strlen(text));
    unsigned attempt = name->lossy ? 1 : 0;

    if (fat32_name_trim(text, strlen(text)) != strlen(text))
        return "a name of FAT cannot end in a dot or a blank";
    if (error)
        return error == -ENAMETOOLONG
                   ? "a name of FAT has 255 characters at most"
                   : "a name of FAT has none of \"*:<>?\\|, no controls, and is UTF-8";
    for (size_t i = 0; i < folder->done; i++)
        if (folder->hashes[i] == hash &&
            fat32_name_equal(text, strlen(text), folder->put[i], strlen(folder->put[i])))
            return "for FAT it has the name of another file, since case does not count";
    do {
        fat32_name_number(name, attempt, short_name);
    } while (is_given(folder, short_name) && name->count && attempt++ < ATTEMPTS);
    if (is_given(folder, short_name))
        return "FAT has no short name left for it";
    memcpy(name->short_name, short_name, FAT32_SHORT_BYTES);
    return folder->used / SLOT + fat32_name_slots(name) > FAT32_SLOTS_MAX
               ? "a folder of FAT cannot have more names"
               : NULL;
}

/* Enters the name with what it leads to. */
static bool enter(struct work *work, struct folder *folder, const struct fat32_new_name *name,
                  const char *text, uint8_t marks, uint32_t cluster, uint64_t bytes, time_t when)
{
    unsigned n = fat32_name_slots(name);
    uint8_t *slots = add_slots(folder, n);

    if (!slots) {
        snprintf(work->space.message, sizeof(work->space.message), "out of memory");
        return false;
    }
    for (unsigned i = 0; i + 1 < n; i++)
        fat32_name_slot(name, i, slots + i * SLOT);
    make_entry(slots + (n - 1) * SLOT, name->short_name, marks, cluster, bytes, when);
    slots[(n - 1) * SLOT + 12] = name->lower;
    memcpy(folder->shorts[folder->done], name->short_name, FAT32_SHORT_BYTES);
    folder->hashes[folder->done] = fat32_name_hash(text, strlen(text));
    folder->put[folder->done++] = text;
    return true;
}

/* ---- files ---- */

/* As much as there is, up to a block. */
static ssize_t read_block(int fd, uint8_t *block)
{
    size_t n = 0;

    while (n < BLOCK_BYTES) {
        ssize_t done = read(fd, block + n, BLOCK_BYTES - n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -1;
        if (done == 0)
            break;
        n += (size_t)done;
    }
    memset(block + n, 0, BLOCK_BYTES - n);
    return (ssize_t)n;
}

/* Copies the content. False: the volume is full, or broken. */
static bool copy_content(struct work *work, int fd, struct space_chain *chain, uint64_t *bytes)
{
    for (*bytes = 0;;) {
        ssize_t n = read_block(fd, work->block);

        if (n < 0)
            leave_out(work, "the rest of it cannot be read");
        if (n <= 0 || *bytes + (uint64_t)n > FILE_MAX)
            return true;
        if (!space_append(&work->space, chain, work->block, (size_t)n))
            return false;
        *bytes += (uint64_t)n;
    }
}

static bool put_file(struct work *work, struct folder *folder, int parent, const char *text,
                     const struct fat32_new_name *name, const struct stat *status)
{
    struct space_chain chain = {0, 0};
    uint64_t bytes;
    int fd = openat(parent, text, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool good;

    if (fd < 0) {
        leave_out(work, strerror(errno));
        return true;
    }
    good =
        copy_content(work, fd, &chain, &bytes) &&
        enter(work, folder, name, text, FAT32_MARK_ARCHIVE, chain.first, bytes, status->st_mtime);
    close(fd);
    work->totals->files++;
    work->totals->bytes += bytes;
    return good;
}

/* ---- folders ---- */

static bool fill_folder(struct work *work, int fd, uint32_t parent, uint32_t cluster, time_t when);

static bool put_subfolder(struct work *work, struct folder *folder, int parent, const char *text,
                          const struct fat32_new_name *name, const struct stat *status)
{
    struct space_chain chain = {0, 0};
    int fd = openat(parent, text, O_RDONLY | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW);
    bool good;

    if (fd < 0) {
        leave_out(work, strerror(errno));
        return true;
    }
    good =
        space_take(&work->space, &chain) &&
        enter(work, folder, name, text, FAT32_MARK_DIRECTORY, chain.first, 0, status->st_mtime) &&
        fill_folder(work, fd, folder->cluster, chain.first, status->st_mtime);
    close(fd);
    return good;
}

/* Why FAT cannot have such a thing, or NULL and what it is, links followed. */
static const char *look(int parent, const char *text, struct stat *status)
{
    bool link;

    if (fstatat(parent, text, status, AT_SYMLINK_NOFOLLOW) != 0)
        return strerror(errno);
    link = S_ISLNK(status->st_mode);
    if (link && fstatat(parent, text, status, 0) != 0)
        return "it is a link that leads nowhere";
    if (link && !S_ISREG(status->st_mode))
        return "FAT has no links, and this one does not lead to a file";
    if (!S_ISREG(status->st_mode) && !S_ISDIR(status->st_mode))
        return "it is neither a file nor a folder";
    if (S_ISREG(status->st_mode) && status->st_size > (off_t)FILE_MAX)
        return "a file of FAT has less than 4 GiB";
    return NULL;
}

/* Puts one thing, if its name is of the kind that this round is for. */
static bool put_one(struct work *work, struct folder *folder, int parent, const char *text,
                    bool lossy)
{
    struct fat32_new_name name;
    struct stat status;
    size_t length = strlen(work->path);
    int error = fat32_name_make(text, strlen(text), &name);
    const char *why;
    bool good = true;

    if ((error ? false : name.lossy) != lossy)
        return true;
    snprintf(work->path + length, sizeof(work->path) - length, "%s%s", length ? "/" : "", text);
    why = look(parent, text, &status);
    if (!why)
        why = make_name(folder, text, &name);
    if (!why && strlen(work->path) + 1 == sizeof(work->path))
        why = "its path is too long";
    if (why)
        leave_out(work, why);
    else
        good = (S_ISDIR(status.st_mode) ? put_subfolder : put_file)(work, folder, parent, text,
                                                                    &name, &status);
    work->path[length] = '\0';
    return good;
}

static int compare(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_entry(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* Writes the slots: the first cluster there is already. */
static bool write_folder(struct space *space, const struct folder *folder)
{
    struct space_chain chain = {folder->cluster, folder->cluster};
    size_t first = space->cluster_bytes;

    if (!space_write(space, folder->cluster, folder->slots, first))
        return false;
    return folder->used <= first ||
           space_append(space, &chain, folder->slots + first, folder->used - first);
}

/* The names and the arrays that go with them. */
static bool list_folder(int fd, struct folder *folder)
{
    struct dirent **found;
    int n = scandirat(fd, ".", &found, is_entry, compare);

    if (n < 0)
        return false;
    folder->count = (size_t)n;
    folder->names = calloc(folder->count + 1, sizeof(*folder->names));
    folder->shorts = calloc(folder->count + 1, sizeof(*folder->shorts));
    folder->put = calloc(folder->count + 1, sizeof(*folder->put));
    folder->hashes = calloc(folder->count + 1, sizeof(*folder->hashes));
    for (int i = 0; i < n; i++) {
        if (folder->names)
            folder->names[i] = strdup(found[i]->d_name);
        free(found[i]);
    }
    free(found);
    for (size_t i = 0; folder->names && i < folder->count; i++)
        if (!folder->names[i])
            return false;
    return folder->names && folder->shorts && folder->put && folder->hashes;
}

static void drop_folder(struct folder *folder)
{
    for (size_t i = 0; folder->names && i < folder->count; i++)
        free(folder->names[i]);
    free(folder->names);
    free(folder->shorts);
    free(folder->put);
    free(folder->hashes);
    free(folder->slots);
}

static bool fill_folder(struct work *work, int fd, uint32_t parent, uint32_t cluster, time_t when)
{
    struct folder folder = {.cluster = cluster};
    uint8_t *dots = add_slots(&folder, 2);
    bool good = dots && list_folder(fd, &folder);

    if (!good)
        snprintf(work->space.message, sizeof(work->space.message), "a folder cannot be read: %s",
                 strerror(errno));
    if (dots) {
        make_entry(dots, (const uint8_t *)".          ", FAT32_MARK_DIRECTORY, cluster, 0, when);
        make_entry(dots + SLOT, (const uint8_t *)"..         ", FAT32_MARK_DIRECTORY, parent, 0,
                   when);
    }
    for (int lossy = 0; lossy <= 1; lossy++)
        for (size_t i = 0; i < folder.count && good; i++)
            good = put_one(work, &folder, fd, folder.names[i], lossy);
    work->totals->folders++;
    good = good && write_folder(&work->space, &folder);
    drop_folder(&folder);
    return good;
}

/* ---- the root ---- */

/* Looks through a cluster of the root for a slot that is free; false: it has the name. */
static bool look_for_slot(struct space *space, const uint8_t *data, const char *name,
                          const uint8_t *short_name, const uint8_t **slot, bool *end)
{
    for (size_t at = 0; at < space->cluster_bytes && !*end; at += SLOT) {
        const uint8_t *entry = data + at;

        *end = entry[0] == 0;
        if ((entry[0] == 0 || entry[0] == 0xE5) && !*slot)
            *slot = entry;
        if (!(entry[11] & 0x08) && memcmp(entry, short_name, FAT32_SHORT_BYTES) == 0) {
            snprintf(space->message, sizeof(space->message), "there is a '%s' on it", name);
            return false;
        }
    }
    return true;
}

/* Enters a folder in the root. */
static bool enter_in_root(struct space *space, const char *text, uint32_t cluster, time_t when)
{
    struct fat32_new_name name;
    struct space_chain chain = {space->geometry.root_cluster, 0};
    uint8_t *data = malloc(space->cluster_bytes);
    uint32_t free_cluster = 0;
    size_t free_at = 0;
    bool good = data && !fat32_name_make(text, strlen(text), &name) && !name.count, end = false;

    for (uint32_t at = chain.first; good && at && !end; at = space_after(space, at)) {
        const uint8_t *slot = NULL;

        good = space_read(space, at, data, space->cluster_bytes) &&
               look_for_slot(space, data, text, name.short_name, &slot, &end);
        if (slot && !free_cluster) {
            free_cluster = at;
            free_at = (size_t)(slot - data);
        }
        chain.last = at;
    }
    if (good && !free_cluster) {
        free_cluster = space_take(space, &chain);
        memset(data, 0, space->cluster_bytes);
        good = free_cluster && space_write(space, free_cluster, data, space->cluster_bytes);
    }
    good = good && space_read(space, free_cluster, data, space->cluster_bytes);
    if (good) {
        make_entry(data + free_at, name.short_name, FAT32_MARK_DIRECTORY, cluster, 0, when);
        data[free_at + 12] = name.lower;
        good = space_write(space, free_cluster, data, space->cluster_bytes);
    }
    free(data);
    return good;
}

static bool put_all(struct work *work, int fd)
{
    struct space_chain chain = {0, 0};
    struct stat status;

    return space_open(&work->space, work->put->image) && fstat(fd, &status) == 0 &&
           space_take(&work->space, &chain) &&
           enter_in_root(&work->space, work->put->name, chain.first, status.st_mtime) &&
           fill_folder(work, fd, 0, chain.first, status.st_mtime) && space_save(&work->space);
}

const char *put_folder(const struct put *put, struct put_totals *totals)
{
    struct work *work = calloc(1, sizeof(*work));
    int fd = open(put->folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    bool good = work && fd >= 0;

    *totals = (struct put_totals){0};
    if (!work)
        snprintf(message, sizeof(message), "out of memory");
    else if (fd < 0)
        snprintf(message, sizeof(message), "the folder %s: %s", put->folder, strerror(errno));
    if (good) {
        work->put = put;
        work->totals = totals;
        good = put_all(work, fd);
        if (!good)
            snprintf(message, sizeof(message), "the card: %s", work->space.message);
        space_close(&work->space);
    }
    if (fd >= 0)
        close(fd);
    free(work);
    return good ? NULL : message;
}

/* ---- a volume of its own ---- */

static uint64_t measured;

/* Links to files count as those; links to folders are left out, so what is behind them is not. */
static int measure(const char *path, const struct stat *status, int flag, struct FTW *where)
{
    struct stat file = *status;

    (void)where;
    measured += 4096;
    if (flag != FTW_F && (flag != FTW_SL || stat(path, &file) != 0))
        return 0;
    if (S_ISREG(file.st_mode) && file.st_size <= (off_t)FILE_MAX)
        measured += ((uint64_t)file.st_size + 4095) / 4096 * 4096;
    return 0;
}

static int write_sectors(void *context, uint64_t sector, const void *data, unsigned count)
{
    size_t n = (size_t)count * 512;

    return pwrite(*(int *)context, data, n, (off_t)(sector * 512)) == (ssize_t)n ? 0 : -EIO;
}

/* A folder with nothing in it, for a mount. */
static bool add_empty(struct space *space, const char *name)
{
    struct space_chain chain = {0, 0};
    uint8_t *data = calloc(1, space->cluster_bytes);
    bool good = data && space_take(space, &chain);

    if (good) {
        make_entry(data, (const uint8_t *)".          ", FAT32_MARK_DIRECTORY, chain.first, 0, 0);
        make_entry(data + SLOT, (const uint8_t *)"..         ", FAT32_MARK_DIRECTORY, 0, 0, 0);
        good = space_write(space, chain.first, data, space->cluster_bytes) &&
               enter_in_root(space, name, chain.first, 0);
    }
    free(data);
    return good;
}

const char *put_make_volume(int image, const char *folder)
{
    struct mkfs_options options = {
        .context = &image, .write = write_sectors, .volume_id = 0x53484152, .label = "SHARE"};
    struct mkfs_result result;
    struct space space = {0};
    uint64_t bytes;
    bool good;

    measured = 0;
    (void)nftw(folder, measure, 16, FTW_PHYS);
    bytes = (measured + measured / 16 + 64 * (uint64_t)MIB) / MIB * MIB;
    options.sectors = bytes / 512;
    options.date = 0x21;
    if (ftruncate(image, (off_t)bytes) != 0 || fat_format(&options, &result)) {
        snprintf(message, sizeof(message), "no card can be made for %s: it would have %llu MiB",
                 folder, (unsigned long long)(bytes / MIB));
        return message;
    }
    good = space_open(&space, image) && add_empty(&space, "dev") && add_empty(&space, "proc") &&
           space_save(&space);
    if (!good)
        snprintf(message, sizeof(message), "the card: %s", space.message);
    space_close(&space);
    return good ? NULL : message;
}
