/* SPDX-License-Identifier: MIT */
/*
 * memory_text.c: Code that comes from a file is what the file says: after the file was written, in
 * a process that maps it then, and beside code of another page.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096
#define TEXT ((char *)0x30000000)
#define BEFORE (1 << 20) /* bytes of memory before the text, in one piece with it */
#define USUAL 64         /* where a function is that begins as compilers have it */
#define ODD 512          /* one that does not */

/* Functions that make a system call and return `result`. */
static void assemble(unsigned char *page, unsigned char result)
{
#if defined __x86_64__
    const unsigned char usual[] = {0xb8, 39, 0, 0, 0, 0x0f, 5, 0xb8, result, 0, 0, 0, 0xc3};
    const unsigned char odd[] = {0x31, 0xc0, 0xb0, 39, 0x0f, 5, 0xb8, result, 0, 0, 0, 0xc3};
#else
    const unsigned usual[] = {0xd2800008 | 172 << 5, 0xd4000001, 0x52800000 | result << 5,
                              0xd65f03c0};
    const unsigned odd[] = {usual[0], usual[1], usual[2], usual[3]};
#endif

    memset(page, 0x90, PAGE);
    memcpy(page + USUAL, usual, sizeof usual);
    memcpy(page + ODD, odd, sizeof odd);
}

static char run(int at)
{
    return (char)((int (*)(void))(TEXT + at))();
}

static void run_often(int at)
{
    for (int i = 0; i < 20; i++)
        run(at);
}

static void write_code(int fd, char result, int page)
{
    unsigned char code[PAGE];

    assemble(code, (unsigned char)result);
    if (pwrite(fd, code, PAGE, page * PAGE) != PAGE)
        perror("pwrite");
}

static void map(int fd)
{
    if (mmap(TEXT - BEFORE, BEFORE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
             -1, 0) == MAP_FAILED ||
        mmap(TEXT, 2 * PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, fd, 0) == MAP_FAILED)
        perror("mmap");
}

/* Runs it so often that a system that makes calls faster has done so, and stays. */
static void stay(int fd, int said, int until)
{
    char byte;

    map(fd);
    run_often(USUAL);
    byte = run(USUAL);
    if (write(said, &byte, 1) != 1 || read(until, &byte, 1) != 0)
        perror("stay");
}

/* Has the kernel bring the text in while it waits, and another process runs; then runs it. */
static void come_later(int fd, int bytes)
{
    map(fd);
    if (write(bytes, TEXT - BEFORE, BEFORE + 2 * USUAL) != BEFORE + 2 * USUAL)
        perror("write");
    close(bytes);
    printf("later %c\n", run(USUAL));
}

static long count(int fd)
{
    char some[PAGE];
    long sum = 0;
    ssize_t n;

    while ((n = read(fd, some, sizeof some)) > 0)
        sum += n;
    return sum;
}

static void in_other_processes(int fd)
{
    int said[2], until[2], bytes[2];
    char byte = '-';

    if (pipe(said) < 0 || pipe(until) < 0)
        perror("pipe");
    fflush(stdout);
    if (fork() == 0) {
        close(until[1]);
        stay(fd, said[1], until[0]);
        exit(0);
    }
    if (read(said[0], &byte, 1) != 1)
        perror("read");
    printf("at first %c\n", byte);
    write_code(fd, 'B', 0);
    if (pipe(bytes) < 0)
        perror("pipe");
    fflush(stdout);
    if (fork() == 0) {
        close(until[1]);
        close(bytes[0]);
        come_later(fd, bytes[1]);
        exit(0);
    }
    close(bytes[1]);
    printf("%ld bytes\n", count(bytes[0]));
    wait(NULL);
    close(until[1]);
    wait(NULL);
}

/* What a program has to do before it runs text that has changed. */
static void forget(void)
{
    __builtin___clear_cache(TEXT, TEXT + 2 * PAGE);
}

static void in_this(int fd)
{
    map(fd);
    run_often(USUAL);
    printf("here %c\n", run(USUAL));
    write_code(fd, 'C', 0);
    forget();
    run_often(ODD);
    printf("written %c\n", run(USUAL));
    write_code(fd, 'Z', 1);
    forget();
    run_often(PAGE + USUAL);
    printf("beside %c %c\n", run(USUAL), run(PAGE + USUAL));
}

static int make(const char *name)
{
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0755);

    write_code(fd, 'A', 0);
    write_code(fd, 'Y', 1);
    return fd;
}

int main(void)
{
    in_this(make("here"));
    in_other_processes(make("there"));
    return 0;
}
