/* SPDX-License-Identifier: MIT */
/*
 * main.c: the `tayberry` program from its start to its exit status.
 *
 * In order: the command line; everything that can fail before there is a guest (so that a failure
 * costs nothing and says one thing); power-on; the run, in a window or on the terminal; the end, in
 * which pictures and logs are finished; and the exit status, which follows from why the run ended.
 */
#include "program.h"
#include "search.h"
#include "tayberry_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct program {
    struct options options;
    struct tb_machine *machine;
    sigset_t signals;
    bool stdin_open, stdout_open;
    bool with_window;
    bool gather;        /**< the whole input is read before power-on */
    bool artefact_lost; /**< a file that was asked for is not what it should be */
};

/**
 * Opens /dev/null in the place of a standard descriptor that is closed, so that no card or log gets
 * its number. Returns whether it was open.
 */
static bool keep_descriptor(int fd)
{
    if (fcntl(fd, F_GETFD) >= 0)
        return true;
    int null = open("/dev/null", fd == STDIN_FILENO ? O_RDONLY : O_WRONLY);
    if (null >= 0 && null != fd) {
        dup2(null, fd);
        close(null);
    }
    return false;
}

/** Blocks, in every thread to come, the signals that the pump will take. */
static void block_signals(sigset_t *signals)
{
    static const int taken[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH};
    sigemptyset(signals);
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        struct sigaction action;
        /* What our parent had us ignore (nohup, a shell's background job) stays ignored. */
        if (sigaction(taken[i], NULL, &action) == 0 &&
            (action.sa_handler != SIG_IGN || taken[i] == SIGCONT || taken[i] == SIGWINCH))
            sigaddset(signals, taken[i]);
    }
    pthread_sigmask(SIG_BLOCK, signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/** Decides whether there will be a window, and whether what it is asked for can be had. */
static bool prepare_window(struct program *program)
{
    const struct options *options = &program->options;
    bool screen = getenv("DISPLAY") != NULL || getenv("WAYLAND_DISPLAY") != NULL;
    program->with_window = !options->headless && screen;
    bool needed = options->screenshot != NULL || options->diagram != NULL;
    if (!program->with_window && !needed)
        return true;
    const char *problem = window_load();
    if (problem != NULL && needed) {
        terminal_say("--screenshot and --diagram need the window's module, but %s; build it with "
                     "-Dgui=enabled",
                     problem);
        return false;
    }
    if (problem != NULL) {
        terminal_say("no window: %s; the console is on this terminal", problem);
        program->with_window = false;
        return true;
    }
    problem = options->diagram != NULL ? window_check_diagram(options->diagram) : NULL;
    if (problem != NULL)
        terminal_say("%s", problem);
    return problem == NULL;
}

/** False, after a message: the file of --screenshot could not be written in the end. */
static bool prepare_screenshot(const struct options *options)
{
    if (options->screenshot == NULL)
        return true;
    int fd = open(options->screenshot, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) {
        terminal_say("cannot create '%s': %s", options->screenshot, strerror(errno));
        return false;
    }
    close(fd);
    return true;
}

/** Has the run follow the steps of --schedule. */
static bool set_schedule(const struct program *program)
{
    struct steps steps;
    if (program->options.schedule == NULL)
        return true;
    const char *wanted = steps_read(program->options.schedule, &steps);
    const struct tb_schedule schedule = {.size = sizeof(schedule),
                                         .strategy = TB_BY_STEPS,
                                         .steps = steps.list,
                                         .step_count = steps.count};
    if (wanted != NULL)
        terminal_say("--schedule wants %s", wanted);
    int error = wanted != NULL ? -EINVAL : tb_schedule_set(program->machine, &schedule);
    if (error < 0 && wanted == NULL)
        terminal_say("%s", tb_error(program->machine));
    free(steps.list);
    return error == 0;
}

/** For tb_config: 0 is the default there, and UINT32_MAX no limit. */
static uint32_t stall_ms(const struct options *options)
{
    uint64_t ms = options->stall_limit / 1000000u;
    if (options->stall_limit != 0 && ms == 0)
        return 1;
    return ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
}

/** The kernel's command line, with what options add to it. */
static const char *command_line(const struct options *options)
{
    static char line[2048];
    const char *given = options->append != NULL ? options->append : "";
    if (options->syscalls == NULL)
        return options->append;
    (void)snprintf(line, sizeof(line), "%s strace=host", given);
    return line;
}

static bool open_machine(struct program *program)
{
    const struct options *options = &program->options;
    struct tb_config config = {
        .size = sizeof(config),
        .memory = options->memory,
        .command_line = command_line(options),
        .card = share_card(options),
        .card_read_only = options->read_only,
        .clock = (enum tb_clock)options->clock,
        .seed = options->seed,
        .cpus = (unsigned)options->cpus,
        .boot_tags_kind = (enum tb_boot_tags)options->boot_tags,
        .stall_ms = stall_ms(options),
        .user_step = options->user_step,
        .display_width = options->display[0],
        .display_height = options->display[1],
    };
    terminal_watch_crashes();
    if (tb_open(&config, &program->machine) < 0) {
        terminal_say("%s", tb_error(NULL));
        return false;
    }
    if (options->vcd != NULL && tb_vcd(program->machine, options->vcd) < 0) {
        terminal_say("%s", tb_error(program->machine));
        return false;
    }
    if (options->panels.timeline && tb_sched_keep(program->machine, true) < 0) {
        terminal_say("%s", tb_error(program->machine));
        return false;
    }
    if (options->trace != NULL && tb_sched_file(program->machine, options->trace) < 0) {
        terminal_say("%s", tb_error(program->machine));
        return false;
    }
    if (options->syscalls != NULL && tb_syscall_file(program->machine, options->syscalls) < 0) {
        terminal_say("%s", tb_error(program->machine));
        return false;
    }
    session_set_machine(program->machine);
    return set_schedule(program);
}

/** True: a run that ends here has not seen the text that it was to see. */
static bool text_missing(const struct program *program)
{
    return program->options.expect_text != NULL;
}

static bool start_input(struct program *program)
{
    struct input_config config = {
        .machine = program->gather ? NULL : program->machine,
        .stdin_open = program->stdin_open,
        .stream = program->options.exec != NULL,
        .timeout = program->options.timeout,
        .signals = &program->signals,
        .stuck_status = text_missing(program) ? STATUS_TEXT : (int)program->options.timeout_status,
    };
    /* With a window the keyboard is the window's, and the terminal stays the shell's. */
    if (program->with_window && isatty(STDIN_FILENO))
        config.stdin_open = false;
    if (config.stdin_open && !config.stream && isatty(STDIN_FILENO))
        terminal_raw(STDIN_FILENO);
    int error = input_start(&config);
    if (error < 0)
        terminal_say("cannot start: %s", strerror(-error));
    return error == 0;
}

/** All input at once. */
static int give_gathered(struct program *program, const void *bytes, size_t n)
{
    if (program->options.exec == NULL)
        return n > 0 ? tb_uart_write(program->machine, bytes, n) : 0;
    int error = tb_stream_write(program->machine, bytes, n);
    tb_stream_end(program->machine);
    return error;
}

static bool power_on(struct program *program)
{
    if (program->gather && !session_wait_last())
        return true;
    int error = tb_power_on(program->machine);
    size_t bytes = 0;
    const void *gathered = input_gathered(&bytes);
    if (error == 0 && program->gather)
        error = give_gathered(program, gathered, bytes);
    if (error < 0)
        terminal_say("%s", tb_error(program->machine));
    return error >= 0;
}

/** Starts everything. False: a message has said why not. */
static bool start(struct program *program)
{
    const struct options *options = &program->options;
    struct output_config output = {
        .to_stdout = options->exec == NULL && (!program->with_window || !isatty(STDOUT_FILENO)),
        .log_path = options->serial_log,
        .expect_text = options->expect_text,
        .fail_text = options->fail_text,
    };
    program->gather = options->clock == TB_CLOCK_VIRTUAL && !isatty(STDIN_FILENO);
    if (!prepare_screenshot(options) || !open_machine(program))
        return false;
    if (output_start(&output) < 0)
        return false;
    tb_uart_set_sink(program->machine, output_put, NULL);
    if (options->exec != NULL)
        tb_stream_set_sink(program->machine, exec_put, NULL);
    /* The time-out counts from here. What is gathered has to be there before power-on; keys must
     * not come before it. */
    if (program->gather)
        return start_input(program) && power_on(program);
    return power_on(program) && start_input(program);
}

/** Runs on the terminal until something ends the run. */
static void run_headless(struct tb_machine *machine)
{
    while (session_ended(NULL) == END_NONE) {
        struct session_mark mark = session_mark();
        int reason = tb_run_until(machine, UINT64_MAX);
        if (reason == TB_STOPPED)
            session_end(tb_state(machine) == TB_PANICKED ? END_PANIC : END_STOPPED, 0);
        else if (reason == TB_STUCK && !session_wait_input(mark))
            session_end(END_STUCK, 0);
        else if (reason < 0)
            session_end(END_ERROR, 0);
    }
}

/** Finishes what the run leaves behind. */
static void finish(struct program *program)
{
    const struct options *options = &program->options;
    const char *problem = NULL;
    session_acknowledge();
    if (!program->with_window && options->screenshot != NULL)
        problem = window_screenshot(program->machine, options);
    if (problem != NULL)
        terminal_say("no screenshot: %s", problem);
    program->artefact_lost |= problem != NULL;
    if (options->vcd != NULL && tb_vcd(program->machine, NULL) < 0) {
        terminal_say("%s", tb_error(program->machine));
        program->artefact_lost = true;
    }
    if (options->trace != NULL && tb_sched_file(program->machine, NULL) < 0) {
        terminal_say("%s", tb_error(program->machine));
        program->artefact_lost = true;
    }
    if (options->syscalls != NULL && tb_syscall_file(program->machine, NULL) < 0) {
        terminal_say("%s", tb_error(program->machine));
        program->artefact_lost = true;
    }
}

/** Says on standard error why the run ended, where the guest has not said so itself. */
static void say_end(const struct program *program, enum end end)
{
    const struct options *options = &program->options;
    static const char *const reasons[] = {
        [END_TIMEOUT] = "the time is up",
        [END_STUCK] = "the guest waits for input, and there is no more",
        [END_FAIL] = "the fail text was printed",
        [END_PANIC] = "the guest panicked",
    };
    if (end == END_ERROR)
        terminal_say("%s", tb_error(program->machine));
    else if (end < sizeof(reasons) / sizeof(reasons[0]) && reasons[end] != NULL)
        terminal_say("%s", reasons[end]);
    if (end == END_PANIC)
        report_fault(program->machine);
    if (end == END_TIMEOUT && tb_state(program->machine) == TB_RUNNING)
        report_hang(program->machine);
    if (options->expect_text != NULL && end != END_MATCH && end != END_FAIL && end != END_SIGNAL)
        terminal_say("the expected text was not printed: %s", options->expect_text);
}

static int exit_status(const struct program *program, enum end end)
{
    int missing = text_missing(program) ? STATUS_TEXT : 0;
    /* A window stays open over a panic, until something else ends the run. */
    if ((end == END_TIMEOUT || end == END_LEAVE) && tb_state(program->machine) == TB_PANICKED)
        return STATUS_PANIC;
    switch (end) {
    case END_MATCH:
        return 0;
    case END_FAIL:
        return STATUS_TEXT;
    case END_PANIC:
        return STATUS_PANIC;
    case END_TIMEOUT:
        return missing != 0 ? missing : (int)program->options.timeout_status;
    case END_STOPPED:
        return missing != 0 ? missing : tb_exit_status(program->machine);
    case END_STUCK:
        if (program->options.exec != NULL)
            return (int)program->options.timeout_status;
        return missing;
    case END_OUTPUT:
    case END_ERROR:
        return STATUS_USAGE;
    default:
        return missing;
    }
}

/** Dies of `signal_number`, as our parent expects of a program that got one. */
static void die_of(int signal_number)
{
    sigset_t set;
    signal(signal_number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, signal_number);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    raise(signal_number);
}

/** The whole of a run. Returns the exit status. */
static int run(struct program *program)
{
    int detail;
    bool started = start(program);
    if (started && program->with_window)
        program->with_window = window_run(program->machine, &program->options);
    if (started && !program->with_window)
        run_headless(program->machine);
    if (!started)
        return STATUS_USAGE;
    finish(program);
    struct output_result output = output_finish();
    enum end end = session_ended(&detail);
    input_stop();
    terminal_restore();
    say_end(program, end);
    if (program->options.exec != NULL && (end == END_PANIC || end == END_STUCK))
        exec_say_console(program->machine);
    int status = exit_status(program, end);
    if (output.stdout_error != 0) {
        terminal_say("cannot write to standard output: %s", strerror(output.stdout_error));
        status = STATUS_USAGE;
    }
    if (status == 0 && (output.log_lost || program->artefact_lost))
        status = STATUS_USAGE;
    tb_close(program->machine);
    if (end == END_SIGNAL)
        die_of(detail);
    return status;
}

/** --help and --version. */
static int print_and_leave(const struct program *program)
{
    if (!program->stdout_open)
        return STATUS_USAGE;
    bool good = true;
    if (program->options.help)
        good = options_print_help();
    else
        good = printf("tayberry %u.%u.%u\n", TB_VERSION >> 16, TB_VERSION >> 8 & 255,
                      TB_VERSION & 255) > 0 &&
               fflush(stdout) == 0;
    if (!good)
        terminal_say("cannot write to standard output: %s", strerror(errno));
    return good ? 0 : STATUS_USAGE;
}

int main(int argc, char **argv)
{
    static struct program program;
    program.stdin_open = keep_descriptor(STDIN_FILENO);
    program.stdout_open = keep_descriptor(STDOUT_FILENO);
    (void)keep_descriptor(STDERR_FILENO);
    if (!options_parse(&program.options, argc, argv))
        return STATUS_USAGE;
    if (program.options.help || program.options.version)
        return print_and_leave(&program);
    if (!exec_prepare(&program.options) || !share_prepare(&program.options))
        return STATUS_USAGE;
    if (search_wanted(&program.options))
        return search_main(&program.options);
    if (!prepare_window(&program))
        return STATUS_USAGE;
    if (!program.stdout_open && !program.with_window) {
        terminal_say("standard output is closed, and the console goes there; redirect it to "
                     "/dev/null, and use --serial-log-file to keep the text");
        return STATUS_USAGE;
    }
    block_signals(&program.signals);
    return run(&program);
}
