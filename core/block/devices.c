/* SPDX-License-Identifier: MIT */
/*
 * devices.c: the table of devices: disks, and the partitions that were found on them.
 *
 * What a disk is said to have may change, with another card or another table. A partition in use
 * does not: its place in the table is kept until nobody has it open. And a place is never
 * given back while its disk is known, only used for another one of the same number; so a
 * device that somebody still has a copy of points to something that is there. There are as many as
 * a full table of partitions needs, and some, so that making them known wants no memory.
 */
#include "block/disk.h"
#include "block/queue/queue.h"
#include "lib/format.h"
#include "lib/string.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/runtime.h>

#define PLACES 160u

struct partition_place {
    struct list link; /**< among those of its disk, while `used` */
    bool used;
    struct block_device device;
    struct block_counts counts; /**< guarded by the lock of the disk */
    unsigned number;
    unsigned opens;
    bool gone; /**< not in the present table of the disk */
};

static KSTATE struct device_table {
    struct spinlock lock; /**< guards the rest, and what disks say it does */
    struct list disks;    /**< in the order of their arrival */
    const struct elevator_kind *elevator;
    struct partition_place places[PLACES];
    bool ready;
} table;

/* The first disk comes in the boot's own thread, before any other looks. */
static void prepare(void)
{
    if (table.ready)
        return;
    spinlock_init(&table.lock, LOCK_RANK_DEVICE);
    list_init(&table.disks);
    if (!table.elevator)
        table.elevator = elevator_at(0);
    table.ready = true;
}

/* ---- finding ---- */

static struct block_disk *disk_of(struct list *link)
{
    return list_entry(link, struct block_disk, link);
}

static struct partition_place *place_of(struct list *link)
{
    return list_entry(link, struct partition_place, link);
}

/** A device in the table: all of `disk`, or `place`. */
struct found {
    struct block_disk *disk; /**< NULL: nothing was found */
    struct partition_place *place;
};

static struct partition_place *find_place(struct block_disk *disk, const char *name)
{
    list_for_each (link, &disk->partitions)
        if (!place_of(link)->gone && string_equal(place_of(link)->device.name, name))
            return place_of(link);
    return NULL;
}

/** Caller holds the lock. */
static struct found find_locked(const char *name)
{
    list_for_each (link, &table.disks) {
        struct block_disk *disk = disk_of(link);
        struct partition_place *place = find_place(disk, name);

        if (place || string_equal(disk->device.name, name))
            return (struct found){disk, place};
    }
    return (struct found){NULL, NULL};
}

static const struct block_device *device_of(struct found found)
{
    return found.place ? &found.place->device : found.disk ? &found.disk->device : NULL;
}

static unsigned *opens_of(struct found found)
{
    return found.place ? &found.place->opens : &found.disk->opens;
}

const struct block_device *block_find(const char *name)
{
    const struct block_device *device;
    hal_irq_state_t state;

    if (!table.ready)
        return NULL;
    state = spinlock_acquire(&table.lock);
    device = device_of(find_locked(name));
    spinlock_release(&table.lock, state);
    return device;
}

int block_open(const char *name, const struct block_device **device)
{
    hal_irq_state_t state;
    struct found found;
    int error = 0;

    if (!table.ready)
        return -ENOENT;
    state = spinlock_acquire(&table.lock);
    found = find_locked(name);
    *device = device_of(found);
    if (!*device)
        error = -ENOENT;
    else if (!__atomic_load_n(&found.disk->present, __ATOMIC_RELAXED))
        error = -ENOMEDIUM;
    else
        ++*opens_of(found);
    spinlock_release(&table.lock, state);
    return error;
}

void block_close(const struct block_device *device)
{
    hal_irq_state_t state = spinlock_acquire(&table.lock);

    if (device == &device->disk->device)
        device->disk->opens--;
    else
        list_entry((struct block_device *)(uintptr_t)device, struct partition_place, device)
            ->opens--;
    spinlock_release(&table.lock, state);
}

/* ---- disks ---- */

int block_disk_add(struct block_disk *disk, const char *name, uint64_t sectors, bool read_only)
{
    const struct block_limits *limits = &disk->limits;
    hal_irq_state_t state;
    int error = 0;

    prepare();
    if (limits->depth == 0 || limits->sectors == 0 || limits->sectors > BLOCK_SECTORS_MAX ||
        limits->vectors == 0 || limits->vectors > BLOCK_VECTORS_MAX)
        return -EINVAL;
    queue_init(disk);
    elevator_init(&disk->queue, table.elevator, ELEVATOR_BOUND);
    disk->device = (struct block_device){
        .sectors = sectors, .read_only = read_only, .disk = disk, .counts = NULL};
    string_copy(disk->device.name, sizeof(disk->device.name), name);
    list_init(&disk->partitions);
    state = spinlock_acquire(&table.lock);
    if (find_locked(name).disk) {
        error = -EEXIST;
    } else {
        list_add_tail(&table.disks, &disk->link);
        disk->known = true;
        __atomic_store_n(&disk->present, true, __ATOMIC_RELAXED);
    }
    spinlock_release(&table.lock, state);
    return error;
}

/** True if one of them is open. Caller holds the lock. */
static bool partitions_in_use(const struct block_disk *disk)
{
    list_for_each (link, &disk->partitions)
        if (place_of(link)->opens > 0)
            return true;
    return false;
}

/** Takes the disk, which is found, off the table. Caller holds the lock. */
static int take_off(struct block_disk *disk)
{
    if (disk->opens > 0 || partitions_in_use(disk))
        return -EBUSY;
    disk->known = false;
    list_remove(&disk->link);
    return 0;
}

/** Nobody can find the disk any more; requests of those that never opened it may be under way. Then
 * all is as before, because these count in the places of its partitions. */
static int wait_for_quiet(struct block_disk *disk)
{
    int error = queue_settle_down(disk);
    hal_irq_state_t state;

    if (!error) {
        (void)ktimer_cancel(&disk->timer);
        (void)ktimer_cancel(&disk->relay);
    }
    state = spinlock_acquire(&table.lock);
    if (error) {
        list_add_tail(&table.disks, &disk->link);
        disk->known = true;
    } else {
        list_for_each (link, &disk->partitions)
            place_of(link)->used = false;
    }
    spinlock_release(&table.lock, state);
    return error;
}

int block_disk_remove(struct block_disk *disk)
{
    hal_irq_state_t state = spinlock_acquire(&table.lock);
    int error = take_off(disk);

    spinlock_release(&table.lock, state);
    return error ? error : wait_for_quiet(disk);
}

int block_remove(const char *name)
{
    struct block_disk *disk;
    hal_irq_state_t state;
    struct found found;
    int error = -ENOENT;

    if (!table.ready)
        return error;
    state = spinlock_acquire(&table.lock);
    found = find_locked(name);
    disk = found.disk;
    if (disk)
        error = found.place || !disk->driver->remove ? -EPERM : take_off(disk);
    spinlock_release(&table.lock, state);
    if (!error)
        error = wait_for_quiet(disk);
    if (!error)
        disk->driver->remove(disk);
    return error;
}

/* ---- partitions ---- */

int block_slice(const struct block_device *device, unsigned number, uint64_t first,
                uint64_t sectors, struct block_device *slice)
{
    size_t n = string_length(device->name);
    bool digit = n > 0 && device->name[n - 1] >= '0' && device->name[n - 1] <= '9';

    if (first > device->sectors || sectors > device->sectors - first)
        return -EINVAL;
    *slice = *device;
    /* "mmcblk0p1", but "sda1": the p keeps two numbers apart. */
    format_text(slice->name, sizeof(slice->name), "%.11s%s%u", device->name, digit ? "p" : "",
                number);
    slice->first = device->first + first;
    slice->sectors = sectors;
    return 0;
}

/** The place of partition `number`, gone, new or not; NULL if there is none left. Caller holds the
 * lock. */
static struct partition_place *place_numbered(struct block_disk *disk, unsigned number)
{
    struct partition_place *place = table.places;

    list_for_each (link, &disk->partitions)
        if (place_of(link)->number == number)
            return place_of(link);
    while (place < table.places + PLACES && place->used)
        place++;
    if (place == table.places + PLACES)
        return NULL;
    memset(place, 0, sizeof(*place));
    place->used = place->gone = true;
    place->number = number;
    list_add_tail(&disk->partitions, &place->link);
    return place;
}

/** The device in `place` is `slice` from now on, unless it is in use as another one. Caller holds
 * the lock. */
static int settle_place(struct partition_place *place, const struct block_device *slice)
{
    bool same = place->device.first == slice->first && place->device.sectors == slice->sectors &&
                place->device.read_only == slice->read_only;

    if (!same && place->opens > 0)
        return -EBUSY;
    if (!same)
        memset(&place->counts, 0, sizeof(place->counts));
    place->device = *slice;
    place->device.counts = &place->counts;
    place->gone = false;
    return 0;
}

int block_add_partition(const struct block_device *whole, unsigned number, uint64_t first,
                        uint64_t sectors, struct block_device *partition)
{
    struct partition_place *place;
    hal_irq_state_t state;
    int error = block_slice(whole, number, first, sectors, partition);

    if (error)
        return error;
    state = spinlock_acquire(&table.lock);
    place = place_numbered(whole->disk, number);
    error = place ? settle_place(place, partition) : -ENOSPC;
    if (!error)
        *partition = place->device;
    spinlock_release(&table.lock, state);
    return error;
}

int block_forget_partitions(const struct block_device *whole)
{
    hal_irq_state_t state = spinlock_acquire(&table.lock);
    bool busy = partitions_in_use(whole->disk);

    if (!busy)
        list_for_each (link, &whole->disk->partitions)
            place_of(link)->gone = true;
    spinlock_release(&table.lock, state);
    return busy ? -EBUSY : 0;
}

/* ---- listing, and how requests are sorted ---- */

/** The device that is `index` places from the first; counts down. */
static struct found count_off(unsigned index)
{
    list_for_each (link, &table.disks) {
        struct block_disk *disk = disk_of(link);

        if (index-- == 0)
            return (struct found){disk, NULL};
        list_for_each (part, &disk->partitions)
            if (!place_of(part)->gone && index-- == 0)
                return (struct found){disk, place_of(part)};
    }
    return (struct found){NULL, NULL};
}

bool block_entry_at(unsigned index, struct block_entry *entry)
{
    hal_irq_state_t state;
    struct found found;

    if (!table.ready)
        return false;
    state = spinlock_acquire(&table.lock);
    found = count_off(index);
    if (found.disk) {
        entry->device = *device_of(found);
        entry->number = found.place ? found.place->number : 0;
        entry->opens = *opens_of(found);
        entry->kind = found.disk->driver->kind;
        entry->elevator = found.disk->queue.kind->name;
    }
    spinlock_release(&table.lock, state);
    return found.disk != NULL;
}

int block_set_default_elevator(const char *name)
{
    const struct elevator_kind *kind = elevator_find(name);

    if (!kind)
        return -EINVAL;
    table.elevator = kind;
    return 0;
}

int block_set_elevator(const struct block_device *device, const char *name)
{
    const struct elevator_kind *kind = elevator_find(name);
    hal_irq_state_t state;

    if (!kind)
        return -EINVAL;
    if (!device->disk)
        return -ENOMEDIUM;
    state = spinlock_acquire(&device->disk->lock);
    device->disk->queue.kind = kind;
    spinlock_release(&device->disk->lock, state);
    return 0;
}
