/*
 * Bytes that wait to be parsed, first in, first out:
 *
 *     [ taken | waiting | free ]
 *             ^ start   ^ end  ^ capacity
 */
#ifndef CHIREDIS_BACKLOG_H
#define CHIREDIS_BACKLOG_H

#include "CHiredis.h"

/* A zeroed backlog is an empty one. */
struct hg_backlog {
    char *bytes;
    size_t start;
    size_t end;
    size_t capacity;
};

/* Frees what the backlog owns. */
void hg_backlog_destroy(struct hg_backlog *backlog);

/* Returns how many bytes wait. */
size_t hg_backlog_count(const struct hg_backlog *backlog);

/* Appends a copy of `length` bytes. Returns HG_OK, or HG_ERR_MEMORY and no byte was lost. The caller bounds the sum. */
hg_status hg_backlog_append(struct hg_backlog *backlog, const char *bytes, size_t length);

/* Takes at most `most` bytes. Returns how many, 0 when none wait. *bytes is valid until the next append. */
size_t hg_backlog_take(struct hg_backlog *backlog, size_t most, const char **bytes);

#endif
