/* SPDX-License-Identifier: MIT */
/*
 * memory_view.c: frames of RAM, counted by squares, as colours.
 *
 * Looking costs some nanoseconds a frame, so even 960 MiB are read as a whole, in pieces that hold
 * the library's lock only shortly. A machine so large, or a host so slow, that a look takes long is
 * looked at less often: the view never takes more than a twentieth of the host's time.
 *
 * What a square shows, for the frames that it stands for:
 *
 *     all free                  the colour of free, or of never used, whichever are more
 *     some in use               the owner of most of those, mixed with "free" by how many are free
 *     no RAM, not the kernel's  dark: the kernel's own image lies there, and the GPU's share
 */
#include "memory_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "squares.h"

#define VIEW_PERIOD UINT64_C(250000000)
#define VIEW_SHARE 20u  /* of the host's time, at most one part in */
#define VIEW_PIECE 4096 /* frames that are asked for at a time */
#define VIEW_FRAMES ((1u << 30) / MEMORY_VIEW_PAGE)
#define VIEW_TAGS 64u
#define VIEW_KINDS (TB_FRAME_TAGS + VIEW_TAGS)

struct memory_view {
    struct tb_machine *machine;
    uint64_t (*host)(void);
    uint64_t due; /* host time of the next look */

    struct squares squares; /* of frames */
    bool all;               /* everything has to be painted */

    /* What was seen. */
    uint64_t total; /* frames that the machine has */
    uint64_t kinds[VIEW_KINDS];
    uint64_t largest; /* frames of the longest free stretch */
    bool seen[VIEW_KINDS];
    char headline[160];

    uint32_t point, painted_point; /* squares under the mouse: now, and as painted */
    uint8_t frames[VIEW_FRAMES], before[VIEW_FRAMES]; /* at the last look, at the one before */
    uint32_t colours[VIEW_FRAMES];                    /* of the squares, as painted */
};

struct memory_view *memory_view_create(struct tb_machine *machine, uint64_t (*host)(void))
{
    struct memory_view *view = calloc(1, sizeof(*view));

    if (!view)
        return NULL;
    view->machine = machine;
    view->host = host;
    view->point = view->painted_point = SQUARES_NONE;
    return view;
}

void memory_view_destroy(struct memory_view *view)
{
    free(view);
}

/* ---- looking ---- */

static bool view_is_free(unsigned kind)
{
    return kind == TB_FRAME_FREE || kind == TB_FRAME_UNTOUCHED;
}

static unsigned view_kind(uint8_t frame)
{
    return frame < VIEW_KINDS ? frame : TB_FRAME_TAGS;
}

static void view_read(struct memory_view *view)
{
    uint64_t at = 0;
    size_t got;

    memcpy(view->before, view->frames, view->total);
    do {
        got = tb_memory_frames(view->machine, at, view->frames + at, VIEW_PIECE);
        at += got;
    } while (got == VIEW_PIECE && at + VIEW_PIECE <= VIEW_FRAMES);
    view->total = at;
}

static void view_count(struct memory_view *view)
{
    uint64_t stretch = 0;

    memset(view->kinds, 0, sizeof(view->kinds));
    view->largest = 0;
    for (uint64_t i = 0; i < view->total; i++) {
        unsigned kind = view_kind(view->frames[i]);

        view->kinds[kind]++;
        stretch = view_is_free(kind) ? stretch + 1 : 0;
        view->largest = stretch > view->largest ? stretch : view->largest;
    }
}

/* A look at the machine, if it is time to. */
static bool view_look(struct memory_view *view)
{
    uint64_t start = view->host(), took;

    if (start < view->due)
        return false;
    view_read(view);
    view_count(view);
    took = (view->host() - start) * VIEW_SHARE;
    view->due = start + (took > VIEW_PERIOD ? took : VIEW_PERIOD);
    return true;
}

/* ---- names and numbers ---- */

static void view_name(const struct memory_view *view, unsigned kind, char *text, size_t size)
{
    static const char *const plain[TB_FRAME_TAGS] = {
        [TB_FRAME_NONE] = "reserved",
        [TB_FRAME_KERNEL] = "frame table",
        [TB_FRAME_UNTOUCHED] = "never used",
        [TB_FRAME_FREE] = "free",
    };
    const char *name =
        kind < TB_FRAME_TAGS ? plain[kind] : tb_memory_tag(view->machine, kind - TB_FRAME_TAGS);

    snprintf(text, size, "%s", name ? name : "?");
}

static void view_size(uint64_t frames, char *text, size_t size)
{
    uint64_t kib = frames * (MEMORY_VIEW_PAGE / 1024);

    if (kib < 1024)
        snprintf(text, size, "%u KiB", (unsigned)kib);
    else
        snprintf(text, size, "%.1f MiB", (double)kib / 1024);
}

static void view_write_headline(const struct memory_view *view, char *text, size_t size)
{
    uint64_t unused = view->kinds[TB_FRAME_FREE] + view->kinds[TB_FRAME_UNTOUCHED];
    uint64_t allocations = tb_alloc_count(view->machine); /* 0 where the guest does not count */
    char all[24], left[24], largest[24], each[24], count[40] = "";

    if (view->kinds[TB_FRAME_NONE] == view->total) {
        snprintf(text, size, "Memory: nothing to see while the power is off");
        return;
    }
    view_size(view->total, all, sizeof(all));
    view_size(unused, left, sizeof(left));
    view_size(view->largest, largest, sizeof(largest));
    view_size(view->squares.group, each, sizeof(each));
    if (allocations > 0)
        snprintf(count, sizeof(count), "; %llu allocations", (unsigned long long)allocations);
    snprintf(text, size, "Memory %s, free %s, longest free stretch %s%s; a square: %s", all, left,
             largest, count, each);
}

/* ---- colours ---- */

uint32_t memory_view_colour(unsigned kind)
{
    static const uint32_t tags[] = {0x9aa4b2, 0xff7b72, 0xf2cc60, 0x7ee787, 0x79c0ff, 0xd2a8ff,
                                    0xffa657, 0x56d4dd, 0xff9bce, 0xc9a26d, 0xb5e853, 0x5b8def,
                                    0xe05297, 0x2fbf9f, 0xe8d7b0, 0xb06af0};
    static const float shades[] = {0, 0.35f, 0.2f, 0.5f}; /* of further rounds through the tags */
    unsigned tag = kind - TB_FRAME_TAGS, count = sizeof(tags) / sizeof(tags[0]);

    switch (kind) {
    case TB_FRAME_NONE:
        return 0x161a21;
    case TB_FRAME_KERNEL:
        return 0xe3e8ee;
    case TB_FRAME_UNTOUCHED:
        return 0x2a3443;
    case TB_FRAME_FREE:
        return 0x3d648b;
    default:
        return colour_mix(tags[tag % count], 0, shades[tag / count % 4]);
    }
}

/* Counts of the frames of square `square` by kind; returns how many frames there are. */
static unsigned view_count_square(const struct memory_view *view, uint32_t square,
                                  unsigned counts[VIEW_KINDS])
{
    uint64_t first = (uint64_t)square * view->squares.group, end = first + view->squares.group;

    end = end < view->total ? end : view->total;
    memset(counts, 0, VIEW_KINDS * sizeof(counts[0]));
    for (uint64_t i = first; i < end; i++)
        counts[view_kind(view->frames[i])]++;
    return (unsigned)(end - first);
}

/* The kind of most of the frames among those in use, or among the others; *used: how many are. */
static unsigned view_main_kind(const unsigned counts[VIEW_KINDS], unsigned *used)
{
    unsigned user = TB_FRAME_KERNEL, other = TB_FRAME_NONE;

    *used = counts[TB_FRAME_KERNEL];
    for (unsigned kind = TB_FRAME_TAGS; kind < VIEW_KINDS; kind++) {
        *used += counts[kind];
        user = counts[kind] > counts[user] ? kind : user;
    }
    for (unsigned kind = TB_FRAME_UNTOUCHED; kind <= TB_FRAME_FREE; kind++)
        other = counts[kind] > counts[other] ? kind : other;
    return *used ? user : other;
}

static uint32_t view_square_colour(const struct memory_view *view, uint32_t square)
{
    unsigned counts[VIEW_KINDS], used;
    unsigned frames = view_count_square(view, square, counts);
    unsigned kind = view_main_kind(counts, &used);
    unsigned there = frames - counts[TB_FRAME_NONE];
    float share = there ? (float)used / (float)there : 0;

    if (used == 0 || used == there)
        return memory_view_colour(kind);
    return colour_mix(memory_view_colour(TB_FRAME_FREE), memory_view_colour(kind),
                      0.35f + 0.65f * share) &
           0xffffff;
}

/* ---- layout ---- */

static void view_lay_out(struct memory_view *view)
{
    unsigned entries = 0;

    for (unsigned kind = 0; kind < VIEW_KINDS; kind++)
        entries += view->seen[kind];
    squares_lay_out(&view->squares, view->total, entries);
    view->all = true;
}

void memory_view_place(struct memory_view *view, struct rect area, unsigned scale)
{
    view->squares.area = area;
    view->squares.scale = (int)scale;
    view->due = 0;
    view->point = SQUARES_NONE;
    memset(view->seen, 0, sizeof(view->seen));
    view_lay_out(view);
}

/* A kind that shows for the first time needs room in the legend, a larger RAM more squares. */
static void view_follow(struct memory_view *view, uint64_t total_before)
{
    bool grown = view->total != total_before;

    for (unsigned kind = 0; kind < VIEW_KINDS; kind++) {
        grown |= view->kinds[kind] && !view->seen[kind];
        view->seen[kind] |= view->kinds[kind] > 0;
    }
    if (grown)
        view_lay_out(view);
}

/* ---- painting ---- */

static void view_paint_square(const struct memory_view *view, struct canvas *canvas,
                              uint32_t square)
{
    squares_paint(&view->squares, canvas, square, view->colours[square], square == view->point);
}

/* Whether a frame of square `square` is of another kind than at the look before. */
static bool view_changed(const struct memory_view *view, uint32_t square)
{
    uint64_t first = (uint64_t)square * view->squares.group;
    uint64_t n =
        view->total - first < view->squares.group ? view->total - first : view->squares.group;

    return view->all || memcmp(view->frames + first, view->before + first, n) != 0;
}

static bool view_paint_squares(struct memory_view *view, struct canvas *canvas)
{
    bool painted = false;

    for (uint32_t i = 0; i < squares_count(&view->squares); i++) {
        uint32_t colour;

        if (!view_changed(view, i))
            continue;
        colour = view_square_colour(view, i);
        if (!view->all && colour == view->colours[i])
            continue;
        view->colours[i] = colour;
        view_paint_square(view, canvas, i);
        painted = true;
    }
    return painted;
}

static void view_paint_legend(const struct memory_view *view, struct canvas *canvas)
{
    char name[24], size[24], text[64];
    unsigned entry = 0;

    squares_clear_legend(&view->squares, canvas);
    for (unsigned kind = 0; kind < VIEW_KINDS; kind++) {
        if (!view->seen[kind])
            continue;
        view_name(view, kind, name, sizeof(name));
        view_size(view->kinds[kind], size, sizeof(size));
        snprintf(text, sizeof(text), "%s %s", name, size);
        squares_paint_entry(&view->squares, canvas, entry++, memory_view_colour(kind), text);
    }
}

static bool view_paint_headline(struct memory_view *view, struct canvas *canvas)
{
    char text[sizeof(view->headline)];

    view_write_headline(view, text, sizeof(text));
    if (!view->all && strcmp(text, view->headline) == 0)
        return false;
    strcpy(view->headline, text);
    squares_paint_headline(&view->squares, canvas, text);
    return true;
}

/* Moves the mark from where it was painted to where the mouse is. */
static bool view_paint_mark(struct memory_view *view, struct canvas *canvas)
{
    uint32_t squares = squares_count(&view->squares);

    if (!view->all && view->point == view->painted_point)
        return false;
    if (view->painted_point < squares)
        view_paint_square(view, canvas, view->painted_point);
    if (view->point < squares)
        view_paint_square(view, canvas, view->point);
    view->painted_point = view->point;
    return true;
}

bool memory_view_draw(struct memory_view *view, struct canvas *canvas)
{
    uint64_t total = view->total, kinds[VIEW_KINDS];
    bool painted = false;

    memcpy(kinds, view->kinds, sizeof(kinds));
    canvas_clip(canvas, view->squares.area);
    if (view_look(view)) {
        view_follow(view, total);
        if (view->all)
            squares_paint_ground(&view->squares, canvas);
        painted = view_paint_headline(view, canvas);
        if (view->all || memcmp(kinds, view->kinds, sizeof(kinds)) != 0) {
            view_paint_legend(view, canvas);
            painted = true;
        }
        painted |= view_paint_squares(view, canvas);
    }
    painted |= view_paint_mark(view, canvas);
    view->all = false;
    return painted;
}

/* ---- the mouse ---- */

void memory_view_point(struct memory_view *view, int x, int y)
{
    view->point = squares_at(&view->squares, x, y);
}

/* "heap 3, free 1": the kinds in a square, most frames first, as far as there is room. */
static void view_describe_kinds(const struct memory_view *view, unsigned counts[VIEW_KINDS],
                                char *text, size_t size)
{
    size_t used = 0;

    for (;;) {
        unsigned most = 0;
        char name[24];
        int n;

        for (unsigned kind = 1; kind < VIEW_KINDS; kind++)
            most = counts[kind] > counts[most] ? kind : most;
        if (counts[most] == 0)
            return;
        view_name(view, most, name, sizeof(name));
        n = snprintf(text + used, size - used, "%s%s %u", used ? ", " : "", name, counts[most]);
        if (n < 0 || (size_t)n >= size - used) {
            text[used] = '\0';
            return;
        }
        used += (size_t)n;
        counts[most] = 0;
    }
}

bool memory_view_describe(const struct memory_view *view, char *text, size_t size)
{
    unsigned counts[VIEW_KINDS], frames;
    uint64_t first = (uint64_t)view->point * view->squares.group;
    char name[80];

    if (view->point >= squares_count(&view->squares))
        return false;
    frames = view_count_square(view, view->point, counts);
    if (frames == 1) {
        view_name(view, view_kind(view->frames[first]), name, sizeof(name));
        snprintf(text, size, "frame %llu at 0x%08llx: %s", (unsigned long long)first,
                 (unsigned long long)first * MEMORY_VIEW_PAGE, name);
        return true;
    }
    view_describe_kinds(view, counts, name, sizeof(name));
    snprintf(text, size, "frames %llu .. %llu at 0x%08llx: %s", (unsigned long long)first,
             (unsigned long long)(first + frames - 1), (unsigned long long)first * MEMORY_VIEW_PAGE,
             name);
    return true;
}

bool memory_view_find(const struct memory_view *view, uint64_t frame, struct rect *square)
{
    if (!view->squares.group || frame >= view->total)
        return false;
    *square = squares_rect(&view->squares, (uint32_t)(frame / view->squares.group));
    return true;
}
