/* SPDX-License-Identifier: MIT */
/*
 * host.h: all that the simulator asks of the operating system it runs on.
 *
 * The files of this folder are the only ones that include POSIX headers. Whoever moves the
 * simulator to another host rewrites this folder and nothing else. Times are host_now's
 * nanoseconds. Functions that can fail return a negative errno number. Unless it says otherwise,
 * they are called entered or outside (board/machine.h), so that no guest code runs on top of them.
 */
#pragma once

#include <hal/compiler.h>
#include <hal/context.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cpu;

/* ---- clock.c ---- */

#define HOST_NEVER UINT64_MAX

/** Nanoseconds of the host's monotonic clock. */
uint64_t host_now(void);
/** The same, or 0 if that takes more than a counter: also from guest code that has not entered. */
uint64_t host_now_quickly(void);
/** Nanoseconds since 1970-01-01 00:00 UTC. */
uint64_t host_wall(void);
/** Fills `bytes` from the host's source of entropy. */
HAL_MUST_CHECK int host_entropy(void *bytes, size_t n);

/* ---- wait.c ---- */

enum host_mutex { HOST_MACHINE, HOST_SINK, HOST_TOOLS, HOST_USER, HOST_MUTEXES };

/** Takes and gives the mutexes. HOST_SINK is taken before HOST_MACHINE or without it; HOST_TOOLS
 * guards the books of tools, and nothing else happens meanwhile. HOST_USER guards what is live at
 * user addresses (board/aspace.h), and nothing but signals and changes of views happens meanwhile.
 */
void host_lock(enum host_mutex which);
void host_unlock(enum host_mutex which);

/** Sleeps while `*word` is `value`, or until host time `until`, or a signal; may return early. */
void host_word_wait(_Atomic uint32_t *word, uint32_t value, uint64_t until);
/** Wakes all that sleep on `word`. Also from a signal handler. */
void host_word_wake(_Atomic uint32_t *word);
/** Lets another thread have the processor, if one waits for it. */
void host_yield(void);

/* ---- memory.c ---- */

/**
 * Makes `bytes` of simulated RAM, without using host memory yet, at the same address in every run
 * if the host lets it. -ENOMEM, or what the host says.
 */
HAL_MUST_CHECK int host_ram_create(uint64_t bytes, uint8_t **ram);
void host_ram_destroy(void);
/**
 * How many single pages the simulated RAM may have guarded at a time: each guard divides a mapping
 * of the host's, of which a process may have only so many (Linux: vm.max_map_count, 65,530 unless
 * changed). Guards get one half of them, and the rest of the process the other.
 */
uint64_t host_ram_guards(void);
/** Makes pages fault on any access, or not. Content stays. */
HAL_MUST_CHECK int host_ram_protect(uint64_t offset, uint64_t bytes, bool guarded);
/** Has the host find memory for the pages at once: they are about to be written. */
void host_ram_populate(uint64_t offset, uint64_t bytes);
/** Gives the pages' host memory back; they then read as zero. */
void host_ram_discard(uint64_t offset, uint64_t bytes);
/** Pages for copies of programs' text, which host_view_map knows from physical address *at on.
 * NULL: there are none. They go with the RAM. */
enum { HOST_TEXT_PAGES = 1024 };
uint8_t *host_text(uint64_t *at);
/** A second view of RAM that no guard covers, or NULL. */
uint8_t *host_ram_alias(void);

/**
 * Views of RAM at user addresses, which have been reserved. Access is of HAL_USER_. -ENOMEM: the
 * process has too many mappings.
 */
HAL_MUST_CHECK int host_view_map(uintptr_t address, uint64_t physical, size_t bytes,
                                 unsigned access);
HAL_MUST_CHECK int host_view_protect(uintptr_t address, size_t bytes, unsigned access); /* or 0 */
/** No view there any more: nobody can touch these addresses. */
void host_view_drop(uintptr_t address, size_t bytes);

/* ---- fiber.c ---- */

/** Prepares `context` to call entry(argument) on its stack, in the state of one switched away from.
 */
void fiber_init(struct hal_context *context, void *stack, size_t bytes, void (*entry)(void *),
                void *argument);
void fiber_finish(struct hal_context *context);
/** Switches stacks within the guest. Entered; the other side leaves. */
void fiber_switch(struct hal_context *from, struct hal_context *to);
/** The same, from one CPU to another that is played on the same thread. */
void fiber_switch_cpu(struct hal_context *from, struct hal_context *to);
/** Outside: continues cpu->guest, until the guest is suspended or abandoned. */
void fiber_run_guest(struct cpu *cpu);
/** Entered, on a guest stack: back to fiber_run_guest's caller, until that is called again. */
void fiber_suspend_guest(struct cpu *cpu);
/** Calls function(argument) on the host's stack. Entered, on a guest stack. */
long fiber_call_host(struct cpu *cpu, long (*function)(void *), void *argument);
/** Entered, on any stack: drops the guest and returns from fiber_run_guest. */
HAL_NORETURN void fiber_abandon_guest(struct cpu *cpu);
/** Where a signal handler may send a CPU whose guest is to be dropped: pc and sp. */
void fiber_abandon_target(struct cpu *cpu, uint64_t *pc, uint64_t *sp, uint64_t *argument);
/** Forgets what tools remember of the guest's stacks: they are plain memory again. */
void fiber_forget_all(void);

/* ---- tools.c ---- */

/** True under a tool that plays the processor and delivers signals by itself (Valgrind). */
bool tools_run_signals(void);
/** False: the guest was interrupted at `pc` inside a tool's own code; try again later. Any context.
 */
bool tools_can_interrupt(uint64_t pc);
/** Whether a tool runs this process that cannot follow moved signal frames: no real clock then. */
bool tools_forbid_signals(void);
/** Tells tools that RAM may be used but holds nothing of meaning, or that it may not be used. */
void tools_memory_fresh(void *start, size_t bytes);
void tools_memory_closed(void *start, size_t bytes);
/** Tells tools that all of it may be used, and is meaningful (a snapshot was copied there). */
void tools_memory_open(void *start, size_t bytes);
/**
 * For snapshots: what a tool has noted of each page takes tools_notes_bytes() bytes (0: nothing
 * that can be kept; tools_memory_open then says the least).
 */
size_t tools_notes_bytes(void);
void tools_notes_save(void *notes, const void *page);
void tools_notes_restore(void *page, const void *notes);
/** RAM exists now, and is about to be no more. */
void tools_begin(void);
void tools_end(void);
/** The guest's blocks are no more; `again`: it is about to start with none. */
void tools_forget_blocks(bool again);

/* ---- cpu.c: the host thread behind a CPU ---- */

/** Gives the calling thread what a CPU's thread needs, or all CPUs' (virtual clock); and undoes
 * that. Outside. */
HAL_MUST_CHECK int host_cpu_adopt(struct cpu *cpu);
void host_cpu_disown(struct cpu *cpu);
/** Starts a thread that calls body(cpu) as the CPU's thread (real clock). Outside. */
HAL_MUST_CHECK int host_cpu_spawn(struct cpu *cpu, void (*body)(struct cpu *));
/** Waits for it to end. */
void host_cpu_join(struct cpu *cpu);
/** Gives back what the CPUs' threads needed. */
void host_cpu_free(void);
/** Makes the CPU look at its pending bits. Any thread; also from a signal handler. */
void host_cpu_kick(struct cpu *cpu);
/** Makes the adopted thread look at them after a while, again and again (virtual). As above. */
void host_cpu_nag(struct cpu *cpu);
/** Real clock: signals this CPU at host time `when` or a little after an earlier `when`. */
void host_timer_arm(struct cpu *cpu, uint64_t when);
void host_timer_forget(struct cpu *cpu); /**< on its thread, which plays no CPU: it is off */
/** Bounds of the CPU's alternate stack hold `address`. Any context. */
bool host_cpu_on_alternate(uintptr_t address);

/* ---- user.c, user.S: user code ---- */

struct hal_user;
/** Why it was left: the low bits say what, see board/user.c. */
enum host_user_why {
    HOST_USER_INTERRUPT, /* also: it was not entered */
    HOST_USER_CALL,
    HOST_USER_OLD_CALL,    /* in the way of 32-bit programs */
    HOST_USER_FAULT,       /* the frame's trap number says which */
    HOST_USER_PATCHED_CALL /* a call that came by a stub; user.S has the number */
};

/** Reserves the user addresses, and finds out how to have system calls. The machine is opened. */
void host_user_open(void);
void host_user_close(void);
/** NULL: user code can run. Else why not. */
const char *host_user_refusal(void);
/** Whether to drop all views when user code is left: a test of the kernel. */
bool host_user_hides(void);
/**
 * Runs user code on `cpu`, unless a bit of `wanted` is pending on it or comes. Entered, on a guest
 * stack. What is mapped at user addresses is the caller's business.
 */
enum host_user_why host_user_run(struct cpu *cpu, struct hal_user *user, uint32_t wanted);
/** Why a watch's timer wants to have the run ended: NULL if not; since `*ns`. Clears that. */
const char *host_user_stalled(uint64_t *ns);
/** Whether system calls can be patched, and whether there are stubs left for it. */
bool host_user_patches(void);
bool host_user_stubs_are_out(void);
/** Gives a stub that does what `bytes` bytes of `code` do, which stand at `start` in a program, and
 * then, without the host, the system call behind them. 0: no room, or it cannot be moved. */
uintptr_t host_user_add_stub(uintptr_t start, const uint8_t *code, size_t bytes);
/** Whether code is what gate.h calls a guard. */
bool host_user_is_guard(const uint8_t *code, size_t bytes);
/** No stub is needed any more. */
void host_user_forget_stubs(void);
/** The thread behind a CPU begins, and ends, to be that. */
void host_user_adopt(struct cpu *cpu);
void host_user_disown(struct cpu *cpu);
/** As hal_user_capabilities. */
uint64_t host_user_capabilities(unsigned which);

/* ---- watch.c: a CPU that does not come on ---- */

/** Watches the CPU that this thread plays: with the real clock whether it stays masked for `ns` of
 * the thread's processor time, with the virtual one whether machine time stands still that long.
 * 0: no more. Outside or entered, on the CPU's thread. */
HAL_MUST_CHECK int host_watch_start(struct cpu *cpu, uint64_t ns);
void host_watch_stop(struct cpu *cpu);
/** The thread goes, or the machine does. */
void host_watch_end(struct cpu *cpu);

/* ---- trap.c: signals as interrupts and exceptions ---- */

/** Installs the handlers, and puts back what was there. */
HAL_MUST_CHECK int host_traps_install(void);
void host_traps_remove(void);
/** Where the guest was when it was last suspended without calling the HAL, or 0. */
uintptr_t host_trap_where(void);

/** The address that this code was loaded at less the one it was linked for. A machine is open. */
uintptr_t host_code_base(void);
/** The file that it was loaded from. */
const char *host_code_path(void);
/** Whether `pc` lies in the kernel or the simulator, not in another library. Any context. */
bool host_code_holds(uint64_t pc);

/* ---- card.c ---- */
struct host_card {
    int fd, small; /* -1: none; the same file, for small reads */
    bool read_only;
    uint64_t sectors;
    long row_at, row_end; /* bytes that were written in a row, and wait for a flush */
};

/** Opens and locks a card's file. On failure `message` says what is wrong and what to do. */
HAL_MUST_CHECK int host_card_open(struct host_card *card, const char *path, bool read_only,
                                  char *message, size_t size);
void host_card_close(struct host_card *card);
struct hal_block_request;
/** Moves the data of a checked request. 0 or -EIO. */
int host_card_transfer(struct host_card *card, const struct hal_block_request *request);
/** Reads for the library's user. 0, -EINVAL (past the end) or -EIO. */
int host_card_look(const struct host_card *card, uint64_t sector, void *data, size_t count);
