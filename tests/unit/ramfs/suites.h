/* SPDX-License-Identifier: MIT */
/*
 * suites.h: the suites of this program, one a file.
 */
#pragma once

#include "../../marks.h"

Suite *content_suite(void);
Suite *directory_suite(void);
Suite *limit_suite(void);
Suite *fifo_suite(void);
Suite *kernel_suite(void);
