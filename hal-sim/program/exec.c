/* SPDX-License-Identifier: MIT */
/*
 * exec.c: --exec: one program of the host's, in a fresh OS, as if it had been run natively.
 *
 * The machine gets a card that is an archive and nothing else, which the kernel makes its root:
 *
 *     /bin/NAME      the program
 *     /share         a copy of the folder of --share, with modes and links; the program begins in
 *                    it, or, without one, in /tmp
 *     /dev /proc /tmp /etc/passwd /etc/group
 *     /.exec         what to run: core/boot/user/exec.c tells its format
 *
 * The card is a file without a name, and gone with this program. What the guest's program writes
 * goes to the host's descriptors past the console, so the kernel's own words are not among it.
 */
#include "program.h"

#include "tayberry_stream.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR 512u
#define PATH_BYTES 4096u
#define APPEND_BYTES 4096u

extern char **environ;

/* The archive that is being made. */
static struct {
    FILE *file;
    unsigned inode;
    char path[64]; /* of the card; "": there is none */
    char append[APPEND_BYTES];
} exec;

/* ---- the archive: core/fs/cpio/cpio.h has the format ---- */

static void pad(unsigned to)
{
    while (ftell(exec.file) % (long)to != 0)
        fputc(0, exec.file);
}

static void add(const char *name, unsigned mode, const void *data, size_t n, long modified)
{
    fprintf(exec.file, "070701%08X%08X%08X%08X%08X%08lX%08zX%08X%08X%08X%08X%08zX%08X",
            exec.inode++, mode, 0u, 0u, S_ISDIR(mode) ? 2u : 1u,
            (unsigned long)modified & 0xffffffff, n, 0u, 0u, 0u, 0u, strlen(name) + 1, 0u);
    fwrite(name, 1, strlen(name) + 1, exec.file);
    pad(4);
    fwrite(data, 1, n, exec.file);
    pad(4);
}

static void add_folder(const char *name, unsigned mode)
{
    add(name, S_IFDIR | mode, "", 0, 0);
}

/* Adds what is in a file of the host. False: it cannot be read, as errno says. */
static bool add_file(const char *name, const char *path, const struct stat *status)
{
    size_t size = (size_t)status->st_size, done = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *data = malloc(size + 1);
    while (fd >= 0 && data != NULL && done < size) {
        ssize_t n = read(fd, data + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    bool good = fd >= 0 && data != NULL && done == size;
    if (good)
        add(name, S_IFREG | (status->st_mode & 07777), data, size, status->st_mtime);
    if (fd >= 0)
        close(fd);
    free(data);
    return good;
}

static bool add_link(const char *name, const char *path)
{
    char text[PATH_BYTES];
    ssize_t n = readlink(path, text, sizeof(text));
    if (n >= 0)
        add(name, S_IFLNK | 0777, text, (size_t)n, 0);
    return n >= 0;
}

static void add_tree(const char *name, const char *path);

static void add_entry(const char *name, const char *path)
{
    struct stat status;
    bool good = lstat(path, &status) == 0;
    if (good && S_ISDIR(status.st_mode)) {
        add(name, S_IFDIR | (status.st_mode & 07777), "", 0, status.st_mtime);
        add_tree(name, path);
    } else if (good && S_ISLNK(status.st_mode)) {
        good = add_link(name, path);
    } else if (good && S_ISREG(status.st_mode)) {
        good = add_file(name, path, &status);
    } else if (good) {
        terminal_say("--share leaves out '%s': it is no file, folder or link", path);
    }
    if (!good)
        terminal_say("--share leaves out '%s': %s", path, strerror(errno));
}

/* All that is in a folder, by name, so that the archive does not depend on the host's order. */
static void add_tree(const char *name, const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0) {
        terminal_say("--share leaves out '%s': %s", path, strerror(errno));
        return;
    }
    for (int i = 0; i < count; i++) {
        char inner_name[PATH_BYTES], inner_path[PATH_BYTES];
        const char *entry = entries[i]->d_name;
        int n = snprintf(inner_name, sizeof(inner_name), "%s/%s", name, entry);
        int m = snprintf(inner_path, sizeof(inner_path), "%s/%s", path, entry);
        bool fits = n < (int)sizeof(inner_name) && m < (int)sizeof(inner_path);
        if (fits && strcmp(entry, ".") != 0 && strcmp(entry, "..") != 0)
            add_entry(inner_name, inner_path);
        free(entries[i]);
    }
    free(entries);
}

/* ---- what to run ---- */

static void add_plan(const struct options *options, const char *guest)
{
    char *text = NULL;
    size_t n = 0;
    FILE *plan = open_memstream(&text, &n);
    unsigned count = 0;
    while (options->exec[count] != NULL)
        count++;
    fprintf(plan, "%u%c%s%c%s%c", count, 0, options->share != NULL ? "/share" : "/tmp", 0, guest,
            0);
    for (unsigned i = 0; i < count; i++)
        fprintf(plan, "%s%c", options->exec[i], 0);
    for (char **variable = environ; *variable != NULL; variable++)
        fprintf(plan, "%s%c", *variable, 0);
    fclose(plan);
    add(".exec", S_IFREG | 0400, text, n, 0);
    free(text);
}

/* Where the program is: as given, or, if its name has no '/', along PATH. */
static bool find_program(const char *name, char *path, size_t size)
{
    const char *rest = getenv("PATH");
    if (strchr(name, '/') != NULL || rest == NULL) {
        snprintf(path, size, "%s", name);
        return access(path, R_OK) == 0;
    }
    while (*rest != '\0') {
        size_t n = strcspn(rest, ":");
        snprintf(path, size, "%.*s/%s", (int)n, n > 0 ? rest : ".", name);
        if (access(path, X_OK) == 0)
            return true;
        rest += n + (rest[n] == ':');
    }
    errno = ENOENT;
    return false;
}

static bool fill(const struct options *options, const char *path, const struct stat *status)
{
    static const char users[] = "root:x:0:0:root:/root:/bin/sh\n", groups[] = "root:x:0:\n";
    const char *base = strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path;
    char guest[PATH_BYTES + 8];
    for (size_t i = 0; i < 5; i++)
        add_folder(((const char *const[]){"bin", "dev", "etc", "proc", "share"})[i], 0755);
    add_folder("root", 0700);
    add_folder("tmp", 01777);
    add("etc/passwd", S_IFREG | 0644, users, sizeof(users) - 1, 0);
    add("etc/group", S_IFREG | 0644, groups, sizeof(groups) - 1, 0);
    snprintf(guest, sizeof(guest), "/bin/%s", base);
    add_plan(options, guest);
    if (!add_file(guest + 1, path, status))
        return false;
    if (options->share != NULL)
        add_tree("share", options->share);
    add("TRAILER!!!", 0, "", 0, 0);
    pad(SECTOR);
    return fflush(exec.file) == 0 && ferror(exec.file) == 0;
}

bool exec_prepare(struct options *options)
{
    char path[PATH_BYTES];
    struct stat status;
    if (options->exec == NULL)
        return true;
    if (options->card != NULL) {
        terminal_say("--exec has a card of its own: leave --card out, or --exec");
        return false;
    }
    if (!find_program(options->exec[0], path, sizeof(path)) || stat(path, &status) != 0 ||
        !S_ISREG(status.st_mode)) {
        terminal_say("--exec: no program '%s': %s", options->exec[0], strerror(errno));
        return false;
    }
    int fd = share_open_nameless();
    exec.file = fd >= 0 ? fdopen(fd, "w+") : NULL;
    if (exec.file == NULL)
        return false;
    if (!fill(options, path, &status)) {
        terminal_say("--exec: '%s' cannot be copied: %s", path, strerror(errno));
        return false;
    }
    snprintf(exec.path, sizeof(exec.path), "/proc/self/fd/%d", fd);
    snprintf(exec.append, sizeof(exec.append), "exec %s",
             options->append != NULL ? options->append : "");
    options->card = exec.path;
    options->append = exec.append;
    options->headless = true;
    options->share = NULL;
    return true;
}

/* ---- output ---- */

void exec_put(void *context, int stream, const uint8_t *bytes, size_t n)
{
    (void)context;
    while (n > 0) {
        ssize_t written = write(stream, bytes, n);
        if (written < 0 && errno == EAGAIN) {
            struct pollfd wait = {.fd = stream, .events = POLLOUT};
            poll(&wait, 1, 1000);
        } else if (written < 0 && errno == EPIPE) {
            session_end(END_SIGNAL, SIGPIPE); /* as it would end the program */
            return;
        } else if (written < 0 && errno != EINTR) {
            session_end(END_OUTPUT, 0);
            return;
        }
        if (written > 0) {
            bytes += written;
            n -= (size_t)written;
        }
    }
}

void exec_say_console(struct tb_machine *machine)
{
    char text[4096];
    size_t n;
    while ((n = tb_uart_read(machine, text, sizeof(text))) > 0)
        (void)!write(STDERR_FILENO, text, n);
}
