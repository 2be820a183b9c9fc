/* SPDX-License-Identifier: MIT */
/*
 * main.c: runs the suites of the heap. TAYBERRY_RUNS sets the operations of the random tests.
 */
#include "heap/suites.h"

#include <stdio.h>

const struct heap_allocator *const allocators[ALLOCATORS] = {&heap_slab, &heap_bin, &heap_bump};

void start(int index, uint64_t ram_bytes)
{
    static char line[64];

    snprintf(line, sizeof line, "allocator=%s checks=0", allocators[index]->name);
    fake_kernel_start_with(ram_bytes, line);
}

int main(void)
{
    SRunner *runner = srunner_create(properties_suite());
    int failed;

    srunner_add_suite(runner, random_suite());
    srunner_add_suite(runner, caches_suite());
    srunner_add_suite(runner, cpus_suite());
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
