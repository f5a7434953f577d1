/* Configurations that are wrong are told so, all that is wrong at once; and what is printed can be read. */
#include "wire.h"

#include <unistd.h>

struct wrong {
	const char *text;
	const char *error;              /* a line that is expected; %s: the path of the file */
};

static const struct wrong wrongs[] = {
	{ "[job e]\nbuiltin = echo\nqeue = 5\n", "%s:3: [job e] qeue: unknown key; did you mean queue?" },
	{ "[server]\nmax_conections = 5\n", "%s:2: [server] max_conections: unknown key; did you mean max_connections?" },
	{ "[server]\nxyzzy = 5\n", "%s:2: [server] xyzzy: unknown key; `leatd --print-config` lists what there is" },
	{ "[job e]\nbuiltin = echo\nconcurrency = x\n", "%s:3: [job e] concurrency: 'x' is not a whole number from 1 to 4096" },
	{ "[job e]\nbuiltin = echo\nconcurrency = 0\n", "%s:3: [job e] concurrency: '0' is not a whole number from 1 to 4096" },
	{ "[job e]\nbuiltin = echo\nqueue = 5M\n", "%s:3: [job e] queue: '5M' is not a whole number from 0 to 1000000" },
	{ "[job e]\nbuiltin = echo\ndeadline = 5 s\n", "%s:3: [job e] deadline: '5 s' is not a duration (with ms, s, m, h) from 1ms to 24h" },
	{ "[job e]\nbuiltin = echo\ndeadline = 0\n", "%s:3: [job e] deadline: '0' is not a duration (with ms, s, m, h) from 1ms to 24h" },
	{ "[server]\nmax_payload = 99T\n", "%s:2: [server] max_payload: '99T' is not a size (bytes, or with K, M, G) from 1 to 1G" },
	{ "[server]\nlog = loud\n", "%s:2: [server] log: 'loud' is not error, warning, info or jobs" },
	{ "[sever]\nloops = 1\n", "%s:1: unknown section [sever]; did you mean [server]?" },
	{ "[jobs echo]\nbuiltin = echo\n", "%s:1: unknown section [jobs echo]; did you mean [job NAME]?" },
	{ "[job a/b]\nbuiltin = echo\n", "%s:1: [job a/b]: a job's name is 1 to 40 of A-Za-z0-9._-" },
	{ "loops = 1\n", "%s:1: loops: stands before the first [section]" },
	{ "[job two]\nbuiltin = echo\nexec = cat\n", "%s:3: [job two] exec: and builtin are both set; a job is of one kind" },
	{ "[job none]\nqueue = 5\n", "%s: [job none] has no kind: set builtin, exec, worker, plugin or pipeline" },
	{ "[job e]\nbuiltin = eco\n", "%s:2: [job e] builtin: 'eco' is not echo or sleep; did you mean echo" },
	{ "[job e]\nbuiltin = echo\nqueue = 5\nqueue = 6\n", "%s:4: [job e] queue: is set twice, first in line 3" },
	{ "[job e]\nbuiltin = echo\nthis is nothing\n", "%s:3: is not `key = value`, `[section]` or a comment" },
	{ "[job e\nbuiltin = echo\n", "%s:1: is not `key = value`, `[section]` or a comment" },
	{ "[job e]\nexec = cat | grep x\n", "%s:2: [job e] exec: an unquoted '|': it is run without a shell (quote it, or run a script)" },
	{ "[job e]\nexec = echo $HOME\n", "%s:2: [job e] exec: an unquoted '$': it is run without a shell (quote it, or run a script)" },
	{ "[job e]\nexec = cat > /tmp/x\n", "%s:2: [job e] exec: an unquoted '>': it is run without a shell (quote it, or run a script)" },
	{ "[job e]\nexec = echo 'open\n", "%s:2: [job e] exec: a ' that is not closed" },
	{ "[job e]\nexec = /no/such/file\n", "%s:2: [job e] exec: '/no/such/file' is not an executable file" },
	{ "[job e]\nexec = /etc/passwd\n", "%s:2: [job e] exec: '/etc/passwd' is not an executable file" },
	{ "[job e]\nexec = nosuchprogram x\n",
	  "%s:2: [job e] exec: 'nosuchprogram' is not an executable file in /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
	{ "[job e]\nexec = cat {width}\n", "%s:2: [job e] exec: the placeholder {width} has no arg.* key (write {{ for the character itself)" },
	{ "[job e]\nexec = cat {width}\narg.width = [0-9\n",
	  "%s:3: [job e] arg.width: '[0-9' is not an extended regular expression: Unmatched [, [^, [:, [., or [=" },
	{ "[job e]\nexec = cat\narg.width = [0-9]\n", "%s:3: [job e] arg.width: there is no placeholder {width} in exec" },
	{ "[job e]\nexec = {program} x\narg.program = [a-z]*\n", "%s:2: [job e] exec: the program itself can hold no placeholder such as {program}" },
	{ "[job e]\nexec = cat {wi dth}\n",
	  "%s:2: [job e] exec: {wi dth} is no placeholder: its name is 1 to 32 of A-Za-z0-9_- (write {{ for the character itself)" },
	{ "[job e]\nexec = cat {width\n", "%s:2: [job e] exec: a single '{' (write it twice for the character itself)" },
	{ "[job e]\nexec = cat {x}\narg.x = [0-9]\n  x\n", "%s:4: [job e] arg.x: may not go on in an indented line" },
	{ "[job e]\nexec = cat\nsuccess = 0 300\n", "%s:3: [job e] success: '300' is not an exit status from 0 to 255" },
	{ "[job e]\nexec = cat\nlimit.memory = lots\n",
	  "%s:3: [job e] limit.memory: 'lots' is not a size (bytes, or with K, M, G) from 0 to 1024G" },
	{ "[job e]\nexec = cat\ngroup = nosuchgroup\n", "%s:3: [job e] group: there is no group 'nosuchgroup'" },
	{ "[job e]\nexec = cat\nenv.NOTIFY_SOCKET = x\n", "%s:3: [job e] env.*: NOTIFY_SOCKET may not be set: it is between systemd and leatd" },
	{ "[job e]\nexec = cat\ncwd = relative\n", "%s:3: [job e] cwd: 'relative' is not the absolute path of a folder" },
	{ "[job e]\nexec = cat\nuser = nosuchuser\n", "%s:3: [job e] user: there is no user 'nosuchuser'" },
	{ "[server]\nuser = nosuchuser\n", "%s:2: [server] user: there is no user 'nosuchuser'" },
	{ "[job e]\nexec = cat\nenv.LD_PRELOAD = x\n",
	  "%s:3: [job e] env.*: LD_PRELOAD may not be set: LD_* and LEAT_* are not for the configuration" },
	{ "[job e]\nexec = cat\nenv.1X = x\n", "%s:3: [job e] env.*: '1X' is not a name of letters, digits and _" },
	{ "[job e]\nbuiltin = echo\ndeadline = 5s\nmax_deadline = 1s\n", "%s:3: [job e] deadline: is over max_deadline" },
	{ "[server]\nlisten = nonsense\n", "%s:2: [server] listen: 'nonsense': wants HOST:PORT, [v6]:PORT, unix:/PATH or tls:HOST:PORT" },
	{ "[server]\nlisten = 127.0.0.1:99999\n", "%s:2: [server] listen: '127.0.0.1:99999': the port is not a whole number from 0 to 65535" },
	{ "[server]\nlisten = unix:relative\n", "%s:2: [server] listen: 'unix:relative': unix: wants an absolute path" },
	{ "[server]\nlisten = 0.0.0.0:0\n",
	  "%s:2: [server] listen: '0.0.0.0:0' can be reached from other machines, which needs tokens: set `tokens = FILE` "
	  "(`leatd --hash-token` prints its lines), or listen on 127.0.0.1, [::1] or unix:/PATH" },
	{ "[server]\ntokens = /no/such/file\n", "%s:2: [server] tokens: '/no/such/file' cannot be read: No such file or directory" },
	{ "[server]\ntokens = /etc/passwd\n", "%s:2: [server] tokens: '/etc/passwd' has mode 0644, so others may read or change it: chmod 0600 it" },
	{ "[server]\ntokens = /dev/null\n", "%s:2: [server] tokens: '/dev/null' is not a file of at most 1048576 bytes" },
	{ "[server]\ntokens = credential:x\n", "%s:2: [server] tokens: 'credential:x' is handed over by systemd only: LoadCredential=x:FILE in the unit" },
	{ "[server]\ntokens = credential:../x\n", "%s:2: [server] tokens: 'credential:../x' is not credential:NAME" },
	{ "[server]\nlisten = tls:127.0.0.1:0\n", "%s:2: [server] listen: 'tls:127.0.0.1:0' needs a certificate: set tls_cert and tls_key" },
	{ "[server]\nlisten = tls:unix:/x\n", "%s:2: [server] listen: 'tls:unix:/x': the port is not a whole number from 0 to 65535" },
	{ "[server]\ntls_cert = /etc/passwd\n",
	  "%s:2: [server] tls_cert: '/etc/passwd' is not a certificate, and those that lead to its root, in PEM: no start line" },
	{ "[server]\ntls_cert = /no/such\n", "%s: [server] tls_key: '' is to be a file, since tls_cert or tls_ca is one" },
	{ "[server]\ntls_key = /no/such\n", "%s:2: [server] tls_key: '/no/such' cannot be read: No such file or directory" },
	{ "[server]\ntls_ca = /etc/passwd\n", "%s:2: [server] tls_ca: '/etc/passwd' does not hold certificates in PEM" },
	{ "[server]\nunix_mode = 9\n", "%s:2: [server] unix_mode: '9' is not a mode in octal such as 0660" },
	{ "[server]\nunix_mode = 7777\n", "%s:2: [server] unix_mode: '7777' is not a mode in octal such as 0660" },
	{ "[server]\nunix_user = nosuchuser\n", "%s:2: [server] unix_user: there is no user 'nosuchuser'" },
	{ "[server]\nunix_group = nosuchgroup\n", "%s:2: [server] unix_group: there is no group 'nosuchgroup'" },
	{ "[server]\nlisten = [::]:0\n", "%s:2: [server] listen: '[::]:0' can be reached from other machines" },
	{ "", "%s: no job: add a section `[job NAME]` with `exec = COMMAND LINE`" },
};

static char *expected_error(const struct wrong *wrong, const char *path)
{
	return scratchf("%s%s", path, strstr(wrong->error, "%s") + 2);
}

START_TEST(what_is_wrong_is_told_with_its_place_and_what_is_allowed)
{
	for (size_t i = 0; i < countof(wrongs); i++) {
		const char *path = new_file(wrongs[i].text);
		struct ran ran = leatd("-c", path, "--check-config");

		ck_assert_msg(ran.status == 78, "%s\nended with status %d", wrongs[i].text, ran.status);
		assert_has(ran.err, expected_error(&wrongs[i], path));
		ck_assert_str_eq(ran.out, "");
	}
}
END_TEST

START_TEST(all_that_is_wrong_is_told_at_once)
{
	const char *path = new_file("before = 1\n"
				    "[server]\n"
				    "listen = 127.0.0.1:0, nonsense, 0.0.0.0:0\n"
				    "loops = many\n"
				    "idle_timout = 1s\n"
				    "no ini\n"
				    "[sever]\n"
				    "[job two]\n"
				    "builtin = echo\n"
				    "exec = cat\n"
				    "[job none]\n"
				    "concurrency = 99999\n"
				    "[job pipe]\n"
				    "exec = cat | cat\n"
				    "[job missing]\n"
				    "exec = /no/such/file\n"
				    "queue = -1\n");
	static const char *const errors[] = {
		":1: before: ", ":3: [server] listen: 'nonsense'", ":3: [server] listen: '0.0.0.0:0'", ":4: [server] loops: 'many' ",
		":5: [server] idle_timout: unknown key; did you mean idle_timeout?", ":6: is not `key = value`", ":7: unknown section [sever]",
		":10: [job two] exec: ", ": [job none] has no kind", ":12: [job none] concurrency: '99999' ", ":14: [job pipe] exec: ",
		":16: [job missing] exec: ", ":17: [job missing] queue: '-1' ",
	};
	struct ran ran = leatd("-c", path);
	size_t lines = 0;

	ck_assert_int_eq(ran.status, 78);
	for (size_t i = 0; i < countof(errors); i++)
		assert_has(ran.err, scratchf("%s%s", path, errors[i]));
	for (const char *at = ran.err; (at = strchr(at, '\n')); at++)
		lines++;
	ck_assert_uint_eq(lines, countof(errors));
}
END_TEST

START_TEST(a_value_that_is_set_twice_is_told_where_it_stands)
{
	const char *path = new_file("[job e]\nexec = cat\nuser = nosuchuser\nuser = nobody\n");
	struct ran ran = leatd("-c", path, "--check-config");

	assert_has(ran.err, scratchf("%s:4: [job e] user: is set twice, first in line 3", path));
	assert_has(ran.err, scratchf("%s:3: [job e] user: there is no user 'nosuchuser'", path));
}
END_TEST

START_TEST(a_line_that_is_too_long_is_told)
{
	char *text = scratchf("[job e]\nexec = echo %0300d\n", 1);
	const char *path = new_file(text);

	assert_match(leatd("-c", path, "--check-config").err, ":2: a line of more than [0-9]+ characters");
	/* In pieces it is taken. */
	path = new_file(scratchf("[job e]\nexec = echo\n %0150d\n %0150d\n", 1, 2));
	ck_assert_int_eq(leatd("-c", path, "--check-config").status, 0);
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_told_and_nothing_else)
{
	struct ran ran = leatd("-c", "/no/such/file.ini");

	ck_assert_int_eq(ran.status, 78);
	ck_assert_str_eq(ran.err, "/no/such/file.ini: cannot be read: No such file or directory\n");
	ran = leatd("-c", "/tmp");
	ck_assert_int_eq(ran.status, 78);
	assert_match(ran.err, "^/tmp: [^\n]*\n$");
}
END_TEST

START_TEST(overrides_that_are_wrong_are_told)
{
	struct ran ran = leatd("-c", "conf/leatd.ini", "-o", "nonsense", "-o", "server.nope=1", "-o", "job echo.queue=x", "-o", "server.listen=1",
			       "-o", "job new.queue=1", "-o", "job mail.user.builtin=echo");

	ck_assert_int_eq(ran.status, 78);
	assert_has(ran.err, "-o: 'nonsense' is not SECTION.KEY=VALUE\n");
	assert_has(ran.err, "-o: [server] nope: unknown key");
	assert_has(ran.err, "-o: [job echo] queue: 'x' is not a whole number from 0 to 1000000\n");
	assert_has(ran.err, "-o: [server] listen: '1': wants HOST:PORT");
	assert_has(ran.err, "[job new] has no kind");
	/* The section may hold a dot. */
	ck_assert_ptr_null(strstr(ran.err, "mail"));
}
END_TEST

START_TEST(overrides_go_before_the_file_and_the_last_of_them_wins)
{
	struct ran ran = leatd("-c", "conf/leatd.ini", "-o", "job echo.queue=7", "-o", "job echo.queue=8", "-o", "job new.exec=/bin/cat",
			       "-o", "job new.env.A=b=c.d", "-o", "server.loops=3", "--print-config");

	ck_assert_int_eq(ran.status, 0);
	assert_has(ran.out, "\n[job echo]\nbuiltin = echo\nqueue = 8\n");
	assert_has(ran.out, "\n[job new]\nexec = /bin/cat\nenv.A = b=c.d\n");
	assert_has(ran.out, "\nloops = 3\n");
}
END_TEST

START_TEST(the_default_is_what_conf_says)
{
	const char *normal = read_file("conf/leatd.ini", NULL);
	struct ran ran = leatd("-c", "conf/leatd.ini", "--print-config");

	ck_assert_int_eq(ran.status, 0);
	ck_assert_str_eq(ran.out, normal);
	/* The built-in one, unless this machine has its own. */
	ran = leatd("--print-config");
	if (!strstr(ran.err, "leatd.ini") && access("/etc/leat/leatd.ini", F_OK) != 0)
		ck_assert_str_eq(ran.out, normal);
}
END_TEST

START_TEST(what_is_printed_can_be_read_and_prints_the_same_again)
{
	const char *path = new_file("[server]\nlisten = 127.0.0.1:0, unix:/tmp/x, [::1]:5\nmax_payload = 1536K\nmax_memory = 123456789\n"
				    "idle_timeout = 0\nheader_timeout = 1500ms\nserver_names = a.example , b.example\nlog = jobs\n"
				    "; a comment\n# another\n"
				    "[job long]\nexec = /bin/sh -c 'echo \"a; b\" # c'\n  second\n\tthird\ndeadline = 90s\nmax_deadline = 90m\n"
				    "env.A = 1\nenv.B = x = y ; z\n"
				    "[job b]\nbuiltin=echo\n[job a]\nbuiltin : sleep\n");
	struct ran first = leatd("-c", path, "--print-config");
	struct ran second = leatd("-c", new_file(first.out), "--print-config");

	ck_assert_msg(first.status == 0, "%s", first.err);
	ck_assert_msg(second.status == 0, "%s\n%s", first.out, second.err);
	ck_assert_str_eq(first.out, second.out);
	assert_has(first.out, "\nmax_payload = 1536K\n");
	assert_has(first.out, "\nmax_memory = 123456789\n");
	assert_has(first.out, "\nheader_timeout = 1500ms\n");
}
END_TEST

static const char *slashes_of(int n)
{
	char slashes[256];

	memset(slashes, '/', sizeof(slashes));
	return scratchf("%.*s", n, slashes);
}

START_TEST(lines_as_long_as_can_be_read_are_printed_so_that_they_can_be_read)
{
	for (int len = 140; len <= 195; len++) {
		const char *slashes = slashes_of(len < 183 ? len : 183);
		const char *path = new_file(scratchf("[job e]\nexec=%sbin/echo\n %0*d x\n %0*d\nenv.A=%0*d\n", slashes, len - 2, 2, len, 3,
						     len < 190 ? len : 190, 4));
		struct ran first = leatd("-c", path, "--print-config");
		struct ran second = leatd("-c", new_file(first.out), "--print-config");

		ck_assert_msg(first.status == 0, "%s", first.err);
		ck_assert_msg(second.status == 0, "%d: %s", len, second.err);
		ck_assert_str_eq(first.out, second.out);
	}
}
END_TEST

START_TEST(a_configuration_that_is_right_is_checked_without_a_word)
{
	struct ran ran = leatd("-c", "conf/leatd.ini", "--check-config");

	ck_assert_int_eq(ran.status, 0);
	ck_assert_str_eq(ran.out, "");
	ck_assert_str_eq(ran.err, "");
}
END_TEST

Suite *config_suite(void)
{
	const TTest *tests[] = {
		what_is_wrong_is_told_with_its_place_and_what_is_allowed,
		all_that_is_wrong_is_told_at_once,
		a_value_that_is_set_twice_is_told_where_it_stands,
		a_line_that_is_too_long_is_told,
		a_file_that_cannot_be_read_is_told_and_nothing_else,
		overrides_that_are_wrong_are_told,
		overrides_go_before_the_file_and_the_last_of_them_wins,
		the_default_is_what_conf_says,
		what_is_printed_can_be_read_and_prints_the_same_again,
		lines_as_long_as_can_be_read_are_printed_so_that_they_can_be_read,
		a_configuration_that_is_right_is_checked_without_a_word,
	};
	return wire_suite("config", tests, countof(tests));
}
