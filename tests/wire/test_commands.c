/* COMMAND, CONFIG GET and INFO: what the clients of Redis look at before and beside their work, in the shapes of Redis 7. */
#include "wire.h"

START_TEST(command_tells_of_every_command)
{
	struct client *c = dial(server_start(NULL));
	char *count, *all;

	say(c, "COMMAND COUNT\r\nCOMMAND\r\nCOMMAND INFO\r\n");
	count = hear_reply(c);
	all = hear_reply(c);
	assert_match(count, "^:[1-9][0-9]\r\n$");
	assert_match(all, scratchf("^\\*%.2s\r\n\\*10\r\n\\$4\r\nping\r\n:-1\r\n", count + 1));
	ck_assert_str_eq(hear_reply(c), all);
}
END_TEST

START_TEST(command_info_has_the_ten_elements_of_redis_7)
{
	struct client *c = dial(server_start(NULL));

	say(c, "COMMAND INFO run Ping nope cancel auth\r\n");
	hear(c, "*5\r\n"
		"*10\r\n$3\r\nrun\r\n:-2\r\n*2\r\n+blocking\r\n+noscript\r\n:0\r\n:0\r\n:0\r\n*2\r\n+@slow\r\n+@blocking\r\n*0\r\n*0\r\n*0\r\n"
		"*10\r\n$4\r\nping\r\n:-1\r\n*2\r\n+fast\r\n+noscript\r\n:0\r\n:0\r\n:0\r\n*2\r\n+@fast\r\n+@connection\r\n*0\r\n*0\r\n*0\r\n"
		"*-1\r\n"
		"*10\r\n$6\r\ncancel\r\n:2\r\n*3\r\n+fast\r\n+noscript\r\n+admin\r\n:0\r\n:0\r\n:0\r\n*2\r\n+@fast\r\n+@admin\r\n*0\r\n*0\r\n*0\r\n"
		"*10\r\n$4\r\nauth\r\n:-2\r\n*3\r\n+fast\r\n+noscript\r\n+no_auth\r\n:0\r\n:0\r\n:0\r\n*2\r\n+@fast\r\n+@connection\r\n*0\r\n*0\r\n*0\r\n");
	say(c, "HELLO 3\r\n");
	hear_reply(c);
	say(c, "COMMAND INFO nope QUIT\r\n");
	hear(c, "*2\r\n_\r\n"
		"*10\r\n$4\r\nquit\r\n:1\r\n~3\r\n+fast\r\n+noscript\r\n+no_auth\r\n:0\r\n:0\r\n:0\r\n~2\r\n+@fast\r\n+@connection\r\n~0\r\n~0\r\n~0\r\n");
}
END_TEST

/* An answer without the lengths of its strings, with a space for the end of a line. */
static const char *plain(const char *reply)
{
	char *room = scratch(strlen(reply) + 1), *to = room;

	while (*reply) {
		size_t len = strcspn(reply, "\r");

		if (*reply != '$') {
			to = mempcpy(to, reply, len);
			*to++ = ' ';
		}
		reply += len + 2;
	}
	*to = '\0';
	return room;
}

START_TEST(command_docs_says_what_a_command_takes_and_does)
{
	struct client *c = dial(server_start(NULL));

	say(c, "COMMAND DOCS nope PS echo\r\n");
	ck_assert_str_eq(plain(hear_reply(c)), "*4 ps *6 summary the jobs that wait and run since 0.1.0 group server "
			 "echo *8 summary the text since 0.1.0 group connection arguments *1 *4 name text type string ");
	say(c, "HELLO 3\r\n");
	hear_reply(c);
	say(c, "COMMAND DOCS run hello\r\n");
	ck_assert_str_eq(plain(hear_reply(c)),
			 "%2 run %4 summary runs a job: its output since 0.1.0 group job arguments *5 "
			 "%2 name job type string "
			 "%3 name payload type string flags ~1 +optional "
			 "%5 name deadline type block token DEADLINE flags ~1 +optional arguments *1 %2 name duration type string "
			 "%5 name id type block token ID flags ~1 +optional arguments *1 %2 name id type string "
			 "%5 name arg type block token ARG flags ~2 +optional +multiple arguments *2 %2 name name type string %2 name value type string "
			 "hello %4 summary the version of the protocol since 0.1.0 group connection arguments *1 "
			 "%4 name 2|3 type block flags ~1 +optional arguments *3 "
			 "%3 name 2|3 type oneof arguments *2 %3 name 2 type pure-token token 2 %3 name 3 type pure-token token 3 "
			 "%5 name auth type block token AUTH flags ~1 +optional arguments *2 %2 name user type string %2 name token type string "
			 "%5 name setname type block token SETNAME flags ~1 +optional arguments *1 %2 name name type string ");
}
END_TEST

START_TEST(command_list_may_be_filtered)
{
	struct client *c = dial(server_start(NULL));

	say(c, "COMMAND LIST FILTERBY PATTERN p*\r\nCOMMAND LIST FILTERBY aclcat BLOCKING\r\nCOMMAND LIST FILTERBY MODULE x\r\nCOMMAND LIST\r\n");
	ck_assert_str_eq(plain(hear_reply(c)), "*4 ping pipe ps pause ");
	assert_match(plain(hear_reply(c)), "^\\*[0-9] run ");
	hear(c, "*0\r\n");
	assert_match(plain(hear_reply(c)), "^\\*[0-9]+ ping echo run ");
	say(c, "COMMAND LIST FILTERBY x\r\nCOMMAND LIST x y z\r\nCOMMAND NOPE\r\nCOMMAND GETKEYS run x\r\nCOMMAND GETKEYS nope x\r\nPING\r\n");
	hear_match(c, "^-ERR COMMAND LIST takes");
	hear_match(c, "^-ERR COMMAND LIST takes");
	hear_match(c, "^-ERR COMMAND takes");
	hear_match(c, "^-ERR the command has no key arguments");
	hear_match(c, "^-ERR COMMAND GETKEYS takes");
	hear(c, "+PONG\r\n");
}
END_TEST

START_TEST(config_get_knows_what_redis_benchmark_asks_for)
{
	struct client *c = dial(server_start("[server]\nmax_connections = 77\n[job echo]\nbuiltin = echo\n"));

	say(c, "CONFIG GET save\r\nCONFIG GET appendonly\r\nCONFIG GET MaxClients nope\r\nCONFIG GET nope\r\n");
	hear(c, "*2\r\n$4\r\nsave\r\n$0\r\n\r\n*2\r\n$10\r\nappendonly\r\n$2\r\nno\r\n*2\r\n$10\r\nmaxclients\r\n$2\r\n77\r\n*0\r\n");
	say(c, "HELLO 3\r\n");
	hear_reply(c);
	say(c, "CONFIG GET max*\r\nCONFIG SET save x\r\nCONFIG GET\r\n");
	assert_match(plain(hear_reply(c)), "^%3 maxclients 77 maxmemory [0-9]+ maxmemory-policy noeviction $");
	hear_match(c, "^-ERR CONFIG takes GET");
	hear_match(c, "^-ERR CONFIG takes GET");
}
END_TEST

START_TEST(info_has_the_sections_that_are_asked_for)
{
	struct client *c = dial(server_start(NULL));
	char *some;

	say(c, "INFO\r\nINFO nope\r\nINFO clients SERVER clients\r\n");
	assert_match(hear_reply(c), "# Server\r\n.*# Clients\r\n.*# Memory\r\n.*# Stats\r\n.*# Jobs\r\n.*# Semaphores\r\n");
	hear(c, "$0\r\n\r\n");
	some = hear_reply(c);
	assert_match(some, "^\\$[0-9]+\r\n# Server\r\nleat_version:[0-9.]+\r\n.*\r\nredis_version:7.*\r\n\r\n# Clients\r\nconnected_clients:1\r\n");
	ck_assert_ptr_null(strstr(some, "# Memory"));
}
END_TEST

Suite *commands_suite(void)
{
	const TTest *tests[] = {
		command_tells_of_every_command,
		command_info_has_the_ten_elements_of_redis_7,
		command_docs_says_what_a_command_takes_and_does,
		command_list_may_be_filtered,
		config_get_knows_what_redis_benchmark_asks_for,
		info_has_the_sections_that_are_asked_for,
	};
	return wire_suite("commands", tests, countof(tests));
}
