/* SPDX-License-Identifier: MIT */
/*
 * erase.c: taking back what was typed of the line that has not ended: the last character, word, or
 * all of it, and making the screen show that.
 */
#include "tty/discipline/discipline.h"

#define TAB 8u

static bool echoes(const struct discipline *d, uint32_t flag)
{
    return (d->settings.local & flag) == flag;
}

/* Letters and digits, of ASCII and Latin 1, and '_'. */
static bool is_of_word(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           (c >= 0xc0 && c != 0xd7 && c != 0xf7);
}

/* Where the last character of the line begins. `head` if it has no beginning in the line. */
static uint32_t last_character(const struct discipline *d)
{
    uint32_t at = d->head;

    do {
        at--;
    } while (at != d->line && discipline_continues(d, discipline_at(d, at)));
    return discipline_continues(d, discipline_at(d, at)) ? d->head : at;
}

/* Goes back to where the tab at `head` began: to the column that the text before it ends in. */
static void erase_tab(struct discipline *d)
{
    uint32_t columns = 0, at = d->head;
    bool after_tab = false;

    while (at != d->line && !after_tab) {
        uint8_t c = discipline_at(d, --at);

        if (c == '\t')
            after_tab = true;
        else if (discipline_is_control(c))
            columns += echoes(d, TTY_ECHOCTL) ? 2 : 0;
        else if (!discipline_continues(d, c))
            columns++;
    }
    if (!after_tab)
        columns += d->line_column;
    for (columns = TAB - columns % TAB; columns > 0; columns--) {
        d->ops->put(d->context, '\b');
        d->column -= d->column > 0;
    }
}

static void erase_cell(struct discipline *d)
{
    discipline_echo_raw(d, '\b');
    discipline_echo_raw(d, ' ');
    discipline_echo_raw(d, '\b');
}

/* ECHOPRT, for terminals on paper: what is erased is printed once more, between \ and /. */
static void print_erased(struct discipline *d, uint32_t end)
{
    if (!d->erasing)
        discipline_echo_raw(d, '\\');
    d->erasing = true;
    discipline_echo(d, discipline_at(d, d->head));
    for (uint32_t at = d->head + 1; at != end; at++) {
        discipline_echo_raw(d, discipline_at(d, at));
        d->column -= d->column > 0;
    }
}

/* Shows that the character at `head`, whose end is `end`, is gone. */
static void show_erased(struct discipline *d, uint32_t end, bool single)
{
    uint8_t c = discipline_at(d, d->head);

    if (!echoes(d, TTY_ECHO))
        return;
    if (echoes(d, TTY_ECHOPRT)) {
        print_erased(d, end);
    } else if (single && !echoes(d, TTY_ECHOE)) {
        discipline_echo(d, d->settings.keys[TTY_VERASE]);
    } else if (c == '\t') {
        erase_tab(d);
    } else if (!discipline_is_control(c)) {
        erase_cell(d);
    } else if (echoes(d, TTY_ECHOCTL)) {
        erase_cell(d);
        erase_cell(d);
    }
}

/* True: the line is gone, all at once, without going back over each of its characters. */
static bool drop_line(struct discipline *d)
{
    if (echoes(d, TTY_ECHO | TTY_ECHOK | TTY_ECHOKE | TTY_ECHOE))
        return false;
    d->head = d->line;
    if (echoes(d, TTY_ECHO)) {
        discipline_end_erasing(d);
        discipline_echo(d, d->settings.keys[TTY_VKILL]);
        if (echoes(d, TTY_ECHOK))
            discipline_echo_raw(d, '\n');
    }
    return true;
}

void discipline_erase(struct discipline *d, uint8_t key)
{
    bool single = key == d->settings.keys[TTY_VERASE];
    bool word = !single && key == d->settings.keys[TTY_VWERASE];
    bool in_word = false;

    if (d->head == d->line || (!single && !word && drop_line(d)))
        return;
    while (d->head != d->line) {
        uint32_t end = d->head, start = last_character(d);

        if (start == end)
            break;
        if (word && is_of_word(discipline_at(d, start)))
            in_word = true;
        else if (in_word)
            break;
        d->head = start;
        show_erased(d, end, single);
        if (single)
            break;
    }
    if (d->head == d->line && echoes(d, TTY_ECHO))
        discipline_end_erasing(d);
}
