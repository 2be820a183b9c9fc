/* SPDX-License-Identifier: MIT */
/*
 * mailbox.c: messages to the firmware.
 *
 * The chip has a second processor, the VideoCore, which started us and owns clocks, power, the
 * display and some pins. It is asked through a mailbox: the physical address of a message goes into
 * a register, its low four bits being the channel (8: property tags), and the same word comes back
 * when the message has been answered in place:
 *
 *     bytes, code, { tag, room, code, values ... } ..., 0
 *
 * The firmware does not see the ARM's caches. Messages lie in a page that is mapped uncached (the
 * linker script's .bss.uncached), which is the only way that is known to work on all boards.
 *
 * The firmware takes up to some milliseconds to answer. QEMU answers at once, and marks a tag that
 * it does not know as answered with length 0, while the firmware leaves the tag's code alone; both
 * come out as `answered` = 0.
 *
 * Source: the firmware's wiki, "Mailbox property interface"; Linux, drivers/firmware/raspberrypi.c.
 */
#include "soc/mailbox.h"
#include "soc/bcm2837.h"

#include <hal/errno.h>
#include <hal/mem.h>
#include <pi3/lock.h>
#include <pi3/mmio.h>

#define MAILBOX_READ (MAILBOX_BASE + 0x00u)
#define MAILBOX_STATUS (MAILBOX_BASE + 0x18u)
#define MAILBOX_WRITE (MAILBOX_BASE + 0x20u)
#define MAILBOX_STATUS1 (MAILBOX_BASE + 0x38u)

#define STATUS_EMPTY 0x40000000u
#define STATUS_FULL 0x80000000u

#define CHANNEL_PROPERTY 8u
/** How the VideoCore addresses RAM so that its own caches stay out of it. */
#define BUS_UNCACHED 0xc0000000u

#define CODE_REQUEST 0x00000000u
#define CODE_SUCCESS 0x80000000u
#define CODE_ANSWERED 0x80000000u

#define MAILBOX_TIMEOUT_MICROS 1000000u
#define ITEM_WORDS 5u
#define MESSAGE_WORDS (2u + ITEM_WORDS * MAILBOX_ITEMS + 1u)

struct mailbox_message {
    volatile uint32_t words[(MESSAGE_WORDS + 15u) / 16u * 16u];
} __attribute__((aligned(64)));

/** One for questions, one for mailbox_tell, whose answer nobody waits for. */
static struct mailbox_message mailbox_question __attribute__((section(".bss.uncached")));
static struct mailbox_message mailbox_remark __attribute__((section(".bss.uncached")));
static struct lock mailbox_lock;

static uint32_t mailbox_word(const struct mailbox_message *message)
{
    return (uint32_t)hal_mem_physical(message) | BUS_UNCACHED | CHANNEL_PROPERTY;
}

static void mailbox_compose(struct mailbox_message *message, const struct mailbox_item *items,
                            unsigned count)
{
    volatile uint32_t *word = message->words + 2;

    for (unsigned i = 0; i < count; i++) {
        *word++ = (uint32_t)items[i].tag;
        *word++ = 8;
        *word++ = CODE_REQUEST;
        *word++ = items[i].values[0];
        *word++ = items[i].words > 1 ? items[i].values[1] : 0;
    }
    *word++ = 0;
    message->words[0] = (uint32_t)(word - message->words) * 4;
    message->words[1] = CODE_REQUEST;
}

static void mailbox_extract(const struct mailbox_message *message, struct mailbox_item *items,
                            unsigned count)
{
    const volatile uint32_t *word = message->words + 2;

    for (unsigned i = 0; i < count; i++, word += ITEM_WORDS) {
        items[i].answered = (word[2] & CODE_ANSWERED) != 0 ? word[2] & ~CODE_ANSWERED : 0;
        items[i].values[0] = word[3];
        items[i].values[1] = word[4];
    }
}

/** Waits until the bit is clear. False after a second. */
static bool mailbox_wait(uintptr_t status, uint32_t bit)
{
    uint64_t give_up = mmio_microseconds() + MAILBOX_TIMEOUT_MICROS;

    while ((mmio_read(status) & bit) != 0) {
        if (mmio_microseconds() > give_up) {
            return false;
        }
        hal_cpu_relax();
    }
    return true;
}

/** Sends the message and takes words from the mailbox until its own comes back. Lock held. */
static int mailbox_exchange(const struct mailbox_message *message)
{
    uint32_t own = mailbox_word(message);

    if (!mailbox_wait(MAILBOX_STATUS1, STATUS_FULL)) {
        return -ETIMEDOUT;
    }
    mmio_barrier();
    mmio_write(MAILBOX_WRITE, own);
    do {
        if (!mailbox_wait(MAILBOX_STATUS, STATUS_EMPTY)) {
            return -ETIMEDOUT;
        }
    } while (mmio_read(MAILBOX_READ) != own);
    mmio_barrier();
    return message->words[1] == CODE_SUCCESS ? 0 : -EIO;
}

int mailbox_ask(struct mailbox_item *items, unsigned count)
{
    hal_irq_state_t state = lock_take(&mailbox_lock);

    mailbox_compose(&mailbox_question, items, count);
    int result = mailbox_exchange(&mailbox_question);
    if (result == 0) {
        mailbox_extract(&mailbox_question, items, count);
    }
    lock_release(&mailbox_lock, state);
    return result;
}

int mailbox_ask_one(enum mailbox_tag tag, uint32_t *first, uint32_t *second)
{
    struct mailbox_item item = {tag, 2, {*first, *second}, 0};
    int result = mailbox_ask(&item, 1);

    if (result == 0 && item.answered == 0) {
        result = -EIO;
    }
    if (result == 0) {
        *first = item.values[0];
        *second = item.values[1];
    }
    return result;
}

/** Takes what has come for earlier remarks, so that the mailbox does not fill up. Lock held. */
static void mailbox_drain(void)
{
    for (unsigned i = 0; i < 16 && (mmio_read(MAILBOX_STATUS) & STATUS_EMPTY) == 0; i++) {
        (void)mmio_read(MAILBOX_READ);
    }
}

void mailbox_tell(enum mailbox_tag tag, uint32_t first, uint32_t second)
{
    struct mailbox_item item = {tag, 2, {first, second}, 0};
    hal_irq_state_t state;

    if (!lock_try(&mailbox_lock, &state)) {
        return;
    }
    mmio_barrier();
    mailbox_drain();
    bool under_way = mailbox_remark.words[0] != 0 && mailbox_remark.words[1] == CODE_REQUEST;
    if (!under_way && (mmio_read(MAILBOX_STATUS1) & STATUS_FULL) == 0) {
        mailbox_compose(&mailbox_remark, &item, 1);
        mmio_barrier();
        mmio_write(MAILBOX_WRITE, mailbox_word(&mailbox_remark));
    }
    mmio_barrier();
    lock_release(&mailbox_lock, state);
}
