/* SPDX-License-Identifier: MIT */
/*
 * main.c: runs the suites of the page cache, and has their medium. TAYBERRY_RUNS sets the
 * operations of the random test.
 */
#include "cache/suites.h"

#include <hal/errno.h>

#include <stdio.h>
#include <string.h>

static int medium_map(struct cache_object *object, uint64_t page, unsigned n, bool held,
                      struct cache_map *map)
{
    struct medium *medium = object->context;

    if (medium->mapping)
        medium->mapping(medium, held);
    if (page * HAL_PAGE_SIZE >= object->size) /* by now; so does a file that has been cut */
        return -EIO;
    if (medium->scatter > 0 && n > medium->scatter - page % medium->scatter)
        n = (unsigned)(medium->scatter - page % medium->scatter);
    map->pages = n;
    map->count = 1;
    map->runs[0] = (struct cache_run){page * 8, n * 8};
    return 0;
}

static int medium_read(struct cache_object *object, uint64_t page, unsigned n, uint8_t *data,
                       const struct cache_map *map)
{
    struct medium *medium = object->context;

    ck_assert_uint_eq(map->runs[0].sector, page * 8);
    ck_assert_uint_le(n, map->pages);
    medium->reads++;
    if (medium->carrying)
        medium->carrying(medium);
    for (unsigned i = 0; i < n; i++) {
        ck_assert_uint_lt(page + i, MEDIUM_PAGES);
        if (medium->bad_reads[page + i])
            return -EIO;
        memcpy(data + i * HAL_PAGE_SIZE, medium->bytes + (page + i) * HAL_PAGE_SIZE, HAL_PAGE_SIZE);
    }
    return 0;
}

static int medium_write(struct cache_object *object, uint64_t page, unsigned n, void *const *pages,
                        const struct cache_map *map)
{
    struct medium *medium = object->context;

    ck_assert_uint_eq(map->runs[0].sector, page * 8);
    ck_assert_uint_le(n, map->pages);
    medium->writes++;
    medium->largest = n > medium->largest ? n : medium->largest;
    if (medium->carrying)
        medium->carrying(medium);
    for (unsigned i = 0; i < n; i++) {
        if (medium->bad_writes[page + i])
            return -EIO;
        memcpy(medium->bytes + (page + i) * HAL_PAGE_SIZE, pages[i], HAL_PAGE_SIZE);
        medium->pages_written++;
        if (medium->logged < sizeof medium->log)
            medium->log[medium->logged++] = (uint8_t)(page + i);
    }
    return 0;
}

static const struct cache_ops medium_ops = {
    .map = medium_map, .read = medium_read, .write = medium_write};

void medium_init(struct medium *medium, uint64_t size, uint8_t fill)
{
    memset(medium, 0, sizeof *medium);
    memset(medium->bytes, JUNK, sizeof medium->bytes);
    memset(medium->bytes, fill, size);
    cache_object_init(&medium->object, &medium_ops, medium, size);
}

int main(void)
{
    SRunner *runner = srunner_create(claims_suite());
    int failed;

    srunner_add_suite(runner, index_suite());
    srunner_add_suite(runner, model_suite());
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
