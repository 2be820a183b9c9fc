/* SPDX-License-Identifier: MIT */
/*
 * test_vectors.c: images of the vector registers, settled (host/vectors.h).
 *
 * Criteria, for the processor that the test runs on, and each component that its images have:
 *  1. A component that is as it began is not in use, whatever the processor says of it.
 *  2. One that is not as it began is in use. A changed MXCSR counts as one of SSE's registers.
 *  3. Bytes that are old because the processor has not written them become those of the beginning.
 *  4. Nothing changes for who gets it: the processor has the same registers from an image of any
 *     content, and from that image settled.
 *  5. To settle once more changes nothing.
 */
#include "host/vectors.h"

#include <check.h>
#include <cpuid.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMAGE_MAX 4096
#define VECTORS UINT64_C(0xe7) /* x87, SSE, AVX, AVX-512: registers that any value can be in */
#define COMPONENTS 63
#define CASES 2000

enum { MXCSR = 24, MXCSR_MASK = 28, STACK = 32, XMM = 160, UNUSED = 416, HEADER = 512 };

struct part {
    uint64_t bit;
    unsigned at, bytes;
};

static _Alignas(64) uint8_t image[IMAGE_MAX], other[IMAGE_MAX], raw[IMAGE_MAX], own[IMAGE_MAX];
static struct part parts[COMPONENTS];
static unsigned part_count;

static void set_up(void)
{
    ck_assert(host_vectors_open());
    ck_assert_uint_le(host_vectors_bytes(), IMAGE_MAX);
    part_count = 0;
    parts[part_count++] = (struct part){1, STACK, XMM - STACK};
    parts[part_count++] = (struct part){2, XMM, UNUSED - XMM};
    for (unsigned i = 2; i < COMPONENTS; i++) {
        unsigned bytes, at, flags, none;
        if (!(host_vectors_features() >> i & 1))
            continue;
        __cpuid_count(0xd, i, bytes, at, flags, none);
        parts[part_count++] = (struct part){UINT64_C(1) << i, at, bytes};
    }
    host_vectors_init(image);
}

static void set_used(uint8_t *of, uint64_t used)
{
    memcpy(of + HEADER, &used, sizeof used);
}

/* Puts the registers of `from` in, saves what they are then to `to`, all of it, and has its own
 * back. */
static void load_and_save(const uint8_t *from, uint8_t *to)
{
    const uint64_t features = host_vectors_features() & VECTORS;
    __asm__ volatile("xsave64 (%0)\n\t"
                     "xrstor64 (%1)\n\t"
                     "xsave64 (%2)\n\t"
                     "xrstor64 (%0)"
                     :
                     : "r"(own), "r"(from), "r"(to), "a"((uint32_t)features),
                       "d"((uint32_t)(features >> 32))
                     : "memory");
}

static bool is_zero(const uint8_t *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (at[i])
            return false;
    return true;
}

START_TEST(what_is_as_it_began_is_not_in_use)
{
    memcpy(other, image, sizeof other);
    set_used(image, host_vectors_features());
    host_vectors_settle(image, 0);
    ck_assert_uint_eq(host_vectors_used(image), 0);
    ck_assert(!memcmp(image, other, host_vectors_bytes()));
}
END_TEST

START_TEST(what_is_not_as_it_began_is_in_use)
{
    for (unsigned i = 0; i < part_count; i++)
        for (unsigned at = 0; at < parts[i].bytes; at++) {
            host_vectors_init(image);
            image[parts[i].at + at] = 1;
            set_used(image, host_vectors_features());
            host_vectors_settle(image, 0);
            ck_assert_msg(host_vectors_used(image) == parts[i].bit, "byte %u of component %#llx",
                          at, (unsigned long long)parts[i].bit);
            ck_assert_uint_eq(image[parts[i].at + at], 1);
        }
}
END_TEST

START_TEST(control_words_count)
{
    image[0] ^= 1; /* a mask of the old unit's */
    set_used(image, 1);
    host_vectors_settle(image, 0);
    ck_assert_uint_eq(host_vectors_used(image), 1);
    host_vectors_init(image);
    image[MXCSR + 1] ^= 1;
    for (unsigned said = 0; said < 4; said += 2) {
        set_used(image, said);
        host_vectors_settle(image, 0);
        ck_assert_uint_eq(host_vectors_used(image), 2);
    }
}
END_TEST

START_TEST(old_bytes_go)
{
    memcpy(other, image, sizeof other);
    for (unsigned i = 0; i < part_count; i++) {
        memcpy(image, other, sizeof image);
        memset(image + parts[i].at, 0x5a, parts[i].bytes);
        set_used(image, 0);
        host_vectors_settle(image, parts[i].bit);
        ck_assert_msg(!memcmp(image, other, host_vectors_bytes()), "component %#llx",
                      (unsigned long long)parts[i].bit);
    }
}
END_TEST

/* Any registers, in any use, as `seed` has it. */
static void make_any(uint8_t *of, unsigned *seed)
{
    host_vectors_init(of);
    for (unsigned i = 0; i < part_count; i++) {
        unsigned kind = (unsigned)rand_r(seed) % 4;
        for (unsigned at = 0; at < parts[i].bytes && kind && (parts[i].bit & VECTORS); at++)
            of[parts[i].at + at] = kind == 1 || rand_r(seed) % 64 == 0 ? (uint8_t)rand_r(seed) : 0;
    }
    for (unsigned i = 0; i < 8; i++) /* of the old unit's registers, 10 bytes of 16 are one */
        memset(of + STACK + i * 16 + 10, 0, 6);
    if (rand_r(seed) % 4 == 0)
        of[MXCSR + 1] ^= 0x60; /* which way it rounds */
    set_used(of, (uint64_t)rand_r(seed) & host_vectors_features() & VECTORS);
}

START_TEST(registers_are_the_same_from_it)
{
    unsigned seed = 11, changed = 0;
    for (unsigned i = 0; i < CASES; i++) {
        make_any(raw, &seed);
        memcpy(image, raw, sizeof image);
        host_vectors_settle(image, ~UINT64_C(0));
        changed += memcmp(image, raw, host_vectors_bytes()) != 0;
        memset(other, 0, sizeof other);
        memcpy(other + HEADER + 64, image + HEADER + 64, sizeof other - HEADER - 64);
        load_and_save(raw, other);
        memset(raw, 0, sizeof raw);
        memcpy(raw + HEADER + 64, other + HEADER + 64, sizeof raw - HEADER - 64);
        load_and_save(image, raw);
        set_used(raw, 0);
        set_used(other, 0);
        ck_assert_msg(!memcmp(raw, other, host_vectors_bytes()), "case %u", i);
        memcpy(other, image, sizeof other);
        host_vectors_settle(image, ~UINT64_C(0));
        ck_assert_msg(!memcmp(image, other, sizeof image), "case %u, once more", i);
        for (unsigned k = 0; k < part_count; k++)
            ck_assert(host_vectors_used(image) & parts[k].bit ||
                      is_zero(image + parts[k].at, parts[k].bytes));
    }
    ck_assert_uint_gt(changed, CASES / 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vectors");
    TCase *all = tcase_create("all");
    SRunner *runner = srunner_create(suite);
    int failed;

    tcase_add_checked_fixture(all, set_up, NULL);
    tcase_add_test(all, what_is_as_it_began_is_not_in_use);
    tcase_add_test(all, what_is_not_as_it_began_is_in_use);
    tcase_add_test(all, control_words_count);
    tcase_add_test(all, old_bytes_go);
    tcase_add_test(all, registers_are_the_same_from_it);
    suite_add_tcase(suite, all);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
