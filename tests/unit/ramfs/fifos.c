/* SPDX-License-Identifier: MIT */
/*
 * fifos.c: FIFOs, as far as nobody has to wait (core/ktest/test_pipe.c has the rest).
 *
 * 1. Without waiting: a reader is let in, a writer is not unless there is a reader (-ENXIO), and
 *    who opens for both always is.
 * 2. Bytes come in order, through any number of turns of the ring; -EAGAIN when empty or full.
 * 3. At most 4096 bytes are written whole or not at all; more may be written in part.
 * 4. The end is 0 for a reader without writers, -EPIPE for a writer without readers.
 * 5. What nobody has read is forgotten when the last one closes.
 */
#include "suites.h"

#include "ipc/pipe.h"
#include "rooted.h"

#include <string.h>

static struct file *open_fifo(unsigned flags)
{
    struct file *file;

    ck_assert_int_eq(file_open(NULL, "/p", flags | FILE_NONBLOCK, 0, &file), 0);
    return file;
}

static void build(void)
{
    struct vnode_attributes fifo = {.type = VNODE_FIFO, .mode = 0600};
    struct vnode *made;

    root_start(8u << 20, "");
    ck_assert_int_eq(vfs_create(NULL, "/p", &fifo, &made), 0);
    vnode_put(made);
}

START_TEST(who_does_not_wait_is_let_in_or_not)
{
    struct file *writer = NULL, *reader, *both;

    ck_assert_int_eq(file_open(NULL, "/p", FILE_WRITE_ONLY | FILE_NONBLOCK, 0, &writer), -ENXIO);
    reader = open_fifo(FILE_READ_ONLY);
    writer = open_fifo(FILE_WRITE_ONLY);
    file_put(reader);
    file_put(writer);
    both = open_fifo(FILE_READ_WRITE);
    ck_assert_int_eq(file_write(both, "x", 1), 1);
    ck_assert_int_eq(file_seek(both, 0, FILE_SET), -ESPIPE);
    file_put(both);
}
END_TEST

START_TEST(bytes_come_in_order)
{
    struct file *reader = open_fifo(FILE_READ_ONLY), *writer = open_fifo(FILE_WRITE_ONLY);
    uint64_t random = 1;
    uint8_t data[5000];
    uint32_t put = 0, taken = 0, wrong = 0;

    for (unsigned i = 0; i < 2000; i++) {
        size_t n = 1 + root_random(&random) % sizeof data;
        bool write = root_random(&random) % 2;
        int64_t done;

        for (size_t k = 0; k < n; k++)
            data[k] = (uint8_t)((put + k) * 7 % 251);
        done = write ? file_write(writer, data, n) : file_read(reader, data, n);
        ck_assert(done > 0 || done == -EAGAIN);
        if (done < 0)
            continue;
        for (int64_t k = 0; !write && k < done; k++)
            wrong += data[k] != (taken + k) * 7 % 251;
        *(write ? &put : &taken) += (uint32_t)done;
    }
    ck_assert_uint_eq(wrong, 0);
    ck_assert_uint_gt(taken, 10 * PIPE_BYTES);
    file_put(reader);
    file_put(writer);
}
END_TEST

START_TEST(small_writes_are_whole)
{
    struct file *reader = open_fifo(FILE_READ_ONLY), *writer = open_fifo(FILE_WRITE_ONLY);
    static uint8_t data[PIPE_BYTES];

    ck_assert_int_eq(file_read(reader, data, 1), -EAGAIN);
    ck_assert_int_eq(file_write(writer, data, PIPE_BYTES - 100), PIPE_BYTES - 100);
    ck_assert_int_eq(file_write(writer, data, 101), -EAGAIN);
    ck_assert_int_eq(file_write(writer, data, PIPE_ATOMIC), -EAGAIN);
    ck_assert_int_eq(file_write(writer, data, PIPE_ATOMIC + 1), 100);
    ck_assert_int_eq(file_write(writer, data, 1), -EAGAIN);
    ck_assert_int_eq(file_write(writer, data, 0), 0);
    ck_assert_int_eq(file_read(reader, data, PIPE_BYTES), PIPE_BYTES);
    ck_assert_int_eq(file_write(reader, data, 1), -EBADF);
    ck_assert_int_eq(file_read(writer, data, 1), -EBADF);
    file_put(reader);
    file_put(writer);
}
END_TEST

START_TEST(the_other_side_may_be_gone)
{
    struct file *reader = open_fifo(FILE_READ_ONLY), *writer;
    char data[4];

    ck_assert_int_eq(file_read(reader, data, 4), 0); /* no writer yet */
    writer = open_fifo(FILE_WRITE_ONLY);
    ck_assert_int_eq(file_write(writer, "last", 4), 4);
    file_put(writer);
    ck_assert_int_eq(file_read(reader, data, 4), 4);
    ck_assert_mem_eq(data, "last", 4);
    ck_assert_int_eq(file_read(reader, data, 4), 0);
    writer = open_fifo(FILE_WRITE_ONLY);
    file_put(reader);
    ck_assert_int_eq(file_write(writer, "x", 1), -EPIPE);
    file_put(writer);
}
END_TEST

START_TEST(what_is_not_read_is_forgotten)
{
    struct file *both = open_fifo(FILE_READ_WRITE);
    char data[4];

    ck_assert_int_eq(file_write(both, "lost", 4), 4);
    file_put(both);
    both = open_fifo(FILE_READ_WRITE);
    ck_assert_int_eq(file_read(both, data, 4), -EAGAIN);
    ck_assert_int_eq(vfs_unlink(NULL, "/p"), 0);
    ck_assert_int_eq(file_write(both, "kept", 4), 4);
    ck_assert_int_eq(file_read(both, data, 4), 4);
    file_put(both);
}
END_TEST

Suite *fifo_suite(void)
{
    Suite *suite = suite_create("fifos");
    TCase *cases = tcase_create("fifos");

    tcase_add_checked_fixture(cases, build, root_stop);
    tcase_add_test(cases, who_does_not_wait_is_let_in_or_not);
    tcase_add_test(cases, bytes_come_in_order);
    tcase_add_test(cases, small_writes_are_whole);
    tcase_add_test(cases, the_other_side_may_be_gone);
    tcase_add_test(cases, what_is_not_read_is_forgotten);
    suite_add_tcase(suite, cases);
    return suite;
}
