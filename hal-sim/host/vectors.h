/* SPDX-License-Identifier: MIT */
/*
 * vectors.h: images of the floating-point and vector registers, as signals' frames hold them.
 *
 * They are aligned to 64. What is for handlers may be called by them before they know where they
 * are (user.h).
 */
#pragma once

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Learns what those of this host are like. False: not as expected, or too long. */
bool host_vectors_open(void);
/** Bytes of one of user code, and the components in it (XCR0's bits). It is open. */
size_t host_vectors_bytes(void);
uint64_t host_vectors_features(void);
/** Prepares that of new user code, and checks one that a program gave: `bytes` bytes. */
void host_vectors_init(uint8_t *image);
bool host_vectors_are_valid(const uint8_t *image, size_t bytes);
/** Bytes of what a signal's frame has, as that says itself. Handlers. */
size_t host_vectors_image_bytes(const void *image);
/** Which components an image says are in use. */
uint64_t host_vectors_used(const uint8_t *image);
/**
 * Makes the same bytes of what means the same: a component is in use if and only if it is not as it
 * began. Of those that are in use in `before` and not in the image, the bytes are old. Handlers.
 */
void host_vectors_settle(uint8_t *image, uint64_t before);
