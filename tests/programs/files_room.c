/* SPDX-License-Identifier: MIT */
/*
 * files_room.c: Room in files before it is needed, advice, and copying inside the kernel.
 */
#include "programs.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static long size_of(int fd)
{
    struct stat status;

    fstat(fd, &status);
    return (long)status.st_size;
}

static void make_room(int fd)
{
    char bytes[8];

    printf("%d\n", posix_fallocate(fd, 0, 10000));
    printf("%ld\n", size_of(fd));
    printf("%d\n", posix_fallocate(fd, 100, 50));
    printf("%ld\n", size_of(fd));
    printf("%d\n", posix_fallocate(fd, 9000, 3000));
    printf("%ld\n", size_of(fd));
    printf("%d\n", (int)pread(fd, bytes, 8, 11995));
    printf("%d\n", failed(fallocate(fd, 0, 0, 0), EINVAL));
    printf("%d\n", failed(fallocate(fd, 0, -1, 5), EINVAL));
    printf("%d\n", failed(fallocate(99, 0, 0, 5), EBADF));
}

static void copy(int from, int to)
{
    loff_t in = 6, out = 100;
    char bytes[32] = "";

    printf("%d\n", (int)write(from, "hello, this is copied", 21));
    printf("%d\n", (int)copy_file_range(from, &in, to, &out, 100, 0));
    printf("%ld %ld %ld\n", (long)in, (long)out, (long)lseek(from, 0, SEEK_CUR));
    printf("%d", (int)pread(to, bytes, 31, 100));
    printf(" %s\n", bytes);
    lseek(from, 7, SEEK_SET);
    printf("%d\n", (int)copy_file_range(from, NULL, to, NULL, 4, 0));
    printf("%ld %ld\n", (long)lseek(from, 0, SEEK_CUR), (long)lseek(to, 0, SEEK_CUR));
    printf("%d\n", (int)copy_file_range(from, &in, to, NULL, 5, 0));
    printf("%d\n", failed(copy_file_range(from, NULL, to, NULL, 5, 1), EINVAL));
    printf("%d\n", failed(copy_file_range(from, NULL, 99, NULL, 5, 0), EBADF));
}

int main(void)
{
    int one = open("one", O_CREAT | O_RDWR, 0600), two = open("two", O_CREAT | O_RDWR, 0600);
    int ends[2], reading = open("one", O_RDONLY), folder = open(".", O_RDONLY);

    make_room(one);
    copy(two, open("three", O_CREAT | O_RDWR, 0600));
    pipe(ends);
    printf("%d\n", failed(fallocate(reading, 0, 0, 5), EBADF));
    printf("%d\n", failed(fallocate(ends[1], 0, 0, 5), ESPIPE));
    printf("%d\n", failed(copy_file_range(ends[0], NULL, one, NULL, 5, 0), EINVAL));
    printf("%d\n", failed(copy_file_range(folder, NULL, one, NULL, 5, 0), EISDIR));
    printf("%d\n", posix_fadvise(one, 0, 0, POSIX_FADV_SEQUENTIAL));
    printf("%d\n", posix_fadvise(one, 0, 0, 99) == EINVAL);
    printf("%d\n", posix_fadvise(ends[0], 0, 0, POSIX_FADV_NORMAL) == ESPIPE);
    printf("%d\n", (int)readahead(one, 0, 4096));
    printf("%d\n", syncfs(one));
    return 0;
}
