/* SPDX-License-Identifier: MIT */
/*
 * places.c: which function and line an address of the guest's code is.
 *
 * binutils' addr2line reads the debug information; one process of it explains all addresses. It
 * gets them on its standard input, from a file that has no name any more, and prints for each:
 *
 *     0x000000000001c0de
 *     list_empty
 *     /home/me/tayberry/build/../core/lib/list.h:51
 *     wait_wake_one
 *     /home/me/tayberry/build/../core/sync/wait.c:88
 *
 * the function that is inlined there first, then the one that it is inlined in.
 */
#include "search.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Starts addr2line. Its output, or NULL. */
static FILE *start(const char *path, FILE *addresses, pid_t *child)
{
    char *const words[] = {"addr2line", "-a", "-f", "-i", "-e", (char *)(uintptr_t)path, NULL};
    posix_spawn_file_actions_t actions;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return NULL;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fileno(addresses), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    int error = posix_spawnp(child, words[0], &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (error == 0)
        return fdopen(ends[0], "r");
    close(ends[0]);
    return NULL;
}

/* The path from the source's root on: what follows the last "../", or the name of a layer. */
static const char *shorten(const char *path)
{
    static const char *const roots[] = {"/core/", "/hal-sim/", "/hal/"};
    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
        const char *found = strstr(path, roots[i]);
        if (found != NULL)
            return found + 1;
    }
    return path;
}

static void read_location(char *line, struct place *place)
{
    char *colon = strrchr(line, ':');
    if (colon != NULL)
        *colon = '\0';
    place->line = colon != NULL ? (unsigned)strtoul(colon + 1, NULL, 10) : 0;
    snprintf(place->file, sizeof(place->file), "%.95s", shorten(line));
}

static void read_answers(FILE *answers, size_t count,
                         void (*found)(size_t index, const struct place *place))
{
    char function[512], location[1024];
    size_t next = 0;
    while (fgets(function, sizeof(function), answers) != NULL) {
        if (strncmp(function, "0x", 2) == 0) {
            next++;
            continue;
        }
        struct place place;
        if (next == 0 || next > count || fgets(location, sizeof(location), answers) == NULL)
            break;
        function[strcspn(function, "\n")] = '\0';
        snprintf(place.function, sizeof(place.function), "%.63s", function);
        read_location(location, &place);
        found(next - 1, &place);
    }
}

bool places_find(const char *path, const uintptr_t *addresses, size_t count,
                 void (*found)(size_t index, const struct place *place))
{
    FILE *list = tmpfile(), *answers = NULL;
    pid_t child;
    int status = -1;
    if (list == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        fprintf(list, "%#lx\n", (unsigned long)addresses[i]);
    fflush(list);
    rewind(list);
    answers = start(path, list, &child);
    if (answers != NULL) {
        read_answers(answers, count, found);
        fclose(answers);
        waitpid(child, &status, 0);
    }
    fclose(list);
    return status == 0;
}
