/* Commands: arguments in, one frame out. */
#include "CHiredis.h"

#include "hiredis_headers.h"

/* Returns how many decimal digits `value` has. */
static size_t digits(size_t value) {
    size_t count = 1;

    while (value >= 10) {
        value /= 10;
        count++;
    }
    return count;
}

/* Adds the bytes of one part of a frame, `fixed` and `text`, to *sum. Returns HG_OK, or HG_ERR_ARGUMENT when the sum
 * would pass HG_COMMAND_MAX_BYTES; *sum is never above it. */
static hg_status add(size_t *sum, size_t fixed, size_t text) {
    if (text > HG_COMMAND_MAX_BYTES || fixed + text > HG_COMMAND_MAX_BYTES - *sum) {
        return HG_ERR_ARGUMENT;
    }
    *sum += fixed + text;
    return HG_OK;
}

/* Measures the frame of a command into *sum. Returns HG_OK, or HG_ERR_ARGUMENT when there is none or it is too long.
 * hiredis sums in an int, asserts that the sum was right, and would call strlen without lengths: so it never sees an
 * argument that was not measured here. */
static hg_status measure(size_t argc, const char *const *argv, const size_t *argv_lengths, size_t *sum) {
    size_t index;

    if (argc == 0 || argc > HG_COMMAND_MAX_BYTES || argv == NULL || argv_lengths == NULL) {
        return HG_ERR_ARGUMENT;
    }
    *sum = 1 + digits(argc) + 2; /* '*', the count, CR LF */
    for (index = 0; index < argc; index++) {
        /* '$', the length, CR LF, the text, CR LF */
        if (argv[index] == NULL || add(sum, 1 + digits(argv_lengths[index]) + 4, argv_lengths[index]) != HG_OK) {
            return HG_ERR_ARGUMENT;
        }
    }
    return HG_OK;
}

/* See CHiredis.h. On HG_OK the caller owns *frame; on any other result nothing was allocated or written. */
hg_status hg_command_frame(size_t argc, const char *const *argv, const size_t *argv_lengths, char **frame,
                           size_t *frame_length) {
    char *formatted = NULL;
    long long length;
    size_t expected;

    if (frame == NULL || frame_length == NULL || measure(argc, argv, argv_lengths, &expected) != HG_OK) {
        return HG_ERR_ARGUMENT;
    }
    /* hiredis declares argv without the inner const, but only reads it. */
    length = redisFormatCommandArgv(&formatted, (int)argc, (const char **)argv, argv_lengths);
    if (length < 0 || formatted == NULL || (size_t)length != expected) {
        redisFreeCommand(formatted);
        return HG_ERR_MEMORY;
    }
    *frame = formatted;
    *frame_length = expected;
    return HG_OK;
}

/* See CHiredis.h. hiredis may use an allocator of its own, so it frees what it made. */
void hg_command_free(char *frame) {
    redisFreeCommand(frame);
}
