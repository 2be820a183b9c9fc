/* SPDX-License-Identifier: MIT */
/*
 * main.c: runs the suites with TAP on standard output.
 */
#include "suites.h"

int main(void)
{
    SRunner *runner = srunner_create(order_suite());
    int failed;

    srunner_add_suite(runner, shares_suite());
    srunner_add_suite(runner, feedback_suite());
    srunner_add_suite(runner, latency_suite());
    srunner_add_suite(runner, moves_suite());
    srunner_add_suite(runner, model_suite());
    srunner_add_suite(runner, lab_suite());
    srunner_add_suite(runner, docs_suite());
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
