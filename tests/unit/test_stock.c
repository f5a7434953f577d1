#include "testing.h"

#include "../../lib/sanitized.h"
#include "../../lib/stock.h"

#include <stdint.h>
#include <string.h>

enum { BLOCK = 300 };

static void *take(size_t bytes)
{
	void *block = stock_take(bytes);

	ck_assert_ptr_nonnull(block);
	ck_assert_uint_eq((uintptr_t)block % CACHE_LINE, 0);
	memset(block, 1, bytes);
	return block;
}

START_TEST(what_was_given_back_is_taken_again_for_the_same_size)
{
	void *block, *other, *again;

	stock_open();
	block = take(BLOCK);
	stock_give(block, BLOCK);
	other = take(STOCK_BLOCK_MAX);
	ck_assert(IS_SANITIZED || other != block);
	again = take(BLOCK + 1);
	ck_assert(IS_SANITIZED || again == block);
	stock_give(again, BLOCK + 1);
	stock_give(other, STOCK_BLOCK_MAX);
	stock_give(NULL, BLOCK);
	stock_close();
}
END_TEST

START_TEST(without_a_stock_and_for_large_blocks_there_is_malloc)
{
	void *block = take(BLOCK);

	stock_give(block, BLOCK);
	stock_give(take(1), 1);
	stock_open();
	stock_open();
	stock_give(take(STOCK_BLOCK_MAX + 1), STOCK_BLOCK_MAX + 1);
	stock_give(take(1 << 20), 1 << 20);
	stock_close();
	stock_close();
}
END_TEST

START_TEST(a_stock_keeps_no_more_than_it_may_and_gives_it_back)
{
	enum { MANY = 2 * STOCK_BYTES_MAX / STOCK_BLOCK_MAX };
	void (*const ends[])(void) = { stock_empty, stock_close };
	static void *blocks[MANY];
	size_t before = bytes_in_use();

	stock_open();
	for (size_t round = 0; round < countof(ends); round++) {
		for (size_t i = 0; i < MANY; i++)
			blocks[i] = take(STOCK_BLOCK_MAX);
		for (size_t i = 0; i < MANY; i++)
			stock_give(blocks[i], STOCK_BLOCK_MAX);
		/* malloc needs a little beside each block. */
		ck_assert(IS_SANITIZED || bytes_in_use() - before > STOCK_BYTES_MAX / 2);
		ck_assert(IS_SANITIZED || bytes_in_use() - before < STOCK_BYTES_MAX / 4 * 5);
		ends[round]();
		ck_assert(IS_SANITIZED || bytes_in_use() - before < STOCK_BYTES_MAX / 10);
	}
}
END_TEST

static void *give(void *block)
{
	void *again;

	stock_open();
	stock_give(block, BLOCK);
	again = take(BLOCK);
	ck_assert(IS_SANITIZED || again == block);
	stock_give(again, BLOCK);
	stock_close();
	return NULL;
}

START_TEST(any_thread_may_give_back)
{
	pthread_t thread;

	stock_open();
	ck_assert_int_eq(pthread_create(&thread, NULL, give, take(BLOCK)), 0);
	pthread_join(thread, NULL);
	stock_close();
}
END_TEST

Suite *stock_suite(void);

Suite *stock_suite(void)
{
	const TTest *tests[] = {
		what_was_given_back_is_taken_again_for_the_same_size, without_a_stock_and_for_large_blocks_there_is_malloc,
		a_stock_keeps_no_more_than_it_may_and_gives_it_back, any_thread_may_give_back,
	};

	return suite_of("stock", tests, countof(tests));
}
