/* SPDX-License-Identifier: MIT */
/*
 * suites.h: the suites of unit-block, by file.
 */
#pragma once

#include "../../marks.h"

Suite *queue_suite(void);
Suite *random_suite(void);
Suite *disk_suite(void);
Suite *partitions_suite(void);
Suite *lab_suite(void);
