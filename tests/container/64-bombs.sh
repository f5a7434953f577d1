#!/bin/bash
# a job that forks without end, and one that takes all memory, are ended, while leatd answers others
# shellcheck source=tests/container/common.sh
source "${0%/*}/common.sh"

dropin=/run/systemd/system/leatd.service.d
trap 'stop_leatd; rm -rf "$dropin"; systemctl daemon-reload' EXIT
mkdir -p "$dropin"
# Where a machine keeps these for version 1, it is the limits of processes that stop them.
has_controller pids || echo "SKIPPED: no pids controller for the container: LimitNPROC= instead of TasksMax= stopped the fork bomb"
has_controller memory || echo "SKIPPED: no memory controller for the container: limit.memory instead of MemoryMax= stopped the memory bomb"
{
	echo '[Service]'
	if has_controller pids; then echo TasksMax=100; else echo LimitNPROC=100; fi
	if has_controller memory; then printf 'MemoryMax=100M\nMemorySwapMax=0\n'; fi
} >"$dropin/small.conf"
systemctl daemon-reload
cat >/usr/bin/bomb <<'SH'
#!/bin/bash
trap '' TERM
bomb() {
	while :; do
		bomb &
	done
}
bomb 2>/var/lib/leat/bomb
SH
chmod 755 /usr/bin/bomb
rm -f /var/lib/leat/bomb
start_leatd <<INI
[job bomb]
exec = /usr/bin/bomb
deadline = 3s
concurrency = 1
[job glutton]
exec = /usr/bin/perl -e '\$all .= "x" x 1000000 while 1'
deadline = 30s
concurrency = 1
$(has_controller memory || echo 'limit.memory = 64M')
[job echo]
builtin = echo
INI
leatd=$(show MainPID)
# With the thread that it will need.
expect [ "$(echo hello | leat run echo)" = hello ]

ask 'RUN bomb x ID bomb' >/tmp/bomb &
is_full() {
	grep -qs 'Resource temporarily unavailable' /var/lib/leat/bomb
}
await is_full
expect [ "$(echo hello | leat run echo)" = hello ]
wait
expect grep -q '^-TIMEOUT' /tmp/bomb
expect has_none bomb
expect leaves_are_empty

ask 'RUN glutton x ID glutton' >/tmp/glutton &
expect [ "$(echo hello | leat run echo)" = hello ]
wait
cat /tmp/glutton
expect grep -qE "^-$(has_controller memory && echo KILLED || echo '(KILLED|FAILED)') " /tmp/glutton
expect has_none glutton
expect [ "$(echo hello | leat run echo)" = hello ]
expect [ "$(show MainPID) $(show NRestarts) $(show ActiveState)" = "$leatd 0 active" ]
