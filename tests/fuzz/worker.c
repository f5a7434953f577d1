/* worker_parse.c: what a worker writes, cut as the first line of the input says, is the same words as all of it at once. A character of that line
 * is a piece of so many bytes. */
#include "fuzz.h"

#include "../unit/worker_words.h"

static struct feed hear(struct slice bytes, struct slice cuts)
{
	struct feed feed = feed_open(&worker_words);

	for (size_t i = 0; i < cuts.len && !feed.over && bytes.len > 0; i++) {
		size_t n = (size_t)(cuts.at[i] & 63) + 1;

		n = n < bytes.len ? n : bytes.len;
		feed_say(&feed, (struct slice){ bytes.at, n });
		bytes.at += n;
		bytes.len -= n;
	}
	if (!feed.over)
		feed_say(&feed, bytes);
	insist(!feed.said.failed);
	return feed;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct slice input = { (const char *)bytes, len };
	struct slice cuts = fuzz_line(&input);
	struct feed in_pieces = hear(input, cuts), whole = hear(input, SLICE(""));

	insist_same("in pieces it said", buf_slice(&in_pieces.said), buf_slice(&whole.said));
	feed_close(&in_pieces);
	feed_close(&whole);
	return 0;
}
