/* SPDX-License-Identifier: MIT */
/*
 * settings.h: what can be set of a terminal: Linux's struct termios, bit by bit.
 *
 * The names are those of the manual page termios(3), in which is what each of them does.
 */
#pragma once

#include <stdint.h>

enum {
    TTY_PARMRK = 010,
    TTY_ISTRIP = 040,
    TTY_INLCR = 0100,
    TTY_IGNCR = 0200,
    TTY_ICRNL = 0400,
    TTY_IUCLC = 01000,
    TTY_IXON = 02000,
    TTY_IXANY = 04000,
    TTY_IXOFF = 010000,
    TTY_IMAXBEL = 020000,
    TTY_IUTF8 = 040000
};

enum {
    TTY_OPOST = 01,
    TTY_OLCUC = 02,
    TTY_ONLCR = 04,
    TTY_OCRNL = 010,
    TTY_ONOCR = 020,
    TTY_ONLRET = 040,
    TTY_XTABS = 014000 /**< all bits of TABDLY */
};

enum { TTY_B115200 = 010002, TTY_CS8 = 060, TTY_CREAD = 0200, TTY_CLOCAL = 04000 };

enum {
    TTY_ISIG = 01,
    TTY_ICANON = 02,
    TTY_ECHO = 010,
    TTY_ECHOE = 020,
    TTY_ECHOK = 040,
    TTY_ECHONL = 0100,
    TTY_NOFLSH = 0200,
    TTY_TOSTOP = 0400,
    TTY_ECHOCTL = 01000,
    TTY_ECHOPRT = 02000,
    TTY_ECHOKE = 04000,
    TTY_IEXTEN = 0100000
};

/** Places in `keys`. A key that is 0 is off. */
enum {
    TTY_VINTR,
    TTY_VQUIT,
    TTY_VERASE,
    TTY_VKILL,
    TTY_VEOF,
    TTY_VTIME,
    TTY_VMIN,
    TTY_VSWTC,
    TTY_VSTART,
    TTY_VSTOP,
    TTY_VSUSP,
    TTY_VEOL,
    TTY_VREPRINT,
    TTY_VDISCARD,
    TTY_VWERASE,
    TTY_VLNEXT,
    TTY_VEOL2,
    TTY_KEYS = 19
};

/** As the kernels of both processors have it: the first 36 bytes are struct termios, all 44 are
 * struct termios2. */
struct tty_settings {
    uint32_t input, output, control, local;
    uint8_t line;
    uint8_t keys[TTY_KEYS];
    uint32_t input_speed, output_speed;
};

#define TTY_SETTINGS_BYTES 36u
#define TTY_SETTINGS2_BYTES 44u

_Static_assert(sizeof(struct tty_settings) == TTY_SETTINGS2_BYTES, "struct termios2 of Linux");

/** What a terminal has before anybody sets it: lines with echo, signals, UTF-8. */
extern const struct tty_settings tty_usual_settings;
