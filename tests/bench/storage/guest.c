/* SPDX-License-Identifier: MIT */
/*
 * guest.c: the kernel's side of the storage benchmark. It stands in for the shell, so the whole
 * kernel is up, with the real clock and its interrupts, and the card is the root of all files.
 */
#include "guest.h"

#include "block/block.h"
#include "fs/mount.h"
#include "fs/root/root.h"
#include "fs/vfs.h"
#include "lib/bytes.h"
#include "mem/frame.h"

#include <hal/board.h>
#include <hal/cpu.h>
#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/machine.h>
#include <hal/time.h>

void guest_fail(const char *what, int error)
{
    bench_order.error = what;
    bench_order.number = error;
    hal_board_stop(HAL_STOP_POWER_OFF, 1);
}

void guest_expect(const char *what, int64_t error)
{
    if (error < 0)
        guest_fail(what, (int)error);
}

void guest_mount_anew(void)
{
    guest_expect("unmounting the card", vfs_unmount_root());
    guest_expect("mounting the card", vfs_mount_root());
}

void guest_sync(void)
{
    guest_expect("sync", mount_sync_all());
}

struct file *guest_open(const char *path, unsigned flags)
{
    struct file *file;

    guest_expect("opening a file", file_open(NULL, path, flags, 0644, &file));
    return file;
}

void guest_create(const char *path)
{
    file_put(guest_open(path, FILE_READ_WRITE | FILE_CREATE | FILE_EXCLUSIVE));
}

/* ---- one file ---- */

#define SMALL_ORDER 3u
#define DATA_PATH "/data.bin"

/* Has `row` be what the card is asked for from here on; DATA_ROWS: nothing more. */
static void account(enum bench_data row)
{
    static KSTATE struct block_stats then;
    static KSTATE enum bench_data counted;
    struct block_stats now;
    struct bench_traffic *traffic = &bench_order.traffic[counted];

    block_read_stats(&now);
    if (then.writes + then.reads > 0 && counted < DATA_ROWS)
        *traffic = (struct bench_traffic){now.reads + now.writes - then.reads - then.writes,
                                          now.sectors_read + now.sectors_written -
                                              then.sectors_read - then.sectors_written,
                                          now.flushes - then.flushes};
    then = now;
    counted = row;
}

uint64_t guest_processor_time(void)
{
    hal_irq_state_t state = hal_irq_save(); /* no interrupt on top of a call to the host */
    uint64_t now = bench_processor();

    hal_irq_restore(state);
    return now;
}

static void begin_row(enum bench_data row)
{
    bench_order.processor[row] = guest_processor_time();
    bench_order.data[row] = hal_time_now();
}

static void end_row(enum bench_data row)
{
    bench_order.data[row] = hal_time_now() - bench_order.data[row];
    bench_order.processor[row] = guest_processor_time() - bench_order.processor[row];
}

static void write_all(struct file *file, const uint8_t *data, enum bench_data row)
{
    begin_row(row);
    for (unsigned at = 0; at < bench_order.bytes; at += BENCH_PIECE)
        if (file_write(file, data, BENCH_PIECE) != BENCH_PIECE)
            guest_fail("writing a file", 0);
    guest_expect("fsync", file_sync(file));
    end_row(row);
}

static void write_file(uint8_t *data)
{
    struct file *file;
    int error = vfs_unlink(NULL, DATA_PATH);

    if (error && error != -ENOENT)
        guest_fail("removing a file", error);
    guest_sync();
    file = guest_open(DATA_PATH, FILE_READ_WRITE | FILE_CREATE | FILE_EXCLUSIVE);
    account(DATA_WRITE_NEW);
    write_all(file, data, DATA_WRITE_NEW);
    guest_expect("seeking", file_seek(file, 0, FILE_SET));
    account(DATA_WRITE_OVER);
    write_all(file, data, DATA_WRITE_OVER);
    account(DATA_ROWS);
    file_put(file);
}

static void read_all(uint8_t *data, enum bench_data row)
{
    struct file *file = guest_open(DATA_PATH, FILE_READ_ONLY);

    begin_row(row);
    for (unsigned at = 0; at < bench_order.bytes; at += BENCH_PIECE)
        if (file_read(file, data, BENCH_PIECE) != BENCH_PIECE)
            guest_fail("reading a file", 0);
    end_row(row);
    file_put(file);
}

static void at_random(uint8_t *data, enum bench_data row)
{
    struct file *file = guest_open(DATA_PATH, FILE_READ_WRITE);
    bool write = row == DATA_RANDOM_WRITE;
    uint64_t seed = 1;

    begin_row(row);
    for (unsigned i = 0; i < BENCH_RANDOM_COUNT; i++) {
        uint64_t place = bench_random(&seed, bench_order.bytes / BENCH_RANDOM_PIECE);
        int64_t done =
            write ? file_write_at(file, place * BENCH_RANDOM_PIECE, data, BENCH_RANDOM_PIECE)
                  : file_read_at(file, place * BENCH_RANDOM_PIECE, data, BENCH_RANDOM_PIECE);

        if (done != BENCH_RANDOM_PIECE)
            guest_fail("reading or writing at a random place", (int)done);
    }
    if (write)
        guest_expect("fsync", file_sync(file));
    end_row(row);
    file_put(file);
}

static void forget(void)
{
    hal_irq_state_t state = hal_irq_save(); /* no interrupt on top of a call to the host */

    bench_forget();
    hal_irq_restore(state);
}

static void measure_data(void)
{
    uint8_t *data = frame_alloc_pages(BENCH_PIECE / HAL_PAGE_SIZE, 0);

    if (!data)
        guest_fail("memory", 0);
    for (unsigned i = 0; i < BENCH_PIECE; i++)
        data[i] = (uint8_t)(i * 7 + i / 256);
    write_file(data);
    guest_mount_anew();
    forget();
    account(DATA_READ_DISK);
    read_all(data, DATA_READ_DISK);
    account(DATA_ROWS);
    guest_mount_anew();
    account(DATA_READ_COLD);
    read_all(data, DATA_READ_COLD);
    account(DATA_READ_WARM);
    read_all(data, DATA_READ_WARM);
    account(DATA_ROWS);
    guest_mount_anew();
    account(DATA_RANDOM_COLD);
    at_random(data, DATA_RANDOM_COLD);
    account(DATA_RANDOM_WARM);
    at_random(data, DATA_RANDOM_WARM);
    account(DATA_RANDOM_WRITE);
    at_random(data, DATA_RANDOM_WRITE);
    account(DATA_ROWS);
}

/* ---- mounts ---- */

static uint64_t mount_once(const struct block_device *device)
{
    struct problem problem;
    uint64_t start;

    guest_expect("unmounting", mount_remove("/"));
    start = hal_time_now();
    guest_expect("mounting", mount_add("fat32", device, "/", "", &problem));
    return hal_time_now() - start;
}

/* The volume looks as if the power had gone. */
static void leave_in_use(const struct block_device *device)
{
    uint8_t *sector = frame_alloc(0);
    unsigned fat;

    if (!sector)
        guest_fail("memory", 0);
    guest_expect("unmounting", mount_remove("/"));
    guest_expect("reading the boot sector", block_read(device, 0, sector, 1));
    fat = le16(sector + 14);
    guest_expect("reading the FAT", block_read(device, fat, sector, 1));
    put_le32(sector + 4, le32(sector + 4) & ~0x08000000u);
    guest_expect("writing the FAT", block_write(device, fat, sector, 1));
    frame_free(sector, 0);
}

static void measure_count(void)
{
    struct file_system_status status;
    struct vnode *root = vfs_root();
    uint64_t start = hal_time_now();

    guest_expect("status", root->mount->type->status(root->mount, &status));
    bench_order.count_ns = hal_time_now() - start;
    vnode_put(root);
}

static void measure_mount(void)
{
    const struct block_device *device = block_find(vfs_mount_device());
    struct problem problem;
    uint64_t ns, start;

    if (!device)
        guest_fail("there is no card", 0);
    for (unsigned i = 0; i < BENCH_MOUNTS; i++) {
        ns = mount_once(device);
        bench_keep_best(&bench_order.mount_ns, ns);
        if (ns > bench_order.mount_worst_ns)
            bench_order.mount_worst_ns = ns;
    }
    measure_count();
    leave_in_use(device);
    start = hal_time_now();
    guest_expect("mounting", mount_add("fat32", device, "/", "", &problem));
    bench_order.recover_ns = hal_time_now() - start;
}

/*
 * Uses all frames once, and gives them back: the first use of a frame costs the simulator the
 * making of its content, which no file system is to be blamed for. Smaller blocks are left to those
 * who need memory meanwhile.
 */
static void touch_all_frames(void)
{
    struct run {
        struct run *next;
        unsigned order;
    } *first = NULL, *run;

    for (unsigned order = FRAME_ORDER_MAX; order >= SMALL_ORDER; order--)
        while ((run = frame_alloc(order))) {
            *run = (struct run){first, order};
            first = run;
        }
    while ((run = first)) {
        first = run->next;
        frame_free(run, run->order);
    }
}

/* The linker puts this in the place of shell_main (--wrap). */
HAL_NORETURN void __wrap_shell_main(void *unused);

void __wrap_shell_main(void *unused)
{
    static void (*const jobs[])(void) = {[BENCH_DATA] = measure_data,
                                         [BENCH_FILES] = guest_files,
                                         [BENCH_LEAVE] = guest_leave,
                                         [BENCH_COSTS] = guest_costs,
                                         [BENCH_MOUNT] = measure_mount};

    (void)unused;
    touch_all_frames();
    jobs[bench_order.job]();
    mount_remove_all();
    hal_board_stop(HAL_STOP_POWER_OFF, 0);
}
