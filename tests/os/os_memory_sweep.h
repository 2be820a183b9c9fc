/* SPDX-License-Identifier: MIT */
/*
 * os_memory_sweep.h: a scenario at the prompt, run again and again with other allocations failing.
 *
 * A scenario is a few steps: bytes typed, pins driven, cards changed, time passed. It is run once
 * to learn how many allocations it makes; then a snapshot is taken back for each case, and the
 * verdict is on what the machine says and what it is afterwards:
 *
 *     prepare, snapshot --> steps (a plan fails allocations) --> finish (nothing fails)
 *             ^                                                    |
 *             +---- goes back for the next case <-- verdict <------+
 *
 * After a step the machine runs until nothing moves any more, so no test has to know how long a
 * command takes; a step that starts something without an end says for how long to run instead.
 */
#pragma once

#include "os.h"

#include <stdbool.h>

struct sweep_step {
    const char *type; /**< bytes for the serial line; NULL: none */
    unsigned pin;     /**< a pin number; 0: none (GPIO0 is not for tests) */
    enum tb_level level;
    const char *card; /**< "": take the card out; "standard": put the standard card in */
    unsigned ms;      /**< run so long; 0: until nothing moves */
};

#define SWEEP_STEPS_MAX 8
#define SWEEP_SITES_MAX 512u

struct sweep_scenario {
    const char *name;
    const char *card;    /**< one of TAYBERRY_BAD_CARDS; NULL: the standard card */
    const char *prepare; /**< typed before the snapshot; NULL: nothing */
    struct sweep_step steps[SWEEP_STEPS_MAX];
    const char *finish; /**< typed after the steps, with memory for everything */
    bool tests;         /**< tests of the kernel: "not ok" is a report, and some want a failure */
    bool sampled;       /**< too many allocations to fail each of them: some, evenly spread */
    bool varies;        /**< what it prints depends on how long things took */
    bool hungry;        /**< takes all memory there is: never on a machine with much of it */
    bool crowded;       /**< needs so many threads for each CPU that little memory is too little */
    bool wide;          /**< 2 MiB are too little for it, or too little to be whole afterwards */
    bool volume;        /**< on a FAT32 volume, of which `finish` has fsck say that it is clean */
    bool lasting;       /**< what the steps do themselves stays, with memory or without */
};

extern const struct sweep_scenario sweep_scenarios[];
extern const int sweep_scenario_count;

/** What all cases of all tests have in common: shared by the processes that Check makes. */
struct sweep_totals {
    unsigned cases, boots; /**< tried */
    struct {
        bool prompt, boot; /**< it failed at the prompt, or before the first one */
        bool silent;       /**< it failed and nothing told of it */
    } sites[SWEEP_SITES_MAX];
};
extern struct sweep_totals *sweep_totals;

/** Makes sweep_totals. Once, before the first test. */
void sweep_prepare(void);

/** Runs all cases of `scenario` on a machine with `memory` bytes of RAM. */
void sweep_run(const struct sweep_scenario *scenario, uint64_t memory);

/**
 * With the real clock there are no snapshots, and what happens is not told by a number: runs the
 * scenario TAYBERRY_RUNS times on one machine, with failures by chance, for tools that look on. It
 * is not judged but for the machine's going on.
 */
void sweep_run_real(const struct sweep_scenario *scenario, uint64_t memory);

/** True if `text` says that memory was lacking. */
bool sweep_is_report(const char *text);

/** Runs all cases of a boot with `memory` bytes of RAM. */
void sweep_run_boot(uint64_t memory);

/** Runs a program on a machine of its own, each allocation failing in turn. */
void sweep_run_exec(void);

/** Which of its file's sites number `number` is, from 1 on. */
unsigned sweep_ordinal(const struct tb_machine *machine, unsigned number);

/** Why nobody has to hear of a failure at site `number`, or NULL: somebody has to. */
const char *sweep_excuse(const struct tb_machine *machine, unsigned number);
