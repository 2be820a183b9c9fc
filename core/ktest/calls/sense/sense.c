/* SPDX-License-Identifier: MIT */
/*
 * sense.c: which calls have makers; and the makers that are about files, memory and processes.
 */
#include "ktest/calls/sense/sense.h"

#include "proc/process.h"
#include "vm/copy.h"

#include <hal/runtime.h>

uint64_t sense_put(struct calls_chance *chance, const void *bytes, size_t n)
{
    uintptr_t at = CALLS_PAGE(0);

    switch (calls_below(chance, 16)) {
    case 0:
        return calls_pointer(chance);
    case 1: /* up to the last byte of what may be written */
        at = CALLS_PAGE(21) - n;
        break;
    case 2: /* half of it is where there is nothing */
        at = CALLS_PAGE(CALLS_AREA_PAGES) - n / 2;
        break;
    case 3: /* shared with forks */
        at = CALLS_PAGE(33) - n / 2;
        break;
    default:
        at += calls_below(chance, (CALLS_AREA_PAGES - 1) * HAL_PAGE_SIZE / 8) * 8;
        break;
    }
    (void)!vm_copy_out(process_current()->space, at, bytes, n);
    return at;
}

uint64_t sense_descriptor(struct calls_chance *chance, unsigned usual)
{
    return calls_below(chance, 6) ? usual : calls_below(chance, CALLS_GIVEN + 4);
}

void sense_times(struct calls_chance *chance, uint64_t words[4], uint64_t unit)
{
    memset(words, 0, 4 * sizeof(words[0]));
    words[1] = calls_below(chance, 3) ? 0 : calls_below(chance, 100000) / unit;
    words[3] = calls_below(chance, 5) ? 1 + calls_below(chance, 500000) / unit : 0;
    if (calls_below(chance, 30) == 0)
        words[calls_below(chance, 4)] = calls_bits(chance) >> calls_below(chance, 64);
}

/* ---- files ---- */

/* fcntl's locks of a part of a file, of each kind. */
static void make_lock(struct calls_chance *chance, uint32_t pid, struct sys_args *args)
{
    static const uint8_t requests[] = {5, 6, 7, 36, 37, 38};
    static const int64_t lengths[] = {0, 1, 10, 4096, -5, INT64_MAX};
    struct {
        int16_t type, whence;
        int64_t start, length;
        int32_t pid;
    } lock = {0};

    (void)pid;
    lock.type = (int16_t)calls_below(chance, 3);
    lock.whence = (int16_t)calls_below(chance, 3);
    lock.start = calls_below(chance, 20);
    lock.length = SENSE_PICK(chance, lengths);
    args->value[0] = sense_descriptor(chance, CALLS_FILE + calls_below(chance, 2));
    args->value[1] = SENSE_PICK(chance, requests);
    args->value[2] = sense_put(chance, &lock, sizeof(lock));
}

static void make_sendfile(struct calls_chance *chance, uint32_t pid, struct sys_args *args)
{
    uint64_t offset = calls_below(chance, 60);

    (void)pid;
    args->value[0] = sense_descriptor(chance, calls_below(chance, 2) ? CALLS_PIPE + 1 : CALLS_FILE);
    args->value[1] = sense_descriptor(chance, CALLS_FILE + calls_below(chance, 2));
    args->value[2] = calls_below(chance, 2) ? 0 : sense_put(chance, &offset, sizeof(offset));
    args->value[3] = calls_below(chance, 9000);
}

static void make_execve(struct calls_chance *chance, uint32_t pid, struct sys_args *args)
{
    static const char *const names[] = {"prog", "prog", "script", "/proc/self/exe"};
    uint64_t words[4] = {calls_path(chance), calls_path(chance), calls_path(chance), 0};

    (void)pid;
    args->value[0] = calls_text(SENSE_PICK(chance, names));
    args->value[1] = sense_put(chance, words, sizeof(words));
    args->value[2] = calls_below(chance, 2) ? sense_put(chance, words, sizeof(words)) : 0;
}

/* ---- memory ---- */

static void make_mmap(struct calls_chance *chance, uint32_t pid, struct sys_args *args)
{
    static const uint8_t ways[] = {0x01, 0x02, 0x11, 0x12, 0x21, 0x22, 0x31, 0x32};
    static const uint8_t files[] = {CALLS_FILE, CALLS_FILE + 1, CALLS_DISK};

    (void)pid;
    args->value[0] = calls_below(chance, 2) ? CALLS_PAGE(calls_below(chance, 100)) : 0;
    args->value[1] = (1 + calls_below(chance, 6)) * HAL_PAGE_SIZE - calls_below(chance, 2);
    args->value[2] = calls_below(chance, 8);
    args->value[3] = SENSE_PICK(chance, ways);
    args->value[4] = sense_descriptor(chance, SENSE_PICK(chance, files));
    args->value[5] = calls_below(chance, 3) * HAL_PAGE_SIZE;
}

/* Pages that are there, of the area and behind it: 0 .. 2 of them. */
static uint64_t choose_pages(struct calls_chance *chance)
{
    static const uint8_t pages[] = {2, 4, 6, 16, 20, 32, 40, 64};

    return CALLS_PAGE(SENSE_PICK(chance, pages));
}

static void make_mprotect(struct calls_chance *chance, uint32_t pid, struct sys_args *args)
{
    (void)pid;
    args->value[0] = choose_pages(chance);
    args->value[1] = calls_below(chance, 3) * HAL_PAGE_SIZE;
    args->value[2] = calls_below(chance, 3) ? 3 : calls_below(chance, 8);
}

static void make_msync(struct calls_chance *chance, uint32_t pid, struct sys_args *args)
{
    static const uint8_t ways[] = {1, 2, 4, 0, 6};

    make_mprotect(chance, pid, args);
    args->value[2] = SENSE_PICK(chance, ways);
}

static void make_mremap(struct calls_chance *chance, uint32_t pid, struct sys_args *args)
{
    make_mprotect(chance, pid, args);
    args->value[2] = (1 + calls_below(chance, 4)) * HAL_PAGE_SIZE;
    args->value[3] = calls_below(chance, 4);
    args->value[4] = CALLS_PAGE(80 + calls_below(chance, 20));
}

/* ---- processes ---- */

static void make_wait(struct calls_chance *chance, uint32_t pid, struct sys_args *args)
{
    uint8_t usage[144] = {0};

    args->value[0] = calls_below(chance, 3) ? (uint64_t)-1 : pid + calls_below(chance, 4);
    args->value[1] = calls_below(chance, 2) ? 0 : sense_put(chance, usage, 4);
    args->value[2] = calls_below(chance, 3) ? 1 : calls_below(chance, 16);
    args->value[3] = calls_below(chance, 2) ? 0 : sense_put(chance, usage, sizeof(usage));
}

static void make_waitid(struct calls_chance *chance, uint32_t pid, struct sys_args *args)
{
    uint8_t info[144] = {0};

    args->value[0] = calls_below(chance, 4);
    args->value[1] = pid + calls_below(chance, 4);
    args->value[2] = calls_below(chance, 3) ? sense_put(chance, info, 128) : 0;
    args->value[3] = 4 | (calls_below(chance, 3) ? 1 : calls_below(chance, 16));
    if (calls_below(chance, 8) == 0)
        args->value[3] |= 1u << 24;
    args->value[4] = calls_below(chance, 2) ? 0 : sense_put(chance, info, sizeof(info));
}

/* Linux's struct clone_args. */
static void make_clone3(struct calls_chance *chance, uint32_t pid, struct sys_args *args)
{
    static const uint64_t ways[] = {0, 0x100 | 0x4000, 0x50f00, 0x10f00, 0x400, 0x200};
    static const uint64_t marks[] = {0, 0x80000, 0x100000, 0x200000, 0x1000000};
    uint64_t words[11] = {SENSE_PICK(chance, ways) | SENSE_PICK(chance, marks)};

    (void)pid;
    words[2] = calls_pointer(chance);
    words[3] = calls_pointer(chance);
    words[4] = words[0] & 0x10000 ? 0 : calls_below(chance, 2) ? 17 : calls_below(chance, 66);
    if (words[0] & 0x100) {
        words[5] = CALLS_STACK - 2 * HAL_PAGE_SIZE;
        words[6] = HAL_PAGE_SIZE;
    }
    words[7] = calls_pointer(chance);
    args->value[0] = sense_put(chance, words, sizeof(words));
    args->value[1] = calls_below(chance, 3) ? sizeof(words) : 64;
}

/* ---- all of them ---- */

static const struct {
    uint16_t number;
    sense_maker *make;
} makers[] = {
    /* What has most behind it is there more often. */
    {SYS_IOCTL, sense_ioctl},
    {SYS_IOCTL, sense_ioctl},
    {SYS_IOCTL, sense_ioctl},
    {SYS_EPOLL_CTL, sense_epoll_ctl},
    {SYS_EPOLL_CTL, sense_epoll_ctl},
    {SYS_EPOLL_PWAIT, sense_epoll_pwait},
    {SYS_TIMERFD_SETTIME, sense_timerfd_settime},
    {SYS_TIMERFD_GETTIME, sense_timerfd_gettime},
    {SYS_TIMER_CREATE, sense_timer_create},
    {SYS_TIMER_SETTIME, sense_timer_settime},
    {SYS_SETITIMER, sense_setitimer},
    {SYS_POLL, sense_poll},
    {SYS_SELECT, sense_select},
    {SYS_FUTEX, sense_futex},
    {SYS_FUTEX, sense_futex},
    {SYS_RT_SIGACTION, sense_rt_sigaction},
    {SYS_RT_SIGQUEUEINFO, sense_rt_sigqueueinfo},
    {SYS_RT_SIGTIMEDWAIT, sense_rt_sigtimedwait},
    {SYS_FCNTL, make_lock},
    {SYS_SENDFILE, make_sendfile},
    {SYS_EXECVE, make_execve},
    {SYS_MMAP, make_mmap},
    {SYS_MPROTECT, make_mprotect},
    {SYS_MSYNC, make_msync},
    {SYS_MREMAP, make_mremap},
    {SYS_CLONE3, make_clone3},
    {SYS_WAIT4, make_wait},
    {SYS_WAITID, make_waitid},
    {SYS_RT_SIGPROCMASK, sense_rt_sigprocmask},
    {SYS_MOUNT, sense_mount},
    {SYS_UMOUNT2, sense_umount},
};

unsigned calls_with_sense(struct calls_chance *chance, uint32_t pid, struct sys_args *args)
{
    uint32_t which = calls_below(chance, SENSE_COUNT(makers));
    const struct sys_call *call = sys_call_at(makers[which].number);
    struct sys_args others;

    calls_choose(chance, call->kinds, pid, args);
    others = *args;
    makers[which].make(chance, pid, args);
    for (unsigned i = 0; i < SYS_ARGUMENTS; i++) /* one that does not fit */
        if (calls_below(chance, 40) == 0)
            args->value[i] = others.value[i];
    return makers[which].number;
}
