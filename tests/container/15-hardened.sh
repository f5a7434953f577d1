#!/bin/bash
# hardened as shipped, a JIT works as a job; with the strict drop-in everything else does, and its exposure is lower still
# shellcheck source=tests/container/common.sh
source "${0%/*}/common.sh"

dropin=/run/systemd/system/leatd.service.d
trap 'stop_leatd; systemctl stop leatd.socket; rm -rf "$dropin"; systemctl daemon-reload' EXIT

config() {
	cat <<'INI'
[job node]
exec = /usr/bin/node -e "let n = 0; for (let i = 0; i < 3e7; i++) n += i % 7; console.log(n)"
deadline = 30s
max_deadline = 1m
[job cat]
exec = cat
[job mark]
exec = /bin/sh -c 'cat /proc/self/oom_score_adj; echo kept > /var/lib/leat/mark'
INI
}

start_leatd < <(config)
expect systemd-analyze security --threshold=16 leatd.service >/tmp/exposure
tail -n 1 /tmp/exposure
expect [ "$(leat run node </dev/null)" = 89999995 ]
# leatd is the last to be killed when memory is short (though a container may not say so), and its commands are not.
expect [ "$(show OOMScoreAdjust) $(leat run mark </dev/null)" = '-500 0' ]
stop_leatd

mkdir -p "$dropin"
cp /usr/share/doc/leat/strict.conf.example "$dropin/strict.conf"
systemctl daemon-reload
systemctl start leatd.socket
start_leatd < <(config)
expect systemd-analyze security --threshold=12 leatd.service >/tmp/exposure
tail -n 1 /tmp/exposure
expect logged "msg=\"proof of death: cgroup\" path=$unit_cgroup"
expect [ "$(echo hello | leat run cat)" = hello ]
expect [ "$(echo hello | leat --server unix:/run/leat/leat.sock run cat)" = hello ]
leat run mark </dev/null >/dev/null
expect [ "$(cat /var/lib/leat/mark)" = kept ]
# It was right to shut the JIT out: it does not get by.
expect [ "$(leat run node </dev/null 2>&1 | grep -c -e KILLED -e FAILED)" -ge 1 ]
