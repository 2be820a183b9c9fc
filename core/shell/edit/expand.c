/* SPDX-License-Identifier: MIT */
/*
 * expand.c: a pattern is worked off from left to right, one component of the path after the other,
 * with a list of all paths that fit so far:
 *
 *     docs/l*'/'?.txt     docs/     docs/led/ docs/lib/     docs/led/a.txt docs/led/b.txt
 */
#include "shell/edit/expand.h"

#include "fs/vfs.h"
#include "heap/heap.h"
#include "lib/string.h"
#include "shell/commands/listing.h"

#include <hal/errno.h>
#include <hal/runtime.h>

/* A list of words, in the order in which they were added. */
struct word {
    struct word *next;
    size_t bytes; /* with the NUL */
    char text[];
};

struct words {
    struct word *first, **last;
    size_t count, bytes;
};

/* One component of a pattern. */
struct component {
    char text[ARGS_LINE_MAX + 1];
    char slashes[ARGS_LINE_MAX + 1]; /* behind it: a directory is meant */
    bool wild;
};

struct expansion {
    struct vnode *base;
    struct component component;
    struct words now, next; /* the paths up to this component, and with it */
    bool asked;             /* there was a wild one: what comes behind it may not be there */
};

/* ---- words ---- */

static void words_begin(struct words *words)
{
    *words = (struct words){.last = &words->first};
}

static void words_end(struct words *words)
{
    while (words->first != NULL) {
        struct word *word = words->first;

        words->first = word->next;
        kfree(word);
    }
    words_begin(words);
}

/* Adds one that is made of three parts. 0 or -ENOMEM. */
static int words_add(struct words *words, const char *a, const char *b, const char *c)
{
    size_t n = string_length(a), m = string_length(b), bytes = n + m + string_length(c) + 1;
    struct word *word = kmalloc(sizeof(*word) + bytes);

    if (word == NULL)
        return -ENOMEM;
    word->next = NULL;
    word->bytes = bytes;
    memcpy(word->text, a, n);
    memcpy(word->text + n, b, m);
    memcpy(word->text + n + m, c, bytes - n - m);
    *words->last = word;
    words->last = &word->next;
    words->count++;
    words->bytes += bytes;
    return 0;
}

/* All of `from` go behind those of `to`. */
static void words_move(struct words *to, struct words *from)
{
    if (from->first == NULL)
        return;
    *to->last = from->first;
    to->last = from->last;
    to->count += from->count;
    to->bytes += from->bytes;
    words_begin(from);
}

/* ---- patterns ---- */

bool expand_matches(const char *pattern, const char *name, char any, char one)
{
    const char *star = NULL, *resume = NULL;

    for (;;) {
        if (*pattern == any) {
            star = ++pattern;
            resume = name;
        } else if (*name != '\0' && (*pattern == one || *pattern == *name)) {
            bool wide = *pattern++ == one;

            name++;
            while (wide && ((uint8_t)*name & 0xC0u) == 0x80u)
                name++; /* to the end of a character of UTF-8 */
        } else if (*name == '\0' && *pattern == '\0') {
            return true;
        } else if (star != NULL && *resume != '\0') {
            pattern = star;
            name = ++resume;
        } else {
            return false;
        }
    }
}

static bool is_wild(const char *text)
{
    return string_find_char(text, ARGS_ANY) != NULL || string_find_char(text, ARGS_ONE) != NULL;
}

/* Takes the next component off *pattern; an empty one is what stands before a leading slash. */
static void take_component(const char **pattern, struct component *component)
{
    const char *at = *pattern;
    size_t n = 0;

    while (*at != '\0' && *at != '/')
        component->text[n++] = *at++;
    component->text[n] = '\0';
    for (n = 0; *at == '/'; n++)
        component->slashes[n] = *at++;
    component->slashes[n] = '\0';
    component->wild = is_wild(component->text);
    *pattern = at;
}

static bool wants(const struct directory_entry *entry, void *context)
{
    const struct component *component = context;
    enum vnode_type type = entry->attributes.type;
    bool hidden = entry->name[0] == '.' || entry->attributes.hidden;

    if (component->slashes[0] != '\0' && type != VNODE_DIRECTORY && type != VNODE_SYMLINK)
        return false;
    return (!hidden || component->text[0] == '.') &&
           expand_matches(component->text, entry->name, ARGS_ANY, ARGS_ONE);
}

/* What is not there, or cannot have anything in it, is no error. */
static int forgive(int error)
{
    return error == -ENOENT || error == -ENOTDIR || error == -ELOOP ? 0 : error;
}

/* Adds what fits in the directory at `path`. */
static int look(struct expansion *expansion, const char *path)
{
    struct component *component = &expansion->component;
    struct listing listing = {.first = NULL};
    struct vnode *directory;
    int error = vfs_find(expansion->base, path[0] != '\0' ? path : ".", 0, &directory);

    if (error != 0)
        return forgive(error);
    if (directory->attributes.type == VNODE_DIRECTORY)
        error = listing_read(directory, wants, component, &listing);
    vnode_put(directory);
    for (struct listing_entry *entry = listing.first; entry != NULL && error == 0;
         entry = entry->next)
        error = words_add(&expansion->next, path, entry->name, component->slashes);
    listing_finish(&listing);
    return error;
}

/* Adds the path with a component that says what it is; behind a wild one only if that is there. */
static int append(struct expansion *expansion, const char *path)
{
    const struct component *component = &expansion->component;
    struct vnode *there = NULL;
    struct words one;
    int error;

    words_begin(&one);
    error = words_add(&one, path, component->text, component->slashes);
    if (error == 0 && expansion->asked)
        error = vfs_find(expansion->base, one.first->text, VFS_NO_FOLLOW, &there);
    if (error == 0)
        words_move(&expansion->next, &one);
    vnode_put(there);
    words_end(&one);
    return forgive(error);
}

/* From all paths so far to those with the next component. */
static int step(struct expansion *expansion)
{
    int error = 0;

    words_begin(&expansion->next);
    for (struct word *word = expansion->now.first; word != NULL && error == 0; word = word->next)
        error =
            expansion->component.wild ? look(expansion, word->text) : append(expansion, word->text);
    expansion->asked |= expansion->component.wild;
    words_end(&expansion->now);
    words_move(&expansion->now, &expansion->next);
    return error;
}

/* Adds what the word stands for to `result`, or the word itself. */
static int expand_word(struct expansion *expansion, char *word, struct words *result)
{
    const char *rest = word;
    int error;

    if (!is_wild(word))
        return words_add(result, word, "", "");
    expansion->asked = false;
    words_begin(&expansion->now);
    error = words_add(&expansion->now, "", "", "");
    while (*rest != '\0' && error == 0) {
        take_component(&rest, &expansion->component);
        error = step(expansion);
    }
    if (error == 0 && expansion->now.count == 0)
        error = words_add(&expansion->now, word, "", "");
    if (error == 0)
        words_move(result, &expansion->now);
    words_end(&expansion->now);
    return error;
}

/* Makes them the words of `args`. Those that stay as they are have their '*' and '?' back. */
static int adopt(struct args *args, const struct words *result)
{
    size_t room = sizeof(*args->more) + (result->count + 1) * sizeof(args->more->words[0]);
    struct args_more *more = kmalloc(room + result->bytes);
    char *text = (char *)more + room;
    size_t n = 0;

    if (more == NULL)
        return -ENOMEM;
    more->references = 1;
    for (const struct word *word = result->first; word != NULL; word = word->next) {
        memcpy(text, word->text, word->bytes);
        more->words[n++] = text;
        args_tame(text);
        text += word->bytes;
    }
    more->words[n] = NULL;
    args->more = more;
    args->words = more->words;
    args->count = (unsigned)n;
    return 0;
}

int expand_words(struct vnode *base, struct args *args)
{
    struct expansion *expansion;
    struct words result;
    int error = 0;

    if (!args->wild)
        return 0;
    expansion = kmalloc(sizeof(*expansion));
    if (expansion == NULL)
        return -ENOMEM;
    expansion->base = base;
    words_begin(&result);
    for (unsigned i = 0; i < args->count && error == 0; i++)
        error = expand_word(expansion, args->words[i], &result);
    if (error == 0)
        error = adopt(args, &result);
    words_end(&result);
    kfree(expansion);
    return error;
}

void expand_finish(struct args *args)
{
    if (args->more != NULL && __atomic_sub_fetch(&args->more->references, 1, __ATOMIC_ACQ_REL) == 0)
        kfree(args->more);
    args->more = NULL;
}
