/* SPDX-License-Identifier: MIT */
/*
 * nets.c: union-find, twice.
 */
#include "diagram/nets.h"

#include <stddef.h>
#include <string.h>

enum { NETS_FIRM, NETS_LOOSE };

static uint16_t nets_root(const struct nets *nets, unsigned kind, uint16_t node)
{
    while (nets->up[kind][node] != node)
        node = nets->up[kind][node];
    return node;
}

/* The smaller root wins, so that chains stay short: the board's pins come first. */
static void nets_join(struct nets *nets, unsigned kind, uint16_t one, uint16_t other)
{
    uint16_t a = nets_root(nets, kind, one);
    uint16_t b = nets_root(nets, kind, other);

    if (a < b)
        nets->up[kind][b] = a;
    else
        nets->up[kind][a] = b;
}

static void nets_join_firmly(struct nets *nets, uint16_t one, uint16_t other)
{
    nets_join(nets, NETS_FIRM, one, other);
    nets_join(nets, NETS_LOOSE, one, other);
}

static uint16_t nets_node(const struct nets *nets, struct contact contact)
{
    return (uint16_t)(nets->first[contact.part] + contact.pin);
}

/* Gives every contact a node: the board's first, so that its pins become roots. */
static void nets_number(struct nets *nets, const struct diagram *diagram)
{
    uint16_t next = BOARD_PINS;

    for (size_t i = 0; i < diagram->part_count; i++) {
        enum part_kind kind = diagram->parts[i].kind;
        if (kind == PART_BOARD) {
            nets->first[i] = 0;
            continue;
        }
        nets->first[i] = next;
        next = (uint16_t)(next + diagram_contact_count(kind));
    }
    for (uint16_t node = 0; node < next; node++)
        nets->up[NETS_FIRM][node] = nets->up[NETS_LOOSE][node] = node;
}

/* What is joined inside a part: strips of a button, its contact, a resistor's body. */
static void nets_join_part(struct nets *nets, enum part_kind kind, uint16_t first, bool closed)
{
    if (kind == PART_RESISTOR)
        nets_join(nets, NETS_LOOSE, first, (uint16_t)(first + 1));
    if (kind != PART_BUTTON)
        return;
    nets_join_firmly(nets, first, (uint16_t)(first + 2));
    nets_join_firmly(nets, (uint16_t)(first + 1), (uint16_t)(first + 3));
    if (closed)
        nets_join_firmly(nets, first, (uint16_t)(first + 1));
}

/* Writes at each root what its set touches. */
static void nets_find(struct nets *nets, unsigned kind)
{
    memset(nets->found[kind], 0, sizeof(nets->found[kind]));
    for (unsigned number = 1; number <= BOARD_PINS; number++) {
        const struct board_pin *pin = board_pin(number);
        struct net *net = &nets->found[kind][nets_root(nets, kind, (uint16_t)(number - 1))];

        net->ground |= pin->kind == BOARD_GROUND;
        net->supply |= pin->kind == BOARD_3V3 || pin->kind == BOARD_5V;
        if (pin->kind == BOARD_GPIO)
            net->gpios |= 1u << pin->gpio;
    }
}

void nets_solve(struct nets *nets, const struct diagram *diagram, const bool *closed)
{
    nets_number(nets, diagram);
    for (size_t i = 0; i < diagram->part_count; i++)
        nets_join_part(nets, diagram->parts[i].kind, nets->first[i], closed && closed[i]);
    for (size_t i = 0; i < diagram->wire_count; i++)
        nets_join_firmly(nets, nets_node(nets, diagram->wires[i].ends[0]),
                         nets_node(nets, diagram->wires[i].ends[1]));
    nets_find(nets, NETS_FIRM);
    nets_find(nets, NETS_LOOSE);
}

const struct net *nets_at(const struct nets *nets, struct contact contact, bool loosely)
{
    unsigned kind = loosely ? NETS_LOOSE : NETS_FIRM;

    return &nets->found[kind][nets_root(nets, kind, nets_node(nets, contact))];
}

enum net_level nets_level(const struct nets *nets, struct contact contact)
{
    for (unsigned loosely = 0; loosely < 2; loosely++) {
        const struct net *net = nets_at(nets, contact, loosely);
        if (net->ground)
            return NET_LOW;
        if (net->supply)
            return NET_HIGH;
    }
    return NET_FLOATING;
}

/* Only supply pins and wires matter here, so the sets are small and made on the spot. */
bool nets_short_circuit(const struct diagram *diagram)
{
    struct nets nets;

    nets_number(&nets, diagram);
    for (size_t i = 0; i < diagram->part_count; i++)
        nets_join_part(&nets, diagram->parts[i].kind, nets.first[i], false);
    for (size_t i = 0; i < diagram->wire_count; i++)
        nets_join(&nets, NETS_FIRM, nets_node(&nets, diagram->wires[i].ends[0]),
                  nets_node(&nets, diagram->wires[i].ends[1]));
    nets_find(&nets, NETS_FIRM);
    for (uint16_t node = 0; node < BOARD_PINS; node++) {
        const struct net *net = &nets.found[NETS_FIRM][node];
        if (net->ground && net->supply)
            return true;
    }
    return false;
}
