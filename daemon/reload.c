#include "reload.h"

#include "catalogue.h"
#include "config_compare.h"
#include "leatd.h"
#include "log.h"
#include "loop.h"

#include <unistd.h>

/* A loop that does not come to its orders for so long is not waited for. */
#define LOOPS_NS (5 * SECONDS)
#define LOOK_NS (100 * MILLISECONDS)

/* What fits into a line that clients read. */
enum { WORDS_MAX = 4000 };

struct config *config_source_load(const struct config_source *source, struct buf *errors)
{
	static const char standard[] = LEAT_SYSCONFDIR "/leat/leatd.ini";
	const char *path = source->path;

	if (!path && access(standard, F_OK) == 0)
		path = standard;
	return config_load(path, source->overrides, source->override_count, errors);
}

void reload_init(struct reload *r, struct leatd *leatd, struct loop *const *loops, size_t loop_count, struct chan *renewed)
{
	r->leatd = leatd;
	r->first = config_ref(leatd->catalogue->config);
	r->loops = loops;
	r->loop_count = loop_count;
	r->renewed = renewed;
}

void reload_free(struct reload *r)
{
	config_unref(r->first);
}

/* --- What is told --- */

/* Each line of what is wrong is one of the log. */
static void log_faults(const struct leatd *leatd, struct slice faults)
{
	while (faults.len > 0) {
		const char *end = memchr(faults.at, '\n', faults.len);
		size_t len = end ? (size_t)(end - faults.at) : faults.len;

		log_warning(leatd->log, "cannot read it again, what was read before stays", log_text("error", (struct slice){ faults.at, len }));
		faults = (struct slice){ faults.at + len + (end ? 1 : 0), faults.len - len - (end ? 1 : 0) };
	}
}

/* All lines as one. */
static void join_faults(struct slice faults, struct buf *to)
{
	for (size_t i = 0; i + 1 < faults.len && i < WORDS_MAX; i++) {
		if (faults.at[i] == '\n')
			buf_add_slice(to, SLICE("; "));
		else
			buf_add_char(to, faults.at[i]);
	}
	if (faults.len > WORDS_MAX)
		buf_add_slice(to, SLICE("...; all of it is in the log"));
}

static void join_changes(const struct inquiry_reload *outcome, struct buf *to)
{
	buf_addf(to, "%zu added, %zu changed, %zu removed", outcome->added, outcome->changed, outcome->removed);
	if (outcome->at_restart.len > 0)
		buf_addf(to, "; at a restart only: %.*s", (int)outcome->at_restart.len, outcome->at_restart.at);
}

/* --- Doing it --- */

static void wait_for_loops(struct reload *r)
{
	moment until = moment_in(LOOPS_NS);
	const struct catalogue *taken;
	size_t count = 0;

	while (count < r->loop_count && chan_recv(r->renewed, &taken, NULL, until) == CHAN_OK)
		count += taken == r->leatd->catalogue;
	if (count < r->loop_count)
		log_warning(r->leatd->log, "a loop is slow to go by the new configuration");
}

static void put_in_force(struct reload *r, struct catalogue *catalogue)
{
	struct leatd *leatd = r->leatd;
	struct catalogue *old = leatd->catalogue;
	const struct server_config *server = &catalogue->config->server;
	const struct catalogue *late;

	leatd->catalogue = catalogue;
	shim_store(&leatd->max_memory, server->max_memory, relaxed);
	log_set(leatd->log, server->log, server->log_rate);
	while (chan_try_recv(r->renewed, &late) == CHAN_OK)
		;
	for (size_t i = 0; i < r->loop_count; i++)
		loop_renew(r->loops[i], catalogue_ref(catalogue));
	wait_for_loops(r);
	catalogue_retire(old, catalogue);
	catalogue_unref(old);
}

static bool read_again(struct reload *r, struct inquiry_reload *outcome, struct buf *errors)
{
	struct config *config = config_source_load(&r->source, errors);
	struct catalogue *catalogue;
	struct catalogue_change change;

	if (!config)
		return false;
	config_fixed_keys(&r->first->server, &config->server, &outcome->at_restart);
	catalogue = catalogue_new(r->leatd, config, r->leatd->catalogue, &change, errors);
	if (!catalogue)
		return false;
	outcome->added = change.added;
	outcome->changed = change.changed;
	outcome->removed = change.removed;
	put_in_force(r, catalogue);
	return true;
}

static void log_done(const struct leatd *leatd, const struct inquiry_reload *outcome)
{
	log_notice(leatd->log, "the configuration was read again", log_number("added", (int64_t)outcome->added),
		   log_number("changed", (int64_t)outcome->changed), log_number("removed", (int64_t)outcome->removed));
	if (outcome->at_restart.len > 0)
		log_warning(leatd->log, "these take effect at a restart only", log_text("keys", buf_slice(&outcome->at_restart)));
}

bool reload_run(struct reload *r, struct inquiry_reload *outcome)
{
	struct buf errors = { 0 };

	*outcome = (struct inquiry_reload){ 0 };
	if (shim_load(&r->leatd->draining, relaxed)) {
		buf_addf(&outcome->words, "leatd is stopping");
		return false;
	}
	outcome->done = read_again(r, outcome, &errors);
	if (outcome->done) {
		log_done(r->leatd, outcome);
		join_changes(outcome, &outcome->words);
	} else {
		log_faults(r->leatd, buf_slice(&errors));
		join_faults(buf_slice(&errors), &outcome->words);
	}
	buf_free(&errors);
	return outcome->done;
}

/* --- Afterwards --- */

moment reload_look(struct leatd *leatd)
{
	struct type **at = &leatd->retired;

	while (*at) {
		struct type *type = *at, *next = type->next;

		if (type_look(type))
			*at = next;
		else
			at = &type->next;
	}
	return leatd->retired ? moment_in(LOOK_NS) : FOREVER;
}
