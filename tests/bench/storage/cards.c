/* SPDX-License-Identifier: MIT */
/*
 * cards.c: images with a volume on them, made by the formatter of the kernel's, and machines that
 * have them in their slot.
 */
#include "host.h"
#include "tayberry.h"

#include "fs/mkfs/mkfs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MEMORY (256ull << 20)
#define BLOCK (1u << 20)

static int write_sectors(void *context, uint64_t sector, const void *data, unsigned count)
{
    size_t bytes = (size_t)count * 512;

    return pwrite(*(int *)context, data, bytes, (off_t)(sector * 512)) == (ssize_t)bytes ? 0 : -5;
}

static void fill_file(int fd, uint64_t bytes)
{
    char *block = malloc(BLOCK);

    if (!block)
        give_up("memory");
    memset(block, 0x55, BLOCK);
    for (uint64_t at = 0; at < bytes; at += BLOCK)
        if (pwrite(fd, block, BLOCK, (off_t)at) != (ssize_t)BLOCK)
            give_up("cannot write the image");
    free(block);
}

void card_make(const char *path, uint64_t bytes, uint64_t tail, uint32_t cluster, bool dense)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    struct mkfs_options options = {.sectors = bytes / 512,
                                   .cluster_bytes = cluster,
                                   .volume_id = 0x7A4BE221,
                                   .date = 0x21,
                                   .context = &fd,
                                   .write = write_sectors};
    struct mkfs_result result;

    if (fd < 0 || ftruncate(fd, (off_t)(bytes + tail)))
        give_up("cannot make the image");
    if (dense)
        fill_file(fd, bytes + tail);
    if (fat_format(&options, &result))
        give_up("cannot format the image");
    if (fsync(fd))
        give_up("cannot write the image");
    close(fd);
}

static void print_console(struct tb_machine *machine)
{
    static char text[65536];
    size_t got;

    while ((got = tb_uart_read(machine, text, sizeof text)) > 0)
        fwrite(text, 1, got, stderr);
}

void card_run(const char *path, enum bench_job job)
{
    const char *words = getenv("TAYBERRY_APPEND");
    struct tb_config config = {.size = sizeof config,
                               .clock = TB_CLOCK_REAL,
                               .cpus = number("TAYBERRY_CPUS", 1),
                               .memory = MEMORY,
                               .card = path,
                               .command_line = words ? words : "checks=0 lockchecks=0"};
    struct tb_machine *machine;

    bench_image(path);
    bench_order.job = job;
    bench_order.error = NULL;
    if (tb_open(&config, &machine))
        give_up(tb_error(NULL));
    if (tb_power_on(machine) || tb_run_until(machine, UINT64_MAX) != TB_STOPPED)
        give_up(tb_error(machine));
    if (tb_state(machine) != TB_POWERED_OFF || bench_order.error) {
        print_console(machine);
        fprintf(stderr, "bench-storage: in the kernel: %s (error %d)\n",
                bench_order.error ? bench_order.error : "it stopped", bench_order.number);
        give_up("the kernel did not come to its end");
    }
    tb_close(machine);
}
