/* SPDX-License-Identifier: MIT */
/*
 * seek.h: how long a disk with an arm would take.
 *
 * A request takes three times, which a card does not know:
 *
 *     seek       the arm moves to the track: nothing if it is there, else `settle` and a part of
 *                `stroke` that grows with the square root of the distance (it speeds up and brakes)
 *     rotation   until the sector comes by under the arm: up to one turn
 *     transfer   until all its sectors have come by
 *
 * So what matters is how far the arm moves, and that depends on the order of requests.
 */
#pragma once

#include <stdint.h>

struct seek_model {
    uint64_t sectors; /**< of the disk */
    uint32_t track;   /**< sectors of a track; 1: the arm stops at each sector */
    uint64_t settle;  /**< ns */
    uint64_t stroke;  /**< ns from one end to the other, on top of that */
    uint32_t rpm;     /**< turns a minute; 0: no rotation, the disk waits for the arm only */
};

/** A disk of `sectors` sectors as in a PC of 2005: 7200 turns a minute, 9 ms to a random place. */
struct seek_model seek_usual(uint64_t sectors);

/** ns to move the arm from `from` to `to`, both sectors. */
uint64_t seek_time(const struct seek_model *model, uint64_t from, uint64_t to);

/** ns for all of a request of `sectors` at `at`, which begins at `now` with the arm at `from`. */
uint64_t seek_service(const struct seek_model *model, uint64_t now, uint64_t from, uint64_t at,
                      uint32_t sectors);
