/* SPDX-License-Identifier: MIT */
/*
 * vnode.c: the life of vnodes: counted references, and who is whose parent.
 *
 *     vnode_init --get, put--> references 0 --release--> vnode_finish
 *
 * A directory keeps its parent, for "..". So the last reference to a directory takes one off its
 * parent, and so on: a loop here and not a recursion, for paths can be deep.
 */
#include "fs/vnode.h"

#include "fs/mount.h"

#include <hal/errno.h>
#include <hal/kstate.h>

static KSTATE struct vnodes {
    bool ready;           /* atomic; set by the first, when there is only one thread that has any */
    struct spinlock lock; /* guards the rest */
    struct list all;      /* that there are */
} vnodes;

/**
 * Who looks through all vnodes of a mount for a used one looks at one after another, and must not
 * miss a user who goes from one that comes later to one that it has passed. So whoever gets a
 * reference while it looks says so, before giving back the one from which it came.
 *
 * The change before this and the look at `watched` are in one order with the other side's: either
 * it sees the change, or this sees that it looks.
 */
static void note_move(const struct vnode *vnode)
{
    if (vnode->mount && __atomic_load_n(&vnode->mount->watched, __ATOMIC_SEQ_CST))
        __atomic_add_fetch(&vnode->mount->moves, 1, __ATOMIC_SEQ_CST);
}

static void make_ready(void)
{
    if (__atomic_load_n(&vnodes.ready, __ATOMIC_ACQUIRE))
        return;
    spinlock_init(&vnodes.lock, LOCK_RANK_VNODES);
    list_init(&vnodes.all);
    __atomic_store_n(&vnodes.ready, true, __ATOMIC_RELEASE);
}

void vnode_init(struct vnode *vnode, struct mount *mount, const struct vnode_ops *ops,
                const struct vnode_attributes *attributes)
{
    hal_irq_state_t state;

    *vnode = (struct vnode){.ops = ops, .mount = mount, .attributes = *attributes, .references = 1};
    /* Two classes of locks: a file's is taken under its directory's. */
    if (attributes->type == VNODE_DIRECTORY)
        rwlock_init(&vnode->lock);
    else
        rwlock_init(&vnode->lock);
    spinlock_init(&vnode->names_lock, LOCK_RANK_NAMES);
    tree_init(&vnode->names);
    make_ready();
    state = spinlock_acquire(&vnodes.lock);
    list_add_tail(&vnodes.all, &vnode->link);
    spinlock_release(&vnodes.lock, state);
    note_move(vnode);
}

void vnode_finish(struct vnode *vnode)
{
    hal_irq_state_t state = spinlock_acquire(&vnodes.lock);

    list_remove(&vnode->link);
    spinlock_release(&vnodes.lock, state);
}

const struct vnode *vnode_peek(const struct vnode *vnode)
{
    const struct list *next = vnode ? vnode->link.next : vnodes.all.next;

    return next && next != &vnodes.all ? list_entry(next, const struct vnode, link) : NULL;
}

struct vnode *vnode_get(struct vnode *vnode)
{
    __atomic_add_fetch(&vnode->references, 1, __ATOMIC_SEQ_CST);
    note_move(vnode);
    return vnode;
}

bool vnode_try_get(struct vnode *vnode)
{
    uint32_t references = __atomic_load_n(&vnode->references, __ATOMIC_RELAXED);

    while (references > 0)
        if (__atomic_compare_exchange_n(&vnode->references, &references, references + 1, true,
                                        __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
            note_move(vnode);
            return true;
        }
    return false;
}

bool vnode_unreference(struct vnode *vnode)
{
    return __atomic_sub_fetch(&vnode->references, 1, __ATOMIC_ACQ_REL) == 0;
}

bool vnode_put_unless_last(struct vnode *vnode)
{
    uint32_t references = __atomic_load_n(&vnode->references, __ATOMIC_RELAXED);

    while (references > 1)
        if (__atomic_compare_exchange_n(&vnode->references, &references, references - 1, true,
                                        __ATOMIC_RELEASE, __ATOMIC_RELAXED))
            return true;
    return false;
}

struct vnode *vnode_keep(struct vnode *vnode)
{
    vnode_get(vnode);
    __atomic_add_fetch(&vnode->kept, 1, __ATOMIC_SEQ_CST);
    note_move(vnode);
    return vnode;
}

struct vnode *vnode_unkeep(struct vnode *vnode)
{
    __atomic_sub_fetch(&vnode->kept, 1, __ATOMIC_SEQ_CST);
    note_move(vnode);
    return vnode;
}

/**
 * Puts what may be the last reference; if it is, returns the parent, which is to be put, too. A
 * mount with vnodes that are being released is not unmounted meanwhile, so that is counted before
 * nobody has the vnode any more.
 */
static struct vnode *put_last(struct vnode *vnode)
{
    struct mount *mount = vnode->mount;
    struct vnode *parent = NULL;

    if (mount)
        __atomic_add_fetch(&mount->leaving, 1, __ATOMIC_ACQ_REL);
    if (vnode_unreference(vnode)) {
        parent = vnode->parent;
        vnode->ops->release(vnode);
    }
    if (parent)
        vnode_unkeep(parent);
    if (mount)
        __atomic_sub_fetch(&mount->leaving, 1, __ATOMIC_RELEASE);
    return parent;
}

void vnode_put(struct vnode *vnode)
{
    while (vnode && !vnode_put_unless_last(vnode))
        vnode = put_last(vnode);
}

struct vnode *vnode_parent(struct vnode *directory)
{
    hal_irq_state_t state = spinlock_acquire(&directory->names_lock);
    struct vnode *parent = directory->parent ? vnode_get(directory->parent) : NULL;

    spinlock_release(&directory->names_lock, state);
    return parent;
}

void vnode_set_parent(struct vnode *directory, struct vnode *parent)
{
    hal_irq_state_t state = spinlock_acquire(&directory->names_lock);
    struct vnode *old = directory->parent;

    if (old != parent)
        directory->parent = vnode_keep(parent);
    spinlock_release(&directory->names_lock, state);
    if (old && old != parent)
        vnode_put(vnode_unkeep(old));
}

/* Whether somebody uses a vnode of `mount`, but for one reference to its root. */
static bool any_used(const struct mount *mount)
{
    hal_irq_state_t state = spinlock_acquire(&vnodes.lock);
    bool used = false;

    list_for_each (link, &vnodes.all) {
        const struct vnode *vnode = list_entry(link, const struct vnode, link);
        uint32_t kept = __atomic_load_n(&vnode->kept, __ATOMIC_SEQ_CST);
        uint32_t usual = kept + (vnode == mount->root);

        if (vnode->mount == mount && __atomic_load_n(&vnode->references, __ATOMIC_SEQ_CST) > usual)
            used = true;
    }
    spinlock_release(&vnodes.lock, state);
    return used;
}

/* Whether something is going on that ends by itself: vnodes are released, names are forgotten. */
static bool is_unsettled(const struct mount *mount)
{
    return __atomic_load_n(&mount->leaving, __ATOMIC_SEQ_CST) ||
           __atomic_load_n(&mount->cached, __ATOMIC_SEQ_CST);
}

int vnode_check_unused(struct mount *mount)
{
    uint32_t moves;
    int error = 0;

    __atomic_store_n(&mount->watched, true, __ATOMIC_SEQ_CST);
    moves = __atomic_load_n(&mount->moves, __ATOMIC_SEQ_CST);
    if (is_unsettled(mount))
        error = -EAGAIN;
    else if (any_used(mount))
        error = -EBUSY;
    else if (is_unsettled(mount) || __atomic_load_n(&mount->moves, __ATOMIC_SEQ_CST) != moves)
        error = -EAGAIN;
    __atomic_store_n(&mount->watched, false, __ATOMIC_RELEASE);
    return error;
}
