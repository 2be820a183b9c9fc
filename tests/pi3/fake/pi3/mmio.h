/* SPDX-License-Identifier: MIT */
/*
 * mmio.h: takes the place of the backend's own when its drivers are tested on the host: each access
 * goes to a model of the device and is written down. See fake_bus.h.
 */
#pragma once

#include <stdint.h>

uint32_t mmio_read(uintptr_t address);
void mmio_write(uintptr_t address, uint32_t value);
void mmio_barrier(void);
void mmio_delay(unsigned cycles);
uint64_t mmio_microseconds(void);
void mmio_wait(unsigned microseconds);
