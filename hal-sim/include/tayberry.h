/* SPDX-License-Identifier: MIT */
/*
 * tayberry.h: a simulated Raspberry Pi 3 that runs the Tayberry kernel inside your process.
 *
 * A machine is opened with a configuration, powered on, run, talked to over its serial line and its
 * pins, and closed. There is one machine at a time in a process. Functions return 0 or a count, or
 * a negative errno number; tb_error then has a sentence that says what was wrong and what to do.
 * Nothing here calls exit, abort or prints: what the guest does to itself, a panic too, is a value
 * that tb_run_* returns.
 *
 * Threads: one thread at a time may call the functions that take a machine, except those marked
 * "Any thread.", which may run beside tb_run_*. None may be called from a signal handler.
 */
#pragma once

#include "tayberry_card.h"
#include "tayberry_guard.h"
#include "tayberry_memory.h"
#include "tayberry_trace.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The library's version: 0x00MMmmpp. */
#define TB_VERSION 0x00000100u
TB_API uint32_t tb_version(void);

struct tb_machine;

enum tb_clock {
    TB_CLOCK_REAL,   /**< the host's clock and signals; the guest runs by itself once powered on */
    TB_CLOCK_VIRTUAL /**< time is work done; runs only inside tb_run_*, and repeats from the seed */
};

/** What tells of memory and command line: a list of ATAGs, or a flattened device tree. */
enum tb_boot_tags { TB_TAGS_ATAGS = 0, TB_TAGS_DTB };

/** Set `size` to sizeof(struct tb_config); zero means the default in every member. */
struct tb_config {
    size_t size;
    uint64_t memory;          /**< bytes of RAM; default 64 MiB; 2 MiB .. 960 MiB, whole pages */
    const char *command_line; /**< the kernel's, in the boot tags; default empty */
    const char *card;         /**< path of the card's image; NULL: the slot is empty */
    bool card_read_only;      /**< open the card for reading only, and let others write it */
    enum tb_clock clock;
    uint64_t seed;          /**< for everything that chance decides; the same seed, the same run */
    unsigned cpus;          /**< default 1; 1 .. 4 */
    uint32_t display_width; /**< a framebuffer of that size; 0: none */
    uint32_t display_height;
    /** Raw boot tags to place at 0x100 instead of the library's own; at most 61,184 bytes. */
    const void *boot_tags;
    size_t boot_tags_size;
    bool no_boot_tags;                /**< leave at 0x100 what RAM holds at power-on */
    enum tb_boot_tags boot_tags_kind; /**< which of the two the library makes */
    uint32_t stall_ms; /**< see tayberry_guard.h; default 5000; UINT32_MAX: no limit */
    bool user_step;    /**< virtual clock: user code goes instruction by instruction; slow */
};

/**
 * Makes a machine, with the power off. On failure *machine is NULL and tb_error(NULL) tells why.
 * -EINVAL: a bad value. -EBUSY: a machine is open already, or another process has the card.
 * -ENOENT, -EACCES, -EIO ...: the card's file. -ENOTSUP: this host lacks something.
 */
TB_API int tb_open(const struct tb_config *config, struct tb_machine **machine);

/** Cuts the power if it is on, and frees everything. NULL is allowed. */
TB_API void tb_close(struct tb_machine *machine);

/** A sentence for the last failure of this machine, or of tb_open for NULL. Valid until the next
 * call. */
TB_API const char *tb_error(const struct tb_machine *machine);

/* ---- power and time ---- */

enum tb_state {
    TB_OFF,         /**< never powered on, or cut */
    TB_RUNNING,     /**< powered on and able to go on */
    TB_POWERED_OFF, /**< the guest switched itself off: tb_exit_status */
    TB_PANICKED     /**< the guest stopped because it could not go on; the console says why */
};

/** Powers on: RAM arbitrary, KSTATE zero, boot tags in place. -EBUSY: it is on. A reboot by the
 * guest does the same by itself. */
TB_API int tb_power_on(struct tb_machine *machine);

/** Cuts the power at whatever the guest was doing. The card keeps what was written; input that the
 * guest has not read is dropped. Allowed when off. */
TB_API void tb_power_cut(struct tb_machine *machine);

TB_API enum tb_state tb_state(const struct tb_machine *machine); /* Any thread. */
TB_API int tb_exit_status(const struct tb_machine *machine);     /* Any thread. 0 .. 255 */
TB_API uint64_t tb_time(const struct tb_machine *machine);       /* Any thread. ns since power-on */
TB_API uint64_t tb_idle_time(const struct tb_machine *machine);  /* Any thread. ns, of all CPUs */

/** Why tb_run_* came back. */
enum tb_reason {
    TB_DEADLINE = 0, /**< the time has come */
    TB_STOPPED,      /**< the guest powered off or panicked: tb_state */
    TB_MATCH,        /**< the awaited text has been printed */
    TB_STUCK,        /**< every CPU idles, no timer is armed, no input waits: only input can help */
    TB_INTERRUPTED   /**< tb_interrupt was called */
};

/** Runs until machine time `deadline` (ns since power-on; UINT64_MAX: no limit). Returns a
 * tb_reason or -EINVAL when off. With UINT64_MAX it returns TB_STUCK; with a deadline, idle time
 * passes. */
TB_API int tb_run_until(struct tb_machine *machine, uint64_t deadline);

/** Runs for `ns` nanoseconds of machine time. As tb_run_until. */
TB_API int tb_run_for(struct tb_machine *machine, uint64_t ns);

/** Makes the tb_run_* in progress, or else the next one, return TB_INTERRUPTED soon, whatever the
 * guest does; it can go on afterwards. Any thread; also from a signal handler. */
TB_API void tb_interrupt(struct tb_machine *machine);

/** Speed of the real clock: 1 is real time, 0 pauses, 0.01 .. 100; INFINITY: skip idle time. Any
 * thread. The virtual clock has no speed: -ENOTSUP. */
TB_API int tb_set_speed(struct tb_machine *machine, double speed);

/** Runs until the next event of enum tb_event_kind and pauses again. Returns TB_DEADLINE after an
 * event, or as tb_run_until(UINT64_MAX). Virtual clock, or real clock at speed 0. */
TB_API int tb_step_event(struct tb_machine *machine);

/* ---- the serial line ---- */

/** Sends bytes to the guest's UART; the library queues what the device cannot take yet. Returns `n`
 * or -ENOMEM. Any thread. */
TB_API int tb_uart_write(struct tb_machine *machine, const void *bytes, size_t n);

/**
 * Tells the guest the size of the screen at the other end of the serial line, in characters: it
 * stays until the next call, through power cuts too. 0 and 0: unknown, as at first. 0; -EINVAL: one
 * of them is 0, or more than 4096. Any thread.
 */
TB_API int tb_uart_set_window(struct tb_machine *machine, unsigned columns, unsigned rows);

/** Bytes queued by tb_uart_write that the guest has not read. Any thread. */
TB_API size_t tb_uart_pending(const struct tb_machine *machine);

/** Takes bytes that the guest has printed: up to `n`, in order; returns how many. The library keeps
 * the newest 1 MiB that nobody took. Any thread. */
TB_API size_t tb_uart_read(struct tb_machine *machine, void *bytes, size_t n);

/** Runs until `text` has appeared in the output printed since power-on or the last match, or until
 * `ns` of machine time have passed. Returns TB_MATCH or as tb_run_until. Does not consume what
 * tb_uart_read returns. */
TB_API int tb_uart_expect(struct tb_machine *machine, const char *text, uint64_t ns);

/** Called with every chunk that the guest prints, on the thread that runs the guest. Must not call
 * the library, except tb_interrupt. While it lasts the guest stands still. */
typedef void tb_uart_sink(void *context, const uint8_t *bytes, size_t n);
TB_API void tb_uart_set_sink(struct tb_machine *machine, tb_uart_sink *sink, void *context);

/* ---- pins ---- */

#define TB_PINS 28

enum tb_level { TB_LOW = 0, TB_HIGH = 1, TB_FLOATING = 2 };

/** Drives `pin` from outside; TB_FLOATING lets go. Edges reach the guest. Any thread. -EINVAL: no
 * such pin. */
TB_API int tb_pin_drive(struct tb_machine *machine, unsigned pin, enum tb_level level);

/** The level at `pin`, 0 or 1, after pulls. Any thread. */
TB_API int tb_pin_read(const struct tb_machine *machine, unsigned pin);

struct tb_pin_info {
    uint8_t function; /**< 0 input, 1 output, 2 .. 7 alternate functions 5 4 0 1 2 3 */
    uint8_t pull;     /**< 0 none, 1 down, 2 up */
    bool driven;      /**< from outside */
    bool level;
    uint64_t changes;   /**< level changes since power-on */
    uint64_t high_time; /**< ns since power-on that the level was high */
};
TB_API int tb_pin_info(const struct tb_machine *machine, unsigned pin,
                       struct tb_pin_info *info); /* Any thread. */

struct tb_pin_change {
    uint64_t time; /**< ns since power-on */
    uint8_t pin;
    uint8_t level;
};
/** Copies up to `n` of the newest level changes of `pin` (TB_PINS: of all pins), oldest first;
 * returns how many. The library keeps the last 65,536. Any thread. */
TB_API size_t tb_pin_history(const struct tb_machine *machine, unsigned pin,
                             struct tb_pin_change *changes, size_t n);

/** The activity LED. Any thread. */
TB_API bool tb_act_led(const struct tb_machine *machine);

/** Writes every level change from now on to `path` as a VCD file (1 us timescale; pins by name);
 * NULL ends it. */
TB_API int tb_vcd(struct tb_machine *machine, const char *path);

/* ---- display ---- */

/** The framebuffer, 0x00RRGGBB, width * height pixels without gaps, until tb_close; or NULL. */
TB_API const uint32_t *tb_display(const struct tb_machine *machine, uint32_t *width,
                                  uint32_t *height);

/* ---- repeatability (virtual clock) ---- */

enum tb_event_kind {
    TB_EVENT_IRQ = 1,  /**< taken: a = line */
    TB_EVENT_SWITCH,   /**< a = physical address of the new context's stack */
    TB_EVENT_PIN,      /**< a = pin, or TB_PINS for the activity LED; b = level */
    TB_EVENT_UART_OUT, /**< a = byte */
    TB_EVENT_UART_IN,  /**< a = byte */
    TB_EVENT_BLOCK,    /**< a = sector, b = sectors, submitted */
    TB_EVENT_STOP      /**< a = how, b = status */
};
struct tb_event {
    uint64_t time;
    uint32_t kind;
    uint32_t cpu;
    uint64_t a, b;
};
/** Called with every event, on the thread that runs the guest. Must not call the library. */
typedef void tb_event_sink(void *context, const struct tb_event *event);
TB_API void tb_trace_set_sink(struct tb_machine *machine, tb_event_sink *sink, void *context);

/** A hash of all events since power-on: equal for equal runs, in every build. */
TB_API uint64_t tb_trace_hash(const struct tb_machine *machine);

/** A copy of the whole machine (RAM, KSTATE, devices; not the card's file), to go back to. Virtual
 * clock only: -ENOTSUP. */
struct tb_snapshot;
TB_API int tb_snapshot(struct tb_machine *machine, struct tb_snapshot **snapshot);
/** -EINVAL: the snapshot is of a machine that has been closed. */
TB_API int tb_restore(struct tb_machine *machine, const struct tb_snapshot *snapshot);
TB_API void tb_snapshot_free(struct tb_snapshot *snapshot);

/** A hash of RAM in use, KSTATE and the devices; comparable within one process. */
TB_API uint64_t tb_state_hash(const struct tb_machine *machine);

#ifdef __cplusplus
}
#endif
