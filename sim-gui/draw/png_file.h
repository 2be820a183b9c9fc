/* SPDX-License-Identifier: MIT */
/*
 * png_file.h: a canvas as a PNG file.
 */
#pragma once

#include "draw/canvas.h"

/* Writes the whole canvas to `path`. 0, or a negative errno; a file that was begun is then removed.
 */
int png_file_write(const char *path, const struct canvas *canvas);
