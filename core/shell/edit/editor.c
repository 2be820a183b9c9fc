/* SPDX-License-Identifier: MIT */
/*
 * editor.c: the line editor's keys and its screen.
 *
 * Two halves. The text half changes line, length and cursor. The screen half makes the terminal
 * agree: usually by a full refresh (carriage return, prompt, visible text, erase the rest, move the
 * cursor), and by a byte or two for what people do most, which is typing and erasing at the end.
 *
 * Invariant between keys: view <= cursor <= length, and the cursor's column is within the row.
 */
#include "shell/edit/editor.h"

#include "lib/format.h"
#include "lib/string.h"

#include <hal/runtime.h>

/* The longest escape sequence that is waited for; more is noise. */
#define EDITOR_SEQUENCE_MAX 16

enum { KEY_CTRL_A = 1, KEY_CTRL_B, KEY_CTRL_C, KEY_CTRL_D, KEY_CTRL_E, KEY_CTRL_F };
enum { KEY_BACKSPACE = 8, KEY_TAB, KEY_NEWLINE, KEY_CTRL_K, KEY_CTRL_L, KEY_RETURN, KEY_CTRL_N };
enum { KEY_CTRL_P = 16, KEY_CTRL_U = 21, KEY_CTRL_W = 23, KEY_ESCAPE = 27, KEY_DELETE = 127 };

/* ---- the screen ---- */

static void editor_put(struct editor *editor, const char *text)
{
    editor->ops->put(editor->context, text, string_length(text));
}

static void editor_bell(struct editor *editor)
{
    editor_put(editor, "\a");
}

/* How many columns the text may take: the row, less the prompt, less three: "^C" and the cursor. */
static size_t editor_room(const struct editor *editor)
{
    return EDITOR_COLUMNS - 3 - editor->prompt_columns;
}

static size_t editor_columns(const struct editor *editor, size_t from, size_t to)
{
    return utf8_text_columns(editor->line + from, to - from);
}

/* Moves the view so that the cursor is in it, with a quarter of the row to spare on a jump. */
static void editor_scroll(struct editor *editor)
{
    size_t room = editor_room(editor);
    size_t wanted = room - room / 4;

    if (editor->cursor < editor->view) {
        editor->view = editor->cursor;
        wanted = room / 4;
        while (editor->view > 0 && editor_columns(editor, editor->view, editor->cursor) < wanted)
            editor->view -= utf8_step_back(editor->line, editor->view);
    }
    if (editor_columns(editor, editor->view, editor->cursor) > room) {
        while (editor_columns(editor, editor->view, editor->cursor) > wanted)
            editor->view += utf8_step(editor->line + editor->view, editor->length - editor->view);
    }
}

/* The end of the text that fits into the row. */
static size_t editor_view_end(const struct editor *editor)
{
    size_t end = editor->view;
    size_t left = editor_room(editor);

    while (end < editor->length) {
        size_t step = utf8_step(editor->line + end, editor->length - end);
        size_t columns = editor_columns(editor, end, end + step);

        if (columns > left)
            break;
        left -= columns;
        end += step;
    }
    return end;
}

static void editor_refresh(struct editor *editor)
{
    char move[24];
    size_t end;

    editor_scroll(editor);
    end = editor_view_end(editor);
    editor_put(editor, "\r");
    editor_put(editor, editor->prompt);
    editor->ops->put(editor->context, editor->line + editor->view, end - editor->view);
    editor_put(editor, "\x1b[K");
    if (editor->cursor < end) {
        size_t column =
            editor->prompt_columns + editor_columns(editor, editor->view, editor->cursor);

        editor_put(editor, "\r");
        if (column > 0) {
            format_text(move, sizeof(move), "\x1b[%zuC", column);
            editor_put(editor, move);
        }
    }
}

/* ---- the text ---- */

/* Puts `n` bytes at the cursor, for which there is room; no screen. */
static void editor_add(struct editor *editor, const char *text, size_t n)
{
    memmove(editor->line + editor->cursor + n, editor->line + editor->cursor,
            editor->length - editor->cursor + 1);
    memcpy(editor->line + editor->cursor, text, n);
    editor->cursor += n;
    editor->length += n;
}

static void editor_insert(struct editor *editor, const char *text, size_t n)
{
    bool at_end = editor->cursor == editor->length;

    if (editor->length + n > EDITOR_LINE_MAX) {
        editor_bell(editor);
        return;
    }
    editor_add(editor, text, n);
    if (at_end && editor_columns(editor, editor->view, editor->cursor) <= editor_room(editor))
        editor->ops->put(editor->context, text, n);
    else
        editor_refresh(editor);
}

/* Takes away line[from .. to), which touches the cursor or surrounds it; no screen. */
static void editor_cut(struct editor *editor, size_t from, size_t to)
{
    memmove(editor->line + from, editor->line + to, editor->length - to + 1);
    editor->length -= to - from;
    editor->cursor = from;
    if (editor->view > editor->cursor)
        editor->view = editor->cursor;
}

static void editor_erase(struct editor *editor)
{
    size_t step, columns;
    bool at_end = editor->cursor == editor->length;

    if (editor->cursor == 0) {
        editor_bell(editor);
        return;
    }
    step = utf8_step_back(editor->line, editor->cursor);
    columns = editor_columns(editor, editor->cursor - step, editor->cursor);
    at_end = at_end && columns == 1 && editor->cursor - step > editor->view;
    at_end = at_end || (editor->view == 0 && editor->length == step && columns == 1);
    editor_cut(editor, editor->cursor - step, editor->cursor);
    if (at_end)
        editor_put(editor, "\b \b");
    else
        editor_refresh(editor);
}

static void editor_delete(struct editor *editor)
{
    if (editor->cursor == editor->length) {
        editor_bell(editor);
        return;
    }
    editor_cut(editor, editor->cursor,
               editor->cursor +
                   utf8_step(editor->line + editor->cursor, editor->length - editor->cursor));
    editor_refresh(editor);
}

static void editor_cut_word(struct editor *editor)
{
    size_t from = editor->cursor;

    while (from > 0 && editor->line[from - 1] == ' ')
        from--;
    while (from > 0 && editor->line[from - 1] != ' ')
        from--;
    if (from == editor->cursor) {
        editor_bell(editor);
        return;
    }
    editor_cut(editor, from, editor->cursor);
    editor_refresh(editor);
}

static void editor_cut_all(struct editor *editor, size_t from)
{
    editor_cut(editor, from, editor->length);
    editor_refresh(editor);
}

static void editor_move(struct editor *editor, size_t to)
{
    editor->cursor = to;
    editor_refresh(editor);
}

static void editor_left(struct editor *editor)
{
    if (editor->cursor == 0)
        editor_bell(editor);
    else
        editor_move(editor, editor->cursor - utf8_step_back(editor->line, editor->cursor));
}

static void editor_right(struct editor *editor)
{
    if (editor->cursor == editor->length)
        editor_bell(editor);
    else
        editor_move(editor, editor->cursor + utf8_step(editor->line + editor->cursor,
                                                       editor->length - editor->cursor));
}

static void editor_show_line(struct editor *editor, const char *line)
{
    string_copy(editor->line, sizeof(editor->line), line);
    editor->length = string_length(editor->line);
    editor->cursor = editor->length;
    editor->view = 0;
    editor_refresh(editor);
}

/* Goes to the line `back` steps in the past; 0 is the one that was being typed. */
static void editor_recall(struct editor *editor, unsigned back)
{
    const char *line = back == 0 ? editor->saved : NULL;

    if (back > 0 && editor->history != NULL)
        line = history_line(editor->history, back);
    if (line == NULL) {
        editor_bell(editor);
        return;
    }
    if (editor->back == 0)
        string_copy(editor->saved, sizeof(editor->saved), editor->line);
    editor->back = back;
    editor_show_line(editor, line);
}

static void editor_older(struct editor *editor)
{
    editor_recall(editor, editor->back + 1);
}

static void editor_newer(struct editor *editor)
{
    if (editor->back == 0)
        editor_bell(editor);
    else
        editor_recall(editor, editor->back - 1);
}

/* Does what completion found. */
static void editor_apply(struct editor *editor, const struct editor_completion *completion)
{
    size_t n = string_length(completion->insert);

    if (editor->length - completion->erase + n > EDITOR_LINE_MAX) {
        editor_bell(editor);
    } else if (completion->erase == 0) {
        editor_insert(editor, completion->insert, n);
    } else {
        editor_cut(editor, editor->cursor - completion->erase, editor->cursor);
        editor_add(editor, completion->insert, n);
        editor_refresh(editor);
    }
}

static void editor_complete(struct editor *editor, bool again)
{
    const struct editor_ops *ops = editor->ops;
    struct editor_completion *completion = &editor->completion;
    int result = 0;

    completion->erase = 0;
    completion->insert[0] = '\0';
    if (ops->complete != NULL)
        result = ops->complete(editor->context, editor->line, editor->cursor, completion);
    if (result > 0)
        editor_apply(editor, completion);
    else if (result < 0)
        editor_refresh(editor);
    else if (again && ops->list != NULL && ops->list(editor->context, editor->line, editor->cursor))
        editor_refresh(editor);
    else
        editor_bell(editor);
}

/* ---- the keys ---- */

static void editor_home(struct editor *editor)
{
    editor_move(editor, 0);
}

static void editor_end(struct editor *editor)
{
    editor_move(editor, editor->length);
}

static void editor_sequence_key(struct editor *editor, uint8_t final)
{
    unsigned parameter = editor->parameter;

    if (final == 'A')
        editor_older(editor);
    else if (final == 'B')
        editor_newer(editor);
    else if (final == 'C')
        editor_right(editor);
    else if (final == 'D')
        editor_left(editor);
    else if (final == 'H' || (final == '~' && (parameter == 1 || parameter == 7)))
        editor_home(editor);
    else if (final == 'F' || (final == '~' && (parameter == 4 || parameter == 8)))
        editor_end(editor);
    else if (final == '~' && parameter == 3)
        editor_delete(editor);
    else
        editor_bell(editor);
}

static void editor_sequence_parameter(struct editor *editor, uint8_t byte)
{
    if (++editor->parameter_bytes > EDITOR_SEQUENCE_MAX) {
        editor->state = EDITOR_PLAIN;
        editor_bell(editor);
        return;
    }
    if (byte == ';')
        editor->parameter_closed = true;
    if (!editor->parameter_closed && char_is_digit((char)byte) && editor->parameter < 1000)
        editor->parameter = editor->parameter * 10 + (byte - '0');
}

/* A byte within an escape sequence. False: it does not belong there and is a key of its own. */
static bool editor_sequence(struct editor *editor, uint8_t byte)
{
    if (byte < 0x20 || byte >= 0x7F) {
        editor->state = EDITOR_PLAIN;
        if (byte != KEY_ESCAPE)
            editor_bell(editor);
        return false;
    }
    if (editor->state == EDITOR_ESCAPE) {
        editor->state = byte == '[' ? EDITOR_CSI : byte == 'O' ? EDITOR_SS3 : EDITOR_PLAIN;
        editor->parameter = 0;
        editor->parameter_bytes = 0;
        editor->parameter_closed = false;
        if (editor->state == EDITOR_PLAIN)
            editor_bell(editor);
    } else if (byte < 0x40) {
        editor_sequence_parameter(editor, byte);
    } else {
        editor->state = EDITOR_PLAIN;
        editor_sequence_key(editor, byte);
    }
    return true;
}

static enum editor_result editor_enter(struct editor *editor)
{
    editor_put(editor, "\n");
    return EDITOR_LINE;
}

static enum editor_result editor_abandon(struct editor *editor)
{
    editor_put(editor, "^C\n");
    return EDITOR_ABANDONED;
}

static enum editor_result editor_end_of_file(struct editor *editor)
{
    if (editor->length == 0) {
        editor_put(editor, "\n");
        return EDITOR_END;
    }
    editor_delete(editor);
    return EDITOR_MORE;
}

static void editor_clear_screen(struct editor *editor)
{
    editor_put(editor, "\x1b[H\x1b[2J");
    editor_refresh(editor);
}

/* The editing keys that are one control byte. */
static void editor_edit_key(struct editor *editor, uint8_t byte)
{
    static void (*const keys[32])(struct editor *) = {
        [KEY_CTRL_A] = editor_home,     [KEY_CTRL_B] = editor_left,
        [KEY_CTRL_E] = editor_end,      [KEY_CTRL_F] = editor_right,
        [KEY_BACKSPACE] = editor_erase, [KEY_CTRL_L] = editor_clear_screen,
        [KEY_CTRL_N] = editor_newer,    [KEY_CTRL_P] = editor_older,
        [KEY_CTRL_W] = editor_cut_word,
    };

    if (byte == KEY_DELETE)
        editor_erase(editor);
    else if (byte == KEY_CTRL_K)
        editor_cut_all(editor, editor->cursor);
    else if (byte == KEY_CTRL_U)
        editor_cut_all(editor, 0);
    else if (keys[byte] != NULL)
        keys[byte](editor);
    else
        editor_bell(editor);
}

static enum editor_result editor_control(struct editor *editor, uint8_t byte)
{
    bool again = editor->after_tab;

    editor->after_tab = byte == KEY_TAB;
    switch (byte) {
    case KEY_RETURN:
    case KEY_NEWLINE:
        return editor_enter(editor);
    case KEY_CTRL_C:
        return editor_abandon(editor);
    case KEY_CTRL_D:
        return editor_end_of_file(editor);
    case KEY_ESCAPE:
        editor->state = EDITOR_ESCAPE;
        break;
    case KEY_TAB:
        editor_complete(editor, again);
        break;
    default:
        editor_edit_key(editor, byte);
    }
    return EDITOR_MORE;
}

static void editor_text(struct editor *editor, uint8_t byte)
{
    enum utf8_result result = utf8_decode(&editor->decoder, byte);

    editor->after_tab = false;
    if (result == UTF8_BAD) {
        editor->pending_bytes = 0;
        editor_bell(editor);
        return;
    }
    editor->pending[editor->pending_bytes++] = (char)byte;
    if (result == UTF8_MORE)
        return;
    if (utf8_is_control(editor->decoder.code))
        editor_bell(editor);
    else
        editor_insert(editor, editor->pending, editor->pending_bytes);
    editor->pending_bytes = 0;
}

enum editor_result editor_feed(struct editor *editor, uint8_t byte)
{
    bool folded = byte == KEY_NEWLINE && editor->after_return;

    editor->after_return = byte == KEY_RETURN;
    if (folded)
        return EDITOR_MORE;
    if (editor->pending_bytes > 0 && (byte & 0xC0u) != 0x80u) {
        editor_bell(editor); /* a character broke off: this byte starts afresh */
        editor->pending_bytes = 0;
        editor->decoder.expect = 0;
    }
    if (editor->state != EDITOR_PLAIN && editor_sequence(editor, byte))
        return EDITOR_MORE;
    if (byte < 0x20 || byte == KEY_DELETE)
        return editor_control(editor, byte);
    editor_text(editor, byte);
    return EDITOR_MORE;
}

void editor_init(struct editor *editor, const struct editor_ops *ops, void *context,
                 struct history *history)
{
    memset(editor, 0, sizeof(*editor));
    editor->ops = ops;
    editor->context = context;
    editor->history = history;
}

void editor_begin(struct editor *editor, const char *prompt)
{
    string_copy(editor->prompt, sizeof(editor->prompt), prompt);
    editor->prompt_columns = utf8_text_columns(editor->prompt, string_length(editor->prompt));
    editor->line[0] = '\0';
    editor->length = 0;
    editor->cursor = 0;
    editor->view = 0;
    editor->back = 0;
    editor->state = EDITOR_PLAIN;
    editor->pending_bytes = 0;
    editor->decoder.expect = 0;
    editor->after_tab = false;
    editor_put(editor, editor->prompt);
}
