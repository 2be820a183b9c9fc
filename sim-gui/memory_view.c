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

#include "draw/font.h"

#define VIEW_PERIOD UINT64_C(250000000)
#define VIEW_SHARE 20u  /* of the host's time, at most one part in */
#define VIEW_PIECE 4096 /* frames that are asked for at a time */
#define VIEW_FRAMES ((1u << 30) / MEMORY_VIEW_PAGE)
#define VIEW_TAGS 32u
#define VIEW_KINDS (TB_FRAME_TAGS + VIEW_TAGS)
#define VIEW_LARGEST 16 /* pixels of a square's side, its gap included */
#define VIEW_SMALLEST 5
#define VIEW_ENTRY 27 /* characters of an entry in the legend */
#define VIEW_NOWHERE UINT32_MAX

#define VIEW_GROUND 0x0d1117
#define VIEW_EDGE 0x2b323d
#define VIEW_TEXT 0xc9d1d9
#define VIEW_DIM 0x7d8896
#define VIEW_MARK 0xffffff

struct memory_view {
    struct tb_machine *machine;
    uint64_t (*host)(void);
    uint64_t due; /* host time of the next look */

    struct rect area, field; /* of the whole view; of the squares */
    int scale, size;         /* a square's side with its gap */
    unsigned columns, group; /* squares in a row; frames in a square; 0: no room for any */
    bool all;                /* everything has to be painted */
    unsigned legend_rows;

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
    view->point = view->painted_point = VIEW_NOWHERE;
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
    view_size(view->group, each, sizeof(each));
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
        return tag < count ? tags[tag] : colour_mix(tags[tag % count], 0, 0.35f);
    }
}

/* Counts of the frames of square `square` by kind; returns how many frames there are. */
static unsigned view_count_square(const struct memory_view *view, uint32_t square,
                                  unsigned counts[VIEW_KINDS])
{
    uint64_t first = (uint64_t)square * view->group, end = first + view->group;

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

static enum font_size view_font(const struct memory_view *view)
{
    return view->scale > 1 ? FONT_12X24 : FONT_6X12;
}

static int view_line(const struct memory_view *view)
{
    return font_table[view_font(view)].height + 3 * view->scale;
}

static unsigned view_legend_columns(const struct memory_view *view)
{
    int columns = view->field.width / (font_table[view_font(view)].width * VIEW_ENTRY);

    return columns > 1 ? (unsigned)columns : 1;
}

/* Squares in a row with sides of `size`, such that rows begin at round addresses; 0: too large. */
static unsigned view_fit_columns(const struct memory_view *view, int size, uint64_t squares)
{
    unsigned columns = (unsigned)(view->field.width / size);
    unsigned rows = (unsigned)(view->field.height / size);

    if (columns >= 16)
        columns -= columns % 16;
    return (uint64_t)columns * rows >= squares ? columns : 0;
}

/* Chooses the smallest group whose squares fit, and the largest squares then. */
static void view_fit(struct memory_view *view)
{
    view->columns = view->group = 0;
    if (view->field.width < VIEW_SMALLEST || view->field.height < VIEW_SMALLEST)
        return;
    for (unsigned group = 1; group <= VIEW_FRAMES && !view->columns; group *= 2) {
        uint64_t squares = (view->total + group - 1) / group;

        view->group = group;
        view->size = VIEW_LARGEST * view->scale + 1;
        while (!view->columns && --view->size >= VIEW_SMALLEST * view->scale)
            view->columns = view_fit_columns(view, view->size, squares);
    }
    if (!view->columns)
        view->group = 0;
}

static void view_lay_out(struct memory_view *view)
{
    int margin = 10 * view->scale, line = view_line(view);
    unsigned entries = 0, columns;

    for (unsigned kind = 0; kind < VIEW_KINDS; kind++)
        entries += view->seen[kind];
    view->field = (struct rect){view->area.x + margin, view->area.y + line + margin,
                                view->area.width - 2 * margin, 0};
    columns = view_legend_columns(view);
    view->legend_rows = (entries + columns - 1) / columns;
    view->field.height =
        view->area.height - 2 * margin - line - (int)view->legend_rows * line - margin / 2;
    view_fit(view);
    view->all = true;
}

void memory_view_place(struct memory_view *view, struct rect area, unsigned scale)
{
    view->area = area;
    view->scale = (int)scale;
    view->due = 0;
    view->point = VIEW_NOWHERE;
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

static uint32_t view_squares(const struct memory_view *view)
{
    return view->group ? (uint32_t)((view->total + view->group - 1) / view->group) : 0;
}

static struct rect view_square_rect(const struct memory_view *view, uint32_t square)
{
    int gap = view->size >= 4 ? view->scale : 0;

    return (struct rect){view->field.x + (int)(square % view->columns) * view->size,
                         view->field.y + (int)(square / view->columns) * view->size,
                         view->size - gap, view->size - gap};
}

static void view_paint_square(const struct memory_view *view, struct canvas *canvas,
                              uint32_t square)
{
    struct rect rect = view_square_rect(view, square);
    int edge = view->scale;

    canvas_fill_rect(canvas, rect, square == view->point ? VIEW_MARK : view->colours[square]);
    if (square != view->point)
        return;
    rect =
        (struct rect){rect.x + edge, rect.y + edge, rect.width - 2 * edge, rect.height - 2 * edge};
    canvas_fill_rect(canvas, rect, view->colours[square]);
}

/* Whether a frame of square `square` is of another kind than at the look before. */
static bool view_changed(const struct memory_view *view, uint32_t square)
{
    uint64_t first = (uint64_t)square * view->group;
    uint64_t n = view->total - first < view->group ? view->total - first : view->group;

    return view->all || memcmp(view->frames + first, view->before + first, n) != 0;
}

static bool view_paint_squares(struct memory_view *view, struct canvas *canvas)
{
    bool painted = false;

    for (uint32_t i = 0; i < view_squares(view); i++) {
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
    unsigned columns = view_legend_columns(view), entry = 0;
    int width = view->field.width / (int)columns, line = view_line(view), box = 10 * view->scale;
    int top = view->area.y + view->area.height - 5 * view->scale - (int)view->legend_rows * line;
    char name[24], size[24], text[64];

    canvas_fill_rect(canvas,
                     (struct rect){view->area.x + 1, top, view->area.width - 1,
                                   view->area.y + view->area.height - top},
                     VIEW_GROUND);
    for (unsigned kind = 0; kind < VIEW_KINDS; kind++) {
        int x = view->field.x + (int)(entry % columns) * width;
        int y = top + (int)(entry / columns) * line;

        if (!view->seen[kind])
            continue;
        entry++;
        view_name(view, kind, name, sizeof(name));
        view_size(view->kinds[kind], size, sizeof(size));
        snprintf(text, sizeof(text), "%s %s", name, size);
        canvas_fill_rect(canvas, (struct rect){x, y + view->scale, box, box},
                         memory_view_colour(kind));
        font_draw(canvas, view_font(view), x + box + 4 * view->scale, y, text, VIEW_TEXT,
                  FONT_ACROSS);
    }
}

static bool view_paint_headline(struct memory_view *view, struct canvas *canvas)
{
    char text[sizeof(view->headline)];
    int line = view_line(view), x = view->area.x + 10 * view->scale;

    view_write_headline(view, text, sizeof(text));
    if (!view->all && strcmp(text, view->headline) == 0)
        return false;
    strcpy(view->headline, text);
    canvas_fill_rect(canvas,
                     (struct rect){view->area.x + 1, view->area.y + 1, view->area.width - 1,
                                   line + 4 * view->scale},
                     VIEW_GROUND);
    font_draw(canvas, view_font(view), x, view->area.y + 5 * view->scale, text, VIEW_DIM,
              FONT_ACROSS);
    return true;
}

static void view_paint_ground(const struct memory_view *view, struct canvas *canvas)
{
    struct rect area = view->area;

    canvas_fill_rect(canvas, area, VIEW_GROUND);
    canvas_fill_rect(canvas, (struct rect){area.x, area.y, area.width, 1}, VIEW_EDGE);
    canvas_fill_rect(canvas, (struct rect){area.x, area.y, 1, area.height}, VIEW_EDGE);
}

/* Moves the mark from where it was painted to where the mouse is. */
static bool view_paint_mark(struct memory_view *view, struct canvas *canvas)
{
    uint32_t squares = view_squares(view);

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
    canvas_clip(canvas, view->area);
    if (view_look(view)) {
        view_follow(view, total);
        if (view->all)
            view_paint_ground(view, canvas);
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
    int dx = x - view->field.x, dy = y - view->field.y;
    uint32_t square;

    view->point = VIEW_NOWHERE;
    if (dx < 0 || dy < 0 || !view->group || dx / view->size >= (int)view->columns)
        return;
    square = (uint32_t)(dy / view->size) * view->columns + (uint32_t)(dx / view->size);
    if (square < view_squares(view))
        view->point = square;
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
    uint64_t first = (uint64_t)view->point * view->group;
    char name[80];

    if (view->point >= view_squares(view))
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
    if (!view->group || frame >= view->total)
        return false;
    *square = view_square_rect(view, (uint32_t)(frame / view->group));
    return true;
}
