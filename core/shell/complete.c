/* SPDX-License-Identifier: MIT */
/*
 * complete.c: candidates for the word before the cursor: commands, the words that a command knows,
 * or files.
 *
 *     cat "/docs/Gett|        folder "/docs/", stem "Gett", open quote "
 *
 * The words that a command knows are the small ones of its usage: for led, whose usage is "on |
 * off | blink [TIME [COUNT]]", they are on, off and blink, and it takes no files. Where the usage
 * says DEVICE the block devices are candidates, and the files too if it says PATH.
 *
 * All are walked the same way: each candidate with the stem narrows down what all
 * have in common. Then the word is written anew with quoting, and what it has in common with what
 * was typed stays on the screen.
 */
#include "shell/complete.h"

#include "block/block.h"
#include "fs/vfs.h"
#include "lib/string.h"
#include "heap/heap.h"
#include "shell/commands/command.h"
#include "shell/commands/listing.h"
#include "shell/edit/args.h"
#include "tty/tty.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define LIST_MAX 100u
#define LIST_COLUMNS 79u
#define WORD_MAX 15u /* bytes of a command's name, and of a word that it knows */

struct complete_search {
    struct args_tail tail;
    size_t folder;    /* bytes of tail.word up to and with the last '/' */
    const char *stem; /* the rest of tail.word */
    size_t count;     /* candidates */
    size_t widest;    /* columns of the widest */
    bool directory;   /* the last candidate is one */
    bool no_memory;   /* not all candidates could be looked at */
    char common[VFS_NAME_MAX + 1];
    struct listing files; /* the candidates, if they are files */
    const char *usage;    /* the candidates are words of it, unless it is NULL */
    bool devices;         /* they are block devices, and files if there are any */
};

static bool complete_has_stem(const char *name, const char *stem)
{
    for (; *stem != '\0'; name++, stem++) {
        if (char_to_lower(*name) != char_to_lower(*stem))
            return false;
    }
    return true;
}

static void complete_narrow(struct complete_search *search, const char *name)
{
    size_t columns = utf8_text_columns(name, string_length(name)), n = 0;
    char *common = search->common;

    if (columns > search->widest)
        search->widest = columns;
    if (search->count++ == 0) {
        string_copy(common, sizeof(search->common), name);
        return;
    }
    while (common[n] != '\0' && char_to_lower(common[n]) == char_to_lower(name[n]))
        n++;
    while (n > 0 && ((uint8_t)common[n] & 0xC0u) == 0x80u)
        n--; /* not in the middle of a character */
    common[n] = '\0';
}

static bool complete_wants(const struct directory_entry *entry, void *context)
{
    const struct complete_search *search = context;
    bool hidden = entry->name[0] == '.' || entry->attributes.hidden;

    return complete_has_stem(entry->name, search->stem) && (!hidden || search->stem[0] != '\0');
}

static void complete_files(struct complete_search *search, struct vnode *base)
{
    char saved = search->tail.word[search->folder];
    struct vnode *vnode;
    int error;

    search->tail.word[search->folder] = '\0';
    error = vfs_find(base, search->folder == 0 ? "." : search->tail.word, 0, &vnode);
    search->tail.word[search->folder] = saved;
    if (error == 0) {
        error = listing_read(vnode, complete_wants, search, &search->files);
        vnode_put(vnode);
    }
    search->no_memory = error == -ENOMEM;
    if (error == 0) {
        for (struct listing_entry *entry = search->files.first; entry; entry = entry->next) {
            complete_narrow(search, entry->name);
            search->directory = entry->attributes.type == VNODE_DIRECTORY;
        }
    }
}

static void complete_commands(struct complete_search *search)
{
    const struct command *command;

    for (unsigned i = 0; (command = command_at(i)) != NULL; i++) {
        if (string_starts_with(command->name, search->stem))
            complete_narrow(search, command->name);
    }
}

/* Reads the next small word of a usage, and moves *usage behind it. False: there is none. */
static bool complete_next_word(const char **usage, char word[WORD_MAX + 1])
{
    const char *at = *usage;
    size_t n = 0;

    while (*at != '\0' && !(*at >= 'a' && *at <= 'z')) {
        bool option = *at++ == '-';

        while (option && *at >= 'a' && *at <= 'z')
            at++; /* the letters of an option are no word */
    }
    while (n < WORD_MAX && at[n] >= 'a' && at[n] <= 'z') {
        word[n] = at[n];
        n++;
    }
    word[n] = '\0';
    *usage = at + n;
    return n > 0;
}

/* The command whose argument is being typed, or NULL. */
static const struct command *complete_command(const struct complete_search *search,
                                              const char *line)
{
    const char *at = line + search->tail.begin;
    char word[WORD_MAX + 1] = "";

    while (char_is_space(*at))
        at++;
    for (size_t n = 0; n < WORD_MAX && at[n] != '\0' && !char_is_space(at[n]); n++)
        word[n] = at[n];
    return command_find(word);
}

/* False: the command knows no words. */
static bool complete_words(struct complete_search *search, const struct command *command)
{
    char word[WORD_MAX + 1];

    for (const char *usage = command->arguments; complete_next_word(&usage, word);) {
        search->usage = command->arguments;
        if (string_starts_with(word, search->stem))
            complete_narrow(search, word);
    }
    return search->usage != NULL;
}

static bool complete_says(const struct command *command, const char *word)
{
    for (const char *at = command->arguments; *at != '\0'; at++) {
        if (string_starts_with(at, word))
            return true;
    }
    return false;
}

/* False: files are wanted, whether or not devices are, too. */
static bool complete_devices(struct complete_search *search, const struct command *command)
{
    struct block_entry entry;

    search->devices = complete_says(command, "DEVICE");
    for (unsigned i = 0; search->devices && block_entry_at(i, &entry); i++) {
        if (string_starts_with(entry.device.name, search->stem))
            complete_narrow(search, entry.device.name);
    }
    return search->devices && !complete_says(command, "PATH");
}

/* Words, devices and files, as the command wants them. */
static void complete_argument(struct complete_search *search, struct vnode *base, const char *line)
{
    const struct command *command = complete_command(search, line);

    if (search->folder == 0 && command != NULL &&
        (complete_words(search, command) || complete_devices(search, command)))
        return;
    complete_files(search, base);
}

static void complete_finish(struct complete_search *search)
{
    if (search == NULL)
        return;
    listing_finish(&search->files);
    kfree(search);
}

/* Looks for the candidates. */
static void complete_find(struct complete_search *search, struct vnode *base, const char *line,
                          size_t cursor)
{
    args_read_tail(line, cursor, &search->tail);
    for (size_t i = 0; search->tail.word[i] != '\0'; i++) {
        if (search->tail.word[i] == '/')
            search->folder = i + 1;
    }
    search->stem = search->tail.word + search->folder;
    if (search->tail.command && search->folder == 0)
        complete_commands(search);
    else
        complete_argument(search, base, line);
}

/* Makes the search, which the caller ends with complete_finish. NULL: no memory, which was said. */
static struct complete_search *complete_begin(struct vnode *base, const char *line, size_t cursor)
{
    struct complete_search *search = kcalloc(1, sizeof(*search));

    if (search != NULL)
        complete_find(search, base, line, cursor);
    if (search != NULL && !search->no_memory)
        return search;
    complete_finish(search);
    tty_print("\n");
    command_error("out of memory: no room to look for names");
    return NULL;
}

/* Text that grows, with quoting. `full`: it did not fit. */
struct complete_text {
    char *to;
    size_t used;
    char quote;
    bool full;
};

static void complete_add(struct complete_text *text, char c)
{
    if (text->used >= EDITOR_LINE_MAX) {
        text->full = true;
        return;
    }
    text->to[text->used++] = c;
    text->to[text->used] = '\0';
}

static void complete_add_quoted(struct complete_text *text, const char *s, size_t n)
{
    const char *special = text->quote == '"' ? "\"\\" : text->quote == '\'' ? "" : " \t\"'\\;&*?";

    for (size_t i = 0; i < n; i++) {
        if (string_find_char(special, s[i]) != NULL)
            complete_add(text, '\\');
        complete_add(text, s[i]);
    }
}

/* Writes the word anew into `to`: as typed, completed, quoted. False: it does not fit. */
static bool complete_write(const struct complete_search *search, char *to)
{
    struct complete_text text = {.to = to, .quote = search->tail.quote};

    to[0] = '\0';
    if (text.quote != 0)
        complete_add(&text, text.quote);
    complete_add_quoted(&text, search->tail.word, search->folder);
    complete_add_quoted(&text, search->common, string_length(search->common));
    if (search->count == 1 && search->directory) {
        complete_add(&text, '/');
    } else if (search->count == 1) {
        if (text.quote != 0)
            complete_add(&text, text.quote);
        complete_add(&text, ' ');
    }
    return !text.full;
}

/* Takes what was typed already off the front of completion->insert. False: nothing is left to do.
 */
static bool complete_trim(struct editor_completion *completion, const char *typed, size_t n)
{
    char *insert = completion->insert;
    size_t length = string_length(insert), same = 0;

    while (same < n && same < length && typed[same] == insert[same])
        same++;
    while (same > 0 && ((uint8_t)insert[same] & 0xC0u) == 0x80u)
        same--;
    completion->erase = n - same;
    memmove(insert, insert + same, length - same + 1);
    return completion->erase > 0 || insert[0] != '\0';
}

int complete_line(struct vnode *base, const char *line, size_t cursor,
                  struct editor_completion *completion)
{
    struct complete_search *search = complete_begin(base, line, cursor);
    bool done;

    if (search == NULL)
        return -ENOMEM;
    done = search->count > 0 && complete_write(search, completion->insert) &&
           complete_trim(completion, line + cursor - search->tail.raw, search->tail.raw);
    complete_finish(search);
    return done;
}

static void complete_print(const char *name, bool directory, size_t width, size_t *column)
{
    size_t columns = utf8_text_columns(name, string_length(name)) + directory;

    if (*column > 0 && *column + width > LIST_COLUMNS) {
        tty_print("\n");
        *column = 0;
    }
    tty_print("%s%s", name, directory ? "/" : "");
    *column += width;
    if (*column < LIST_COLUMNS)
        tty_print("%*s", (int)(width - columns), "");
}

static void complete_print_words(const struct complete_search *search, size_t width)
{
    const char *usage = search->usage;
    char word[WORD_MAX + 1];
    size_t column = 0;

    while (complete_next_word(&usage, word)) {
        if (string_starts_with(word, search->stem))
            complete_print(word, false, width, &column);
    }
}

static void complete_print_devices(const struct complete_search *search, size_t width,
                                   size_t *column)
{
    struct block_entry entry;

    for (unsigned i = 0; search->devices && block_entry_at(i, &entry); i++) {
        if (string_starts_with(entry.device.name, search->stem))
            complete_print(entry.device.name, false, width, column);
    }
}

static void complete_print_all(const struct complete_search *search)
{
    size_t width = search->widest + 3, column = 0;
    const struct command *command;

    complete_print_devices(search, width, &column);
    for (struct listing_entry *entry = search->files.first; entry; entry = entry->next)
        complete_print(entry->name, entry->attributes.type == VNODE_DIRECTORY, width, &column);
    if (search->usage != NULL)
        complete_print_words(search, width);
    if (search->files.first != NULL || search->usage != NULL || search->devices)
        return;
    for (unsigned i = 0; (command = command_at(i)) != NULL; i++) {
        if (string_starts_with(command->name, search->stem))
            complete_print(command->name, false, width, &column);
    }
}

bool complete_list(struct vnode *base, const char *line, size_t cursor)
{
    struct complete_search *search = complete_begin(base, line, cursor);
    bool any = search != NULL && search->count > 0;

    if (search == NULL)
        return true; /* something was printed */
    if (any) {
        tty_print("\n");
        if (search->count > LIST_MAX)
            tty_print("%zu names; type some more of it", search->count);
        else
            complete_print_all(search);
        tty_print("\n");
    }
    complete_finish(search);
    return any;
}
