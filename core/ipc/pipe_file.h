/* SPDX-License-Identifier: MIT */
/*
 * pipe_file.h: what open files do that are an end of a pipe, one with a name or one without: the
 * functions of vnode_ops, on what ops->pipe answers.
 *
 * A file's `offset`, for which pipes have no other use, is how many writers had come when it was
 * opened: who reads a FIFO is told of a hang-up only after there was somebody to hang up.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct file;
struct poll_waiter;

/** `file` has the pipe open now, or does not any more. */
void pipe_file_begin(struct file *file);
void pipe_file_end(struct file *file);

int64_t pipe_file_read(struct file *file, uint64_t offset, void *data, size_t n);
int64_t pipe_file_write(struct file *file, uint64_t offset, const void *data, size_t n);
unsigned pipe_file_poll(struct file *file, struct poll_waiter *waiter);
int pipe_file_ioctl(struct file *file, unsigned request, void *argument);
