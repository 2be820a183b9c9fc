/* SPDX-License-Identifier: MIT */
/*
 * disk.h: disks, for those who make one: a queue of requests and the driver that serves them.
 *
 * A driver is a table of functions. start() gets a request that nothing forbids to serve now, with
 * all requests merged with it; block_end() gives it back. What is between is the driver's affair,
 * so that a card, memory and a disk that only spoils what it passes on to another all look alike.
 *
 * Locks. A disk has one, of LOCK_RANK_DEVICE, and no two are held together. A driver may use it for
 * what is its own (abort is called with it held).
 */
#pragma once

#include "block/queue/elevator.h"
#include "block/request.h"
#include "deferred/ktimer.h"
#include "sync/spinlock.h"
#include "sync/wait.h"

struct block_driver {
    const char *kind; /**< one word: "card" */

    /**
     * Serves `request` (request->step says what to do): 0 if block_end is or will be called;
     * otherwise it has not begun and ends with that error. Masked, no locks; never waits.
     */
    int (*start)(struct block_disk *disk, struct block_request *request);

    /** Calls block_end for what has completed without an interrupt. NULL: there is no such thing.
     * Any context, no locks. */
    void (*poll)(struct block_disk *disk);

    /**
     * Lets go of a request that takes too long: true, and block_end will not be called for it;
     * false if that cannot be done now. NULL: it never can. Caller holds the lock of the disk.
     */
    bool (*abort)(struct block_disk *disk, struct block_request *request);

    /** Frees the disk, which is not known any more. NULL: it cannot be removed. May sleep. */
    void (*remove)(struct block_disk *disk);
};

#define BLOCK_PAST_MAX 128u

/** What the driver wants. Constant while the disk is known. */
struct block_limits {
    uint32_t sectors; /**< of a request, merged ones included */
    unsigned vectors; /**< the same */
    unsigned depth;   /**< requests that the driver takes at a time */
    unsigned retries; /**< how often a request that failed is begun again */
    uint64_t timeout; /**< ns for a try, from submission on; 0: any time */
};

struct block_disk {
    const struct block_driver *driver;
    void *context; /**< the driver's */
    struct block_limits limits;
    struct block_device device; /**< all of it */

    struct spinlock lock;  /**< guards the rest */
    bool present;          /**< false: -ENOMEDIUM; atomic */
    struct list waiting;   /**< requests as they were submitted, that may not be queued yet */
    struct elevator queue; /**< requests that may be begun in any order */
    struct list again;     /**< to be begun before all others: tries, flushes behind BLOCK_FUA */
    struct list started;   /**< the driver has them */
    struct list ended;     /**< done is to be called */
    struct block_request *alone; /**< the barrier that holds all others back; NULL: none */
    unsigned in_flight;          /**< how many are started */
    unsigned plugs;              /**< block_plug */
    unsigned urgent;             /**< of those that are not done, those with BLOCK_SYNC */
    uint64_t head;               /**< where the last one begun ended */
    bool running;                /**< somebody is in queue_run */
    bool again_please;           /**< and is to look again before he leaves */
    struct block_stats stats;
    struct block_counts counts; /**< of the disk as a whole */
    struct block_past {
        uint64_t time; /**< of the submission */
        uint64_t at;
        uint32_t sectors; /**< 0: a flush */
        enum block_op op;
    } past[BLOCK_PAST_MAX]; /**< the last requests: number n at n % BLOCK_PAST_MAX */
    uint64_t past_count;
    struct ktimer timer; /**< for what takes too long */
    struct ktimer relay; /**< for the thread that goes on with a queue */
    bool timed;          /**< it is armed */

    /* Guarded by the lock of the table of devices. */
    struct list link;
    struct list partitions;
    unsigned opens; /**< of the whole */
    bool known;
};

/**
 * Makes `disk`, whose driver, context and limits are set and all else is zero, ready and known as
 * `name`. 0; -EEXIST; or, if the limits cannot be, -EINVAL. May sleep.
 */
HAL_MUST_CHECK int block_disk_add(struct block_disk *disk, const char *name, uint64_t sectors,
                                  bool read_only);

/**
 * Takes it out of the table, with its partitions, and -ENOMEDIUM is what requests get from then on.
 * -EBUSY: it or a partition is open, or requests are under way. May sleep.
 */
HAL_MUST_CHECK int block_disk_remove(struct block_disk *disk);

/** The driver is done with `request`: 0 or an error. Any context, no lock of a device held. */
void block_end(struct block_request *request, int error);

/** The request behind `request` (at first, itself) in the row of those merged with `first`, or
 * NULL. For drivers. */
struct block_request *block_next_merged(const struct block_request *first,
                                        struct block_request *request);

/** Has the driver end what has completed. Context as block_submit. */
void block_poll(struct block_disk *disk);

/** From now on requests that take too long are noticed although nobody waits: timers run. Boot. */
void block_start_timers(void);
