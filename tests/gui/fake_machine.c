/* SPDX-License-Identifier: MIT */
/*
 * fake_machine.c: see fake_machine.h.
 */
#include "fake_machine.h"

#include <errno.h>
#include <string.h>

void fake_init(struct tb_machine *machine)
{
    memset(machine, 0, sizeof(*machine));
    machine->state = TB_RUNNING;
    machine->speed = -1;
}

void fake_pulse(struct tb_machine *machine, unsigned pin, uint64_t high, bool level)
{
    machine->pins[pin].function = 1;
    machine->pins[pin].high_time += high;
    machine->pins[pin].changes += 2;
    machine->pins[pin].level = level;
}

void fake_print(struct tb_machine *machine, const char *text)
{
    size_t n = strlen(text);

    memcpy(machine->output + machine->output_count, text, n);
    machine->output_count += n;
}

void fake_frames(struct tb_machine *machine, uint64_t first, size_t n, unsigned kind)
{
    memset(machine->frames + first, (int)kind, n);
    if (machine->frame_count < first + n)
        machine->frame_count = first + n;
}

int tb_card_read(struct tb_machine *machine, uint64_t sector, void *data, size_t count)
{
    machine->card_reads++;
    if (!machine->card)
        return -ENOMEDIUM;
    if (sector > machine->card_sectors || count > machine->card_sectors - sector)
        return -EINVAL;
    memcpy(data, machine->card + sector * 512, count * 512);
    return 0;
}

size_t tb_card_accesses(const struct tb_machine *machine, uint64_t *next,
                        struct tb_card_access *accesses, size_t n)
{
    size_t got = 0;

    while (got < n && *next < machine->access_count)
        accesses[got++] = machine->accesses[(*next)++];
    return got;
}

enum tb_state tb_state(const struct tb_machine *machine)
{
    return machine->state;
}

int tb_exit_status(const struct tb_machine *machine)
{
    (void)machine;
    return 7;
}

uint64_t tb_time(const struct tb_machine *machine)
{
    return machine->time;
}

uint64_t tb_idle_time(const struct tb_machine *machine)
{
    return machine->idle;
}

int tb_run_until(struct tb_machine *machine, uint64_t deadline)
{
    machine->runs++;
    if (machine->host)
        *machine->host += machine->cost;
    if (machine->state != TB_RUNNING)
        return TB_STOPPED;
    if (deadline > machine->time)
        machine->time = deadline;
    return TB_DEADLINE;
}

int tb_set_speed(struct tb_machine *machine, double speed)
{
    machine->speed = speed;
    return 0;
}

int tb_step_event(struct tb_machine *machine)
{
    machine->steps++;
    machine->time += 1000;
    return TB_STUCK;
}

int tb_uart_write(struct tb_machine *machine, const void *bytes, size_t n)
{
    if (n > sizeof(machine->input) - machine->input_count)
        return -ENOMEM;
    memcpy(machine->input + machine->input_count, bytes, n);
    machine->input_count += n;
    return (int)n;
}

int tb_uart_set_window(struct tb_machine *machine, unsigned columns, unsigned rows)
{
    machine->columns = columns;
    machine->rows = rows;
    return 0;
}

size_t tb_uart_read(struct tb_machine *machine, void *bytes, size_t n)
{
    if (n > machine->output_count)
        n = machine->output_count;
    memcpy(bytes, machine->output, n);
    machine->output_count -= n;
    memmove(machine->output, machine->output + n, machine->output_count);
    return n;
}

int tb_pin_drive(struct tb_machine *machine, unsigned pin, enum tb_level level)
{
    if (pin >= TB_PINS)
        return -EINVAL;
    if (machine->drive_count < FAKE_DRIVES) {
        struct fake_drive drive = {machine->time, pin, level};
        machine->drives[machine->drive_count++] = drive;
    }
    machine->pins[pin].driven = level != TB_FLOATING;
    machine->pins[pin].level = level == TB_HIGH;
    machine->pins[pin].changes++;
    return 0;
}

int tb_pin_info(const struct tb_machine *machine, unsigned pin, struct tb_pin_info *info)
{
    *info = machine->pins[pin];
    return 0;
}

size_t tb_pin_history(const struct tb_machine *machine, unsigned pin, struct tb_pin_change *changes,
                      size_t n)
{
    size_t found = 0;

    for (size_t i = 0; i < machine->history_count && found < n; i++) {
        if (machine->history[i].pin == pin)
            changes[found++] = machine->history[i];
    }
    return found;
}

bool tb_act_led(const struct tb_machine *machine)
{
    return machine->act;
}

void tb_power_cut(struct tb_machine *machine)
{
    machine->cuts++;
    machine->state = TB_OFF;
}

size_t tb_memory_frames(const struct tb_machine *machine, uint64_t first, uint8_t *frames, size_t n)
{
    struct tb_machine *fake = (struct tb_machine *)machine;
    size_t there = first < machine->frame_count ? machine->frame_count - first : 0;

    there = n < there ? n : there;
    memset(frames, TB_FRAME_NONE, n);
    memcpy(frames, machine->frames + first, there);
    fake->looks += first == 0;
    if (fake->host && first == 0)
        *fake->host += fake->look_cost;
    return there;
}

const char *tb_memory_tag(const struct tb_machine *machine, unsigned tag)
{
    static const char *const names[] = {"other", "heap", "thread", "fs/fat32"};

    (void)machine;
    return tag < sizeof(names) / sizeof(names[0]) ? names[tag] : NULL;
}

uint64_t tb_alloc_count(const struct tb_machine *machine)
{
    return machine->allocations;
}

int tb_sched_keep(struct tb_machine *machine, bool keep)
{
    machine->kept = keep;
    return 0;
}

size_t tb_sched_read(const struct tb_machine *machine, uint64_t *position,
                     struct tb_sched_event *events, size_t n)
{
    size_t got = 0;

    while (machine->kept && got < n && *position < machine->event_count)
        events[got++] = machine->events[(*position)++];
    return got;
}
