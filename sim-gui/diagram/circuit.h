/* SPDX-License-Identifier: MIT */
/*
 * circuit.h: the parts on the board while the machine runs.
 *
 * Light: an LED is lit while its anode is high and its cathode low. The library counts how long
 * each pin was high, so the share of the time between two samples that an LED was on is known
 * exactly, however fast the guest switches it: software PWM looks dimmed.
 *
 * Buttons: pressing one closes a contact, which joins nets, which gives pins a level from outside.
 * Real contacts bounce: they close and open a few times within 2 to 5 ms. The moments come from a
 * seed, in machine time, so that a run on the virtual clock repeats.
 *
 * Pins that wires join to one another are played at the pace of the samples: an input follows an
 * output once a frame, not edge by edge.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <tayberry.h>

#include "diagram/diagram.h"
#include "diagram/nets.h"

#define CIRCUIT_TOGGLES 9

struct bounce {
    uint64_t at[CIRCUIT_TOGGLES]; /* machine time of each change of the contact, rising */
    uint8_t count;                /* how many there are */
    uint8_t next;                 /* which is next; == count: the contact rests */
};

struct circuit_pin {
    uint64_t high_time, changes; /* at the last sample */
    bool output, level;
    float share; /* of the time between the last two samples that it was high, 0 .. 1 */
    enum tb_level driven;
};

struct circuit {
    const struct diagram *diagram;
    struct nets nets;
    uint64_t random;
    uint64_t sampled;           /* machine time of the last sample */
    bool held[DIAGRAM_PARTS];   /* buttons: a finger is on it */
    bool closed[DIAGRAM_PARTS]; /* buttons: the contact is closed */
    struct bounce bounce[DIAGRAM_PARTS];
    float light[DIAGRAM_PARTS]; /* LEDs: share of the time that it was on, 0 .. 1 */
    struct circuit_pin pins[TB_PINS];
};

/* The diagram must outlive the circuit. Drives what supply pins reach through wires and resistors.
 */
void circuit_init(struct circuit *circuit, const struct diagram *diagram, uint64_t seed,
                  struct tb_machine *machine);

/* A finger comes (`held`) or goes at part `part`, a button, at machine time `now`. */
void circuit_press(struct circuit *circuit, unsigned part, bool held, uint64_t now);

/* When the next contact changes, in machine time; UINT64_MAX: all rest. */
uint64_t circuit_due(const struct circuit *circuit);

/* Makes the changes that are due at `now`, each of them an edge on the pins. */
void circuit_advance(struct circuit *circuit, struct tb_machine *machine, uint64_t now);

/*
 * Looks at all pins, and works out each LED's light since the last sample; when no time has passed,
 * it stays as it was. `instant`: the light is that of this very moment, for a machine that is
 * paused.
 */
void circuit_sample(struct circuit *circuit, struct tb_machine *machine, bool instant);
