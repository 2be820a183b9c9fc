/* SPDX-License-Identifier: MIT */
/*
 * cuts.h: cuts the power at every write of sequences of file operations, and judges what is left.
 *
 * How it works. A volume in memory (card.c), the driver above it (driver.c), and a model of what
 * the tree should be after each operation (model.c). The writes and flushes that a sequence makes
 * are recorded. Then, for each place between two writes and each choice of which of the writes that
 * were not flushed have reached the card (explore.c), the volume as it would have been is judged
 * (judge.c): the checker may find it untidy and not damaged; the driver must mount it, writable,
 * and show the tree as it was after some operation that is not older than the last sync; unmounted,
 * it must be flawless. What mounting writes is recorded, too, and cut in the same way.
 *
 * Many cuts leave the same volume, so what a volume becomes is remembered by a hash of its bytes
 * (seen.c), in memory that all processes of a run share.
 *
 * All state of a process is in the structures below: there is one card and one driver.
 */
#pragma once

#include "card.h"
#include "model.h"

#include <hal/block.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- common ---- */

#define DEPTH_MAX 2u /* cuts of the mount that follows a cut */

uint64_t mix_hash(uint64_t hash, uint64_t value);
uint64_t hash_bytes(uint64_t hash, const void *data, size_t n);

/** A sequence of numbers that is the same everywhere; `n` > 0. */
uint32_t chance(uint64_t *state, uint32_t n);

/* ---- script.c: operations ---- */

enum operation_kind {
    OP_CREATE,
    OP_MKDIR,
    OP_WRITE, /* at `offset` from the beginning */
    OP_APPEND,
    OP_TRUNCATE,
    OP_RENAME, /* and move, and replace */
    OP_UNLINK,
    OP_UNLINK_OPEN, /* writes to it, and closes it, afterwards */
    OP_RMDIR,
    OP_FSYNC,
    OP_SYNC,
    OP_REMOUNT,
    OP_KINDS
};

struct operation {
    enum operation_kind kind;
    const char *path, *to;
    uint32_t offset, bytes;
};

extern const struct operation operations[];
unsigned operation_count(void);
void operation_print(const struct operation *operation);
struct operation operation_random(uint64_t *random);

/** What the volume has before the sequence. */
extern const struct operation preparations[];
unsigned preparation_count(void);

/** Does the operation with the driver, and in the model as its next state. */
void operate(const struct operation *operation, struct log *log);

/* ---- driver.c: the driver under test ---- */

/** 0 or the error; only a writable mount is one. */
int driver_mount(void);
void driver_unmount(void);

/** Why the last mount was refused; or "". */
const char *driver_problem(void);

/** Whoever removes or renames a file has it open, as the VFS does; or not. */
extern bool driver_holds;

/* As their names say; 0 or a negative error. */
int driver_create(const char *path, bool directory);
int driver_remove(const char *path, bool directory);
int driver_unlink_open(const char *path, const void *data, size_t n);
int driver_rename(const char *from, const char *to);
int64_t driver_write(const char *path, uint64_t offset, const void *data, size_t n);
int driver_truncate(const char *path, uint64_t size);
int driver_sync(void);
int driver_fsync(const char *path);

/** What cannot be read is left out when the tree is read. */
extern bool driver_skips;

/** Reads the whole tree; contents stay until the next call. False if that fails. */
bool driver_read_tree(struct snapshot *tree);
void driver_print_log(void);

/* ---- seen.c: volumes that have been judged ---- */

/** Makes room for 2^bits volumes, shared with processes that are forked later. */
void seen_start(unsigned bits);
void seen_clear(void);

/** True if the volume is known; then *tree is the hash of what it becomes, 0: not known yet. */
bool seen_find(uint64_t volume, uint64_t *tree);
/** Enters it; false if it was there. */
bool seen_add(uint64_t volume, uint64_t tree);
uint64_t seen_lost(void);

/* ---- judge.c ---- */

struct where { /* a cut, or a cut of the mount after it, ... */
    unsigned depth;
    unsigned cut[DEPTH_MAX + 1];    /* behind so many events */
    uint64_t choice[DEPTH_MAX + 1]; /* which of the writes that were not flushed are there */
    unsigned torn;                  /* how the last of them is torn; 0: it is not */
};

/* What a tree may be: a state between two of the model's, or exactly one. */
struct expected {
    unsigned first, last;
    uint64_t exact; /* 0: see above */
};

/**
 * Judges the card: raw, mounted, and unmounted, which changes it. Returns the hash of its tree, and
 * in *log what the driver wrote; `log` may be NULL. Does not return if it fails.
 */
uint64_t judge_card(const struct where *where, const struct expected *expected, struct log *log);

/**
 * Judges the card, of which the sector `torn` was torn: it must be as good as any other, or that is
 * found out: then it is mounted read-only, or not at all, until it is repaired. What is in a file
 * nobody but the card can judge: there the sector may be anything. Returns the hash of the tree, or
 * TREE_FOUND_OUT; does not return if it fails.
 */
#define TREE_FOUND_OUT 1u
uint64_t judge_torn(const struct where *where, const struct expected *expected, uint32_t torn);

/** True if a volume that becomes `tree` is good. */
bool judge_allows(const struct expected *expected, uint64_t tree);

/** The only way out if something is wrong. */
_Noreturn void judge_fail(const struct where *where, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- fsck.c: fsck.fat, and what it may say ---- */

enum verdict { VERDICT_CLEAN, VERDICT_ALLOWED, VERDICT_BAD, VERDICT_NONE };

/** Asks fsck.fat about the card. *text: what it said. VERDICT_NONE: there is no fsck.fat. */
enum verdict fsck_ask(const char **text);

/* ---- explore.c ---- */

/** The card as it is now is what the next exploration begins with. */
void explore_base(unsigned depth);

/** Puts it there again. */
void explore_restore(unsigned depth);

/**
 * Cuts everywhere behind the first `from` events of `log`. `only`: nowhere but there. `where` and
 * `expected` are of the cut that `log` came from, for depths above 0.
 */
void explore(const struct log *log, unsigned from, const struct where *only,
             const struct where *where, const struct expected *expected);

/* ---- run.c ---- */

struct counters { /* shared by all processes of a run */
    uint64_t sequences, operations, tried, distinct, nested, deepest, mended, fsck_clean, fsck_raw,
        repaired, slow, overflows, failed;
    uint64_t torn, torn_whole, torn_data, torn_found; /* sectors; what became of the volume */
};

extern struct counters *counters;

struct settings {
    const char *size;
    unsigned geometry;
    unsigned subset_bits;   /* of that many unflushed writes every subset is tried */
    unsigned samples;       /* beyond */
    unsigned torn_each;     /* in one of that many sequences sectors are torn; 0: in none */
    unsigned nested_each;   /* of that many distinct volumes one is cut again; 0: none */
    unsigned fsck_raw_each; /* the same for fsck.fat's opinion before it is mounted */
    unsigned fsck_each;     /* and of those that have been mounted and unmounted */
    unsigned repair_each;   /* of that many volumes one is repaired, too, instead of mounted */
    bool verbose;
    const char *dump;
    const char *plant;
    char sequence[300]; /* how to have it again */
};

extern struct settings settings;

/* What a process does. */
struct work {
    unsigned pairs_step; /* of the sequences of two, every so many; 0: none */
    uint64_t seed;
    unsigned from, to, length; /* of the random sequences of that length those with such numbers */
};

/** Formats the card, fills it, and readies everything for sequences. */
void run_start(unsigned geometry);

/** The share `part` of `parts` of the work. */
void run_work(const struct work *work, unsigned part, unsigned parts);

/** One sequence: of these operations, or random ones. */
void run_numbers(const unsigned *numbers, unsigned n, const struct where *only);
void run_random(uint64_t seed, unsigned length, const struct where *only);

/* ---- plants.c: bugs to be found ---- */

/** Makes the driver, or what is below it, wrong in the way of that name. False: there is none. */
bool plant(const char *name);

/** The name of bug number `n`, or NULL. */
const char *plant_name(unsigned n);

#define COUNT(what) __atomic_fetch_add(&counters->what, 1, __ATOMIC_RELAXED)
