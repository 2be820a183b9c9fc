/* SPDX-License-Identifier: MIT */
/*
 * host.h: a pseudo-terminal of the host's kernel: what is typed there, and what comes of it.
 *
 * The host does its work on a terminal later, in threads of its own. Where a test wants to know
 * that all has been done, it reads until there is nothing: that waits for them.
 */
#pragma once

#include "tty/discipline/settings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host {
    int keys; /* the master's side: where one types, and sees the echo */
    int line; /* the slave's: where programs read and write */
};

/* False: this host has no pseudo-terminals. */
bool host_open(struct host *host);
void host_close(struct host *host);

/* All of them fail the test by themselves if the host refuses. */
void host_set(const struct host *host, const struct tty_settings *settings);
void host_type(const struct host *host, const uint8_t *bytes, size_t n);
void host_write(const struct host *host, const uint8_t *bytes, size_t n);
void host_flush(const struct host *host);

/* Bytes that a program could read (FIONREAD). */
size_t host_count(const struct host *host);

/* What a program that does not wait reads: how many bytes, or -1: it would have to wait. */
int host_read(const struct host *host, uint8_t *bytes, size_t n);

/* All that is to be seen by now, but `n` bytes at most; waits for `expected` of them. */
size_t host_see(const struct host *host, uint8_t *bytes, size_t n, size_t expected);

/* Returns when all keys have been dealt with, if no program could read now. */
void host_settle(const struct host *host);
