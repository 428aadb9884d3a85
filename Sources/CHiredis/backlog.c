/* Bytes that wait to be parsed. See backlog.h. */
#include "backlog.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_BYTES = 4096 };

/* See backlog.h. */
void hg_backlog_destroy(struct hg_backlog *backlog) {
    free(backlog->bytes);
}

/* See backlog.h. */
size_t hg_backlog_count(const struct hg_backlog *backlog) {
    return backlog->end - backlog->start;
}

/* Makes room for `length` bytes behind those that wait. Returns HG_OK or HG_ERR_MEMORY. */
static hg_status reserve(struct hg_backlog *backlog, size_t length) {
    size_t count = hg_backlog_count(backlog);
    size_t capacity = backlog->capacity > 0 ? backlog->capacity : FIRST_BYTES;
    char *bytes;

    if (length > backlog->capacity - backlog->end && backlog->start > 0) {
        memmove(backlog->bytes, backlog->bytes + backlog->start, count);
        backlog->start = 0;
        backlog->end = count;
    }
    if (length <= backlog->capacity - backlog->end) {
        return HG_OK;
    }
    while (capacity - count < length) {
        capacity *= 2;
    }
    bytes = realloc(backlog->bytes, capacity);
    if (bytes == NULL) {
        return HG_ERR_MEMORY;
    }
    backlog->bytes = bytes;
    backlog->capacity = capacity;
    return HG_OK;
}

/* See backlog.h. */
hg_status hg_backlog_append(struct hg_backlog *backlog, const char *bytes, size_t length) {
    if (reserve(backlog, length) != HG_OK) {
        return HG_ERR_MEMORY;
    }
    memcpy(backlog->bytes + backlog->end, bytes, length);
    backlog->end += length;
    return HG_OK;
}

/* See backlog.h. */
size_t hg_backlog_take(struct hg_backlog *backlog, size_t most, const char **bytes) {
    size_t count = hg_backlog_count(backlog);
    size_t taken = count < most ? count : most;

    *bytes = backlog->bytes + backlog->start;
    backlog->start += taken;
    if (backlog->start == backlog->end) {
        backlog->start = 0;
        backlog->end = 0;
    }
    return taken;
}
