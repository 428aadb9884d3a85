/*
 * CHiredis: Redis' wire format, sans I/O, over the system's libhiredis (0.14.1 and 1.x).
 *
 * This module owns bytes only: it frames commands and reads replies. It has no sockets, threads or clocks, keeps no
 * global state, and never aborts on what a peer sends. It is the only code of Headgate that sees hiredis.
 */
#ifndef CHIREDIS_H
#define CHIREDIS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a call of this module came to. */
typedef enum hg_status {
    HG_OK = 0,            /* done */
    HG_INCOMPLETE = 1,    /* more bytes are needed before a reply is whole */
    HG_ERR_ARGUMENT = -1, /* the caller's arguments are out of range; nothing was done */
    HG_ERR_MEMORY = -2,   /* an allocation failed */
    HG_ERR_PROTOCOL = -3, /* the peer does not speak RESP2, or breaks it */
    HG_ERR_BOUND = -4     /* the peer's reply is larger than the bounds allow */
} hg_status;

/* ---- Commands ---------------------------------------------------------------------------------------------------- */

/* The most bytes that one framed command may have: far above any of ours, far below hiredis' 32-bit sums. */
#define HG_COMMAND_MAX_BYTES ((size_t)16 * 1024 * 1024)

/* Frames a command of `argc` arguments (one or more), each given by pointer (not NULL) and length, as a RESP array of
 * bulk strings.
 * On HG_OK *frame holds *frame_length bytes that the caller owns and gives back with hg_command_free; on any other
 * result both are untouched. The arguments are copied: they need live only for this call. */
hg_status hg_command_frame(size_t argc, const char *const *argv, const size_t *argv_lengths, char **frame,
                           size_t *frame_length);

/* Frees a frame made by hg_command_frame. NULL is allowed. */
void hg_command_free(char *frame);

/* ---- Replies ----------------------------------------------------------------------------------------------------- */

typedef enum hg_node_type {
    HG_NODE_INTEGER = 1, /* integers[i] is the value */
    HG_NODE_STRING,      /* a bulk string: integers[i] bytes at text + offsets[i] */
    HG_NODE_STATUS,      /* a simple string, likewise */
    HG_NODE_ERROR,       /* an error line without its '-', likewise */
    HG_NODE_NULL,        /* a null bulk string or array */
    HG_NODE_ARRAY        /* integers[i] elements follow, each with all of its own */
} hg_node_type;

/* One whole reply as nodes in the order in which they came (an array stands before its elements):
 *
 *     *2\r\n :7\r\n $2\r\nok\r\n     count 3, types     ARRAY  INTEGER  STRING
 *                                             integers  2      7        2
 *                                             offsets   0      0        0      text "ok"
 *
 * All pointers belong to the reader, are never NULL and are valid until the next call on it. A field that a type has no
 * use for is 0. An array may stand within at most seven others. */
typedef struct hg_reply {
    size_t count;
    const uint8_t *types;
    const int64_t *integers;
    const size_t *offsets;
    const char *text;
    int flat; /* 1 when the reply is an array of one or more integers alone: integers[1] ... integers[count - 1] */
} hg_reply;

/* How much a peer may make us hold. Both must be positive, `elements` at most 16 Mi and `bytes` at most 512 MiB. */
typedef struct hg_reader_bounds {
    size_t elements; /* the most elements that the arrays of one reply may announce together; nodes are one more */
    size_t bytes;    /* the most bytes held unparsed (but for a bulk string's frame), and the most text of one reply */
} hg_reader_bounds;

/* The bounds that fit every reply of ours: 20,000 elements, 1 MiB. CLUSTER SLOTS takes 4 elements a range and 5 or more
 * a node of it: 20,000 are 1,500 ranges with one replica each; CLUSTER's 16,384 ranges at worst need wider bounds. */
#define HG_READER_DEFAULT_ELEMENTS ((size_t)20000)
#define HG_READER_DEFAULT_BYTES ((size_t)1024 * 1024)

typedef struct hg_reader hg_reader;

/* Returns a reader that the caller owns and gives back with hg_reader_free, or NULL when memory or the bounds fail. */
hg_reader *hg_reader_create(hg_reader_bounds bounds);

/* Frees a reader and all that it holds. NULL is allowed. */
void hg_reader_free(hg_reader *reader);

/* Appends a copy of `length` bytes from the peer. Whole replies must be fetched first, with hg_reader_next until it
 * says HG_INCOMPLETE, or the bytes bound may be hit early. Returns HG_OK or an error; after any but HG_ERR_ARGUMENT only
 * hg_reader_error and hg_reader_free are of use: the other calls return the same error again. */
hg_status hg_reader_feed(hg_reader *reader, const char *bytes, size_t length);

/* Fetches the next whole reply. HG_OK: *reply is it. HG_INCOMPLETE: feed more; *reply is untouched. Otherwise an error,
 * as with hg_reader_feed, and *reply is untouched. Whole replies before the bytes at fault are fetched first. */
hg_status hg_reader_next(hg_reader *reader, hg_reply *reply);

/* Returns why the reader failed, as one short printable line that belongs to the reader; "" when it did not. It holds
 * at most one byte of what the peer sent, escaped. */
const char *hg_reader_error(const hg_reader *reader);

/* ---- Errors ------------------------------------------------------------------------------------------------------ */

/* What a Redis error line says, told by its prefix, and inside scripts by the two texts that replace the prefix. */
typedef enum hg_error_kind {
    HG_ERROR_OTHER = 0,
    HG_ERROR_NOSCRIPT,
    HG_ERROR_MOVED,
    HG_ERROR_ASK,
    HG_ERROR_TRYAGAIN,
    HG_ERROR_CLUSTERDOWN,
    HG_ERROR_CROSSSLOT,
    HG_ERROR_MASTERDOWN,
    HG_ERROR_LOADING,
    HG_ERROR_READONLY,
    HG_ERROR_BUSY,
    HG_ERROR_NOAUTH,
    HG_ERROR_WRONGPASS,
    HG_ERROR_NOPERM,
    HG_ERROR_NOREPLICAS,
    HG_ERROR_MISCONF,
    HG_ERROR_OOM,
    HG_ERROR_MAXCLIENTS,
    HG_ERROR_WRONGTYPE,
    HG_ERROR_SCRIPT /* the script itself failed: what it wrote before stays written */
} hg_error_kind;

/* Returns the kind of an error line given without its '-' and its line end. A first word that Redis reserves wins, also
 * when the error came out of a script; then the texts that replace it; then " script: ", Redis' mark on such errors. */
hg_error_kind hg_error_classify(const char *text, size_t length);

#ifdef __cplusplus
}
#endif

#endif
