/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. Whatever is mapped, unmapped, protected, moved, forked, advised, synced, cut short, reclaimed
 *     and forgotten by the processor, in whatever order: each space has the regions that a simple
 *     model says, joined where they can be, and user code and the kernel's copies see the bytes
 *     that the model says, or the error.
 *  2. So it is when allocations and the processor's tables fail: such a call has changed nothing.
 *  3. What was written to shared mappings is on the medium after a sync, and at the end.
 *  4. At the end all memory is given back.
 *
 * The model has two bytes for each page of a small range of addresses. TAYBERRY_RUNS sets the
 * operations for each seed.
 */
#include "vm/suites.h"

#include "cache/page/page.h"
#include "mem/reclaim.h"
#include "site/fail.h"

#include <hal/errno.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPACES 3u
#define FILES 2u
#define WIDTH 64 /* pages of the range */
#define TOP 48   /* below this one mappings are put */
#define START ((uintptr_t)HAL_USER_START)
#define BREAK 20 /* page at which the break begins */
#define SHARES 256
#define NUMBERS 256 /* pages of a file or share that are told apart */
#define CELLS 2

enum kind { NOTHING, ZEROS, FROM_FILE, FROM_SHARE };

struct page {
    enum kind kind;
    unsigned access;
    bool shared, is_break, read_only; /* the last: the open file is */
    unsigned id;                      /* of the file or share */
    int number;                       /* in it */
    bool own;                         /* it has content of its own */
    uint8_t cell[CELLS];
};

struct model_space {
    struct vm_space *space; /* NULL: not there */
    struct page pages[WIDTH];
    int brk; /* page at which it ends */
};

static struct state {
    struct model_space spaces[SPACES];
    struct test_file files[FILES];
    uint8_t file_cells[FILES][NUMBERS][CELLS];
    int file_pages[FILES];
    uint8_t share_cells[SHARES][NUMBERS][CELLS];
    uint64_t random;
    bool may_fail;
    unsigned long operations, failures;
} all;

static const unsigned cell_at[CELLS] = {17, 4000};

static uint64_t next(void)
{
    all.random ^= all.random << 13;
    all.random ^= all.random >> 7;
    all.random ^= all.random << 17;
    return all.random >> 8;
}

static int below(int n)
{
    return (int)(next() % (uint64_t)n);
}

static bool chance(int one_in)
{
    return below(one_in) == 0;
}

static uintptr_t address_of(int page)
{
    return START + (uintptr_t)page * PAGE;
}

/* ---- the model ---- */

static bool follows(const struct page *a, const struct page *b)
{
    if (a->kind == NOTHING || a->kind != b->kind || a->access != b->access ||
        a->shared != b->shared || a->is_break != b->is_break)
        return false;
    return a->kind == ZEROS ||
           (a->id == b->id && a->read_only == b->read_only && b->number == a->number + 1);
}

/* Pages of the region that begins at `page`. */
static int length_at(const struct model_space *model, int page)
{
    int n = 1;

    while (page + n < WIDTH && follows(&model->pages[page + n - 1], &model->pages[page + n]))
        n++;
    return n;
}

static bool covers(const struct model_space *model, int page, int n)
{
    for (int i = page; i < page + n; i++)
        if (model->pages[i].kind == NOTHING)
            return false;
    return true;
}

static bool is_free(const struct model_space *model, int page, int n)
{
    for (int i = page; i < page + n; i++)
        if (model->pages[i].kind != NOTHING)
            return false;
    return true;
}

/* The highest place for `n` pages, or -1. */
static int find_place(const struct model_space *model, int n)
{
    for (int page = TOP - n; page >= 0; page--)
        if (is_free(model, page, n))
            return page;
    return -1;
}

static void forget(struct model_space *model, int page, int n)
{
    memset(&model->pages[page], 0, (size_t)n * sizeof(struct page));
}

static uint8_t content(const struct page *page, unsigned cell)
{
    if (page->own)
        return page->cell[cell];
    if (page->kind == FROM_FILE)
        return all.file_cells[page->id][page->number][cell];
    return page->kind == FROM_SHARE ? all.share_cells[page->id][page->number][cell] : 0;
}

static void change(struct page *page, unsigned cell, uint8_t byte)
{
    if (page->shared) {
        if (page->kind == FROM_FILE)
            all.file_cells[page->id][page->number][cell] = byte;
        else
            all.share_cells[page->id][page->number][cell] = byte;
        return;
    }
    for (unsigned i = 0; i < CELLS && !page->own; i++)
        page->cell[i] = content(page, i);
    page->own = true;
    page->cell[cell] = byte;
}

/* What user code meets that wants to do this. */
static int expected(const struct page *page, unsigned access)
{
    if (page->kind == NOTHING)
        return -EFAULT;
    if (!(page->access & access))
        return -EACCES;
    if (page->kind == FROM_FILE && page->number >= all.file_pages[page->id])
        return -ENXIO;
    return 0;
}

static unsigned unused_share(void)
{
    static bool used[SHARES];

    memset(used, 0, sizeof used);
    for (unsigned i = 0; i < SPACES; i++)
        for (int page = 0; page < WIDTH; page++)
            if (all.spaces[i].pages[page].kind == FROM_SHARE)
                used[all.spaces[i].pages[page].id] = true;
    for (unsigned i = 0; i < SHARES; i++)
        if (!used[i]) {
            memset(all.share_cells[i], 0, sizeof all.share_cells[i]);
            return i;
        }
    ck_abort_msg("no share");
    return 0;
}

/* ---- comparing ---- */

static void check_region(const struct model_space *model, int page, uintptr_t *at)
{
    const struct page *is = &model->pages[page];
    struct vm_region_info info;

    ck_assert(vm_region_at(model->space, *at, &info));
    ck_assert_uint_eq(info.start, address_of(page));
    ck_assert_uint_eq(info.end, address_of(page + length_at(model, page)));
    ck_assert_uint_eq(info.access, is->access);
    ck_assert_uint_eq(info.flags, is->shared ? VM_SHARED : VM_PRIVATE);
    ck_assert(info.is_break == is->is_break);
    ck_assert((info.file != NULL) == (is->kind == FROM_FILE));
    if (info.file) {
        struct test_file *file = &all.files[is->id];

        ck_assert(info.file == (is->read_only ? file->read_only : file->file));
        ck_assert_uint_eq(info.offset, (uint64_t)is->number * PAGE);
        file_put(info.file);
    }
    *at = info.end;
}

static void check_regions(const struct model_space *model)
{
    struct vm_region_info info;
    struct vm_usage usage;
    uintptr_t at = START;
    uint64_t mapped = 0;

    for (int page = 0; page < WIDTH; page += length_at(model, page))
        if (model->pages[page].kind != NOTHING)
            check_region(model, page, &at);
    for (int page = 0; page < WIDTH; page++)
        mapped += model->pages[page].kind != NOTHING ? PAGE : 0;
    ck_assert(!vm_region_at(model->space, at, &info));
    vm_read_usage(model->space, &usage);
    ck_assert_uint_eq(usage.mapped, mapped);
    ck_assert_uint_le(usage.resident, mapped / PAGE);
    ck_assert_uint_eq(usage.break_end, address_of(model->brk));
}

/* True if it went as expected; false if memory was short, which is allowed now. */
static bool went(int64_t result, int64_t wanted)
{
    if (result == wanted)
        return true;
    ck_assert_msg(all.may_fail && result == -ENOMEM, "%lld instead of %lld", (long long)result,
                  (long long)wanted);
    all.failures++;
    return false;
}

/* ---- operations ---- */

static void do_map(struct model_space *model)
{
    int n = 1 + below(12), page = below(WIDTH - n + 1), at = find_place(model, n);
    unsigned accesses[] = {0, R, RW, RW, RW, RX}, access = accesses[below(6)];
    unsigned flags = chance(2) ? VM_FIXED : chance(3) ? VM_FIXED_NOREPLACE : 0;
    struct page first = {.kind = chance(2) ? FROM_FILE : ZEROS, .access = access};
    struct file *file = NULL;
    int64_t wanted, got;

    first.shared = chance(2);
    if (first.kind == FROM_FILE) {
        first.id = (unsigned)below(FILES);
        first.number = below(16);
        first.read_only = chance(2);
        file = first.read_only ? all.files[first.id].read_only : all.files[first.id].file;
    } else if (first.shared) {
        first.kind = FROM_SHARE;
        first.id = unused_share();
    }
    if (flags)
        at = page;
    wanted = at < 0 ? -ENOMEM : (int64_t)address_of(at);
    if (file && first.shared && first.read_only && (access & HAL_USER_WRITE))
        wanted = -EACCES;
    else if (flags == VM_FIXED_NOREPLACE && !is_free(model, page, n))
        wanted = -EEXIST;
    got = vm_map(model->space, flags ? address_of(page) : 0, (size_t)n * PAGE - (size_t)below(4000),
                 access, flags | (first.shared ? VM_SHARED : VM_PRIVATE), file,
                 (uint64_t)first.number * PAGE);
    if (!went(got, wanted) || got < 0)
        return;
    for (int i = 0; i < n; i++, first.number++)
        model->pages[at + i] = first;
}

static void do_unmap(struct model_space *model)
{
    int n = 1 + below(8), page = below(WIDTH - n + 1);

    if (went(vm_unmap(model->space, address_of(page), (size_t)n * PAGE), 0))
        forget(model, page, n);
}

static void do_protect(struct model_space *model)
{
    int n = 1 + below(8), page = below(WIDTH - n + 1), wanted = 0;
    unsigned accesses[] = {0, R, RW, RW, RX}, access = accesses[below(5)];

    for (int i = page; i < page + n; i++) {
        const struct page *is = &model->pages[i];

        if (is->kind == FROM_FILE && is->shared && is->read_only && (access & HAL_USER_WRITE))
            wanted = -EACCES;
    }
    if (!covers(model, page, n))
        wanted = -ENOMEM;
    if (went(vm_protect(model->space, address_of(page), (size_t)n * PAGE, access), wanted) &&
        wanted == 0)
        for (int i = page; i < page + n; i++)
            model->pages[i].access = access;
}

/* Moves and lengthens in the model. */
static void move(struct model_space *model, int from, int n, int to, int m)
{
    struct page moved[WIDTH];

    memcpy(moved, &model->pages[from], (size_t)n * sizeof *moved);
    for (int i = n; i < m; i++) {
        moved[i] = moved[i - 1];
        moved[i].number++;
        moved[i].own = false;
    }
    if (to != from) {
        for (int i = 0; i < m; i++)
            moved[i].is_break = false;
        forget(model, to, m);
    }
    forget(model, from, n);
    memcpy(&model->pages[to], moved, (size_t)m * sizeof *moved);
}

static void do_remap(struct model_space *model)
{
    int n = 1 + below(8), from = below(WIDTH - n + 1), m = 1 + below(12);
    unsigned flags = chance(4) ? 0 : VM_REMAP_MAY_MOVE;
    bool fixed = flags && chance(2);
    int to = from, end = from;
    int64_t wanted;

    if (from + m > WIDTH)
        m = WIDTH - from;
    while (end < from + n && (end == from || follows(&model->pages[end - 1], &model->pages[end])))
        end++;
    if (fixed)
        to = below(WIDTH - m + 1);
    else if (m > n && !(is_free(model, from + n, m - n)))
        to = flags ? find_place(model, m) : -1;
    if (model->pages[from].number > NUMBERS - 3 * WIDTH)
        return;
    wanted = to < 0 ? -ENOMEM : (int64_t)address_of(to);
    if (model->pages[from].kind == NOTHING || end < from + n)
        wanted = -EFAULT;
    if (fixed && to < from + n && from < to + m)
        wanted = -EINVAL;
    if (went(vm_remap(model->space, address_of(from), (size_t)n * PAGE, (size_t)m * PAGE,
                      flags | (fixed ? VM_REMAP_FIXED : 0), fixed ? address_of(to) : 0),
             wanted) &&
        wanted > 0)
        move(model, from, n, to, m);
}

static void do_break(struct model_space *model)
{
    int end = BREAK + below(20), old = model->brk;
    bool can = end <= old || is_free(model, old, end - old);
    uintptr_t got = vm_set_break(model->space, address_of(end));
    const struct page page = {.kind = ZEROS, .access = RW, .is_break = true};

    if (got == address_of(old) && end != old && can) {
        ck_assert(all.may_fail);
        all.failures++;
        return;
    }
    ck_assert_uint_eq(got, address_of(can ? end : old));
    if (!can)
        return;
    model->brk = end;
    for (int i = old; i < end; i++)
        model->pages[i] = page;
    if (end < old)
        forget(model, end, old - end);
}

static void do_advise(struct model_space *model)
{
    int n = 1 + below(8), page = below(WIDTH - n + 1);
    int wanted = covers(model, page, n) ? 0 : -ENOMEM;

    if (chance(4)) {
        (void)went(vm_advise(model->space, address_of(page), (size_t)n * PAGE, VM_WILL_NEED),
                   wanted);
        while (cache_ahead_step())
            ;
        return;
    }
    if (went(vm_advise(model->space, address_of(page), (size_t)n * PAGE, VM_DONT_NEED), wanted) &&
        wanted == 0)
        for (int i = page; i < page + n; i++)
            model->pages[i].own = false;
}

static void check_medium(const struct page *page)
{
    const struct test_file *file;

    if (page->kind != FROM_FILE || !page->shared || page->number >= all.file_pages[page->id])
        return;
    file = &all.files[page->id];
    if (file->has_frames)
        return;
    for (unsigned i = 0; i < CELLS; i++)
        ck_assert_uint_eq(file->medium[(uintptr_t)page->number * PAGE + cell_at[i]],
                          content(page, i));
}

static void do_sync(struct model_space *model)
{
    int n = 1 + below(16), page = below(WIDTH - n + 1);
    int wanted = covers(model, page, n) ? 0 : -ENOMEM;

    if (went(vm_sync(model->space, address_of(page), (size_t)n * PAGE, true), wanted) &&
        wanted == 0)
        for (int i = page; i < page + n; i++)
            check_medium(&model->pages[i]);
}

static void create(struct model_space *model)
{
    struct vm_limits limits;

    if (!went(vm_space_create(&model->space), 0))
        return;
    vm_read_limits(model->space, &limits);
    limits.top = address_of(TOP);
    vm_set_limits(model->space, &limits);
    vm_place_break(model->space, address_of(BREAK) - 5);
    model->brk = BREAK;
}

static void do_fork(struct model_space *model)
{
    struct model_space *other = &all.spaces[below(SPACES)];
    struct vm_space *child;

    if (other == model)
        return;
    vm_space_put(other->space);
    memset(other, 0, sizeof *other);
    if (!went(vm_space_fork(model->space, chance(2), &child), 0))
        return;
    *other = *model;
    other->space = child;
}

static void do_cut(void)
{
    unsigned id = (unsigned)below(FILES);
    int n = below(24);

    test_file_resize(&all.files[id], (uint64_t)n * PAGE);
    for (int i = n < all.file_pages[id] ? n : all.file_pages[id]; i < NUMBERS; i++)
        memset(all.file_cells[id][i], 0, CELLS);
    all.file_pages[id] = n;
    for (unsigned i = 0; i < SPACES; i++)
        for (int p = 0; p < WIDTH; p++) {
            struct page *page = &all.spaces[i].pages[p];

            if (page->kind == FROM_FILE && page->id == id && page->number >= n)
                page->own = false;
        }
}

/* The kernel's copies say -EFAULT for all that user code meets. */
static int kernel_access(struct vm_space *space, uintptr_t at, bool write, uint8_t *byte,
                         int wanted)
{
    int error = write ? vm_copy_out(space, at, byte, 1) : vm_copy_in(space, byte, at, 1);

    if (error == -EFAULT && wanted)
        return wanted;
    return error == -EFAULT && all.may_fail ? -ENOMEM : error;
}

static void touch(struct model_space *model, int p, unsigned cell, bool write)
{
    struct page *page = &model->pages[p];
    uintptr_t at = address_of(p) + cell_at[cell];
    unsigned access = write ? HAL_USER_WRITE : HAL_USER_READ;
    int wanted = expected(page, access), error;
    uint8_t byte = (uint8_t)next();

    if (chance(3))
        error = kernel_access(model->space, at, write, &byte, wanted);
    else
        error = user_access(model->space, at, access, &byte);
    if (!went(error, wanted) || error)
        return;
    if (write)
        change(page, cell, byte);
    else
        ck_assert_uint_eq(byte, content(page, cell));
}

static void set_failures(void)
{
    struct hal_fail_plan plan = {.kind = HAL_FAIL_NONE};

    all.may_fail = chance(2);
    fake_aspace.fail_map = 0;
    if (all.may_fail && chance(2))
        plan = (struct hal_fail_plan){.kind = HAL_FAIL_NTH, .n = 1 + next() % 6};
    else if (all.may_fail && chance(2))
        plan = (struct hal_fail_plan){.kind = HAL_FAIL_SHARE, .n = 4};
    else if (all.may_fail)
        fake_aspace.fail_map = fake_aspace.maps + 1 + next() % 8;
    alloc_fail_set(&plan);
}

static void all_is_well(void)
{
    const struct hal_fail_plan none = {.kind = HAL_FAIL_NONE};

    all.may_fail = false;
    fake_aspace.fail_map = 0;
    alloc_fail_set(&none);
}

static void check_content(struct model_space *model)
{
    all_is_well();
    for (int page = 0; page < WIDTH; page++)
        for (unsigned cell = 0; cell < CELLS; cell++)
            touch(model, page, cell, false);
}

static void other_step(struct model_space *model)
{
    switch (below(11)) {
    case 0:
        cache_lru_reclaim(next() % 100);
        break;
    case 1:
        reclaim_frames(next() % 100);
        break;
    case 2:
        fake_aspace_forget(model->space);
        break;
    case 3:
        check_content(model);
        break;
    case 4:
        all_is_well(); /* writing back what files have needs memory in this test's files */
        do_cut();
        break;
    case 5:
        if (cache_sync(&all.files[0].object))
            all.failures++;
        break;
    case 6:
        vm_space_put(model->space);
        memset(model, 0, sizeof *model);
        break;
    default:
        set_failures();
    }
}

static void step(void)
{
    static void (*const operations[])(struct model_space *) = {
        do_map, do_map, do_unmap, do_protect, do_remap, do_break, do_advise, do_sync, do_fork};
    struct model_space *model = &all.spaces[below(SPACES)];
    int what = below(27);

    all.operations++;
    if (!model->space)
        create(model);
    if (!model->space)
        return;
    if (what < 9)
        operations[what](model);
    else if (what < 20)
        touch(model, below(WIDTH), (unsigned)below(CELLS), chance(2));
    else
        other_step(model);
    if (model->space)
        check_regions(model);
}

static void begin(unsigned seed)
{
    memset(&all, 0, sizeof all);
    all.random = 0x9e3779b97f4a7c15ull * (seed + 1);
    fake_aspace.forget_one_in = seed % 2 ? 9 : 0;
    for (unsigned i = 0; i < FILES; i++) {
        all.file_pages[i] = 16;
        test_file_init(&all.files[i], i, 16, (uint8_t)i);
        for (int page = 0; page < 16; page++)
            for (unsigned cell = 0; cell < CELLS; cell++)
                all.file_cells[i][page][cell] =
                    test_file_byte((uintptr_t)page * PAGE + cell_at[cell], (uint8_t)i);
    }
}

static void end(void)
{
    all_is_well();
    for (unsigned i = 0; i < SPACES; i++) {
        if (all.spaces[i].space)
            check_content(&all.spaces[i]);
        vm_space_put(all.spaces[i].space);
    }
    ck_assert_int_eq(cache_sync(&all.files[0].object), 0);
    for (int page = 0; page < all.file_pages[0]; page++)
        for (unsigned cell = 0; cell < CELLS; cell++)
            ck_assert_uint_eq(all.files[0].medium[(uintptr_t)page * PAGE + cell_at[cell]],
                              all.file_cells[0][page][cell]);
    for (unsigned i = 0; i < FILES; i++)
        test_file_finish(&all.files[i]);
}

START_TEST(spaces_are_as_the_model_says)
{
    const char *runs = getenv("TAYBERRY_RUNS");
    unsigned long n = runs ? strtoul(runs, NULL, 10) : 4000;
    struct in_use before;

    vm_test_start();
    before = read_in_use();
    begin((unsigned)_i);
    for (unsigned long i = 0; i < n; i++)
        step();
    end();
    ck_assert_uint_eq(fake_aspace.live, 0);
    check_in_use(before);
    printf("# seed %d: %lu operations, %lu failed; %llu pages shown to the processor\n", _i,
           all.operations, all.failures, (unsigned long long)fake_aspace.mapped_pages);
}
END_TEST

Suite *model_suite(void)
{
    Suite *suite = suite_create("model");
    TCase *tcase = tcase_create("model");

    tcase_set_timeout(tcase, 300);
    tcase_add_loop_test(tcase, spaces_are_as_the_model_says, 0, 6);
    suite_add_tcase(suite, tcase);
    return suite;
}
