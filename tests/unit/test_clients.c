#include "../../daemon/clients.h"
#include "testing.h"

#include <stdlib.h>
#include <sys/socket.h>

static struct peer peer(uint32_t who)
{
	/* The port does not matter. */
	return (struct peer){ .family = AF_INET, .port = (in_port_t)rand(), .address.v4.s_addr = who };
}

static uint64_t add(struct clients *c, uint32_t who)
{
	struct peer p = peer(who);

	return clients_add(c, &p);
}

static void remove_one(struct clients *c, uint32_t who)
{
	struct peer p = peer(who);

	clients_remove(c, &p);
}

START_TEST(each_client_has_its_own_count)
{
	struct clients *c = clients_new(3);
	struct peer user = { .family = AF_UNIX, .address.uid = 1 };

	ck_assert_uint_eq(add(c, 1), 1);
	ck_assert_uint_eq(add(c, 2), 1);
	ck_assert_uint_eq(add(c, 1), 2);
	ck_assert_uint_eq(clients_add(c, &user), 1);
	remove_one(c, 1);
	ck_assert_uint_eq(add(c, 1), 2);
	ck_assert_uint_eq(add(c, 2), 2);
	clients_free(c);
}
END_TEST

START_TEST(one_client_too_many_does_not_count_and_finds_a_place_when_another_has_gone)
{
	struct clients *c = clients_new(2);

	ck_assert_uint_eq(add(c, 1), 1);
	ck_assert_uint_eq(add(c, 2), 1);
	ck_assert_uint_eq(add(c, 3), UINT64_MAX);
	ck_assert_uint_eq(add(c, 2), 2);
	remove_one(c, 1);
	ck_assert_uint_eq(add(c, 3), 1);
	ck_assert_uint_eq(add(c, 1), UINT64_MAX);
	clients_free(c);
}
END_TEST

START_TEST(after_many_have_come_and_gone_there_is_place_for_as_many_again)
{
	enum { MOST = 1000 };
	struct clients *c = clients_new(MOST);

	for (uint32_t round = 0; round < 10; round++) {
		for (uint32_t i = 0; i < MOST; i++)
			ck_assert_uint_eq(add(c, round * MOST + i), 1);
		for (uint32_t i = 0; i < MOST; i++)
			ck_assert_uint_eq(add(c, round * MOST + i), 2);
		for (uint32_t i = 0; i < 2 * MOST; i++)
			remove_one(c, round * MOST + i % MOST);
	}
	clients_free(c);
}
END_TEST

enum { THREADS = 4, TURNS = 20000 };

static void *come_and_go(void *arg)
{
	for (uint32_t i = 0; i < TURNS; i++) {
		if (add(arg, i % 7) == UINT64_MAX)
			return arg;
		remove_one(arg, i % 7);
	}
	return NULL;
}

START_TEST(threads_count_the_same_clients)
{
	struct clients *c = clients_new(THREADS);
	pthread_t threads[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		threads[i] = thread_start(come_and_go, c);
	for (size_t i = 0; i < THREADS; i++) {
		void *failed;

		pthread_join(threads[i], &failed);
		ck_assert_ptr_null(failed);
	}
	for (uint32_t i = 0; i < THREADS; i++)
		ck_assert_uint_eq(add(c, i), 1);
	clients_free(c);
}
END_TEST

Suite *clients_suite(void);

Suite *clients_suite(void)
{
	const TTest *const tests[] = {
		each_client_has_its_own_count,
		one_client_too_many_does_not_count_and_finds_a_place_when_another_has_gone,
		after_many_have_come_and_gone_there_is_place_for_as_many_again,
		threads_count_the_same_clients,
	};

	return suite_of("clients", tests, countof(tests));
}
