/* SPDX-License-Identifier: MIT */
/*
 * suites.h: the suites of this program, one a file.
 */
#pragma once

#include "../../marks.h"

/** As ck_assert, for inner loops: Check makes a system call for each assertion, good or not. */
#define ASSERT_FAST(condition) \
    do { \
        if (!(condition)) \
            ck_abort_msg("does not hold: %s", #condition); \
    } while (0)

Suite *args_suite(void);
Suite *calendar_suite(void);
Suite *editor_suite(void);
Suite *line_suite(void);
Suite *pins_suite(void);
Suite *utf8_suite(void);
