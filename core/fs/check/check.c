/* SPDX-License-Identifier: MIT */
/*
 * check.c: the way through a volume, and what the other files need: bytes, findings, memory.
 */
#include "fs/check/judge.h"

#include "lib/format.h"

#include <hal/errno.h>

void judge_found(struct judge *judge, enum check_class class, const char *format, ...)
{
    char text[240];
    va_list args;

    judge->result->findings[class]++;
    if (!judge->means->found)
        return;
    va_start(args, format);
    format_text_va(text, sizeof(text), format, args);
    va_end(args);
    judge->means->found(judge->means->context, class, text);
}

int judge_look(struct judge *judge, uint64_t offset, const uint8_t **data)
{
    const struct check_means *means = judge->means;
    uint64_t number = offset / CHECK_PIECE, first = number * (CHECK_PIECE / 512);
    unsigned slot = (unsigned)(number % judge->piece_count), count = CHECK_PIECE / 512;
    uint8_t *piece = judge->pieces + slot * CHECK_PIECE;

    if (judge->numbers[slot] != number + 1) {
        int error;

        if (first >= means->sectors)
            return -EIO;
        if (means->sectors - first < count)
            count = (unsigned)(means->sectors - first);
        judge->numbers[slot] = 0;
        error = means->read(means->context, first, piece, count);
        if (error)
            return error;
        judge->numbers[slot] = number + 1;
    }
    *data = piece + offset % CHECK_PIECE;
    return 0;
}

int check_row_begin(struct check_row *row, const struct check_means *means, uint64_t bytes)
{
    uint32_t count = (uint32_t)((bytes + CHECK_ROW_PIECE - 1) / CHECK_ROW_PIECE);

    row->pieces = means->allocate(means->context, count * sizeof(row->pieces[0]));
    if (!row->pieces)
        return -ENOMEM;
    for (; row->count < count; row->count++) {
        uint64_t left = bytes - (uint64_t)row->count * CHECK_ROW_PIECE;
        size_t size = left < CHECK_ROW_PIECE ? (size_t)left : CHECK_ROW_PIECE;

        row->pieces[row->count] = means->allocate(means->context, size);
        if (!row->pieces[row->count])
            return -ENOMEM;
    }
    return 0;
}

void check_row_end(struct check_row *row, const struct check_means *means)
{
    while (row->count > 0)
        means->release(means->context, row->pieces[--row->count]);
    if (row->pieces)
        means->release(means->context, row->pieces);
}

static int run(struct judge *judge)
{
    const struct check_means *means = judge->means;
    int error;

    if (judge->means->sectors / (CHECK_PIECE / 512) < CHECK_PIECES)
        judge->piece_count = (unsigned)(judge->means->sectors / (CHECK_PIECE / 512)) + 1;
    else
        judge->piece_count = CHECK_PIECES;
    judge->pieces = means->allocate(means->context, judge->piece_count * CHECK_PIECE);
    if (!judge->pieces)
        return -ENOMEM;
    error = judge_boot(judge);
    if (error)
        return error;
    error = check_row_begin(&judge->owned, means, judge->volume.clusters / 8 + 2);
    if (!error)
        error = judge_table(judge);
    if (!error)
        error = judge_tree(judge);
    if (!error)
        error = judge_rest(judge);
    return error ? error : judge_info(judge);
}

int fat_check(const struct check_means *means, struct check_result *result)
{
    struct judge *judge = means->allocate(means->context, sizeof(*judge));
    int error;

    *result = (struct check_result){.files = 0};
    if (!judge)
        return -ENOMEM;
    judge->means = means;
    judge->result = result;
    error = run(judge);
    means->release(means->context, judge->names);
    means->release(means->context, judge->directories);
    check_row_end(&judge->owned, means);
    means->release(means->context, judge->pieces);
    means->release(means->context, judge);
    return error;
}
