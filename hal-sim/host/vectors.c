/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

/*
 * vectors.c: images of the floating-point and vector registers, as the host's signal frames hold
 * them: XSAVE's standard form. Linux on x86-64.
 *
 * Such an image says in its header which components are in use, and a processor is free to say so
 * of one that holds nothing but what it began with: whether it does depends, among other things, on
 * whether the host has just switched threads. What it says lies in RAM, in the state of programs
 * and on stacks; runs would differ. So images are settled before anyone sees them: a component is
 * in use if and only if it is not as it began, and if it is not in use its bytes say so, too.
 *
 * Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, chapter 13.
 */
#include "host/vectors.h"

#include "host/user.h"

#include <hal/user.h>

#include <cpuid.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    CONTROL = 0, /* of the old floating-point unit; other things of it up to MXCSR */
    MXCSR = 24,
    MXCSR_MASK = 28,
    STACK = 32,
    XMM = 160,
    UNUSED = 416,
    SW_WORDS = 464, /* magic, bytes in all, features, bytes of the state */
    LEGACY = 512,   /* the header: what is in use */
    HEADER_BYTES = 64
};

enum { X87 = 1, SSE = 2, LEGACY_COMPONENTS = 2, COMPONENTS = 63 };

#define FIRST_CONTROL UINT64_C(0x37f)
#define FIRST_MXCSR 0x1f80u

static struct {
    uint8_t words[48]; /* what the host's kernel says of its images: at SW_WORDS in them */
    uint32_t mxcsr_mask;
    bool captured;
    struct {
        uint64_t bit;
        uint32_t at, bytes;
    } parts[COMPONENTS]; /* but the first two */
    unsigned part_count;
} vectors;

static HANDLER void clear_bytes(void *at, size_t n)
{
    __asm__ volatile("rep stosb" : "+D"(at), "+c"(n) : "a"(0) : "memory");
}

typedef uint64_t word __attribute__((may_alias));
typedef uint64_t pair __attribute__((vector_size(16), may_alias));

/* Aligned to 16; of whole words. */
static inline HANDLER bool is_zero(const uint8_t *at, size_t n)
{
    pair rest = {0, 0};
    for (; n >= 64; at += 64, n -= 64) {
        const pair *four = (const void *)at;
        rest |= four[0] | four[1] | four[2] | four[3];
        if (rest[0] | rest[1])
            return false;
    }
    for (; n >= 8; at += 8, n -= 8)
        rest[0] |= *(const word *)(const void *)at;
    return !rest[0];
}

static inline HANDLER uint32_t *mxcsr_of(uint8_t *image)
{
    return (uint32_t *)(void *)(image + MXCSR);
}

static inline HANDLER bool is_first_x87(uint8_t *image)
{
    return *(const word *)(void *)(image + CONTROL) == FIRST_CONTROL &&
           is_zero(image + CONTROL + 16, 8) && is_zero(image + CONTROL + 8, 8) &&
           is_zero(image + STACK, XMM - STACK);
}

static inline HANDLER void make_first_x87(uint8_t *image)
{
    *(word *)(void *)(image + CONTROL) = FIRST_CONTROL;
    clear_bytes(image + CONTROL + 8, MXCSR - CONTROL - 8);
    clear_bytes(image + STACK, XMM - STACK);
}

HANDLER void host_vectors_settle(uint8_t *image, uint64_t before)
{
    uint64_t *header = (uint64_t *)(void *)(image + LEGACY);
    uint64_t used = *header;
    const uint64_t stale = before & ~used;

    if (stale & X87)
        make_first_x87(image);
    else if ((used & X87) && is_first_x87(image))
        used &= ~(uint64_t)X87;
    if (stale & SSE)
        clear_bytes(image + XMM, UNUSED - XMM);
    if (*mxcsr_of(image) != FIRST_MXCSR)
        used |= SSE;
    else if ((used & SSE) && is_zero(image + XMM, UNUSED - XMM))
        used &= ~(uint64_t)SSE;
    for (unsigned i = 0; i < vectors.part_count; i++) {
        const uint64_t bit = vectors.parts[i].bit;
        uint8_t *part = image + vectors.parts[i].at;
        if (stale & bit)
            clear_bytes(part, vectors.parts[i].bytes);
        else if ((used & bit) && is_zero(part, vectors.parts[i].bytes))
            used &= ~bit;
    }
    *header = used;
}

HANDLER uint64_t host_vectors_used(const uint8_t *image)
{
    return *(const uint64_t *)(const void *)(image + LEGACY);
}

static uint64_t word_at(const uint8_t *image, size_t at)
{
    uint64_t value;
    memcpy(&value, image + at, sizeof value);
    return value;
}

static uint32_t half_at(const uint8_t *image, size_t at)
{
    uint32_t value;
    memcpy(&value, image + at, sizeof value);
    return value;
}

HANDLER size_t host_vectors_image_bytes(const void *image)
{
    uint32_t words[2];
    copy_bytes(words, (const uint8_t *)image + SW_WORDS, sizeof words);
    return words[0] == FP_XSTATE_MAGIC1 ? words[1] : LEGACY;
}

size_t host_vectors_bytes(void)
{
    return half_at(vectors.words, 4);
}

uint64_t host_vectors_features(void)
{
    return word_at(vectors.words, 8);
}

void host_vectors_init(uint8_t *image)
{
    const uint64_t control = FIRST_CONTROL;
    const uint32_t mxcsr = FIRST_MXCSR, magic = FP_XSTATE_MAGIC2;
    memset(image, 0, host_vectors_bytes());
    memcpy(image + CONTROL, &control, sizeof control);
    memcpy(image + MXCSR, &mxcsr, sizeof mxcsr);
    memcpy(image + MXCSR_MASK, &vectors.mxcsr_mask, sizeof vectors.mxcsr_mask);
    memcpy(image + SW_WORDS, vectors.words, sizeof vectors.words);
    memcpy(image + half_at(vectors.words, 16), &magic, sizeof magic);
}

bool host_vectors_are_valid(const uint8_t *image, size_t bytes)
{
    const uint32_t magic = FP_XSTATE_MAGIC2;
    uint32_t size = half_at(vectors.words, 16);
    uint64_t rest = 0;
    if (bytes != host_vectors_bytes() || (half_at(image, MXCSR) & ~vectors.mxcsr_mask) ||
        memcmp(image + SW_WORDS, vectors.words, 20) || memcmp(image + size, &magic, sizeof magic))
        return false;
    for (size_t at = LEGACY + 8; at < LEGACY + HEADER_BYTES; at += 8)
        rest |= word_at(image, at);
    return !rest && !(word_at(image, LEGACY) & ~host_vectors_features());
}

/* ---- opening ---- */

/* Of any signal: what images here are like. */
static HANDLER void capture(int signal, siginfo_t *info, void *argument)
{
    const uint8_t *image = (const void *)((ucontext_t *)argument)->uc_mcontext.fpregs;
    (void)signal;
    (void)info;
    copy_bytes(vectors.words, image + SW_WORDS, sizeof vectors.words);
    copy_bytes(&vectors.mxcsr_mask, image + MXCSR_MASK, sizeof vectors.mxcsr_mask);
    vectors.captured = true;
}

/* Where the processor has its components; word for word, as they are looked at. */
static bool find_parts(void)
{
    for (unsigned i = LEGACY_COMPONENTS; i < COMPONENTS; i++) {
        unsigned bytes, at, flags, reserved;
        if (!(host_vectors_features() >> i & 1))
            continue;
        __cpuid_count(0xd, i, bytes, at, flags, reserved);
        if (bytes % 8 || at % 16 || at + bytes > half_at(vectors.words, 16))
            return false;
        vectors.parts[vectors.part_count].bit = UINT64_C(1) << i;
        vectors.parts[vectors.part_count].at = at;
        vectors.parts[vectors.part_count++].bytes = bytes;
    }
    return true;
}

bool host_vectors_open(void)
{
    struct kernel_sigaction before;
    uint64_t bit = 1ull << (HOST_SIGNAL - 1), mask;
    memset(&vectors, 0, sizeof vectors);
    if (trap_install(HOST_SIGNAL, capture, 0, &before))
        return false;
    (void)syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &bit, &mask, sizeof bit);
    (void)syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), HOST_SIGNAL);
    (void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof mask);
    (void)syscall(SYS_rt_sigaction, HOST_SIGNAL, &before, NULL, 8);
    return vectors.captured && half_at(vectors.words, 0) == FP_XSTATE_MAGIC1 &&
           host_vectors_bytes() <= HAL_USER_VECTORS && find_parts();
}
