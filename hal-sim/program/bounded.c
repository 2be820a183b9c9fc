/* SPDX-License-Identifier: MIT */
/*
 * bounded.c: every schedule with at most so many preemptions.
 *
 * Most bugs need few preemptions (Musuvathi and Qadeer, "Iterative Context Bounding for Systematic
 * Testing of Multithreaded Programs", 2007), and of schedules with few there are not many: with n
 * points, about n^p / p! for p of them. So all are tried, those with none first, then with one, and
 * so on. Choices that have to be made anyway, because a thread sleeps or ends, cost nothing.
 *
 * A schedule is a list of steps. Running it shows which steps could be added *after its last one*:
 *
 *     preempt   at a point where the timer could strike and somebody else could run
 *     choose    another one than the usual, where one had to be chosen
 *     CPU       another one that works, at any point
 *
 * and each of these, added, is the next schedule: a walk through a tree, depth first, in which each
 * schedule is met once. A preemption that finds nobody else to run is no schedule of its own, and
 * nothing grows from it. On the lowest level schedules are only run, not looked into.
 */
#include "search.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 4096 }; /* steps of a schedule; choices are free, so they may be many */

/* The steps that could follow. */
struct branches {
    struct tb_step *list;
    size_t count, room;
};

struct walk {
    uint64_t from;
    unsigned share, shares;
    uint64_t met; /* schedules at the level on which they are shared out */
    struct steps path;
    struct bounded_result *result;
    struct branches *branches; /* that the run under way shows */
    struct branches *siblings; /* of its last step */
    uint64_t after;            /* the position of the last step */
    bool forced;               /* the last step was a preemption: who could have run is to come */
    bool futile;               /* nobody else could */
    bool broken;               /* there is no memory, or a schedule could not be run */
    struct trial trial;
};

static void add_branch(struct walk *walk, struct branches *branches, struct tb_step step)
{
    if (branches->count == branches->room) {
        size_t room = branches->room != 0 ? branches->room * 2 : 256;
        struct tb_step *list = realloc(branches->list, room * sizeof(*list));
        if (list == NULL) {
            walk->broken = true;
            return;
        }
        branches->list = list;
        branches->room = room;
    }
    branches->list[branches->count++] = step;
}

/* What could be done at a point: let the timer strike, or go over to another CPU. */
static void see_point(struct walk *walk, const struct tb_moment *moment)
{
    if (moment->timer && !moment->masked)
        add_branch(walk, walk->branches, (struct tb_step){moment->point, TB_STEP_PREEMPT, 0});
    for (uint32_t cpu = 0; cpu < 32 && moment->working >> cpu != 0; cpu++)
        if (cpu != moment->cpu && (moment->working >> cpu & 1))
            add_branch(walk, walk->branches, (struct tb_step){moment->point, TB_STEP_CPU, cpu});
}

/* The other threads than the one that was chosen. Those instead of which the last step's own thread
 * came are its siblings: each is a preemption at the same point. */
static void see_choice(struct walk *walk, const struct tb_moment *moment)
{
    const struct steps *path = &walk->path;
    if (walk->forced) {
        const struct tb_step *last = &path->list[path->count - 1];
        walk->forced = false;
        walk->futile = moment->thread_count < 2;
        if (last->to == 0)
            for (size_t i = 2; i < moment->thread_count; i++)
                add_branch(walk, walk->siblings,
                           (struct tb_step){last->point, TB_STEP_PREEMPT, moment->threads[i]});
        return;
    }
    /* When a thread wakes another up, whether that one preempts it can as well be decided at the
     * next point. */
    if (moment->kind == TB_STEP_CHOOSE && moment->point > walk->after && !moment->preempts)
        for (size_t i = 0; i < moment->thread_count; i++)
            if (moment->threads[i] != moment->to)
                add_branch(walk, walk->branches,
                           (struct tb_step){moment->point, TB_STEP_CHOOSE, moment->threads[i]});
}

static void see(void *context, const struct tb_moment *moment)
{
    struct walk *walk = context;
    if (moment->kind == 0 && moment->point > walk->after)
        see_point(walk, moment);
    else if (moment->kind == TB_STEP_PREEMPT || moment->kind == TB_STEP_CHOOSE)
        see_choice(walk, moment);
}

/* Keeps the path as the one that fails. */
static void keep_path(struct walk *walk)
{
    struct steps *failing = &walk->result->failing;
    failing->list = calloc(walk->path.count + 1, sizeof(*failing->list));
    if (failing->list == NULL) {
        walk->broken = true;
        return;
    }
    memcpy(failing->list, walk->path.list, walk->path.count * sizeof(*failing->list));
    failing->count = walk->path.count;
}

/* Runs the path. True: it fails, and is kept. `left`: preemptions that it may still have. */
static bool try_path(struct walk *walk, struct branches *branches, struct branches *siblings,
                     unsigned left)
{
    const struct tb_schedule schedule = {.size = sizeof(schedule),
                                         .strategy = TB_BY_STEPS,
                                         .steps = walk->path.list,
                                         .step_count = walk->path.count};
    const struct tb_step *last =
        walk->path.count > 0 ? &walk->path.list[walk->path.count - 1] : NULL;
    walk->after = last != NULL ? last->point : walk->from;
    walk->forced = last != NULL && last->kind == TB_STEP_PREEMPT;
    walk->futile = walk->forced;
    walk->branches = branches;
    walk->siblings = siblings;
    tb_schedule_set_sink(trial_machine(), see, walk, left > 0 ? walk->after : UINT64_MAX);
    trial_run(&walk->trial, &schedule);
    walk->result->runs++;
    walk->broken |= walk->trial.verdict == VERDICT_ERROR;
    if (walk->trial.verdict != VERDICT_GOOD && !walk->broken)
        keep_path(walk);
    return walk->trial.verdict != VERDICT_GOOD;
}

/* Whether this process is to try the next of the schedules that are shared out. */
static bool is_mine(struct walk *walk)
{
    return walk->met++ % walk->shares == walk->share;
}

static bool explore(struct walk *walk, struct branches *siblings, unsigned left);

/* Goes on with each branch; more come meanwhile. True: a failing schedule was found, or the memory
 * ended. */
static bool explore_branches(struct walk *walk, struct branches *branches, unsigned left)
{
    bool outermost = walk->path.count == 0, end = false;
    size_t shared = outermost ? branches->count : 0; /* the others are of this process */
    for (size_t i = 0; i < branches->count && !end && walk->path.count < DEPTH_MAX; i++) {
        unsigned cost = (unsigned)steps_preemptions(&branches->list[i], 1);
        if (cost > left || (i < shared && !is_mine(walk)))
            continue;
        walk->path.list[walk->path.count++] = branches->list[i];
        end = explore(walk, branches, left - cost);
        walk->path.count--;
    }
    return end;
}

/*
 * Tries the path and all that grow from it with `left` more preemptions. What has fewer was tried
 * before, but has to be run again to see what grows from it.
 */
static bool explore(struct walk *walk, struct branches *siblings, unsigned left)
{
    struct branches branches = {.list = NULL};
    bool end = try_path(walk, &branches, siblings, left);
    if (!end && !walk->broken && !walk->futile)
        end = explore_branches(walk, &branches, left);
    free(branches.list);
    return end || walk->broken;
}

bool bounded_search(unsigned preemptions, uint64_t from, unsigned share, unsigned shares,
                    struct bounded_result *result)
{
    static struct walk walk;
    struct tb_step *path = calloc(DEPTH_MAX + 1, sizeof(*path));
    walk = (struct walk){
        .from = from, .share = share, .shares = shares, .path = {.list = path}, .result = result};
    *result = (struct bounded_result){.runs = 0};
    if (path == NULL)
        return false;
    (void)explore(&walk, NULL, preemptions);
    tb_schedule_set_sink(trial_machine(), NULL, NULL, 0);
    free(path);
    return !walk.broken;
}
