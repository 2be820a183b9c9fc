/* SPDX-License-Identifier: MIT */
/*
 * The frames of signals' handlers, each processor's own, with user memory that is an array.
 *
 * Criteria:
 *  1. What is put on the stack and taken back is what there was: registers, vectors, mask, stack
 *     for handlers. Nothing is written above the stack pointer, nor in the red zone.
 *  2. Where there is no room, nothing changes but memory.
 *  3. A frame of any content is taken back, with what a program may have, or refused, and then
 *     nothing has changed.
 * TAYBERRY_RUNS sets how many frames are tried.
 */
#include "abi/frame.h"
#include "proc/signal/signals.h"
#include "vm/copy.h"

#include "../../marks.h"

#include <hal/errno.h>
#include <hal/machine.h>
#include <hal/user.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BASE 0x40000u
#define BYTES 0x10000u
#define VECTORS FRAMES_VECTORS
#define RUNS 20000u

static uint8_t memory[BYTES];
static uintptr_t written_from, written_to; /* what has been written lies in between */
static uint64_t registers[HAL_USER_REGISTERS];
static uint8_t vectors[VECTORS];
static struct user_thread thread;
static struct process process;
static uint64_t seed = 1;

static uint64_t draw(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return seed >> 16 ^ seed << 32;
}

/* ---- what the frames ask for ---- */

static bool is_mapped(uintptr_t at, size_t n)
{
    return at >= BASE && at - BASE <= BYTES && n <= BYTES - (at - BASE);
}

int vm_copy_in(struct vm_space *space, void *to, uintptr_t from, size_t n)
{
    (void)space;
    if (!is_mapped(from, n))
        return -EFAULT;
    memcpy(to, memory + (from - BASE), n);
    return 0;
}

int vm_copy_out(struct vm_space *space, uintptr_t to, const void *from, size_t n)
{
    (void)space;
    if (!is_mapped(to, n))
        return -EFAULT;
    memcpy(memory + (to - BASE), from, n);
    if (to < written_from)
        written_from = to;
    if (to + n > written_to)
        written_to = to + n;
    return 0;
}

uintptr_t hal_user_sp(const struct hal_user *user)
{
    (void)user;
    return (uintptr_t)registers[FRAMES_SP];
}

uintptr_t hal_user_pc(const struct hal_user *user)
{
    (void)user;
    return (uintptr_t)registers[FRAMES_SP + 1];
}

void hal_user_read_registers(const struct hal_user *user, uint64_t to[HAL_USER_REGISTERS])
{
    (void)user;
    memcpy(to, registers, sizeof(registers));
}

void hal_user_write_registers(struct hal_user *user, const uint64_t from[HAL_USER_REGISTERS])
{
    (void)user;
    memcpy(registers, from, sizeof(registers));
}

size_t hal_user_vector_bytes(const struct hal_user *user)
{
    (void)user;
    return VECTORS;
}

void hal_user_read_vectors(const struct hal_user *user, void *image)
{
    (void)user;
    memcpy(image, vectors, VECTORS);
}

/* As both machines, it takes what has the words that it has given out. */
int hal_user_write_vectors(struct hal_user *user, const void *image, size_t bytes)
{
    const uint8_t *from = image;

    (void)user;
    if (bytes != VECTORS || memcmp(from + FRAMES_MAGIC, vectors + FRAMES_MAGIC, 8) != 0)
        return -EINVAL;
    memcpy(vectors, from, bytes);
    return 0;
}

bool signal_on_stack(const struct signal_stack *stack, uintptr_t sp)
{
    return !(stack->flags & SIGNAL_STACK_DISARMS) && sp > stack->start &&
           sp - stack->start <= stack->bytes;
}

uint32_t signal_stack_state(const struct signal_stack *stack, uintptr_t sp)
{
    return stack->bytes == 0 ? SIGNAL_STACK_OFF : signal_on_stack(stack, sp);
}

int signal_set_stack(struct user_thread *self, const struct signal_stack *stack, uintptr_t sp)
{
    (void)sp;
    self->signals.stack = *stack;
    return 0;
}

/* ---- cases ---- */

static const struct signal_info info = {.code = SIGNAL_BY_USER, .pid = 7, .uid = 8};

/* A program somewhere in the middle of something. */
static void begin(uintptr_t sp)
{
    const uint32_t magic[2] = {FRAMES_MAGIC_WORD, FRAMES_SIZE_WORD};

    thread.process = &process;
    thread.signals.stack = (struct signal_stack){.flags = SIGNAL_STACK_OFF};
    for (unsigned i = 0; i < HAL_USER_REGISTERS; i++)
        registers[i] = draw();
    registers[FRAMES_SP] = sp;
    registers[FRAMES_SP + 2] &= FRAMES_FLAGS;
    for (size_t i = 0; i < VECTORS; i++)
        vectors[i] = (uint8_t)draw();
    memcpy(vectors + FRAMES_MAGIC, magic, sizeof(magic));
    FRAMES_FINISH(vectors);
    for (size_t i = 0; i < BYTES; i++)
        memory[i] = (uint8_t)i;
    written_from = UINTPTR_MAX;
    written_to = 0;
}

static struct signal_action action_of(uint64_t flags)
{
    return (struct signal_action){
        .handler = 0x1234560, .flags = flags | SIGNAL_HAS_RESTORER, .restorer = 0x7654320};
}

/* Returns from the handler: on x86-64 that takes the address to return to off the stack. */
static int return_from_handler(uint64_t *mask)
{
    registers[FRAMES_SP] += FRAMES_POPPED;
    return abi_frame_pop(&thread, mask);
}

START_TEST(what_is_put_there_is_taken_back)
{
    for (unsigned i = 0; i < 2000; i++) {
        struct signal_action action = action_of(i % 2 ? SIGNAL_WITH_INFO : 0);
        uintptr_t sp = BASE + BYTES / 2 + draw() % 4096 / FRAMES_STEP * FRAMES_STEP;
        uint64_t before[HAL_USER_REGISTERS], mask = draw(), after = 0;
        uint8_t vectors_before[VECTORS];

        begin(sp);
        memcpy(before, registers, sizeof(before));
        memcpy(vectors_before, vectors, sizeof(vectors));
        ck_assert_int_eq(abi_frame_push(&thread, 12, &info, &action, mask), 0);
        ck_assert(registers[FRAMES_SP + 1] == action.handler && registers[FRAMES_FIRST] == 12);
        ck_assert(registers[FRAMES_SP] % 16 == FRAMES_POPPED && registers[FRAMES_SP] < sp);
        ck_assert(written_to <= sp - FRAMES_RED_ZONE && written_from >= registers[FRAMES_SP]);
        memset(vectors, 0, FRAMES_MAGIC);
        ck_assert_int_eq(return_from_handler(&after), 0);
        ck_assert(memcmp(before, registers, sizeof(before)) == 0 && mask == after);
        ck_assert(memcmp(vectors_before, vectors, sizeof(vectors)) == 0);
        ck_assert_int_eq(thread.signals.stack.flags, SIGNAL_STACK_OFF);
    }
}
END_TEST

START_TEST(without_room_nothing_changes)
{
    const uintptr_t step = FRAMES_STEP;
    const struct signal_action plain = action_of(0);
    unsigned fits = 0, refused = 0;

    for (uintptr_t sp = BASE - 64; sp < BASE + 8192; sp += step) {
        struct signal_action action = action_of(SIGNAL_WITH_INFO);
        uint64_t before[HAL_USER_REGISTERS];

        begin(sp);
        memcpy(before, registers, sizeof(before));
        if (abi_frame_push(&thread, 1, &info, &action, 0) == 0) {
            fits++;
            continue;
        }
        refused++;
        ck_assert(memcmp(before, registers, sizeof(before)) == 0);
    }
    ck_assert(fits > 0 && refused > 0);
    begin(8);
    ck_assert_int_eq(abi_frame_push(&thread, 1, &info, &plain, 0), -EFAULT);
}
END_TEST

/* Changes some bytes of what lies there, or all. */
static void spoil(unsigned run)
{
    size_t start = registers[FRAMES_SP] - BASE, bytes = written_to - registers[FRAMES_SP];

    for (unsigned i = 0; i < run % 16; i++)
        memory[start + draw() % bytes] = (uint8_t)draw();
    if (run % 16 == 0) {
        for (size_t i = 0; i < bytes; i++)
            memory[start + i] = (uint8_t)draw();
    }
    if (run % 64 == 1)
        registers[FRAMES_SP] = draw();
    if (run % 64 == 2)
        registers[FRAMES_SP] = BASE + BYTES - draw() % 512;
}

START_TEST(frames_of_any_content_do_no_harm)
{
    const char *wanted = getenv("TAYBERRY_RUNS");
    unsigned runs = wanted ? (unsigned)strtoul(wanted, NULL, 10) : RUNS, taken = 0;

    for (unsigned run = 0; run < runs; run++) {
        struct signal_action action = action_of(SIGNAL_WITH_INFO);
        uint64_t before[HAL_USER_REGISTERS], mask;
        struct signal_stack stack;

        begin(BASE + BYTES / 2);
        ck_assert_int_eq(abi_frame_push(&thread, 12, &info, &action, draw()), 0);
        spoil(run);
        stack = thread.signals.stack;
        registers[FRAMES_SP] += FRAMES_POPPED;
        memcpy(before, registers, sizeof(before));
        if (abi_frame_pop(&thread, &mask) == 0) {
            taken++;
            ck_assert(FRAMES_LOOSE || (registers[FRAMES_SP + 2] & ~(uint64_t)FRAMES_FLAGS) == 0);
            continue;
        }
        ck_assert(memcmp(before, registers, sizeof(before)) == 0);
        ck_assert(memcmp(&stack, &thread.signals.stack, sizeof(stack)) == 0);
    }
    printf("# %u frames, %u taken\n", runs, taken);
    ck_assert(taken > 0 && taken < runs);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("frames");
    TCase *all = tcase_create("frames");
    SRunner *runner;
    int failed;

    tcase_set_timeout(all, 60);
    tcase_add_test(all, what_is_put_there_is_taken_back);
    tcase_add_test(all, without_room_nothing_changes);
    tcase_add_test(all, frames_of_any_content_do_no_harm);
    suite_add_tcase(suite, all);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
