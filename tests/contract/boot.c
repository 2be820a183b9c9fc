/* SPDX-License-Identifier: MIT */
/*
 * boot.c: the promises of hal/boot.h: the boot tags lie where the firmware left them.
 *
 * Reading them is core's business. Here only their first words are looked at.
 */
#include "contract.h"

#define ATAG_CORE 0x54410001u
/** A device tree's magic number, 0xd00dfeed in big-endian order, as a little-endian load sees it.
 */
#define DTB_MAGIC 0xedfe0dd0u

CONTRACT_TEST(tags_are_a_known_format)
{
    size_t bytes = 0;
    const uint32_t *words = hal_boot_tags(&bytes);
    if (words == NULL)
        SKIP("the firmware left no boot tags");
    REQUIRE(bytes >= 16);
    EXPECT_EQUAL((uintptr_t)words % 4, 0);
    EXPECT(words[0] == DTB_MAGIC || words[1] == ATAG_CORE);
}

CONTRACT_TEST(tags_are_constant)
{
    size_t bytes = 0, again = 0;
    const void *tags = hal_boot_tags(&bytes);
    EXPECT(hal_boot_tags(&again) == tags);
    EXPECT_EQUAL(bytes, again);
}

CONTRACT_TEST(tags_are_readable_as_far_as_said)
{
    size_t bytes = 0;
    const volatile uint8_t *tags = hal_boot_tags(&bytes);
    if (tags == NULL)
        SKIP("the firmware left no boot tags");
    unsigned sum = 0;
    for (size_t i = 0; i < bytes; i += 64)
        sum += tags[i];
    sum += tags[bytes - 1];
    EXPECT(sum != 0);
}

CONTRACT_TEST(tags_are_reserved)
{
    size_t bytes = 0;
    const void *tags = hal_boot_tags(&bytes);
    if (tags == NULL)
        SKIP("the firmware left no boot tags");
    uint64_t physical = hal_mem_physical(tags);
    struct hal_range range;
    bool found = false;
    for (unsigned i = 0; hal_mem_reserved(i, &range); i++)
        found = found || (physical >= range.start && physical - range.start < range.bytes);
    EXPECT(found);
}

const struct contract_test boot_tests[] = {
    {"the boot tags are ATAGs or a device tree", tags_are_a_known_format},
    {"hal_boot_tags says the same twice", tags_are_constant},
    {"the boot tags can be read as far as hal_boot_tags says", tags_are_readable_as_far_as_said},
    {"the boot tags lie in a reserved range", tags_are_reserved},
    {NULL, NULL},
};
