/* SPDX-License-Identifier: MIT */
/*
 * exec.h: a machine that is there for one program.
 */
#pragma once

/**
 * If the command line has the word `exec`: runs the program that the file /.exec names, on the
 * streams of whoever runs the machine (hal/stream.h), and switches the machine off with its status:
 * 128 + N after signal N, 127 if it is not there, 126 if it cannot be run. Thread context, at boot.
 */
void exec_run_and_stop(void);
