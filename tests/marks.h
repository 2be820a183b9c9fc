/* SPDX-License-Identifier: MIT */
/*
 * marks.h: <check.h> for tests that assert a million times.
 *
 * Check writes to a file at each assertion that holds, so that it can say near which one a test
 * crashed. That takes about a microsecond: in a loop it is most of what a test does. With this
 * header a place is noted when it is passed for the 1st, 2nd, 4th, 8th ... time. So what is said of
 * a crash ("after this point") is near, not exact; a failed assertion is as exact as ever.
 */
#pragma once

#include <check.h>

#define _mark_point(file, line) \
    __extension__({ \
        static unsigned passes; \
\
        if ((passes & (passes + 1)) == 0) \
            (_mark_point)(file, line); \
        passes++; \
    })
