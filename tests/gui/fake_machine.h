/* SPDX-License-Identifier: MIT */
/*
 * fake_machine.h: the library's functions that the window uses, over plain variables.
 *
 * The window's tests link this instead of libtayberry: they say how long a pin was high and see
 * what the window drives, without an operating system in between. Time passes when a test says so,
 * or inside tb_run_until.
 */
#pragma once

#include <tayberry.h>

#define FAKE_DRIVES 256
#define FAKE_FRAMES (1u << 18)

#define FAKE_EVENTS 4096

struct fake_drive {
    uint64_t time;
    unsigned pin;
    enum tb_level level;
};

struct tb_machine {
    uint64_t time, idle;
    enum tb_state state;
    double speed; /* as last set */
    bool act;
    struct tb_pin_info pins[TB_PINS];
    struct tb_pin_change history[64];
    size_t history_count;

    char output[65536]; /* printed by the guest, not yet taken */
    size_t output_count;
    char input[4096]; /* sent to the guest */
    size_t input_count;
    unsigned columns, rows; /* as the window told them */

    struct fake_drive drives[FAKE_DRIVES];
    size_t drive_count;
    unsigned runs, steps, cuts;
    uint64_t *host; /* a host clock that goes on as the machine runs; may be NULL */
    uint64_t cost;  /* host ns a call of tb_run_until takes */

    const uint8_t *card; /* card_sectors of 512 bytes; NULL: the slot is empty */
    uint64_t card_sectors;
    unsigned card_reads;
    struct tb_card_access accesses[16];
    size_t access_count;

    uint8_t frames[FAKE_FRAMES]; /* of RAM; 0: TB_FRAME_NONE */
    size_t frame_count;
    uint64_t allocations;
    struct tb_sched_event events[FAKE_EVENTS]; /* of the scheduler */
    size_t event_count;
    bool kept;          /* tb_sched_keep */
    unsigned looks;     /* calls of tb_memory_frames from frame 0 on */
    uint64_t look_cost; /* host ns each of them takes */
};

/* A machine that runs, with all pins inputs and low. */
void fake_init(struct tb_machine *machine);

/* Makes `pin` an output that was high for `high` of the `span` ns that pass, and ends at `level`.
 */
void fake_pulse(struct tb_machine *machine, unsigned pin, uint64_t high, bool level);

void fake_print(struct tb_machine *machine, const char *text);

/* Makes `n` frames from `first` on of one kind. */
void fake_frames(struct tb_machine *machine, uint64_t first, size_t n, unsigned kind);
