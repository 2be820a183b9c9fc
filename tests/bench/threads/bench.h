/* SPDX-License-Identifier: MIT */
/*
 * bench.h: what the sides of the threads benchmark share: the kernel's side runs in a simulated
 * machine, the host's beside it in the same process, and main.c asks both and prints the table.
 *
 * Both do the same jobs, from the same source where that is possible (workload.c).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What a machine that is started does, one after the other. */
enum bench_job {
    BENCH_ONE_CPU,  /* all that needs one CPU and a few threads */
    BENCH_TWO_CPUS, /* what goes on between two */
    BENCH_MANY,     /* 100,000 threads, and scheduling */
    BENCH_LIVES,    /* their lives only */
    BENCH_YIELDS,   /* yields only, for a profiler */
    BENCH_LOCKS     /* the counter of a pair only, for a profiler */
};

enum bench_figure {
    BENCH_SWITCH,      /* a switch of bare contexts */
    BENCH_YIELD,       /* from one thread to another that is ready, by the default policy */
    BENCH_YIELD_TURNS, /* the same by round robin; kernel only */
    BENCH_WAKE,        /* from making a sleeper ready to its going on, on the same CPU */
    BENCH_WAKE_OTHER,  /* the same, on another CPU */
    BENCH_HANDOVER,    /* a turn, by mutex and condition */
    BENCH_JOIN_LIVE,   /* a thread made and joined, that has not ended */
    BENCH_JOIN_DEAD,   /* the same, that has ended */
    BENCH_COUNTER,     /* and the next BENCH_COUNTERS - 1: a row of bench_counters */
    BENCH_FIGURES = BENCH_COUNTER + 6
};

/* `threads` threads add to an integer up to `high`, and yield all the time. */
struct bench_counter {
    unsigned high, threads;
};

#define BENCH_COUNTERS 6u
#define BENCH_COUNTER_PAIR 3u /* the number of the long one of two threads */
extern const struct bench_counter bench_counters[BENCH_COUNTERS];

/* The best of each in ps, for noise only ever adds; 0: not measured. */
struct bench_figures {
    uint64_t ps[BENCH_FIGURES];
};

/* Many threads. */
#define BENCH_POLICIES 9u
#define BENCH_SIZES 5u
extern const unsigned bench_sizes[BENCH_SIZES];

struct bench_many {
    unsigned threads;           /* how many there were at once */
    uint64_t create, run, join; /* ps each */
    uint64_t bytes;             /* of memory, each */
    unsigned guarded;           /* of them, those with a guard page */
    const char *names[BENCH_POLICIES];
    uint64_t ps[BENCH_POLICIES][BENCH_SIZES]; /* a switch with so many ready */
};

struct bench_order {
    enum bench_job job;
    unsigned runs;    /* how often each is done, to keep the best */
    unsigned threads; /* BENCH_MANY: how many; also the most that are scheduled */
    const char *error;
    struct bench_figures *figures;
    struct bench_many many;
};

extern struct bench_order bench_order;

/* Notes that `count` of what `figure` is about took `ns`. */
void bench_note(enum bench_figure figure, uint64_t ns, uint64_t count);

/*
 * ns of processor time that this process has had, all threads together. What other processes do
 * meanwhile does not count; so it is the measure wherever only one core works. Guest code masks
 * around it.
 */
uint64_t bench_cpu_time(void);

/* ns by the wall clock, for what happens between cores. */
uint64_t bench_wall_time(void);

/* Does all figures of the host's side into `figures`. `spread`: its threads may use all cores. */
void bench_host(struct bench_figures *figures, unsigned runs, bool spread);

/* Makes up to `threads` threads of the host's. */
void bench_host_many(struct bench_many *many, unsigned threads);

/* ns for a switch by a dozen instructions, and for one by swapcontext. */
double bench_by_hand(void);
double bench_swapcontext(void);
