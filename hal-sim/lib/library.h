/* SPDX-License-Identifier: MIT */
/*
 * library.h: the host's side of a machine: what tayberry.h's functions keep.
 *
 * Fields without a comment on locking are guarded by HOST_MACHINE or belong to the one thread that
 * may call the library's unmarked functions.
 */
#pragma once

#include "board/machine.h"
#include "board/tags.h"
#include "host/host.h"
#include "tayberry.h"
#include "tayberry_stream.h"

#include <stdio.h>

enum {
    OUTPUT_BYTES = 1 << 20,
    HISTORY_CHANGES = 65536,
    VCD_WIRES = TB_PINS + 1 /* the pins and the activity LED */
};

/* Why a run should end; bits of tb_machine.flags. */
enum { RUN_MATCH = 1, RUN_INTERRUPT = 2, RUN_STUCK = 4, RUN_EVENT = 8 };

struct input {
    uint8_t *bytes;
    size_t start, size;
    _Atomic size_t count;
};

/* What the guest has printed: positions count all bytes ever; byte p lies at p % OUTPUT_BYTES. */
struct output {
    uint8_t *bytes;
    uint64_t end;       /* of what was printed */
    uint64_t taken;     /* by tb_uart_read */
    uint64_t matched;   /* by tb_uart_expect */
    uint64_t flushed;   /* given to the sink; HOST_SINK */
    const char *text;   /* that tb_uart_expect waits for */
    uint64_t scanned;   /* no match starts before this */
    bool found;         /* a match that tb_run_* does not know of yet */
    _Atomic bool news;  /* for the sink or for tb_run_* */
    tb_uart_sink *sink; /* HOST_SINK */
    void *sink_context; /* HOST_SINK */
};

/* A program's standard streams: see stream.c. */
enum { STREAM_BYTES = 1 << 18 };
struct stream_piece {
    int32_t stream;
    uint32_t n; /* bytes behind it */
};
struct stream {
    tb_stream_sink *sink; /* NULL: the machine has none; changed while the power is off */
    void *context;
    bool ended; /* no more input will come */
    uint8_t *input;
    size_t input_start, input_end, input_size;
    uint8_t *output; /* pieces, STREAM_BYTES */
    size_t output_used;
    _Atomic bool news;
};

struct vcd {
    FILE *file;
    uint64_t base; /* us of earlier lives of the machine */
    uint64_t last; /* us of the last time stamp */
    bool level[VCD_WIRES];
    bool failed;
};

struct tb_machine {
    bool open;
    _Atomic uint32_t window; /* of the serial line: columns << 16 | rows */
    uint64_t opening;        /* which tb_open of this process it is from */
    char error[320];
    char *command_line;
    uint8_t *boot_tags;
    struct sim_tags tags; /* of these two */
    /* Real clock. The threads: of the CPU 0 thread while it reboots, else under HOST_MACHINE. */
    bool has_thread[HAL_CPU_MAX]; /* to be joined */
    unsigned running;             /* CPUs whose threads run the guest */
    bool cutting;                 /* tb_power_cut waits for them to leave it */
    bool paused;                  /* real clock: speed 0 */
    struct host_card card;
    struct tb_card_access accesses[TB_CARD_ACCESSES]; /* number n at n % TB_CARD_ACCESSES */
    uint64_t accesses_end;
    _Atomic uint32_t flags;
    _Atomic uint32_t bell; /* counts whatever a waiting tb_run_* should look at */
    _Atomic bool waiting;
    _Atomic uint64_t deadline; /* of that tb_run_* */
    bool stepping;
    struct input input;
    struct output output;
    struct stream stream;
    struct tb_pin_change *history;
    uint64_t history_end; /* changes ever since power-on */
    struct vcd vcd;
    tb_schedule_sink *schedule_sink;
    void *schedule_context;
    tb_event_sink *event_sink;
    void *event_context;
};

extern struct tb_machine library;

/** Remembers a sentence for tb_error and returns `error`. */
int library_fail(int error, const char *format, ...) HAL_FORMAT(2, 3);
/** Sets a RUN_* flag and gets tb_run_* to look at it. Also from a signal handler. */
void library_notify(uint32_t flag);
/** Gets tb_run_* to look again. Also from a signal handler. */
void library_ring(void);
/** The power is on, and the guest not stopped for good. */
bool library_is_on(void);
/** Sets everything for power-on, and for a reboot. HOST_MACHINE held. */
void library_power_up(void);
/** Virtual clock: fiber_run_guest has returned; if the guest has stopped itself, does the rest of
 * it. Gives the deadline, shortened by a reboot. */
uint64_t library_guest_left(uint64_t deadline);
/** Runs until `deadline` or a flag; a tb_reason or an error. */
int library_run(uint64_t deadline);

/** Real clock: has the CPUs stand still soon, or go on. Machine time does not stand still. */
void library_pause(bool paused);

HAL_MUST_CHECK int serial_open(void);
void serial_close(void);
void stream_close(void);
/** Gives the sink what programs have written. Entered, mutex not held. */
void stream_flush(void);
/** Schedules are the seed's again. */
void schedule_close(void);

/** Forgets input that the guest has not read. */
void serial_drop_input(void);

/** The machine starts again at time 0: HOST_MACHINE held. */
void pins_power_up(void);
/** Machine time ends at `now`, for this life of the machine. */
void vcd_power_down(uint64_t now);
/** Machine time goes on from `now`, maybe with other levels. */
void vcd_power_up(uint64_t now);
void vcd_change(uint64_t now, unsigned wire, bool level);
void vcd_close(void);

/** As those of the VCD file, for who listens to the scheduler. */
void listen_power_down(uint64_t now);
void listen_power_up(uint64_t now, bool restored);
void listen_close(void);

/** Ends the file of system calls. */
void syscalls_close(void);
