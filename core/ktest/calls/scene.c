/* SPDX-License-Identifier: MIT */
/*
 * scene.c: who plays calls, where, and who sees to it that all comes to an end.
 *
 * A player that sleeps in a call is woken by the watcher, who cancels it as a signal would. One
 * that is not to be woken is ended; and so is a process that goes on without its players, because
 * one of them has made a thread, and somebody has stopped it.
 */
#include "ktest/calls/calls.h"

#include "boot/cmdline.h"
#include "fs/file.h"
#include "fs/mount.h"
#include "fs/vfs.h"
#include "lib/string.h"
#include "proc/inside.h"
#include "proc/signal/signals.h"
#include "proc/wait.h"
#include "sys/calls.h"
#include "thread/thread.h"
#include "tty/tty.h"
#include "vm/space.h"

#include <hal/errno.h>

#define LOOK_NS 300000u
#define LOOKS_MAX 30u /* then a player is ended */
#define FILL_EACH 64u
#define LIFE 250u   /* calls of a player */
#define JUDGED 4u   /* one in so many calls is */
#define SENSIBLE 3u /* the same: has arguments that belong together */
#define END_NS 1000000u
#define HANDLER_FLAGS 0xdc000006u /* all but those about children */
#define END_LOOKS 20000u

/* ---- players ---- */

/* What a failed call may have changed all the same, because that is how Linux does it. */
static bool is_excused(unsigned number, int64_t result)
{
    switch (number) {
    case SYS_WAIT4:
    case SYS_WAITID: /* the child is gone before its status is written */
        return result == -EFAULT;
    case SYS_EXECVE: /* descriptors that exec closes, if it ends between two programs */
        return result == -EINTR;
    default:
        return result == -EINTR || result == -EPIPE;
    }
}

static void log_call(const struct sys_call *call, const struct sys_args *args, const char *what)
{
    tty_print("# %s(%#llx, %#llx, %#llx, %#llx, %#llx, %#llx)%s\n", call->name,
              (unsigned long long)args->value[0], (unsigned long long)args->value[1],
              (unsigned long long)args->value[2], (unsigned long long)args->value[3],
              (unsigned long long)args->value[4], (unsigned long long)args->value[5], what);
}

static void count(uint64_t *what)
{
    __atomic_add_fetch(what, 1, __ATOMIC_RELAXED);
}

/* Makes the call, and looks whether it has changed something although it failed. */
static int64_t judge(struct calls_scene *scene, unsigned number, const struct sys_args *args)
{
    struct calls_state before, after;
    bool known = calls_read_state(scene->root, &before);
    int64_t result = sys_call_at(number)->run(args);
    const char *changed;

    if (result >= 0 || result < -4095 || is_excused(number, result) || !known ||
        !calls_read_state(scene->root, &after))
        return result;
    count(&scene->judged);
    changed = calls_difference(&before, &after);
    if (changed) {
        log_call(sys_call_at(number), args, "");
        tty_print("# failed with error %d, and changed %s\n", (int)-result, changed);
        count(&scene->wrong);
    }
    return result;
}

/* Chooses a call with its arguments: its number. An end is tried less often than others. */
static unsigned choose_call(struct calls_player *player, struct sys_args *args)
{
    struct calls_chance *chance = &player->chance;
    unsigned number;

    if (player->scene->rich && calls_below(chance, SENSIBLE) == 0)
        return calls_with_sense(chance, player->pid, args);
    do
        number = 1 + calls_below(chance, SYS_COUNT - 1);
    while (!sys_call_at(number)->run || string_equal(sys_call_at(number)->name, "reboot") ||
           ((number == SYS_EXIT || number == SYS_EXIT_GROUP) && calls_below(chance, 16)));
    calls_choose(chance, sys_call_at(number)->kinds, player->pid, args);
    return number;
}

static void play_once(struct calls_player *player)
{
    struct calls_scene *scene = player->scene;
    struct sys_args args;
    unsigned number = choose_call(player, &args);
    const struct sys_call *call = sys_call_at(number);
    int64_t result;

    if (scene->logs)
        log_call(call, &args, "");
    if (scene->judges && calls_below(&player->chance, JUDGED) == 0)
        result = judge(scene, number, &args);
    else
        result = call->run(&args);
    count(&scene->made);
    count(&scene->calls[number].made);
    if (result >= 0) {
        count(&scene->good);
        count(&scene->calls[number].good);
    }
    if (number == SYS_EXECVE && result == 0)
        (void)!calls_make_memory(process_current()->space, NULL);
    __atomic_add_fetch(&player->made, 1, __ATOMIC_RELAXED);
}

/* True if there is a call left for this scene. */
static bool take_call(struct calls_scene *scene)
{
    return __atomic_sub_fetch(&scene->budget, 1, __ATOMIC_RELAXED) >= 0;
}

static void play(void *argument)
{
    struct calls_player *player = argument;
    struct user_thread *self = player->thread;
    const struct sys_args none = {{0}};

    user_thread_enter(self);
    __atomic_store_n(&player->kernel_thread, thread_current()->id, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&self->ending, __ATOMIC_ACQUIRE) && player->left-- > 0 &&
           take_call(player->scene)) {
        if (player->left % FILL_EACH == 0)
            calls_fill(process_current()->space, &player->chance);
        play_once(player);
        if (__atomic_load_n(&self->signals.attention, __ATOMIC_SEQ_CST))
            signal_attend(self);
        else
            thread_uncancel();
    }
    __atomic_store_n(&player->kernel_thread, 0, __ATOMIC_RELEASE);
    (void)sys_exit(&none);
    user_thread_finish(self);
}

/* ---- lives ---- */

static int give_memory(struct process *process, bool shares)
{
    struct file *file = shares ? descriptor_file(process->files, 2) : NULL;
    int error = vm_space_create(&process->space);

    if (file && file->vnode->attributes.type != VNODE_FILE) {
        file_put(file);
        file = NULL;
    }
    if (!error)
        error = calls_make_memory(process->space, file);
    if (error == -EACCES || error == -ENODEV) /* the file is something else by now */
        error = calls_make_memory(process->space, NULL);
    file_put(file);
    return error;
}

/* Makes player `number`: ready to be started. */
static int add_player(struct calls_runner *runner, struct process *process, unsigned number)
{
    struct calls_player *player = &runner->players[number];
    int error = user_thread_create(process, NULL, &player->thread);

    if (error)
        return error;
    hal_user_init(&player->thread->user, CALLS_CODE, CALLS_STACK);
    player->scene = runner->scene;
    player->chance = calls_chance_of(calls_bits(&runner->chance), number);
    player->left = 1 + calls_below(&runner->chance, 2 * LIFE);
    __atomic_store_n(&player->pid, process->pid, __ATOMIC_RELAXED);
    __atomic_store_n(&player->looks, 0, __ATOMIC_RELAXED);
    return 0;
}

/* Starts players; the first one's failure is that of the whole life. */
static int begin_life(struct calls_runner *runner, struct process *process)
{
    unsigned players = 1 + calls_below(&runner->chance, runner->scene->players);
    int error = add_player(runner, process, 0);

    if (error) {
        process_free(process);
        return error;
    }
    error = user_thread_start_as(runner->players[0].thread, play, &runner->players[0]);
    for (unsigned i = 1; i < players && !error; i++) {
        if (add_player(runner, process, i))
            break; /* the process has ended already */
        (void)!user_thread_start_as(runner->players[i].thread, play, &runner->players[i]);
    }
    return error;
}

/* Of most signals a life does not die. */
static void give_actions(struct calls_runner *runner, struct process *process)
{
    for (unsigned signal = 1; signal <= SIGNAL_COUNT; signal++) {
        struct signal_action *action = &process->signals.actions[signal];

        if (signal == SIGNAL_KILL || signal == SIGNAL_STOP)
            continue;
        switch (calls_below(&runner->chance, 5)) {
        case 0:
            break;
        case 1:
            action->handler = CALLS_CODE;
            action->flags = calls_bits(&runner->chance) & HANDLER_FLAGS;
            action->restorer = CALLS_CODE;
            break;
        default:
            if (signal != SIGNAL_CHLD)
                action->handler = SIGNAL_IGNORE;
            break;
        }
    }
}

static int live(struct calls_runner *runner)
{
    struct process *process = process_create(NULL);
    struct process_ending ending;
    int error;

    if (!process)
        return -ENOMEM;
    process->awaited = true;
    give_actions(runner, process);
    error = calls_give_files(process, runner);
    if (!error)
        error = give_memory(process, !runner->scene->judges); /* memory is no state, files are */
    if (error) {
        process_free(process);
        return error;
    }
    error = begin_life(runner, process);
    if (error)
        return error;
    count(&runner->scene->lives);
    return process_wait_kernel(process, true, &ending);
}

static void run(void *argument)
{
    struct calls_runner *runner = argument;

    while (__atomic_load_n(&runner->scene->budget, __ATOMIC_RELAXED) > 0) {
        int error = live(runner);

        if (error)
            tty_print("# no life begins: error %d\n", -error);
        if (error) { /* so that there is an end without memory, too */
            __atomic_sub_fetch(&runner->scene->budget, 10, __ATOMIC_RELAXED);
            (void)thread_sleep(END_NS);
        }
    }
}

/* ---- the watcher ---- */

static void end_process(uint32_t pid)
{
    struct process *process;

    process_lock();
    process = process_find(pid);
    if (process)
        process_end(process, SIGNAL_KILL);
    process_unlock();
}

static void look_after(struct calls_player *player)
{
    uint32_t id = __atomic_load_n(&player->kernel_thread, __ATOMIC_ACQUIRE);
    uint32_t made = __atomic_load_n(&player->made, __ATOMIC_RELAXED);
    uint32_t looks = __atomic_load_n(&player->looks, __ATOMIC_RELAXED);

    looks = made == player->seen ? looks + 1 : 0;
    __atomic_store_n(&player->looks, looks, __ATOMIC_RELAXED);
    player->seen = made;
    if (id == 0 || looks == 0)
        return;
    (void)!thread_cancel(id);
    if (looks >= LOOKS_MAX)
        end_process(__atomic_load_n(&player->pid, __ATOMIC_RELAXED));
}

static void look_after_all(struct calls_runner *runner)
{
    uint32_t pid = __atomic_load_n(&runner->players[0].pid, __ATOMIC_RELAXED);
    bool plays = pid != runner->seen;

    for (unsigned i = 0; i < CALLS_PLAYERS; i++) {
        struct calls_player *player = &runner->players[i];

        look_after(player);
        plays = plays || __atomic_load_n(&player->kernel_thread, __ATOMIC_RELAXED) != 0;
    }
    runner->seen = pid;
    runner->looks = plays ? 0 : runner->looks + 1;
    if (runner->looks >= LOOKS_MAX)
        end_process(pid);
}

static void watch(void *argument)
{
    struct calls_scene *scene = argument;

    while (!__atomic_load_n(&scene->over, __ATOMIC_RELAXED)) {
        for (unsigned i = 0; i < scene->runners; i++)
            look_after_all(&scene->runner[i]);
        calls_keep_terminal();
        (void)thread_sleep(LOOK_NS);
    }
}

/* ---- the scene ---- */

/* Ends the processes that players have left behind. */
static bool await_silence(void)
{
    for (unsigned i = 0; i < END_LOOKS; i++) {
        struct process *process;

        process_lock();
        process = process_from(0);
        if (process)
            process_end(process, SIGNAL_KILL);
        process_unlock();
        if (!process)
            return true;
        (void)thread_sleep(END_NS);
    }
    return false;
}

/* Starts the runners and waits for them. */
static bool play_all(struct calls_scene *scene, uint64_t seed)
{
    struct thread *watcher;
    unsigned started = 0;

    if (thread_create("calls-watch", watch, scene, &watcher))
        return false;
    for (; started < scene->runners; started++) {
        struct calls_runner *runner = &scene->runner[started];

        runner->scene = scene;
        runner->chance = calls_chance_of(seed, started);
        if (thread_create("calls", run, runner, &runner->thread))
            break;
    }
    for (unsigned i = 0; i < started; i++)
        thread_join(scene->runner[i].thread);
    __atomic_store_n(&scene->over, true, __ATOMIC_RELAXED);
    thread_join(watcher);
    return started > 0;
}

bool calls_play(struct ktest_run *run, struct calls_scene *scene, uint64_t seed, int64_t budget)
{
    bool good;

    scene->budget = budget;
    scene->over = false;
    scene->logs = cmdline_flag("calls_log");
    good = calls_build(run, scene);
    good = good && KTEST_EXPECT(run, play_all(scene, seed));
    good = KTEST_EXPECT(run, await_silence()) && good;
    return (!scene->path || KTEST_EXPECT(run, calls_unbuild(scene))) && good;
}
