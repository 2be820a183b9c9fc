/* SPDX-License-Identifier: MIT */
/*
 * expand.h: words with '*' and '?' become the names of the files that they stand for.
 *
 *     ls /docs/G*.txt  ->  ls /docs/Getting.txt /docs/Gpio.txt
 *
 * '*' is any bytes and '?' one character, but neither is a '/'. Names are sorted, as the file
 * system writes them, and large letters are not small ones. Hidden names and those that begin with
 * a dot are not meant, unless the pattern begins with one. A word that stands for no file stays as
 * it is.
 */
#pragma once

#include "fs/vnode.h"
#include "shell/edit/args.h"

#include <hal/compiler.h>

/** True if `name` is one of those that `pattern` stands for; any and one: what '*' and '?' are. */
bool expand_matches(const char *pattern, const char *name, char any, char one);

/**
 * Replaces the words of `args` that have any of that; paths begin at `base` (NULL: the root). Takes
 * no memory if there are none. After an error, which is -ENOMEM or that of a directory which cannot
 * be read, the words are as they were. expand_finish is to follow in any case. May sleep.
 */
HAL_MUST_CHECK int expand_words(struct vnode *base, struct args *args);

/** Gives back what expand_words or args_copy took. Thread context. */
void expand_finish(struct args *args);
