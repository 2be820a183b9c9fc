/* SPDX-License-Identifier: MIT */
/*
 * vcd.c: the pins' levels as a value change dump (IEEE 1364, section 18), the file that logic
 * analysers and wave viewers read.
 *
 * Readers differ in what they take, so the file keeps to what all do: scalar wires only, one flat
 * name each, a timescale of 1 us, time stamps that never go back. A power cycle starts the
 * machine's time at 0 again; the file's time goes on from where it was.
 */
#include "lib/library.h"

#include <errno.h>
#include <string.h>

static char wire_code(unsigned wire)
{
    return (char)('!' + wire);
}

static bool wire_level(unsigned wire)
{
    return wire == TB_PINS ? machine.led : machine.pin[wire].level;
}

/* Writes the time stamp for machine time `now`, unless it is there already. */
static void put_time(uint64_t now)
{
    struct vcd *vcd = &library.vcd;
    uint64_t us = vcd->base + now / 1000;
    if (us <= vcd->last)
        return;
    vcd->last = us;
    fprintf(vcd->file, "#%llu\n", (unsigned long long)us);
}

static void put_level(unsigned wire, bool level)
{
    library.vcd.level[wire] = level;
    fprintf(library.vcd.file, "%c%c\n", level ? '1' : '0', wire_code(wire));
}

void vcd_change(uint64_t now, unsigned wire, bool level)
{
    if (!library.vcd.file)
        return;
    put_time(now);
    put_level(wire, level);
    if (ferror(library.vcd.file))
        library.vcd.failed = true;
}

void vcd_power_down(uint64_t now)
{
    if (!library.vcd.file)
        return;
    put_time(now);
    (void)fflush(library.vcd.file);
}

void vcd_power_up(uint64_t now)
{
    library.vcd.base = library.vcd.last - now / 1000; /* may wrap; the sum is what counts */
    for (unsigned wire = 0; wire < VCD_WIRES && library.vcd.file; wire++)
        if (wire_level(wire) != library.vcd.level[wire])
            vcd_change(now, wire, wire_level(wire));
}

static void put_header(void)
{
    FILE *file = library.vcd.file;
    fputs("$version Tayberry $end\n$timescale 1 us $end\n$scope module board $end\n", file);
    for (unsigned wire = 0; wire < TB_PINS; wire++)
        fprintf(file, "$var wire 1 %c GPIO%u $end\n", wire_code(wire), wire);
    fprintf(file, "$var wire 1 %c ACT $end\n", wire_code(TB_PINS));
    fputs("$upscope $end\n$enddefinitions $end\n#0\n$dumpvars\n", file);
    for (unsigned wire = 0; wire < VCD_WIRES; wire++)
        put_level(wire, wire_level(wire));
    fputs("$end\n", file);
}

static int finish(void)
{
    struct vcd *vcd = &library.vcd;
    if (!vcd->file)
        return 0;
    if (atomic_load(&machine.power) != POWER_OFF)
        put_time(sim_time_now());
    bool failed = ferror(vcd->file) || vcd->failed;
    errno = 0;
    failed |= fclose(vcd->file) != 0;
    int error = errno == ENOSPC ? -ENOSPC : -EIO;
    memset(vcd, 0, sizeof *vcd);
    return failed ? error : 0;
}

void vcd_close(void)
{
    (void)finish();
}

/* HOST_MACHINE held. */
static int replace(const char *path)
{
    int error = finish();
    if (error)
        return library_fail(error, "the VCD file could not be written in full; is the disk full?");
    if (!path)
        return 0;
    library.vcd.file = fopen(path, "we");
    if (!library.vcd.file)
        return library_fail(-errno, "cannot write the VCD file %s: %s", path, strerror(errno));
    put_header();
    return 0;
}

int tb_vcd(struct tb_machine *m, const char *path)
{
    (void)m;
    host_lock(HOST_MACHINE);
    int error = replace(path);
    host_unlock(HOST_MACHINE);
    return error;
}
