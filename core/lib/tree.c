/* SPDX-License-Identifier: MIT */
/*
 * tree.c: AVL trees (see tree.h for the rule).
 *
 * After a node was added or taken out, only the heights on the way from there to the root can be
 * wrong. settle() walks that way, sets each height anew and, where the sides differ by two, turns
 * the node away from the higher side:
 *
 *          node                high             The side of `high` that leans inwards (B) must not
 *         /    \              /    \            be the higher one, or turning would only move the
 *      high     C    ==>     A     node         trouble: then `high` is first turned the other way.
 *     /    \                      /    \
 *    A      B                    B      C
 *
 * It ends as soon as a height comes out as it was: those above cannot have changed. The right side
 * is the mirror image, so sides are numbers: 0 is left, 1 is right, and !side the other one.
 */
#include "lib/tree.h"

static unsigned height_of(const struct tree_node *node)
{
    return node ? node->height : 0;
}

static void update_height(struct tree_node *node)
{
    unsigned left = height_of(node->child[0]), right = height_of(node->child[1]);

    node->height = (left > right ? left : right) + 1;
}

static void set_child(struct tree_node *parent, unsigned side, struct tree_node *child)
{
    parent->child[side] = child;
    if (child)
        child->parent = parent;
}

/* Lets `new` (NULL: nothing) hang where `old` hangs. */
static void replace(struct tree *tree, const struct tree_node *old, struct tree_node *new)
{
    struct tree_node *parent = old->parent;

    if (parent) {
        set_child(parent, parent->child[1] == old, new);
    } else {
        tree->root = new;
        if (new)
            new->parent = NULL;
    }
}

/* Moves `node` down to `side`; its other child, which takes its place, is returned. */
static struct tree_node *turn(struct tree *tree, struct tree_node *node, unsigned side)
{
    struct tree_node *up = node->child[!side];

    replace(tree, node, up);
    set_child(node, !side, up->child[side]);
    set_child(up, side, node);
    update_height(node);
    update_height(up);
    return up;
}

/* Makes the rule hold at `node`, whose sides are right in themselves; returns who stands there. */
static struct tree_node *balance(struct tree *tree, struct tree_node *node)
{
    unsigned left = height_of(node->child[0]), right = height_of(node->child[1]);
    unsigned side = right > left; /* the higher one */
    struct tree_node *high = node->child[side];

    if (left <= right + 1 && right <= left + 1) {
        update_height(node);
        return node;
    }
    if (height_of(high->child[!side]) > height_of(high->child[side]))
        (void)turn(tree, high, side);
    return turn(tree, node, !side);
}

static void settle(struct tree *tree, struct tree_node *node)
{
    while (node) {
        unsigned before = node->height;

        node = balance(tree, node);
        if (node->height == before)
            return;
        node = node->parent;
    }
}

/* Hangs `node` below `parent` (NULL: it becomes the root), where nothing hangs. */
static void attach(struct tree *tree, struct tree_node *node, struct tree_node *parent,
                   unsigned side)
{
    *node = (struct tree_node){.parent = parent, .height = 1};
    if (parent)
        parent->child[side] = node;
    else
        tree->root = node;
    if (parent == tree->first && side == 0) /* left of the least, or the first of all */
        tree->first = node;
    settle(tree, parent);
}

void tree_insert(struct tree *tree, struct tree_node *node, const void *key, tree_compare *compare)
{
    struct tree_node *parent = NULL, *at = tree->root;
    unsigned side = 0;

    while (at) {
        parent = at;
        side = compare(key, at) >= 0;
        at = at->child[side];
    }
    attach(tree, node, parent, side);
}

struct tree_node *tree_insert_new(struct tree *tree, struct tree_node *node, const void *key,
                                  tree_compare *compare)
{
    struct tree_node *parent = NULL, *at = tree->root;
    unsigned side = 0;

    while (at) {
        int order = compare(key, at);

        if (order == 0)
            return at;
        parent = at;
        side = order > 0;
        at = at->child[side];
    }
    attach(tree, node, parent, side);
    return NULL;
}

void tree_replace(struct tree *tree, struct tree_node *node, struct tree_node *heir)
{
    heir->height = node->height;
    set_child(heir, 0, node->child[0]);
    set_child(heir, 1, node->child[1]);
    replace(tree, node, heir);
    if (tree->first == node)
        tree->first = heir;
    tree_node_init(node);
}

/* The outermost node on `side` of the tree that begins at `node`. */
static struct tree_node *outermost(struct tree_node *node, unsigned side)
{
    while (node && node->child[side])
        node = node->child[side];
    return node;
}

/* Takes out `node`, which has two children: the next one, which has no left child, takes its place.
 * Returns where heights may be wrong from. */
static struct tree_node *remove_inner(struct tree *tree, struct tree_node *node)
{
    struct tree_node *heir = outermost(node->child[1], 0);
    struct tree_node *from = heir->parent == node ? heir : heir->parent;

    replace(tree, heir, heir->child[1]);
    set_child(heir, 0, node->child[0]);
    set_child(heir, 1, node->child[1]);
    heir->height = node->height;
    replace(tree, node, heir);
    return from;
}

void tree_remove(struct tree *tree, struct tree_node *node)
{
    struct tree_node *from = node->parent;

    if (!tree_linked(node))
        return;
    if (tree->first == node)
        tree->first = tree_next(node);
    if (node->child[0] && node->child[1])
        from = remove_inner(tree, node);
    else
        replace(tree, node, node->child[0] ? node->child[0] : node->child[1]);
    settle(tree, from);
    tree_node_init(node);
}

struct tree_node *tree_lower_bound(const struct tree *tree, const void *key, tree_compare *compare)
{
    struct tree_node *at = tree->root, *found = NULL;

    while (at) {
        bool beyond = compare(key, at) > 0; /* the key comes after this one: look on its right */

        if (!beyond)
            found = at;
        at = at->child[beyond];
    }
    return found;
}

struct tree_node *tree_find(const struct tree *tree, const void *key, tree_compare *compare)
{
    struct tree_node *found = tree_lower_bound(tree, key, compare);

    return found && compare(key, found) == 0 ? found : NULL;
}

struct tree_node *tree_last(const struct tree *tree)
{
    return outermost(tree->root, 1);
}

/* One step towards `side`: the nearest below on that side, or else the first ancestor that `node`
 * lies on the other side of. */
static struct tree_node *step(const struct tree_node *node, unsigned side)
{
    if (node->child[side])
        return outermost(node->child[side], !side);
    while (node->parent && node->parent->child[side] == node)
        node = node->parent;
    return node->parent;
}

struct tree_node *tree_next(const struct tree_node *node)
{
    return step(node, 1);
}

struct tree_node *tree_previous(const struct tree_node *node)
{
    return step(node, 0);
}
