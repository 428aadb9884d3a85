/*
 * The reply being built: what hiredis' reader finds, kept as nodes and text within bounds.
 *
 *     node        0       1         2                 text
 *     types       ARRAY   INTEGER   STRING            "ok"
 *     integers    2       7         2                  ^
 *     offsets     0       0         0  ----------------+
 *
 * The arrays grow by doubling up to the bounds and are kept from reply to reply.
 */
#ifndef CHIREDIS_BUILDER_H
#define CHIREDIS_BUILDER_H

#include "CHiredis.h"

#include "hiredis_headers.h"

/* The most arrays that may stand around an array: what hiredis 0.14 allows. hiredis 1.x would allow 1,024. */
#define HG_BUILDER_MAX_PARENTS 7

struct hg_builder {
    hg_reader_bounds bounds;
    const redisReader *parser; /* whose buffer the texts lie in */

    size_t count;    /* nodes so far */
    size_t capacity; /* nodes that the three arrays have room for */
    uint8_t *types;
    int64_t *integers;
    size_t *offsets;

    char *text;
    size_t text_length;
    size_t text_capacity;

    size_t announced; /* elements that this reply's array headers promised together */
    size_t numbers;   /* integer nodes so far */

    hg_status failure;  /* why an object function returned NULL, which hiredis can only call "out of memory" */
    const char *reason; /* the same as a static text */
};

/* Readies a zeroed builder. Returns HG_OK or HG_ERR_MEMORY; either way hg_builder_destroy frees what it owns. */
hg_status hg_builder_create(struct hg_builder *builder, hg_reader_bounds bounds);

/* Frees all that the builder owns. A zeroed builder is allowed. */
void hg_builder_destroy(struct hg_builder *builder);

/* Forgets the last reply. Keeps the memory. */
void hg_builder_begin(struct hg_builder *builder);

/* Writes the finished reply to *reply. Its pointers stay the builder's and are valid until it begins again. */
void hg_builder_finish(const struct hg_builder *builder, hg_reply *reply);

/* Returns the functions through which hiredis' reader fills the builder that is its privdata. */
redisReplyObjectFunctions hg_builder_functions(void);

#endif
