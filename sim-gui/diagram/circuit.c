/* SPDX-License-Identifier: MIT */
/*
 * circuit.c: light and contacts, over the library's pin functions.
 *
 * A pin is driven only when its level from outside changes, and let go only if it was driven from
 * here: pins that the diagram does not touch stay free for whoever else drives them.
 */
#include "diagram/circuit.h"

#include <string.h>

#define MICROSECONDS 1000u
#define CIRCUIT_EXPOSURE (UINT64_C(1000000000) / 60)
#define CIRCUIT_HISTORY 512 /* changes of a pin that are looked at */

/* xorshift64*: small, and the same everywhere. */
static uint32_t circuit_random(struct circuit *circuit, uint32_t below)
{
    uint64_t x = circuit->random;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    circuit->random = x;
    return (uint32_t)((x * UINT64_C(2685821657736338717)) >> 32) % below;
}

static struct contact circuit_contact(const struct circuit *circuit, unsigned gpio)
{
    struct contact contact = {(uint16_t)circuit->diagram->board,
                              (uint16_t)(board_find_gpio(gpio) - 1)};
    return contact;
}

/* ---- levels from outside ---- */

/* The level that another pin, an output that is wired to `gpio`, gives it. */
static enum tb_level circuit_level_of_pins(const struct circuit *circuit, unsigned gpio)
{
    for (unsigned loosely = 0; loosely < 2; loosely++) {
        uint32_t gpios = nets_at(&circuit->nets, circuit_contact(circuit, gpio), loosely)->gpios;
        for (unsigned other = 0; other < TB_PINS; other++) {
            const struct circuit_pin *pin = &circuit->pins[other];
            if (other != gpio && (gpios >> other & 1) && pin->output)
                return pin->level ? TB_HIGH : TB_LOW;
        }
    }
    return TB_FLOATING;
}

static enum tb_level circuit_level(const struct circuit *circuit, unsigned gpio)
{
    switch (nets_level(&circuit->nets, circuit_contact(circuit, gpio))) {
    case NET_LOW:
        return TB_LOW;
    case NET_HIGH:
        return TB_HIGH;
    default:
        return circuit->pins[gpio].output ? TB_FLOATING : circuit_level_of_pins(circuit, gpio);
    }
}

static void circuit_drive(struct circuit *circuit, struct tb_machine *machine)
{
    for (unsigned gpio = 0; gpio < TB_PINS; gpio++) {
        enum tb_level level = circuit_level(circuit, gpio);
        if (level == circuit->pins[gpio].driven)
            continue;
        circuit->pins[gpio].driven = level;
        tb_pin_drive(machine, gpio, level);
    }
}

/* ---- contacts ---- */

/* Worked example: a press while the contact is open, with 2 extra pairs: closes at now, opens,
 * closes, opens, closes for good: 5 changes, an odd number. A press that comes while the contact is
 * closed by an earlier bounce needs an even number. */
void circuit_press(struct circuit *circuit, unsigned part, bool held, uint64_t now)
{
    struct bounce *bounce = &circuit->bounce[part];
    uint32_t length, slot;

    if (circuit->held[part] == held)
        return;
    circuit->held[part] = held;
    bounce->next = 0;
    bounce->count = circuit->closed[part] != held;
    if (circuit->diagram->parts[part].bounces)
        bounce->count = (uint8_t)(bounce->count + 2 * (1 + circuit_random(circuit, 4)));
    length = (2000 + circuit_random(circuit, 3000)) * MICROSECONDS;
    slot = bounce->count > 1 ? length / (bounce->count - 1u) : 0;
    for (unsigned i = 0; i < bounce->count; i++) {
        bool inner = i > 0 && i + 1u < bounce->count;
        uint32_t early = inner ? circuit_random(circuit, slot * 3 / 4) : 0;

        bounce->at[i] = now + i * slot - early;
    }
}

/* The button whose contact changes next, or `part_count`. */
static size_t circuit_next_button(const struct circuit *circuit)
{
    size_t found = circuit->diagram->part_count;
    uint64_t least = UINT64_MAX;

    for (size_t part = 0; part < circuit->diagram->part_count; part++) {
        const struct bounce *bounce = &circuit->bounce[part];
        if (bounce->next < bounce->count && bounce->at[bounce->next] < least) {
            least = bounce->at[bounce->next];
            found = part;
        }
    }
    return found;
}

uint64_t circuit_due(const struct circuit *circuit)
{
    size_t part = circuit_next_button(circuit);

    if (part == circuit->diagram->part_count)
        return UINT64_MAX;
    return circuit->bounce[part].at[circuit->bounce[part].next];
}

void circuit_advance(struct circuit *circuit, struct tb_machine *machine, uint64_t now)
{
    while (circuit_due(circuit) <= now) {
        size_t part = circuit_next_button(circuit);

        if (part == circuit->diagram->part_count)
            break;
        circuit->bounce[part].next++;
        circuit->closed[part] = !circuit->closed[part];
        nets_solve(&circuit->nets, circuit->diagram, circuit->closed);
        circuit_drive(circuit, machine);
    }
}

/* The machine was powered on again: its time and counts began anew, and its pins are all let go. */
static void circuit_restart(struct circuit *circuit)
{
    for (size_t part = 0; part < circuit->diagram->part_count; part++) {
        circuit->closed[part] = circuit->held[part];
        circuit->bounce[part].next = circuit->bounce[part].count;
    }
    for (unsigned gpio = 0; gpio < TB_PINS; gpio++) {
        circuit->pins[gpio].driven = TB_FLOATING;
        circuit->pins[gpio].high_time = 0;
        circuit->pins[gpio].changes = 0;
    }
    circuit->sampled = 0;
    nets_solve(&circuit->nets, circuit->diagram, circuit->closed);
}

/* ---- light ---- */

/* The share of the time that `pin` was high during CIRCUIT_EXPOSURE before `now`. */
static float circuit_expose(const struct tb_machine *machine, unsigned pin, uint64_t now,
                            const struct tb_pin_info *info)
{
    struct tb_pin_change changes[CIRCUIT_HISTORY];
    size_t n = tb_pin_history(machine, pin, changes, CIRCUIT_HISTORY);
    uint64_t from = now > CIRCUIT_EXPOSURE ? now - CIRCUIT_EXPOSURE : 0;
    uint64_t high = 0, until = now;

    if (n == CIRCUIT_HISTORY && changes[0].time > from)
        from = changes[0].time;
    for (size_t i = n; i-- > 0 && until > from;) {
        uint64_t since = changes[i].time > from ? changes[i].time : from;
        if (changes[i].level && until > since)
            high += until - since;
        until = since;
    }
    if (until > from && (n ? !changes[0].level : info->level))
        high += until - from;
    return now > from ? (float)high / (float)(now - from) : (float)info->level;
}

/* `span` is the time since the last sample. */
static void circuit_sample_pin(struct circuit_pin *pin, const struct tb_pin_info *info,
                               uint64_t span, bool instant)
{
    if (instant || (info->changes == pin->changes && span > 0))
        pin->share = info->level ? 1 : 0;
    else if (span > 0)
        pin->share = (float)(info->high_time - pin->high_time) / (float)span;
    if (pin->share > 1)
        pin->share = 1;
    pin->changes = info->changes;
    pin->high_time = info->high_time;
    pin->output = info->function != 0;
    pin->level = info->level;
}

/* The share of the time that `contact` was high, or -1 when nothing gives it a level. */
static float circuit_share(const struct circuit *circuit, struct contact contact)
{
    for (unsigned loosely = 0; loosely < 2; loosely++) {
        const struct net *net = nets_at(&circuit->nets, contact, loosely);

        if (net->ground)
            return 0;
        if (net->supply)
            return 1;
        for (unsigned gpio = 0; gpio < TB_PINS; gpio++) {
            if ((net->gpios >> gpio & 1) && circuit->pins[gpio].output)
                return circuit->pins[gpio].share;
        }
    }
    return -1;
}

/* Between two pins that both switch, the times are taken to be independent of one another. */
static float circuit_light(const struct circuit *circuit, unsigned part)
{
    struct contact anode = {(uint16_t)part, 0};
    struct contact cathode = {(uint16_t)part, 1};
    float high = circuit_share(circuit, anode);
    float low = circuit_share(circuit, cathode);

    return high < 0 || low < 0 ? 0 : high * (1 - low);
}

static void circuit_shine(struct circuit *circuit)
{
    for (unsigned part = 0; part < circuit->diagram->part_count; part++) {
        if (circuit->diagram->parts[part].kind == PART_LED)
            circuit->light[part] = circuit_light(circuit, part);
    }
}

void circuit_sample(struct circuit *circuit, struct tb_machine *machine, bool instant)
{
    uint64_t now = tb_time(machine);
    struct tb_pin_info info;

    if (now < circuit->sampled)
        circuit_restart(circuit);
    for (unsigned gpio = 0; gpio < TB_PINS; gpio++) {
        if (tb_pin_info(machine, gpio, &info) == 0)
            circuit_sample_pin(&circuit->pins[gpio], &info, now - circuit->sampled, instant);
    }
    circuit->sampled = now;
    circuit_drive(circuit, machine);
    circuit_shine(circuit);
}

void circuit_init(struct circuit *circuit, const struct diagram *diagram, uint64_t seed,
                  struct tb_machine *machine)
{
    uint64_t now = tb_time(machine);
    struct tb_pin_info info;

    memset(circuit, 0, sizeof(*circuit));
    circuit->diagram = diagram;
    circuit->random = seed * UINT64_C(0x9e3779b97f4a7c15) + 0x7461796265727279;
    circuit->sampled = now;
    for (unsigned gpio = 0; gpio < TB_PINS; gpio++) {
        circuit->pins[gpio].driven = TB_FLOATING;
        if (tb_pin_info(machine, gpio, &info))
            continue;
        circuit->pins[gpio].share = circuit_expose(machine, gpio, now, &info);
        circuit_sample_pin(&circuit->pins[gpio], &info, 0, false);
    }
    nets_solve(&circuit->nets, diagram, circuit->closed);
    circuit_drive(circuit, machine);
    circuit_shine(circuit);
}
