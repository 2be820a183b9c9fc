/* SPDX-License-Identifier: MIT */
/*
 * fake_aspace.h: a processor for tests of user memory: its tables, and what user code does.
 *
 * The tables of a space are an array with a word for each page. The fake keeps the promises of
 * <hal/aspace.h> and no more: it forgets mappings when it is told to, and mapping fails then.
 */
#pragma once

#include "vm/space.h"

#include <stdbool.h>
#include <stdint.h>

struct fake_aspace {
    unsigned forget_one_in; /**< so often a call forgets some page of the space; 0: never */
    uint64_t fail_map;      /**< the call of hal_aspace_map of this number fails; 0: none */
    uint64_t maps, mapped_pages, unmaps, protects; /**< so far */
    unsigned live;                                 /**< spaces that there are */
    uint64_t random;
};

extern struct fake_aspace fake_aspace;

void fake_aspace_reset(void);

/** Forgets all that is mapped in `space`. */
void fake_aspace_forget(struct vm_space *space);

/**
 * User code reads (write: writes) the byte at `address`, with as many faults as it takes: 0, or
 * what vm_fault returned.
 */
int user_access(struct vm_space *space, uintptr_t address, unsigned access, uint8_t *byte);

/** The same for `n` bytes. */
int user_read(struct vm_space *space, uintptr_t address, void *bytes, size_t n);
int user_write(struct vm_space *space, uintptr_t address, const void *bytes, size_t n);
