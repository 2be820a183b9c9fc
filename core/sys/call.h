/* SPDX-License-Identifier: MIT */
/*
 * call.h: system calls: one table for all processors, driven by data.
 *
 * Linux has a list of numbers for each processor, and x86-64 has many old calls beside the new ones
 * (open beside openat). Here is one list, of the new ones and the few old ones that are more than
 * a case of a new one. core/abi maps a processor's number to it, and puts the arguments in order:
 *
 *     x86-64, 2: open(path, flags, mode)  ->  SYS_OPENAT(AT_FDCWD, path, flags, mode)
 *
 * Each entry says what its arguments are, so that whoever traces or tests calls need not know them
 * one by one. A call that is not in the list, or has no function, is answered with ENOSYS; each
 * such number is named in the log, once.
 */
#pragma once

#include <hal/compiler.h>

#include <stddef.h>
#include <stdint.h>

#define SYS_ARGUMENTS 6u

/** What an argument is. A length belongs to the buffer before it. */
enum sys_kind {
    SYS_UNUSED,
    SYS_FD,
    SYS_PATH,
    SYS_STRING,
    SYS_BUFFER_IN,  /**< the call reads it: the program's bytes go in */
    SYS_BUFFER_OUT, /**< the call fills it */
    SYS_STRUCT_IN,
    SYS_STRUCT_OUT,
    SYS_STRINGS, /**< an array of strings */
    SYS_VECTOR,  /**< an array of struct iovec */
    SYS_INT,
    SYS_FLAGS,
    SYS_MODE,
    SYS_SIZE,
    SYS_OFFSET,
    SYS_ADDRESS,
    SYS_SIGNAL,
    SYS_PID,
    SYS_ID /**< of a user or group */
};

/** What becomes of a call that a signal has cut short (-EINTR). */
enum sys_restart {
    SYS_RESTART,       /**< made again, unless a handler without SA_RESTART runs */
    SYS_RESTART_QUIET, /**< made again only if no handler runs */
    SYS_RESTART_TIMED, /**< the same, and sys_deadline says what it said at first */
    SYS_RESTART_NOT,   /**< the program gets EINTR */
    SYS_RESTART_NONE   /**< -EINTR is no such thing: the result is the program's own */
};

enum sys_number {
    SYS_NONE,
    SYS_READ,
    SYS_WRITE,
    SYS_READV,
    SYS_WRITEV,
    SYS_PREAD64,
    SYS_PWRITE64,
    SYS_PREADV,
    SYS_PWRITEV,
    SYS_LSEEK,
    SYS_SENDFILE,
    SYS_OPENAT,
    SYS_CLOSE,
    SYS_CLOSE_RANGE,
    SYS_DUP,
    SYS_DUP2,
    SYS_DUP3,
    SYS_FCNTL,
    SYS_IOCTL,
    SYS_PIPE2,
    SYS_POLL,
    SYS_PPOLL,
    SYS_GETDENTS64,
    SYS_NEWFSTATAT,
    SYS_FSTAT,
    SYS_STATX,
    SYS_STATFS,
    SYS_FSTATFS,
    SYS_FACCESSAT,
    SYS_READLINKAT,
    SYS_CHDIR,
    SYS_FCHDIR,
    SYS_GETCWD,
    SYS_MKDIRAT,
    SYS_MKNODAT,
    SYS_UNLINKAT,
    SYS_RENAMEAT2,
    SYS_LINKAT,
    SYS_SYMLINKAT,
    SYS_TRUNCATE,
    SYS_FTRUNCATE,
    SYS_FCHMODAT,
    SYS_FCHMOD,
    SYS_FCHOWNAT,
    SYS_FCHOWN,
    SYS_UTIMENSAT,
    SYS_UMASK,
    SYS_FSYNC,
    SYS_FDATASYNC,
    SYS_SYNC,
    SYS_MMAP,
    SYS_MUNMAP,
    SYS_MPROTECT,
    SYS_MREMAP,
    SYS_MADVISE,
    SYS_MSYNC,
    SYS_BRK,
    SYS_CLONE,
    SYS_EXECVE,
    SYS_EXIT,
    SYS_EXIT_GROUP,
    SYS_WAIT4,
    SYS_WAITID,
    SYS_GETPID,
    SYS_GETPPID,
    SYS_GETTID,
    SYS_SET_TID_ADDRESS,
    SYS_SET_ROBUST_LIST,
    SYS_GETPGID,
    SYS_SETPGID,
    SYS_GETSID,
    SYS_SETSID,
    SYS_GETUID,
    SYS_GETEUID,
    SYS_GETGID,
    SYS_GETEGID,
    SYS_SETUID,
    SYS_SETGID,
    SYS_GETGROUPS,
    SYS_SETGROUPS,
    SYS_GETRESUID,
    SYS_GETRESGID,
    SYS_SETRESUID,
    SYS_SETRESGID,
    SYS_ARCH_PRCTL,
    SYS_PRCTL,
    SYS_PRLIMIT64,
    SYS_GETRLIMIT,
    SYS_SETRLIMIT,
    SYS_GETRUSAGE,
    SYS_TIMES,
    SYS_UNAME,
    SYS_SYSINFO,
    SYS_GETRANDOM,
    SYS_SCHED_YIELD,
    SYS_SCHED_GETAFFINITY,
    SYS_CLOCK_GETTIME,
    SYS_CLOCK_GETRES,
    SYS_CLOCK_NANOSLEEP,
    SYS_NANOSLEEP,
    SYS_GETTIMEOFDAY,
    SYS_TIME,
    SYS_KILL,
    SYS_TKILL,
    SYS_TGKILL,
    SYS_RT_SIGACTION,
    SYS_RT_SIGPROCMASK,
    SYS_RT_SIGPENDING,
    SYS_SIGALTSTACK,
    SYS_GETPRIORITY,
    SYS_SETPRIORITY,
    SYS_RT_SIGRETURN,
    SYS_RT_SIGSUSPEND,
    SYS_RT_SIGTIMEDWAIT,
    SYS_FUTEX,
    SYS_RSEQ,
    SYS_CLONE3,
    SYS_PSELECT6,
    SYS_SELECT,
    SYS_SOCKET,
    SYS_CONNECT,
    SYS_OPENAT2,
    SYS_SETITIMER,
    SYS_GETITIMER,
    SYS_ALARM,
    SYS_PAUSE,
    SYS_MOUNT,
    SYS_UMOUNT2,
    SYS_SYSLOG,
    SYS_FLOCK,
    SYS_EPOLL_CREATE1,
    SYS_EPOLL_CTL,
    SYS_EPOLL_PWAIT,
    SYS_EVENTFD2,
    SYS_TIMERFD_CREATE,
    SYS_TIMERFD_SETTIME,
    SYS_TIMERFD_GETTIME,
    SYS_GET_ROBUST_LIST,
    SYS_MEMBARRIER,
    /* Signals. */
    SYS_RT_SIGQUEUEINFO,
    SYS_RT_TGSIGQUEUEINFO,
    SYS_RESTART_SYSCALL,
    SYS_TIMER_CREATE,
    SYS_TIMER_SETTIME,
    SYS_TIMER_GETTIME,
    SYS_TIMER_GETOVERRUN,
    SYS_TIMER_DELETE,

    /* The machine. */
    SYS_REBOOT,
    SYS_SETHOSTNAME,
    SYS_COUNT
};

struct sys_args {
    uint64_t value[SYS_ARGUMENTS];
};

struct sys_call {
    const char *name;
    int64_t (*run)(const struct sys_args *args); /**< NULL: known by name only */
    uint8_t kinds[SYS_ARGUMENTS];
    uint8_t restart; /**< enum sys_restart */
};

struct user_thread;

/** Call `number`, < SYS_COUNT. Any context. */
const struct sys_call *sys_call_at(unsigned number);

/** Does the system call that `thread`, which calls, has just made. May sleep. */
void sys_call(struct user_thread *thread);

/**
 * For a call that waits: the time in `ns` from now, of hal_time_now; or, if it is made again as
 * SYS_RESTART_TIMED, the one that it was when the program made it. Caller is a user thread.
 */
uint64_t sys_deadline(uint64_t ns);

/** How many calls were answered with ENOSYS because they are not here. Any context. */
uint64_t sys_unknown_calls(void);
