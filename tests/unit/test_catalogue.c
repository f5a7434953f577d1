#include "mill.h"

#include "../../daemon/config_compare.h"

#define OVERRIDES(...) (const char *const[]){ __VA_ARGS__ }, countof(((const char *const[]){ __VA_ARGS__ }))

static struct config *load(const char *const *overrides, size_t n)
{
	struct buf errors = { 0 };
	struct config *config = config_load(NULL, overrides, n, &errors);

	ck_assert_msg(config != NULL, "%.*s", (int)errors.len, errors.at);
	return config;
}

/* Puts another catalogue in force, as main does; the one before is the caller's. */
static struct catalogue *renew(struct mill *m, const char *const *overrides, size_t n, struct catalogue_change *change)
{
	struct catalogue *before = m->leatd.catalogue;
	struct buf errors = { 0 };
	struct catalogue *next = catalogue_new(&m->leatd, load(overrides, n), before, change, &errors);

	ck_assert_msg(next != NULL, "%.*s", (int)errors.len, errors.at);
	catalogue_retire(before, next);
	m->leatd.catalogue = next;
	return before;
}

static uint64_t references(const struct type *type)
{
	return shim_load(&type->references, relaxed);
}

/* What main does now and then. */
static bool are_over(struct mill *m)
{
	struct type **at = &m->leatd.retired;

	while (*at) {
		struct type *type = *at, *next = type->next;

		if (type_look(type))
			*at = next;
		else
			at = &type->next;
	}
	return !m->leatd.retired;
}

static struct type *type_of(struct mill *m, const char *name)
{
	return catalogue_type(m->leatd.catalogue, slice_of(name));
}

START_TEST(a_type_whose_section_says_the_same_is_the_same_type)
{
	struct mill *m = mill_start(OVERRIDES("job sleep.queue=7"));
	struct type *echo = type_of(m, "echo"), *sleep = type_of(m, "sleep");
	struct catalogue_change change;

	catalogue_unref(renew(m, OVERRIDES("job sleep.queue=7", "server.max_payload=2M"), &change));
	ck_assert_ptr_eq(type_of(m, "echo"), echo);
	ck_assert_ptr_eq(type_of(m, "sleep"), sleep);
	ck_assert_uint_eq(change.added + change.changed + change.removed, 0);
	ck_assert_uint_eq(references(echo), 2);
	ck_assert(are_over(m));
	mill_stop(m);
}
END_TEST

START_TEST(one_that_has_changed_is_another_with_the_books_and_the_gate_of_the_old_one)
{
	struct mill *m = mill_start(OVERRIDES("job sleep.queue=7"));
	struct type *old = type_of(m, "sleep"), *new;
	struct books *books = old->books;
	struct catalogue_change change;

	ck_assert(type_pause(old));
	catalogue_unref(renew(m, OVERRIDES("job sleep.queue=8"), &change));
	new = type_of(m, "sleep");
	ck_assert_ptr_ne(new, old);
	ck_assert_ptr_eq(new->books, books);
	ck_assert(type_is_paused(new));
	ck_assert_uint_eq(new->config->queue, 8);
	ck_assert_uint_eq(change.changed, 1);
	wait_until(are_over(m), SOON);
	ck_assert_uint_eq(shim_load(&books->references, relaxed), 1);
	mill_stop(m);
}
END_TEST

START_TEST(the_old_one_is_kept_as_long_as_a_catalogue_or_a_job_has_it)
{
	struct mill *m = mill_start(OVERRIDES("job sleep.queue=7"));
	struct type *old = type_of(m, "sleep");
	struct catalogue_change change;
	struct catalogue *before;
	struct answer why;
	struct job *job = mill_submit(m, "sleep", "60s", 0, &why);

	ck_assert_ptr_nonnull(job);
	wait_until(mill_books(m, "sleep").running == 1, SOON);
	before = renew(m, OVERRIDES("job sleep.queue=8"), &change);
	ck_assert_uint_eq(references(old), 3);
	ck_assert(!are_over(m));
	catalogue_unref(before);
	ck_assert(!are_over(m));
	ck_assert_uint_eq(mill_books(m, "sleep").running, 1);
	ctx_cancel(m->client);
	job = mill_home(m);
	ck_assert_ptr_eq(job->type, old);
	ck_assert(!are_over(m));
	mill_forget(job);
	wait_until(are_over(m), SOON);
	ck_assert_uint_eq(mill_books(m, "sleep").ended[OUTCOME_canceled], 1);
	mill_stop(m);
}
END_TEST

START_TEST(what_is_added_and_removed_is_counted)
{
	struct mill *m = mill_start(OVERRIDES("job a.builtin=echo", "job b.builtin=echo"));
	struct catalogue_change change;

	catalogue_unref(renew(m, OVERRIDES("job b.builtin=echo", "job c.builtin=echo", "job d.builtin=echo"), &change));
	ck_assert_uint_eq(change.added, 2);
	ck_assert_uint_eq(change.changed, 0);
	ck_assert_uint_eq(change.removed, 1);
	ck_assert_ptr_null(type_of(m, "a"));
	ck_assert_ptr_nonnull(type_of(m, "d"));
	wait_until(are_over(m), SOON);
	mill_stop(m);
}
END_TEST

START_TEST(a_semaphore_stays_while_its_permits_do_and_others_make_its_users_new)
{
	struct mill *m = mill_start(OVERRIDES("semaphore db.permits=1", "job sleep.uses=db", "job echo.uses=db"));
	struct type *sleep = type_of(m, "sleep"), *echo = type_of(m, "echo");
	struct named_semaphore *db = sleep->uses[0];
	struct catalogue_change change;

	catalogue_unref(renew(m, OVERRIDES("semaphore db.permits=1", "job sleep.uses=db", "job echo.uses=db", "job echo.queue=3"), &change));
	ck_assert_ptr_eq(type_of(m, "sleep"), sleep);
	ck_assert_ptr_ne(type_of(m, "echo"), echo);
	ck_assert_ptr_eq(type_of(m, "echo")->uses[0], db);
	wait_until(are_over(m), SOON);
	ck_assert_uint_eq(db->user_count, 2);
	catalogue_unref(renew(m, OVERRIDES("semaphore db.permits=2", "job sleep.uses=db", "job echo.uses=db", "job echo.queue=3"), &change));
	ck_assert_uint_eq(change.changed, 2);
	ck_assert_ptr_ne(type_of(m, "sleep")->uses[0], db);
	wait_until(are_over(m), SOON);
	mill_stop(m);
}
END_TEST

START_TEST(one_that_cannot_be_started_leaves_nothing_behind)
{
	struct mill *m = mill_start(OVERRIDES("job sleep.queue=7"));
	struct config *config = load(OVERRIDES("job sleep.queue=8", "job z.builtin=echo"));
	struct type *echo = type_of(m, "echo"), *sleep = type_of(m, "sleep");
	struct catalogue_change change;
	struct buf errors = { 0 };

	/* As if the file had gone between looking at it and loading it. */
	config->jobs[config->job_count - 1]->kind = KIND_PLUGIN;
	config->jobs[config->job_count - 1]->plugin_path = strdup("/no/such.so");
	ck_assert_ptr_null(catalogue_new(&m->leatd, config, m->leatd.catalogue, &change, &errors));
	ck_assert_msg(errors.len > 0 && memmem(errors.at, errors.len, "[job z] plugin", 14), "%.*s", (int)errors.len, errors.at);
	buf_free(&errors);
	wait_until(are_over(m), SOON);
	ck_assert_uint_eq(references(echo), 2);
	ck_assert_uint_eq(references(sleep), 2);
	ck_assert_uint_eq(shim_load(&sleep->books->references, relaxed), 1);
	mill_stop(m);
}
END_TEST

START_TEST(every_key_of_a_job_counts_as_a_change)
{
	static const char *const changes[] = {
		"job j.queue=3", "job j.env.A=2", "job j.env.B=1", "job j.arg.x=b", "job j.exec=/bin/cat {x} -", "job j.limit.cpu=3s",
		"job j.cwd=/tmp", "job j.leave_children=yes",
	};
	const char *overrides[] = { "job j.exec=/bin/cat {x}", "job j.arg.x=a", "job j.env.A=1", NULL };
	struct config *first = load(overrides, 3), *same = load(overrides, 3);

	ck_assert(config_job_is_same(first->jobs[1], same->jobs[1]));
	ck_assert_str_eq(first->jobs[1]->name, "j");
	for (size_t i = 0; i < countof(changes); i++) {
		struct config *other;

		overrides[3] = changes[i];
		other = load(overrides, 4);
		ck_assert_msg(!config_job_is_same(first->jobs[1], other->jobs[1]), "%s", changes[i]);
		config_unref(other);
	}
	config_unref(first);
	config_unref(same);
}
END_TEST

START_TEST(the_keys_that_take_effect_at_a_restart_are_named)
{
	struct config *first = load(NULL, 0), *more = load(OVERRIDES("server.listen=127.0.0.1:1", "server.loops=3", "server.max_connections=10001",
								     "server.client_connections=3", "server.max_payload=1K"));
	struct config *less = load(OVERRIDES("server.max_connections=10", "server.idle_timeout=1s"));
	struct buf keys = { 0 };

	config_fixed_keys(&first->server, &more->server, &keys);
	ck_assert(slice_is(buf_slice(&keys), SLICE("listen, loops, max_connections, client_connections")));
	keys.len = 0;
	config_fixed_keys(&first->server, &less->server, &keys);
	ck_assert_uint_eq(keys.len, 0);
	buf_free(&keys);
	config_unref(first);
	config_unref(more);
	config_unref(less);
}
END_TEST

Suite *catalogue_suite(void);
Suite *catalogue_suite(void)
{
	const TTest *const tests[] = {
		a_type_whose_section_says_the_same_is_the_same_type,
		one_that_has_changed_is_another_with_the_books_and_the_gate_of_the_old_one,
		the_old_one_is_kept_as_long_as_a_catalogue_or_a_job_has_it, what_is_added_and_removed_is_counted,
		a_semaphore_stays_while_its_permits_do_and_others_make_its_users_new, one_that_cannot_be_started_leaves_nothing_behind,
		every_key_of_a_job_counts_as_a_change, the_keys_that_take_effect_at_a_restart_are_named,
	};

	return suite_of("catalogue", tests, countof(tests));
}
