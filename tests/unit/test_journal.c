#include "testing.h"

#include "../../daemon/journal.h"

START_TEST(keys_become_fields_of_the_journal)
{
	char name[JOURNAL_KEY_MAX];

	journal_key("queue_us", name);
	ck_assert_str_eq(name, "LEAT_QUEUE_US");
	journal_key("trace_id", name);
	ck_assert_str_eq(name, "TRACE_ID");
	journal_key("a-name-that-is-longer-than-anybody-would-ever-want-it-to-be", name);
	ck_assert_uint_lt(strlen(name), sizeof(name));
}
END_TEST

START_TEST(a_field_is_in_the_entry_whole_or_not_at_all)
{
	char entry[24];
	size_t len = journal_add(entry, 0, sizeof(entry), "PRIORITY", SLICE("6"));

	ck_assert_uint_eq(len, 11);
	ck_assert_uint_eq(journal_add(entry, len, sizeof(entry), "MESSAGE", SLICE("too long for it")), len);
	len = journal_add(entry, len, sizeof(entry), "LEAT_JOB", SLICE("up"));
	ck_assert_uint_eq(len, 23);
	ck_assert_int_eq(memcmp(entry, "PRIORITY=6\nLEAT_JOB=up\n", len), 0);
}
END_TEST

Suite *journal_suite(void);
Suite *journal_suite(void)
{
	const TTest *const tests[] = { keys_become_fields_of_the_journal, a_field_is_in_the_entry_whole_or_not_at_all };

	return suite_of("journal", tests, countof(tests));
}
