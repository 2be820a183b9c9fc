/* SPDX-License-Identifier: MIT */
/*
 * names.c: tables of names, and which argument of which call has which.
 *
 * An entry fits if the bits of its mask have its value. One whose mask is all of an argument comes
 * first, for what is a number and not a set of bits.
 */
#include "sys/trace/names.h"

static const struct names_entry open_flags[] = {
    {0x3, 0x0, "O_RDONLY"},          {0x3, 0x1, "O_WRONLY"},         {0x3, 0x2, "O_RDWR"},
    {0x40, 0x40, "O_CREAT"},         {0x80, 0x80, "O_EXCL"},         {0x100, 0x100, "O_NOCTTY"},
    {0x200, 0x200, "O_TRUNC"},       {0x400, 0x400, "O_APPEND"},     {0x800, 0x800, "O_NONBLOCK"},
    {0x80000, 0x80000, "O_CLOEXEC"}, {0x200000, 0x200000, "O_PATH"}, {0, 0, NULL},
};

static const struct names_entry pipe_flags[] = {
    {0x800, 0x800, "O_NONBLOCK"},
    {0x80000, 0x80000, "O_CLOEXEC"},
    {0, 0, NULL},
};

static const struct names_entry close_flags[] = {
    {0x80000, 0x80000, "O_CLOEXEC"},
    {0, 0, NULL},
};

static const struct names_entry protections[] = {
    {0xffffffff, 0x0, "PROT_NONE"},
    {0x1, 0x1, "PROT_READ"},
    {0x2, 0x2, "PROT_WRITE"},
    {0x4, 0x4, "PROT_EXEC"},
    {0, 0, NULL},
};

static const struct names_entry map_flags[] = {
    {0xf, 0x1, "MAP_SHARED"},
    {0xf, 0x2, "MAP_PRIVATE"},
    {0xf, 0x3, "MAP_SHARED_VALIDATE"},
    {0x10, 0x10, "MAP_FIXED"},
    {0x20, 0x20, "MAP_ANONYMOUS"},
    {0x100, 0x100, "MAP_GROWSDOWN"},
    {0x800, 0x800, "MAP_DENYWRITE"},
    {0x4000, 0x4000, "MAP_NORESERVE"},
    {0x8000, 0x8000, "MAP_POPULATE"},
    {0x20000, 0x20000, "MAP_STACK"},
    {0x100000, 0x100000, "MAP_FIXED_NOREPLACE"},
    {0, 0, NULL},
};

static const struct names_entry remap_flags[] = {
    {0x1, 0x1, "MREMAP_MAYMOVE"},
    {0x2, 0x2, "MREMAP_FIXED"},
    {0, 0, NULL},
};

static const struct names_entry at_flags[] = {
    {0x100, 0x100, "AT_SYMLINK_NOFOLLOW"},
    {0x400, 0x400, "AT_SYMLINK_FOLLOW"},
    {0x1000, 0x1000, "AT_EMPTY_PATH"},
    {0, 0, NULL},
};

static const struct names_entry unlink_flags[] = {
    {0x200, 0x200, "AT_REMOVEDIR"},
    {0, 0, NULL},
};

static const struct names_entry access_modes[] = {
    {0xffffffff, 0x0, "F_OK"}, {0x4, 0x4, "R_OK"}, {0x2, 0x2, "W_OK"},
    {0x1, 0x1, "X_OK"},        {0, 0, NULL},
};

static const struct names_entry whences[] = {
    {0xffffffff, 0x0, "SEEK_SET"},  {0xffffffff, 0x1, "SEEK_CUR"},  {0xffffffff, 0x2, "SEEK_END"},
    {0xffffffff, 0x3, "SEEK_DATA"}, {0xffffffff, 0x4, "SEEK_HOLE"}, {0, 0, NULL},
};

static const struct names_entry file_commands[] = {
    {0xffffffff, 0x0, "F_DUPFD"},
    {0xffffffff, 0x1, "F_GETFD"},
    {0xffffffff, 0x2, "F_SETFD"},
    {0xffffffff, 0x3, "F_GETFL"},
    {0xffffffff, 0x4, "F_SETFL"},
    {0xffffffff, 0x5, "F_GETLK"},
    {0xffffffff, 0x6, "F_SETLK"},
    {0xffffffff, 0x7, "F_SETLKW"},
    {0xffffffff, 0x24, "F_OFD_GETLK"},
    {0xffffffff, 0x25, "F_OFD_SETLK"},
    {0xffffffff, 0x26, "F_OFD_SETLKW"},
    {0xffffffff, 0x406, "F_DUPFD_CLOEXEC"},
    {0xffffffff, 0x407, "F_SETPIPE_SZ"},
    {0xffffffff, 0x408, "F_GETPIPE_SZ"},
    {0, 0, NULL},
};

static const struct names_entry requests[] = {
    {0xffffffff, 0x5401, "TCGETS"},     {0xffffffff, 0x5402, "TCSETS"},
    {0xffffffff, 0x5403, "TCSETSW"},    {0xffffffff, 0x5404, "TCSETSF"},
    {0xffffffff, 0x5409, "TCSBRK"},     {0xffffffff, 0x540b, "TCFLSH"},
    {0xffffffff, 0x540e, "TIOCSCTTY"},  {0xffffffff, 0x540f, "TIOCGPGRP"},
    {0xffffffff, 0x5410, "TIOCSPGRP"},  {0xffffffff, 0x5413, "TIOCGWINSZ"},
    {0xffffffff, 0x5414, "TIOCSWINSZ"}, {0xffffffff, 0x541b, "FIONREAD"},
    {0xffffffff, 0x5421, "FIONBIO"},    {0xffffffff, 0x5422, "TIOCNOTTY"},
    {0xffffffff, 0x5429, "TIOCGSID"},   {0, 0, NULL},
};

static const struct names_entry wait_flags[] = {
    {0x1, 0x1, "WNOHANG"},
    {0x2, 0x2, "WSTOPPED"},
    {0x4, 0x4, "WEXITED"},
    {0x8, 0x8, "WCONTINUED"},
    {0x1000000, 0x1000000, "WNOWAIT"},
    {0x20000000, 0x20000000, "__WNOTHREAD"},
    {0x40000000, 0x40000000, "__WALL"},
    {0x80000000, 0x80000000, "__WCLONE"},
    {0, 0, NULL},
};

static const struct names_entry wait4_flags[] = {
    {0x1, 0x1, "WNOHANG"},
    {0x2, 0x2, "WSTOPPED"},
    {0x8, 0x8, "WCONTINUED"},
    {0x40000000, 0x40000000, "__WALL"},
    {0, 0, NULL},
};

static const struct names_entry wait_kinds[] = {
    {0xffffffff, 0x0, "P_ALL"},
    {0xffffffff, 0x1, "P_PID"},
    {0xffffffff, 0x2, "P_PGID"},
    {0xffffffff, 0x3, "P_PIDFD"},
    {0, 0, NULL},
};

static const struct names_entry futex_operations[] = {
    {0xffffffff, 0x0, "FUTEX_WAIT"},
    {0xffffffff, 0x80, "FUTEX_WAIT_PRIVATE"},
    {0xffffffff, 0x1, "FUTEX_WAKE"},
    {0xffffffff, 0x81, "FUTEX_WAKE_PRIVATE"},
    {0xffffffff, 0x3, "FUTEX_REQUEUE"},
    {0xffffffff, 0x83, "FUTEX_REQUEUE_PRIVATE"},
    {0xffffffff, 0x4, "FUTEX_CMP_REQUEUE"},
    {0xffffffff, 0x84, "FUTEX_CMP_REQUEUE_PRIVATE"},
    {0xffffffff, 0x5, "FUTEX_WAKE_OP"},
    {0xffffffff, 0x85, "FUTEX_WAKE_OP_PRIVATE"},
    {0xffffffff, 0x9, "FUTEX_WAIT_BITSET"},
    {0xffffffff, 0x109, "FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME"},
    {0xffffffff, 0x89, "FUTEX_WAIT_BITSET_PRIVATE"},
    {0xffffffff, 0x189, "FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME"},
    {0xffffffff, 0xa, "FUTEX_WAKE_BITSET"},
    {0xffffffff, 0x8a, "FUTEX_WAKE_BITSET_PRIVATE"},
    {0, 0, NULL},
};

static const struct names_entry advices[] = {
    {0xffffffff, 0x0, "MADV_NORMAL"},
    {0xffffffff, 0x1, "MADV_RANDOM"},
    {0xffffffff, 0x2, "MADV_SEQUENTIAL"},
    {0xffffffff, 0x3, "MADV_WILLNEED"},
    {0xffffffff, 0x4, "MADV_DONTNEED"},
    {0xffffffff, 0x8, "MADV_FREE"},
    {0, 0, NULL},
};

static const struct names_entry clocks[] = {
    {0xffffffff, 0x0, "CLOCK_REALTIME"},
    {0xffffffff, 0x1, "CLOCK_MONOTONIC"},
    {0xffffffff, 0x2, "CLOCK_PROCESS_CPUTIME_ID"},
    {0xffffffff, 0x3, "CLOCK_THREAD_CPUTIME_ID"},
    {0xffffffff, 0x4, "CLOCK_MONOTONIC_RAW"},
    {0xffffffff, 0x5, "CLOCK_REALTIME_COARSE"},
    {0xffffffff, 0x6, "CLOCK_MONOTONIC_COARSE"},
    {0xffffffff, 0x7, "CLOCK_BOOTTIME"},
    {0, 0, NULL},
};

static const struct names_entry mask_changes[] = {
    {0xffffffff, 0x0, "SIG_BLOCK"},
    {0xffffffff, 0x1, "SIG_UNBLOCK"},
    {0xffffffff, 0x2, "SIG_SETMASK"},
    {0, 0, NULL},
};

static const struct names_entry random_flags[] = {
    {0x1, 0x1, "GRND_NONBLOCK"},
    {0x2, 0x2, "GRND_RANDOM"},
    {0, 0, NULL},
};

static const struct names_entry lock_operations[] = {
    {0x1, 0x1, "LOCK_SH"}, {0x2, 0x2, "LOCK_EX"}, {0x4, 0x4, "LOCK_NB"},
    {0x8, 0x8, "LOCK_UN"}, {0, 0, NULL},
};

static const struct names_entry set_operations[] = {
    {0xffffffff, 0x1, "EPOLL_CTL_ADD"},
    {0xffffffff, 0x2, "EPOLL_CTL_DEL"},
    {0xffffffff, 0x3, "EPOLL_CTL_MOD"},
    {0, 0, NULL},
};

static const struct names_entry set_flags[] = {
    {0x80000, 0x80000, "EPOLL_CLOEXEC"},
    {0, 0, NULL},
};

static const struct names_entry counter_flags[] = {
    {0x1, 0x1, "EFD_SEMAPHORE"},
    {0x800, 0x800, "EFD_NONBLOCK"},
    {0x80000, 0x80000, "EFD_CLOEXEC"},
    {0, 0, NULL},
};

static const struct names_entry signal_file_flags[] = {
    {0x800, 0x800, "SFD_NONBLOCK"},
    {0x80000, 0x80000, "SFD_CLOEXEC"},
    {0, 0, NULL},
};

static const struct names_entry timer_flags[] = {
    {0x800, 0x800, "TFD_NONBLOCK"},
    {0x80000, 0x80000, "TFD_CLOEXEC"},
    {0, 0, NULL},
};

static const struct names_entry timer_modes[] = {
    {0x1, 0x1, "TFD_TIMER_ABSTIME"},
    {0x2, 0x2, "TFD_TIMER_CANCEL_ON_SET"},
    {0, 0, NULL},
};

static const struct names_entry clone_flags[] = {
    {0x100, 0x100, "CLONE_VM"},
    {0x200, 0x200, "CLONE_FS"},
    {0x400, 0x400, "CLONE_FILES"},
    {0x800, 0x800, "CLONE_SIGHAND"},
    {0x4000, 0x4000, "CLONE_VFORK"},
    {0x10000, 0x10000, "CLONE_THREAD"},
    {0x40000, 0x40000, "CLONE_SYSVSEM"},
    {0x80000, 0x80000, "CLONE_SETTLS"},
    {0x100000, 0x100000, "CLONE_PARENT_SETTID"},
    {0x200000, 0x200000, "CLONE_CHILD_CLEARTID"},
    {0x400000, 0x400000, "CLONE_DETACHED"},
    {0x1000000, 0x1000000, "CLONE_CHILD_SETTID"},
    {0xff, 0x11, "SIGCHLD"},
    {0, 0, NULL},
};

static const struct names_entry processor_codes[] = {
    {0xffffffff, 0x1001, "ARCH_SET_GS"},
    {0xffffffff, 0x1002, "ARCH_SET_FS"},
    {0xffffffff, 0x1003, "ARCH_GET_FS"},
    {0xffffffff, 0x1004, "ARCH_GET_GS"},
    {0, 0, NULL},
};

static const struct names_entry limits[] = {
    {0xffffffff, 0x0, "RLIMIT_CPU"},
    {0xffffffff, 0x1, "RLIMIT_FSIZE"},
    {0xffffffff, 0x2, "RLIMIT_DATA"},
    {0xffffffff, 0x3, "RLIMIT_STACK"},
    {0xffffffff, 0x4, "RLIMIT_CORE"},
    {0xffffffff, 0x5, "RLIMIT_RSS"},
    {0xffffffff, 0x6, "RLIMIT_NPROC"},
    {0xffffffff, 0x7, "RLIMIT_NOFILE"},
    {0xffffffff, 0x8, "RLIMIT_MEMLOCK"},
    {0xffffffff, 0x9, "RLIMIT_AS"},
    {0xffffffff, 0xa, "RLIMIT_LOCKS"},
    {0xffffffff, 0xb, "RLIMIT_SIGPENDING"},
    {0xffffffff, 0xc, "RLIMIT_MSGQUEUE"},
    {0xffffffff, 0xd, "RLIMIT_NICE"},
    {0xffffffff, 0xe, "RLIMIT_RTPRIO"},
    {0xffffffff, 0xf, "RLIMIT_RTTIME"},
    {0, 0, NULL},
};

static const struct names_entry sync_flags[] = {
    {0x1, 0x1, "MS_ASYNC"},
    {0x2, 0x2, "MS_INVALIDATE"},
    {0x4, 0x4, "MS_SYNC"},
    {0, 0, NULL},
};

static const struct {
    uint16_t call;
    uint8_t index;
    const struct names_entry *names;
} arguments[] = {
    {SYS_OPENAT, 2, open_flags},
    {SYS_DUP3, 2, close_flags},
    {SYS_PIPE2, 1, pipe_flags},
    {SYS_MMAP, 2, protections},
    {SYS_MMAP, 3, map_flags},
    {SYS_MPROTECT, 2, protections},
    {SYS_MREMAP, 3, remap_flags},
    {SYS_MADVISE, 2, advices},
    {SYS_MSYNC, 2, sync_flags},
    {SYS_NEWFSTATAT, 3, at_flags},
    {SYS_UNLINKAT, 2, unlink_flags},
    {SYS_LINKAT, 4, at_flags},
    {SYS_FCHOWNAT, 4, at_flags},
    {SYS_STATX, 2, at_flags},
    {SYS_UTIMENSAT, 3, at_flags},
    {SYS_FACCESSAT, 2, access_modes},
    {SYS_LSEEK, 2, whences},
    {SYS_FCNTL, 1, file_commands},
    {SYS_IOCTL, 1, requests},
    {SYS_WAIT4, 2, wait4_flags},
    {SYS_WAITID, 0, wait_kinds},
    {SYS_WAITID, 3, wait_flags},
    {SYS_FUTEX, 1, futex_operations},
    {SYS_CLOCK_GETTIME, 0, clocks},
    {SYS_CLOCK_GETRES, 0, clocks},
    {SYS_CLOCK_NANOSLEEP, 0, clocks},
    {SYS_RT_SIGPROCMASK, 0, mask_changes},
    {SYS_GETRANDOM, 2, random_flags},
    {SYS_FLOCK, 1, lock_operations},
    {SYS_EPOLL_CTL, 1, set_operations},
    {SYS_EPOLL_CREATE1, 0, set_flags},
    {SYS_EVENTFD2, 1, counter_flags},
    {SYS_SIGNALFD4, 3, signal_file_flags},
    {SYS_CLOCK_SETTIME, 0, clocks},
    {SYS_TIMER_CREATE, 0, clocks},
    {SYS_TIMERFD_CREATE, 0, clocks},
    {SYS_TIMERFD_CREATE, 1, timer_flags},
    {SYS_TIMERFD_SETTIME, 1, timer_modes},
    {SYS_CLONE, 0, clone_flags},
    {SYS_ARCH_PRCTL, 0, processor_codes},
    {SYS_PRLIMIT64, 1, limits},
    {SYS_GETRLIMIT, 0, limits},
    {SYS_SETRLIMIT, 0, limits},
};

const struct names_entry *names_of(enum sys_number call, unsigned index)
{
    for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
        if (arguments[i].call == call && arguments[i].index == index)
            return arguments[i].names;
    }
    return NULL;
}
