/* SPDX-License-Identifier: MIT */
/*
 * run_sim.c: runs the contract kernel on the simulated board, and is the world outside for it.
 *
 *   run_sim [--clock real|virtual] [--seed N] [--cpus N]  the tests; prints their report
 *           [--dtb] [--read-only]      with a device tree, with a card that cannot be written
 *   run_sim --modes [--clock real|virtual] [--seed N] [--cpus N]
 *                                      the ends of a run, each judged from outside
 *
 * Criteria: the report is complete and every test is ok or skipped with a reason; the exit status
 * that the kernel gave is what the library says; each mode ends as hal/board.h and hal/upcall.h
 * say.
 */
#include "tayberry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLICE_NS 1000000u
#define HOST_SECONDS 120u
#define CARD_SECTORS 6144u
#define LINE_BYTES 1024u

static struct {
    enum tb_clock clock;
    uint64_t seed;
    unsigned cpus;
    bool user_step;
    struct tb_machine *machine;
    char card[64];
    char line[LINE_BYTES];
    size_t line_length;
    uint64_t sequence; /**< lines "# seq n" in order since "# seq-start" */
    bool sequence_good;
    unsigned failures;
    bool quiet; /**< what is printed is no report */
    bool read_only;
    bool tree;       /**< the boot tags are a device tree */
    char text[4096]; /**< all that was printed, for the modes */
    size_t text_length;
} run = {.clock = TB_CLOCK_VIRTUAL, .seed = 1, .cpus = 1};

static void die(const char *what)
{
    printf("Bail out! %s: %s\n", what, tb_error(run.machine));
    if (run.card[0] != '\0')
        unlink(run.card);
    exit(1);
}

/** Makes a card whose sectors all differ. */
static void make_card(void)
{
    const char *folder = getenv("TMPDIR");
    snprintf(run.card, sizeof(run.card), "%s/contract-XXXXXX",
             folder != NULL && strlen(folder) < 40 ? folder : "/tmp");
    int fd = mkstemp(run.card);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "wb");
    if (file == NULL)
        die("cannot make a card");
    uint32_t state = 1;
    for (size_t i = 0; i < CARD_SECTORS * 512u; i++) {
        state = state * 1664525u + 1013904223u;
        putc((int)(state >> 24), file);
    }
    if (fclose(file) != 0)
        die("cannot make a card");
}

/** Have the last `n` changes of `pin` been high and low in turn, ending low? */
static bool toggled(unsigned pin, size_t n)
{
    static struct tb_pin_change changes[1024];
    if (n > sizeof(changes) / sizeof(changes[0]) ||
        tb_pin_history(run.machine, pin, changes, n) != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (changes[i].pin != pin || changes[i].level != (i % 2 == 0) ||
            (i > 0 && changes[i].time < changes[i - 1].time))
            return false;
    return true;
}

static bool pixel_is(uint64_t index, uint64_t colour)
{
    uint32_t width = 0, height = 0;
    const uint32_t *pixels = tb_display(run.machine, &width, &height);
    return pixels != NULL && index < (uint64_t)width * height &&
           (pixels[index] & 0xffffff) == colour;
}

static void send_input(uint64_t first, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        uint8_t byte = (uint8_t)(first + i);
        if (tb_uart_write(run.machine, &byte, 1) != 1)
            die("cannot send input");
    }
}

/** Does what "# want ..." asks for, and answers. */
static void serve(const char *request)
{
    char name[32] = "";
    unsigned long long a = 0, b = 0;
    sscanf(request, "%31s %llu %llu", name, &a, &b);
    char answer = '?';
    if (strcmp(name, "input") == 0) {
        send_input(a, b);
        return;
    }
    if (strcmp(name, "answer") == 0)
        answer = 'y';
    else if (strcmp(name, "drive") == 0)
        answer = tb_pin_drive(run.machine, (unsigned)a, (enum tb_level)b) == 0 ? 'y' : 'n';
    else if (strcmp(name, "toggles") == 0)
        answer = toggled((unsigned)a, b) ? 'y' : 'n';
    else if (strcmp(name, "led") == 0)
        answer = tb_act_led(run.machine) == (a != 0) ? 'y' : 'n';
    else if (strcmp(name, "sequence") == 0)
        answer = run.sequence_good && run.sequence == a ? 'y' : 'n';
    else if (strcmp(name, "pixel") == 0)
        answer = pixel_is(a, b) ? 'y' : 'n';
    if (tb_uart_write(run.machine, &answer, 1) != 1)
        die("cannot answer");
}

static void take_line(const char *line)
{
    unsigned long long number;
    if (strncmp(line, "# want ", 7) == 0) {
        serve(line + 7);
    } else if (strcmp(line, "# seq-start") == 0) {
        run.sequence = 0;
        run.sequence_good = true;
    } else if (sscanf(line, "# seq %llu", &number) == 1) {
        run.sequence_good = run.sequence_good && number == run.sequence;
        run.sequence++;
    } else {
        run.failures += strncmp(line, "not ok", 6) == 0;
        printf("%s%s\n", run.quiet ? "# " : "", line);
        fflush(stdout);
    }
}

/** Takes what the guest has printed, line by line. */
static void take_output(void)
{
    char bytes[1024];
    size_t n;
    while ((n = tb_uart_read(run.machine, bytes, sizeof(bytes))) > 0)
        for (size_t i = 0; i < n; i++) {
            if (run.text_length < sizeof(run.text) - 1)
                run.text[run.text_length++] = bytes[i];
            if (bytes[i] != '\n' && run.line_length < LINE_BYTES - 1) {
                run.line[run.line_length++] = bytes[i];
                continue;
            }
            run.line[run.line_length] = '\0';
            run.line_length = 0;
            take_line(run.line);
        }
}

/** Opens a machine with that command line and powers it on. */
static void start(const char *command_line)
{
    struct tb_config config = {
        .size = sizeof(config),
        .command_line = command_line,
        .card = run.card,
        .card_read_only = run.read_only,
        .clock = run.clock,
        .seed = run.seed,
        .cpus = run.cpus,
        .user_step = run.user_step,
        .boot_tags_kind = run.tree ? TB_TAGS_DTB : TB_TAGS_ATAGS,
        .display_width = 320,
        .display_height = 200,
    };
    memset(run.text, 0, sizeof(run.text));
    run.text_length = 0;
    if (tb_open(&config, &run.machine) < 0 || tb_sched_keep(run.machine, true) < 0 ||
        tb_power_on(run.machine) < 0)
        die("cannot start");
}

/** Runs until the guest stops. */
static void run_to_the_end(void)
{
    for (;;) {
        int reason = tb_run_for(run.machine, SLICE_NS);
        if (reason < 0)
            die("cannot run");
        take_output();
        if (reason == TB_STOPPED)
            return;
    }
}

static int run_tests(void)
{
    start("cpus=1");
    run_to_the_end();
    if (tb_state(run.machine) != TB_POWERED_OFF)
        die("the machine did not power off");
    int status = tb_exit_status(run.machine);
    tb_close(run.machine);
    if (status != (run.failures != 0)) {
        printf("Bail out! the exit status is %d with %u failures\n", status, run.failures);
        return 1;
    }
    return status;
}

/** An end of a run: how it is asked for, and how it must look from outside. */
struct mode {
    const char *command_line;
    enum tb_state state;
    int status;
    const char *text; /**< to be found in what was printed */
    const char *claim;
};

static const struct mode modes[] = {
    {"contract=stop-0", TB_POWERED_OFF, 0, "mode\n", "status 0 reaches the observer"},
    {"contract=stop-7", TB_POWERED_OFF, 7, "mode\n", "status 7 reaches the observer"},
    {"contract=stop-255", TB_POWERED_OFF, 255, "mode\n", "status 255 reaches the observer"},
    {"contract=panic", TB_PANICKED, -1, "mode\n", "a panic reaches the observer"},
    {"contract=fault-read", TB_PANICKED, -1, "fault kind 0 address 0x500000001000 with detail\n",
     "a read of nothing is a fault with its address, and refusing it is a panic"},
    {"contract=fault-write", TB_PANICKED, -1, "fault kind 0 address 0x500000001000 with detail\n",
     "a write to nothing is a fault with its address, and refusing it is a panic"},
    {"contract=fault-jump", TB_PANICKED, -1, "fault kind 0 address 0x500000001000 with detail\n",
     "a jump to nothing is a fault with its address, and refusing it is a panic"},
    {"contract=fault-instruction", TB_PANICKED, -1, "fault kind 3 ",
     "an instruction that does not exist is a fault, and refusing it is a panic"},
    {"contract=fault-breakpoint", TB_PANICKED, -1, "fault kind 5 ",
     "a breakpoint that is refused is a panic"},
    {"contract=other-off", TB_POWERED_OFF, 9, "mode\n", "any CPU can switch the machine off"},
    {"contract=other-panic", TB_PANICKED, -1, "mode\n", "any CPU can panic"},
};
#define MODES (sizeof(modes) / sizeof(modes[0]))

static unsigned mode_number;

static void report(bool good, const char *claim)
{
    printf("%s %u - board: %s\n", good ? "ok" : "not ok", ++mode_number, claim);
    run.failures += !good;
}

static void run_mode(const struct mode *mode)
{
    start(mode->command_line);
    run_to_the_end();
    enum tb_state state = tb_state(run.machine);
    int status = tb_exit_status(run.machine);
    bool good = state == mode->state && (mode->status < 0 || status == mode->status) &&
                strstr(run.text, mode->text) != NULL && strstr(run.text, "went on") == NULL;
    if (!good)
        printf("# state %d, status %d, printed: %s\n", (int)state, status, run.text);
    report(good, mode->claim);
    tb_close(run.machine);
}

static unsigned times_printed(const char *text)
{
    unsigned count = 0;
    for (const char *at = run.text; (at = strstr(at, text)) != NULL; at += strlen(text))
        count++;
    return count;
}

/** The guest reboots for ever; after some rounds the power is cut. */
static void run_reboot(const char *command_line)
{
    start(command_line);
    int reason = TB_DEADLINE;
    for (unsigned i = 0; i < 20000 && reason == TB_DEADLINE && times_printed("mode\n") < 5; i++) {
        reason = tb_run_for(run.machine, SLICE_NS);
        take_output();
    }
    report(times_printed("mode\n") >= 5, "a reboot starts again from power-on");
    report(times_printed("zero\n") >= 4 && times_printed("not zero\n") == 0,
           "a reboot finds KSTATE all zero");
    tb_power_cut(run.machine);
    report(tb_state(run.machine) == TB_OFF, "the power can be cut");
    tb_close(run.machine);
}

static int run_modes(void)
{
    run.quiet = true;
    printf("1..%u\n", (unsigned)MODES + 6);
    for (size_t i = 0; i < MODES; i++)
        run_mode(&modes[i]);
    run_reboot("contract=reboot");
    run_reboot("contract=other-reboot");
    return run.failures != 0;
}

int main(int argc, char **argv)
{
    bool with_modes = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--modes") == 0)
            with_modes = true;
        else if (strcmp(argv[i], "--read-only") == 0)
            run.read_only = true;
        else if (strcmp(argv[i], "--dtb") == 0)
            run.tree = true;
        else if (strcmp(argv[i], "--clock") == 0 && i + 1 < argc)
            run.clock = strcmp(argv[++i], "real") == 0 ? TB_CLOCK_REAL : TB_CLOCK_VIRTUAL;
        else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            run.seed = strtoull(argv[++i], NULL, 0);
        else if (strcmp(argv[i], "--user-step") == 0)
            run.user_step = true;
        else if (strcmp(argv[i], "--cpus") == 0 && i + 1 < argc)
            run.cpus = (unsigned)strtoul(argv[++i], NULL, 0);
    }
    /* A kernel that hangs is a failure, not a test that never ends. */
    alarm(HOST_SECONDS);
    make_card();
    int status = with_modes ? run_modes() : run_tests();
    unlink(run.card);
    return status;
}
