/* SPDX-License-Identifier: MIT */
/*
 * gui_test.h: what the files of the window's tests share: running a list of tests as TAP.
 */
#pragma once

#include "../marks.h"

#include <stddef.h>

/* Runs the tests, each between `setup` and `teardown` (may be NULL); the program's exit status. */
static inline int gui_test_run(const char *name, const TTest **tests, size_t count,
                               void (*setup)(void), void (*teardown)(void))
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);
    SRunner *runner = srunner_create(suite);
    int failed;

    for (size_t i = 0; i < count; i++)
        tcase_add_test(tcase, tests[i]);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
