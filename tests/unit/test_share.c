#include "../../daemon/share.h"
#include "../../lib/shim.h"
#include "testing.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct peer peer(uint64_t who)
{
	return (struct peer){ .family = AF_INET, .address.v4.s_addr = (in_addr_t)who };
}

static struct share_entry *take_at(struct share *share, uint64_t who, struct share_scene scene)
{
	struct peer p = peer(who);

	return share_take(share, &p, 1, &scene);
}

/* Each much later than the one before it, so that only who waits now does. */
static struct share_entry *take(struct share *share, uint64_t who, uint64_t waiting)
{
	static shim_u64 hours;

	return take_at(share, who, (struct share_scene){ .now = (moment)shim_add(&hours, 1, relaxed) * 3600 * SECONDS, .waiting = waiting });
}

START_TEST(while_others_wait_a_peer_holds_no_more_than_its_part)
{
	struct share *share = share_new(10, 30);

	for (uint64_t i = 0; i < 5; i++)
		ck_assert_ptr_nonnull(take(share, 1, i));
	ck_assert_ptr_nonnull(take(share, 2, 5));
	/* One waits that is not of peer 1. */
	ck_assert_ptr_null(take(share, 1, 6));
	ck_assert_ptr_nonnull(take(share, 2, 6));
	ck_assert_ptr_nonnull(take(share, 2, 7));
	ck_assert_ptr_null(take(share, 2, 8));
	ck_assert_ptr_nonnull(take(share, 3, 8));
	share_free(share);
}
END_TEST

START_TEST(those_that_run_hold_a_place_and_do_not_wait)
{
	struct share *share = share_new(10, 20);
	struct share_entry *one = take(share, 1, 0), *two = take(share, 1, 1), *other = take(share, 2, 2);

	ck_assert_ptr_null(take(share, 1, 3));
	share_started(share, other);
	/* Two wait, both its own. */
	ck_assert_ptr_nonnull(take(share, 1, 2));
	share_started(share, one);
	share_give_back(share, one, 1, true);
	share_give_back(share, two, 1, false);
	share_give_back(share, other, 1, true);
	share_free(share);
}
END_TEST

START_TEST(who_waited_or_was_refused_is_remembered_for_a_while)
{
	struct share *share = share_new(10, 20);
	struct peer refused = peer(3);

	ck_assert_ptr_nonnull(take_at(share, 1, (struct share_scene){ .now = 1 }));
	ck_assert_ptr_nonnull(take_at(share, 1, (struct share_scene){ .now = 1, .waiting = 1 }));
	/* Its own wants are not those of others. */
	ck_assert_ptr_nonnull(take_at(share, 1, (struct share_scene){ .now = 2, .waiting = 2 }));

	ck_assert_ptr_nonnull(take_at(share, 2, (struct share_scene){ .now = 3, .waiting = 3, .wait = SECONDS }));
	ck_assert_ptr_null(take_at(share, 1, (struct share_scene){ .now = 1 * SECONDS, .waiting = 0 }));
	ck_assert_ptr_nonnull(take_at(share, 1, (struct share_scene){ .now = 2 * SECONDS, .waiting = 0 }));

	share_refused(share, &refused, 3 * SECONDS, 2 * SECONDS);
	ck_assert_ptr_null(take_at(share, 1, (struct share_scene){ .now = 4 * SECONDS, .waiting = 0 }));
	/* Whoever has less than its part gets it all the same. */
	ck_assert_ptr_nonnull(take_at(share, 2, (struct share_scene){ .now = 4 * SECONDS, .waiting = 0 }));
	ck_assert_ptr_nonnull(take_at(share, 1, (struct share_scene){ .now = 6 * SECONDS, .waiting = 1 }));
	share_free(share);
}
END_TEST

START_TEST(a_want_of_ones_own_does_not_hide_those_of_two_others)
{
	struct share *share = share_new(10, 10);
	struct peer a = peer(1), b = peer(2), c = peer(3);

	ck_assert_ptr_nonnull(take_at(share, 1, (struct share_scene){ .now = 1, .is_free = true }));
	share_refused(share, &b, 2, 5 * SECONDS);
	share_refused(share, &c, 2, 3 * SECONDS);
	share_refused(share, &a, 2, 4 * SECONDS);
	ck_assert_ptr_null(take_at(share, 1, (struct share_scene){ .now = 4 * SECONDS }));
	ck_assert_ptr_nonnull(take_at(share, 1, (struct share_scene){ .now = 6 * SECONDS }));
	share_free(share);
}
END_TEST

START_TEST(a_free_runner_is_for_everybody)
{
	struct share *share = share_new(10, 10);
	struct peer other = peer(2);

	share_refused(share, &other, 1, SECONDS);
	for (uint64_t i = 0; i < 5; i++)
		ck_assert_ptr_nonnull(take_at(share, 1, (struct share_scene){ .now = 2, .waiting = i, .is_free = true }));
	ck_assert_ptr_null(take_at(share, 1, (struct share_scene){ .now = 2, .waiting = 0 }));
	share_free(share);
}
END_TEST

START_TEST(as_many_peers_as_places_and_a_place_that_is_given_back_is_anothers)
{
	struct share *share = share_new(1000, 1);
	struct share_entry *entries[1000];

	for (uint64_t round = 0; round < 5; round++) {
		for (uint64_t i = 0; i < 1000; i++) {
			entries[i] = take(share, round * 7919 + i, i);
			ck_assert_ptr_nonnull(entries[i]);
		}
		for (uint64_t i = 0; i < 1000; i++)
			share_give_back(share, entries[(i * 7) % 1000], 1, false);
	}
	share_free(share);
}
END_TEST

START_TEST(the_least_part_is_one_place)
{
	struct share *share = share_new(5, 1);

	ck_assert_ptr_nonnull(take(share, 1, 0));
	ck_assert_ptr_nonnull(take(share, 2, 1));
	ck_assert_ptr_null(take(share, 2, 2));
	share_free(share);
}
END_TEST

START_TEST(a_peer_of_a_unix_socket_is_its_user)
{
	int ends[2];
	struct peer user;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	user = peer_of(ends[0], &(struct sockaddr_storage){ .ss_family = AF_UNIX });
	ck_assert_uint_eq(user.family, AF_UNIX);
	ck_assert_uint_eq(user.address.uid, getuid());
	close(ends[0]);
	close(ends[1]);
}
END_TEST

struct visitor {
	struct share *share;
	uint64_t who;
};

static void *come_and_go(void *arg)
{
	struct visitor *v = arg;

	for (int i = 0; i < 50000; i++) {
		struct share_entry *entry = take(v->share, v->who + (uint64_t)i % 3, 0);

		if (!entry)
			return v;
		if (i % 2)
			share_started(v->share, entry);
		share_give_back(v->share, entry, 1, i % 2);
	}
	return NULL;
}

START_TEST(many_threads_come_and_go)
{
	/* A part of all four places, so that nobody is refused, whoever wants what. */
	struct share *share = share_new(4, 100);
	struct visitor visitors[4] = { { share, 1 }, { share, 2 }, { share, 3 }, { share, 100 } };
	pthread_t threads[4];

	for (size_t i = 0; i < 4; i++)
		threads[i] = thread_start(come_and_go, &visitors[i]);
	for (size_t i = 0; i < 4; i++) {
		void *failed;

		ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
		ck_assert_ptr_null(failed);
	}
	share_free(share);
}
END_TEST

Suite *share_suite(void);
Suite *share_suite(void)
{
	const TTest *const tests[] = {
		while_others_wait_a_peer_holds_no_more_than_its_part, those_that_run_hold_a_place_and_do_not_wait,
		who_waited_or_was_refused_is_remembered_for_a_while,
		a_want_of_ones_own_does_not_hide_those_of_two_others, a_free_runner_is_for_everybody,
		as_many_peers_as_places_and_a_place_that_is_given_back_is_anothers, the_least_part_is_one_place,
		a_peer_of_a_unix_socket_is_its_user, many_threads_come_and_go,
	};

	return suite_of("share", tests, countof(tests));
}
