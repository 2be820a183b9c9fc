/* SPDX-License-Identifier: MIT */
/*
 * rows.c: what an operating system costs a program: one static program, the same everywhere.
 *
 *     rows FOLDER BUSYBOX TRUE [ROW...]
 *
 * prints a line `row NAME VALUE` for each row: microseconds an operation, or MiB a second for those
 * whose names end so. FOLDER is where files are made; BUSYBOX is a shell, which runs TRUE 200
 * times. A row that cannot be had prints `none` and why. The value is the best of some batches:
 * what else the host does makes a batch slower, never faster.
 *
 * As process 1 it makes itself at home first, takes the names of rows from the file /rows, and
 * switches the machine off at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096u
#define BATCHES 7
#define BATCH_NS 15000000ull /* what a batch is to take, about */

static const char *folder, *busybox, *truth;
static const char *self;

static uint64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Nothing of a benchmark counts when a call in it fails. */
static void must(int condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "rows: %s: %s\n", what, strerror(errno));
    _exit(1);
}

/* ---- calls ---- */

static void run_getppid(unsigned n)
{
    while (n-- > 0)
        (void)getppid();
}

static void run_open(unsigned n)
{
    while (n-- > 0) {
        int fd = open("/dev/null", O_RDWR);

        must(fd >= 0, "/dev/null");
        close(fd);
    }
}

static volatile sig_atomic_t signals;

static void on_signal(int number)
{
    signals += number != 0;
}

static void run_signal(unsigned n)
{
    struct sigaction action = {.sa_handler = on_signal};

    must(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
    signals = 0;
    for (unsigned i = 0; i < n; i++)
        kill(getpid(), SIGUSR1);
    errno = ENOSYS;
    must((unsigned)signals == n, "a signal's handler");
}

/* ---- pipes and processes ---- */

struct pair {
    int to[2], from[2];
    pid_t child;
};

static void echo(const struct pair *pair)
{
    char byte;

    close(pair->to[1]);
    close(pair->from[0]);
    while (read(pair->to[0], &byte, 1) == 1)
        must(write(pair->from[1], &byte, 1) == 1, "write");
    _exit(0);
}

static void open_pair(struct pair *pair)
{
    must(pipe(pair->to) == 0 && pipe(pair->from) == 0, "pipe");
    pair->child = fork();
    must(pair->child >= 0, "fork");
    if (pair->child == 0)
        echo(pair);
    close(pair->to[0]);
    close(pair->from[1]);
}

static void close_pair(const struct pair *pair)
{
    close(pair->to[1]);
    close(pair->from[0]);
    waitpid(pair->child, NULL, 0);
}

static struct pair echoes;

static void run_pingpong(unsigned n)
{
    char byte = 'x';

    while (n-- > 0)
        must(write(echoes.to[1], &byte, 1) == 1 && read(echoes.from[0], &byte, 1) == 1, "pipe");
}

static void run_fork(unsigned n)
{
    while (n-- > 0) {
        pid_t child = fork();

        if (child == 0)
            _exit(0);
        must(child > 0 && waitpid(child, NULL, 0) == child, "fork");
    }
}

static void run_exec(unsigned n)
{
    while (n-- > 0) {
        pid_t child = fork();
        int status;

        if (child == 0) {
            execl(self, "rows", "nothing", (char *)NULL);
            _exit(9);
        }
        must(child > 0 && waitpid(child, &status, 0) == child && status == 0, "exec");
    }
}

/* Two processes that do nothing but let each other go on. */
static void run_switch(unsigned n)
{
    char byte = 'x';

    for (n /= 2; n > 0; n--)
        must(write(echoes.to[1], &byte, 1) == 1 && read(echoes.from[0], &byte, 1) == 1, "pipe");
}

/* ---- memory ---- */

static void run_fault(unsigned n)
{
    unsigned char *pages =
        mmap(NULL, (size_t)n * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    must(pages != MAP_FAILED, "mmap");
    for (unsigned i = 0; i < n; i++)
        *(volatile unsigned char *)(pages + (size_t)i * PAGE) = 1;
    munmap(pages, (size_t)n * PAGE);
}

static void run_map(unsigned n)
{
    while (n-- > 0) {
        void *pages = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        must(pages != MAP_FAILED && munmap(pages, 65536) == 0, "mmap");
    }
}

/* ---- bytes ---- */

static unsigned char block[65536];

/* n times 64 KiB through a pipe. */
static void run_bandwidth(unsigned n)
{
    size_t left = (size_t)n * sizeof(block);
    int ends[2];
    pid_t child;

    must(pipe(ends) == 0, "pipe");
    child = fork();
    must(child >= 0, "fork");
    if (child == 0) {
        close(ends[0]);
        for (unsigned i = 0; i < n; i++)
            for (size_t done = 0; done < sizeof(block);)
                done += (size_t)write(ends[1], block + done, sizeof(block) - done);
        _exit(0);
    }
    close(ends[1]);
    while (left > 0) {
        ssize_t got = read(ends[0], block, sizeof(block));

        must(got > 0, "read");
        left -= (size_t)got;
    }
    close(ends[0]);
    waitpid(child, NULL, 0);
}

static char path[256];

static int open_file(int flags)
{
    int fd;

    snprintf(path, sizeof(path), "%s/rows.tmp", folder);
    fd = open(path, flags, 0600);
    must(fd >= 0, path);
    return fd;
}

static void run_create(unsigned n)
{
    while (n-- > 0) {
        int fd = open_file(O_CREAT | O_EXCL | O_WRONLY);

        must(write(fd, block, PAGE) == PAGE, "write");
        close(fd);
        unlink(path);
    }
}

#define FILE_PAGES 1024u

/* n pages, over and over the same 4 MiB. */
static void run_write(unsigned n)
{
    int fd = open_file(O_CREAT | O_WRONLY);

    for (unsigned i = 0; i < n; i++) {
        if (i % FILE_PAGES == 0)
            lseek(fd, 0, SEEK_SET);
        must(write(fd, block, PAGE) == PAGE, "write");
    }
    close(fd);
}

static void run_read(unsigned n)
{
    int fd = open_file(O_RDONLY);

    for (unsigned i = 0; i < n; i++) {
        if (i % FILE_PAGES == 0)
            lseek(fd, 0, SEEK_SET);
        must(read(fd, block, PAGE) == PAGE, "read");
    }
    close(fd);
    unlink(path);
}

static void run_shell(unsigned n)
{
    char script[512];

    snprintf(script, sizeof(script), "i=0; while [ $i -lt 200 ]; do %s; i=$((i+1)); done", truth);
    while (n-- > 0) {
        pid_t child = fork();
        int status;

        if (child == 0) {
            execl(busybox, "sh", "-c", script, (char *)NULL);
            _exit(9);
        }
        must(child > 0 && waitpid(child, &status, 0) == child, "sh");
        errno = ENOEXEC;
        must(status == 0, busybox);
    }
}

/* ---- measuring ---- */

struct row {
    const char *name;
    void (*run)(unsigned n);
    unsigned least; /* operations of a batch */
    double mib;     /* an operation moves so much; 0: the row is about time */
};

static const struct row rows[] = {
    {"getppid", run_getppid, 1000, 0},
    {"open-close", run_open, 100, 0},
    {"signal", run_signal, 100, 0},
    {"pipe-ping-pong", run_pingpong, 100, 0},
    {"switch", run_switch, 100, 0},
    {"fork-exit-wait", run_fork, 10, 0},
    {"fork-exec-wait", run_exec, 10, 0},
    {"page-fault", run_fault, 2048, 0},
    {"mmap-munmap-64k", run_map, 100, 0},
    {"pipe-MiB", run_bandwidth, 64, 0.0625},
    {"create-write-4k", run_create, 100, 0},
    {"write-4k-MiB", run_write, FILE_PAGES, 0.00390625},
    {"read-4k-MiB", run_read, FILE_PAGES, 0.00390625},
    {"sh-200-true", run_shell, 1, 0},
};

/* The read row needs the file that the write row leaves. */
static void prepare_row(const struct row *row)
{
    if (row->run == run_read)
        run_write(FILE_PAGES);
    if (row->run == run_pingpong || row->run == run_switch)
        open_pair(&echoes);
}

static uint64_t time_of(const struct row *row, unsigned n)
{
    uint64_t start;

    prepare_row(row);
    start = now();
    row->run(n);
    start = now() - start;
    if (row->run == run_pingpong || row->run == run_switch)
        close_pair(&echoes);
    return start;
}

static void measure(const struct row *row)
{
    unsigned n = row->least;
    uint64_t ns = time_of(row, n), best = UINT64_MAX;

    if (row->run != run_fault && ns < BATCH_NS)
        n = (unsigned)((double)n * (double)BATCH_NS / (double)(ns + 1)) + 1;
    if (n > 200000)
        n = 200000;
    for (unsigned i = 0; i < (row->run == run_shell ? 3 : BATCHES); i++) {
        ns = time_of(row, n);
        best = ns < best ? ns : best;
    }
    if (row->mib > 0)
        printf("row %s %.1f\n", row->name, row->mib * n * 1e9 / (double)best);
    else
        printf("row %s %.3f\n", row->name, (double)best / 1e3 / n);
    fflush(stdout);
}

/* In a process of its own: one that fails or is ended takes no other row with it. */
static void measure_apart(const struct row *row)
{
    pid_t child;
    int status;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        measure(row);
        _exit(0);
    }
    must(child > 0 && waitpid(child, &status, 0) == child, "fork");
    if (status != 0)
        printf("row %s none\n", row->name);
    fflush(stdout);
}

static int is_wanted(const struct row *row, int count, char **names)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(names[i], row->name))
            return 1;
    return count == 0;
}

/* The first process of a Linux machine: nothing is mounted, and nobody else switches it off. */
static void begin_machine(void)
{
    int fd;

    mkdir("/proc", 0555);
    mkdir("/tmp", 0777);
    mount("proc", "/proc", "proc", 0, NULL);
    mount("dev", "/dev", "devtmpfs", 0, NULL);
    mount("tmp", "/tmp", "tmpfs", 0, NULL);
    fd = open("/dev/console", O_RDWR);
    for (int i = 0; fd >= 0 && i < 3; i++)
        if (fd != i)
            dup2(fd, i);
}

/* Whether the file /rows is not there, or has the name in a line. */
static int is_listed(const char *name)
{
    FILE *file = fopen("/rows", "r");
    char line[64];
    int found = 0;

    if (!file)
        return 1;
    while (!found && fgets(line, sizeof(line), file))
        found = strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == '\n';
    fclose(file);
    return found;
}

static void end_machine(void)
{
    fflush(stdout);
    sync();
    usleep(100000);
    reboot(RB_POWER_OFF);
    for (;;)
        pause();
}

int main(int count, char **arguments)
{
    int first = getpid() == 1 && count < 4;

    if (count == 2 && !strcmp(arguments[1], "nothing"))
        return 0;
    if (first)
        begin_machine();
    if (count < 4 && !first) {
        fprintf(stderr, "usage: rows FOLDER BUSYBOX TRUE [ROW...]\n");
        return 2;
    }
    self = first ? "/init" : arguments[0];
    folder = first ? "/tmp" : arguments[1];
    busybox = first ? "/bin/busybox" : arguments[2];
    truth = first ? "/bin/true" : arguments[3];
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (first ? is_listed(rows[i].name) : is_wanted(&rows[i], count - 4, arguments + 4))
            measure_apart(&rows[i]);
    printf("rows end\n");
    if (first)
        end_machine();
    return 0;
}
