/*
 * Fuzzes the reply reader. The first byte picks how the rest is cut, and whether the bounds are small:
 *
 *     bit 7      small bounds
 *     bits 0-6   bytes of a fragment, less one
 */
#include "harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Returns 0 always; a finding ends the process. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    hg_reader_bounds bounds = {HG_READER_DEFAULT_ELEMENTS, HG_READER_DEFAULT_BYTES};
    size_t fragment, offset;
    uint64_t digest = 0;
    hg_status status = HG_INCOMPLETE;
    struct wire wire;
    hg_reader *reader;

    if (size == 0) {
        return 0;
    }
    if (data[0] & 0x80) {
        bounds.elements = 4;
        bounds.bytes = 16;
    }
    fragment = (size_t)(data[0] & 0x7f) + 1;
    wire = (struct wire){(const char *)data + 1, size - 1, 0};
    reader = hg_reader_create(bounds);
    EXPECT(reader != NULL);
    for (offset = 1; offset < size && status == HG_INCOMPLETE; offset += fragment) {
        size_t length = size - offset < fragment ? size - offset : fragment;

        status = feed_and_drain(reader, bounds, &wire, (const char *)data + offset, length, &digest);
    }
    EXPECT(status == HG_INCOMPLETE || status == HG_ERR_PROTOCOL || status == HG_ERR_BOUND);
    hg_reader_free(reader);
    return 0;
}
