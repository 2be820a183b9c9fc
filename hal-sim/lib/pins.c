/* SPDX-License-Identifier: MIT */
/*
 * pins.c: the library's end of the pins: driving, looking, and the history of what happened.
 */
#include "lib/library.h"

#include <hal/errno.h>

#include <string.h>

void pins_power_up(void)
{
    library.history_end = 0;
    vcd_power_up(0);
}

void outside_pin_changed(uint64_t time, unsigned pin, bool level)
{
    vcd_change(time, pin, level);
    if (pin < TB_PINS)
        library.history[library.history_end++ % HISTORY_CHANGES] =
            (struct tb_pin_change){.time = time, .pin = (uint8_t)pin, .level = level};
}

static int check_pin(unsigned pin)
{
    if (pin < TB_PINS)
        return 0;
    return library_fail(-EINVAL, "there is no GPIO%u on the header: they go from 0 to 27", pin);
}

int tb_pin_drive(struct tb_machine *m, unsigned pin, enum tb_level level)
{
    (void)m;
    if (check_pin(pin))
        return -EINVAL;
    if ((unsigned)level > TB_FLOATING)
        return library_fail(-EINVAL, "level %d is neither low, high nor floating", (int)level);
    host_lock(HOST_MACHINE);
    if (atomic_load(&machine.power) == POWER_ON)
        sim_gpio_drive(pin, level);
    else
        machine.pin[pin].drive = (uint8_t)level;
    host_unlock(HOST_MACHINE);
    return 0;
}

int tb_pin_read(const struct tb_machine *m, unsigned pin)
{
    (void)m;
    if (check_pin(pin))
        return -EINVAL;
    host_lock(HOST_MACHINE);
    int level = machine.pin[pin].level;
    host_unlock(HOST_MACHINE);
    return level;
}

int tb_pin_info(const struct tb_machine *m, unsigned number, struct tb_pin_info *info)
{
    (void)m;
    if (check_pin(number))
        return -EINVAL;
    host_lock(HOST_MACHINE);
    const struct pin *pin = &machine.pin[number];
    uint64_t now = sim_time_now(), high = pin->level && now > pin->since ? now - pin->since : 0;
    *info = (struct tb_pin_info){.function = pin->function,
                                 .pull = pin->pull,
                                 .driven = pin->drive != TB_FLOATING,
                                 .level = pin->level,
                                 .changes = pin->changes,
                                 .high_time = pin->high_time + high};
    host_unlock(HOST_MACHINE);
    return 0;
}

size_t tb_pin_history(const struct tb_machine *m, unsigned pin, struct tb_pin_change *changes,
                      size_t n)
{
    size_t found = 0;
    host_lock(HOST_MACHINE);
    uint64_t end = m->history_end, start = end > HISTORY_CHANGES ? end - HISTORY_CHANGES : 0;
    /* The newest n, found from the end, and put down from the end. */
    for (uint64_t at = end; at > start && found < n; at--) {
        const struct tb_pin_change *change = &m->history[(at - 1) % HISTORY_CHANGES];
        if (pin == TB_PINS || change->pin == pin)
            changes[n - ++found] = *change;
    }
    host_unlock(HOST_MACHINE);
    if (found)
        memmove(changes, changes + (n - found), found * sizeof *changes);
    return found;
}

bool tb_act_led(const struct tb_machine *m)
{
    (void)m;
    return machine.led;
}
