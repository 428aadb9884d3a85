/* The reply being built. See builder.h. */
#include "builder.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_NODES = 16, FIRST_TEXT = 256 };

#if HIREDIS_MAJOR >= 1
typedef size_t element_count;
#else
typedef int element_count;
#endif

/* ---- Memory ------------------------------------------------------------------------------------------------------ */

/* Returns the smallest doubling of `capacity` that holds `wanted`, at most `limit`. Needs wanted <= limit. */
static size_t grown(size_t capacity, size_t wanted, size_t limit) {
    while (capacity < wanted) {
        capacity = capacity > limit / 2 ? limit : capacity * 2;
    }
    return capacity;
}

/* Makes room for `capacity` nodes. Returns HG_OK or HG_ERR_MEMORY; after a failure the nodes so far are intact. */
static hg_status reserve_nodes(struct hg_builder *builder, size_t capacity) {
    uint8_t *types;
    int64_t *integers;
    size_t *offsets;

    types = realloc(builder->types, capacity * sizeof(*types));
    if (types == NULL) {
        return HG_ERR_MEMORY;
    }
    builder->types = types;
    integers = realloc(builder->integers, capacity * sizeof(*integers));
    if (integers == NULL) {
        return HG_ERR_MEMORY;
    }
    builder->integers = integers;
    offsets = realloc(builder->offsets, capacity * sizeof(*offsets));
    if (offsets == NULL) {
        return HG_ERR_MEMORY;
    }
    builder->offsets = offsets;
    builder->capacity = capacity;
    return HG_OK;
}

/* Makes room for `capacity` bytes of text. Returns HG_OK or HG_ERR_MEMORY; after a failure the text is intact. */
static hg_status reserve_text(struct hg_builder *builder, size_t capacity) {
    char *text = realloc(builder->text, capacity);

    if (text == NULL) {
        return HG_ERR_MEMORY;
    }
    builder->text = text;
    builder->text_capacity = capacity;
    return HG_OK;
}

/* See builder.h. */
hg_status hg_builder_create(struct hg_builder *builder, hg_reader_bounds bounds) {
    builder->bounds = bounds;
    if (reserve_nodes(builder, FIRST_NODES) != HG_OK) {
        return HG_ERR_MEMORY;
    }
    return reserve_text(builder, FIRST_TEXT);
}

/* See builder.h. */
void hg_builder_destroy(struct hg_builder *builder) {
    free(builder->types);
    free(builder->integers);
    free(builder->offsets);
    free(builder->text);
}

/* ---- Nodes ------------------------------------------------------------------------------------------------------- */

/* Notes why an object cannot be made. Returns NULL, which makes hiredis stop reading. */
static void *refuse(struct hg_builder *builder, hg_status failure, const char *reason) {
    builder->failure = failure;
    builder->reason = reason;
    return NULL;
}

/* Appends a node. Returns the builder, which stands for every object, or NULL when memory fails. The nodes are bounded
 * because hiredis asks for the root and for announced elements only. */
static void *append(struct hg_builder *builder, hg_node_type type, int64_t integer, size_t offset) {
    if (builder->count == builder->capacity) {
        size_t capacity = grown(builder->capacity, builder->count + 1, builder->bounds.elements + FIRST_NODES);

        if (reserve_nodes(builder, capacity) != HG_OK) {
            return refuse(builder, HG_ERR_MEMORY, "out of memory for nodes");
        }
    }
    builder->types[builder->count] = (uint8_t)type;
    builder->integers[builder->count] = integer;
    builder->offsets[builder->count] = offset;
    builder->count++;
    return builder;
}

/* Copies `length` bytes out of hiredis' buffer and appends their node. Returns the builder, or NULL after refusing. */
static void *append_text(struct hg_builder *builder, hg_node_type type, const char *text, size_t length) {
    size_t offset = builder->text_length;
    size_t limit = builder->bounds.bytes > FIRST_TEXT ? builder->bounds.bytes : FIRST_TEXT;

    if (length > builder->bounds.bytes || offset > builder->bounds.bytes - length) {
        return refuse(builder, HG_ERR_BOUND, "the reply's text is longer than the bound");
    }
    if (length > builder->text_capacity - offset &&
        reserve_text(builder, grown(builder->text_capacity, offset + length, limit)) != HG_OK) {
        return refuse(builder, HG_ERR_MEMORY, "out of memory for text");
    }
    memcpy(builder->text + offset, text, length);
    builder->text_length += length;
    return append(builder, type, (int64_t)length, offset);
}

/* ---- hiredis' object functions ----------------------------------------------------------------------------------- */

/* Makes the node of a bulk string, a simple string or an error line. `text` lies in hiredis' buffer. hiredis 0.14 does
 * not look at the two bytes behind a bulk string, nor for a CR or LF inside a line. */
static void *create_string(const redisReadTask *task, char *text, size_t length) {
    struct hg_builder *builder = task->privdata;
    const char *end = builder->parser->buf + builder->parser->len;

    switch (task->type) {
    case REDIS_REPLY_STRING:
        if (length > builder->bounds.bytes) {
            return refuse(builder, HG_ERR_BOUND, "a bulk string is longer than the bound");
        }
        if ((size_t)(end - text) < length + 2 || text[length] != '\r' || text[length + 1] != '\n') {
            return refuse(builder, HG_ERR_PROTOCOL, "a bulk string does not end in CR LF");
        }
        return append_text(builder, HG_NODE_STRING, text, length);
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_ERROR:
        if (memchr(text, '\r', length) != NULL || memchr(text, '\n', length) != NULL) {
            return refuse(builder, HG_ERR_PROTOCOL, "a line holds a CR or LF");
        }
        return append_text(builder, task->type == REDIS_REPLY_ERROR ? HG_NODE_ERROR : HG_NODE_STATUS, text, length);
    default:
        return refuse(builder, HG_ERR_PROTOCOL, "the peer speaks RESP3");
    }
}

/* Makes the node of an array header. Refuses what the bounds do not allow before any memory is taken for it. */
static void *create_array(const redisReadTask *task, element_count elements) {
    struct hg_builder *builder = task->privdata;
    const struct redisReadTask *parent;
    int parents = 0;

    if (task->type != REDIS_REPLY_ARRAY) {
        return refuse(builder, HG_ERR_PROTOCOL, "the peer speaks RESP3");
    }
    for (parent = task->parent; parent != NULL; parent = parent->parent) {
        if (++parents > HG_BUILDER_MAX_PARENTS) {
            return refuse(builder, HG_ERR_PROTOCOL, "arrays are nested too deep");
        }
    }
    if ((size_t)elements > builder->bounds.elements - builder->announced) {
        return refuse(builder, HG_ERR_BOUND, "the reply has more elements than the bound");
    }
    builder->announced += (size_t)elements;
    return append(builder, HG_NODE_ARRAY, (int64_t)elements, 0);
}

/* Makes the node of an integer. */
static void *create_integer(const redisReadTask *task, long long integer) {
    struct hg_builder *builder = task->privdata;

    builder->numbers++;
    return append(builder, HG_NODE_INTEGER, integer, 0);
}

/* Makes the node of a null bulk string or array. RESP3's own null is refused. */
static void *create_null(const redisReadTask *task) {
    struct hg_builder *builder = task->privdata;

    if (task->type != REDIS_REPLY_STRING && task->type != REDIS_REPLY_ARRAY) {
        return refuse(builder, HG_ERR_PROTOCOL, "the peer speaks RESP3");
    }
    return append(builder, HG_NODE_NULL, 0, 0);
}

#if HIREDIS_MAJOR >= 1
/* Refuses RESP3's double. */
static void *create_double(const redisReadTask *task, double value, char *text, size_t length) {
    (void)value;
    (void)text;
    (void)length;
    return refuse(task->privdata, HG_ERR_PROTOCOL, "the peer speaks RESP3");
}

/* Refuses RESP3's boolean. */
static void *create_bool(const redisReadTask *task, int value) {
    (void)value;
    return refuse(task->privdata, HG_ERR_PROTOCOL, "the peer speaks RESP3");
}
#endif

/* Frees nothing: every object is the builder, which the reader frees. */
static void free_object(void *object) {
    (void)object;
}

/* See builder.h. Fields are named because hiredis 1.0 inserted two in the middle. */
redisReplyObjectFunctions hg_builder_functions(void) {
    redisReplyObjectFunctions functions = {
        .createString = create_string,
        .createArray = create_array,
        .createInteger = create_integer,
        .createNil = create_null,
#if HIREDIS_MAJOR >= 1
        .createDouble = create_double,
        .createBool = create_bool,
#endif
        .freeObject = free_object,
    };

    return functions;
}

/* ---- Replies ----------------------------------------------------------------------------------------------------- */

/* See builder.h. */
void hg_builder_begin(struct hg_builder *builder) {
    builder->count = 0;
    builder->text_length = 0;
    builder->announced = 0;
    builder->numbers = 0;
}

/* See builder.h. */
void hg_builder_finish(const struct hg_builder *builder, hg_reply *reply) {
    reply->count = builder->count;
    reply->types = builder->types;
    reply->integers = builder->integers;
    reply->offsets = builder->offsets;
    reply->text = builder->text;
    reply->flat = builder->count > 1 && builder->types[0] == HG_NODE_ARRAY && builder->numbers == builder->count - 1;
}
