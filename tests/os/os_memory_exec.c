/* SPDX-License-Identifier: MIT */
/*
 * os_memory_exec.c: a machine for one program (tayberry --exec), each allocation failing in turn.
 *
 * It ends by itself, whatever fails: with the program's own status and words, or with another
 * status and a sentence on its errors or on the console.
 */
#include "os_memory_sweep.h"
#include "tayberry_stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SAID_MAX 65536
#define SECTOR 512
#define PLAN "2\0/tmp\0/bin/probe\0probe\0exit\0HOME=/"

static char said[SAID_MAX]; /* on the console and in the errors */
static size_t said_bytes;

static void take(void *context, int stream, const uint8_t *bytes, size_t n)
{
    (void)context;
    for (size_t i = 0; stream == 2 && i < n && said_bytes < SAID_MAX - 1; i++)
        said[said_bytes++] = (char)bytes[i];
}

static void add(FILE *file, const char *name, unsigned mode, const void *data, size_t n)
{
    fprintf(file, "070701%08X%08X%08X%08X%08X%08X%08zX%08X%08X%08X%08X%08zX%08X", 1u, mode, 0u, 0u,
            1u, 0u, n, 0u, 0u, 0u, 0u, strlen(name) + 1, 0u);
    fwrite(name, 1, strlen(name) + 1, file);
    while (ftell(file) % 4)
        fputc(0, file);
    fwrite(data, 1, n, file);
    while (ftell(file) % 4)
        fputc(0, file);
}

/* A card that is an archive with the probe and a plan to run it. */
static void make_card(const char *path)
{
    static char probe[1 << 20];
    FILE *from = fopen(getenv("TAYBERRY_PROBE"), "rb"), *to = fopen(path, "wb");
    size_t n;

    ck_assert(from && to);
    n = fread(probe, 1, sizeof probe, from);
    add(to, "bin", 040755, "", 0);
    add(to, "dev", 040755, "", 0);
    add(to, "proc", 040755, "", 0);
    add(to, "tmp", 041777, "", 0);
    add(to, "bin/probe", 0100755, probe, n);
    add(to, ".exec", 0100400, PLAN, sizeof PLAN);
    add(to, "TRAILER!!!", 0, "", 0);
    while (ftell(to) % SECTOR)
        fputc(0, to);
    fclose(from);
    fclose(to);
}

/* Notes which sites have failed. True: any. */
static bool note_sites(struct tb_machine *machine)
{
    struct tb_alloc_site site;
    bool any = false;

    for (unsigned i = 0; tb_alloc_site(machine, i, &site) == 0; i++) {
        if (site.failures == 0)
            continue;
        any = true;
        sweep_totals->sites[i].boot = true;
    }
    return any;
}

/* Allocation number `number` fails. False: there are not so many. */
static bool try_number(const char *card, unsigned number)
{
    struct tb_config config = os_config();
    struct tb_machine *machine;
    char line[64];
    bool failed;
    int status;

    snprintf(line, sizeof line, "exec checks=1 fail_alloc=%u", number);
    config.card = card;
    config.command_line = line;
    said_bytes = 0;
    ck_assert_msg(tb_open(&config, &machine) == 0, "%s", tb_error(NULL));
    tb_stream_set_sink(machine, take, NULL);
    ck_assert_int_eq(tb_power_on(machine), 0);
    tb_stream_end(machine);
    status = tb_run_until(machine, UINT64_MAX);
    said_bytes += tb_uart_read(machine, said + said_bytes, SAID_MAX - 1 - said_bytes);
    said[said_bytes] = '\0';
    failed = note_sites(machine);
    sweep_totals->boots++;
    ck_assert_msg(status == TB_STOPPED, "number %u: %d: %s", number, status, said);
    status = tb_exit_status(machine);
    ck_assert_msg(status == 0 || (failed && said_bytes > 0), "number %u: status %d: %s", number,
                  status, said);
    ck_assert_msg(!strstr(said, "PANIC"), "number %u: %s", number, said);
    tb_close(machine);
    return failed;
}

void sweep_run_exec(void)
{
    char card[] = "/tmp/os-memory-exec-XXXXXX";
    unsigned number = 1;

    ck_assert_int_ge(mkstemp(card), 0);
    make_card(card);
    while (try_number(card, number))
        number++;
    unlink(card);
    ck_assert_uint_ge(number, 20);
    ck_assert_str_eq(said, "");
}
