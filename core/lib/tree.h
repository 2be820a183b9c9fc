/* SPDX-License-Identifier: MIT */
/*
 * tree.h: intrusive balanced binary trees: sorted objects, each found in about log2(n) steps.
 *
 * The nodes lie inside the objects, as the links of list.h do, so adding and removing allocate
 * nothing and cannot fail; and nothing here calls itself, so a kernel stack is deep enough for any
 * tree. The owner's lock guards a tree.
 *
 * Order: what is left of a node comes before it, what is right of it after it. Equal objects are
 * allowed and stay in the order in which they were inserted.
 *
 * Balance (AVL, after Adelson-Velsky and Landis): the two sides of any node differ in height by at
 * most one. A tree of height h then has at least F(h + 2) - 1 nodes, F being the Fibonacci numbers,
 * so its height is at most 1.44 log2(n): 20 steps for 10,000 objects. Here with the heights:
 *
 *            40:4                    40:3
 *           /    \                  /    \             20 with a left side of height 2 and none
 *        20:3     60:2           10:2     60:2         on its right breaks the rule; turning it
 *        /          \    ==>     /  \        \         to the right about 10 mends it, and keeps
 *     10:2          80:1       5:1  20:1     80:1      5 < 10 < 20 < 40.
 *     /
 *   5:1
 *
 * A node that is in no tree is its own parent after tree_node_init or tree_remove.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct tree_node {
    struct tree_node *parent;   /**< NULL: the root */
    struct tree_node *child[2]; /**< left and right */
    unsigned height;            /**< of the tree that begins here: 1 for a leaf */
};

struct tree {
    struct tree_node *root;  /**< NULL: the tree is empty */
    struct tree_node *first; /**< the least, always at hand */
};

/** How `key` compares to the object of `node`: negative (it comes before), 0 or positive. */
typedef int tree_compare(const void *key, const struct tree_node *node);

/** The object of type `type` whose member `member` is the node `node`. */
#define tree_entry(node, type, member) ((type *)((char *)(node)-offsetof(type, member)))

/** Walks from the first node to the last. The body must not remove `node`. */
#define tree_for_each(node, tree) \
    for (struct tree_node *node = tree_first(tree); node; node = tree_next(node))

/** As tree_for_each, but the body may remove `node` and free its object. */
#define tree_for_each_safe(node, tree) \
    for (struct tree_node *node = tree_first(tree), *node##_next = node ? tree_next(node) : NULL; \
         node; node = node##_next, node##_next = node ? tree_next(node) : NULL)

static inline void tree_init(struct tree *tree)
{
    tree->root = NULL;
    tree->first = NULL;
}

static inline bool tree_empty(const struct tree *tree)
{
    return !tree->root;
}

/** Makes a node that is in no tree. Inserting does not need it; tree_linked and tree_remove do. */
static inline void tree_node_init(struct tree_node *node)
{
    node->parent = node;
}

/** True while `node` is in a tree. */
static inline bool tree_linked(const struct tree_node *node)
{
    return node->parent != node;
}

/** Adds `node`, which is in no tree and whose key is `key`, behind all that are equal to it. */
void tree_insert(struct tree *tree, struct tree_node *node, const void *key, tree_compare *compare);

/**
 * As tree_insert, but only if no node equals `key`: returns NULL, or else the one that does, and
 * has added nothing.
 */
struct tree_node *tree_insert_new(struct tree *tree, struct tree_node *node, const void *key,
                                  tree_compare *compare);

/**
 * Puts `heir`, which is in no tree, in the place of `node`, which is in `tree` and in none
 * afterwards. Takes no steps: that the order is still right is the caller's affair.
 */
void tree_replace(struct tree *tree, struct tree_node *node, struct tree_node *heir);

/** Takes `node` out of `tree`, if it is in it (it may be in no tree, but not in another one). */
void tree_remove(struct tree *tree, struct tree_node *node);

/** The first node that equals `key`, or NULL. */
struct tree_node *tree_find(const struct tree *tree, const void *key, tree_compare *compare);

/** The first node that does not come before `key`, or NULL. */
struct tree_node *tree_lower_bound(const struct tree *tree, const void *key, tree_compare *compare);

/** The first node of all, or NULL if the tree is empty. Takes no steps at all. */
static inline struct tree_node *tree_first(const struct tree *tree)
{
    return tree->first;
}

/** The last node of all, or NULL if the tree is empty. */
struct tree_node *tree_last(const struct tree *tree);

/** The node behind or before `node`, which is in a tree, or NULL. */
struct tree_node *tree_next(const struct tree_node *node);
struct tree_node *tree_previous(const struct tree_node *node);
