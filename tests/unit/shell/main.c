/* SPDX-License-Identifier: MIT */
/*
 * main.c: runs the suites with TAP on standard output.
 */
#include "suites.h"

int main(void)
{
    SRunner *runner = srunner_create(args_suite());
    int failed;

    srunner_add_suite(runner, calendar_suite());
    srunner_add_suite(runner, editor_suite());
    srunner_add_suite(runner, pins_suite());
    srunner_add_suite(runner, utf8_suite());
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
