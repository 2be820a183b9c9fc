/* SPDX-License-Identifier: MIT */
/*
 * aspace.c: the promises of hal/aspace.h, most of them as user code sees them.
 *
 * A backend may forget a mapping, and then user code traps as if there were none; so where a test
 * says that an access is allowed, the mapping is made again, once, before it is taken for refused.
 * What must not be allowed is never allowed.
 */
#include "user_program.h"

enum { DATA = HAL_USER_READ | HAL_USER_WRITE };

static struct program program KSTATE, second KSTATE;

static uint64_t *word(const struct program *of, size_t page)
{
    return (uint64_t *)(of->data + page * HAL_PAGE_SIZE);
}

/** Whether user code reads `value` at `address`. */
static bool reads(struct program *of, uintptr_t address, uint64_t value)
{
    LOAD(of, load);
    program_set(of, 0, address);
    return program_run(of) == HAL_USER_CALL && program_get(of, 1) == value;
}

/** Whether it writes `value` there. */
static bool writes(struct program *of, uintptr_t address, uint64_t value)
{
    LOAD(of, store);
    program_set(of, 0, address);
    program_set(of, 1, value);
    return program_run(of) == HAL_USER_CALL;
}

CONTRACT_TEST(a_new_space_is_empty)
{
    uint64_t physical;
    if (!PROGRAM(&program, load))
        return;
    EXPECT_EQUAL(hal_aspace_query(&program.aspace, NOWHERE, &physical), 0);
    EXPECT_EQUAL(hal_aspace_take_marks(&program.aspace, NOWHERE), 0);
    program_set(&program, 0, NOWHERE);
    program_expect_access(&program, NOWHERE, HAL_USER_READ);
    program_end(&program);
}

CONTRACT_TEST(no_tables_no_space)
{
    struct hal_aspace aspace;
    if (hal_user_refusal() != NULL)
        SKIP(hal_user_refusal());
    for (unsigned tables = 0; tables < 16; tables++) {
        contract_tables_limit(tables);
        int error = hal_aspace_init(&aspace);
        EXPECT(error == 0 || error == -ENOMEM);
        if (error == 0) {
            int mapped = hal_aspace_map(&aspace, NOWHERE, hal_mem_physical(contract_pages(1)), 1,
                                        HAL_USER_READ);
            EXPECT(mapped == 0 || mapped == -ENOMEM);
            EXPECT(tables >= 1 || mapped < 0);
            hal_aspace_finish(&aspace);
        }
        EXPECT_EQUAL(contract_tables(), 0);
    }
}

CONTRACT_TEST(what_is_mapped_is_seen)
{
    if (!PROGRAM(&program, load))
        return;
    for (size_t page = 0; page < DATA_PAGES; page++) {
        *word(&program, page) = 0x1122334455667788 + page;
        EXPECT(reads(&program, DATA_AT + page * HAL_PAGE_SIZE, 0x1122334455667788 + page));
    }
    program_end(&program);
}

CONTRACT_TEST(what_user_code_writes_is_seen)
{
    if (!PROGRAM(&program, store))
        return;
    for (size_t page = 0; page < DATA_PAGES; page++) {
        EXPECT(writes(&program, DATA_AT + page * HAL_PAGE_SIZE, 99 + page));
        EXPECT_EQUAL(*word(&program, page), 99 + page);
    }
    program_end(&program);
}

CONTRACT_TEST(query_tells_the_truth)
{
    uint64_t physical = 0;
    if (!PROGRAM(&program, load))
        return;
    for (unsigned access = 1; access < 16; access++) {
        unsigned wanted = access & 7 ? access : access | HAL_USER_READ;
        program_map(&program, NOWHERE, program.data, 2, wanted);
        unsigned got = hal_aspace_query(&program.aspace, NOWHERE + HAL_PAGE_SIZE, &physical);
        if (got == 0)
            continue;
        EXPECT_EQUAL(got, wanted & 7);
        EXPECT_EQUAL(physical, hal_mem_physical(program.data + HAL_PAGE_SIZE));
    }
    hal_aspace_unmap(&program.aspace, NOWHERE, 2);
    EXPECT_EQUAL(hal_aspace_query(&program.aspace, NOWHERE, &physical), 0);
    program_end(&program);
}

CONTRACT_TEST(mapping_replaces)
{
    if (!PROGRAM(&program, load))
        return;
    *word(&program, 0) = 10;
    *word(&program, 1) = 11;
    EXPECT(reads(&program, DATA_AT, 10));
    program_map(&program, DATA_AT, program.data + HAL_PAGE_SIZE, 1, DATA);
    EXPECT(reads(&program, DATA_AT, 11));
    EXPECT(reads(&program, DATA_AT + HAL_PAGE_SIZE, 11));
    EXPECT(writes(&program, DATA_AT, 12));
    EXPECT_EQUAL(*word(&program, 0), 10);
    EXPECT_EQUAL(*word(&program, 1), 12);
    program_end(&program);
}

CONTRACT_TEST(unmapping_takes_effect)
{
    if (!PROGRAM(&program, load))
        return;
    *word(&program, 1) = 5;
    EXPECT(reads(&program, DATA_AT + HAL_PAGE_SIZE, 5));
    hal_aspace_unmap(&program.aspace, DATA_AT + HAL_PAGE_SIZE, 1);
    LOAD(&program, load);
    program_set(&program, 0, DATA_AT + HAL_PAGE_SIZE);
    program_expect_access(&program, DATA_AT + HAL_PAGE_SIZE, HAL_USER_READ);
    /* Its neighbours stay, and what is not mapped may be unmapped. */
    EXPECT(reads(&program, DATA_AT, 0));
    EXPECT(reads(&program, DATA_AT + 2 * HAL_PAGE_SIZE, 0));
    hal_aspace_unmap(&program.aspace, NOWHERE, 700);
    program_end(&program);
}

CONTRACT_TEST(the_trapped_instruction_is_run_again)
{
    if (!PROGRAM(&program, store))
        return;
    program_set(&program, 0, NOWHERE + 8);
    program_set(&program, 1, 77);
    program_expect_access(&program, NOWHERE + 8, HAL_USER_WRITE);
    EXPECT_EQUAL(hal_user_pc(&program.user), CODE_AT);
    program_expect_access(&program, NOWHERE + 8, HAL_USER_WRITE);
    program_map(&program, NOWHERE, program.data, 1, DATA);
    EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
    EXPECT_EQUAL(word(&program, 0)[1], 77);
    program_end(&program);
}

CONTRACT_TEST(protection_takes_effect)
{
    if (!PROGRAM(&program, store))
        return;
    EXPECT(writes(&program, DATA_AT, 1));
    hal_aspace_protect(&program.aspace, DATA_AT, 2, HAL_USER_READ);
    LOAD(&program, store);
    program_set(&program, 0, DATA_AT);
    program_expect_access(&program, DATA_AT, HAL_USER_WRITE);
    EXPECT(reads(&program, DATA_AT, 1));
    EXPECT(writes(&program, DATA_AT + 2 * HAL_PAGE_SIZE, 1));
    hal_aspace_protect(&program.aspace, DATA_AT, 2, DATA);
    EXPECT(writes(&program, DATA_AT, 2));
    EXPECT_EQUAL(*word(&program, 0), 2);
    program_end(&program);
}

CONTRACT_TEST(protecting_maps_nothing)
{
    uint64_t physical;
    if (!PROGRAM(&program, load))
        return;
    hal_aspace_protect(&program.aspace, NOWHERE, 600, DATA);
    EXPECT_EQUAL(hal_aspace_query(&program.aspace, NOWHERE, &physical), 0);
    program_set(&program, 0, NOWHERE);
    program_expect_access(&program, NOWHERE, HAL_USER_READ);
    program_end(&program);
}

CONTRACT_TEST(writing_implies_reading)
{
    if (!PROGRAM(&program, load))
        return;
    program_map(&program, NOWHERE, program.data, 1, HAL_USER_WRITE);
    *word(&program, 0) = 3;
    EXPECT(reads(&program, NOWHERE, 3));
    EXPECT(writes(&program, NOWHERE, 4));
    program_end(&program);
}

CONTRACT_TEST(data_is_not_executed)
{
    if (!PROGRAM(&program, jump))
        return;
    memcpy(program.data, code_call, (size_t)(code_call_end - code_call));
    program_set(&program, 0, DATA_AT);
    program_expect_access(&program, DATA_AT, HAL_USER_EXECUTE);
    EXPECT_EQUAL(hal_user_pc(&program.user), DATA_AT);
    hal_aspace_protect(&program.aspace, DATA_AT, 1, HAL_USER_READ | HAL_USER_EXECUTE);
    EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
    hal_aspace_protect(&program.aspace, DATA_AT, 1, DATA);
    LOAD(&program, jump);
    program_set(&program, 0, DATA_AT);
    program_expect_access(&program, DATA_AT, HAL_USER_EXECUTE);
    program_end(&program);
}

CONTRACT_TEST(new_instructions_are_seen)
{
    if (!PROGRAM(&program, load))
        return;
    for (unsigned i = 0; i < 20; i++) {
        LOAD(&program, add);
        EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
        EXPECT_EQUAL(hal_user_call(&program.user), 7);
        LOAD(&program, load);
        program_set(&program, 0, DATA_AT);
        EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
        EXPECT_EQUAL(hal_user_call(&program.user), 1);
    }
    program_end(&program);
}

CONTRACT_TEST(the_ends_of_user_addresses_work)
{
    const uintptr_t ends[] = {HAL_USER_START, HAL_USER_END - HAL_PAGE_SIZE};
    if (!PROGRAM(&program, store))
        return;
    for (unsigned i = 0; i < 2; i++) {
        program_map(&program, ends[i], program.data, 1, DATA);
        EXPECT(writes(&program, ends[i] + HAL_PAGE_SIZE - 8, 0xfeed + i));
        EXPECT_EQUAL(word(&program, 0)[HAL_PAGE_SIZE / 8 - 1], 0xfeed + i);
        hal_aspace_unmap(&program.aspace, ends[i], 1);
        LOAD(&program, store);
        program_set(&program, 0, ends[i]);
        program_expect_access(&program, ends[i], HAL_USER_WRITE);
    }
    program_end(&program);
}

CONTRACT_TEST(spaces_are_apart)
{
    if (!PROGRAM(&program, load) || !PROGRAM(&second, load))
        return;
    for (uint64_t i = 1; i < 20; i++) {
        EXPECT(writes(&program, DATA_AT, i));
        EXPECT(writes(&second, DATA_AT, 1000 + i));
        EXPECT(reads(&program, DATA_AT, i));
        EXPECT(reads(&second, DATA_AT, 1000 + i));
    }
    program_map(&second, NOWHERE, second.data, 1, DATA);
    LOAD(&program, load);
    program_set(&program, 0, NOWHERE);
    program_expect_access(&program, NOWHERE, HAL_USER_READ);
    program_end(&program);
    EXPECT(reads(&second, DATA_AT, 1019));
    program_end(&second);
}

CONTRACT_TEST(the_end_gives_back_everything)
{
    const uintptr_t apart = HAL_USER_END / 17 & ~(uintptr_t)(HAL_PAGE_SIZE - 1);
    if (!PROGRAM(&program, load))
        return;
    for (uintptr_t at = HAL_USER_START; at < HAL_USER_END - HAL_PAGE_SIZE; at += apart)
        program_map(&program, at, program.data, 1, DATA);
    EXPECT(contract_tables() > 0);
    program_end(&program);
    EXPECT_EQUAL(contract_tables(), 0);
}

CONTRACT_TEST(a_run_may_cross_tables)
{
    enum { PAGES = 40 };
    const uintptr_t at = 0x20000000 - PAGES / 2 * HAL_PAGE_SIZE;
    if (!PROGRAM(&program, load))
        return;
    uint8_t *pages = contract_pages(PAGES);
    for (unsigned i = 0; i < PAGES; i++)
        *(uint64_t *)(pages + i * HAL_PAGE_SIZE) = 100 + i;
    program_map(&program, at, pages, PAGES, DATA);
    for (unsigned i = 0; i < PAGES; i++)
        EXPECT(reads(&program, at + i * HAL_PAGE_SIZE, 100 + i));
    hal_aspace_protect(&program.aspace, at, PAGES, HAL_USER_READ);
    for (unsigned i = 0; i < PAGES; i++)
        EXPECT(!writes(&program, at + i * HAL_PAGE_SIZE, 0));
    hal_aspace_unmap(&program.aspace, at, PAGES);
    for (unsigned i = 0; i < PAGES; i++)
        EXPECT(!reads(&program, at + i * HAL_PAGE_SIZE, 100 + i));
    program_end(&program);
}

/* ---- marks ---- */

enum { BOTH = HAL_MARK_REFERENCED | HAL_MARK_MODIFIED };

CONTRACT_TEST(marks_tell_what_was_done)
{
    if (!PROGRAM(&program, load))
        return;
    program_map(&program, NOWHERE, program.data, 2, DATA | HAL_USER_MARK);
    EXPECT_EQUAL(hal_aspace_take_marks(&program.aspace, NOWHERE), 0);
    for (unsigned i = 0; i < 3; i++) {
        EXPECT(reads(&program, NOWHERE, i ? 6 : 0));
        EXPECT_EQUAL(hal_aspace_take_marks(&program.aspace, NOWHERE), HAL_MARK_REFERENCED);
        EXPECT_EQUAL(hal_aspace_take_marks(&program.aspace, NOWHERE), 0);
        EXPECT(writes(&program, NOWHERE, 5));
        EXPECT_EQUAL(hal_aspace_take_marks(&program.aspace, NOWHERE), BOTH);
        EXPECT(reads(&program, NOWHERE, 5));
        EXPECT(writes(&program, NOWHERE, 6));
        EXPECT_EQUAL(hal_aspace_take_marks(&program.aspace, NOWHERE), BOTH);
    }
    EXPECT_EQUAL(hal_aspace_take_marks(&program.aspace, NOWHERE + HAL_PAGE_SIZE), 0);
    program_end(&program);
}

CONTRACT_TEST(marks_outlast_a_switch)
{
    if (!PROGRAM(&program, load) || !PROGRAM(&second, load))
        return;
    program_map(&program, NOWHERE, program.data, 2, DATA | HAL_USER_MARK);
    EXPECT(writes(&program, NOWHERE, 1));
    EXPECT(reads(&program, NOWHERE + HAL_PAGE_SIZE, 0));
    EXPECT(reads(&second, DATA_AT, 0));
    EXPECT_EQUAL(hal_aspace_take_marks(&program.aspace, NOWHERE), BOTH);
    EXPECT_EQUAL(hal_aspace_take_marks(&program.aspace, NOWHERE + HAL_PAGE_SIZE),
                 HAL_MARK_REFERENCED);
    program_map(&program, NOWHERE, program.data, 2, DATA | HAL_USER_MARK);
    EXPECT_EQUAL(hal_aspace_take_marks(&program.aspace, NOWHERE), 0);
    program_end(&program);
    program_end(&second);
}

CONTRACT_TEST(unmarked_pages_count_as_used)
{
    if (!PROGRAM(&program, load))
        return;
    program_map(&program, NOWHERE, program.data, 1, HAL_USER_READ);
    EXPECT_EQUAL(hal_aspace_take_marks(&program.aspace, NOWHERE), HAL_MARK_REFERENCED);
    program_map(&program, NOWHERE, program.data, 1, DATA);
    EXPECT_EQUAL(hal_aspace_take_marks(&program.aspace, NOWHERE), BOTH);
    EXPECT_EQUAL(hal_aspace_take_marks(&program.aspace, NOWHERE), BOTH);
    program_end(&program);
}

/* ---- everything at random ---- */

enum { PAGES = 48, FRAMES = 24, STEPS = 3000 };

static struct {
    uint8_t *frames;
    unsigned frame[2][PAGES], access[2][PAGES];
    uint64_t random;
} model KSTATE;

static unsigned chance(unsigned n)
{
    return (unsigned)(program_random(&model.random) >> 20) % n;
}

static void change(struct program *of, unsigned which)
{
    unsigned page = chance(PAGES), n = 1 + chance(8), kind = chance(4), frame = chance(FRAMES);
    unsigned access = 1 + chance(3);
    n = n < PAGES - page ? n : PAGES - page;
    n = n < FRAMES - frame ? n : FRAMES - frame;
    uintptr_t at = NOWHERE + page * HAL_PAGE_SIZE;
    if (kind < 2)
        program_map(of, at, model.frames + frame * HAL_PAGE_SIZE, n,
                    access | (kind ? HAL_USER_MARK : 0));
    else if (kind == 2)
        hal_aspace_unmap(&of->aspace, at, n);
    else
        hal_aspace_protect(&of->aspace, at, n, access);
    for (unsigned i = page; i < page + n; i++) {
        if (kind < 2)
            model.frame[which][i] = frame + i - page;
        if (kind < 2 || (kind == 3 && model.access[which][i] != 0))
            model.access[which][i] = access;
        if (kind == 2)
            model.access[which][i] = 0;
    }
}

static void use(struct program *of, unsigned which)
{
    unsigned page = chance(PAGES), allowed = model.access[which][page];
    bool write = chance(2);
    uintptr_t at = NOWHERE + page * HAL_PAGE_SIZE;
    uint64_t *there = (uint64_t *)(model.frames + model.frame[which][page] * HAL_PAGE_SIZE),
             before = *there;
    bool may = write ? allowed & HAL_USER_WRITE : allowed != 0;
    bool did = write ? writes(of, at, model.random) : reads(of, at, before);
    if (may && !did) { /* forgotten? */
        program_map(of, at, there, 1, allowed);
        did = write ? writes(of, at, model.random) : reads(of, at, before);
    }
    EXPECT_EQUAL(did, may);
    EXPECT_EQUAL(*there, write && may ? model.random : before);
}

CONTRACT_TEST(anything_in_any_order)
{
    if (!PROGRAM(&program, load) || !PROGRAM(&second, load))
        return;
    memset(&model, 0, sizeof(model));
    model.random = 4;
    model.frames = contract_pages(FRAMES);
    for (unsigned i = 0; i < FRAMES; i++)
        *(uint64_t *)(model.frames + i * HAL_PAGE_SIZE) = i;
    for (unsigned i = 0; i < STEPS && !contract_failed(); i++) {
        unsigned which = chance(8) == 0;
        if (chance(3) == 0)
            change(which ? &second : &program, which);
        else
            use(which ? &second : &program, which);
    }
    program_end(&program);
    program_end(&second);
    EXPECT_EQUAL(contract_tables(), 0);
}

const struct contract_test aspace_tests[] = {
    {"a new space maps nothing", a_new_space_is_empty},
    {"without tables there is -ENOMEM, and nothing is lost", no_tables_no_space},
    {"user code reads what the kernel has written to a mapped frame", what_is_mapped_is_seen},
    {"the kernel reads what user code has written", what_user_code_writes_is_seen},
    {"hal_aspace_query says what a page is mapped for and to, or 0", query_tells_the_truth},
    {"hal_aspace_map replaces what was mapped", mapping_replaces},
    {"hal_aspace_unmap takes effect before it returns", unmapping_takes_effect},
    {"a trap for an access loses nothing: mapped, the instruction is run again",
     the_trapped_instruction_is_run_again},
    {"hal_aspace_protect takes effect before it returns", protection_takes_effect},
    {"hal_aspace_protect maps nothing that is not mapped", protecting_maps_nothing},
    {"a page that may be written may be read", writing_implies_reading},
    {"a page without HAL_USER_EXECUTE is not executed", data_is_not_executed},
    {"instructions that the kernel has just written are seen", new_instructions_are_seen},
    {"the first and the last user address work", the_ends_of_user_addresses_work},
    {"two spaces have nothing in common", spaces_are_apart},
    {"hal_aspace_finish gives back all tables", the_end_gives_back_everything},
    {"a run of pages may be of any length, anywhere", a_run_may_cross_tables},
    {"marks say what user code has done since the last call", marks_tell_what_was_done},
    {"marks are kept when another space is live, and cleared by mapping", marks_outlast_a_switch},
    {"a page without HAL_USER_MARK counts as used", unmarked_pages_count_as_used},
    {"maps, unmaps, protections and accesses in any order agree with a model",
     anything_in_any_order},
    {NULL, NULL},
};
