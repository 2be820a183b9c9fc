/* SPDX-License-Identifier: MIT */
/*
 * survey.c: counts frames by kind, and picks the largest of a few hundred numbers.
 */
#include "shell/memory/mem.h"

#include <hal/mem.h>

#define PIECE 128u /* frames looked at at a time */

uint64_t mem_frame_end(void)
{
    struct hal_range range;
    uint64_t end = 0;

    for (unsigned i = 0; hal_mem_ram(i, &range); i++) {
        uint64_t last = (range.start + range.bytes) / HAL_PAGE_SIZE;

        end = last > end ? last : end;
    }
    return end;
}

void mem_survey_add(struct mem_survey *survey, uint64_t first, uint64_t end)
{
    uint8_t frames[PIECE];

    while (first < end) {
        size_t n = end - first < PIECE ? (size_t)(end - first) : PIECE;

        hal_inspect_frames(first, frames, n);
        for (size_t i = 0; i < n; i++)
            survey->kinds[frames[i] < MEM_KINDS ? frames[i] : HAL_FRAME_TAGS]++;
        first += n;
    }
}

const char *mem_kind_name(unsigned kind)
{
    static const char *const names[HAL_FRAME_TAGS] = {
        [HAL_FRAME_NONE] = "reserved",
        [HAL_FRAME_KERNEL] = "frame table",
        [HAL_FRAME_UNTOUCHED] = "never used",
        [HAL_FRAME_FREE] = "free",
    };
    const char *name =
        kind < HAL_FRAME_TAGS ? names[kind] : alloc_tag_name(kind - (unsigned)HAL_FRAME_TAGS);

    return name != NULL ? name : "?";
}

bool mem_rank_next(struct mem_ranking *ranking, unsigned total,
                   uint64_t (*key)(unsigned number, const void *context), const void *context,
                   unsigned *number)
{
    uint64_t most = 0;

    for (unsigned i = 0; i < total && i < MEM_RANKED; i++) {
        uint64_t mine;

        if (ranking->listed[i / 64] >> i % 64 & 1)
            continue;
        mine = key(i, context);
        if (mine > most) {
            most = mine;
            *number = i;
        }
    }
    if (most == 0)
        return false;
    ranking->listed[*number / 64] |= 1ull << *number % 64;
    return true;
}
