/* SPDX-License-Identifier: MIT */
/*
 * shrink.c: of a schedule that fails, as few steps as do.
 *
 * Delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input",
 * 2002): pieces of the list are left out, large ones first; what still fails is kept. At the end no
 * single step can be left out. A run that ends in another way than the first does not count: it may
 * be another bug.
 */
#include "search.h"

#include <stdlib.h>
#include <string.h>

static struct trial trial;

/* Runs `list`. True: it fails in the same way. */
static bool fails(const struct tb_step *list, size_t count, enum verdict verdict)
{
    const struct tb_schedule schedule = {
        .size = sizeof(schedule), .strategy = TB_BY_STEPS, .steps = list, .step_count = count};
    trial_run(&trial, &schedule);
    return trial.verdict == verdict;
}

/* Leaves out `piece` steps from `at` on, if that still fails. */
static bool leave_out(struct steps *steps, struct tb_step *rest, size_t at, size_t piece,
                      enum verdict verdict)
{
    memcpy(rest, steps->list, at * sizeof(*rest));
    memcpy(rest + at, steps->list + at + piece, (steps->count - at - piece) * sizeof(*rest));
    if (!fails(rest, steps->count - piece, verdict))
        return false;
    steps->count -= piece;
    memcpy(steps->list, rest, steps->count * sizeof(*rest));
    return true;
}

unsigned shrink_steps(struct steps *steps, enum verdict verdict)
{
    struct tb_step *rest = calloc(steps->count + 1, sizeof(*rest));
    unsigned runs = 0;
    size_t piece = steps->count;
    while (rest != NULL && piece > 0) {
        bool shorter = false;
        for (size_t at = 0; at + piece <= steps->count; runs++) {
            bool out = leave_out(steps, rest, at, piece, verdict);
            shorter |= out;
            at += out ? 0 : piece;
        }
        if (piece > steps->count)
            piece = steps->count;
        else if (!shorter)
            piece /= 2;
    }
    free(rest);
    return runs;
}
