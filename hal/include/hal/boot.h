/* SPDX-License-Identifier: MIT */
/*
 * boot.h: the message of the firmware: memory size and command line, still in the firmware's
 * format.
 *
 * Source: Linux, Documentation/arm/booting.rst (ATAGS); Devicetree Specification 0.4 section 5
 * (DTB). Telling the formats apart and reading them is core's task, and the bytes are not to be
 * trusted.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/**
 * Where the firmware left its boot tags: a list of ATAGs or a flattened device tree.
 *
 * `*bytes` becomes how far they may reach at most: the size of the memory that is mapped from there
 * on and that core has not been given. NULL: the firmware left nothing. Any context, until core
 * hands out the range; the pages are among hal_mem_reserved.
 */
const void *hal_boot_tags(size_t *bytes);
