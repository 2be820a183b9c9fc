/* SPDX-License-Identifier: MIT */
/*
 * devices.h: the state of the simulated devices, and the ways between them and the library.
 *
 * Functions here are called entered (see machine.h), with the host's mutex HOST_MACHINE held,
 * unless they say otherwise.
 */
#pragma once

#include <hal/block.h>
#include <hal/compiler.h>
#include <hal/gpio.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UART_FIFO = 16, CARD_SLOTS = 4, UART_TX_PIN = 14, UART_RX_PIN = 15 };

struct uart {
    uint8_t rx[UART_FIFO];
    unsigned rx_count;
    _Atomic bool notify_room;
    uint64_t rx_next; /* virtual clock: when the next byte arrives, if one waits and fits */
    uint64_t room_at; /* virtual clock: when output will have room, if that is asked for */
    uint64_t tx_end;  /* virtual clock: when the last byte accepted will have left */
};

struct pin {
    _Atomic uint8_t function;
    uint8_t pull, edges;
    uint8_t drive; /* enum tb_level from outside */
    bool latch;    /* what an output drives */
    bool level;
    uint64_t changes, high_time, since;
};

struct card_slot {
    struct hal_block_request *request;
    uint64_t done_at;
    int fault; /* the error it will end with, or 0 */
};

struct card_queue {
    bool probed;
    uint64_t sectors; /* as the guest learnt it */
    struct hal_block_request *waiting, **waiting_tail;
    struct hal_block_request *done, **done_tail;
    struct card_slot slot[CARD_SLOTS];
    uint64_t fault_after, fault_count;
    uint64_t requests, sectors_read, sectors_written;
};

void sim_uart_reset(void);
uint64_t sim_uart_next_event(void);
void sim_uart_run_events(void);
/** The library has queued input. */
void sim_uart_input_arrived(void);
/** outside_window has changed. */
void sim_uart_window_changed(void);
/** Raises UART again while output has room and that is asked for. Guest code or entered. */
void sim_uart_level(void);

/** There is input for a program, or its end. HOST_MACHINE held. */
void sim_stream_input_arrived(void);

void sim_gpio_reset(void);
/** Drives `pin` from outside with an enum tb_level. */
void sim_gpio_drive(unsigned pin, unsigned level);

void sim_card_reset(void);
uint64_t sim_card_next_event(void);
void sim_card_run_events(void);
/** Another card, or none, is in the slot. */
void sim_card_changed(void);

/* ---- what the library does for the board (lib/) ---- */

/** The guest has printed. */
void outside_output(const uint8_t *bytes, size_t n);
/** Takes up to `n` bytes of queued input. */
size_t outside_input(uint8_t *bytes, size_t n);
size_t outside_input_waiting(void);
/** The size of the screen at the other end: columns << 16 | rows; 0: unknown. Any context. */
uint32_t outside_window(void);
/** The streams of hal/stream.h; the last two with HOST_MACHINE held. */
bool outside_stream_is_there(void);
long outside_stream_input(void *bytes, size_t n);
size_t outside_stream_output(int stream, const void *bytes, size_t n);
struct tb_event;
void outside_event(const struct tb_event *event);
struct hal_trace_event;
/** The kernel has scheduled something. HOST_MACHINE held. */
void outside_scheduled(const struct hal_trace_event *event);
/** What programs ask of the kernel, as text. HOST_MACHINE held. */
void outside_text(const char *text, size_t n);
void outside_pin_changed(uint64_t time, unsigned pin, bool level);
/** A CPU has parked (real clock). Any context on the CPU's host thread. */
void outside_parked(void);
/** Machine time has jumped to `now` (real clock). Mutex not held. */
void outside_time_jumped(uint64_t now);
/** Gives new output to whoever listens. Entered, mutex not held. */
void outside_flush(void);
struct host_card;
/** The card in the slot, or NULL. */
struct host_card *outside_card(void);
/** Sectors of it were read or written. HOST_MACHINE held. */
void outside_card_moved(uint64_t sector, uint64_t sectors, bool written);
struct cpu;
/** A CPU is prepared to enter the guest (hal_cpu_start). Negative: the host has no thread for it.
 */
HAL_MUST_CHECK int outside_cpu_started(struct cpu *cpu);
/** Every CPU idles and nothing will end that by itself. */
void outside_stuck(void);
/** Something has happened that a schedule's sink wants to know. On the host's stack. */
struct tb_moment;
void outside_moment(const struct tb_moment *moment);
