/* What the fuzz targets share. Not part of the product. */
#ifndef HEADGATE_FUZZ_HARNESS_H
#define HEADGATE_FUZZ_HARNESS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CHiredis.h"

/* Ends the process when a property does not hold, so that a fuzzer reports its input. */
#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: expected %s\n", __FILE__, __LINE__, #condition);               \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Mixes `value` into a digest (FNV-1a over its bytes). Returns the new digest. */
static inline uint64_t mix(uint64_t digest, uint64_t value) {
    int shift;

    for (shift = 0; shift < 64; shift += 8) {
        digest = (digest ^ ((value >> shift) & 0xff)) * UINT64_C(1099511628211);
    }
    return digest;
}

/* All that the peer sends, and how much of it the replies so far account for. RESP2 has one spelling for each reply but
 * the null, so what was read can be spelled again and must be what was sent. */
struct wire {
    const char *bytes;
    size_t length;
    size_t position;
};

/* Checks that `text` was sent next. */
static inline void sent(struct wire *wire, const char *text, size_t length) {
    EXPECT(length <= wire->length - wire->position);
    EXPECT(length == 0 || memcmp(wire->bytes + wire->position, text, length) == 0);
    wire->position += length;
}

/* Checks that a line of a type byte and a number was sent next. */
static inline void sent_number(struct wire *wire, char type, int64_t number) {
    char line[32];

    sent(wire, line, (size_t)snprintf(line, sizeof(line), "%c%lld\r\n", type, (long long)number));
}

/* Checks that a node was sent next. */
static inline void sent_node(struct wire *wire, const hg_reply *reply, size_t index) {
    const char *text = reply->text + reply->offsets[index];
    int64_t integer = reply->integers[index];

    switch ((hg_node_type)reply->types[index]) {
    case HG_NODE_INTEGER:
        sent_number(wire, ':', integer);
        return;
    case HG_NODE_ARRAY:
        sent_number(wire, '*', integer);
        return;
    case HG_NODE_NULL:
        EXPECT(wire->position < wire->length);
        sent_number(wire, wire->bytes[wire->position] == '*' ? '*' : '$', -1);
        return;
    case HG_NODE_STRING:
        sent_number(wire, '$', integer);
        break;
    case HG_NODE_STATUS:
        sent(wire, "+", 1);
        break;
    case HG_NODE_ERROR:
        sent(wire, "-", 1);
        break;
    }
    sent(wire, text, (size_t)integer);
    sent(wire, "\r\n", 2);
}

/* Reads every node and every byte of a reply and checks that they agree with each other, with the bounds and with
 * what was sent. Returns `digest` with all of them mixed in. */
static inline uint64_t digest_reply(uint64_t digest, const hg_reply *reply, hg_reader_bounds bounds,
                                    struct wire *wire) {
    size_t announced = 0, texts = 0, numbers = 0;
    size_t index, byte;

    EXPECT(reply->count > 0 && reply->count <= bounds.elements + 1);
    for (index = 0; index < reply->count; index++) {
        sent_node(wire, reply, index);
        digest = mix(digest, reply->types[index]);
        digest = mix(digest, (uint64_t)reply->integers[index]);
        switch ((hg_node_type)reply->types[index]) {
        case HG_NODE_INTEGER:
            numbers++;
            break;
        case HG_NODE_STRING:
        case HG_NODE_STATUS:
        case HG_NODE_ERROR:
            EXPECT(reply->integers[index] >= 0);
            for (byte = 0; byte < (size_t)reply->integers[index]; byte++) {
                digest = mix(digest, (uint8_t)reply->text[reply->offsets[index] + byte]);
            }
            texts += (size_t)reply->integers[index];
            if (reply->types[index] == HG_NODE_ERROR) {
                digest = mix(digest, (uint64_t)hg_error_classify(reply->text + reply->offsets[index],
                                                                 (size_t)reply->integers[index]));
            }
            break;
        case HG_NODE_NULL:
            break;
        case HG_NODE_ARRAY:
            EXPECT(reply->integers[index] >= 0);
            announced += (size_t)reply->integers[index];
            break;
        default:
            EXPECT(!"a node type");
        }
    }
    EXPECT(texts <= bounds.bytes);
    EXPECT(reply->count == announced + 1);
    EXPECT(reply->flat == (reply->count > 1 && reply->types[0] == HG_NODE_ARRAY && numbers == reply->count - 1));
    return mix(digest, (uint64_t)reply->flat);
}

/* Fetches all replies that are whole. Returns HG_INCOMPLETE or the error, with all that came mixed into *digest. */
static inline hg_status drain(hg_reader *reader, hg_reader_bounds bounds, struct wire *wire, uint64_t *digest) {
    hg_reply reply;
    hg_status status;

    while ((status = hg_reader_next(reader, &reply)) == HG_OK) {
        *digest = digest_reply(*digest, &reply, bounds, wire);
    }
    if (status != HG_INCOMPLETE) {
        EXPECT(hg_reader_error(reader)[0] != '\0');
        EXPECT(hg_reader_next(reader, &reply) == status);
        EXPECT(hg_reader_feed(reader, "+", 1) == status);
    }
    return status;
}

/* Feeds one fragment and fetches all replies that are whole. Returns as drain does. */
static inline hg_status feed_and_drain(hg_reader *reader, hg_reader_bounds bounds, struct wire *wire, const char *bytes,
                                       size_t length, uint64_t *digest) {
    hg_status status = hg_reader_feed(reader, bytes, length);

    return status == HG_OK ? drain(reader, bounds, wire, digest) : status;
}

#endif
