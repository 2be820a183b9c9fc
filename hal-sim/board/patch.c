/* SPDX-License-Identifier: MIT */
/*
 * patch.c: which system calls are patched, and how. x86-64.
 *
 *     b8 27 00 00 00   mov $39, %eax          e9 .. .. .. ..   jmp stub
 *     48 89 df         mov %rbx, %rdi   -->   48 89 df         (as before)
 *     0f 05            syscall                0f 05            (as before)
 *
 * One instruction gives way, of 5 bytes or more; the stub (host/gate.h) has that one and those up
 * to the system call. So whoever jumps to one of these, be it the system call itself, finds what
 * was there, and so does who comes back from a system call that the old text has made. What may be
 * moved: instructions that do the same anywhere, of the few kinds that compilers put there.
 *
 * Backwards, x86's code cannot be read with certainty: what looks like an instruction may be the
 * end of another. So what might be is left alone, and so is a constant that the register does not
 * have at the moment of the call. What is left alone is only slower.
 *
 * A call is patched the second time that it is seen. A copy is never changed: another CPU may be
 * executing it. Instead there is a new one.
 *
 * Stubs and copies are few. When they are used up, all are forgotten at once, and what is still
 * called is patched anew; so programs that have ended cost nothing for long.
 */
#include "board/patch.h"

#include "board/machine.h"
#include "board/views.h"
#include "host/host.h"

#include <hal/runtime.h>
#include <hal/user.h>

enum {
    SITES = 12,     /* patched calls of a copy, at most */
    BUCKETS = 1024, /* a power of two */
    COUNTS = 2048,  /* a power of two */
    JUMP_BYTES = 5,
    CALL_BYTES = 2,
    REACH = 24,        /* bytes before the call */
    MISSES_MIN = 2048, /* before they are forgotten again: patching anew costs less than these */
    NONE = HOST_TEXT_PAGES
};

struct copy {
    uint64_t frame;
    uint32_t page;
    uint16_t next; /* copy of its bucket, or free one; NONE: the last */
    uint16_t sites;
    uint16_t at[SITES];             /* where in the page */
    uint8_t was[SITES][JUMP_BYTES]; /* what was there */
};

static struct {
    uint8_t *text; /* NULL: no copy yet */
    uint64_t base; /* physical address of the first copy */
    uint16_t free; /* first of those that are */
    unsigned used;
    bool out;        /* one could not be patched for want of a stub, or a copy */
    unsigned misses; /* calls without a stub since they were forgotten */
    uint16_t buckets[BUCKETS];
    struct copy copies[HOST_TEXT_PAGES];
    struct {
        uint64_t frame;
        uint32_t call, seen;
    } counts[COUNTS];
} patches;

/* ---- copies ---- */

static uint8_t *bytes_of(const struct copy *copy)
{
    return patches.text + (size_t)(copy - patches.copies) * HAL_PAGE_SIZE;
}

static uint16_t *bucket_of(uint64_t frame, size_t page)
{
    uint64_t key = (frame / HAL_PAGE_SIZE) * 0x9e3779b97f4a7c15u ^ page * 0xc2b2ae3d27d4eb4fu;
    return &patches.buckets[key >> 40 & (BUCKETS - 1)];
}

static struct copy *find(uint64_t frame, size_t page)
{
    if (patches.used == 0)
        return NULL;
    for (uint16_t at = *bucket_of(frame, page); at != NONE; at = patches.copies[at].next)
        if (patches.copies[at].frame == frame && patches.copies[at].page == page)
            return &patches.copies[at];
    return NULL;
}

static struct copy *take(void)
{
    struct copy *copy = patches.free == NONE ? NULL : &patches.copies[patches.free];
    if (copy) {
        patches.free = copy->next;
        patches.used++;
    }
    return copy;
}

static void give(struct copy *copy)
{
    uint16_t number = (uint16_t)(copy - patches.copies);
    uint16_t *link = bucket_of(copy->frame, copy->page);
    while (*link != number)
        link = &patches.copies[*link].next;
    *link = copy->next;
    copy->next = patches.free;
    patches.free = number;
    patches.used--;
}

static void enter(struct copy *copy)
{
    uint16_t *bucket = bucket_of(copy->frame, copy->page);
    copy->next = *bucket;
    *bucket = (uint16_t)(copy - patches.copies);
}

void sim_patch_reset(void)
{
    host_user_forget_stubs();
    patches.used = 0;
    patches.out = false;
    patches.misses = 0;
    patches.free = 0;
    patches.text = NULL; /* RAM may be another one when it is asked for again */
    memset(patches.counts, 0, sizeof patches.counts);
    for (unsigned i = 0; i < BUCKETS; i++)
        patches.buckets[i] = NONE;
    for (unsigned i = 0; i < HOST_TEXT_PAGES; i++)
        patches.copies[i].next = (uint16_t)(i + 1);
}

static uint64_t address_of(const struct copy *copy)
{
    return patches.base + (uint64_t)(copy - patches.copies) * HAL_PAGE_SIZE;
}

uint64_t sim_patch_frame(uint64_t frame, size_t page)
{
    const struct copy *copy = find(frame, page);
    return copy ? address_of(copy) : frame;
}

/* Whether the frame holds what the copy was made from. */
static bool is_same(const struct copy *copy)
{
    const uint8_t *frame = machine.ram + copy->frame, *text = bytes_of(copy);
    size_t from = 0;
    for (unsigned i = 0; i < copy->sites; i++) {
        if (memcmp(frame + from, text + from, copy->at[i] - from) ||
            memcmp(frame + copy->at[i], copy->was[i], JUMP_BYTES))
            return false;
        from = copy->at[i] + JUMP_BYTES;
    }
    return !memcmp(frame + from, text + from, HAL_PAGE_SIZE - from);
}

/* No view leads to a copy that is free: what is written to it next is no text of this page. */
bool sim_patch_check(uint64_t frame, size_t page)
{
    struct copy *copy = find(frame, page);
    if (!copy || is_same(copy))
        return copy;
    sim_view_drop(page, 1);
    give(copy);
    return false;
}

bool sim_patch_agrees(uint64_t frame, size_t page, uint64_t at)
{
    const struct copy *copy = find(frame, page);
    return copy && at == address_of(copy) && is_same(copy);
}

/* ---- reading code ---- */

enum { WIDE = 8 }; /* of a REX prefix: 64 bits */

static bool is_rex(uint8_t byte)
{
    return (byte & 0xf0) == 0x40;
}

/* Bytes of the instruction, if it is of a kind that does the same anywhere; else 0. `room` bytes
 * belong to it and others. */
static size_t movable(const uint8_t *code, size_t room)
{
    size_t rex = is_rex(code[0]);
    const uint8_t *at = code + rex;
    if (room < rex + 2)
        return 0;
    bool registers = at[1] >= 0xc0;
    bool near_sp = room >= rex + 4 && (at[1] & 0xc7) == 0x44 && at[2] == 0x24;
    size_t n = 0;
    if ((at[0] & 0xf8) == 0xb8 && !(rex && (code[0] & WIDE))) /* mov $n, register */
        n = 5;
    else if (at[0] == 0xc7 && (at[1] & 0xf8) == 0xc0) /* mov $n, register, sign extended */
        n = 6;
    else if (at[0] == 0x8b && near_sp) /* mov n(%rsp), register */
        n = 4;
    else if (at[0] == 0x83 && registers) /* and $n, register, and its like */
        n = 3;
    else if (registers && (at[0] == 0x89 || at[0] == 0x8b || at[0] == 0x31 || at[0] == 0x63))
        n = 2;
    return n && rex + n <= room ? rex + n : 0;
}

/* Whether movable instructions fill these bytes exactly, and the first makes room for a jump. */
static bool is_chain(const uint8_t *code, size_t bytes)
{
    size_t n = movable(code, bytes), at = n;
    while (n && at < bytes) {
        n = movable(code + at, bytes - at);
        at += n;
    }
    return n && movable(code, bytes) >= JUMP_BYTES;
}

/* Whether it is the opcode of an instruction with a place in memory and a constant of 32 bits. */
static bool takes_both(uint8_t byte)
{
    return byte == 0x69 || byte == 0x81 || byte == 0xc7 || byte == 0xf7;
}

/* Whether the byte at `at` may be the last one that says where, and what follows the constant. */
static bool may_be_operand(const uint8_t *page, size_t at)
{
    const uint8_t *end = page + at;
    uint8_t last = end[-1];
    bool short_way = (last & 0xc0) == 0x40 && (last & 7) != 4;
    return (takes_both(end[-2]) && (short_way || (last & 0xc7) == 4)) ||
           (takes_both(end[-3]) && (end[-2] & 0xc7) == 0x44) ||
           (takes_both(end[-5]) && ((end[-4] & 0xc0) == 0x80 || (end[-4] & 0xc7) == 5)) ||
           (takes_both(end[-6]) && (end[-5] & 0xc7) == 0x84);
}

/* Whether what stands before may belong to the instruction, or the instruction to it. */
static bool may_continue(const uint8_t *page, size_t at)
{
    static const uint8_t prefixes[] = {0x0f, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
                                       0x66, 0x67, 0x8d, 0xf0, 0xf2, 0xf3};
    if (at < 6)
        return true; /* it cannot be seen */
    for (unsigned i = 0; i < sizeof prefixes; i++)
        if (page[at - 1] == prefixes[i])
            return true;
    return is_rex(page[at - 1]) || (page[at - 1] & 0xc7) == 0x84 || may_be_operand(page, at);
}

/* A constant that the first instruction gives a register must be there at the call. */
static bool is_true(const uint8_t *code, const struct hal_user *user)
{
    /* From the processor's order of registers to hal_user_read_registers'. */
    static const uint8_t order[] = {13, 14, 12, 11, 15, 10, 9, 8, 0, 1, 2, 3, 4, 5, 6, 7};
    uint64_t registers[HAL_USER_REGISTERS];
    size_t rex = is_rex(code[0]);
    int32_t value;
    if ((code[rex] & 0xf8) != 0xb8 && code[rex] != 0xc7)
        return true;
    bool extended = code[rex] == 0xc7;
    memcpy(&value, code + rex + 1 + extended, sizeof value);
    hal_user_read_registers(user, registers);
    unsigned number = (code[rex + extended] & 7) | (rex && (code[0] & 1) ? 8 : 0);
    uint64_t found = registers[order[number]];
    return extended && (code[0] & WIDE) ? found == (uint64_t)(int64_t)value
                                        : found == (uint32_t)value;
}

/* Where to patch for the call at `call` in the page; 0: nowhere. */
static size_t find_start(const uint8_t *page, size_t call, const struct hal_user *user)
{
    for (size_t back = JUMP_BYTES; back <= REACH && back <= call; back++) {
        if (host_user_is_guard(page + call - back, back) && !may_continue(page, call - back))
            return hal_user_call(user) == 0 ? call - back : 0;
        if (is_chain(page + call - back, back) && !may_continue(page, call - back))
            return is_true(page + call - back, user) ? call - back : 0;
    }
    return 0;
}

/* ---- patching ---- */

static bool get_text(void)
{
    if (!patches.text)
        patches.text = host_text(&patches.base);
    return patches.text;
}

/* Notes a site, in their order. */
static void add_site(struct copy *copy, size_t at, const uint8_t *was)
{
    unsigned i = copy->sites++;
    for (; i > 0 && copy->at[i - 1] > at; i--) {
        copy->at[i] = copy->at[i - 1];
        memcpy(copy->was[i], copy->was[i - 1], JUMP_BYTES);
    }
    copy->at[i] = (uint16_t)at;
    memcpy(copy->was[i], was, JUMP_BYTES);
}

/* A new copy, like the one that there is, with one site more. */
static void renew(const struct copy *old, struct copy *new, size_t at, uintptr_t stub)
{
    int32_t distance =
        (int32_t)((int64_t)stub - (int64_t)(new->page *HAL_PAGE_SIZE + at)) - JUMP_BYTES;
    if (old) {
        new->sites = old->sites;
        memcpy(new->at, old->at, sizeof new->at);
        memcpy(new->was, old->was, sizeof new->was);
    }
    memcpy(bytes_of(new), old ? bytes_of(old) : machine.ram + new->frame, HAL_PAGE_SIZE);
    add_site(new, at, machine.ram + new->frame + at);
    bytes_of(new)[at] = 0xe9;
    memcpy(bytes_of(new) + at + 1, &distance, sizeof distance);
}

static bool patch(uint64_t frame, size_t page, size_t call, const struct hal_user *user)
{
    struct copy *old = sim_patch_check(frame, page) ? find(frame, page) : NULL, *new;
    const uint8_t *from = machine.ram + frame;
    size_t at = find_start(from, call, user);
    if (!at || !get_text() || (old && old->sites == SITES))
        return false;
    for (unsigned i = 0; old && i < old->sites; i++)
        if (at < old->at[i] + (size_t)JUMP_BYTES && old->at[i] < call)
            return false;
    uintptr_t stub = patches.free == NONE
                         ? 0
                         : host_user_add_stub(page * HAL_PAGE_SIZE + at, from + at, call - at);
    if (!stub) {
        patches.out |= patches.free == NONE || host_user_stubs_are_out();
        return false;
    }
    new = take();
    new->frame = frame;
    new->page = (uint32_t)page;
    new->sites = 0;
    renew(old, new, at, stub);
    if (old)
        give(old);
    enter(new);
    return true;
}

bool sim_patch_is_out(void)
{
    return patches.out && patches.misses >= MISSES_MIN;
}

bool sim_patch_note(uint64_t frame, size_t page, const struct hal_user *user)
{
    uint32_t pc = (uint32_t)hal_user_pc(user), call = pc - CALL_BYTES;
    patches.misses++;
    if (call / HAL_PAGE_SIZE != page || (pc - 1) / HAL_PAGE_SIZE != page)
        return false;
    unsigned slot = (unsigned)((call ^ frame / HAL_PAGE_SIZE) * 0x9e3779b1u >> 20) & (COUNTS - 1);
    if (patches.counts[slot].frame != frame || patches.counts[slot].call != call) {
        patches.counts[slot].frame = frame;
        patches.counts[slot].call = call;
        patches.counts[slot].seen = 0;
    }
    return ++patches.counts[slot].seen == 2 && patch(frame, page, call % HAL_PAGE_SIZE, user);
}
