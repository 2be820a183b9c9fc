/* SPDX-License-Identifier: MIT */
/*
 * stats.c: what is counted of each disk and partition.
 *
 * The fields are those of Linux's /proc/diskstats, in ns instead of ms. `busy` is time in which
 * anything was under way, whatever the number; `weighted` is the same with each request counted, so
 * that weighted / busy is the mean length of the queue.
 */
#include "block/queue/queue.h"

#include "lib/string.h"

#include <hal/runtime.h>
#include <hal/time.h>

static void pass_time(struct block_counts *counts, uint64_t now)
{
    uint64_t ns = now - counts->stamp;

    if (counts->under_way > 0)
        counts->busy_ns += ns;
    counts->weighted_ns += counts->under_way * ns;
    counts->stamp = now;
}

static struct block_way *way_of(struct block_counts *counts, const struct block_request *request)
{
    return request->op == BLOCK_READ    ? &counts->read
           : request->op == BLOCK_WRITE ? &counts->write
                                        : &counts->flush;
}

static void remember(struct block_disk *disk, const struct block_request *request)
{
    struct block_past *past = &disk->past[disk->past_count++ % BLOCK_PAST_MAX];

    *past = (struct block_past){request->queued_at, request->at, request->sectors, request->op};
}

void stats_submitted(struct block_disk *disk, struct block_request *request)
{
    struct block_counts *both[] = {&disk->counts, request->counts};

    request->queued_at = hal_time_now();
    for (unsigned i = 0; i < 2 && both[i]; i++) {
        pass_time(both[i], request->queued_at);
        both[i]->under_way++;
    }
    remember(disk, request);
    if (disk->counts.under_way > disk->stats.most)
        disk->stats.most = disk->counts.under_way;
}

void stats_merged(struct block_disk *disk, const struct block_request *request)
{
    way_of(&disk->counts, request)->merged++;
    if (request->counts)
        way_of(request->counts, request)->merged++;
}

static void count_one(struct block_counts *counts, const struct block_request *request, bool leader,
                      uint64_t now, bool good)
{
    struct block_way *way = way_of(counts, request);

    pass_time(counts, now);
    counts->under_way--;
    if (good) {
        way->requests += leader;
        way->sectors += request->sectors;
    }
    way->ns += now - request->queued_at;
}

void stats_ended(struct block_disk *disk, const struct block_request *request, int error)
{
    uint64_t now = hal_time_now();
    struct block_request *part = (struct block_request *)(uintptr_t)request;

    disk->stats.errors += error != 0;
    for (; part; part = block_next_merged(request, part)) {
        count_one(&disk->counts, part, part == request, now, !error);
        if (part->counts)
            count_one(part->counts, part, part == request, now, !error);
    }
}

void block_device_stats(const struct block_device *device, struct block_stats *stats)
{
    struct block_disk *disk = device->disk;
    struct block_counts *counts = device->counts;
    hal_irq_state_t state;

    memset(stats, 0, sizeof(*stats));
    if (!disk)
        return;
    if (!counts)
        counts = &disk->counts;
    state = spinlock_acquire(&disk->lock);
    pass_time(counts, hal_time_now());
    *stats = disk->stats;
    stats->hurried = disk->queue.hurried;
    stats->reads = disk->counts.read.requests;
    stats->writes = disk->counts.write.requests;
    stats->flushes = disk->counts.flush.requests;
    stats->sectors_read = disk->counts.read.sectors;
    stats->sectors_written = disk->counts.write.sectors;
    stats->counts = *counts;
    spinlock_release(&disk->lock, state);
}
