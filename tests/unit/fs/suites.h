/* SPDX-License-Identifier: MIT */
/*
 * suites.h: the suites of this program, one a file.
 */
#pragma once

#include "../../marks.h"

Suite *geometry_suite(void);
Suite *partition_suite(void);
Suite *chain_suite(void);
Suite *name_suite(void);
Suite *directory_suite(void);
Suite *path_suite(void);
Suite *block_suite(void);
Suite *card_suite(void);
Suite *memory_suite(void);
Suite *growing_suite(void);
Suite *writing_suite(void);
Suite *entry_suite(void);
Suite *operation_suite(void);
