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
#include "work/work.h"

#include <hal/kstate.h>
#include <hal/time.h>

#define SECOND UINT64_C(1000000000)

static KSTATE struct later {
    bool allowed; /* there are threads and timers */
    struct work_queue *queue;
} later;

void fat32_start(void)
{
    later.allowed = true;
}

/* Two volumes may be written for the first time at once. */
static struct work_queue *get_queue(void)
{
    struct work_queue *queue = __atomic_load_n(&later.queue, __ATOMIC_ACQUIRE), *nobody = NULL;

    if (queue || !later.allowed || work_queue_create("fat32", 1, &queue))
        return queue;
    if (__atomic_compare_exchange_n(&later.queue, &nobody, queue, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        return queue;
    work_queue_destroy(queue);
    return nobody;
}

static void arm(struct fat32_volume *volume)
{
    struct work_queue *queue = volume->options.commit ? get_queue() : NULL;

    volume->waiting = queue != NULL;
    if (queue)
        delayed_work_submit(queue, &volume->later,
                            hal_time_now() + volume->options.commit * SECOND);
}

static void write_now(struct work *work)
{
    struct delayed_work *delayed =
        (struct delayed_work *)((char *)work - offsetof(struct delayed_work, work));
    struct fat32_volume *volume =
        (struct fat32_volume *)((char *)delayed - offsetof(struct fat32_volume, later));

    mutex_lock(&volume->mutex);
    volume->waiting = false;
    if (volume->writer && fat32_sync(volume))
        arm(volume); /* the card may work the next time; whoever asks for a sync gets the error */
    mutex_unlock(&volume->mutex);
}

void fat32_later_init(struct fat32_volume *volume)
{
    delayed_work_init(&volume->later, write_now);
}

void fat32_later(struct fat32_volume *volume)
{
    if (!volume->waiting)
        arm(volume);
}

void fat32_later_stop(struct fat32_volume *volume)
{
    if (__atomic_load_n(&later.queue, __ATOMIC_ACQUIRE))
        (void)delayed_work_cancel(&volume->later);
}
