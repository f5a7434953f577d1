/* A leatd without sockets: what a test needs to submit jobs and to see them come home. */
#ifndef LEAT_TESTS_MILL_H
#define LEAT_TESTS_MILL_H

#include "../../daemon/config.h"
#include "../../daemon/ids.h"
#include "../../daemon/job.h"
#include "../../daemon/leatd.h"
#include "../../daemon/log.h"
#include "../../daemon/request.h"
#include "../../daemon/semaphores.h"
#include "../../daemon/share.h"
#include "testing.h"

#include <stdlib.h>

struct mill {
	struct leatd leatd;
	struct config *config;
	struct chan *home;
	struct ctx *client;
};

/* The type of that name, or NULL. */
static inline struct type *leatd_type(const struct leatd *leatd, struct slice name)
{
	return catalogue_type(leatd->catalogue, name);
}

/* With the built-in configuration and these overrides. */
static inline struct mill *mill_start(const char *const *overrides, size_t n)
{
	struct mill *m = aligned_alloc(CACHE_LINE, (sizeof(*m) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
	struct buf errors = { 0 };

	memset(m, 0, sizeof(*m));
	m->config = config_load(NULL, overrides, n, &errors);
	ck_assert_msg(m->config != NULL, "%.*s", (int)errors.len, errors.at);
	struct catalogue_change change;

	shim_store(&m->leatd.max_memory, m->config->server.max_memory, relaxed);
	m->leatd.log = log_start("error", 0);
	m->leatd.ids = ids_new();
	getrlimit(RLIMIT_NOFILE, &m->leatd.descriptors);
	ck_assert_int_eq(trees_init(&m->leatd.trees), 0);
	m->leatd.catalogue = catalogue_new(&m->leatd, config_ref(m->config), NULL, &change, &errors);
	ck_assert_msg(m->leatd.catalogue != NULL, "%.*s", (int)errors.len, errors.at);
	m->home = chan_new(sizeof(struct job *), 10000);
	m->client = ctx_with_cancel(NULL);
	return m;
}

static inline void mill_stop(struct mill *m)
{
	catalogue_retire(m->leatd.catalogue, NULL);
	catalogue_unref(m->leatd.catalogue);
	for (struct type *type = m->leatd.retired, *next; type; type = next) {
		next = type->next;
		type_stop(type);
		ck_assert_uint_eq(shim_load(&type->references, relaxed), 1);
		type_free(type);
	}
	ck_assert_uint_eq(shim_load(&m->leatd.memory_bytes, relaxed), 0);
	log_stop(m->leatd.log);
	ids_free(m->leatd.ids);
	trees_free(&m->leatd.trees);
	chan_unref(m->home);
	ctx_unref(m->client);
	config_unref(m->config);
	free(m);
}

/* NULL: refused, and *why says so. `peer`: a number for the client. */
static inline struct job *mill_submit_as(struct mill *m, uint64_t peer, const char *name, const char *payload, int64_t deadline_ns,
					 struct answer *why)
{
	struct request request = { .job = slice_of(name), .payload = slice_of(payload), .deadline_ns = deadline_ns };
	struct requester requester = { .ctx = m->client, .home = m->home, .peer = &(struct peer){ .family = AF_INET, .address.v4.s_addr = (in_addr_t)peer } };

	return request_submit(m->leatd.catalogue, &request, &requester, moment_now(), why);
}

static inline struct job *mill_submit(struct mill *m, const char *name, const char *payload, int64_t deadline_ns, struct answer *why)
{
	return mill_submit_as(m, 1, name, payload, deadline_ns, why);
}

/* The next job that comes home; both references are the caller's. */
static inline struct job *mill_home(struct mill *m)
{
	struct job *job = NULL;

	ck_assert_int_eq(chan_recv(m->home, &job, NULL, SOON), CHAN_OK);
	return job;
}

static inline void mill_forget(struct job *job)
{
	job_unref(job);
	job_unref(job);
}

static inline struct books_copy mill_books(const struct mill *m, const char *name)
{
	return books_read(leatd_type(&m->leatd, slice_of(name))->books);
}

static inline void expect_balance(const struct books_copy *b)
{
	uint64_t sum = b->waiting + b->running;

	for (size_t i = 0; i < REFUSALS; i++)
		sum += b->refused[i];
	for (size_t i = 0; i < OUTCOMES; i++)
		sum += b->ended[i];
	ck_assert_uint_eq(b->submitted, sum);
}

#endif
