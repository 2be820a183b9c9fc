/* SPDX-License-Identifier: MIT */
/*
 * options.c: the command line of `tayberry`.
 *
 * A table of rules, one an option: its name, how its value is read, where the value goes, and what
 * --help says. Every value is checked here as far as its form goes; what the machine allows (how
 * much memory, which card) is the library's to say.
 */
#include "program.h"
#include "tayberry_schedule.h"

#include <stdio.h>
#include <string.h>

/** Reads `text` into `field`. NULL when good, otherwise what the option wants. */
typedef const char *option_reader(const char *text, void *field);

struct option_rule {
    const char *name;
    const char *value; /**< the value's name in --help; NULL: the option has none */
    option_reader *read;
    size_t offset; /**< of the field in struct options */
    const char *help;
};

/** Reads digits in base 10, or base 16 after "0x". Returns where they end; NULL: none, or more than
 * 64 bits. */
static const char *read_digits(const char *text, uint64_t *value)
{
    unsigned base = 10;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text += 2;
    }
    const char *start = text;
    for (*value = 0; *text != '\0'; text++) {
        static const char digits[] = "0123456789abcdef";
        const char *found = strchr(digits, *text | 0x20);
        if (found == NULL || (unsigned)(found - digits) >= base)
            break;
        unsigned digit = (unsigned)(found - digits);
        if (*value > (UINT64_MAX - digit) / base)
            return NULL;
        *value = *value * base + digit;
    }
    return text == start ? NULL : text;
}

static const char *read_text(const char *text, void *field)
{
    *(const char **)field = text;
    return NULL;
}

static const char *read_file(const char *text, void *field)
{
    return text[0] == '\0' ? "the name of a file" : read_text(text, field);
}

/* The arguments are the rest of the line: options_parse has them. */
static const char *read_program(const char *text, void *field)
{
    (void)field;
    return text[0] == '\0' ? "a program" : NULL;
}

static const char *read_pattern(const char *text, void *field)
{
    return text[0] == '\0' ? "a text of at least one character" : read_text(text, field);
}

static const char *read_number(const char *text, void *field)
{
    const char *end = read_digits(text, field);
    return end != NULL && *end == '\0' ? NULL : "a number from 0 to 2^64 - 1, such as 42 or 0x2a";
}

static const char *read_size(const char *text, void *field)
{
    static const char wanted[] = "a size in bytes, or with K, M or G, such as 64M";
    uint64_t value;
    const char *end = read_digits(text, &value);
    if (end == NULL || value == 0)
        return wanted;
    unsigned shift = 0;
    if (*end != '\0') {
        const char *unit = strchr("kKmMgG", *end);
        if (unit == NULL || end[1] != '\0')
            return wanted;
        shift = 10 * (1 + (unsigned)(unit - "kKmMgG") / 2);
    }
    if (value > UINT64_MAX >> shift)
        return wanted;
    *(uint64_t *)field = value << shift;
    return NULL;
}

static const char *read_clock(const char *text, void *field)
{
    if (strcmp(text, "real") == 0)
        *(uint64_t *)field = TB_CLOCK_REAL;
    else if (strcmp(text, "virtual") == 0)
        *(uint64_t *)field = TB_CLOCK_VIRTUAL;
    else
        return "'real' or 'virtual'";
    return NULL;
}

static const char *read_boot_tags(const char *text, void *field)
{
    if (strcmp(text, "atags") == 0)
        *(uint64_t *)field = TB_TAGS_ATAGS;
    else if (strcmp(text, "dtb") == 0)
        *(uint64_t *)field = TB_TAGS_DTB;
    else
        return "'atags' or 'dtb'";
    return NULL;
}

static const char *read_seconds(const char *text, void *field)
{
    static const char wanted[] = "a number of seconds above 0, such as 10 or 0.5";
    uint64_t whole = 0, part = 0, unit = 1000000000u;
    const char *end = text;
    if (*text != '.') {
        end = read_digits(text, &whole);
        if (end == NULL || strchr(text, 'x') != NULL || whole > 1000000000u)
            return wanted;
    }
    if (*end == '.')
        for (end++; *end >= '0' && *end <= '9'; end++) {
            unit /= 10;
            part += unit * (unsigned)(*end - '0');
        }
    uint64_t value = whole * 1000000000u + part;
    if (*end != '\0' || value == 0)
        return wanted;
    *(uint64_t *)field = value;
    return NULL;
}

static const char *read_status(const char *text, void *field)
{
    uint64_t value;
    const char *end = read_digits(text, &value);
    if (end == NULL || *end != '\0' || value > 255)
        return "an exit status from 0 to 255";
    *(uint64_t *)field = value;
    return NULL;
}

static const char *read_cpus(const char *text, void *field)
{
    uint64_t value;
    const char *end = read_digits(text, &value);
    if (end == NULL || *end != '\0' || value < 1 || value > 4)
        return "a number of CPUs from 1 to 4";
    *(uint64_t *)field = value;
    return NULL;
}

static const char *read_seeds(const char *text, void *field)
{
    uint64_t *seeds = field;
    const char *end = read_digits(text, &seeds[0]);
    if (end != NULL && strncmp(end, "..", 2) == 0)
        end = read_digits(end + 2, &seeds[1]);
    if (end == NULL || *end != '\0' || seeds[1] == 0 || seeds[1] < seeds[0])
        return "the first and the last seed, such as 1..1000";
    return NULL;
}

/* A number from 1 to `most`. */
static bool read_up_to(const char *text, uint64_t most, void *field)
{
    uint64_t value;
    const char *end = read_digits(text, &value);
    if (end == NULL || *end != '\0' || value < 1 || value > most)
        return false;
    *(uint64_t *)field = value;
    return true;
}

static const char *read_depth(const char *text, void *field)
{
    return read_up_to(text, TB_CHANGES_MAX + 1, field) ? NULL : "the depth of a bug, 1 to 17";
}

static const char *read_spacing(const char *text, void *field)
{
    return read_up_to(text, 1000000000, field) ? NULL : "a number of points, 1 or more";
}

static const char *read_jobs(const char *text, void *field)
{
    return read_up_to(text, 64, field) ? NULL : "a number of processes from 1 to 64";
}

static const char *read_bound(const char *text, void *field)
{
    if (text[0] < '0' || text[0] > '9' || text[1] != '\0')
        return "a number of preemptions from 0 to 9";
    return read_text(text, field);
}

static const char *read_pixels(const char *text, void *field)
{
    static const char wanted[] = "a width and a height in pixels, such as 640x480";
    uint32_t *pixels = field;
    for (int i = 0; i < 2; i++) {
        uint64_t value = 0;
        const char *start = text;
        for (; *text >= '0' && *text <= '9' && value < 100000; text++)
            value = value * 10 + (unsigned)(*text - '0');
        if (text == start || value == 0 || value > 16384 || *text != (i == 0 ? 'x' : '\0'))
            return wanted;
        pixels[i] = (uint32_t)value;
        text++;
    }
    return NULL;
}

static const char *read_panel(const char *text, void *field)
{
    struct panels *panels = field;
    if (strcmp(text, "card") == 0)
        panels->card = true;
    else if (strcmp(text, "memory") == 0)
        panels->memory = true;
    else if (strcmp(text, "timeline") == 0)
        panels->timeline = true;
    else
        return "'card', 'memory' or 'timeline'";
    return NULL;
}

#define FIELD(member) offsetof(struct options, member)

static const struct option_rule rules[] = {
    {"headless", NULL, NULL, FIELD(headless), "no window: the console is on this terminal"},
    {"card", "FILE", read_file, FIELD(card), "the image of the SD card"},
    {"read-only", NULL, NULL, FIELD(read_only), "never write to the card's image"},
    {"share", "DIR", read_file, FIELD(share), "a folder of yours, copied to /share on the card"},
    {"exec", "PROGRAM [ARG]...", read_program, FIELD(exec),
     "run that static program, with these streams and its status; see below"},
    {"memory", "SIZE", read_size, FIELD(memory), "RAM, such as 64M (the default)"},
    {"cpus", "N", read_cpus, FIELD(cpus), "how many CPUs the board has, 1 (the default) to 4"},
    {"append", "TEXT", read_text, FIELD(append), "the kernel's command line"},
    {"boot-tags", "atags|dtb", read_boot_tags, FIELD(boot_tags),
     "the firmware's message: ATAGs, or a device tree"},
    {"clock", "real|virtual", read_clock, FIELD(clock), "the host's time, or one that repeats"},
    {"seed", "N", read_number, FIELD(seed), "what chance decides; the same seed, the same run"},
    {"timeout", "SECONDS", read_seconds, FIELD(timeout), "end after that much of your time"},
    {"timeout-exit-code", "N", read_status, FIELD(timeout_status), "the status for that (124)"},
    {"stall-limit", "SECONDS", read_seconds, FIELD(stall_limit),
     "virtual clock: a panic after that much work without an interrupt point (5)"},
    {"user-step", NULL, NULL, FIELD(user_step),
     "virtual clock: programs go instruction by instruction, and can be preempted at each; slow"},
    {"expect-text", "TEXT", read_pattern, FIELD(expect_text), "end well when it is printed"},
    {"fail-text", "TEXT", read_pattern, FIELD(fail_text), "end with 120 when it is printed"},
    {"serial-log-file", "FILE", read_file, FIELD(serial_log), "copy what the guest prints to FILE"},
    {"screenshot", "F.png", read_file, FIELD(screenshot), "a picture of the board at the end"},
    {"vcd", "FILE", read_file, FIELD(vcd), "record every change of a pin (GTKWave, sigrok)"},
    {"trace", "FILE", read_file, FIELD(trace), "record the scheduler: ftrace text, or F.json"},
    {"trace-syscalls", "FILE", read_file, FIELD(syscalls),
     "what programs ask of the kernel, as strace has it (-: standard error)"},
    {"diagram", "F.json", read_file, FIELD(diagram), "the parts on the pins (Wokwi's format)"},
    {"panel", "card|memory|timeline", read_panel, FIELD(panels),
     "show it in the window from the start"},
    {"display", "WxH", read_pixels, FIELD(display), "a framebuffer of that size"},
    {"seeds", "A..B", read_seeds, FIELD(seeds), "search: run with each of these seeds"},
    {"pct", "D", read_depth, FIELD(pct), "search by random priorities, for bugs of depth D"},
    {"chance", "N", read_spacing, FIELD(chance), "search by a preemption each N points or so"},
    {"preemptions", "N", read_bound, FIELD(preemptions), "search all schedules with up to N"},
    {"schedule", "STEPS", read_pattern, FIELD(schedule), "run with these steps, from a search"},
    {"from-text", "TEXT", read_pattern, FIELD(from_text), "where the search begins"},
    {"limit", "SECONDS", read_seconds, FIELD(limit), "machine time that a run may take (60)"},
    {"jobs", "N", read_jobs, FIELD(jobs), "processes that search"},
    {"version", NULL, NULL, FIELD(version), "print the version and leave"},
    {"help", NULL, NULL, FIELD(help), "print this and leave"},
};

static const struct option_rule *rule_find(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
        if (strlen(rules[i].name) == length && memcmp(rules[i].name, name, length) == 0)
            return &rules[i];
    return NULL;
}

/** Applies one option whose value, if it has one, is `value`. */
static bool rule_apply(const struct option_rule *rule, const char *value, struct options *options)
{
    void *field = (char *)options + rule->offset;
    if (rule->value == NULL) {
        *(bool *)field = true;
        return true;
    }
    const char *wanted = rule->read(value, field);
    if (wanted != NULL)
        terminal_say("--%s wants %s, not '%s'", rule->name, wanted, value);
    return wanted == NULL;
}

/** Says what is wrong with a word that is no option. */
static void say_unknown(const char *word)
{
    if (word[0] == '-')
        terminal_say("there is no option %s; 'tayberry --help' lists them all", word);
    else
        terminal_say("'%s' is not an option; a card's image is given with --card FILE", word);
}

bool options_parse(struct options *options, int argc, char **argv)
{
    *options = (struct options){.timeout_status = STATUS_TIMEOUT};
    for (int i = 1; i < argc; i++) {
        const char *name = strncmp(argv[i], "--", 2) == 0 ? argv[i] + 2 : "";
        size_t length = strcspn(name, "=");
        const struct option_rule *rule = rule_find(name, length);
        if (rule == NULL) {
            say_unknown(argv[i]);
            return false;
        }
        const char *value = name[length] == '=' ? name + length + 1 : NULL;
        if (rule->value == NULL && value != NULL) {
            terminal_say("--%s takes no value", rule->name);
            return false;
        }
        if (rule->value != NULL && value == NULL && ++i < argc)
            value = argv[i];
        if (rule->value != NULL && value == NULL) {
            terminal_say("--%s needs a value: --%s %s", rule->name, rule->name, rule->value);
            return false;
        }
        if (!rule_apply(rule, value, options))
            return false;
        if (rule->read == read_program) { /* the rest of the line is its */
            options->exec = argv + i;
            return name[length] != '=';
        }
    }
    return true;
}

bool options_print_help(void)
{
    printf("Usage: tayberry [OPTION]...\n"
           "Runs the Tayberry kernel on a simulated Raspberry Pi 3.\n\n");
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        char left[40];
        snprintf(left, sizeof(left), "--%s %s", rules[i].name,
                 rules[i].value != NULL ? rules[i].value : "");
        printf("  %-28s %s\n", left, rules[i].help);
    }
    printf(
        "\n--exec runs a static Linux program in a fresh OS: it has this program's input, output,\n"
        "errors and environment, and its status is ours (128 + N after signal N). There are\n"
        "/bin with the program, /dev, /proc, /tmp, in which it begins, and, with --share DIR\n"
        "before it, /share with a copy of DIR, and then it begins there. All after PROGRAM is\n"
        "its own: tayberry --share . --exec ./hello a b\n");
    printf("\nOn the terminal, Ctrl-A X leaves and Ctrl-A H helps. The exit status is what the\n"
           "guest gave `poweroff`, or: %d the texts, %d time-out, %d cannot start, %d panic.\n"
           "See tayberry(1).\n",
           STATUS_TEXT, STATUS_TIMEOUT, STATUS_USAGE, STATUS_PANIC);
    return fflush(stdout) == 0;
}
