/* SPDX-License-Identifier: MIT */
/*
 * disks.c: disks: what block devices there are and what they have done; make and remove some.
 */
#include "block/disks/fault.h"
#include "block/disks/ram.h"
#include "block/partition.h"
#include "block/request.h"
#include "fs/devfs/devfs.h"
#include "heap/heap.h"
#include "lib/string.h"
#include "shell/commands/command.h"
#include "tty/tty.h"

#include <hal/errno.h>

#define TRY_NS 1000000000u /* a request of a fault disk has so long */

/* ---- showing ---- */

static void print_size(uint64_t sectors)
{
    uint64_t kib = sectors / 2;

    if (kib % 1024 == 0 && kib > 0)
        tty_print("%8llu MiB", (unsigned long long)kib / 1024);
    else
        tty_print("%8llu KiB", (unsigned long long)kib);
}

static void print_entry(const struct block_entry *entry)
{
    const struct block_device *device;
    struct block_stats stats;

    tty_print("%-12s %-5s %-5s", entry->device.name, entry->number ? "part" : entry->kind,
              entry->number ? "" : entry->elevator);
    print_size(entry->device.sectors);
    if (block_open(entry->device.name, &device)) {
        tty_print("  no medium\n");
        return;
    }
    block_device_stats(device, &stats);
    block_close(device);
    tty_print(" %4u %8llu %9llu %8llu %9llu\n", entry->opens,
              (unsigned long long)stats.counts.read.requests,
              (unsigned long long)stats.counts.read.sectors,
              (unsigned long long)stats.counts.write.requests,
              (unsigned long long)stats.counts.write.sectors);
}

static void list_disks(void)
{
    struct block_entry entry;

    tty_print("%-12s %-5s %-5s %11s %4s %8s %9s %8s %9s\n", "NAME", "KIND", "ORDER", "SIZE", "OPEN",
              "READS", "SECTORS", "WRITES", "SECTORS");
    for (unsigned i = 0; block_entry_at(i, &entry); i++)
        print_entry(&entry);
}

static void print_way(const char *name, const struct block_way *way)
{
    uint64_t all = way->requests + way->merged;

    tty_print("%-7s %9llu requests, %9llu merged, %10llu sectors, %llu us each\n", name,
              (unsigned long long)way->requests, (unsigned long long)way->merged,
              (unsigned long long)way->sectors,
              (unsigned long long)(all ? way->ns / all / 1000 : 0));
}

static void show_device(const struct block_device *device)
{
    struct block_stats stats;

    block_device_stats(device, &stats);
    print_way("read", &stats.counts.read);
    print_way("write", &stats.counts.write);
    print_way("flush", &stats.counts.flush);
    tty_print("busy    %llu ms; under way %llu now, %llu at most, of which the driver had %llu\n",
              (unsigned long long)stats.counts.busy_ns / 1000000,
              (unsigned long long)stats.counts.under_way, (unsigned long long)stats.most,
              (unsigned long long)stats.in_flight);
    tty_print("errors  %llu; tried again %llu, timed out %llu, rows taken apart %llu\n",
              (unsigned long long)stats.errors, (unsigned long long)stats.retries,
              (unsigned long long)stats.timeouts, (unsigned long long)stats.split);
    tty_print("order   %llu barriers, %llu hurried; sectors copied for alignment %llu\n",
              (unsigned long long)stats.barriers, (unsigned long long)stats.hurried,
              (unsigned long long)stats.bounced);
}

/* ---- doing ---- */

static void say_result(int error, const struct block_device *device)
{
    if (error == -EBUSY)
        command_error("in use");
    else if (error == -ENOMEM)
        command_error("out of memory");
    else if (error == -ENOENT)
        command_error("there is no such device");
    else if (error)
        command_error("that cannot be done (error %d)", -error);
    else if (device)
        tty_print("%s\n", device->name);
}

static void make_ram(struct job *job)
{
    const struct block_device *device = NULL;
    uint64_t bytes;
    int error;

    if (string_to_size(job->args.words[2], &bytes) || bytes == 0 || bytes % 65536 != 0)
        command_usage(job, "%s is no multiple of 64K", job->args.words[2]);
    else {
        error = block_ram_create(bytes, &device);
        say_result(error, device);
    }
}

static void make_fault(struct job *job)
{
    const struct block_device *device = NULL;
    int error = block_fault_create(job->args.words[2], NULL, 0, TRY_NS, &device);

    say_result(error, device);
}

static void make_seek(struct job *job)
{
    const struct block_device *device = NULL;
    struct seek_model model;
    int error = block_open(job->args.words[2], &device);

    if (!error) {
        model = seek_usual(device->sectors);
        block_close(device);
        error = block_fault_create(job->args.words[2], &model, 0, 0, &device);
    }
    say_result(error, device);
}

static void remove_disk(struct job *job)
{
    say_result(block_remove(job->args.words[2]), NULL);
}

static void change_order(struct job *job)
{
    const struct block_device *device;
    int error = block_open(job->args.words[3], &device);

    if (!error) {
        error = block_set_elevator(device, job->args.words[2]);
        block_close(device);
    }
    if (error == -EINVAL)
        command_usage(job, "%s is no elevator; there are: fifo sstf look clook",
                      job->args.words[2]);
    else
        say_result(error, NULL);
}

static void scan_disk(struct job *job)
{
    struct partition_table *table = kmalloc(sizeof(*table));
    const struct block_device *device;
    struct problem problem;
    int error = table ? block_open(job->args.words[2], &device) : -ENOMEM;

    if (!error) {
        if (partition_scan(device, table, &problem))
            command_error("%s", problem.what);
        else
            list_disks();
        block_close(device);
    }
    kfree(table);
    say_result(error, NULL);
}

/* ---- rules of fault disks ---- */

static const char *const rule_names[] = {
    [FAULT_FAIL] = "fail", [FAULT_TEAR] = "tear",   [FAULT_DROP] = "drop",
    [FAULT_LOSE] = "lose", [FAULT_DELAY] = "delay",
};

static bool read_count(const char *text, uint64_t *number)
{
    const char *end;

    return string_to_u64(text, number, &end) == 0 && *end == '\0';
}

/** One word behind the kind of a rule. */
static bool read_rule_word(const char *word, struct fault_rule *rule)
{
    const char *end;

    if (string_equal(word, "read") || string_equal(word, "write") || string_equal(word, "flush")) {
        rule->ops |= 1u << (word[0] == 'r'   ? BLOCK_READ
                            : word[0] == 'w' ? BLOCK_WRITE
                                             : BLOCK_FLUSH);
        return true;
    }
    if (string_starts_with(word, "skip="))
        return read_count(word + 5, &rule->skip);
    if (string_starts_with(word, "count="))
        return read_count(word + 6, &rule->count);
    if (string_starts_with(word, "time="))
        return string_to_duration(word + 5, 1000000000, &rule->ns) == 0;
    if (string_to_u64(word, &rule->first, &end))
        return false;
    rule->last = rule->first;
    return *end == '\0' || (*end == '-' && read_count(end + 1, &rule->last));
}

static bool read_rule(struct job *job, struct fault_rule *rule)
{
    unsigned kind = 0, kinds = sizeof(rule_names) / sizeof(rule_names[0]);

    *rule = (struct fault_rule){.last = UINT64_MAX};
    while (kind < kinds && !string_equal(rule_names[kind], job->args.words[3]))
        kind++;
    rule->kind = (enum fault_kind)kind;
    for (unsigned i = 4; i < job->args.count; i++)
        if (!read_rule_word(job->args.words[i], rule))
            return false;
    if (rule->ops == 0)
        rule->ops = 1u << BLOCK_READ | 1u << BLOCK_WRITE;
    return kind < kinds;
}

static void add_rule(struct job *job)
{
    const struct block_device *device;
    struct fault_rule rule;
    int error = block_open(job->args.words[2], &device);

    if (error) {
        say_result(error, NULL);
        return;
    }
    if (string_equal(job->args.words[3], "none"))
        block_fault_clear(device);
    else if (!read_rule(job, &rule))
        command_usage(job, "a rule is KIND [read] [write] [flush] [SECTOR[-SECTOR]] [skip=N] "
                           "[count=N] [time=TIME]");
    else if ((error = block_fault_add(device, &rule)) == -EINVAL)
        command_error("%s is no fault disk", device->name);
    else
        say_result(error, NULL);
    block_close(device);
}

/* ---- the command ---- */

static const struct part {
    const char *name;
    unsigned least, most; /**< words, with the first two */
    void (*run)(struct job *job);
} parts[] = {
    {"ram", 3, 3, make_ram},         {"fault", 3, 3, make_fault},   {"seek", 3, 3, make_seek},
    {"remove", 3, 3, remove_disk},   {"order", 4, 4, change_order}, {"scan", 3, 3, scan_disk},
    {"rule", 4, ARGS_MAX, add_rule},
};

static void show_one(struct job *job)
{
    const struct block_device *device;
    int error = block_open(job->args.words[1], &device);

    if (error) {
        command_usage(job, "%s is no device", job->args.words[1]);
        return;
    }
    show_device(device);
    block_close(device);
}

void command_disks(struct job *job)
{
    unsigned count = job->args.count;

    if (count == 1) {
        list_disks();
        return;
    }
    for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (!string_equal(job->args.words[1], parts[i].name))
            continue;
        if (count < parts[i].least || count > parts[i].most)
            command_usage(job, "%s: too few words, or too many", parts[i].name);
        else
            parts[i].run(job);
        devfs_update_disks();
        return;
    }
    show_one(job);
}
