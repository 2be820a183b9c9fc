/* SPDX-License-Identifier: MIT */
/*
 * serial.h: what the two serial ports of the chip have in common.
 *
 * None of these functions waits, and none takes a lock: board/uart.c does. Registers only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** Why a port interrupts; bits. */
enum serial_cause { SERIAL_INPUT = 1, SERIAL_ROOM = 2 };

struct serial_port {
    unsigned gpu_irq;
    /** Sets the port up for `baud` with an input clock of `clock` Hz, pins included. */
    void (*start)(uint32_t clock, uint32_t baud);
    /** Takes a received byte: 0 .. 255, or -1 when there is none. */
    int (*get)(void);
    /** Gives a byte to send. False when there is no room. */
    bool (*put)(uint8_t byte);
    /** Chooses the causes (serial_cause) that may interrupt. */
    void (*listen)(unsigned causes);
    /** The causes that are present now among the chosen ones. */
    unsigned (*causes)(void);
    /**
     * Whether the port itself will interrupt for room as it is now. False: there is room, but the
     * port reports only that room has come back.
     */
    bool (*tells_room)(void);
    /** Whether everything that was given to it has left on the wire, the last stop bit too. */
    bool (*sent)(void);
};

/** The full-featured port, on pins 14 and 15 once Bluetooth is sent away from it. */
extern const struct serial_port pl011_port;

/** The small port. Its speed depends on the clock of the VideoCore. */
extern const struct serial_port mini_port;
