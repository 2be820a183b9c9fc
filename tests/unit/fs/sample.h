/* SPDX-License-Identifier: MIT */
/*
 * sample.h: a small card that has one of everything: where damage is to be done.
 */
#pragma once

#include "image.h"

#define SAMPLE_CLUSTERS 60u

/** Files in one piece and in several, empty, long-named, directories in directories. */
void sample_build(struct image *image);
