/* SPDX-License-Identifier: MIT */
/*
 * mount.c: the kinds of file systems, and the table of what is mounted.
 *
 * Who mounts or unmounts holds the table's mutex all the while. Who walks along paths takes only
 * its spinlock, and only where something is mounted. So that nobody enters a mount while it goes,
 * "nobody uses it" is found out and the mount taken off its directory under that spinlock in one
 * step; the name cache has forgotten the mount before.
 */
#include "fs/mount.h"

#include "fs/path/name_cache.h"
#include "fs/vfs.h"
#include "heap/heap.h"
#include "lib/string.h"
#include "thread/thread.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/time.h>

#define WAIT_NS 1000000u /* between looks at what is about to end: 1 ms */
#define WAITS 200u

static KSTATE struct mounts {
    bool ready; /* set at boot */
    const struct file_system *types[FILE_SYSTEMS_MAX];
    unsigned type_count;
    struct mutex mutex;
    struct list claims;   /* guarded by the mutex, as the next */
    uint64_t changes;     /* mounts and claims there ever were */
    struct spinlock lock; /* guards the rest, and all covered_by */
    struct list all;      /* in the order of mounting */
    struct mount *root;   /* of all, or NULL */
    uint32_t latest_number;
} mounts;

/* ---- kinds ---- */

void file_system_register(const struct file_system *type)
{
    if (!mounts.ready) {
        mutex_init(&mounts.mutex);
        spinlock_init(&mounts.lock, LOCK_RANK_NAMES);
        list_init(&mounts.all);
        list_init(&mounts.claims);
        mounts.ready = true;
    }
    for (unsigned i = 0; i < mounts.type_count; i++)
        if (mounts.types[i] == type)
            return;
    if (mounts.type_count < FILE_SYSTEMS_MAX)
        mounts.types[mounts.type_count++] = type;
}

const struct file_system *file_system_next(const struct file_system *type)
{
    unsigned i = 0;

    while (type && i < mounts.type_count && mounts.types[i++] != type)
        continue;
    return i < mounts.type_count ? mounts.types[i] : NULL;
}

static const struct file_system *find_type(const char *name)
{
    for (unsigned i = 0; i < mounts.type_count; i++)
        if (string_equal(mounts.types[i]->name, name))
            return mounts.types[i];
    return NULL;
}

/* ---- options ---- */

bool mount_next_option(const char **options, struct mount_option *option)
{
    const char *at = *options;

    while (*at == ',')
        at++;
    *option = (struct mount_option){.name = at};
    for (; *at && *at != ','; at++) {
        if (option->value)
            option->value_bytes++;
        else if (*at == '=')
            option->value = at + 1;
        else
            option->name_bytes++;
    }
    *options = at;
    return at != option->name;
}

bool mount_option_is(const struct mount_option *option, const char *name)
{
    for (size_t i = 0; i < option->name_bytes; i++)
        if (name[i] != option->name[i]) /* also where the name ends */
            return false;
    return name[option->name_bytes] == '\0';
}

static bool has_option(const char *options, const char *name)
{
    struct mount_option option;
    bool has = false;

    while (mount_next_option(&options, &option))
        has = has || mount_option_is(&option, name);
    return has;
}

/* ---- ways through the table ---- */

struct vnode *vfs_root(void)
{
    struct vnode *root = NULL;
    hal_irq_state_t state;

    if (!mounts.ready)
        return NULL;
    state = spinlock_acquire(&mounts.lock);
    if (mounts.root)
        root = vnode_get(mounts.root->root);
    spinlock_release(&mounts.lock, state);
    return root;
}

void mount_cross(struct vnode **vnode)
{
    while (__atomic_load_n(&(*vnode)->covered_by, __ATOMIC_RELAXED)) {
        hal_irq_state_t state = spinlock_acquire(&mounts.lock);
        struct mount *mount = (*vnode)->covered_by;
        struct vnode *root = mount ? vnode_get(mount->root) : NULL;

        spinlock_release(&mounts.lock, state);
        if (!root)
            return;
        vnode_put(*vnode);
        *vnode = root;
    }
}

struct vnode *mount_covered(struct mount *mount)
{
    return mount && mount->covered ? vnode_get(mount->covered) : NULL;
}

/** Mount number `index`, with a reference to its root. */
static struct mount *get_mount(unsigned index, struct vnode **root)
{
    struct mount *found = NULL;
    hal_irq_state_t state;

    if (!mounts.ready)
        return NULL;
    state = spinlock_acquire(&mounts.lock);
    list_for_each (link, &mounts.all) {
        if (index-- == 0) {
            found = list_entry(link, struct mount, link);
            *root = vnode_get(found->root);
            break;
        }
    }
    spinlock_release(&mounts.lock, state);
    return found;
}

struct mount *mount_at(unsigned index, struct vnode **root, char *path, size_t size)
{
    struct mount *mount = get_mount(index, root);

    if (mount && vfs_path_of(*root, path, size) != 0)
        string_copy(path, size, "?");
    return mount;
}

/* ---- mounting ---- */

static struct mount *create_mount(const struct file_system *type, const struct block_device *device,
                                  const char *options)
{
    struct mount *mount = kcalloc(1, sizeof(*mount));

    if (!mount)
        return NULL;
    mount->type = type;
    mutex_init(&mount->rename);
    string_copy(mount->device, sizeof(mount->device), device ? device->name : type->name);
    string_copy(mount->options, sizeof(mount->options), options);
    mount->read_only = has_option(options, "ro") || (device && device->read_only);
    return mount;
}

/** Enters a mount whose root is there. Caller holds the mutex. */
static int attach(struct mount *mount, struct vnode *covered)
{
    hal_irq_state_t state;
    int error = 0;

    if (covered)
        rwlock_write(&covered->lock);
    state = spinlock_acquire(&mounts.lock);
    if (covered ? covered->covered_by != NULL : mounts.root != NULL)
        error = -EBUSY;
    else if (covered && covered->attributes.links == 0)
        error = -ENOENT;
    if (!error) {
        mount->number = ++mounts.latest_number;
        mount->covered = covered ? vnode_get(covered) : NULL;
        mount->parent = covered ? covered->mount : NULL;
        list_add_tail(&mounts.all, &mount->link);
        if (covered)
            __atomic_store_n(&covered->covered_by, mount, __ATOMIC_RELEASE);
        else
            mounts.root = mount;
    }
    spinlock_release(&mounts.lock, state);
    if (covered)
        rwlock_end_write(&covered->lock);
    return error;
}

/** Lets go of a mount that is not in the table any more. */
static int destroy(struct mount *mount)
{
    int error;

    vnode_put(mount->root);
    error = mount->type->unmount(mount);
    if (mount->open)
        block_close(mount->open);
    kfree(mount);
    return error;
}

static int add_on(struct vnode *covered, const struct file_system *type,
                  const struct block_device *device, const char *options, struct problem *problem)
{
    struct mount *mount = create_mount(type, device, options);
    int error;

    if (!mount)
        return -ENOMEM;
    mounts.changes++;
    /* A device that is in no table cannot be taken away either. */
    if (device && block_open(device->name, &mount->open))
        mount->open = NULL;
    error = type->mount(mount, device, options, problem);
    if (error) {
        if (mount->open)
            block_close(mount->open);
        kfree(mount);
        return error;
    }
    error = attach(mount, covered);
    if (error)
        (void)destroy(mount); /* nothing has been written to it */
    return error;
}

/** The directory to cover, or NULL for the root of all. */
static int find_place(const char *path, struct vnode **covered)
{
    struct vnode *root = vfs_root();
    int error;

    *covered = NULL;
    if (!root)
        return string_equal(path, "/") ? 0 : -ENOMEDIUM;
    vnode_put(root);
    error = vfs_find(NULL, path, 0, covered);
    if (error)
        return error;
    if ((*covered)->attributes.type != VNODE_DIRECTORY)
        error = -ENOTDIR;
    else if ((*covered)->mount->root == *covered)
        error = -EBUSY;
    else if ((*covered)->mount->names_change) /* a process's: nobody finds it when that has ended */
        error = -EPERM;
    if (error)
        vnode_put(*covered);
    return error;
}

static bool share_sectors(const struct block_device *a, const struct block_device *b)
{
    return a->disk == b->disk && a->first < b->first + b->sectors &&
           b->first < a->first + a->sectors;
}

bool mount_is_on(const struct mount *mount, const struct block_device *device)
{
    return mount->type->needs_device && (string_equal(mount->device, device->name) ||
                                         (mount->open && share_sectors(mount->open, device)));
}

/**
 * True if anybody may write to sectors of that device: two would not know of each other. Caller
 * holds the mutex.
 */
static bool is_used(const struct block_device *device)
{
    list_for_each (link, &mounts.claims) {
        if (share_sectors(list_entry(link, struct mount_claim, link)->device, device))
            return true;
    }
    list_for_each (link, &mounts.all) {
        if (mount_is_on(list_entry(link, struct mount, link), device))
            return true;
    }
    return false;
}

bool mount_is_used(const struct block_device *device, uint64_t *changes)
{
    bool used;

    mutex_lock(&mounts.mutex);
    used = is_used(device);
    *changes = mounts.changes;
    mutex_unlock(&mounts.mutex);
    return used;
}

int mount_begin_claim(struct mount_claim *claim, const struct block_device *device)
{
    bool busy;

    mutex_lock(&mounts.mutex);
    busy = is_used(device);
    if (!busy) {
        mounts.changes++;
        claim->device = device;
        list_add_tail(&mounts.claims, &claim->link);
    }
    mutex_unlock(&mounts.mutex);
    return busy ? -EBUSY : 0;
}

void mount_end_claim(struct mount_claim *claim)
{
    mutex_lock(&mounts.mutex);
    list_remove(&claim->link);
    mutex_unlock(&mounts.mutex);
}

int mount_add(const char *type_name, const struct block_device *device, const char *path,
              const char *options, struct problem *problem)
{
    const struct file_system *type = find_type(type_name);
    struct vnode *covered;
    int error;

    problem_clear(problem);
    if (!type || (type->needs_device && !device))
        return -ENODEV;
    if (string_length(options) > MOUNT_OPTIONS_MAX)
        return -EINVAL;
    mutex_lock(&mounts.mutex);
    error = device && is_used(device) ? -EBUSY : find_place(path, &covered);
    if (!error) {
        error = add_on(covered, type, device, options, problem);
        vnode_put(covered);
    }
    mutex_unlock(&mounts.mutex);
    if (error == -ENOMEM && problem->what[0] == '\0')
        problem_set(problem, "Give the machine more memory.", "Out of memory: no room to mount.");
    return error;
}

int mount_recover(const char *type_name, const struct block_device *device)
{
    const struct file_system *type = find_type(type_name);
    struct mount *mount = type ? create_mount(type, device, "") : NULL;
    struct problem problem;
    int error;

    if (!mount)
        return type ? -ENOMEM : -ENODEV;
    error = type->mount(mount, device, "", &problem);
    if (!error)
        return destroy(mount);
    kfree(mount);
    return error;
}

/* ---- unmounting ---- */

/** True if anything is mounted in `mount`. Caller holds the mutex, as below. */
static bool has_mounts(const struct mount *mount)
{
    list_for_each (link, &mounts.all) {
        if (list_entry(link, const struct mount, link)->parent == mount)
            return true;
    }
    return false;
}

/** Takes the mount out of the table, unless it is used. */
static int detach(struct mount *mount)
{
    hal_irq_state_t state = spinlock_acquire(&mounts.lock);
    int error = vnode_check_unused(mount);

    if (!error) {
        list_remove(&mount->link);
        if (mount->covered)
            __atomic_store_n(&mount->covered->covered_by, NULL, __ATOMIC_RELEASE);
        else
            mounts.root = NULL;
    }
    spinlock_release(&mounts.lock, state);
    return error;
}

static int remove_mount(struct mount *mount)
{
    struct vnode *covered = mount->covered;
    int error = has_mounts(mount) ? -EBUSY : -EAGAIN;

    for (unsigned i = 0; error == -EAGAIN && i < WAITS; i++) {
        if (i > 0)
            (void)thread_sleep_until(hal_time_now() + WAIT_NS);
        name_cache_forget_mount(mount);
        error = detach(mount);
    }
    if (error)
        return error == -EAGAIN ? -EBUSY : error;
    error = destroy(mount);
    vnode_put(covered);
    return error;
}

int mount_remove(const char *path)
{
    struct vnode *root;
    struct mount *mount = NULL;
    int error;

    if (!mounts.ready)
        return -ENOMEDIUM;
    mutex_lock(&mounts.mutex);
    error = vfs_find(NULL, path, 0, &root);
    if (!error) {
        if (root->mount->root == root)
            mount = root->mount;
        vnode_put(root);
        error = mount ? remove_mount(mount) : -EINVAL;
    }
    mutex_unlock(&mounts.mutex);
    return error;
}

void mount_remove_all(void)
{
    struct list *link;

    if (!mounts.ready)
        return;
    mutex_lock(&mounts.mutex);
    for (link = mounts.all.prev; link != &mounts.all;) {
        struct mount *mount = list_entry(link, struct mount, link);

        link = link->prev;
        if (remove_mount(mount) == -EBUSY && mount->type->sync)
            (void)mount->type->sync(mount);
    }
    mutex_unlock(&mounts.mutex);
}

int mount_sync_all(void)
{
    int first_error = 0;

    if (!mounts.ready)
        return 0;
    mutex_lock(&mounts.mutex);
    list_for_each (link, &mounts.all) {
        struct mount *mount = list_entry(link, struct mount, link);
        int error = mount->type->sync ? mount->type->sync(mount) : 0;

        if (!first_error)
            first_error = error;
    }
    mutex_unlock(&mounts.mutex);
    return first_error;
}
