/* SPDX-License-Identifier: MIT */
/*
 * chart.c: the report of a lab: a Gantt chart, and the times of each job.
 *
 *     time   0         2.5       5         7.5
 *     CPU 0  AAAABBBBAAAA....CCCCCCCC            who has the CPU; a dot: nobody
 *     A      ####----####                        # runs, - waits
 *     B          ####
 *
 * A column stands for the least time of the series 1, 2, 2.5, 5, 10, 20, 25, ... with which the
 * whole run fits in. Where several jobs fall into one column, the one that has most of it is shown.
 *
 * The run is played three times: for its length, for the chart, and, if wanted, for the list of
 * turns. It is the same each time, so nothing has to be remembered of it.
 */
#include "sched/lab/lab.h"

#include "lib/format.h"
#include "lib/string.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define LINE 79u

/* Where the lines go. */
struct sink {
    struct lab *lab;
    void (*print)(void *context, const char *line);
    void *context;
    char line[LINE + 1];
    size_t used;
    unsigned cpu;
};

static void add(struct sink *sink, const char *format, ...) HAL_FORMAT(2, 3);

/* Adds to the line; what is beyond its end is left out. */
static void add(struct sink *sink, const char *format, ...)
{
    size_t room = sizeof(sink->line) - sink->used, n;
    va_list args;

    va_start(args, format);
    n = format_text_va(sink->line + sink->used, room, format, args);
    va_end(args);
    sink->used += n < room ? n : room - 1;
}

/* Prints the line without the blanks at its end, and begins the next. */
static void end_line(struct sink *sink)
{
    while (sink->used > 0 && sink->line[sink->used - 1] == ' ')
        sink->used--;
    sink->line[sink->used] = '\0';
    sink->print(sink->context, sink->line);
    sink->used = 0;
    sink->line[0] = '\0';
}

void lab_format_time(char *to, size_t size, uint64_t time)
{
    uint64_t thousandths = (time + LAB_UNIT / 2000) / (LAB_UNIT / 1000);
    size_t n = format_text(to, size, "%llu.%03llu", (unsigned long long)thousandths / 1000,
                           (unsigned long long)thousandths % 1000);

    while (to[n - 1] == '0')
        n--;
    to[to[n - 1] == '.' ? n - 1 : n] = '\0';
}

/* ---- the chart ---- */

static bool symbols_differ(const struct lab *lab)
{
    for (unsigned i = 1; i < lab->count; i++) {
        for (unsigned j = 0; j < i; j++) {
            if (lab->chart.symbols[i] == lab->chart.symbols[j])
                return false;
        }
    }
    return true;
}

/* One character for each job: the first of its name, or the last, or else a letter. */
static void choose_symbols(struct lab *lab)
{
    char *symbols = lab->chart.symbols;

    for (unsigned i = 0; i < lab->count; i++)
        symbols[i] = lab->jobs[i].name[0];
    if (symbols_differ(lab))
        return;
    for (unsigned i = 0; i < lab->count; i++)
        symbols[i] = lab->jobs[i].name[string_length(lab->jobs[i].name) - 1];
    if (symbols_differ(lab))
        return;
    for (unsigned i = 0; i < lab->count; i++)
        symbols[i] = (char)('a' + i);
}

/* Chooses what a column stands for, and every how many of them the axis has a round time. */
static void choose_column(struct lab_chart *chart, uint64_t length)
{
    static const struct {
        unsigned quarters, tick;
    } series[] = {{4, 10}, {8, 10}, {10, 8}, {20, 10}};

    for (uint64_t unit = LAB_UNIT / 10000;; unit *= 10) {
        for (unsigned i = 0; i < 4; i++) {
            chart->column = unit * series[i].quarters / 4;
            chart->tick = series[i].tick;
            if (chart->column * LAB_COLUMNS >= length)
                return;
        }
    }
}

/* Notes in the row who has most of the column that is over, and goes to column `to`. */
static void finish_column(struct lab *lab, unsigned cpu, unsigned to)
{
    struct lab_chart *chart = &lab->chart;
    uint64_t most = 0;

    for (unsigned i = 0; i < lab->count; i++) {
        if (chart->shares[cpu][i] > most) {
            most = chart->shares[cpu][i];
            chart->rows[cpu][chart->at[cpu]] = chart->symbols[i];
        }
    }
    memset(chart->shares[cpu], 0, sizeof(chart->shares[cpu]));
    chart->at[cpu] = to;
}

/* A lab_turn: draws it. */
static void draw_turn(void *context, unsigned cpu, unsigned job, uint64_t from, uint64_t to)
{
    struct lab *lab = context;
    struct lab_chart *chart = &lab->chart;

    while (from < to) {
        unsigned column = (unsigned)(from / chart->column);
        uint64_t end = (column + 1) * chart->column;

        if (column != chart->at[cpu])
            finish_column(lab, cpu, column);
        if (end > to)
            end = to;
        chart->shares[cpu][job] += end - from;
        from = end;
    }
}

static int draw(struct lab *lab)
{
    struct lab_chart *chart = &lab->chart;
    unsigned columns;
    int error;

    memset(chart, 0, sizeof(*chart));
    choose_symbols(lab);
    choose_column(chart, lab->now);
    columns = (unsigned)((lab->now + chart->column - 1) / chart->column);
    for (unsigned i = 0; i < lab->cpus; i++)
        memset(chart->rows[i], '.', columns);
    error = lab_run(lab, draw_turn, lab);
    for (unsigned i = 0; i < lab->cpus && error == 0; i++)
        finish_column(lab, i, 0);
    return error;
}

static void print_axis(struct sink *sink)
{
    const struct lab_chart *chart = &sink->lab->chart;

    add(sink, "%-7s", "time");
    for (unsigned at = 0; chart->rows[0][at] != '\0'; at += chart->tick) {
        char time[24];

        lab_format_time(time, sizeof(time), at * chart->column);
        if (sink->used + string_length(time) <= LINE)
            add(sink, "%-*s", (int)chart->tick, time);
        if (string_length(chart->rows[0]) - at <= chart->tick)
            break;
    }
    end_line(sink);
}

/* What job `index` does in a column. */
static char job_cell(const struct lab *lab, unsigned index, unsigned column)
{
    const struct lab_job *job = &lab->jobs[index];
    uint64_t from = column * lab->chart.column, to = from + lab->chart.column;

    for (unsigned i = 0; i < lab->cpus; i++) {
        if (lab->chart.rows[i][column] == lab->chart.symbols[index])
            return '#';
    }
    return job->arrival < to && job->end > from ? '-' : ' ';
}

static void print_chart(struct sink *sink)
{
    const struct lab *lab = sink->lab;

    print_axis(sink);
    for (unsigned i = 0; i < lab->cpus; i++) {
        add(sink, "CPU %u  %s", i, lab->chart.rows[i]);
        end_line(sink);
    }
    for (unsigned i = 0; i < lab->count; i++) {
        add(sink, "%-7s", lab->jobs[i].name);
        for (unsigned column = 0; lab->chart.rows[0][column] != '\0'; column++)
            add(sink, "%c", job_cell(lab, i, column));
        end_line(sink);
    }
}

/* ---- words and numbers ---- */

static void print_heading(struct sink *sink)
{
    const struct lab *lab = sink->lab;
    char quantum[24], column[24];

    lab_format_time(quantum, sizeof(quantum), lab->quantum);
    lab_format_time(column, sizeof(column), lab->chart.column);
    add(sink, "%s: %s", lab->policy->name, lab->policy->summary);
    end_line(sink);
    if (lab->policy->slice(&lab->queue, &lab->jobs[0].entity, lab->now) != SCHED_FOREVER)
        add(sink, "quantum %s; ", quantum);
    add(sink, "%u CPU%s; a column is %s; # runs, - waits", lab->cpus, lab->cpus == 1 ? "" : "s",
        column);
    end_line(sink);
    end_line(sink);
}

static void add_time(struct sink *sink, uint64_t time)
{
    char text[24];

    lab_format_time(text, sizeof(text), time);
    add(sink, " %9s", text);
}

/* `sum` / `count` with two decimals, rounded. */
static void add_mean(struct sink *sink, uint64_t sum, unsigned count)
{
    uint64_t unit = LAB_UNIT / 100 * count, hundredths = (sum + unit / 2) / unit;

    add(sink, " %6llu.%02llu", (unsigned long long)hundredths / 100,
        (unsigned long long)hundredths % 100);
}

static void print_table(struct sink *sink)
{
    const struct lab *lab = sink->lab;
    uint64_t response = 0, waiting = 0, turnaround = 0;

    add(sink, "%-7s%10s%10s%10s%10s%10s%10s%11s", "job", "arrival", "run", "first", "end",
        "response", "waiting", "turnaround");
    end_line(sink);
    for (unsigned i = 0; i < lab->count; i++) {
        const struct lab_job *job = &lab->jobs[i];
        uint64_t stay = job->end - job->arrival;

        add(sink, "%-7s", job->name);
        add_time(sink, job->arrival);
        add_time(sink, job->length);
        add_time(sink, job->first);
        add_time(sink, job->end);
        add_time(sink, job->first - job->arrival);
        add_time(sink, stay - job->length);
        add(sink, " ");
        add_time(sink, stay);
        end_line(sink);
        response += job->first - job->arrival;
        waiting += stay - job->length;
        turnaround += stay;
    }
    add(sink, "%-47s", "mean");
    add_mean(sink, response, lab->count);
    add_mean(sink, waiting, lab->count);
    add(sink, " ");
    add_mean(sink, turnaround, lab->count);
    end_line(sink);
}

static void print_sum(struct sink *sink)
{
    const struct lab *lab = sink->lab;
    uint64_t whole = lab->now * lab->cpus, tenths = (lab->busy * 1000 + whole / 2) / whole;
    char end[24];

    lab_format_time(end, sizeof(end), lab->now);
    add(sink, "all done at %s; CPUs busy for %llu.%llu %% of it; %u turn%s", end,
        (unsigned long long)tenths / 10, (unsigned long long)tenths % 10, lab->switches,
        lab->switches == 1 ? "" : "s");
    end_line(sink);
}

/* A lab_turn: adds it to the line of its CPU. */
static void list_turn(void *context, unsigned cpu, unsigned job, uint64_t from, uint64_t to)
{
    struct sink *sink = context;
    char start[24], end[24], text[64];

    if (cpu != sink->cpu)
        return;
    lab_format_time(start, sizeof(start), from);
    lab_format_time(end, sizeof(end), to);
    format_text(text, sizeof(text), " %s %s-%s", sink->lab->jobs[job].name, start, end);
    if (sink->used + string_length(text) + 1 > LINE) {
        end_line(sink);
        add(sink, "      ");
    }
    add(sink, "%s,", text);
}

static int print_turns(struct sink *sink)
{
    int error = 0;

    for (sink->cpu = 0; sink->cpu < sink->lab->cpus && error == 0; sink->cpu++) {
        add(sink, "CPU %u:", sink->cpu);
        error = lab_run(sink->lab, list_turn, sink);
        if (sink->used > 0 && sink->line[sink->used - 1] == ',')
            sink->used--;
        end_line(sink);
    }
    return error;
}

int lab_report(struct lab *lab, void (*print)(void *context, const char *line), void *context)
{
    struct sink sink = {.lab = lab, .print = print, .context = context};
    int error = lab_run(lab, NULL, NULL);

    if (error == 0)
        error = draw(lab);
    if (error != 0)
        return error;
    print_heading(&sink);
    print_chart(&sink);
    end_line(&sink);
    print_table(&sink);
    print_sum(&sink);
    return lab->turns ? print_turns(&sink) : 0;
}
