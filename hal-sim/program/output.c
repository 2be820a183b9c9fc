/* SPDX-License-Identifier: MIT */
/*
 * output.c: the writer: what the guest prints, on its way to the terminal and the log.
 *
 * The library hands over what the guest prints on the thread that runs the guest. There it is
 * searched for the awaited texts and copied into a ring; the writer's thread does the writing. When
 * the ring is full because standard output takes nothing, the guest waits, as a sender with flow
 * control does; so nothing is lost, and nothing grows without end. The end of the run lets it go.
 *
 * The searching is exact to the byte: output ends with the text that ended the run, so that the
 * same run prints the same bytes however fast the host is.
 *
 * Failures: a standard output that cannot be written ends the run (nobody sees what the guest
 * does); a log that cannot be written is given up with a message, and the guest goes on.
 */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RING_BYTES (1u << 20)
/** How long a stalled standard output may hold up a run that was told to end, in seconds. */
#define DRAIN_SECONDS 1

/**
 * A text that is searched for in a stream (Knuth, Morris and Pratt).
 *
 * matched: how many bytes of the text the stream's end equals. fallback[i]: how many it still
 * equals when byte i is the first that differs: the longest proper border of the i bytes before.
 */
struct search {
    const char *text;
    size_t length, matched;
    size_t *fallback;
};

static struct {
    struct output_config config;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t filled, drained;
    uint8_t ring[RING_BYTES];
    uint64_t put, taken; /**< bytes since the start; put - taken are in the ring */
    bool closing;        /**< no more comes; the writer ends when the ring is empty */
    bool cut;            /**< an awaited text showed: what follows is dropped */
    int log_fd;
    struct output_result result;
    struct search expect, fail;
} output = {.lock = PTHREAD_MUTEX_INITIALIZER,
            .filled = PTHREAD_COND_INITIALIZER,
            .drained = PTHREAD_COND_INITIALIZER,
            .log_fd = -1};

static bool search_init(struct search *search, const char *text)
{
    *search = (struct search){.text = text, .length = text == NULL ? 0 : strlen(text)};
    search->fallback = calloc(search->length + 1, sizeof(size_t));
    if (search->fallback == NULL)
        return false;
    for (size_t i = 1, border = 0; i < search->length; i++) {
        while (border > 0 && text[i] != text[border])
            border = search->fallback[border];
        if (text[i] == text[border])
            border++;
        search->fallback[i + 1] = border;
    }
    return true;
}

/** True: with `byte`, the text has shown. */
static bool search_step(struct search *search, uint8_t byte)
{
    if (search->length == 0)
        return false;
    while (search->matched > 0 && (uint8_t)search->text[search->matched] != byte)
        search->matched = search->fallback[search->matched];
    if ((uint8_t)search->text[search->matched] == byte)
        search->matched++;
    return search->matched == search->length;
}

/** How many of `n` bytes are wanted: all, or those up to the end of an awaited text. Caller holds
 * the lock. */
static size_t cut_at_text(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool failed = search_step(&output.fail, bytes[i]);
        if (search_step(&output.expect, bytes[i]) || failed) {
            output.cut = true;
            session_end(failed ? END_FAIL : END_MATCH, 0);
            return i + 1;
        }
    }
    return n;
}

/** Waits for room in the ring and returns how much there is; 0: the run ended. Caller holds the
 * lock. */
static size_t wait_room(void)
{
    while (output.put - output.taken == RING_BYTES && session_ended(NULL) == END_NONE) {
        struct timespec soon;
        clock_gettime(CLOCK_REALTIME, &soon);
        soon.tv_nsec += 100000000;
        soon.tv_sec += soon.tv_nsec / 1000000000;
        soon.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&output.drained, &output.lock, &soon);
    }
    return RING_BYTES - (size_t)(output.put - output.taken);
}

void output_put(void *context, const uint8_t *bytes, size_t n)
{
    (void)context;
    pthread_mutex_lock(&output.lock);
    size_t room = 1;
    n = output.cut ? 0 : cut_at_text(bytes, n);
    /* What a guest prints after the end has no writer any more, and would never be drained. */
    while (n > 0 && !output.closing && (room = wait_room()) > 0) {
        size_t at = output.put % RING_BYTES;
        size_t piece = n < room ? n : room;
        if (piece > RING_BYTES - at)
            piece = RING_BYTES - at;
        memcpy(output.ring + at, bytes, piece);
        output.put += piece;
        bytes += piece;
        n -= piece;
        pthread_cond_signal(&output.filled);
    }
    pthread_mutex_unlock(&output.lock);
}

/** Writes it all, whatever the descriptor's mode. False: errno says why not. */
static bool write_all(int fd, const uint8_t *bytes, size_t n)
{
    while (n > 0) {
        ssize_t written = write(fd, bytes, n);
        if (written < 0 && errno == EAGAIN) {
            struct pollfd wait = {.fd = fd, .events = POLLOUT};
            poll(&wait, 1, 1000);
        } else if (written < 0 && errno != EINTR) {
            return false;
        }
        if (written > 0) {
            bytes += written;
            n -= (size_t)written;
        }
    }
    return true;
}

/** Says once that the log is lost, and gives it up. */
static void give_up_log(void)
{
    output.result.log_lost = true;
    terminal_say("cannot write '%s': %s; the log ends here, the guest goes on",
                 output.config.log_path, strerror(errno));
    close(output.log_fd);
    output.log_fd = -1;
}

/** Brings bytes to where they belong. On the writer's thread, without the lock. */
static void deliver(const uint8_t *bytes, size_t n)
{
    if (output.log_fd >= 0 && !write_all(output.log_fd, bytes, n))
        give_up_log();
    if (output.config.to_stdout && output.result.stdout_error == 0 &&
        !write_all(STDOUT_FILENO, bytes, n)) {
        output.result.stdout_error = errno;
        session_end(END_OUTPUT, 0);
    }
}

static void *writer_main(void *argument)
{
    static uint8_t piece[16384];
    (void)argument;
    pthread_mutex_lock(&output.lock);
    for (;;) {
        while (output.put == output.taken && !output.closing)
            pthread_cond_wait(&output.filled, &output.lock);
        size_t at = output.taken % RING_BYTES;
        size_t n = (size_t)(output.put - output.taken);
        if (n == 0)
            break;
        if (n > RING_BYTES - at)
            n = RING_BYTES - at;
        if (n > sizeof(piece))
            n = sizeof(piece);
        memcpy(piece, output.ring + at, n);
        pthread_mutex_unlock(&output.lock);
        deliver(piece, n);
        pthread_mutex_lock(&output.lock);
        output.taken += n;
        pthread_cond_broadcast(&output.drained);
    }
    pthread_mutex_unlock(&output.lock);
    return NULL;
}

int output_start(const struct output_config *config)
{
    output.config = *config;
    if (!search_init(&output.expect, config->expect_text) ||
        !search_init(&output.fail, config->fail_text))
        return -ENOMEM;
    if (config->log_path != NULL) {
        output.log_fd = open(config->log_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (output.log_fd < 0) {
            int error = errno;
            terminal_say("cannot create '%s': %s", config->log_path, strerror(error));
            return -error;
        }
    }
    return session_start_thread(&output.thread, writer_main);
}

/** True while it is worth waiting for a stalled standard output. */
static bool may_wait(void)
{
    int end = session_ended(NULL);
    return end != END_TIMEOUT && end != END_SIGNAL && end != END_LEAVE;
}

/** Waits until the ring is empty; not for ever, if the run was told to end. Caller holds the lock.
 */
static bool wait_drained(void)
{
    uint64_t told = 0;
    while (output.put != output.taken) {
        struct timespec soon;
        clock_gettime(CLOCK_REALTIME, &soon);
        soon.tv_sec += DRAIN_SECONDS;
        pthread_cond_timedwait(&output.drained, &output.lock, &soon);
        if (!may_wait() && told++ > 0)
            return false;
    }
    return true;
}

struct output_result output_finish(void)
{
    pthread_mutex_lock(&output.lock);
    output.closing = true;
    pthread_cond_signal(&output.filled);
    bool drained = wait_drained();
    pthread_mutex_unlock(&output.lock);
    if (!drained) {
        /* The writer hangs in a write that nobody can end; the end of the process does. */
        pthread_detach(output.thread);
        return output.result;
    }
    pthread_join(output.thread, NULL);
    if (output.log_fd >= 0 && close(output.log_fd) < 0) {
        output.log_fd = -1;
        give_up_log();
    }
    free(output.expect.fallback);
    free(output.fail.fallback);
    return output.result;
}
