/* SPDX-License-Identifier: MIT */
/*
 * utf8.c: the decoder of UTF-8 as a state machine, and a short table of character widths.
 *
 * Source: RFC 3629 for the encoding; Unicode Standard Annex #11 for the widths, of which the blocks
 * are kept that people type: an odd symbol elsewhere may count as one column although it takes two.
 */
#include "tty/utf8.h"

static enum utf8_result utf8_bad(struct utf8_decoder *decoder)
{
    decoder->expect = 0;
    return UTF8_BAD;
}

static enum utf8_result utf8_first(struct utf8_decoder *decoder, uint8_t byte)
{
    if (byte < 0x80) {
        decoder->code = byte;
        return UTF8_DONE;
    }
    if (byte >= 0xC2 && byte <= 0xDF) {
        decoder->code = byte & 0x1Fu;
        decoder->expect = 1;
        decoder->least = 0x80;
    } else if (byte >= 0xE0 && byte <= 0xEF) {
        decoder->code = byte & 0x0Fu;
        decoder->expect = 2;
        decoder->least = 0x800;
    } else if (byte >= 0xF0 && byte <= 0xF4) {
        decoder->code = byte & 0x07u;
        decoder->expect = 3;
        decoder->least = 0x10000;
    } else {
        return UTF8_BAD;
    }
    return UTF8_MORE;
}

enum utf8_result utf8_decode(struct utf8_decoder *decoder, uint8_t byte)
{
    if (decoder->expect == 0)
        return utf8_first(decoder, byte);
    if ((byte & 0xC0u) != 0x80u)
        return utf8_bad(decoder);
    decoder->code = decoder->code << 6 | (byte & 0x3Fu);
    if (--decoder->expect > 0)
        return UTF8_MORE;
    if (decoder->code < decoder->least || decoder->code > 0x10FFFF ||
        (decoder->code >= 0xD800 && decoder->code <= 0xDFFF))
        return utf8_bad(decoder);
    return UTF8_DONE;
}

static bool utf8_continues(char byte)
{
    return ((uint8_t)byte & 0xC0u) == 0x80u;
}

size_t utf8_step(const char *s, size_t n)
{
    size_t step = 1;

    while (step < n && utf8_continues(s[step]))
        step++;
    return step;
}

size_t utf8_step_back(const char *s, size_t at)
{
    size_t step = 1;

    while (step < at && utf8_continues(s[at - step]))
        step++;
    return step;
}

struct utf8_block {
    uint32_t first, last;
};

static bool utf8_in_blocks(uint32_t code, const struct utf8_block *blocks, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (code >= blocks[i].first && code <= blocks[i].last)
            return true;
    }
    return false;
}

unsigned utf8_columns(uint32_t code)
{
    static const struct utf8_block combining[] = {
        {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x064B, 0x065F},
        {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200F}, {0x20D0, 0x20FF},
        {0x3099, 0x309A}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF},
    };
    static const struct utf8_block wide[] = {
        {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0x4DBF},   {0x4E00, 0xA4CF},
        {0xA960, 0xA97C},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},
        {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},   {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF},
        {0x1F900, 0x1F9FF}, {0x20000, 0x3FFFD},
    };

    if (code < 0x300)
        return 1;
    if (utf8_in_blocks(code, combining, sizeof(combining) / sizeof(combining[0])))
        return 0;
    return utf8_in_blocks(code, wide, sizeof(wide) / sizeof(wide[0])) ? 2 : 1;
}

size_t utf8_text_columns(const char *s, size_t n)
{
    struct utf8_decoder decoder = {0};
    size_t columns = 0;

    for (size_t i = 0; i < n; i++) {
        if (utf8_decode(&decoder, (uint8_t)s[i]) == UTF8_DONE)
            columns += utf8_columns(decoder.code);
    }
    return columns;
}

bool utf8_is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code <= 0x9F);
}
