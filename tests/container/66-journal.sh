#!/bin/bash
# what leatd logs has fields in the journal, and an id for each kind of message
# shellcheck source=tests/container/common.sh
source "${0%/*}/common.sh"

start_leatd <<'INI'
log = jobs
[job true]
exec = /bin/true
[job false]
exec = /bin/false
INI
# field NAME MATCH...: of the entries that match.
field() {
	journalctl -q --no-pager -o export "${@:2}" | sed -n "s/^$1=//p"
}
ended=$(sed -n '/^MESSAGE("job ended",$/{n; s/.*"\(.*\)".*/\1/p}' /leat/daemon/messages.def)

printf 'POST /v1/run/true HTTP/1.1\r\nHost: localhost\r\nLeat-Id: journal-1\r\nContent-Length: 0\r\nConnection: close\r\n%s\r\n\r\n' \
	'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' | nc 127.0.0.1 5328 >/dev/null
ask 'RUN false x ID journal-2' >/dev/null
has_fields() {
	[[ $(field LEAT_OUTCOME LEAT_ID=journal-2) == failed ]]
}
wait_until 20 has_fields || { journalctl -q --no-pager -o export -n 2 -t leatd; die 'the fields never came'; }
expect [ "$(field LEAT_ID MESSAGE_ID="$ended" | tr '\n' ' ')" = "journal-1 journal-2 " ]
expect [ "$(field LEAT_JOB LEAT_ID=journal-1) $(field LEAT_OUTCOME LEAT_ID=journal-1) $(field PRIORITY LEAT_ID=journal-1)" = 'true done 6' ]
expect [ "$(field TRACE_ID LEAT_ID=journal-1) $(field SPAN_ID LEAT_ID=journal-1)" = '4bf92f3577b34da6a3ce929d0e0e4736 00f067aa0ba902b7' ]
expect [ "$(field SYSLOG_IDENTIFIER LEAT_ID=journal-1) $(field _PID LEAT_ID=journal-1)" = "leatd $(show MainPID)" ]
[[ $(field LEAT_RUN_US LEAT_ID=journal-1) =~ ^[0-9]+$ ]] || die 'no LEAT_RUN_US'
expect [ "$(field LEAT_LISTEN MESSAGE='msg=ready listen=127.0.0.1:5328' | tail -n 1)" = 127.0.0.1:5328 ]
# A status line for those who look.
has_status() {
	[[ $(show StatusText) == '0 jobs running, 0 waiting, 0 refused.' ]]
}
await has_status
# journald that is away holds nobody up, and costs lines at most.
systemctl stop systemd-journald.service systemd-journald{,-dev-log,-audit}.socket 2>/dev/null || true
for i in 1 2 3; do
	expect [ "$(ask "RUN true x ID away-$i")" = "\$0" ]
done
systemctl start systemd-journald.socket systemd-journald.service
expect [ "$(ask PING)" = +PONG ]
