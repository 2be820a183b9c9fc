/* SPDX-License-Identifier: MIT */
/*
 * calls.h: the functions behind the table of system calls. What each does is in Linux's manual
 * pages, section 2. All may sleep, and are called by a user thread.
 *
 * The arguments are as the program gave them, every one of them any number. The result is what the
 * program gets: a negative errno number if it failed, and then nothing has changed.
 */
#pragma once

#include "sys/call.h"

int64_t sys_read(const struct sys_args *args);
int64_t sys_write(const struct sys_args *args);
int64_t sys_readv(const struct sys_args *args);
int64_t sys_writev(const struct sys_args *args);
int64_t sys_pread64(const struct sys_args *args);
int64_t sys_pwrite64(const struct sys_args *args);
int64_t sys_preadv(const struct sys_args *args);
int64_t sys_pwritev(const struct sys_args *args);
int64_t sys_lseek(const struct sys_args *args);
int64_t sys_sendfile(const struct sys_args *args);
int64_t sys_openat(const struct sys_args *args);
int64_t sys_close(const struct sys_args *args);
int64_t sys_close_range(const struct sys_args *args);
int64_t sys_dup(const struct sys_args *args);
int64_t sys_dup2(const struct sys_args *args);
int64_t sys_dup3(const struct sys_args *args);
int64_t sys_fcntl(const struct sys_args *args);
int64_t sys_ioctl(const struct sys_args *args);
int64_t sys_pipe2(const struct sys_args *args);
int64_t sys_poll(const struct sys_args *args);
int64_t sys_ppoll(const struct sys_args *args);
int64_t sys_getdents64(const struct sys_args *args);
int64_t sys_newfstatat(const struct sys_args *args);
int64_t sys_fstat(const struct sys_args *args);
int64_t sys_statx(const struct sys_args *args);
int64_t sys_statfs(const struct sys_args *args);
int64_t sys_fstatfs(const struct sys_args *args);
int64_t sys_faccessat(const struct sys_args *args);
int64_t sys_readlinkat(const struct sys_args *args);
int64_t sys_chdir(const struct sys_args *args);
int64_t sys_fchdir(const struct sys_args *args);
int64_t sys_getcwd(const struct sys_args *args);
int64_t sys_mkdirat(const struct sys_args *args);
int64_t sys_mknodat(const struct sys_args *args);
int64_t sys_unlinkat(const struct sys_args *args);
int64_t sys_renameat2(const struct sys_args *args);
int64_t sys_linkat(const struct sys_args *args);
int64_t sys_symlinkat(const struct sys_args *args);
int64_t sys_truncate(const struct sys_args *args);
int64_t sys_ftruncate(const struct sys_args *args);
int64_t sys_fchmodat(const struct sys_args *args);
int64_t sys_fchmod(const struct sys_args *args);
int64_t sys_fchownat(const struct sys_args *args);
int64_t sys_fchown(const struct sys_args *args);
int64_t sys_utimensat(const struct sys_args *args);
int64_t sys_umask(const struct sys_args *args);
int64_t sys_fsync(const struct sys_args *args);
int64_t sys_fdatasync(const struct sys_args *args);
int64_t sys_sync(const struct sys_args *args);
int64_t sys_mmap(const struct sys_args *args);
int64_t sys_munmap(const struct sys_args *args);
int64_t sys_mprotect(const struct sys_args *args);
int64_t sys_mremap(const struct sys_args *args);
int64_t sys_madvise(const struct sys_args *args);
int64_t sys_msync(const struct sys_args *args);
int64_t sys_brk(const struct sys_args *args);
int64_t sys_clone(const struct sys_args *args);
int64_t sys_execve(const struct sys_args *args);
int64_t sys_exit(const struct sys_args *args);
int64_t sys_exit_group(const struct sys_args *args);
int64_t sys_wait4(const struct sys_args *args);
int64_t sys_waitid(const struct sys_args *args);
int64_t sys_getpid(const struct sys_args *args);
int64_t sys_getppid(const struct sys_args *args);
int64_t sys_gettid(const struct sys_args *args);
int64_t sys_set_tid_address(const struct sys_args *args);
int64_t sys_set_robust_list(const struct sys_args *args);
int64_t sys_getpgid(const struct sys_args *args);
int64_t sys_setpgid(const struct sys_args *args);
int64_t sys_getsid(const struct sys_args *args);
int64_t sys_setsid(const struct sys_args *args);
int64_t sys_getuid(const struct sys_args *args);
int64_t sys_geteuid(const struct sys_args *args);
int64_t sys_getgid(const struct sys_args *args);
int64_t sys_getegid(const struct sys_args *args);
int64_t sys_setuid(const struct sys_args *args);
int64_t sys_setgid(const struct sys_args *args);
int64_t sys_getgroups(const struct sys_args *args);
int64_t sys_setgroups(const struct sys_args *args);
int64_t sys_getresuid(const struct sys_args *args);
int64_t sys_getresgid(const struct sys_args *args);
int64_t sys_setresuid(const struct sys_args *args);
int64_t sys_setresgid(const struct sys_args *args);
int64_t sys_arch_prctl(const struct sys_args *args);
int64_t sys_prctl(const struct sys_args *args);
int64_t sys_prlimit64(const struct sys_args *args);
int64_t sys_getrlimit(const struct sys_args *args);
int64_t sys_setrlimit(const struct sys_args *args);
int64_t sys_getrusage(const struct sys_args *args);
int64_t sys_times(const struct sys_args *args);
int64_t sys_uname(const struct sys_args *args);
int64_t sys_sysinfo(const struct sys_args *args);
int64_t sys_getrandom(const struct sys_args *args);
int64_t sys_sched_yield(const struct sys_args *args);
int64_t sys_sched_getaffinity(const struct sys_args *args);
int64_t sys_clock_gettime(const struct sys_args *args);
int64_t sys_clock_getres(const struct sys_args *args);
int64_t sys_clock_nanosleep(const struct sys_args *args);
int64_t sys_nanosleep(const struct sys_args *args);
int64_t sys_gettimeofday(const struct sys_args *args);
int64_t sys_time(const struct sys_args *args);
int64_t sys_kill(const struct sys_args *args);
int64_t sys_tkill(const struct sys_args *args);
int64_t sys_tgkill(const struct sys_args *args);
int64_t sys_rt_sigaction(const struct sys_args *args);
int64_t sys_rt_sigprocmask(const struct sys_args *args);
int64_t sys_rt_sigpending(const struct sys_args *args);
int64_t sys_sigaltstack(const struct sys_args *args);
int64_t sys_rt_sigreturn(const struct sys_args *args);
int64_t sys_rt_sigsuspend(const struct sys_args *args);
int64_t sys_rt_sigtimedwait(const struct sys_args *args);
int64_t sys_rt_sigqueueinfo(const struct sys_args *args);
int64_t sys_rt_tgsigqueueinfo(const struct sys_args *args);
int64_t sys_pause(const struct sys_args *args);
int64_t sys_restart_syscall(const struct sys_args *args);
int64_t sys_setitimer(const struct sys_args *args);
int64_t sys_getitimer(const struct sys_args *args);
int64_t sys_alarm(const struct sys_args *args);
int64_t sys_timer_create(const struct sys_args *args);
int64_t sys_timer_settime(const struct sys_args *args);
int64_t sys_timer_gettime(const struct sys_args *args);
int64_t sys_timer_getoverrun(const struct sys_args *args);
int64_t sys_timer_delete(const struct sys_args *args);
int64_t sys_getpriority(const struct sys_args *args);
int64_t sys_setpriority(const struct sys_args *args);

int64_t sys_select(const struct sys_args *args);
int64_t sys_pselect6(const struct sys_args *args);
int64_t sys_futex(const struct sys_args *args);
int64_t sys_get_robust_list(const struct sys_args *args);
int64_t sys_clone3(const struct sys_args *args);
int64_t sys_flock(const struct sys_args *args);
int64_t sys_eventfd2(const struct sys_args *args);
int64_t sys_timerfd_create(const struct sys_args *args);
int64_t sys_timerfd_settime(const struct sys_args *args);
int64_t sys_timerfd_gettime(const struct sys_args *args);
int64_t sys_epoll_create1(const struct sys_args *args);
int64_t sys_epoll_ctl(const struct sys_args *args);
int64_t sys_epoll_pwait(const struct sys_args *args);

/* The machine. */
int64_t sys_mount(const struct sys_args *args);
int64_t sys_umount2(const struct sys_args *args);
int64_t sys_syslog(const struct sys_args *args);
int64_t sys_reboot(const struct sys_args *args);
int64_t sys_sethostname(const struct sys_args *args);
