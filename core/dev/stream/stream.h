/* SPDX-License-Identifier: MIT */
/*
 * stream.h: the streams of hal/stream.h as open files: a program's standard input, output and
 * errors.
 */
#pragma once

#include <hal/compiler.h>

struct file;

/** Readies the streams. Boot, before HAL_IRQ_UART is enabled. */
void stream_start(void);

/** HAL_IRQ_UART: perhaps there is input. Interrupt context. */
void stream_interrupt(void);

/** Opens all three: files[0] to be read, the others to be written, a reference each. -ENOMEM. */
HAL_MUST_CHECK int stream_open_all(struct file *files[3]);
