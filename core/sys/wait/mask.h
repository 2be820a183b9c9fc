/* SPDX-License-Identifier: MIT */
/*
 * mask.h: calls that block other signals only while they wait: ppoll, pselect6, epoll_pwait.
 */
#pragma once

#include <hal/compiler.h>

#include <stdint.h>

/**
 * From now on the signals in the set at `address`, of `bytes` bytes, are those that are blocked;
 * NULL: nothing changes. What was blocked before is blocked again at the end of the call; if a
 * signal ends it, -EINTR, only after the signal has been delivered. 0, -EFAULT or -EINVAL.
 */
HAL_MUST_CHECK int mask_begin(uint64_t address, uint64_t bytes);
