/* SPDX-License-Identifier: MIT */
/*
 * calls.h: system calls with arguments by chance, as a program without sense or with ill will
 * would make them. What the files of this folder have in common.
 *
 * The arguments' kinds are those of the table of calls (sys/call.h), so a call that is new there is
 * tried here. Who makes the calls is a *player*: a user thread of a real process, with memory,
 * descriptors and a directory, that plays a list of calls instead of running user code. A process
 * of some players is a *life*; it ends when its players have played enough, or have killed
 * themselves, and then another one begins.
 *
 *     scene:  a ramfs with some files   runners: 1 .. 3, each with one life after the other
 *             a watcher                 life:    1 .. 3 players
 *
 * All chances follow from one number, the seed.
 */
#pragma once

#include "fs/vnode.h"
#include "ktest/ktest.h"
#include "sys/call.h"
#include "tty/inside.h"

#include <hal/compiler.h>
#include <hal/machine.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block_device;
struct vm_space;
struct user_thread;
struct process;

/* ---- chance: value.c ---- */

struct calls_chance {
    uint64_t state;
};

/** A number below `limit` > 0, and one of 64 bits. */
uint32_t calls_below(struct calls_chance *chance, uint32_t limit);
uint64_t calls_bits(struct calls_chance *chance);

/** Chance number `index` of those that follow from `seed`. */
struct calls_chance calls_chance_of(uint64_t seed, uint64_t index);

/** Fills in arguments for a call with these kinds, made by process `pid`. */
void calls_choose(struct calls_chance *chance, const uint8_t kinds[SYS_ARGUMENTS], uint32_t pid,
                  struct sys_args *args);

/** Chooses a call, and arguments for it that belong together: its number. Caller is a player. May
 * sleep. sense/ */
unsigned calls_with_sense(struct calls_chance *chance, uint32_t pid, struct sys_args *args);

/* ---- the player's memory: memory.c ---- */

#define CALLS_BASE ((uintptr_t)0x20000000)
#define CALLS_PAGE(n) (CALLS_BASE + (uintptr_t)(n)*HAL_PAGE_SIZE)
#define CALLS_AREA_PAGES 8u
#define CALLS_SLOT 256u /**< the area is that many bytes for each thing */
#define CALLS_CODE CALLS_PAGE(48)
#define CALLS_STACK CALLS_PAGE(72) /**< its end */

/** Pointers to all kinds of memory, good and bad. */
uintptr_t calls_pointer(struct calls_chance *chance);

/** A pointer to a path, most of them good. */
uintptr_t calls_path(struct calls_chance *chance);

/** Where a certain text is: one of those that calls_path points to. */
uintptr_t calls_text(const char *text);

/** Makes in `space` the memory that those point to; `shared` (or NULL) is a file that is mapped. 0
 * or an error. May sleep. */
HAL_MUST_CHECK int calls_make_memory(struct vm_space *space, struct file *shared);

/** Fills the area with structures that calls might want. May sleep. */
void calls_fill(struct vm_space *space, struct calls_chance *chance);

/* ---- what must not change: state.c ---- */

#define CALLS_PARTS 9u

/** Digests of what the caller's process and its files are, but not of what they have cost. */
struct calls_state {
    uint64_t part[CALLS_PARTS];
};

/** False: no memory for that. `root` is the scene's. May sleep. */
HAL_MUST_CHECK bool calls_read_state(struct vnode *root, struct calls_state *state);

/** The name of the first part in which they differ, or NULL. */
const char *calls_difference(const struct calls_state *a, const struct calls_state *b);

/* ---- scenes: scene.c ---- */

#define CALLS_RUNNERS 3u
#define CALLS_PLAYERS 3u
#define CALLS_COUNTS 3u

struct calls_scene;

struct calls_player {
    struct calls_scene *scene;
    struct user_thread *thread;
    struct calls_chance chance;
    unsigned left;          /**< calls to be made */
    uint32_t kernel_thread; /**< atomic; 0: it does not play */
    uint32_t made;          /**< atomic */
    uint32_t seen;          /**< what `made` was when the watcher looked last */
    uint32_t looks;         /**< atomic: how often it was so */
    uint32_t pid;           /**< atomic: constant while it plays */
};

struct calls_runner {
    struct calls_scene *scene;
    struct thread *thread;
    struct calls_chance chance;
    struct calls_player players[CALLS_PLAYERS];
    uint32_t seen;  /**< the watcher's: the process when it looked last */
    uint32_t looks; /**< the same: how often that had no player left */
};

struct calls_scene {
    const char *path;                /**< where its ramfs is mounted */
    struct vnode *root;              /**< of that: a reference */
    struct vnode *processes;         /**< /proc, a reference, or NULL */
    unsigned mounts;                 /**< those that are not a player's */
    char text[VFS_PATH_MAX];         /**< room for where one is */
    bool rich;                       /**< it has a disk and pins, and calls have sense */
    const struct block_device *disk; /**< NULL: it has none */
    struct tty_settings settings;    /**< what the terminal had before */
    struct tty_window window;
    unsigned runners, players;
    bool judges;    /**< whether a call that failed has changed something */
    bool logs;      /**< each call, before it is made */
    int64_t budget; /**< calls that are still to be begun; atomic */
    bool over;      /**< atomic */
    uint64_t made, good, judged, wrong, lives; /**< atomic */
    struct {
        uint64_t made, good; /**< atomic */
    } calls[SYS_COUNT];
    struct calls_runner runner[CALLS_RUNNERS];
};

/* ---- what a scene and a life have: place/ ---- */

/** What the first descriptors of a life are for, if nobody has taken the file away. */
enum {
    CALLS_FILE = 2, /**< two of them */
    CALLS_DIRECTORY = 4,
    CALLS_PINS,
    CALLS_TERMINAL, /**< for reading, so that nobody's output is spoiled */
    CALLS_DISK,
    CALLS_EPOLL,
    CALLS_ALARM,
    CALLS_COUNTER,
    CALLS_LINES,
    CALLS_PIPE, /**< two of them */
    CALLS_GIVEN = 14
};

#define CALLS_DISK_PATH "/dev/ram0"

/** Makes the place of `scene`: a ramfs where nobody needs what is there, with some files, links and
 * devices. False: it could not be made. May sleep. */
bool calls_build(struct ktest_run *run, struct calls_scene *scene);

/** Takes it away again. May sleep. */
bool calls_unbuild(struct calls_scene *scene);

/** The terminal goes on, whatever a player has told it. Any context. */
void calls_keep_terminal(void);

/** Gives a new process its files and its directory. 0 or -ENOMEM. May sleep. */
HAL_MUST_CHECK int calls_give_files(struct process *process, struct calls_runner *runner);

/** The program exit(0) for this processor: its bytes, and how many there are. */
const uint8_t *calls_code(size_t *bytes);

/** Plays `budget` calls on a new scene that is gone when this returns. False: it could not be made,
 * or taken away again. May sleep. */
bool calls_play(struct ktest_run *run, struct calls_scene *scene, uint64_t seed, int64_t budget);
