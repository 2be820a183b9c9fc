/* SPDX-License-Identifier: MIT */
/*
 * nets.h: which contacts are joined, and by what.
 *
 * Two contacts are joined *firmly* when wires or closed buttons lead from one to the other, and
 * *loosely* when resistors may also be on the way. Union-find over all contacts gives both
 * partitions, a firm one and a coarser loose one. The firm one decides first: a button to ground
 * beats a pull-up resistor to 3.3 V, as it does on a table.
 *
 * The sets are made anew whenever a button's contact opens or closes; nothing is ever split.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "diagram/board.h"
#include "diagram/diagram.h"

#define NETS_NODES (BOARD_PINS + (DIAGRAM_PARTS - 1) * 4)

/* What a set of joined contacts touches on the board. */
struct net {
    bool ground;
    bool supply;    /* 3.3 V or 5 V */
    uint32_t gpios; /* bit n: GPIOn */
};

struct nets {
    uint16_t first[DIAGRAM_PARTS];   /* the node of each part's contact 0 */
    uint16_t up[2][NETS_NODES];      /* union-find: [0] firm, [1] loose; a root points at itself */
    struct net found[2][NETS_NODES]; /* valid at roots */
};

enum net_level { NET_FLOATING, NET_LOW, NET_HIGH };

/* Joins everything. `closed` has a flag for each part; those of push buttons count; NULL: all open.
 */
void nets_solve(struct nets *nets, const struct diagram *diagram, const bool *closed);

/* What `contact` is joined to, firmly or loosely. */
const struct net *nets_at(const struct nets *nets, struct contact contact, bool loosely);

/* The level that supply pins alone give to `contact`: firm joints first, ground before supply. */
enum net_level nets_level(const struct nets *nets, struct contact contact);

/* Whether wires alone, with no button pressed, join a supply pin and ground. */
bool nets_short_circuit(const struct diagram *diagram);
