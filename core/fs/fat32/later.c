/* SPDX-License-Identifier: MIT */
/*
 * later.c: what was changed goes to the card by itself after some seconds (mount option "commit"),
 * for the power may go while nobody thinks of `sync`.
 *
 * The first change that the card does not have arms a timer; its work, in a thread that all volumes
 * share, puts everything on the card. The thread is made when a card is first written.
 */
#include "fs/fat32/fat32.h"

#include "fs/fat32/volume.h"
#include "fs/fat32/write/write.h"
#include "heap/heap.h"
#include "work/work.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/time.h>

#define SECOND UINT64_C(1000000000)

struct fat32_later {
    struct delayed_work work;
    struct fat32_volume *volume;
    bool waiting; /* it is going to run; guarded by the volume's mutex */
};

static KSTATE struct {
    bool allowed; /* there are threads and timers */
    struct work_queue *queue;
} shared;

void fat32_start(void)
{
    shared.allowed = true;
}

/* Two volumes may be written for the first time at once. */
static struct work_queue *get_queue(void)
{
    struct work_queue *queue = __atomic_load_n(&shared.queue, __ATOMIC_ACQUIRE), *nobody = NULL;

    if (queue || !shared.allowed || work_queue_create("fat32", 1, &queue))
        return queue;
    if (__atomic_compare_exchange_n(&shared.queue, &nobody, queue, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        return queue;
    work_queue_destroy(queue);
    return nobody;
}

static void arm(struct fat32_volume *volume)
{
    struct work_queue *queue = volume->options.commit ? get_queue() : NULL;

    volume->later->waiting = queue != NULL;
    if (queue)
        delayed_work_submit(queue, &volume->later->work,
                            hal_time_now() + volume->options.commit * SECOND);
}

static void write_now(struct work *work)
{
    struct fat32_later *later =
        (struct fat32_later *)((char *)work - offsetof(struct fat32_later, work.work));
    struct fat32_volume *volume = later->volume;

    mutex_lock(&volume->mutex);
    later->waiting = false;
    if (volume->writer && fat32_sync(volume))
        arm(volume); /* the card may work the next time; whoever asks for a sync gets the error */
    mutex_unlock(&volume->mutex);
}

int fat32_later_init(struct fat32_volume *volume)
{
    struct fat32_later *later = kcalloc(1, sizeof(*later));

    if (!later)
        return -ENOMEM;
    later->volume = volume;
    delayed_work_init(&later->work, write_now);
    volume->later = later;
    return 0;
}

void fat32_later(struct fat32_volume *volume)
{
    if (!volume->later->waiting)
        arm(volume);
}

void fat32_later_stop(struct fat32_volume *volume)
{
    if (__atomic_load_n(&shared.queue, __ATOMIC_ACQUIRE))
        (void)delayed_work_cancel(&volume->later->work);
}

void fat32_later_finish(struct fat32_volume *volume)
{
    kfree(volume->later);
}
