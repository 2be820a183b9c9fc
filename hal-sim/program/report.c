/* SPDX-License-Identifier: MIT */
/*
 * report.c: what the program adds on standard error when the guest has failed: where it was, as
 * functions and lines of the source; and when its time is up: who waits for what.
 *
 * The library knows addresses. Names and lines are in the debug information of the file that holds
 * the kernel, and binutils' addr2line reads that; where it is missing the addresses remain.
 */
#include "program.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEPTH = 24 };

extern char **environ;

/** The arguments of addr2line: five words, and an address each. */
struct words {
    char hex[DEPTH][24];
    char *list[DEPTH + 6];
};

/** A return address belongs to the line after the call; the call is just before it. */
static void words_fill(struct words *words, const char *file, const uint64_t *addresses, size_t n)
{
    static char name[] = "addr2line", flags[] = "-fpi", e[] = "-e";
    words->list[0] = name;
    words->list[1] = flags;
    words->list[2] = e;
    words->list[3] = (char *)file;
    for (size_t i = 0; i < n; i++) {
        snprintf(words->hex[i], sizeof(words->hex[i]), "0x%llx",
                 (unsigned long long)addresses[i] - (i > 0));
        words->list[4 + i] = words->hex[i];
    }
    words->list[4 + n] = NULL;
}

/** Starts addr2line with its output in a pipe. Returns the pipe's end to read, or NULL. */
static FILE *words_run(struct words *words, pid_t *child)
{
    posix_spawn_file_actions_t actions;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return NULL;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    int error = posix_spawnp(child, words->list[0], &actions, NULL, words->list, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (error != 0)
        close(ends[0]);
    return error == 0 ? fdopen(ends[0], "r") : NULL;
}

/** Cuts what comes before the project's own folders out of a line of addr2line's. */
static void line_shorten(char *line)
{
    static const char *const folders[] = {"/core/", "/hal-sim/", "/tests/"};
    char *path = strstr(line, " at ");
    line[strcspn(line, "\n")] = '\0';
    for (size_t i = 0; path != NULL && i < sizeof(folders) / sizeof(folders[0]); i++) {
        char *folder = strstr(path, folders[i]);
        if (folder != NULL) {
            memmove(path + 4, folder + 1, strlen(folder));
            return;
        }
    }
}

/** Prints what addr2line says. Returns how many lines that were. */
static size_t print_lines(FILE *from)
{
    char line[1024];
    size_t count = 0;
    for (; fgets(line, sizeof(line), from) != NULL; count++) {
        line_shorten(line);
        fprintf(stderr, "  %s\r\n", line);
    }
    return count;
}

void report_fault(const struct tb_machine *machine)
{
    uint64_t addresses[DEPTH];
    size_t n = tb_fault_trace(machine, addresses, DEPTH), lines = 0;
    struct words words;
    pid_t child;
    if (n == 0)
        return;
    terminal_say("it was in, innermost first:");
    words_fill(&words, tb_code_file(machine), addresses, n);
    FILE *from = words_run(&words, &child);
    if (from != NULL) {
        lines = print_lines(from);
        fclose(from);
        waitpid(child, NULL, 0);
    }
    for (size_t i = 0; lines == 0 && i < n; i++)
        fprintf(stderr, "  %s\r\n", words.hex[i]);
}

void report_hang(struct tb_machine *machine)
{
    static char text[16384];
    int length = tb_inspect_hang(machine, text, sizeof(text));
    if (length < 0) {
        terminal_say("%s", tb_error(machine));
        return;
    }
    terminal_say("the guest was at %.6f s of its time:", (double)tb_time(machine) / 1e9);
    for (char *line = text; *line != '\0';) {
        size_t n = strcspn(line, "\n");
        fprintf(stderr, "  %.*s\r\n", (int)n, line);
        line += n + (line[n] != '\0');
    }
    if ((size_t)length >= sizeof(text))
        fprintf(stderr, "  ...\r\n");
}
