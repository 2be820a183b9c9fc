/* SPDX-License-Identifier: MIT */
/*
 * mmio.h: the only way to a device register.
 *
 * Addresses are physical, as in the data sheet. The tests of the drivers replace this header by one
 * that plays the device and writes down what is asked of it, which is why drivers use nothing else:
 * no pointer to a register, no barrier and no delay of their own.
 */
#pragma once

#include <pi3/layout.h>

#include <stdint.h>

static inline uint32_t mmio_read(uintptr_t address)
{
    return *(const volatile uint32_t *)(LINEAR_BASE + address);
}

static inline void mmio_write(uintptr_t address, uint32_t value)
{
    *(volatile uint32_t *)(LINEAR_BASE + address) = value;
}

/**
 * Orders accesses to one peripheral against those to another, which the chip's bus does not
 * (BCM2837 ARM Peripherals, section 1.3): called when a driver begins and when it ends.
 */
static inline void mmio_barrier(void)
{
    __asm__ volatile("dmb sy" ::: "memory");
}

/**
 * Lets `cycles` processor cycles pass, at least, after the last access has reached its device. The
 * loop is in assembly because a compiler may unroll one of nops, two of which take one cycle; a
 * branch that is taken takes a cycle of its own.
 */
static inline void mmio_delay(unsigned cycles)
{
    uint64_t left = (uint64_t)cycles + 1;

    __asm__ volatile("dsb sy\n"
                     "1:\tsubs %0, %0, #1\n\t"
                     "b.ne 1b"
                     : "+r"(left)
                     :
                     : "cc", "memory");
}

/** Microseconds of a clock that runs by itself, for bounding waits; wraps after 584,000 years. */
uint64_t mmio_microseconds(void);

/** Waits `microseconds`, at least. */
void mmio_wait(unsigned microseconds);
