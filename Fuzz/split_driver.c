/*
 * Reads each file named on the command line as a peer's bytes: whole, byte by byte, cut at every position, and cut at
 * every pair of positions when it is short. All must give the same replies and the same end. Then once more with each
 * allocation failing in turn: the product's sources are compiled with malloc and its kin renamed to those below.
 */
#include "harness.h"

enum { MOST_BYTES = 1 << 16, MOST_BYTES_FOR_PAIRS = 200 };

void *driver_malloc(size_t size);
void *driver_calloc(size_t count, size_t size);
void *driver_realloc(void *memory, size_t size);

/* Allocations until one fails; negative when none shall. */
static long allocations_left = -1;

/* Returns 1 when this allocation is the one to fail. */
static int must_fail(void) {
    return allocations_left >= 0 && allocations_left-- == 0;
}

void *driver_malloc(size_t size) {
    return must_fail() ? NULL : malloc(size);
}

void *driver_calloc(size_t count, size_t size) {
    return must_fail() ? NULL : calloc(count, size);
}

void *driver_realloc(void *memory, size_t size) {
    return must_fail() ? NULL : realloc(memory, size);
}

/* Reads `bytes` cut at up to two positions. Returns a digest of all replies and of how it ended, which *end also says.
 * A fragment is copied to memory of its exact size, so that a sanitizer sees each read beyond it. */
static uint64_t read_cut(const char *bytes, size_t length, size_t first, size_t second, hg_reader_bounds bounds,
                         hg_status *end) {
    size_t cuts[4] = {0, first, second, length};
    uint64_t digest = UINT64_C(14695981039346656037);
    struct wire wire = {bytes, length, 0};
    hg_status status = HG_INCOMPLETE;
    hg_reader *reader = hg_reader_create(bounds);
    int part;

    if (reader == NULL) {
        *end = HG_ERR_MEMORY;
        return 0;
    }
    for (part = 0; part < 3 && status == HG_INCOMPLETE; part++) {
        size_t size = cuts[part + 1] - cuts[part];
        char *fragment = malloc(size > 0 ? size : 1);

        EXPECT(fragment != NULL);
        memcpy(fragment, bytes + cuts[part], size);
        status = feed_and_drain(reader, bounds, &wire, fragment, size, &digest);
        free(fragment);
    }
    hg_reader_free(reader);
    *end = status;
    return mix(digest, (uint64_t)status);
}

/* Reads `bytes` one by one. Returns as read_cut does. */
static uint64_t read_bytewise(const char *bytes, size_t length, hg_reader_bounds bounds) {
    uint64_t digest = UINT64_C(14695981039346656037);
    struct wire wire = {bytes, length, 0};
    hg_status status = HG_INCOMPLETE;
    hg_reader *reader = hg_reader_create(bounds);
    size_t index;

    EXPECT(reader != NULL);
    for (index = 0; index < length && status == HG_INCOMPLETE; index++) {
        status = feed_and_drain(reader, bounds, &wire, bytes + index, 1, &digest);
    }
    hg_reader_free(reader);
    return mix(digest, (uint64_t)status);
}

/* Checks every way to read one input. Returns how many ways there were. */
static size_t check(const char *bytes, size_t length, hg_reader_bounds bounds) {
    hg_status end, other;
    uint64_t whole = read_cut(bytes, length, 0, 0, bounds, &end);
    size_t first, second, ways = 2;

    EXPECT(end == HG_INCOMPLETE || end == HG_ERR_PROTOCOL || end == HG_ERR_BOUND);
    EXPECT(read_bytewise(bytes, length, bounds) == whole);
    for (first = 0; first <= length; first++, ways++) {
        EXPECT(read_cut(bytes, length, first, first, bounds, &other) == whole);
    }
    for (first = 0; length <= MOST_BYTES_FOR_PAIRS && first <= length; first++) {
        for (second = first; second <= length; second++, ways++) {
            EXPECT(read_cut(bytes, length, first, second, bounds, &other) == whole);
        }
    }
    for (first = 0;; first++, ways++) {
        allocations_left = (long)first;
        whole = read_cut(bytes, length, length / 2, length / 2, bounds, &other);
        if (allocations_left >= 0) {
            break; /* There were fewer allocations than that. */
        }
        EXPECT(other == HG_ERR_MEMORY);
    }
    allocations_left = -1;
    EXPECT(other == end);
    return ways;
}

/* Returns 0 when all inputs were read alike in every way, 1 when one cannot be opened; a finding ends the process. */
int main(int argc, char **argv) {
    static char bytes[MOST_BYTES];
    const hg_reader_bounds wide = {HG_READER_DEFAULT_ELEMENTS, HG_READER_DEFAULT_BYTES};
    size_t ways = 0;
    int index;

    for (index = 1; index < argc; index++) {
        FILE *file = fopen(argv[index], "rb");
        size_t length;

        if (file == NULL) {
            perror(argv[index]);
            return 1;
        }
        length = fread(bytes, 1, sizeof(bytes), file);
        fclose(file);
        if (length > 1) {
            /* The first byte is the fuzzer's own. */
            ways += check(bytes + 1, length - 1, wide);
        }
    }
    printf("%d inputs, %zu ways to read them\n", argc - 1, ways);
    return 0;
}
