/* SPDX-License-Identifier: MIT */
/*
 * scene.c: who plays calls, where, and who sees to it that all comes to an end.
 *
 * A player that sleeps in a call is woken by the watcher, who cancels it as a signal would. One
 * that is not to be woken is ended.
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
#define LIFE 250u /* calls of a player */
#define JUDGED 4u /* one in so many calls */
#define END_NS 1000000u
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

/* The number of a call to be tried: an end is tried less often than others. */
static unsigned choose_call(struct calls_chance *chance)
{
    unsigned number;

    do
        number = 1 + calls_below(chance, SYS_COUNT - 1);
    while (!sys_call_at(number)->run || string_equal(sys_call_at(number)->name, "reboot") ||
           ((number == SYS_EXIT || number == SYS_EXIT_GROUP) && calls_below(chance, 16)));
    return number;
}

static void play_once(struct calls_player *player)
{
    struct calls_scene *scene = player->scene;
    unsigned number = choose_call(&player->chance);
    const struct sys_call *call = sys_call_at(number);
    struct sys_args args;
    int64_t result;

    calls_choose(&player->chance, call->kinds, player->pid, &args);
    if (cmdline_flag("calls_log"))
        log_call(call, &args, "");
    if (scene->judges && calls_below(&player->chance, JUDGED) == 0)
        result = judge(scene, number, &args);
    else
        result = call->run(&args);
    count(&scene->made);
    if (result >= 0)
        count(&scene->good);
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

/* Files 0 .. 4 of a new process, and its directory. */
static int give_files(struct process *process, struct calls_scene *scene)
{
    static const struct {
        const char *path;
        unsigned flags;
    } files[] = {{"null", FILE_READ_WRITE},
                 {"null", FILE_READ_WRITE},
                 {"f0", FILE_READ_WRITE | FILE_CREATE},
                 {"f1", FILE_READ_WRITE | FILE_CREATE},
                 {".", FILE_READ_ONLY}};
    int error = 0;

    process->directory = vnode_get(scene->root);
    process->files = descriptor_table_create();
    if (!process->files)
        return -ENOMEM;
    for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct file *file;

        if (file_open(scene->root, files[i].path, files[i].flags, 0644, &file))
            continue; /* another life has made something else of it */
        error = descriptor_set(process->files, file, i, false);
        if (error) {
            file_put(file);
            return error;
        }
    }
    return 0;
}

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
    int error = user_thread_create(process, &player->thread);

    if (error)
        return error;
    hal_user_init(&player->thread->user, CALLS_CODE, CALLS_STACK);
    player->scene = runner->scene;
    player->chance = calls_chance_of(calls_bits(&runner->chance), number);
    player->left = 1 + calls_below(&runner->chance, 2 * LIFE);
    player->pid = process->pid;
    player->looks = 0;
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

static int live(struct calls_runner *runner)
{
    struct process *process = process_create(NULL);
    struct process_ending ending;
    int error;

    if (!process)
        return -ENOMEM;
    process->awaited = true;
    error = give_files(process, runner->scene);
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

    player->looks = made == player->seen ? player->looks + 1 : 0;
    player->seen = made;
    if (id == 0 || player->looks == 0)
        return;
    (void)!thread_cancel(id);
    if (player->looks >= LOOKS_MAX)
        end_process(player->pid);
}

static void watch(void *argument)
{
    struct calls_scene *scene = argument;

    while (!scene->over) {
        for (unsigned i = 0; i < scene->runners; i++)
            for (unsigned k = 0; k < CALLS_PLAYERS; k++)
                look_after(&scene->runner[i].players[k]);
        (void)thread_sleep(LOOK_NS);
    }
}

/* ---- the scene ---- */

static int put_file(struct vnode *root, const char *path, unsigned mode, const void *bytes,
                    size_t n)
{
    struct file *file;
    int error = file_open(root, path, FILE_WRITE_ONLY | FILE_CREATE, mode, &file);
    int64_t done;

    if (error)
        return error;
    done = file_write(file, bytes, n);
    file_put(file);
    return done == (int64_t)n ? 0 : -EIO;
}

/* The device that is called `path` gets another name, in the scene, where it may be removed. */
static int put_device(struct vnode *root, const char *path, const char *name)
{
    struct vnode_attributes attributes;
    struct vnode *vnode, *created;
    int error = vfs_find(NULL, path, 0, &vnode);

    if (error)
        return error;
    vfs_attributes(vnode, &attributes);
    vnode_put(vnode);
    error = vfs_create(root, name, &attributes, &created);
    if (!error)
        vnode_put(created);
    return error;
}

static int put_devices(struct vnode *root)
{
    static const char *const names[][2] = {
        {"/dev/null", "null"},     {"/dev/zero", "zero"},      {"/dev/full", "full"},
        {"/dev/random", "chance"}, {"/dev/gpiochip0", "pins"},
    };
    int error = 0;

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]) && !error; i++)
        error = put_device(root, names[i][0], names[i][1]);
    return error;
}

static int furnish(struct vnode *root)
{
    static const char words[] = "some bytes to be read, written over, and mapped\n";
    static const char script[] = "#!prog argument\n";
    int error = put_file(root, "f0", 0644, words, sizeof(words));

    if (!error)
        error = put_file(root, "f1", 0644, words, sizeof(words));
    if (!error)
        error = put_file(root, "script", 0755, script, sizeof(script) - 1);
    if (!error)
        error = put_file(root, "garbage", 0755, "\177ELF\2\1\1", 7);
    if (!error)
        error = put_devices(root);
    if (!error)
        error = vfs_mkdir(root, "d", 0755);
    if (!error)
        error = vfs_mkdir(root, "d/e", 0755);
    if (!error)
        error = put_file(root, "d/f4", 0600, words, sizeof(words));
    if (!error)
        error = vfs_symlink(root, "link", "d/f4");
    if (!error)
        error = vfs_symlink(root, "loop", "d/up");
    return error ? error : vfs_symlink(root, "d/up", "../loop");
}

/* Mounts a ramfs where nobody needs what is there. */
static bool build(struct ktest_run *run, struct calls_scene *scene)
{
    static const char *const places[] = {"/", "/tmp", "/docs", "/card/docs"};
    struct problem problem;

    for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (mount_add("ramfs", NULL, places[i], "", &problem) != 0)
            continue;
        scene->path = places[i];
        return KTEST_EXPECT(run, vfs_find(NULL, places[i], 0, &scene->root) == 0) &&
               KTEST_EXPECT(run, furnish(scene->root) == 0);
    }
    run->skipped = "no folder to mount on";
    return false;
}

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

/* Vnodes go when the last threads have given up what they had: soon. */
static bool unbuild(struct calls_scene *scene)
{
    int error = -EBUSY;

    vnode_put(scene->root);
    scene->root = NULL;
    for (unsigned i = 0; i < 1000 && error; i++) {
        error = mount_remove(scene->path);
        if (error)
            (void)thread_sleep(END_NS);
    }
    if (error)
        tty_print("# %s is not unmounted: error %d\n", scene->path, -error);
    return error == 0;
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
    scene->over = true;
    thread_join(watcher);
    return started > 0;
}

bool calls_play(struct ktest_run *run, struct calls_scene *scene, uint64_t seed, int64_t budget)
{
    bool good;

    scene->budget = budget;
    scene->over = false;
    good = build(run, scene);
    good = good && KTEST_EXPECT(run, play_all(scene, seed));
    good = KTEST_EXPECT(run, await_silence()) && good;
    return (!scene->path || KTEST_EXPECT(run, unbuild(scene))) && good;
}
