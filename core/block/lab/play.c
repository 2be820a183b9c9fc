/* SPDX-License-Identifier: MIT */
/*
 * play.c: runs a stream of requests under an elevator, and reports.
 */
#include "block/lab/lab.h"

#include "lib/format.h"
#include "lib/string.h"

#include <hal/time.h>

static struct lab_entry *entry_of(struct block_request *request)
{
    return list_entry(request, struct lab_entry, request);
}

/** Those that came before `request` and are still in the queue have been passed. */
static void count_passes(struct elevator *queue, const struct block_request *request)
{
    list_for_each (link, &queue->arrivals) {
        struct block_request *other = list_entry(link, struct block_request, link);

        if (elevator_is_older(other, request))
            entry_of(other)->passed++;
    }
}

static void serve(struct elevator_lab *lab, struct block_request *request, uint64_t *now,
                  uint64_t *head, struct lab_result *result)
{
    uint64_t at = request->at;

    entry_of(request)->begun = *now;
    result->movement += at < *head ? *head - at : at - *head;
    *now += seek_service(&lab->model, *now, *head, at, request->sectors);
    *head = at + request->sectors - 1; /* over the last one */
}

static void sum_up(const struct elevator_lab *lab, struct lab_result *result)
{
    for (unsigned i = 0; i < lab->stream.count; i++) {
        const struct lab_entry *entry = &lab->stream.entries[i];
        uint64_t wait = entry->begun - entry->arrival;

        result->mean_wait += wait;
        if (wait > result->most_wait)
            result->most_wait = wait;
        if (entry->passed > result->passed)
            result->passed = entry->passed;
    }
    if (lab->stream.count > 0)
        result->mean_wait /= lab->stream.count;
}

struct lab_result elevator_lab_run(struct elevator_lab *lab, const struct elevator_kind *kind)
{
    struct lab_result result = {.kind = kind};
    struct elevator queue;
    uint64_t now = 0, head = lab->start;
    unsigned next = 0;

    elevator_init(&queue, kind, lab->bound);
    while (next < lab->stream.count || queue.count > 0) {
        struct block_request *request;

        if (queue.count == 0 && lab->stream.entries[next].arrival > now)
            now = lab->stream.entries[next].arrival;
        for (; next < lab->stream.count && lab->stream.entries[next].arrival <= now; next++) {
            lab->stream.entries[next].passed = 0;
            elevator_add(&queue, &lab->stream.entries[next].request);
        }
        request = elevator_take(&queue, head);
        count_passes(&queue, request);
        serve(lab, request, &now, &head, &result);
    }
    result.end = now;
    result.hurried = queue.hurried;
    sum_up(lab, &result);
    return result;
}

/* ---- the report ---- */

static void format_ms(char *to, size_t size, uint64_t ns)
{
    format_text(to, size, "%llu.%02llu", (unsigned long long)(ns / 1000000),
                (unsigned long long)(ns / 10000 % 100));
}

static void print_result(const struct lab_result *result,
                         void (*print)(void *context, const char *line), void *context)
{
    char mean[24], most[24], end[24], line[120];

    format_ms(mean, sizeof(mean), result->mean_wait);
    format_ms(most, sizeof(most), result->most_wait);
    format_ms(end, sizeof(end), result->end);
    format_text(line, sizeof(line), "%-8s %12llu %11s %11s %11s %7u %8llu", result->kind->name,
                (unsigned long long)result->movement, mean, most, end, result->passed,
                (unsigned long long)result->hurried);
    print(context, line);
}

static void print_head(const struct elevator_lab *lab,
                       void (*print)(void *context, const char *line), void *context)
{
    char line[120], rotation[24] = "no rotation", source[48];

    if (lab->model.rpm)
        format_text(rotation, sizeof(rotation), "%u rpm", (unsigned)lab->model.rpm);
    if (lab->past[0])
        format_text(source, sizeof(source), "the last of %s", lab->past);
    else if (lab->pattern)
        format_text(source, sizeof(source), "%s, seed %llu", lab->pattern,
                    (unsigned long long)lab->seed);
    else
        string_copy(source, sizeof(source), "as given");
    format_text(line, sizeof(line), "%u requests (%s); %llu sectors, %s, bound %u",
                lab->stream.count, source, (unsigned long long)lab->model.sectors, rotation,
                lab->bound);
    print(context, line);
    format_text(line, sizeof(line), "%-8s %12s %11s %11s %11s %7s %8s", "", "MOVEMENT", "MEAN WAIT",
                "MOST WAIT", "END (ms)", "PASSED", "HURRIED");
    print(context, line);
}

void elevator_lab_report(struct elevator_lab *lab, void (*print)(void *context, const char *line),
                         void *context)
{
    const struct elevator_kind *kind;

    print_head(lab, print, context);
    for (unsigned i = 0; (kind = elevator_at(i)) != NULL; i++) {
        struct lab_result result = elevator_lab_run(lab, kind);

        print_result(&result, print, context);
    }
}
