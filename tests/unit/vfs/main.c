/* SPDX-License-Identifier: MIT */
/*
 * main.c: runs the unit tests of the VFS and prints TAP.
 */
#include "suites.h"

#include <stdlib.h>

int main(void)
{
    SRunner *runner = srunner_create(path_suite());
    int failed;

    srunner_add_suite(runner, change_suite());
    srunner_add_suite(runner, file_suite());
    srunner_add_suite(runner, mount_suite());
    srunner_add_suite(runner, cache_suite());
    srunner_add_suite(runner, model_suite());
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
