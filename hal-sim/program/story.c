/* SPDX-License-Identifier: MIT */
/*
 * story.c: what happens in a failing run, in words.
 *
 * The schedule is run once more, and at each interrupt point it is noted which thread is where. The
 * points between two switches are a *turn*, and a turn is told as the places that the thread came
 * by: the innermost function that is not a service (locks, threads, memory, lists, the machine),
 * and the service that it called. Turns far from the steps of the schedule are left out.
 */
#include "search.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    EVENTS_MAX = 60000,
    CALLERS_MAX = 14,
    INLINED_MAX = 4, /* functions at one address */
    NAME_MAX_BYTES = 32,
    TURNS_BEFORE = 3, /* told before the first step, */
    TURNS_AFTER = 5,  /* and after a step */
    PLACES_TOLD = 8   /* of a turn */
};

/* A point, or a decision. */
struct event {
    uint64_t point;
    uint32_t kind, cpu, thread, to;
    bool alternative;
    char name[NAME_MAX_BYTES];
    uintptr_t callers[CALLERS_MAX];
    size_t caller_count;
};

struct address {
    uintptr_t at;
    struct place places[INLINED_MAX];
    unsigned count;
};

static struct {
    struct event *events;
    size_t count, lost;
    struct address *addresses;
    size_t address_count;
} story;

/* ---- noting ---- */

static void note(void *context, const struct tb_moment *moment)
{
    struct tb_machine *machine = context;
    if (story.count == EVENTS_MAX) {
        story.lost++;
        return;
    }
    struct event *event = &story.events[story.count++];
    *event = (struct event){.point = moment->point,
                            .kind = moment->kind,
                            .cpu = moment->cpu,
                            .to = moment->to,
                            .alternative = moment->alternative};
    event->thread = tb_thread_on_cpu(machine, moment->cpu, event->name, sizeof(event->name));
    event->caller_count = tb_callers(machine, event->callers, CALLERS_MAX);
    for (size_t i = 0; i < event->caller_count; i++)
        event->callers[i]--; /* the call, not what follows it */
}

/* ---- places ---- */

static int compare(const void *a, const void *b)
{
    uintptr_t x = ((const struct address *)a)->at, y = ((const struct address *)b)->at;
    return (x > y) - (x < y);
}

static void found(size_t index, const struct place *place)
{
    struct address *address = &story.addresses[index];
    if (address->count < INLINED_MAX)
        address->places[address->count++] = *place;
}

/* Finds out what all the addresses are. False: it cannot be. */
static bool explain(const char *path)
{
    size_t all = 0, n = 0;
    for (size_t i = 0; i < story.count; i++)
        all += story.events[i].caller_count;
    struct address *list = calloc(all + 1, sizeof(*list));
    uintptr_t *plain = calloc(all + 1, sizeof(*plain));
    if (list == NULL || plain == NULL) {
        free(list);
        free(plain);
        return false;
    }
    for (size_t i = 0; i < story.count; i++)
        for (size_t k = 0; k < story.events[i].caller_count; k++)
            list[n++].at = story.events[i].callers[k];
    qsort(list, n, sizeof(*list), compare);
    for (size_t i = 0; i < n; i++)
        if (story.address_count == 0 || list[story.address_count - 1].at != list[i].at)
            list[story.address_count++].at = list[i].at;
    for (size_t i = 0; i < story.address_count; i++)
        plain[i] = list[i].at;
    story.addresses = list;
    bool good = places_find(path, plain, story.address_count, found);
    free(plain);
    return good;
}

static bool starts(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* Files that serve all others. */
static bool is_service(const char *file)
{
    static const char *const folders[] = {"core/sync/",           "core/thread/", "core/lib/",
                                          "core/sched/",          "core/heap/",   "core/mem/",
                                          "core/boot/interrupt.c"};
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
        if (starts(file, folders[i]))
            return true;
    return !starts(file, "core/");
}

/* Where an event is: `here`, and the service that it has called, or NULL. False: nothing known. */
static bool locate(const struct event *event, const struct place **here,
                   const struct place **service)
{
    *here = *service = NULL;
    for (size_t i = 0; i < event->caller_count; i++) {
        struct address key = {.at = event->callers[i]};
        const struct address *address =
            bsearch(&key, story.addresses, story.address_count, sizeof(key), compare);
        for (unsigned k = 0; address != NULL && k < address->count; k++) {
            *here = &address->places[k];
            if (!is_service((*here)->file))
                return true;
            if (starts((*here)->file, "core/"))
                *service = *here;
        }
    }
    *here = *service;
    *service = NULL;
    return *here != NULL;
}

static void say_place(FILE *file, const struct place *here, const struct place *service)
{
    fprintf(file, "%s (%s:%u)", here->function, here->file, here->line);
    if (service != NULL)
        fprintf(file, ", in %s", service->function);
}

static void say_event_place(FILE *file, const struct event *event)
{
    const struct place *here, *service;
    if (locate(event, &here, &service))
        say_place(file, here, service);
    else if (event->caller_count > 0)
        fprintf(file, "code address %#lx", (unsigned long)event->callers[0]);
}

/* ---- turns ---- */

static bool same_turn(const struct event *a, const struct event *b)
{
    return a->cpu == b->cpu && a->thread == b->thread;
}

static bool same_place(const struct event *a, const struct event *b)
{
    const struct place *here[2], *service[2];
    if (!locate(a, &here[0], &service[0]) || !locate(b, &here[1], &service[1]))
        return false;
    if (here[0]->line != here[1]->line || strcmp(here[0]->function, here[1]->function) != 0)
        return false;
    return (service[0] == NULL) == (service[1] == NULL) &&
           (service[0] == NULL || strcmp(service[0]->function, service[1]->function) == 0);
}

static void say_thread(FILE *file, const struct event *event)
{
    fprintf(file, "%s (thread %u)", event->name, event->thread);
}

/* The name that thread `thread` has in the story. */
static const char *name_of(uint32_t thread)
{
    for (size_t i = 0; i < story.count; i++)
        if (story.events[i].thread == thread)
            return story.events[i].name;
    return "";
}

static void say_step(FILE *file, const struct event *event)
{
    fprintf(file, "* point %" PRIu64, TB_POINT_NUMBER(event->point));
    if (event->point & TB_POINT_MASKED)
        fprintf(file, ".%u", (unsigned)(event->point & TB_POINT_MASKED));
    fprintf(file, ": ");
    if (event->kind == TB_STEP_CPU) {
        say_thread(file, event);
        fprintf(file, " on CPU %u is held up; CPU %u goes on\n  in ", event->cpu, event->to);
    } else if (event->kind == TB_STEP_TURN) {
        fprintf(file, "CPU %u goes on after CPU %u, out of turn\n  in ", event->to, event->cpu);
    } else if (event->kind == TB_STEP_PREEMPT) {
        say_thread(file, event);
        fprintf(file, " is preempted, and %s (thread %u) runs\n  in ", name_of(event->to),
                event->to);
    } else {
        say_thread(file, event);
        fprintf(file, " gives way to %s (thread %u), and not to who was first\n  in ",
                name_of(event->to), event->to);
    }
    say_event_place(file, event);
    fprintf(file, "\n");
}

/* Whether the event is worth a line: it is not within services only, nor where the last one was. */
static bool is_told(size_t from, size_t i)
{
    const struct place *here, *service;
    if (!locate(&story.events[i], &here, &service) || is_service(here->file))
        return false;
    return i == from || !same_place(&story.events[i - 1], &story.events[i]);
}

/* The places of the points from `from` to before `to`. */
static void say_places(FILE *file, size_t from, size_t to)
{
    unsigned told = 0, places = 0;
    for (size_t i = from; i < to; i++)
        places += is_told(from, i);
    for (size_t i = from; i < to; i++) {
        if (!is_told(from, i))
            continue;
        told++;
        if (places > PLACES_TOLD && told == PLACES_TOLD / 2 + 1)
            fprintf(file, "      ... %u more ...\n", places - PLACES_TOLD);
        if (places > PLACES_TOLD && told > PLACES_TOLD / 2 && told <= places - PLACES_TOLD / 2)
            continue;
        fprintf(file, "      ");
        say_event_place(file, &story.events[i]);
        fprintf(file, "\n");
    }
}

static bool is_step(const struct event *event)
{
    return event->kind != 0 && (event->alternative || event->kind == TB_STEP_PREEMPT);
}

static void say_turn(FILE *file, size_t from, size_t to, bool several)
{
    if (strcmp(story.events[from].name, "idle") == 0)
        return;
    fprintf(file, "  ");
    say_thread(file, &story.events[from]);
    if (several)
        fprintf(file, " on CPU %u", story.events[from].cpu);
    fprintf(file, "\n");
    say_places(file, from, to);
}

/* Where the turn that begins at `from` ends: at a switch, or at a step. */
static size_t turn_end(size_t from)
{
    size_t to = from;
    while (to < story.count && !is_step(&story.events[to]) &&
           same_turn(&story.events[from], &story.events[to]))
        to++;
    return to;
}

/* The event with which to begin: some turns before the first step. */
static size_t find_begin(void)
{
    size_t begins[TURNS_BEFORE + 1] = {0}, turns = 0;
    for (size_t i = 0; i < story.count && !is_step(&story.events[i]); i = turn_end(i)) {
        begins[turns++ % (TURNS_BEFORE + 1)] = i;
    }
    return turns > TURNS_BEFORE ? begins[turns % (TURNS_BEFORE + 1)] : 0;
}

static void say_all(FILE *file, bool several)
{
    unsigned since = 0, skipped = 0;
    for (size_t i = find_begin(); i < story.count;) {
        if (is_step(&story.events[i])) {
            if (skipped > 0)
                fprintf(file, "  (%u turns later)\n", skipped);
            skipped = since = 0;
            say_step(file, &story.events[i++]);
            continue;
        }
        size_t end = turn_end(i);
        if (since++ < TURNS_AFTER)
            say_turn(file, i, end, several);
        else
            skipped++;
        i = end;
    }
    if (skipped > 0 || story.lost > 0)
        fprintf(file, "  (and %u more turns)\n", skipped);
}

/* Decisions that chose the usual way are no events: they would cut turns in two. */
static void drop_usual(void)
{
    size_t kept = 0;
    for (size_t i = 0; i < story.count; i++)
        if (story.events[i].kind == 0 || is_step(&story.events[i]))
            story.events[kept++] = story.events[i];
    story.count = kept;
}

void story_tell(FILE *file, const struct steps *steps, uint64_t from)
{
    static struct trial trial;
    struct tb_machine *machine = trial_machine();
    const struct tb_schedule schedule = {.size = sizeof(schedule),
                                         .strategy = TB_BY_STEPS,
                                         .steps = steps->list,
                                         .step_count = steps->count};
    story.count = story.lost = story.address_count = 0;
    story.events = calloc(EVENTS_MAX, sizeof(*story.events));
    if (story.events == NULL)
        return;
    tb_schedule_set_sink(machine, note, machine, from);
    trial_run(&trial, &schedule);
    tb_schedule_set_sink(machine, NULL, NULL, 0);
    drop_usual();
    if (!explain(tb_code_file(machine)))
        fprintf(file, "(addr2line of binutils cannot be run, so places are addresses)\n");
    bool several = false;
    for (size_t i = 0; i < story.count; i++)
        several |= story.events[i].cpu != story.events[0].cpu;
    say_all(file, several);
    fprintf(file, "and so ");
    trial_say(file, &trial);
    free(story.addresses);
    free(story.events);
    story.addresses = NULL;
    story.events = NULL;
}
