/* What the harnesses share. A harness is LLVMFuzzerTestOneInput() over the real sources, and says with insist() what has to hold; that nothing
 * crashes, the sanitizers see. tests/fuzz/NAME.c starts from the files of tests/fuzz/seeds/NAME/, and knows the words of tests/fuzz/NAME.dict
 * if there is one. Run by scripts/fuzz. */
#ifndef LEAT_FUZZ_H
#define LEAT_FUZZ_H

#include "../../daemon/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define insist(condition) ((condition) ? (void)0 : fuzz_fail(#condition, __FILE__, __LINE__))

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

__attribute__((noreturn)) static inline void fuzz_fail(const char *what, const char *file, int line)
{
	fprintf(stderr, "%s:%d: not true: %s\n", file, line, what);
	abort();
}

/* Both, when they are not the same. */
static inline void insist_same(const char *what, struct slice one, struct slice other)
{
	if (slice_is(one, other))
		return;
	fprintf(stderr, "%s:\n%.*s\nand not:\n%.*s\n", what, (int)one.len, one.at, (int)other.len, other.at);
	abort();
}

/* Takes the first line off the front, without its LF. */
static inline struct slice fuzz_line(struct slice *input)
{
	const char *end = input->len > 0 ? memchr(input->at, '\n', input->len) : NULL;
	struct slice line = { input->at, end ? (size_t)(end - input->at) : input->len };
	size_t taken = line.len + (end != NULL);

	input->at += taken;
	input->len -= taken;
	return line;
}

/* A copy with a NUL behind it, which ends at its first NUL; the caller frees it. */
static inline char *fuzz_text(struct slice bytes)
{
	char *text = strndup(bytes.len > 0 ? bytes.at : "", bytes.len);

	insist(text);
	return text;
}

/* Lines for people: whole, and without control characters. */
static inline void insist_readable(const struct buf *lines)
{
	insist(!lines->failed && lines->len > 0 && lines->at[lines->len - 1] == '\n');
	for (size_t i = 0; i < lines->len; i++)
		insist(lines->at[i] == '\n' || ((unsigned char)lines->at[i] >= 0x20 && lines->at[i] != 0x7f));
}

#endif
