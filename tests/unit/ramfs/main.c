/* SPDX-License-Identifier: MIT */
/*
 * main.c: ramfs on the host, under the VFS.
 */
#include "suites.h"

#include <stdlib.h>

int main(void)
{
    SRunner *runner = srunner_create(content_suite());
    int failed;

    srunner_add_suite(runner, directory_suite());
    srunner_add_suite(runner, limit_suite());
    srunner_add_suite(runner, fifo_suite());
    srunner_add_suite(runner, kernel_suite());
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
