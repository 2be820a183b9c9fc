/* SPDX-License-Identifier: MIT */
/*
 * calls.c: system calls of many kinds, good ones and bad ones, whose names and results are the same
 * wherever the program runs: for comparing what two tracers say of it.
 *
 *     calls DIRECTORY
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static char data[5000];

static void use_files(void)
{
    struct iovec vectors[2] = {{"one\n", 4}, {"two \"and\" \\ three\t\001", 19}};
    struct stat status;
    int fd = open("a file", O_RDWR | O_CREAT | O_TRUNC, 0640);

    (void)!writev(fd, vectors, 2);
    (void)!write(fd, data, 4096);
    lseek(fd, 0, SEEK_SET);
    (void)!read(fd, data, 10);
    (void)!read(fd, data, 4000);
    (void)!pread(fd, data, 5, 100000);
    (void)!ftruncate(fd, 7);
    fstat(fd, &status);
    flock(fd, LOCK_EX | LOCK_NB);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_GETFD);
    dup2(fd, 20);
    close(20);
    close(fd);
    close(fd);
    stat("a file", &status);
    lstat("none", &status);
    access("a file", R_OK | W_OK);
    access("none", F_OK);
    (void)!open("none", O_RDONLY | O_CLOEXEC);
    (void)!open("a file", O_WRONLY | O_CREAT | O_EXCL, 0600);
    (void)!open("a file", O_RDONLY | O_DIRECTORY);
}

static void use_names(void)
{
    mkdir("d", 0755);
    mkdir("d", 0755);
    rename("a file", "d/f");
    rmdir("d");
    chdir("d");
    chdir("..");
    unlink("d/f");
    unlink("d/f");
    rmdir("d");
    umask(027);
    umask(022);
}

static void use_memory(void)
{
    char *map = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    mprotect(map, 4096, PROT_READ);
    madvise(map, 8192, MADV_DONTNEED);
    munmap(map, 8192);
    mmap(NULL, 0, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    mprotect((void *)1, 4096, PROT_EXEC);
    (void)!write(1, (void *)16, 5);
}

static void use_pipes(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    int ends[2], set = epoll_create1(EPOLL_CLOEXEC);

    (void)!pipe2(ends, O_NONBLOCK | O_CLOEXEC);
    (void)!read(ends[0], data, 5);
    (void)!write(ends[1], "xyz", 3);
    epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event);
    epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event);
    poll(&(struct pollfd){ends[0], POLLIN, 0}, 1, -1);
    fcntl(ends[0], F_SETPIPE_SZ, 5000);
    close(set);
    close(ends[0]);
    signal(SIGPIPE, SIG_IGN);
    (void)!write(ends[1], "xyz", 3);
    close(ends[1]);
    close(eventfd(5, EFD_NONBLOCK | EFD_SEMAPHORE));
}

static void use_processes(void)
{
    int status;

    if (fork() == 0) {
        getppid();
        kill(getpid(), SIGKILL);
    }
    wait(&status);
    if (fork() == 0) {
        execl("/none", "none", "an argument", NULL);
        _exit(3);
    }
    waitpid(-1, &status, 0);
    waitpid(-1, &status, WNOHANG);
    kill(1 << 22, SIGTERM);
    sched_yield();
}

int main(int count, char **arguments)
{
    if (count < 2 || chdir(arguments[1]))
        return 1;
    use_files();
    use_names();
    use_memory();
    use_pipes();
    use_processes();
    return 0;
}
