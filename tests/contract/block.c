/* SPDX-License-Identifier: MIT */
/*
 * block.c: the promises of hal/block.h: requests to the card.
 *
 * Writes go to the last sectors only and put back what was there. The tests lean on each other's
 * order: the first one has to come before the card is probed.
 */
#include "contract.h"

static struct hal_block_info card KSTATE;
static bool have_card KSTATE;

static struct hal_block_request request KSTATE;

CONTRACT_TEST(submit_before_probe_is_refused)
{
    uint8_t *data = contract_pages(1);
    request = (struct hal_block_request){.op = HAL_BLOCK_READ, .segment_count = 1};
    request.segments[0] = (struct hal_block_segment){data, 1};
    EXPECT_EQUAL(hal_block_submit(&request), -ENOMEDIUM);
    EXPECT(hal_block_completed() == NULL);
}

CONTRACT_TEST(probe_describes_the_card)
{
    int error = hal_block_probe(&card);
    if (error == -ENOMEDIUM)
        SKIP("there is no card");
    REQUIRE(error == 0);
    have_card = true;
    EXPECT(card.sectors > 0);
    size_t n = 0;
    while (n < sizeof(card.description) && card.description[n] != '\0') {
        EXPECT(card.description[n] >= ' ' && card.description[n] <= '~');
        n++;
    }
    EXPECT(n > 0 && n < sizeof(card.description));
}

CONTRACT_TEST(probe_says_the_same_twice)
{
    struct hal_block_info again;
    if (!have_card)
        SKIP("there is no card");
    REQUIRE(hal_block_probe(&again) == 0);
    EXPECT_EQUAL(again.sectors, card.sectors);
    EXPECT_EQUAL(again.read_only, card.read_only);
}

#define NEED_CARD() \
    if (!have_card) \
    SKIP("there is no card")
#define NEED_WRITABLE() \
    NEED_CARD(); \
    if (card.read_only || card.sectors < 16) \
    SKIP("the card cannot be written")

/** Makes `r` a request with one segment. */
static void prepare(struct hal_block_request *r, enum hal_block_op op, uint64_t sector, void *data,
                    uint32_t sectors)
{
    *r = (struct hal_block_request){.op = op, .sector = sector, .result = 12345};
    r->segment_count = op == HAL_BLOCK_FLUSH ? 0 : 1;
    r->segments[0] = (struct hal_block_segment){data, sectors};
}

/** Waits for any completion, polling. */
static struct hal_block_request *wait_any(void)
{
    struct hal_block_request *done = NULL;
    (void)CONTRACT_WAIT(done != NULL || (done = hal_block_completed()) != NULL, 5ull * NS_PER_S);
    return done;
}

/** Carries out one request and returns its result, or 1: refused or not completed. */
static int transfer(enum hal_block_op op, uint64_t sector, void *data, uint32_t sectors)
{
    prepare(&request, op, sector, data, sectors);
    if (hal_block_submit(&request) != 0 || wait_any() != &request)
        return 1;
    return request.result;
}

CONTRACT_TEST(read_by_polling)
{
    NEED_CARD();
    uint8_t *data = contract_pages(2);
    uint8_t *again = data + HAL_PAGE_SIZE;
    memset(data, 0x00, HAL_SECTOR_SIZE);
    memset(again, 0xff, HAL_SECTOR_SIZE);
    EXPECT_EQUAL(transfer(HAL_BLOCK_READ, 0, data, 1), 0);
    EXPECT_EQUAL(transfer(HAL_BLOCK_READ, 0, again, 1), 0);
    EXPECT_EQUAL(memcmp(data, again, HAL_SECTOR_SIZE), 0);
    EXPECT(hal_block_completed() == NULL);
}

CONTRACT_TEST(request_stays_the_callers)
{
    NEED_CARD();
    uint8_t *data = contract_pages(1);
    prepare(&request, HAL_BLOCK_READ, 0, data, 1);
    request.cookie = &card;
    REQUIRE(hal_block_submit(&request) == 0);
    REQUIRE(wait_any() == &request);
    EXPECT(request.cookie == &card);
    EXPECT_EQUAL(request.op, HAL_BLOCK_READ);
    EXPECT_EQUAL(request.sector, 0);
    EXPECT_EQUAL(request.segment_count, 1);
    EXPECT(request.segments[0].data == data);
    EXPECT_EQUAL(request.segments[0].sectors, 1);
}

CONTRACT_TEST(read_stays_inside_its_segment)
{
    NEED_CARD();
    uint8_t *data = contract_pages(2);
    memset(data, 0xcc, 2 * HAL_PAGE_SIZE);
    EXPECT_EQUAL(transfer(HAL_BLOCK_READ, 0, data + HAL_PAGE_SIZE - HAL_BLOCK_ALIGN, 1), 0);
    for (unsigned i = 0; i < HAL_PAGE_SIZE - HAL_BLOCK_ALIGN; i++)
        REQUIRE(data[i] == 0xcc);
    for (unsigned i = HAL_PAGE_SIZE - HAL_BLOCK_ALIGN + HAL_SECTOR_SIZE; i < 2 * HAL_PAGE_SIZE; i++)
        REQUIRE(data[i] == 0xcc);
}

CONTRACT_TEST(segments_make_one_row)
{
    NEED_CARD();
    enum { SECTORS = 48 };
    if (card.sectors < SECTORS)
        SKIP("the card is too small");
    uint8_t *whole = contract_pages(SECTORS / 8), *pieces = contract_pages(SECTORS / 4);
    EXPECT_EQUAL(transfer(HAL_BLOCK_READ, 0, whole, SECTORS), 0);
    memset(pieces, 0xcc, SECTORS / 4 * HAL_PAGE_SIZE);
    prepare(&request, HAL_BLOCK_READ, 0, NULL, 0);
    request.segment_count = HAL_BLOCK_SEGMENTS;
    uint8_t *at = pieces;
    for (unsigned i = 0; i < HAL_BLOCK_SEGMENTS; i++) {
        request.segments[i] = (struct hal_block_segment){at, 1 + i % 2};
        at += (1 + i % 2) * HAL_SECTOR_SIZE + HAL_BLOCK_ALIGN;
    }
    REQUIRE(hal_block_submit(&request) == 0);
    REQUIRE(wait_any() == &request);
    EXPECT_EQUAL(request.result, 0);
    const uint8_t *from = whole;
    for (unsigned i = 0; i < HAL_BLOCK_SEGMENTS; i++) {
        size_t bytes = request.segments[i].sectors * HAL_SECTOR_SIZE;
        EXPECT_EQUAL(memcmp(request.segments[i].data, from, bytes), 0);
        EXPECT_EQUAL(((uint8_t *)request.segments[i].data)[bytes], 0xcc);
        from += bytes;
    }
}

CONTRACT_TEST(sectors_are_where_they_are)
{
    NEED_CARD();
    enum { SECTORS = 64 };
    if (card.sectors < SECTORS)
        SKIP("the card is too small");
    uint8_t *whole = contract_pages(SECTORS / 8), *one = contract_pages(1);
    EXPECT_EQUAL(transfer(HAL_BLOCK_READ, 0, whole, SECTORS), 0);
    for (unsigned i = 0; i < SECTORS; i += 7) {
        memset(one, 0xcc, HAL_SECTOR_SIZE);
        EXPECT_EQUAL(transfer(HAL_BLOCK_READ, i, one, 1), 0);
        EXPECT_EQUAL(memcmp(one, whole + i * HAL_SECTOR_SIZE, HAL_SECTOR_SIZE), 0);
    }
}

CONTRACT_TEST(largest_request)
{
    NEED_CARD();
    if (card.sectors < HAL_BLOCK_SECTORS)
        SKIP("the card is too small");
    uint8_t *data = contract_pages(HAL_BLOCK_SECTORS / 8), *one = contract_pages(1);
    EXPECT_EQUAL(transfer(HAL_BLOCK_READ, 0, data, HAL_BLOCK_SECTORS), 0);
    EXPECT_EQUAL(transfer(HAL_BLOCK_READ, HAL_BLOCK_SECTORS - 1, one, 1), 0);
    EXPECT_EQUAL(memcmp(one, data + (HAL_BLOCK_SECTORS - 1) * HAL_SECTOR_SIZE, HAL_SECTOR_SIZE), 0);
}

CONTRACT_TEST(last_sector)
{
    NEED_CARD();
    uint8_t *data = contract_pages(1);
    EXPECT_EQUAL(transfer(HAL_BLOCK_READ, card.sectors - 1, data, 1), 0);
}

/** Submits `r`, which must be refused, and nothing must come of it. */
static void expect_refused(int line)
{
    if (hal_block_submit(&request) != -EINVAL)
        contract_fail(__FILE__, line, "hal_block_submit(&request) == -EINVAL");
}

#define EXPECT_REFUSED() expect_refused(__LINE__)

CONTRACT_TEST(bad_sectors_are_refused)
{
    NEED_CARD();
    uint8_t *data = contract_pages(1);
    static const uint64_t beyond[] = {0, 1, 1000000};
    for (unsigned i = 0; i < 3; i++) {
        prepare(&request, HAL_BLOCK_READ, card.sectors + beyond[i], data, 1);
        EXPECT_REFUSED();
    }
    prepare(&request, HAL_BLOCK_READ, card.sectors - 1, data, 2);
    EXPECT_REFUSED();
    prepare(&request, HAL_BLOCK_READ, UINT64_MAX, data, 1);
    EXPECT_REFUSED();
    prepare(&request, HAL_BLOCK_READ, UINT64_MAX - 1, data, 4);
    EXPECT_REFUSED();
    prepare(&request, HAL_BLOCK_READ, UINT64_MAX / HAL_SECTOR_SIZE + 1, data, 1);
    EXPECT_REFUSED();
    contract_pass(20 * NS_PER_MS);
    EXPECT(hal_block_completed() == NULL);
}

CONTRACT_TEST(bad_segments_are_refused)
{
    NEED_CARD();
    uint8_t *data = contract_pages(2);
    prepare(&request, HAL_BLOCK_READ, 0, data, 1);
    request.segment_count = 0;
    EXPECT_REFUSED();
    request.segment_count = HAL_BLOCK_SEGMENTS + 1;
    EXPECT_REFUSED();
    prepare(&request, HAL_BLOCK_READ, 0, data, 0);
    EXPECT_REFUSED();
    prepare(&request, HAL_BLOCK_READ, 0, data, HAL_BLOCK_SECTORS + 1);
    EXPECT_REFUSED();
    prepare(&request, HAL_BLOCK_READ, 0, data, UINT32_MAX);
    EXPECT_REFUSED();
    prepare(&request, HAL_BLOCK_READ, 0, data, HAL_BLOCK_SECTORS);
    request.segment_count = 2;
    request.segments[1] = (struct hal_block_segment){data, 1};
    EXPECT_REFUSED();
    prepare(&request, HAL_BLOCK_READ, 0, data, 1);
    request.segment_count = 2;
    request.segments[1] = (struct hal_block_segment){data, UINT32_MAX};
    EXPECT_REFUSED();
    prepare(&request, HAL_BLOCK_READ, 0, data + HAL_BLOCK_ALIGN / 2, 1);
    EXPECT_REFUSED();
    contract_pass(20 * NS_PER_MS);
    EXPECT(hal_block_completed() == NULL);
}

static volatile bool done_in_handler KSTATE, result_in_handler KSTATE;

static void complete_in_handler(void)
{
    struct hal_block_request *done;
    while ((done = hal_block_completed()) != NULL) {
        done_in_handler = done == &request;
        result_in_handler = done->result == 0;
    }
}

CONTRACT_TEST(done_before_the_interrupt)
{
    NEED_CARD();
    uint8_t *data = contract_pages(1);
    contract_on_irq(HAL_IRQ_BLOCK, complete_in_handler);
    hal_irq_enable(HAL_IRQ_BLOCK);
    hal_irq_enable(HAL_IRQ_TIMER);
    for (unsigned i = 0; i < 30; i++) {
        done_in_handler = result_in_handler = false;
        prepare(&request, HAL_BLOCK_READ, i % card.sectors, data, 1);
        hal_timer_set(hal_time_now() + 5ull * NS_PER_S);
        REQUIRE(hal_block_submit(&request) == 0);
        while (!done_in_handler && contract_irqs(HAL_IRQ_TIMER) == 0)
            hal_cpu_idle();
        REQUIRE(done_in_handler);
        EXPECT(result_in_handler);
    }
}

CONTRACT_TEST(completion_waits_for_the_line)
{
    NEED_CARD();
    uint8_t *data = contract_pages(1);
    done_in_handler = false;
    contract_on_irq(HAL_IRQ_BLOCK, complete_in_handler);
    prepare(&request, HAL_BLOCK_READ, 0, data, 1);
    hal_irq_unmask();
    REQUIRE(hal_block_submit(&request) == 0);
    contract_pass(50 * NS_PER_MS);
    EXPECT_EQUAL(contract_irqs(HAL_IRQ_BLOCK), 0);
    hal_irq_enable(HAL_IRQ_BLOCK);
    EXPECT(CONTRACT_WAIT(done_in_handler, 5ull * NS_PER_S));
}

#define MANY 8u
static struct hal_block_request many[MANY] KSTATE;

CONTRACT_TEST(many_requests_complete_once_each)
{
    NEED_CARD();
    if (card.sectors < MANY)
        SKIP("the card is too small");
    uint8_t *data = contract_pages(MANY);
    unsigned done[MANY] = {0};
    for (unsigned i = 0; i < MANY; i++) {
        prepare(&many[i], HAL_BLOCK_READ, i, data + i * HAL_PAGE_SIZE, 1);
        REQUIRE(hal_block_submit(&many[i]) == 0);
    }
    for (unsigned i = 0; i < MANY; i++) {
        struct hal_block_request *request_done = wait_any();
        REQUIRE(request_done >= many && request_done < many + MANY);
        EXPECT_EQUAL(request_done->result, 0);
        done[request_done - many]++;
    }
    for (unsigned i = 0; i < MANY; i++)
        EXPECT_EQUAL(done[i], 1);
    contract_pass(NS_PER_MS);
    EXPECT(hal_block_completed() == NULL);
}

CONTRACT_TEST(flush_completes)
{
    NEED_CARD();
    EXPECT_EQUAL(transfer(HAL_BLOCK_FLUSH, 0, NULL, 0), 0);
}

CONTRACT_TEST(flush_is_a_barrier)
{
    NEED_CARD();
    if (card.sectors < MANY)
        SKIP("the card is too small");
    uint8_t *data = contract_pages(MANY);
    /* Three reads, the flush, and what comes after it. */
    for (unsigned i = 0; i < MANY; i++) {
        prepare(&many[i], i == 3 ? HAL_BLOCK_FLUSH : HAL_BLOCK_READ, i == 3 ? 0 : i,
                data + i * HAL_PAGE_SIZE, 1);
        REQUIRE(hal_block_submit(&many[i]) == 0);
    }
    for (unsigned i = 0; i < MANY; i++) {
        struct hal_block_request *done = wait_any();
        REQUIRE(done != NULL);
        EXPECT((i < 3) == (done < many + 3));
        EXPECT((i == 3) == (done == many + 3));
    }
}

CONTRACT_TEST(write_to_read_only_card)
{
    NEED_CARD();
    if (!card.read_only)
        SKIP("the card can be written");
    uint8_t *data = contract_pages(1);
    EXPECT_EQUAL(transfer(HAL_BLOCK_READ, card.sectors - 1, data, 1), 0);
    EXPECT_EQUAL(transfer(HAL_BLOCK_WRITE, card.sectors - 1, data, 1), -EROFS);
}

CONTRACT_TEST(written_sectors_are_read_back)
{
    NEED_WRITABLE();
    uint64_t sector = card.sectors - 4;
    uint8_t *before = contract_pages(1), *data = contract_pages(1), *after = contract_pages(1);
    EXPECT_EQUAL(transfer(HAL_BLOCK_READ, sector, before, 4), 0);
    for (unsigned i = 0; i < 4 * HAL_SECTOR_SIZE; i++)
        data[i] = (uint8_t)(i * 13 + (i >> 9));
    EXPECT_EQUAL(transfer(HAL_BLOCK_WRITE, sector + 1, data, 2), 0);
    EXPECT_EQUAL(transfer(HAL_BLOCK_FLUSH, 0, NULL, 0), 0);
    EXPECT_EQUAL(transfer(HAL_BLOCK_READ, sector, after, 4), 0);
    EXPECT_EQUAL(memcmp(after + HAL_SECTOR_SIZE, data, 2 * HAL_SECTOR_SIZE), 0);
    EXPECT_EQUAL(memcmp(after, before, HAL_SECTOR_SIZE), 0);
    EXPECT_EQUAL(memcmp(after + 3 * HAL_SECTOR_SIZE, before + 3 * HAL_SECTOR_SIZE, HAL_SECTOR_SIZE),
                 0);
    EXPECT_EQUAL(transfer(HAL_BLOCK_WRITE, sector, before, 4), 0);
    EXPECT_EQUAL(transfer(HAL_BLOCK_READ, sector, after, 4), 0);
    EXPECT_EQUAL(memcmp(after, before, 4 * HAL_SECTOR_SIZE), 0);
}

const struct contract_test block_tests[] = {
    {"hal_block_submit before hal_block_probe is refused", submit_before_probe_is_refused},
    {"hal_block_probe describes the card", probe_describes_the_card},
    {"hal_block_probe says the same twice", probe_says_the_same_twice},
    {"polling hal_block_completed makes progress", read_by_polling},
    {"a request comes back as the caller made it", request_stays_the_callers},
    {"a read stays inside its segment, at the smallest alignment", read_stays_inside_its_segment},
    {"HAL_BLOCK_SEGMENTS segments make one row of sectors", segments_make_one_row},
    {"a sector alone is what it is in a row", sectors_are_where_they_are},
    {"a request of HAL_BLOCK_SECTORS sectors is carried out", largest_request},
    {"the last sector can be read", last_sector},
    {"sectors outside the card are refused, and nothing is queued", bad_sectors_are_refused},
    {"bad segments are refused, and nothing is queued", bad_segments_are_refused},
    {"a request is done before its interrupt", done_before_the_interrupt},
    {"a completion waits for its line to be enabled", completion_waits_for_the_line},
    {"many requests complete once each", many_requests_complete_once_each},
    {"a flush completes", flush_completes},
    {"a flush is a barrier", flush_is_a_barrier},
    {"a write to a read-only card fails with -EROFS", write_to_read_only_card},
    {"what was written is read back, and no other sector changes", written_sectors_are_read_back},
    {NULL, NULL},
};
