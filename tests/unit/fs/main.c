/* SPDX-License-Identifier: MIT */
/*
 * main.c: block devices and file systems, on the host, over cards in memory.
 */
#include "suites.h"

#include <stdlib.h>

int main(void)
{
    SRunner *runner = srunner_create(geometry_suite());
    int failed;

    srunner_add_suite(runner, partition_suite());
    srunner_add_suite(runner, chain_suite());
    srunner_add_suite(runner, name_suite());
    srunner_add_suite(runner, directory_suite());
    srunner_add_suite(runner, path_suite());
    srunner_add_suite(runner, block_suite());
    srunner_add_suite(runner, card_suite());
    srunner_add_suite(runner, memory_suite());
    srunner_add_suite(runner, growing_suite());
    srunner_add_suite(runner, writing_suite());
    srunner_add_suite(runner, entry_suite());
    srunner_add_suite(runner, operation_suite());
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
