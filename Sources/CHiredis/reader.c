/* Replies: bytes in, whole replies out, in time linear in the bytes however they are split. */
#include "CHiredis.h"

#include <stdlib.h>
#include <string.h>

#include "backlog.h"
#include "builder.h"
#include "hiredis_headers.h"

/* hiredis moves the rest of its buffer after each 1,024 bytes parsed, so it gets SLICE bytes at a time. FRAMING is room
 * for what RESP adds to a bulk string as long as the bound: a type byte, a length and two line ends. */
enum { SLICE = 4096, FRAMING = 32 };

/* The largest bounds: Redis' own limit for a bulk string, and far below where sums of them could overflow. */
static const size_t most_elements = (size_t)16 * 1024 * 1024;
static const size_t most_bytes = (size_t)512 * 1024 * 1024;

/* Bytes pass from the backlog to the parser's buffer slice by slice, and from there into the builder:
 *
 *     parser    [ parsed | held: the start of a reply | free ]
 *                        ^ pos                        ^ len
 */
struct hg_reader {
    struct hg_backlog backlog;
    struct hg_builder builder;
    redisReplyObjectFunctions functions;
    redisReader *parser;

    int reading;     /* 1 between the first and the last byte of a reply */
    size_t wanted;   /* held bytes below which parsing cannot get further */
    int wants_line;  /* 1 when parsing cannot get further before a line ends */
    size_t searched; /* held bytes known to have no line end, while wants_line */

    hg_status failure;
    const char *reason;
};

/* Notes why the reader failed. Returns `failure`. */
static hg_status fail(hg_reader *reader, hg_status failure, const char *reason) {
    reader->failure = failure;
    reader->reason = reason;
    return failure;
}

/* Returns how many bytes the parser holds unparsed. */
static size_t held(const hg_reader *reader) {
    return reader->parser->len - reader->parser->pos;
}

/* See CHiredis.h. The caller owns the result. */
hg_reader *hg_reader_create(hg_reader_bounds bounds) {
    hg_reader *reader;

    if (bounds.elements == 0 || bounds.elements > most_elements || bounds.bytes == 0 || bounds.bytes > most_bytes) {
        return NULL;
    }
    reader = calloc(1, sizeof(*reader));
    if (reader == NULL || hg_builder_create(&reader->builder, bounds) != HG_OK) {
        goto failed;
    }
    reader->functions = hg_builder_functions();
    reader->parser = redisReaderCreateWithFunctions(&reader->functions);
    if (reader->parser == NULL) {
        goto failed;
    }
    reader->parser->privdata = &reader->builder;
    /* Zero keeps the buffer, which our bounds limit: hiredis 0.14 asserts that replacing a large one never fails. */
    reader->parser->maxbuf = 0;
    reader->builder.parser = reader->parser;
    reader->wanted = 1;
    reader->reason = "";
    return reader;

failed:
    hg_reader_free(reader);
    return NULL;
}

/* See CHiredis.h. */
void hg_reader_free(hg_reader *reader) {
    if (reader == NULL) {
        return;
    }
    if (reader->parser != NULL) {
        redisReaderFree(reader->parser);
    }
    hg_builder_destroy(&reader->builder);
    hg_backlog_destroy(&reader->backlog);
    free(reader);
}

/* ---- Feeding ----------------------------------------------------------------------------------------------------- */

/* Gives bytes to the parser. Returns HG_OK or HG_ERR_MEMORY. */
static hg_status give(hg_reader *reader, const char *bytes, size_t length) {
    return redisReaderFeed(reader->parser, bytes, length) == REDIS_OK
               ? HG_OK
               : fail(reader, HG_ERR_MEMORY, "out of memory for bytes");
}

/* See CHiredis.h. The bytes are copied. */
hg_status hg_reader_feed(hg_reader *reader, const char *bytes, size_t length) {
    size_t waiting, limit;

    if (reader == NULL || (bytes == NULL && length > 0)) {
        return HG_ERR_ARGUMENT;
    }
    if (reader->failure != HG_OK || length == 0) {
        return reader->failure;
    }
    waiting = hg_backlog_count(&reader->backlog);
    limit = reader->builder.bounds.bytes + FRAMING;
    if (length > limit - held(reader) - waiting) {
        return fail(reader, HG_ERR_BOUND, "more bytes without a whole reply than the bound");
    }
    if (waiting == 0 && length <= SLICE && held(reader) <= SLICE - length) {
        return give(reader, bytes, length);
    }
    if (hg_backlog_append(&reader->backlog, bytes, length) != HG_OK) {
        return fail(reader, HG_ERR_MEMORY, "out of memory for bytes");
    }
    return HG_OK;
}

/* ---- Parsing ----------------------------------------------------------------------------------------------------- */

/* Looks for the end of the line that the held bytes begin with, from where it stopped before. Returns HG_OK when the
 * line is whole, and then *line is its length with CR LF; HG_INCOMPLETE; or HG_ERR_PROTOCOL for an LF without CR. */
static hg_status find_line(hg_reader *reader, size_t *line) {
    const char *bytes = reader->parser->buf + reader->parser->pos;
    const char *end;

    if (held(reader) == reader->searched) {
        return HG_INCOMPLETE;
    }
    end = memchr(bytes + reader->searched, '\n', held(reader) - reader->searched);
    if (end == NULL) {
        reader->searched = held(reader);
        return HG_INCOMPLETE;
    }
    if (end == bytes || end[-1] != '\r') {
        return fail(reader, HG_ERR_PROTOCOL, "a line ends in LF without CR");
    }
    *line = (size_t)(end - bytes) + 1;
    return HG_OK;
}

/* Learns what the parser lacks, so that it is not asked again before it can get further: hiredis starts each line over,
 * and would wait for ever for a bulk string of 2^63 bytes. Returns HG_INCOMPLETE or an error. */
static hg_status examine(hg_reader *reader) {
    const redisReader *parser = reader->parser;
    size_t announced = 0, line;
    const char *digit;
    hg_status status;

    reader->wants_line = 0;
    reader->searched = 0;
    reader->wanted = 1;
    if (held(reader) == 0) {
        return HG_INCOMPLETE;
    }
    status = find_line(reader, &line);
    if (status != HG_OK) {
        reader->wants_line = 1;
        return status;
    }
    /* Only a bulk string can lack bytes behind its line, and hiredis has found that line to be a number in range. */
    for (digit = parser->buf + parser->pos; *digit >= '0' && *digit <= '9'; digit++) {
        announced = announced * 10 + (size_t)(*digit - '0');
        if (announced > reader->builder.bounds.bytes) {
            return fail(reader, HG_ERR_BOUND, "a bulk string is longer than the bound");
        }
    }
    reader->wanted = line + announced + 2;
    return HG_INCOMPLETE;
}

/* Returns HG_OK when parsing may get further than last time, HG_INCOMPLETE or an error when not. */
static hg_status ready(hg_reader *reader) {
    size_t line;

    if (held(reader) < reader->wanted) {
        return HG_INCOMPLETE;
    }
    return reader->wants_line ? find_line(reader, &line) : HG_OK;
}

/* Parses what the parser holds. Returns HG_OK when a reply is whole, HG_INCOMPLETE or an error. */
static hg_status parse(hg_reader *reader) {
    void *root = NULL;

    if (!reader->reading) {
        hg_builder_begin(&reader->builder);
        reader->reading = 1;
    }
    if (redisReaderGetReply(reader->parser, &root) != REDIS_OK) {
        if (reader->builder.failure != HG_OK) {
            return fail(reader, reader->builder.failure, reader->builder.reason);
        }
        return fail(reader, reader->parser->err == REDIS_ERR_OOM ? HG_ERR_MEMORY : HG_ERR_PROTOCOL,
                    reader->parser->errstr);
    }
    if (root == NULL) {
        return examine(reader);
    }
    reader->reading = 0;
    reader->wants_line = 0;
    reader->wanted = 1;
    return HG_OK;
}

/* Gives the parser the next slice of the backlog. Returns HG_OK, HG_INCOMPLETE when it is empty, or HG_ERR_MEMORY. */
static hg_status give_slice(hg_reader *reader) {
    const char *bytes;
    size_t length = hg_backlog_take(&reader->backlog, SLICE, &bytes);

    return length == 0 ? HG_INCOMPLETE : give(reader, bytes, length);
}

/* See CHiredis.h. The reply's memory is the reader's. */
hg_status hg_reader_next(hg_reader *reader, hg_reply *reply) {
    hg_status status;

    if (reader == NULL || reply == NULL) {
        return HG_ERR_ARGUMENT;
    }
    if (reader->failure != HG_OK) {
        return reader->failure;
    }
    do {
        status = ready(reader);
        if (status == HG_OK) {
            status = parse(reader);
        }
        if (status == HG_OK) {
            hg_builder_finish(&reader->builder, reply);
            return HG_OK;
        }
        if (status == HG_INCOMPLETE) {
            status = give_slice(reader);
        }
    } while (status == HG_OK);
    return status;
}

/* See CHiredis.h. */
const char *hg_reader_error(const hg_reader *reader) {
    return reader == NULL ? "" : reader->reason;
}
