#!/bin/bash
# a leatd that is frozen is found out by the watchdog and started again, and nothing of its jobs is left
# shellcheck source=tests/container/common.sh
source "${0%/*}/common.sh"

dropin=/run/systemd/system/leatd.service.d
trap 'stop_leatd; rm -rf "$dropin"; systemctl daemon-reload' EXIT
start_leatd <<'INI'
[job echo]
builtin = echo
INI
expect [ "$(show WatchdogUSec)" = 30s ]
stop_leatd
mkdir -p "$dropin"
printf '[Service]\nWatchdogSec=2\nLimitCORE=0\n' >"$dropin/watchdog.conf"
systemctl daemon-reload

start_leatd <<'INI'
[job escape]
exec = /usr/bin/escape tree
INI
first=$(show MainPID)
ask 'RUN escape x ID old DEADLINE 1m' >/tmp/old &
await has_processes old 3
# While it moves it is fed.
stamp() {
	show WatchdogTimestampMonotonic
}
was=$(stamp)
is_fed() {
	[[ $(stamp) != "$was" ]]
}
await is_fed
systemctl kill --kill-whom=main --signal=STOP leatd
is_another() {
	[[ $(show ActiveState) == active && $(show MainPID) != "$first" && $(show MainPID) != 0 ]]
}
await is_another
expect logged 'Watchdog timeout (limit 2s)'
expect has_none old
expect [ "$(show NRestarts)" -eq 1 ]
wait
expect [ "$(ask PING)" = +PONG ]
