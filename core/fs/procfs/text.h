/* SPDX-License-Identifier: MIT */
/*
 * text.h: files whose content is a text that is made when they are opened.
 */
#pragma once

#include "fs/file.h"
#include "lib/report.h"

#include <hal/compiler.h>

/**
 * Has say(context, report) write the text, once or, if it does not fit, again, and keeps it for
 * those who read `file`. -EACCES: opened to be written; -ENOMEM; -EFBIG; or what say returned. May
 * sleep.
 */
HAL_MUST_CHECK int proc_text_open(struct file *file, int (*say)(void *context, struct report *),
                                  void *context);

/* Operations of its vnode. */
void proc_text_close(struct vnode *vnode, struct file *file);
int64_t proc_text_read(struct file *file, uint64_t offset, void *data, size_t n);
