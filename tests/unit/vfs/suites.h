/* SPDX-License-Identifier: MIT */
/*
 * suites.h: the suites of the VFS's unit tests.
 */
#pragma once

#include "../../marks.h"

Suite *cache_suite(void);
Suite *change_suite(void);
Suite *file_suite(void);
Suite *model_suite(void);
Suite *mount_suite(void);
Suite *path_suite(void);
