/* SPDX-License-Identifier: MIT */
/*
 * Criteria, for random settings, keys, output and reads, and settings that change:
 *  1. What a program reads is what it reads on a terminal of the host.
 *  2. So is what is to be seen: echo and output.
 *  3. So is how many bytes there are to be read.
 *
 * TAYBERRY_RUNS: how many terminals. A difference is printed with the seed of its case.
 */
#include "host.h"
#include "suites.h"

#include "tty/discipline/discipline.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNS 600u
#define STEPS 24u
#define SCREEN 16384u
#define HOST_ECHO 4000u
#define LAST 64u /* bytes of a difference that are printed */

struct own {
    struct discipline discipline;
    uint8_t screen[SCREEN]; /* what is to be seen and was not compared yet */
    size_t shown;
    uint64_t random;
    bool over;      /* this case ends here */
    unsigned spilt; /* cases that the host spoiled */
    struct host host;
    char story[4096]; /* what has been done, for who looks for a difference */
    size_t told;
};

static struct own own;

static uint64_t next_random(void)
{
    own.random ^= own.random << 13;
    own.random ^= own.random >> 7;
    own.random ^= own.random << 17;
    return own.random;
}

static unsigned below(unsigned n)
{
    return (unsigned)(next_random() >> 32) % n;
}

static void tell(const char *what, const uint8_t *bytes, size_t n)
{
    own.told += (size_t)snprintf(own.story + own.told, sizeof(own.story) - own.told, " %s", what);
    for (size_t i = 0; i < n && own.told + 8 < sizeof(own.story); i++)
        own.told += (size_t)sprintf(own.story + own.told, " %02x", bytes[i]);
    if (own.told >= sizeof(own.story) - 64)
        own.told = 0;
}

/* ---- the discipline of our own ---- */

static void put(void *context, uint8_t byte)
{
    ck_assert(context == &own);
    ck_assert(own.shown < SCREEN);
    own.screen[own.shown++] = byte;
}

/*
 * What Ctrl-S has held back is forgotten. For the host it has never been, for our discipline it was
 * shown: from now on they may differ in where the cursor is.
 */
static void take_signal(void *context, unsigned signal, bool flush)
{
    ck_assert(context == &own && signal != 0);
    if (flush && own.shown > 0)
        own.over = true;
}

static void take_flow(void *context)
{
    ck_assert(context == &own);
}

/* ---- random settings ---- */

static uint32_t some(const uint32_t *flags, size_t n)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum |= below(2) ? flags[i] : 0;
    return sum;
}

static const uint32_t input_flags[] = {TTY_ISTRIP, TTY_INLCR, TTY_IGNCR,   TTY_ICRNL, TTY_IUCLC,
                                       TTY_IXON,   TTY_IXANY, TTY_IMAXBEL, TTY_IUTF8};
static const uint32_t output_flags[] = {TTY_OLCUC, TTY_ONLCR,  TTY_OCRNL,
                                        TTY_ONOCR, TTY_ONLRET, TTY_XTABS};
static const uint32_t local_flags[] = {TTY_ISIG,    TTY_ECHOE,   TTY_ECHOK,  TTY_ECHONL,
                                       TTY_ECHOCTL, TTY_ECHOPRT, TTY_ECHOKE, TTY_NOFLSH};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void choose_keys(struct tty_settings *settings)
{
    static const uint8_t strange[] = {0, 'a', 'k', '\t', '\n', '\r', 0xff, 0xc3, 1, '\b', 127, ' '};

    settings->keys[TTY_VEOL] = below(3) ? 0 : '#';
    settings->keys[TTY_VEOL2] = below(3) ? 0 : 'z';
    for (unsigned changes = below(4) ? 0 : below(4) + 1; changes > 0; changes--) {
        unsigned key = below(TTY_VEOL2 + 1);

        if (key != TTY_VMIN && key != TTY_VTIME)
            settings->keys[key] = strange[below(COUNT(strange))];
    }
    settings->keys[TTY_VMIN] = 255;
    settings->keys[TTY_VTIME] = 0;
}

/* Mostly near to what is usual: there the most happens. */
static struct tty_settings choose_settings(void)
{
    struct tty_settings settings = tty_usual_settings;

    if (below(3) == 0)
        settings.input = some(input_flags, COUNT(input_flags));
    else
        settings.input ^= 1u << (below(4) ? 31 : below(15));
    settings.input &= some(input_flags, COUNT(input_flags)) | (below(4) ? UINT32_MAX : 0);
    if (below(2))
        settings.output = (below(6) ? TTY_OPOST : 0) | some(output_flags, COUNT(output_flags));
    if (below(2))
        settings.local = some(local_flags, COUNT(local_flags)) | (below(5) ? TTY_ICANON : 0) |
                         (below(6) ? TTY_ECHO : 0) | (below(4) ? TTY_IEXTEN : 0);
    settings.input &= 077777 & ~(uint32_t)(TTY_PARMRK | 027);
    choose_keys(&settings);
    return settings;
}

static void set_both(void)
{
    struct tty_settings settings = choose_settings();
    char text[64];

    snprintf(text, sizeof(text), "\nset i=%o o=%o l=%o", settings.input, settings.output,
             settings.local);
    tell(text, settings.keys, TTY_KEYS);
    discipline_set(&own.discipline, &settings);
    host_set(&own.host, &settings);
}

/* ---- comparing ---- */

/* The end of `n` bytes. */
static void print_bytes(const char *whose, const uint8_t *bytes, size_t n)
{
    printf("# %s:%s", whose, n > LAST ? " ..." : "");
    for (size_t i = n > LAST ? n - LAST : 0; i < n; i++)
        printf(" %02x", bytes[i]);
    printf("\n");
}

static void differ(const char *what, const uint8_t *host, size_t n, const uint8_t *ours, size_t m)
{
    printf("# %s\n", what);
    print_bytes("host", host, n);
    print_bytes("ours", ours, m);
    for (char *line = strtok(own.story, "\n"); line; line = strtok(NULL, "\n"))
        printf("# %s\n", line);
    ck_abort_msg("%s: not as the host has it", what);
}

static bool is_held(void)
{
    return own.discipline.stopped;
}

/*
 * What is to be seen. Once in some thousand terminals Linux (6.18) spills its whole buffer of old
 * echo, 4096 bytes, onto the screen: that is a mistake of its own, and the case ends.
 */
static void compare_screens(void)
{
    uint8_t seen[SCREEN];
    size_t expected = is_held() ? 0 : own.shown;
    size_t n = host_see(&own.host, seen, sizeof(seen), expected);

    if (n >= expected + HOST_ECHO) {
        own.spilt++;
        own.over = true;
        own.shown = 0;
        return;
    }
    if (n != expected || memcmp(seen, own.screen, n) != 0)
        differ("the screen", seen, n, own.screen, expected);
    if (!is_held())
        own.shown = 0;
}

/* One read of both. True: there was something. */
static bool read_both(size_t n)
{
    uint8_t host[4200], ours[4200];
    int got = host_read(&own.host, host, n);
    bool has = discipline_has(&own.discipline);
    size_t m = discipline_take(&own.discipline, ours, n);

    tell("read", (const uint8_t[]){(uint8_t)n}, 1);
    if (has != (got >= 0) || (has && (m != (size_t)got || memcmp(host, ours, m) != 0)))
        differ(has ? "a read" : "a read of nothing", host, got < 0 ? 0 : (size_t)got, ours, m);
    return has;
}

/* Now all that was typed has been dealt with, on both. */
static void settle(void)
{
    if (discipline_is_ready(&own.discipline)) {
        while (read_both(below(3) ? 200 : below(9) + 1))
            continue;
    }
    host_settle(&own.host);
    compare_screens();
}

static void compare_counts(void)
{
    size_t host = host_count(&own.host), ours = discipline_count(&own.discipline);

    if (host != ours)
        differ("the count", (uint8_t *)&host, sizeof(host), (uint8_t *)&ours, sizeof(ours));
}

/* ---- what happens ---- */

static uint8_t choose_byte(void)
{
    static const char text[] = "abc de_1\tz#\xc3\xa4\xe6\x97\xa5 k";

    switch (below(8)) {
    case 0:
        return own.discipline.settings.keys[below(TTY_VEOL2 + 1)];
    case 1:
        return below(3) ? '\r' : '\n';
    case 2:
        return (uint8_t)below(256);
    case 3:
        return own.discipline.settings.keys[below(2) ? TTY_VERASE : TTY_VWERASE];
    default:
        return (uint8_t)text[below(sizeof(text) - 1)];
    }
}

/* Keys one after the other. Behind a signal the host may forget what is not on the screen yet. */
static void type_both(void)
{
    for (unsigned n = below(6) + 1; n > 0; n--) {
        uint8_t byte = choose_byte();
        size_t kept = discipline_kept(&own.discipline);

        tell("type", &byte, 1);
        ck_assert_uint_eq(discipline_input(&own.discipline, &byte, 1), 1);
        host_type(&own.host, &byte, 1);
        if (own.over)
            return;
        compare_screens();
        if (discipline_kept(&own.discipline) > kept && !discipline_is_ready(&own.discipline))
            host_settle(&own.host);
    }
    if (!own.over)
        settle();
}

static void write_both(void)
{
    static const char some[] = "ab\t\n\r\b\x07\xc3\xa4\xff\x1b[K A";
    uint8_t bytes[12];
    size_t n = below(sizeof(bytes)) + 1;

    if (is_held())
        return;
    for (size_t i = 0; i < n; i++) {
        bytes[i] = (uint8_t)some[below(sizeof(some) - 1)];
        discipline_output(&own.discipline, bytes[i]);
    }
    tell("write", bytes, n);
    host_write(&own.host, bytes, n);
    compare_screens();
}

/* Also what was kept byte by byte becomes a line, and the other way round. */
static void change_both(void)
{
    if (is_held())
        return;
    set_both();
    compare_counts();
}

static void flush_both(void)
{
    tell("flush", NULL, 0);
    discipline_flush(&own.discipline);
    host_flush(&own.host);
}

static void run_case(uint64_t seed)
{
    static const struct discipline_ops ops = {.put = put, .signal = take_signal, .flow = take_flow};

    own.random = seed * 0x9e3779b97f4a7c15u + 1;
    own.told = strlen(own.story);
    own.shown = 0;
    own.over = false;
    ck_assert(host_open(&own.host));
    discipline_init(&own.discipline, &ops, &own);
    set_both();
    for (unsigned step = 0; step < STEPS && !own.over; step++) {
        unsigned kind = below(16);

        if (kind < 11)
            type_both();
        else if (kind < 13)
            write_both();
        else if (kind < 15)
            change_both();
        else
            flush_both();
    }
    host_close(&own.host);
}

START_TEST(random_terminals_are_as_the_hosts)
{
    const char *text = getenv("TAYBERRY_RUNS"), *first = getenv("TAYBERRY_SEED");
    unsigned runs = text ? (unsigned)strtoul(text, NULL, 10) : RUNS;
    uint64_t seed = first ? strtoull(first, NULL, 10) : 1;

    for (unsigned i = 0; i < runs; i++, seed++) {
        snprintf(own.story, sizeof(own.story), "seed %" PRIu64, seed);
        run_case(seed);
    }
    printf("# %u terminals, %u steps each; the host spilt its echo in %u\n", runs, STEPS,
           own.spilt);
    ck_assert_uint_le(own.spilt, runs / 100);
}
END_TEST

/* ---- lines that are too long, and rings that come round ---- */

static void open_both(void)
{
    static const struct discipline_ops ops = {.put = put, .signal = take_signal, .flow = take_flow};
    struct tty_settings settings = tty_usual_settings;

    own.told = own.shown = 0;
    ck_assert(host_open(&own.host));
    discipline_init(&own.discipline, &ops, &own);
    settings.local &= ~(uint32_t)TTY_ECHO;
    discipline_set(&own.discipline, &settings);
    host_set(&own.host, &settings);
}

static void type_line(size_t n, uint8_t text)
{
    uint8_t bytes[4200];

    memset(bytes, text, n);
    bytes[n - 1] = '\n';
    ck_assert_uint_eq(discipline_input(&own.discipline, bytes, n), n);
    host_type(&own.host, bytes, n);
    while (host_count(&own.host) != discipline_count(&own.discipline))
        host_settle(&own.host);
}

START_TEST(lines_that_are_too_long_are_as_the_hosts)
{
    static const size_t lengths[] = {4094, 4095, 4096, 4097, 4150, 3, 2000, 1};

    open_both();
    for (size_t i = 0; i < COUNT(lengths); i++) {
        type_line(lengths[i], (uint8_t)('a' + i));
        while (read_both(i % 2 ? 4200 : 777))
            continue;
    }
    host_close(&own.host);
}
END_TEST

Suite *oracle_suite(void)
{
    Suite *suite = suite_create("as the host");
    TCase *random = tcase_create("random");

    tcase_set_timeout(random, 0);
    tcase_add_test(random, random_terminals_are_as_the_hosts);
    tcase_add_test(random, lines_that_are_too_long_are_as_the_hosts);
    suite_add_tcase(suite, random);
    return suite;
}
