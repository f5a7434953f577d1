#!/bin/bash
# a job with a user of its own: not as the unit is shipped, but with the drop-in of docs/security.md, and with either proof
# shellcheck source=tests/container/common.sh
source "${0%/*}/common.sh"

dropin=/run/systemd/system/leatd.service.d
trap 'stop_leatd; rm -rf "$dropin"; systemctl daemon-reload' EXIT

config() {
	cat <<INI
cgroup = $1
[job who]
exec = /bin/sh -c 'id -un; id -gn; grep -h "^Cap\\(Eff\\|Prm\\)\\|^NoNewPrivs" /proc/self/status'
user = nobody
[job escape]
exec = /usr/bin/escape tree
user = nobody
INI
}

mkdir -p /etc/leat
{ echo '[server]'; config auto; } >/etc/leat/leatd.ini
! systemctl start leatd 2>/dev/null || die 'it started, and cannot run the job as nobody'
expect [ "$(show ExecMainStatus)" -eq 71 ]

mkdir -p "$dropin"
# shellcheck disable=SC2016 # those are backticks of the page
sed -n '/^## Whom commands/,/^## /{/^```ini/,/^```$/p}' /leat/docs/security.md | grep -v '^```' >"$dropin/users.conf"
expect grep -q '^User=root' "$dropin/users.conf"
systemctl daemon-reload
for cgroup in auto off; do
	start_leatd < <(config "$cgroup")
	case $cgroup in
	auto) expect logged "msg=\"proof of death: cgroup\" path=$unit_cgroup" ;;
	off) expect logged 'proof of death: descendants' ;;
	esac
	expect [ "$(leat run who </dev/null | tr -s '\n\t' '  ')" = \
		'nobody nogroup CapPrm: 0000000000000000 CapEff: 0000000000000000 NoNewPrivs: 1 ' ]
	for i in 1 2 3; do
		ask "RUN escape x ID $cgroup-$i DEADLINE 700" >/tmp/escape &
		await has_processes "$cgroup-$i" 3
		expect [ "$(stat -c %U "/proc/$(processes_of "$cgroup-$i" | head -n 1)")" = nobody ]
		wait
		expect grep -q '^-TIMEOUT' /tmp/escape
		expect [ "$(grep -c abandoned /tmp/escape)" -eq 0 ]
		expect has_none "$cgroup-$i"
	done
done
