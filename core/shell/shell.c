/* SPDX-License-Identifier: MIT */
/*
 * shell.c: the loop of the shell: prompt, line, commands.
 *
 * The console is in raw mode and the editor (edit/editor.h) makes lines of its bytes. What it shows
 * is collected for each key and written at once, so that other threads' output does not get in
 * between.
 */
#include "shell/shell.h"

#include "boot/boot.h"
#include "fs/root/root.h"
#include "lib/string.h"
#include "mem/frame.h"
#include "heap/heap.h"
#include "shell/commands/command.h"
#include "shell/complete.h"
#include "shell/edit/editor.h"
#include "shell/job.h"
#include "tty/tty.h"

#include <hal/board.h>
#include <hal/kstate.h>
#include <hal/runtime.h>
#include <hal/time.h>

/* At least 50 lines of the greatest length; many more of the usual ones. */
#define HISTORY_BYTES 32768u
#define PROMPT_COLUMNS 40u

/* All of it belongs to the shell's thread. */
static KSTATE struct shell_state {
    struct job job; /* of the foreground; its directory is the shell's */
    struct editor editor;
    struct history history;
    char shown[256]; /* what the editor wants to show, until it is written */
    size_t shown_bytes;
} shell;

static void shell_flush(void)
{
    if (shell.shown_bytes > 0)
        tty_write(shell.shown, shell.shown_bytes);
    shell.shown_bytes = 0;
}

static void shell_put(void *context, const char *bytes, size_t n)
{
    (void)context;
    if (n > sizeof(shell.shown) - shell.shown_bytes)
        shell_flush();
    if (n > sizeof(shell.shown)) {
        tty_write(bytes, n);
        return;
    }
    memcpy(shell.shown + shell.shown_bytes, bytes, n);
    shell.shown_bytes += n;
}

static int shell_complete(void *context, const char *line, size_t cursor,
                          struct editor_completion *completion)
{
    (void)context;
    shell_flush();
    return complete_line(shell.job.base, line, cursor, completion);
}

static bool shell_list(void *context, const char *line, size_t cursor)
{
    (void)context;
    shell_flush();
    return complete_list(shell.job.base, line, cursor);
}

/* "/docs > ", or "...end/of/a/long/path > ". */
static void shell_make_prompt(char *prompt, size_t size)
{
    const char *path = shell.job.directory;
    size_t n = string_length(path), start = 0;

    while (utf8_text_columns(path + start, n - start) > PROMPT_COLUMNS || n - start > size - 8)
        start += utf8_step(path + start, n - start);
    if (start > 0)
        string_copy(prompt, size, "...");
    else
        prompt[0] = '\0';
    string_copy(prompt + string_length(prompt), size - string_length(prompt), path + start);
    string_copy(prompt + string_length(prompt), size - string_length(prompt), " > ");
}

/* Reads a line into the editor. The result is not EDITOR_MORE. */
static enum editor_result shell_read_line(void)
{
    enum editor_result result = EDITOR_MORE;
    char prompt[EDITOR_PROMPT_MAX + 1];

    shell_make_prompt(prompt, sizeof(prompt));
    tty_set_mode(TTY_RAW);
    editor_begin(&shell.editor, prompt);
    shell_flush();
    while (result == EDITOR_MORE) {
        uint8_t byte;

        if (tty_read(&byte, 1, HAL_TIME_NEVER) != 1)
            continue;
        result = editor_feed(&shell.editor, byte);
        shell_flush();
    }
    return result;
}

static void shell_print_banner(void)
{
    struct frame_stats frames;

    frame_read_stats(&frames);
    tty_print("\nTayberry %s on a %s, %llu MiB of RAM\n", BOOT_VERSION, hal_board_name(),
              (unsigned long long)(frames.total * HAL_PAGE_SIZE + (1u << 19)) >> 20);
    if (vfs_mount_problem()[0] != '\0')
        tty_print("No files: %s\n", vfs_mount_problem());
    if (shell.history.size == 0)
        tty_print("No history: out of memory. Nothing else is lost.\n");
    tty_print("Type \"help\" for the commands.\n");
}

static void shell_prepare(void)
{
    static const struct editor_ops ops = {
        .put = shell_put, .complete = shell_complete, .list = shell_list};

    job_start();
    command_prepare();
    string_copy(shell.job.directory, sizeof(shell.job.directory), "/");
    history_init(&shell.history,
                 heap_allocate(HISTORY_BYTES, HEAP_ALIGNMENT, ALLOC_SITE_FOR(ALLOC_PERMANENT)),
                 HISTORY_BYTES);
    editor_init(&shell.editor, &ops, NULL, &shell.history);
}

void shell_main(void *unused)
{
    (void)unused;
    shell_prepare();
    shell_print_banner();
    for (;;) {
        switch (shell_read_line()) {
        case EDITOR_LINE:
            history_add(&shell.history, shell.editor.line);
            job_run_line(&shell.job, shell.editor.line);
            break;
        case EDITOR_END:
            tty_print("The console has no end. Type \"poweroff\" to leave.\n");
            break;
        default:
            break;
        }
    }
}

void command_history(struct job *job)
{
    if (!command_takes_none(job))
        return;
    for (unsigned back = shell.history.count; back > 0; back--)
        tty_print("%4u  %s\n", shell.history.count - back + 1, history_line(&shell.history, back));
}
