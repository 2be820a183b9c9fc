/* SPDX-License-Identifier: MIT */
/*
 * card_view.c: clusters, counted by squares, as colours; and a glow where requests go.
 *
 * The map is read again when something was written, but never so often that reading takes more
 * than a twentieth of the host's time. Requests are asked for in each frame, and a square that one
 * of them has met glows for a while.
 *
 * A "piece" is as much of the card as a cluster has: the pieces before the first cluster are the
 * system area, the others are the clusters.
 */
#include "card_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "squares.h"

#define CARD_PERIOD UINT64_C(250000000)
#define CARD_SHARE 20u /* of the host's time, at most one part in */
#define CARD_GLOW UINT64_C(500000000)
#define CARD_SYSTEM CARD_KINDS /* one more kind */
#define CARD_SHOWN (CARD_KINDS + 1)
#define CARD_ASKED 64u
#define CARD_DIM 0.45f /* of what is not of the file under the mouse */

struct card_square {
    uint32_t colour;  /* of what it stands for */
    uint32_t painted; /* as painted */
    uint64_t glow_until;
    bool written; /* the glow's kind */
    bool lit;     /* has a piece of the file under the mouse */
};

struct card_view {
    struct tb_machine *machine;
    uint64_t (*host)(void);
    uint64_t due;  /* host time of the next look */
    bool changed;  /* something was written since the last one */
    uint64_t next; /* access to ask for */

    struct card_map map;
    uint32_t lead;              /* pieces before the first cluster */
    uint64_t kinds[CARD_SHOWN]; /* pieces of each kind */
    struct squares squares;     /* of pieces */
    struct card_square *each;   /* squares_count of them */
    bool all;                   /* everything has to be painted */
    uint32_t point, file;       /* square under the mouse; its file, or CARD_MAP_NOBODY */
};

struct card_view *card_view_create(struct tb_machine *machine, uint64_t (*host)(void))
{
    struct card_view *view = calloc(1, sizeof(*view));

    if (!view)
        return NULL;
    view->machine = machine;
    view->host = host;
    view->changed = true;
    view->point = SQUARES_NONE;
    view->file = CARD_MAP_NOBODY;
    return view;
}

void card_view_destroy(struct card_view *view)
{
    if (!view)
        return;
    card_map_clear(&view->map);
    free(view->each);
    free(view);
}

/* ---- looking ---- */

static int card_read(void *context, uint64_t sector, void *data, size_t count)
{
    return tb_card_read(context, sector, data, count);
}

static unsigned card_piece_kind(const struct card_view *view, uint64_t piece)
{
    return piece < view->lead ? CARD_SYSTEM
                              : (unsigned)card_map_kind(&view->map, (uint32_t)(piece - view->lead));
}

static void card_count(struct card_view *view)
{
    memset(view->kinds, 0, sizeof(view->kinds));
    view->kinds[CARD_SYSTEM] = view->lead;
    for (uint32_t i = 0; i < view->map.clusters; i++)
        view->kinds[card_map_kind(&view->map, i)]++;
}

static void card_lay_out(struct card_view *view)
{
    unsigned entries = 0;

    for (unsigned kind = 0; kind < CARD_SHOWN; kind++)
        entries += view->kinds[kind] > 0;
    squares_lay_out(&view->squares, (uint64_t)view->lead + view->map.clusters, entries);
    free(view->each);
    view->each = calloc(squares_count(&view->squares) + 1, sizeof(*view->each));
    if (!view->each)
        view->squares.group = 0; /* no squares without memory for them */
    view->point = SQUARES_NONE;
    view->file = CARD_MAP_NOBODY;
    view->all = true;
}

static uint32_t card_square_colour(const struct card_view *view, uint32_t square)
{
    uint64_t first = (uint64_t)square * view->squares.group, end = first + view->squares.group;
    unsigned counts[CARD_SHOWN] = {0}, most = CARD_FREE;

    end = end < view->squares.total ? end : view->squares.total;
    for (uint64_t piece = first; piece < end; piece++)
        counts[card_piece_kind(view, piece)]++;
    for (unsigned kind = 1; kind < CARD_SHOWN; kind++)
        if (counts[kind] > (most == CARD_FREE ? 0 : counts[most]))
            most = kind;
    if (most == CARD_FREE || counts[CARD_FREE] == 0)
        return card_view_colour((enum card_kind)most);
    return colour_mix(card_view_colour(CARD_FREE), card_view_colour((enum card_kind)most),
                      1 - 0.65f * (float)counts[CARD_FREE] / (float)(end - first)) &
           0xffffff;
}

/* The file that most of a square's clusters belong to: the first of those with the most. */
static uint32_t card_square_file(const struct card_view *view, uint32_t square)
{
    uint64_t first = (uint64_t)square * view->squares.group, end = first + view->squares.group;
    uint32_t best = CARD_MAP_NOBODY, run = 0, longest = 0, last = CARD_MAP_NOBODY;

    first = first < view->lead ? view->lead : first;
    end = end < view->squares.total ? end : view->squares.total;
    for (uint64_t piece = first; piece < end; piece++) {
        uint32_t owner = view->map.owner[piece - view->lead];

        run = owner == last ? run + 1 : 1;
        last = owner;
        if (owner != CARD_MAP_NOBODY && run > longest) {
            longest = run;
            best = owner;
        }
    }
    return best;
}

static void card_light(struct card_view *view)
{
    for (uint32_t i = 0; i < squares_count(&view->squares); i++)
        view->each[i].lit = false;
    if (view->file == CARD_MAP_NOBODY)
        return;
    for (uint32_t i = 0; i < view->map.clusters; i++)
        if (view->map.owner[i] == view->file)
            view->each[((uint64_t)i + view->lead) / view->squares.group].lit = true;
}

/* Files may have other numbers now. */
static void card_point_again(struct card_view *view)
{
    view->file =
        view->point == SQUARES_NONE ? CARD_MAP_NOBODY : card_square_file(view, view->point);
    card_light(view);
}

/* Reads the card, if something has changed and it is time to. */
static bool card_look(struct card_view *view)
{
    uint64_t start = view->host(), took;
    bool had[CARD_SHOWN], other = false;

    if (!view->changed || start < view->due)
        return false;
    view->changed = false;
    for (unsigned kind = 0; kind < CARD_SHOWN; kind++)
        had[kind] = view->kinds[kind] > 0;
    card_map_load(&view->map, card_read, view->machine);
    view->lead = view->map.clusters == 0
                     ? 0
                     : (uint32_t)(view->map.data / (view->map.cluster_bytes / CARD_MAP_SECTOR));
    card_count(view);
    for (unsigned kind = 0; kind < CARD_SHOWN; kind++)
        other |= had[kind] != (view->kinds[kind] > 0);
    if (other || view->squares.total != (uint64_t)view->lead + view->map.clusters)
        card_lay_out(view);
    for (uint32_t i = 0; i < squares_count(&view->squares); i++)
        view->each[i].colour = card_square_colour(view, i);
    card_point_again(view);
    took = (view->host() - start) * CARD_SHARE;
    view->due = start + (took > CARD_PERIOD ? took : CARD_PERIOD);
    return true;
}

/* The piece that has a sector of the card. The first one may have a few sectors more. */
static uint64_t card_piece(const struct card_view *view, uint64_t sector)
{
    uint64_t each = view->map.cluster_bytes / CARD_MAP_SECTOR;
    uint64_t before = view->map.data - view->lead * each;

    return sector < before ? 0 : (sector - before) / each;
}

static void card_glow(struct card_view *view, const struct tb_card_access *access)
{
    uint64_t until = view->host() + CARD_GLOW;
    uint64_t first, last;

    if (view->map.clusters == 0 || !view->squares.group)
        return;
    first = card_piece(view, access->sector) / view->squares.group;
    last = card_piece(view, access->sector + access->sectors - 1) / view->squares.group;
    for (uint64_t i = first; i <= last && i < squares_count(&view->squares); i++) {
        struct card_square *square = &view->each[i];

        square->written = access->written || (square->written && square->glow_until > until);
        square->glow_until = until;
    }
}

static void card_take_accesses(struct card_view *view)
{
    struct tb_card_access accesses[CARD_ASKED];
    uint64_t wanted = view->next;
    size_t got;

    do {
        got = tb_card_accesses(view->machine, &view->next, accesses, CARD_ASKED);
        for (size_t i = 0; i < got; i++) {
            card_glow(view, &accesses[i]);
            view->changed |= accesses[i].written;
        }
        wanted += got;
    } while (got == CARD_ASKED);
    view->changed |= wanted != view->next; /* some were forgotten */
}

/* ---- painting ---- */

uint32_t card_view_colour(enum card_kind kind)
{
    static const uint32_t colours[CARD_SHOWN] = {
        [CARD_FREE] = 0x2a3443, [CARD_FILE] = 0x79c0ff, [CARD_DIRECTORY] = 0xf2cc60,
        [CARD_LOST] = 0xd2a8ff, [CARD_BAD] = 0x8b2f2f,  [CARD_SYSTEM] = 0x9aa4b2,
    };

    return colours[kind];
}

uint32_t card_view_flash(bool written)
{
    return written ? 0xff5c57 : 0x5af78e;
}

static uint32_t card_shown_colour(const struct card_view *view, const struct card_square *square,
                                  uint64_t now)
{
    uint32_t colour = square->colour;

    if (view->file != CARD_MAP_NOBODY && !square->lit)
        colour = colour_mix(SQUARES_GROUND, colour, CARD_DIM) & 0xffffff;
    if (square->glow_until <= now)
        return colour;
    return colour_mix(colour, card_view_flash(square->written),
                      (float)(square->glow_until - now) / (float)CARD_GLOW) &
           0xffffff;
}

static bool card_paint_squares(struct card_view *view, struct canvas *canvas)
{
    uint64_t now = view->host();
    bool painted = false;

    for (uint32_t i = 0; i < squares_count(&view->squares); i++) {
        struct card_square *square = &view->each[i];
        uint32_t colour = card_shown_colour(view, square, now);
        bool marked = square->lit && view->file != CARD_MAP_NOBODY;

        if (!view->all && (colour | (uint32_t)marked << 24) == square->painted)
            continue;
        square->painted = colour | (uint32_t)marked << 24;
        squares_paint(&view->squares, canvas, i, colour, marked);
        painted = true;
    }
    return painted;
}

static void card_write_size(const struct card_view *view, uint64_t pieces, char *text, size_t size)
{
    double kib = (double)pieces * view->map.cluster_bytes / 1024;

    if (kib < 1024)
        snprintf(text, size, "%.0f KiB", kib);
    else if (kib < 1024 * 1024)
        snprintf(text, size, "%.1f MiB", kib / 1024);
    else
        snprintf(text, size, "%.1f GiB", kib / 1024 / 1024);
}

static void card_paint_headline(const struct card_view *view, struct canvas *canvas)
{
    char text[160], all[24], left[24], each[24];

    card_write_size(view, view->map.clusters, all, sizeof(all));
    card_write_size(view, view->kinds[CARD_FREE], left, sizeof(left));
    card_write_size(view, view->squares.group, each, sizeof(each));
    if (view->map.problem[0])
        snprintf(text, sizeof(text), "Card: %s", view->map.problem);
    else
        snprintf(text, sizeof(text), "Card %s, free %s, %u entries; a square: %s", all, left,
                 view->map.file_count ? view->map.file_count - 1 : 0, each);
    squares_paint_headline(&view->squares, canvas, text);
}

static void card_paint_legend(const struct card_view *view, struct canvas *canvas)
{
    static const char *const names[CARD_SHOWN] = {
        [CARD_FREE] = "free",           [CARD_FILE] = "files", [CARD_DIRECTORY] = "directories",
        [CARD_LOST] = "nobody's, used", [CARD_BAD] = "bad",    [CARD_SYSTEM] = "system area",
    };
    unsigned entry = 0;
    char size[24], text[64];

    squares_clear_legend(&view->squares, canvas);
    for (unsigned kind = 0; kind < CARD_SHOWN; kind++) {
        if (view->kinds[kind] == 0)
            continue;
        card_write_size(view, view->kinds[kind], size, sizeof(size));
        snprintf(text, sizeof(text), "%s %s", names[kind], size);
        squares_paint_entry(&view->squares, canvas, entry++, card_view_colour((enum card_kind)kind),
                            text);
    }
}

bool card_view_draw(struct card_view *view, struct canvas *canvas)
{
    bool painted;

    card_take_accesses(view);
    painted = card_look(view);
    canvas_clip(canvas, view->squares.area);
    if (view->all)
        squares_paint_ground(&view->squares, canvas);
    if (view->all || painted) {
        card_paint_headline(view, canvas);
        card_paint_legend(view, canvas);
    }
    painted |= card_paint_squares(view, canvas) || view->all;
    view->all = false;
    return painted;
}

void card_view_place(struct card_view *view, struct rect area, unsigned scale)
{
    view->squares.area = area;
    view->squares.scale = (int)scale;
    card_lay_out(view);
    view->due = 0;
    view->changed = true;
}

/* ---- the mouse ---- */

void card_view_point(struct card_view *view, int x, int y)
{
    uint32_t point = squares_at(&view->squares, x, y);

    if (point == view->point)
        return;
    view->point = point;
    card_point_again(view);
}

static const char *card_kind_name(unsigned kind)
{
    return kind == CARD_SYSTEM ? "system area"
           : kind == CARD_FREE ? "free"
           : kind == CARD_BAD  ? "marked as bad"
                               : "marked as used, and nobody's";
}

bool card_view_describe(const struct card_view *view, char *text, size_t size)
{
    uint64_t first = (uint64_t)view->point * view->squares.group;
    char path[96];

    if (view->point == SQUARES_NONE || view->point >= squares_count(&view->squares))
        return false;
    if (view->file == CARD_MAP_NOBODY) {
        snprintf(text, size, "%s %llu: %s", first < view->lead ? "piece" : "cluster",
                 (unsigned long long)(first < view->lead ? first : first - view->lead + 2),
                 card_kind_name(card_piece_kind(view, first)));
        return true;
    }
    card_map_path(&view->map, view->file, path, sizeof(path));
    snprintf(text, size, "%s: %u cluster%s from %u on", path, view->map.files[view->file].clusters,
             view->map.files[view->file].clusters == 1 ? "" : "s",
             view->map.files[view->file].start);
    return true;
}

bool card_view_find(const struct card_view *view, uint32_t cluster, struct rect *square)
{
    if (!view->squares.group || cluster < 2 || cluster - 2 >= view->map.clusters)
        return false;
    *square = squares_rect(&view->squares,
                           (uint32_t)(((uint64_t)cluster - 2 + view->lead) / view->squares.group));
    return true;
}
