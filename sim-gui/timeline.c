/* SPDX-License-Identifier: MIT */
/*
 * timeline.c: from the scheduler's events to bars.
 *
 * Each CPU has a ring of the slices that threads ran, the newest last; what runs now is a slice
 * that has not ended. The events are read from the library's own ring once a frame, so nothing
 * here runs on the guest's threads. If more happen in a frame than that ring holds, the ones that
 * are gone show as a gap, and the headline says how many they were.
 */
#include "timeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw/font.h"

#define TIMELINE_SLICES 32768u /* that are kept of each CPU */
#define TIMELINE_NAMES 2048u   /* threads by number, modulo this */
#define TIMELINE_PIECE 512u    /* events that are read at a time */
#define TIMELINE_SHORTEST UINT64_C(10000)
#define TIMELINE_LONGEST UINT64_C(10000000000)
#define TIMELINE_FIRST UINT64_C(50000000)
#define TIMELINE_LABEL 13 /* characters left of the bars */
#define TIMELINE_ENTRY 24 /* characters of an entry in the legend */
#define TIMELINE_LEGEND 2 /* rows of it */
#define TIMELINE_ROW 20   /* pixels of a CPU's row, its gap included, at scale 1 */

#define TIMELINE_GROUND 0x0d1117
#define TIMELINE_EMPTY 0x161b22
#define TIMELINE_EDGE 0x2b323d
#define TIMELINE_TEXT 0xc9d1d9
#define TIMELINE_DIM 0x7d8896
#define TIMELINE_INK 0x0b0e13 /* of names on bars */

struct slice {
    uint64_t start, end; /* end: UINT64_MAX while it runs */
    uint32_t thread;
};

struct row {
    struct slice *slices; /* number n is at n % TIMELINE_SLICES */
    uint64_t count;       /* ever; the newest may be running */
    bool running;
};

struct name {
    uint32_t thread;
    char text[16];
    uint64_t ran; /* ns in the visible time; while a legend is made */
    bool listed;
};

struct timeline {
    struct tb_machine *machine;
    struct rect area;
    int scale;
    bool all; /* everything has to be painted */

    uint64_t position, lost; /* in the library's ring; events that it no longer had */
    struct row rows[TIMELINE_CPUS];
    unsigned cpus; /* rows that are shown */
    struct name names[TIMELINE_NAMES];

    uint64_t span, end; /* what is shown: `span` ns up to `end` */
    bool held;
    uint64_t painted_end;

    float *cover, *best; /* of one row, a pixel each: what is used, and the owner's part of it */
    uint32_t *owner;
    struct tb_sched_event events[TIMELINE_PIECE];
};

struct timeline *timeline_create(struct tb_machine *machine)
{
    struct timeline *timeline = calloc(1, sizeof(*timeline));

    if (!timeline)
        return NULL;
    timeline->machine = machine;
    timeline->span = TIMELINE_FIRST;
    timeline->cpus = 1;
    for (unsigned cpu = 0; cpu < TIMELINE_CPUS; cpu++) {
        timeline->rows[cpu].slices = calloc(TIMELINE_SLICES, sizeof(struct slice));
        if (!timeline->rows[cpu].slices) {
            timeline_destroy(timeline);
            return NULL;
        }
    }
    return timeline;
}

void timeline_destroy(struct timeline *timeline)
{
    if (!timeline)
        return;
    for (unsigned cpu = 0; cpu < TIMELINE_CPUS; cpu++)
        free(timeline->rows[cpu].slices);
    free(timeline->cover);
    free(timeline->best);
    free(timeline->owner);
    free(timeline);
}

int timeline_listen(struct timeline *timeline, bool on)
{
    return tb_sched_keep(timeline->machine, on);
}

/* ---- taking events ---- */

static struct slice *timeline_newest(struct row *row)
{
    return &row->slices[(row->count - 1) % TIMELINE_SLICES];
}

static void timeline_end(struct row *row, uint64_t time)
{
    if (row->running)
        timeline_newest(row)->end = time;
    row->running = false;
}

static void timeline_begin(struct row *row, uint32_t thread, uint64_t time)
{
    row->count++;
    row->running = true;
    *timeline_newest(row) = (struct slice){time, UINT64_MAX, thread};
}

static void timeline_learn(struct timeline *timeline, const struct tb_sched_thread *thread)
{
    struct name *name = &timeline->names[thread->number % TIMELINE_NAMES];

    if (thread->idle || (name->thread == thread->number && name->text[0]))
        return;
    *name = (struct name){.thread = thread->number};
    memcpy(name->text, thread->name, sizeof(name->text) - 1);
}

static void timeline_forget(struct timeline *timeline)
{
    for (unsigned cpu = 0; cpu < TIMELINE_CPUS; cpu++) {
        timeline->rows[cpu].count = 0;
        timeline->rows[cpu].running = false;
    }
    memset(timeline->names, 0, sizeof(timeline->names));
    timeline->held = false;
    timeline->all = true;
}

static void timeline_take(struct timeline *timeline, const struct tb_sched_event *event)
{
    struct row *row;

    if (event->kind == TB_SCHED_POWER)
        timeline_forget(timeline);
    if (event->kind != TB_SCHED_SWITCH || event->cpu >= TIMELINE_CPUS)
        return;
    row = &timeline->rows[event->cpu];
    timeline_end(row, event->time);
    timeline_learn(timeline, &event->other);
    if (!event->other.idle)
        timeline_begin(row, event->other.number, event->time);
    if (event->cpu >= timeline->cpus) {
        timeline->cpus = event->cpu + 1u;
        timeline->all = true;
    }
}

/* Reads what has happened since the last frame; true if there was anything. */
static bool timeline_read(struct timeline *timeline)
{
    bool any = false;
    size_t n;

    do {
        uint64_t before = timeline->position;

        n = tb_sched_read(timeline->machine, &timeline->position, timeline->events, TIMELINE_PIECE);
        timeline->lost += timeline->position - before - n;
        for (size_t i = 0; i < n; i++)
            timeline_take(timeline, &timeline->events[i]);
        any |= n > 0;
    } while (n == TIMELINE_PIECE);
    return any;
}

/* ---- layout ---- */

static enum font_size timeline_font(const struct timeline *timeline)
{
    return timeline->scale > 1 ? FONT_12X24 : FONT_6X12;
}

static int timeline_line(int scale)
{
    return 15 * scale;
}

int timeline_height(unsigned scale)
{
    int unit = (int)scale;

    return 8 * unit + timeline_line(unit) * (2 + TIMELINE_LEGEND) +
           (int)TIMELINE_CPUS * TIMELINE_ROW * unit;
}

struct rect timeline_row(const struct timeline *timeline, unsigned cpu)
{
    int scale = timeline->scale;
    int left = 10 * scale + font_table[timeline_font(timeline)].width * TIMELINE_LABEL;
    int width = timeline->area.width - left - 10 * scale;

    return (struct rect){timeline->area.x + left,
                         timeline->area.y + 5 * scale + timeline_line(scale) +
                             (int)cpu * TIMELINE_ROW * scale,
                         width > 0 ? width : 0, (TIMELINE_ROW - 4) * scale};
}

void timeline_place(struct timeline *timeline, struct rect area, unsigned scale)
{
    size_t width;

    timeline->area = area;
    timeline->scale = (int)scale;
    timeline->all = true;
    free(timeline->cover);
    free(timeline->best);
    free(timeline->owner);
    width = (size_t)timeline_row(timeline, 0).width + 1;
    timeline->cover = calloc(width, sizeof(*timeline->cover));
    timeline->best = calloc(width, sizeof(*timeline->best));
    timeline->owner = calloc(width, sizeof(*timeline->owner));
}

bool timeline_is_at(const struct timeline *timeline, int x, int y)
{
    struct rect area = timeline->area;

    return x >= area.x && y >= area.y && x < area.x + area.width && y < area.y + area.height;
}

uint64_t timeline_span(const struct timeline *timeline)
{
    return timeline->span;
}

void timeline_zoom(struct timeline *timeline, int steps)
{
    uint64_t span = steps > 0 ? timeline->span / 2 : timeline->span * 2;

    if (steps == 0 || span < TIMELINE_SHORTEST || span > TIMELINE_LONGEST)
        return;
    timeline->span = span;
    timeline->all = true;
}

void timeline_hold(struct timeline *timeline)
{
    timeline->held = !timeline->held;
    timeline->all = true;
}

/* ---- bars ---- */

uint32_t timeline_colour(uint32_t thread)
{
    static const uint32_t colours[] = {0x79c0ff, 0xffa657, 0x7ee787, 0xff7b72, 0xd2a8ff,
                                       0xf2cc60, 0x56d4dd, 0xff9bce, 0xb5e853, 0x5b8def,
                                       0xe05297, 0x2fbf9f, 0xc9a26d};

    return colours[thread % (sizeof(colours) / sizeof(colours[0]))];
}

static uint64_t timeline_start(const struct timeline *timeline)
{
    return timeline->end > timeline->span ? timeline->end - timeline->span : 0;
}

/* The part of a slice that is visible, as ns from the left end. False: none is. */
static bool timeline_cut(const struct timeline *timeline, const struct slice *slice, uint64_t *from,
                         uint64_t *to)
{
    uint64_t start = timeline_start(timeline);
    uint64_t end = slice->end < timeline->end ? slice->end : timeline->end;

    if (end < start || slice->start >= timeline->end)
        return false;
    *from = slice->start > start ? slice->start - start : 0;
    *to = end - start;
    return true;
}

/* Adds a slice to the pixels that it lies in; positions are in pixels. */
static void timeline_spread(const struct timeline *timeline, uint32_t thread, double from,
                            double to, int width)
{
    for (int x = (int)from; x < width && x < to; x++) {
        double left = from > x ? from : x, right = to < x + 1 ? to : x + 1;
        float part = (float)(right - left);

        timeline->cover[x] += part;
        if (part > timeline->best[x]) {
            timeline->best[x] = part;
            timeline->owner[x] = thread;
        }
    }
}

/* Adds all visible slices of a row, and what each thread ran; returns the ns that they are. */
static uint64_t timeline_gather(struct timeline *timeline, const struct row *row, int width)
{
    uint64_t kept = row->count < TIMELINE_SLICES ? row->count : TIMELINE_SLICES, ran = 0;
    double scale = (double)width / (double)timeline->span;

    memset(timeline->cover, 0, (size_t)width * sizeof(*timeline->cover));
    memset(timeline->best, 0, (size_t)width * sizeof(*timeline->best));
    for (uint64_t i = 0; i < kept; i++) {
        const struct slice *slice = &row->slices[(row->count - 1 - i) % TIMELINE_SLICES];
        struct name *name = &timeline->names[slice->thread % TIMELINE_NAMES];
        uint64_t from, to;

        if (slice->end < timeline_start(timeline))
            break; /* and so did all before it */
        if (!timeline_cut(timeline, slice, &from, &to))
            continue;
        timeline_spread(timeline, slice->thread, (double)from * scale, (double)to * scale, width);
        ran += to - from;
        name->ran += name->thread == slice->thread ? to - from : 0;
    }
    return ran;
}

static void timeline_paint_bars(const struct timeline *timeline, struct canvas *canvas,
                                struct rect row)
{
    for (int x = 0; x < row.width; x++) {
        uint32_t colour = TIMELINE_EMPTY;
        float cover = timeline->cover[x] < 1 ? timeline->cover[x] : 1;

        if (timeline->best[x] > 0)
            colour = cover > 0.99f ? timeline_colour(timeline->owner[x])
                                   : colour_mix(TIMELINE_EMPTY, timeline_colour(timeline->owner[x]),
                                                0.35f + 0.65f * cover) &
                                         0xffffff;
        canvas_fill_rect(canvas, (struct rect){row.x + x, row.y, 1, row.height}, colour);
    }
}

/* Names on the bars that are long enough. */
static void timeline_paint_names(const struct timeline *timeline, struct canvas *canvas,
                                 const struct row *row, struct rect bars)
{
    uint64_t kept = row->count < TIMELINE_SLICES ? row->count : TIMELINE_SLICES;
    double scale = (double)bars.width / (double)timeline->span;
    enum font_size font = timeline_font(timeline);

    for (uint64_t i = 0; i < kept; i++) {
        const struct slice *slice = &row->slices[(row->count - 1 - i) % TIMELINE_SLICES];
        const struct name *name = &timeline->names[slice->thread % TIMELINE_NAMES];
        uint64_t from, to;

        if (slice->end < timeline_start(timeline))
            break;
        if (!timeline_cut(timeline, slice, &from, &to) || name->thread != slice->thread ||
            (double)(to - from) * scale < font_measure(font, name->text) + 6 * timeline->scale)
            continue;
        font_draw(canvas, font, bars.x + (int)((double)from * scale) + 3 * timeline->scale,
                  bars.y + 2 * timeline->scale, name->text, TIMELINE_INK, FONT_ACROSS);
    }
}

static void timeline_paint_row(struct timeline *timeline, struct canvas *canvas, unsigned cpu)
{
    struct rect bars = timeline_row(timeline, cpu);
    uint64_t ran = timeline_gather(timeline, &timeline->rows[cpu], bars.width);
    uint64_t time = timeline->end < timeline->span ? timeline->end : timeline->span;
    char label[32];

    snprintf(label, sizeof(label), "CPU %u %4.0f %%", cpu,
             time ? (double)ran * 100 / (double)time : 0.0);
    font_draw(canvas, timeline_font(timeline), timeline->area.x + 10 * timeline->scale,
              bars.y + 2 * timeline->scale, label, TIMELINE_TEXT, FONT_ACROSS);
    timeline_paint_bars(timeline, canvas, bars);
    timeline_paint_names(timeline, canvas, &timeline->rows[cpu], bars);
}

/* ---- words and numbers ---- */

static void timeline_write_ns(uint64_t ns, char *text, size_t size)
{
    if (ns < 1000000)
        snprintf(text, size, "%.4g us", (double)ns / 1e3);
    else if (ns < 1000000000)
        snprintf(text, size, "%.4g ms", (double)ns / 1e6);
    else
        snprintf(text, size, "%.4g s", (double)ns / 1e9);
}

static void timeline_paint_headline(const struct timeline *timeline, struct canvas *canvas)
{
    static const char hint[] = "F11 or wheel: zoom   Shift+F10 or click: hold";
    enum font_size font = timeline_font(timeline);
    int margin = 10 * timeline->scale, y = timeline->area.y + 4 * timeline->scale;
    int hint_x = timeline->area.x + timeline->area.width - margin - font_measure(font, hint);
    char text[160], span[24], lost[48] = "";

    timeline_write_ns(timeline->span, span, sizeof(span));
    if (timeline->lost)
        snprintf(lost, sizeof(lost), "; %llu events came too fast",
                 (unsigned long long)timeline->lost);
    snprintf(text, sizeof(text), "Timeline: %s up to %.6f s%s%s", span, (double)timeline->end / 1e9,
             timeline->held ? ", held" : "", lost);
    font_draw(canvas, font, timeline->area.x + margin, y, text, TIMELINE_DIM, FONT_ACROSS);
    if (hint_x > timeline->area.x + 2 * margin + font_measure(font, text))
        font_draw(canvas, font, hint_x, y, hint, TIMELINE_DIM, FONT_ACROSS);
}

/* The smallest of 1, 2, 5, 10, 20 ... ns of which at most eight fit into the span. */
static uint64_t timeline_step(uint64_t span)
{
    for (uint64_t unit = 1;; unit *= 10)
        for (uint64_t step = unit; step <= 5 * unit; step += step == unit ? unit : 3 * unit)
            if (span / step <= 8)
                return step;
}

static void timeline_paint_axis(const struct timeline *timeline, struct canvas *canvas)
{
    struct rect last = timeline_row(timeline, timeline->cpus - 1);
    uint64_t start = timeline_start(timeline), step = timeline_step(timeline->span);
    int top = last.y + last.height, decimals = 0;
    char text[32];

    for (uint64_t unit = 1000000000; unit > step; unit /= 10)
        decimals++;
    for (uint64_t time = (start + step - 1) / step * step; time <= timeline->end; time += step) {
        int x = last.x + (int)((double)(time - start) * last.width / (double)timeline->span);

        canvas_fill_rect(canvas, (struct rect){x, top, 1, 4 * timeline->scale}, TIMELINE_DIM);
        snprintf(text, sizeof(text), "%.*f", decimals, (double)time / 1e9);
        if (x + font_measure(timeline_font(timeline), text) < last.x + last.width)
            font_draw(canvas, timeline_font(timeline), x + 3 * timeline->scale,
                      top + 2 * timeline->scale, text, TIMELINE_DIM, FONT_ACROSS);
    }
}

/* ---- the legend ---- */

static struct name *timeline_busiest(struct timeline *timeline)
{
    struct name *best = NULL;

    for (unsigned i = 0; i < TIMELINE_NAMES; i++) {
        struct name *name = &timeline->names[i];

        if (name->ran && !name->listed && (!best || name->ran > best->ran))
            best = name;
    }
    return best;
}

static void timeline_paint_legend(struct timeline *timeline, struct canvas *canvas)
{
    enum font_size font = timeline_font(timeline);
    int scale = timeline->scale, line = timeline_line(scale), box = 10 * scale;
    int entry = font_table[font].width * TIMELINE_ENTRY;
    int columns = (timeline->area.width - 20 * scale) / entry;
    struct rect last = timeline_row(timeline, timeline->cpus - 1);
    uint64_t time = timeline->end < timeline->span ? timeline->end : timeline->span;
    struct name *name;
    char text[64];

    for (int i = 0; i < columns * TIMELINE_LEGEND && (name = timeline_busiest(timeline)); i++) {
        int x = timeline->area.x + 10 * scale + i % columns * entry;
        int y = last.y + last.height + 3 * scale + line + i / columns * line;

        name->listed = true;
        snprintf(text, sizeof(text), "%.12s %.1f %%", name->text,
                 (double)name->ran * 100 / (double)time);
        canvas_fill_rect(canvas, (struct rect){x, y + scale, box, box},
                         timeline_colour(name->thread));
        font_draw(canvas, font, x + box + 4 * scale, y, text, TIMELINE_TEXT, FONT_ACROSS);
    }
}

/* ---- all of it ---- */

static void timeline_paint(struct timeline *timeline, struct canvas *canvas)
{
    struct rect area = timeline->area;

    for (unsigned i = 0; i < TIMELINE_NAMES; i++) {
        timeline->names[i].ran = 0;
        timeline->names[i].listed = false;
    }
    canvas_clip(canvas, area);
    canvas_fill_rect(canvas, area, TIMELINE_GROUND);
    canvas_fill_rect(canvas, (struct rect){area.x, area.y, area.width, 1}, TIMELINE_EDGE);
    timeline_paint_headline(timeline, canvas);
    for (unsigned cpu = 0; cpu < timeline->cpus; cpu++)
        timeline_paint_row(timeline, canvas, cpu);
    timeline_paint_axis(timeline, canvas);
    timeline_paint_legend(timeline, canvas);
}

bool timeline_draw(struct timeline *timeline, struct canvas *canvas)
{
    bool news = timeline_read(timeline);

    if (!timeline->held)
        timeline->end = tb_time(timeline->machine);
    if (!timeline->cover || !timeline->best || !timeline->owner)
        return false; /* no memory for this size */
    if (!timeline->all && timeline->end == timeline->painted_end && (timeline->held || !news))
        return false;
    timeline_paint(timeline, canvas);
    timeline->painted_end = timeline->end;
    timeline->all = false;
    return true;
}
