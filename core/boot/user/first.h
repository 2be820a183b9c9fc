/* SPDX-License-Identifier: MIT */
/*
 * first.h: from the kernel into user space: process 1.
 */
#pragma once

/**
 * Starts the program that `init=` names, or /sbin/init if that is there, as process 1, and waits
 * for its end, which is not meant to come. Returns with a reason in the log when there is no such
 * program (the word is `kshell`, it is not there, it cannot be run) or it has ended; then there are
 * no processes. Thread context, at boot. May sleep.
 */
void first_program_run(void);
