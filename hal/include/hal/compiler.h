/* SPDX-License-Identifier: MIT */
/*
 * compiler.h: the attributes that the contract uses, under their plain names.
 */
#pragma once

/** For what only one program sees: a variable so declared is reached without looking it up. */
#define HAL_INTERNAL __attribute__((visibility("hidden")))
/** The caller has to look at the result; a plain call is a warning, and so an error. */
#define HAL_MUST_CHECK __attribute__((warn_unused_result))
/** The compiler takes the variable `x` as it is from here on, and does not compute it anew from
 * what it was made of: an address of many uses stays in one register. */
#define HAL_OPAQUE(x) __asm__("" : "+r"(x))
/** The function stays one: it is rarely called, and in the way, or has to have a frame. */
#define HAL_NOINLINE __attribute__((noinline))
/** Control does not come back to the caller. */
#define HAL_NORETURN __attribute__((noreturn))
/** Argument F is a format in the manner of printf; the values start at argument A. */
#define HAL_FORMAT(f, a) __attribute__((format(printf, f, a)))
/** A function that looks at memory whatever it holds: sanitizers leave its accesses alone. */
#define HAL_RAW_ACCESS __attribute__((noinline, no_sanitize("address", "thread")))
