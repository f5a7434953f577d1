#!/bin/bash
# The `leat` command: against a real leatd, and against servers that misbehave, played by nc on a unix socket.
# LEATD and LEAT name the programs (default: build/). Ends 0 only if every expectation holds.
# shellcheck disable=SC2016 # the dollars are of the protocol
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/../../scripts/common.sh"

leatd=${LEATD:-build/leatd}
leat=${LEAT:-build/leat}
[[ -x $leatd && -x $leat ]] || die "no $leatd or no $leat: make first"
failures=0
checks=0

fail() {
	printf 'FAILED: %s\n  status %s\n  stdout: %s\n  stderr: %s\n' "$1" "$status" "$(head -c 300 "$work/out")" "$(head -c 300 "$work/err")"
	failures=$((failures + 1))
}

# run ARGUMENT...: leat, with the stdin of the caller. Leaves `status`, $work/out and $work/err.
run() {
	status=0
	timeout 30 "$leat" "$@" >"$work/out" 2>"$work/err" || status=$?
}

# expect SENTENCE STATUS OUT ERR: what the last run has to have left. OUT is the whole output, without newlines at its end; ERR a
# regular expression that the one line on stderr matches, or empty for no line.
expect() {
	checks=$((checks + 1))
	if [[ $status != "$2" || $(<"$work/out") != "$3" ]]; then
		fail "$1"
	elif [[ -z $4 ]]; then
		[[ ! -s $work/err ]] || fail "$1"
	elif [[ $(wc -l <"$work/err") != 1 ]] || ! grep -qE "$4" "$work/err"; then
		fail "$1"
	fi
}

# answers TEXT: a server for one connection that answers with TEXT (as printf writes it) and closes.
answers() {
	rm -f "$work/socket"
	# shellcheck disable=SC2059
	printf -- "$1" | nc -lU -N "$work/socket" >"$work/request" &
	pids+=("$!")
	wait_until 5 test -S "$work/socket"
	export LEAT_SERVER=unix:$work/socket
}

# --- the command line ---
export LEAT_SERVER=unix:$work/nobody

run; expect 'no command is a usage error' 64 '' 'a command is missing'
run rnu; expect 'an unknown command is named' 64 '' "no command 'rnu'"
run run; expect 'run wants a job' 64 '' 'too few arguments'
run run a b c; expect 'run wants no third word' 64 '' 'too many arguments'
run ping --width 1; expect 'an option of another command is refused' 64 '' 'takes no --width'
run --nope ping; expect 'an unknown option is named' 64 '' 'no option --nope'
run run echo x --deadline; expect 'an option without its value is named' 64 '' 'option --deadline needs a value'
for bad in 0 5x -1 '' 1.5s 99999999999999999999; do
	run run echo x --deadline "$bad"; expect "the deadline '$bad' is refused" 64 '' 'bad --deadline'
done
for bad in '' 'a b' "$(printf 'x%.0s' {1..65})"; do
	run run echo x --id "$bad"; expect "the id '$bad' is refused" 64 '' 'bad --id'
done
for bad in '' x =x =; do
	run run echo x --arg "$bad"; expect "the argument '$bad' is refused" 64 '' 'bad --arg'
done
run ping --arg a=b; expect 'ping takes no arguments' 64 '' 'takes no --arg'
for bad in 0 50ms 5x ''; do
	run top --interval "$bad"; expect "the interval '$bad' is refused" 64 '' 'bad --interval'
done
for bad in 0 -1 5x '' 1000000000; do
	run top --count "$bad"; expect "the count '$bad' is refused" 64 '' 'bad --count'
done
run ping --count 1; expect 'ping takes no count' 64 '' 'takes no --count'
for bad in '' host ::1:5328 '[::1]' '[::1]5328' :5328 host:0 host:65536 host:5x unix:relative "unix:/$(printf 'x%.0s' {1..200})"; do
	run ping --server "$bad"; expect "the address '$bad' is refused" 64 '' 'bad server address'
done
run --version; expect 'the version' 0 "leat $(sed -n 's/^VERSION := //p' Makefile)" ''
run cancel; expect 'cancel wants an id' 64 '' 'too few arguments'
run run upper --stream --json; expect 'bytes as they come are no JSON' 64 '' 'do not go together'
run pipe upper upper --stream --json </dev/null; expect 'nor are those of a pipe' 64 '' 'do not go together'
for command in ps cancel pause resume drain top version; do
	run "$command" --help; [[ $status == 0 && $(<"$work/out") == "Usage: leat $command"* ]] || fail "help of $command"
done
run --help; [[ $status == 0 && $(<"$work/out") == Usage:* ]] || fail 'help'
run run --help; [[ $status == 0 && $(<"$work/out") == 'Usage: leat run'* ]] || fail 'help of a command'

# --- nobody there ---
run ping; expect 'no unix socket: says how to start it' 69 '' 'cannot reach leatd.*No such file.*systemctl start leatd'
run ping --server 127.0.0.1:1; expect 'a closed port' 69 '' 'Connection refused'
run ping --server nobody.invalid:1; expect 'a host without an address' 69 '' 'cannot reach leatd at nobody.invalid:1'

# --- answers, and what they mean ---
check_error() {
	answers "-$2\r\n"
	run run echo x
	expect "$2 ends $1" "$1" '' "^leat: $2"
}
check_error 75 'BUSY queue full reason=queue_full retry_ms=137'
check_error 75 'DRAINING leatd is stopping'
check_error 124 'TIMEOUT running for 200 ms'
check_error 1 'FAILED status=3 no such file'
check_error 1 'KILLED signal=SIGSEGV'
check_error 1 'CANCELED by the operator'
check_error 1 'NOJOB no such job'
check_error 1 'TOOBIG payload'
check_error 77 'NOAUTH no token'
check_error 76 'ERR bad option'
check_error 76 'BUSYBODY is no code of ours'
answers '-FAILED status=1 \033[31mred\r\n'; run run echo x; expect 'an error cannot write to the terminal' 1 '' '\?\[31mred'

answers '$5\r\na\r\n\0b\r\n'; run run echo x
[[ $status == 0 && $(od -An -c "$work/out" | tr -d ' \n') == 'a\r\n\0b' ]] || fail 'the output is written byte for byte'
answers '$0\r\n\r\n'; run run upper x --id a.b --deadline 2s; expect 'an empty output' 0 '' ''
cmp -s <(printf '*7\r\n$3\r\nRUN\r\n$5\r\nupper\r\n$1\r\nx\r\n$8\r\nDEADLINE\r\n$4\r\n2000\r\n$2\r\nID\r\n$3\r\na.b\r\n') "$work/request" ||
	fail 'the request is an array of bulk strings'
answers '$0\r\n\r\n'; run run --arg a=b=c upper x --arg d=; expect 'arguments are handed over' 0 '' ''
cmp -s <(printf '*9\r\n$3\r\nRUN\r\n$5\r\nupper\r\n$1\r\nx\r\n$3\r\nARG\r\n$1\r\na\r\n$3\r\nb=c\r\n$3\r\nARG\r\n$1\r\nd\r\n$0\r\n\r\n') "$work/request" ||
	fail 'each argument is three words'

list='*2\r\n*6\r\n$3\r\njob\r\n$4\r\necho\r\n$5\r\nqueue\r\n:1024\r\n$1\r\nn\r\n$-1\r\n*6\r\n$3\r\njob\r\n$2\r\nq"\r\n$5\r\nqueue\r\n:8\r\n$1\r\nn\r\n:1\r\n'
answers "$list"; run jobs; expect 'a list is a table' 0 $'job   queue  n\necho   1024\nq"        8  1' ''
answers "$list"; run jobs --json; expect 'a list is JSON' 0 '[{"job":"echo","queue":1024,"n":null},{"job":"q\"","queue":8,"n":1}]' ''
answers '*1\r\n*2\r\n$3\r\njob\r\n$4\r\necho\r\n'; run stats echo; expect 'one job that was named: a field a line' 0 'job  echo' ''

answers '*2\r\n*4\r\n$2\r\nid\r\n$1\r\na\r\n$3\r\njob\r\n$4\r\necho\r\n*2\r\n$4\r\nmore\r\n:7\r\n'; run ps
expect 'how many more there are is told' 0 $'id  job\na   echo' '^leat: and 7 more'
answers ':1\r\n'; run cancel a --json; expect 'cancelled' 0 '[{"id":"a","cancelled":true}]' ''
answers '+OK\r\n'; run drain --json; expect 'a drain is JSON' 0 '{"draining":true}' ''
answers '+OK\r\n'; run pause a --json; expect 'a pause is JSON' 0 '[{"job":"a","paused":true}]' ''
answers '+OK\r\n'; run resume a --json; expect 'a resume is JSON' 0 '[{"job":"a","paused":false}]' ''
answers '+OK 1 added\r\n'; run reload --json; expect 'a reload is JSON' 0 '{"reloaded":true,"detail":"1 added"}' ''
answers '+PONG\r\n'; run ping --json
[[ $status == 0 && $(<"$work/out") =~ ^\{\"ms\":[0-9]+\.[0-9]{3}\}$ ]] || fail 'a ping is JSON'
answers '$3\r\na"b\r\n'; run run a x --json; expect 'an output is JSON' 0 '{"output":"a\"b"}' ''
answers '$4\r\n\377\376!a\r\n'; run run a x --json; expect 'bytes are base64' 0 '{"output_base64":"//4hYQ=="}' ''
answers '$0\r\n\r\n'; run pipe a b --json </dev/null; expect 'nothing is JSON' 0 '{"output":""}' ''

# errors as JSON, and as words beside it
check_json_error() {
	answers "-$3\r\n"
	run "${@:4}" --json
	expect "${4} tells $3 as JSON" "$1" "$2" "^leat: ${3%% *}"
}
busy='{"code":"BUSY","detail":"queue full","reason":"queue_full","retry_ms":137}'
for command in jobs stats ps ping version drain reload 'run a x'; do
	# shellcheck disable=SC2086
	check_json_error 75 "{\"error\":$busy}" 'BUSY queue full reason=queue_full retry_ms=137' $command
done
check_json_error 75 "[{\"job\":\"a\",\"error\":$busy}]" 'BUSY queue full reason=queue_full retry_ms=137' pause a
check_json_error 77 '[{"id":"a","cancelled":false,"error":{"code":"NOAUTH","detail":"no token"}}]' 'NOAUTH no token' cancel a b
check_json_error 1 '{"error":{"code":"FAILED","detail":"the plugin failed","status":-1,"error":"no such: 42"}}' \
	'FAILED the plugin failed status=-1 error="no such: 42"' run a x
check_json_error 76 '{"error":{"code":"ERR","detail":"write a=b so"}}' 'ERR write a=b so' run a x
check_json_error 124 '{"error":{"code":"TIMEOUT","detail":""}}' 'TIMEOUT' run a x
answers ':1\r\n'; run ping --json
expect 'what is not understood is JSON' 76 '{"error":{"code":"PROTOCOL","detail":"the answer to PING is not a line; is it leatd that listens there?"}}' 'is it leatd'
run top --json --server "unix:$work/nobody"
expect 'top tells in JSON that nobody is there' 69 \
	"{\"error\":{\"code\":\"NOSERVER\",\"detail\":\"unix:$work/nobody: cannot reach leatd: No such file or directory\"}}" 'cannot reach'
run ping --json --server "unix:$work/nobody"; [[ $status == 69 && $(<"$work/out") == '{"error":{"code":"NOSERVER",'* ]] || fail 'ping: nobody there'
answers '+OK\r\n'; run cancel a; expect 'not understood as an answer to CANCEL' 76 '' 'is it leatd that listens there'
answers ':1\r\n'; run pause a; expect 'not understood as an answer to PAUSE' 76 '' 'is it leatd that listens there'

for bad in 'HTTP/1.1 400 Bad Request\r\n\r\n' '$99999999999\r\n' '*-2\r\n' '$1\r\nab\r\n' ':x\r\n' '*2000000\r\n' ':1\r\n' '*1\r\n:1\r\n' '\0' \
	'*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n'; do
	answers "$bad"; run run echo x; expect "not understood: $bad" 76 '' 'is it leatd that listens there'
	answers "$bad"; run jobs; expect "not understood as a list: $bad" 76 '' 'is it leatd that listens there'
done
for cut in '' '$' '$5\r\nabc' '*1\r\n'; do
	answers "$cut"; run jobs; expect "cut off: $cut" 69 '' 'closed the connection without an answer'
done

# --- streams ---
answers 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\nLeat-Outcome: done\r\n\r\n'; run run --stream echo x
expect 'a stream that is done' 0 'one' ''
answers 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nLeat-Outcome: done\r\nContent-Length: 3\r\n\r\none'; run run --stream echo x
expect 'a stream of a known length' 0 'one' ''
answers 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n'; run run --stream echo x
expect 'a stream that does not say how it ended' 76 'one' 'does not say how the job ended'
for cut in '' 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n'; do
	answers "$cut"; run run --stream echo x; expect "a stream that is cut off: $cut" 69 '' 'closed the connection'
done
for bad in '+PONG\r\n' 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n'; do
	answers "$bad"; run run --stream echo x; expect "a stream that is not understood: $bad" 76 '' 'is it leatd that listens there'
done
answers 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 44\r\n\r\n{"code":"NOAUTH","detail":"wrong token","x"}'; run run --stream echo x
expect 'an error that does not say its line' 77 '' 'NOAUTH wrong token'

# --- a server that never answers, and one that answers before it has read ---
rm -f "$work/socket"
nc -lU "$work/socket" </dev/null >"$work/request" &
pids+=("$!")
wait_until 5 test -S "$work/socket"
began=$SECONDS
run run echo x --deadline 100ms --server "unix:$work/socket"
expect 'a server that hangs is given up' 69 '' 'no answer from'
took=$((SECONDS - began))
((took >= 5 && took < 10)) || fail "it is given up five seconds after the deadline, not after $took"

answers '-TOOBIG payload\r\n'
head -c 30M /dev/zero >"$work/big"
run run echo <"$work/big"; expect 'an answer that comes early is read' 1 '' 'TOOBIG'

# --- stdin and stdout ---
head -c 67108865 /dev/zero >"$work/big"
run run echo <"$work/big"; expect 'over 64 MiB is not even sent' 1 '' 'over 64 MiB'
answers '+output\r\n'
status=0; "$leat" run echo x >/dev/full 2>"$work/err" || status=$?; : >"$work/out"
expect 'a full disk is told' 74 '' 'cannot write to stdout'

# --- a real leatd ---
start_leatd "$leatd" -o "server.listen=127.0.0.1:0, unix:$work/leat.sock" -o 'job nap.exec=/bin/sleep 60' -o 'job nap.deadline=60s' \
	-o 'job fail.exec=/bin/sh -c "echo why >&2; exit 3"'
real=$address
head -c 500K /dev/urandom >"$work/random"
# A command is the child of its keeper.
naps() {
	local keeper

	for keeper in $(pgrep -P "$leatd_pid"); do
		! pgrep -P "$keeper" -x sleep >/dev/null || return 0
	done
	return 1
}
for LEAT_SERVER in "$real" "unix:$work/leat.sock"; do
	export LEAT_SERVER
	run ping; expect 'ping' 0 PONG ''
	run run upper 'hello world'; expect 'run' 0 'HELLO WORLD' ''
	run run upper - <<<'from stdin'; expect 'run from stdin, asked for' 0 'FROM STDIN' ''
	run run upper <<<'from stdin'; expect 'run from stdin' 0 'FROM STDIN' ''
	run run upper '' ; expect 'an empty payload' 0 '' ''
	run --deadline 2s run upper x --id one; expect 'options before and after' 0 X ''
	POSIXLY_CORRECT=1 run run upper x --id one; expect 'options after, whatever POSIXLY_CORRECT says' 0 X ''
	run run upper -- -x; expect 'a payload that looks like an option' 0 -X ''
	run run echo <"$work/random"; cmp -s "$work/out" "$work/random" || fail '500 KiB of anything come back'
	run run nope x; expect 'an unknown job' 1 '' 'NOJOB'
	run run fail x; expect 'a job that fails' 1 '' 'FAILED.*status=3.*why'
	run run sleep 5000 --deadline 100; expect 'a deadline' 124 '' 'TIMEOUT'
	head -c 2M /dev/zero >"$work/big"
	run run echo <"$work/big"; expect 'a payload over the limit' 1 '' 'TOOBIG'
	head -c 60M /dev/zero >"$work/big"
	run run echo <"$work/big"; expect 'a payload far over the limit' 1 '' 'TOOBIG'
	run jobs; grep -qE '^upper +' "$work/out" || fail 'jobs lists upper'
	run jobs --json; jq -e 'map(.job) | contains(["echo", "nap", "sleep", "upper"])' "$work/out" >/dev/null || fail 'jobs as JSON'
	run stats upper; grep -qE '^submitted +[0-9]+$' "$work/out" || fail 'stats of one job'
	run stats nope; expect 'stats of an unknown job' 1 '' 'NOJOB'

	run ps; expect 'no job waits or runs' 0 '' ''
	run ps --json; expect 'no job waits or runs, as JSON' 0 '[]' ''
	"$leat" run nap x --id nap-1 >/dev/null 2>"$work/nap.err" &
	client=$!
	wait_until 5 naps || fail 'nap-1 did not start'
	run ps
	grep -qE '^nap-1 +nap +running +[0-9]+ +[0-9]+ +(127\.0\.0\.1:[0-9]+|unix)$' "$work/out" || fail 'ps lists a job'
	run ps --json
	jq -e '.[0] | .id == "nap-1" and .job == "nap" and .state == "running" and .age_ms >= 0 and .left_ms > 0' "$work/out" >/dev/null ||
		fail 'ps as JSON'
	run cancel nap-0 nap-1; expect 'cancel goes on after one that is not there' 1 '' '^leat: no job nap-0 '
	status=0; wait "$client" || status=$?
	[[ $status == 1 && $(<"$work/nap.err") == 'leat: CANCELED '* ]] || fail 'a cancelled job is told'
	run cancel nap-1 --json; expect 'cancel as JSON' 1 '[{"id":"nap-1","cancelled":false}]' 'no job nap-1'
	run cancel 'a b'; expect 'an id that is none' 76 '' 'ERR the id'
	run pause upper echo; expect 'pause' 0 '' ''
	run run upper x; expect 'a paused type refuses' 75 '' 'BUSY.*reason=paused'
	run jobs --json; jq -e 'map(select(.paused == 1).job) == ["echo", "upper"]' "$work/out" >/dev/null || fail 'jobs shows the pause'
	run resume echo nope upper; expect 'resume goes on after a job that is not there' 1 '' 'NOJOB'
	run run upper x; expect 'a resumed type runs' 0 X ''

	# Interrupted, it cancels: the command is gone.
	no_naps() { ! naps; }
	for signal in INT TERM KILL; do
		# A job in the background of a shell ignores SIGINT unless it is told not to.
		(trap - INT; exec env --default-signal=INT "$leat" run nap x) >/dev/null 2>&1 &
		client=$!
		wait_until 5 naps || fail "nap did not start"
		kill -"$signal" "$client"
		wait "$client" 2>/dev/null || true
		wait_until 5 no_naps || fail "SIG$signal cancels ($LEAT_SERVER)"
		checks=$((checks + 1))
	done
done

echo "leat: $checks checks, $failures failed"
((failures == 0))
