/* SPDX-License-Identifier: MIT */
/*
 * user_program.c: making and running the small programs of user_program.h.
 */
#include "user_program.h"

void program_map(struct program *program, uintptr_t at, const void *page, size_t pages,
                 unsigned access)
{
    EXPECT_EQUAL(hal_aspace_map(&program->aspace, at, hal_mem_physical(page), pages, access), 0);
}

bool program_make(struct program *program, const uint8_t *code, const uint8_t *end)
{
    memset(program, 0, sizeof(*program));
    if (hal_user_refusal() != NULL) {
        contract_skip(hal_user_refusal());
        return false;
    }
    int error = hal_aspace_init(&program->aspace);
    EXPECT_EQUAL(error, 0);
    if (error < 0)
        return false;
    program->code = contract_pages(1);
    program->data = contract_pages(DATA_PAGES);
    program->stack = contract_pages(1);
    memset(program->data, 0, DATA_PAGES * HAL_PAGE_SIZE);
    program_load(program, code, end);
    program_map(program, DATA_AT, program->data, DATA_PAGES, HAL_USER_READ | HAL_USER_WRITE);
    program_map(program, STACK_AT - HAL_PAGE_SIZE, program->stack, 1,
                HAL_USER_READ | HAL_USER_WRITE);
    return !contract_failed();
}

void program_load(struct program *program, const uint8_t *code, const uint8_t *end)
{
    memcpy(program->code, code, (size_t)(end - code));
    /* Anew each time: what the kernel has written before that is seen as instructions. */
    program_map(program, CODE_AT, program->code, 1,
                HAL_USER_READ | HAL_USER_EXECUTE | HAL_USER_STEADY);
    hal_user_init(&program->user, CODE_AT, STACK_AT - 64);
}

void program_set(struct program *program, unsigned i, uint64_t value)
{
    hal_user_read_registers(&program->user, program->registers);
    program->registers[code_arguments[i]] = value;
    hal_user_write_registers(&program->user, program->registers);
}

uint64_t program_get(const struct program *program, unsigned i)
{
    return hal_user_argument(&program->user, i);
}

enum hal_user_trap program_run_once(struct program *program)
{
    hal_irq_unmask();
    hal_user_run(&program->aspace, &program->user, &program->event);
    EXPECT(!hal_irq_masked());
    contract_mask();
    return program->event.trap;
}

enum hal_user_trap program_run(struct program *program)
{
    while (program_run_once(program) == HAL_USER_INTERRUPT)
        program->interrupts++;
    return program->event.trap;
}

void program_expect_access(struct program *program, uintptr_t address, unsigned access)
{
    EXPECT_EQUAL(program_run(program), HAL_USER_ACCESS);
    if (program->event.address == UINTPTR_MAX)
        EXPECT(address >= HAL_USER_END); /* the processor need not say */
    else
        EXPECT_EQUAL(program->event.address, address);
    if (program->event.address != UINTPTR_MAX)
        EXPECT_EQUAL(program->event.access, access);
}

void program_end(struct program *program)
{
    hal_aspace_finish(&program->aspace);
}
