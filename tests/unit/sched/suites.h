/* SPDX-License-Identifier: MIT */
/*
 * suites.h: the suites of this program, one a file.
 */
#pragma once

#include "../../marks.h"

Suite *order_suite(void);
Suite *shares_suite(void);
Suite *feedback_suite(void);
Suite *latency_suite(void);
Suite *moves_suite(void);
Suite *model_suite(void);
Suite *lab_suite(void);
Suite *docs_suite(void);
