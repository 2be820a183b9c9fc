/* SPDX-License-Identifier: MIT */
/*
 * info.c: a signal and what its sender says, as programs see it: Linux's siginfo_t.
 *
 *     0  number   4  errno   8  code   16  the rest, which depends on number and code
 */
#include "proc/signal/signals.h"

#include "lib/bytes.h"

#include <hal/runtime.h>

void signal_put_info(uint8_t to[SIGNAL_INFO_BYTES], unsigned signal, const struct signal_info *info)
{
    memset(to, 0, SIGNAL_INFO_BYTES);
    put_le32(to, signal);
    put_le32(to + 4, (uint32_t)info->error);
    put_le32(to + 8, (uint32_t)info->code);
    memcpy(to + 16, info->words, sizeof(info->words));
}
