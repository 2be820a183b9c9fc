/* SPDX-License-Identifier: MIT */
/*
 * queue.h: the queue of a disk, for the files of core/block.
 *
 * Everything here wants the lock of the disk to be held, unless it says otherwise.
 */
#pragma once

#include "block/disk.h"

/** Merges `request` with one or two in the queue, if it can be: true, and it is queued. */
HAL_MUST_CHECK bool queue_merge(struct block_disk *disk, struct block_request *request);

/** Takes the next of those that were merged with `request` off it, and NULL when it is alone. */
struct block_request *queue_part(struct block_request *request);

/** True if `request` has to wait for `other` because of what they touch. */
bool queue_conflicts(const struct block_request *request, const struct block_request *other);

/** Makes `request`, alone or merged, end with `error` as soon as somebody runs the queue. It is in
 * none of the lists. */
void queue_finish(struct block_disk *disk, struct block_request *request, int error);

/** The driver is done with `request`, or lets go of it: it ends or is begun again. */
void queue_settle(struct block_disk *disk, struct block_request *request, int error);

/** Begins what can be begun and calls done() for what has ended, without the lock meanwhile. */
void queue_run(struct block_disk *disk);

/** The other half of block_disk_add: an empty queue. Without the lock. */
void queue_init(struct block_disk *disk);

/** late.c's part of it. */
void queue_init_timer(struct block_disk *disk);

/** Has the thread of the timers run the queue soon; false: there is none. */
HAL_MUST_CHECK bool queue_hand_over(struct block_disk *disk);

/** Takes the medium away, and waits until nobody touches the queue any more: 0, or -EBUSY if
 * requests are under way. Without the lock. May sleep. */
HAL_MUST_CHECK int queue_settle_down(struct block_disk *disk);

/** `request` is begun: sets its deadline, and the timer if nobody watches it. */
void queue_watch(struct block_disk *disk, struct block_request *request);

/* stats.c */
void stats_submitted(struct block_disk *disk, struct block_request *request);
void stats_merged(struct block_disk *disk, const struct block_request *request);
/** One request and its followers have ended; each of them is counted. */
void stats_ended(struct block_disk *disk, const struct block_request *request, int error);
