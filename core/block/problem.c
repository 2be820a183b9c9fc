/* SPDX-License-Identifier: MIT */
/*
 * problem.c: what is wrong with a card, and what to do about it.
 */
#include "block/problem.h"

#include "lib/format.h"

const char problem_format_it[] = "Give it one partition of type 0x0C, formatted as FAT32 "
                                 "(mkfs.fat -F 32), or write an image to it.";
const char problem_write_again[] = "Write the image to the card again, in full, or format it anew.";
const char problem_insert[] = "Insert a card (in the simulator: --card FILE) and start again.";

void problem_clear(struct problem *problem)
{
    problem->what[0] = '\0';
    problem->remedy = "";
}

void problem_set(struct problem *problem, const char *remedy, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    format_text_va(problem->what, sizeof(problem->what), format, args);
    va_end(args);
    problem->remedy = remedy;
}

void problem_text(const struct problem *problem, char *to, size_t size)
{
    format_text(to, size, "%s%s%s", problem->what, problem->what[0] ? " " : "", problem->remedy);
}
