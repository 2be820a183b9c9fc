/* SPDX-License-Identifier: MIT */
/*
 * shares.c: see shares.h.
 */
#include "shell/sched/shares.h"

#include "lib/format.h"
#include "lib/string.h"
#include "thread/cpu.h"
#include "thread/run.h"
#include "tty/tty.h"

#include <hal/runtime.h>
#include <hal/time.h>

unsigned shares_permille(uint64_t part, uint64_t whole)
{
    while (part > UINT64_MAX / 2000) {
        part >>= 1;
        whole >>= 1;
    }
    return whole == 0 ? 0 : (unsigned)((part * 1000 + whole / 2) / whole);
}

/* What thread `id` had used at the last look. Those that are remembered stand by their numbers. */
static uint64_t earlier(const struct shares *shares, uint32_t id)
{
    unsigned low = 0, high = shares->kept;

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (shares->earlier[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < shares->kept && shares->earlier[low].id == id ? shares->earlier[low].run_time : 0;
}

void shares_look(struct shares *shares, void (*row)(const struct shares_row *row, void *context),
                 void *context)
{
    uint64_t now = hal_time_now();
    struct shares_row line;
    unsigned n = 0;

    for (uint32_t id = 0; thread_read_info(id, &line.info) == 0; id = line.info.id + 1) {
        uint64_t used = line.info.run_time - earlier(shares, line.info.id);

        line.tenths = shares_permille(used, now - shares->when);
        row(&line, context);
        if (n < SHARES_KEPT)
            shares->next[n++] = (struct shares_kept){line.info.id, line.info.run_time};
    }
    memcpy(shares->earlier, shares->next, n * sizeof(shares->next[0]));
    shares->kept = n;
    shares->before = shares->when;
    shares->when = now;
}

unsigned shares_of_cpu(struct shares *shares, unsigned cpu)
{
    uint64_t idle = run_idle_time(cpu), span = shares->when - shares->before;
    uint64_t idled = idle > shares->idle[cpu] ? idle - shares->idle[cpu] : 0;

    shares->idle[cpu] = idle;
    return idled < span ? shares_permille(span - idled, span) : 0;
}

/* ---- printing ---- */

/* "0,2-3": where a thread may run; "any": wherever it likes. */
static void format_cpus(uint32_t cpus, char *text, size_t size)
{
    size_t used = 0;

    if ((cpus & cpu_online()) == cpu_online()) {
        (void)string_copy(text, size, "any");
        return;
    }
    for (unsigned first = 0; first < HAL_CPU_MAX; first++) {
        unsigned last = first;

        if (!(cpus >> first & 1))
            continue;
        while (last + 1 < HAL_CPU_MAX && cpus >> (last + 1) & 1)
            last++;
        used += format_text(text + used, size - used, "%s%u", used ? "," : "", first);
        if (last > first)
            used += format_text(text + used, size - used, "-%u", last);
        first = last;
    }
}

void shares_print_titles(const char *end)
{
    tty_print("  ID STATE    CPU MAY            TIME   SHARE SWITCHES PRI NICE   NAME%s", end);
}

void shares_print(const struct shares_row *row, const char *end)
{
    static const char *const states[] = {"ready", "running", "sleeping", "ended"};
    const struct thread_info *info = &row->info;
    char cpus[4 * HAL_CPU_MAX];

    format_cpus(info->affinity, cpus, sizeof(cpus));
    tty_print("%4u %-8s %3u %-5s %6llu.%06llu %4u.%u %% %8llu %3u %4d%s  %s%s", info->id,
              states[info->state], info->cpu, cpus, (unsigned long long)info->run_time / 1000000000,
              (unsigned long long)info->run_time / 1000 % 1000000, row->tenths / 10,
              row->tenths % 10, (unsigned long long)info->switches, info->priority, info->nice,
              info->lent ? "*" : " ", info->name, end);
}
