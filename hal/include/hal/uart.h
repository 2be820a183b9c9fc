/* SPDX-License-Identifier: MIT */
/*
 * uart.h: the serial line that carries the console. 115,200 baud, 8 data bits, no parity.
 *
 * Bytes go through two queues of the device (FIFOs). Neither function waits: they move what fits.
 * HAL_IRQ_UART is raised when input is there and, if asked for, when output has room again.
 */
#pragma once

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * Takes up to `n` received bytes and returns how many; 0 when there are none. Any context.
 *
 * Each byte is delivered once, in order. A driver reads until it gets 0: the interrupt is promised
 * only for input that arrives after that.
 */
HAL_MUST_CHECK size_t hal_uart_read(uint8_t *bytes, size_t n);

/** Gives up to `n` bytes to the line and returns how many were accepted; 0 when it is full. Any
 * context. */
HAL_MUST_CHECK size_t hal_uart_write(const uint8_t *bytes, size_t n);

/**
 * Asks for an interrupt when there is room for output (`on`), or no longer. Any context.
 *
 * While on and with room, the interrupt is raised again and again; turn it off when there is
 * nothing to send.
 */
void hal_uart_notify_room(bool on);

/**
 * The size of the screen at the other end, in characters: true. False: nobody knows, as on a serial
 * line, which has no way to say it. HAL_IRQ_UART is raised when it changes. Any context.
 */
HAL_MUST_CHECK bool hal_uart_window(uint16_t *columns, uint16_t *rows);
