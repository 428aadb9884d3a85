/* Fuzzes command framing: cuts the input into arguments at each 0xff, frames them, and reads the frame back. */
#include <string.h>

#include "harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_ARGUMENTS = 64 };

/* Reads the frame back and checks that each argument is what it was. */
static void check(const char *frame, size_t frame_length, size_t count, const char *const *texts,
                  const size_t *lengths) {
    hg_reader_bounds bounds = {MOST_ARGUMENTS, HG_READER_DEFAULT_BYTES};
    hg_reader *reader = hg_reader_create(bounds);
    hg_reply reply;
    size_t index;

    EXPECT(reader != NULL);
    EXPECT(hg_reader_feed(reader, frame, frame_length) == HG_OK);
    EXPECT(hg_reader_next(reader, &reply) == HG_OK);
    EXPECT(reply.count == count + 1 && reply.types[0] == HG_NODE_ARRAY);
    for (index = 0; index < count; index++) {
        EXPECT(reply.types[index + 1] == HG_NODE_STRING);
        EXPECT((size_t)reply.integers[index + 1] == lengths[index]);
        EXPECT(memcmp(reply.text + reply.offsets[index + 1], texts[index], lengths[index]) == 0);
    }
    EXPECT(hg_reader_next(reader, &reply) == HG_INCOMPLETE);
    hg_reader_free(reader);
}

/* Returns 0 always; a finding ends the process. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *texts[MOST_ARGUMENTS];
    size_t lengths[MOST_ARGUMENTS];
    size_t count = 0, start = 0, index, frame_length = 0;
    char *frame = NULL;

    if (size == 0) {
        return 0;
    }
    for (index = 0; index <= size && count < MOST_ARGUMENTS; index++) {
        if (index == size || data[index] == 0xff) {
            texts[count] = (const char *)data + start;
            lengths[count++] = index - start;
            start = index + 1;
        }
    }
    EXPECT(hg_command_frame(count, texts, lengths, &frame, &frame_length) == HG_OK);
    check(frame, frame_length, count, texts, lengths);
    hg_command_free(frame);
    return 0;
}
