/* SPDX-License-Identifier: MIT */
/*
 * suites.h: the suites of this folder, a file each.
 */
#pragma once

#include "../../marks.h"

/** lines.c: lines, as a person would type them. */
Suite *lines_suite(void);

/** oracle.c: random keys and settings, here and on a terminal of the host. */
Suite *oracle_suite(void);
