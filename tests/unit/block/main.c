/* SPDX-License-Identifier: MIT */
/*
 * main.c: the queue of a disk, the disks there are, and their partitions, on the host.
 */
#include "suites.h"

#include <stdlib.h>

int main(void)
{
    SRunner *runner = srunner_create(queue_suite());
    int failed;

    srunner_add_suite(runner, random_suite());
    srunner_add_suite(runner, disk_suite());
    srunner_add_suite(runner, partitions_suite());
    srunner_add_suite(runner, lab_suite());
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
