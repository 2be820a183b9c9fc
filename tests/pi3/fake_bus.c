/* SPDX-License-Identifier: MIT */
/*
 * fake_bus.c: the bus of fake_bus.h, and the few functions of the kernel that drivers call besides.
 */
#include "fake_bus.h"

#include <hal/cpu.h>
#include <pi3/mmio.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REGISTERS 256
#define MODELS 4
#define TRACE_BYTES (1 << 20)

static struct {
    struct {
        uintptr_t address;
        uint32_t value;
    } registers[REGISTERS];
    unsigned register_count;
    const struct fake_model *models[MODELS];
    unsigned model_count;
    uint64_t now;
    bool silent;
    bool after_barrier;
    size_t trace_length;
    char trace[TRACE_BYTES];
} bus;

void fake_reset(void)
{
    memset(&bus, 0, sizeof bus);
}

void fake_add_model(const struct fake_model *model)
{
    if (bus.model_count == MODELS) {
        abort();
    }
    bus.models[bus.model_count++] = model;
}

static uint32_t *fake_register(uintptr_t address)
{
    for (unsigned i = 0; i < bus.register_count; i++) {
        if (bus.registers[i].address == address) {
            return &bus.registers[i].value;
        }
    }
    if (bus.register_count == REGISTERS) {
        abort();
    }
    bus.registers[bus.register_count].address = address;
    return &bus.registers[bus.register_count++].value;
}

uint32_t fake_peek(uintptr_t address)
{
    return *fake_register(address);
}

void fake_poke(uintptr_t address, uint32_t value)
{
    *fake_register(address) = value;
}

void fake_note(const char *format, ...)
{
    va_list arguments;
    size_t room = TRACE_BYTES - bus.trace_length;

    bus.after_barrier = false;
    if (bus.silent) {
        return;
    }
    va_start(arguments, format);
    int n = vsnprintf(bus.trace + bus.trace_length, room, format, arguments);
    va_end(arguments);
    if (n < 0 || (size_t)n >= room) {
        abort();
    }
    bus.trace_length += (size_t)n;
}

const char *fake_trace(void)
{
    return bus.trace;
}

void fake_trace_clear(void)
{
    bus.trace_length = 0;
    bus.trace[0] = '\0';
    bus.after_barrier = false;
}

void fake_trace_enable(bool on)
{
    bus.silent = !on;
}

unsigned fake_trace_count(const char *start)
{
    unsigned count = 0;

    for (const char *line = bus.trace; *line != '\0'; line = strchr(line, '\n') + 1) {
        count += strncmp(line, start, strlen(start)) == 0;
    }
    return count;
}

int fake_trace_line(const char *start)
{
    int number = 0;

    for (const char *line = bus.trace; *line != '\0'; line = strchr(line, '\n') + 1) {
        if (strncmp(line, start, strlen(start)) == 0) {
            return number;
        }
        number++;
    }
    return -1;
}

uint64_t fake_now(void)
{
    return bus.now;
}

void fake_pass(uint64_t microseconds)
{
    bus.now += microseconds;
}

static const struct fake_model *fake_model_at(uintptr_t address)
{
    for (unsigned i = 0; i < bus.model_count; i++) {
        if (address >= bus.models[i]->first && address <= bus.models[i]->last) {
            return bus.models[i];
        }
    }
    return NULL;
}

uint32_t mmio_read(uintptr_t address)
{
    const struct fake_model *model = fake_model_at(address);
    uint32_t value = model != NULL ? model->read(address) : fake_peek(address);

    fake_note("R %08lx %08x\n", (unsigned long)address, value);
    return value;
}

void mmio_write(uintptr_t address, uint32_t value)
{
    const struct fake_model *model = fake_model_at(address);

    fake_note("W %08lx %08x\n", (unsigned long)address, value);
    if (model != NULL) {
        model->write(address, value);
    } else {
        fake_poke(address, value);
    }
}

void mmio_barrier(void)
{
    if (!bus.after_barrier) {
        fake_note("barrier\n");
    }
    bus.after_barrier = true;
}

void mmio_delay(unsigned cycles)
{
    if (cycles > 0) {
        fake_note("delay %u\n", cycles);
    }
}

uint64_t mmio_microseconds(void)
{
    return ++bus.now;
}

void mmio_wait(unsigned microseconds)
{
    fake_note("wait %u\n", microseconds);
    bus.now += microseconds;
}

void hal_cpu_relax(void)
{
    bus.now++;
}
