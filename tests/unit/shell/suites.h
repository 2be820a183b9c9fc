/* SPDX-License-Identifier: MIT */
/*
 * suites.h: the suites of this program, one a file.
 */
#pragma once

#include "../../marks.h"

Suite *args_suite(void);
Suite *calendar_suite(void);
Suite *editor_suite(void);
Suite *pins_suite(void);
Suite *utf8_suite(void);
