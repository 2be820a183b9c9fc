/* SPDX-License-Identifier: MIT */
/*
 * suites.h: what tests of user memory share: files that can be mapped, and counts of what is in
 * use.
 */
#pragma once

#include "../fake_hal.h"
#include "cache/cache.h"
#include "fs/file.h"
#include "vm/copy.h"
#include "fake_aspace.h"
#include "vm/region/origin.h"
#include "../../marks.h"

#include <hal/aspace.h>

#define MIB (1u << 20)
#define PAGE ((uintptr_t)HAL_PAGE_SIZE)
#define FILE_PAGES 64u
#define BASE 0x400000u /* some user address */

#define RW (HAL_USER_READ | HAL_USER_WRITE)
#define R HAL_USER_READ
#define RX (HAL_USER_READ | HAL_USER_EXECUTE)

/** A file: of a page cache over a medium in memory, or of frames of its own. */
struct test_file {
    struct vnode vnode;
    struct cache_object object;
    struct file *file;      /* opened to read and write */
    struct file *read_only; /* another open file of it */
    uint8_t medium[FILE_PAGES * HAL_PAGE_SIZE];
    void *frames[FILE_PAGES]; /* of the second kind; those that are there */
    bool has_frames;
    bool bad; /* the medium cannot be read */
    unsigned reads;
};

/** Starts the kernel with 16 MiB, and the files as they are told. */
void vm_test_start(void);

/** A file of `pages` pages of which byte i is (i / 512 + i * 7 + seed) & 255. */
void test_file_init(struct test_file *file, bool has_frames, unsigned pages, uint8_t seed);
uint8_t test_file_byte(uint64_t i, uint8_t seed);

/** It has `bytes` bytes from now on; what is new is zero. */
void test_file_resize(struct test_file *file, uint64_t bytes);

/** Gives all of it back. */
void test_file_finish(struct test_file *file);

struct in_use {
    uint64_t frames;
    uint64_t blocks;
    uint64_t cached;
};

/** What is in use, when the page cache has given back what it can. */
struct in_use read_in_use(void);
void check_in_use(struct in_use before);

Suite *claims_suite(void);
Suite *model_suite(void);
Suite *memory_suite(void);
