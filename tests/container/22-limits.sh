#!/bin/bash
# limit.memory and limit.processes hold for a whole tree where there are the controllers, for each process elsewhere, and leatd says which
# shellcheck source=tests/container/common.sh
source "${0%/*}/common.sh"

# Two processes of some 80M each, which are over 120M together only.
cat >/usr/bin/pair <<'SH'
#!/bin/bash
for i in 1 2; do
	/usr/bin/perl -e '$n = 1000000; push @all, "x" x $n for 1 .. 70; sleep 60' &
done
wait
echo 'both are over'
SH
# How many can be started until one cannot.
cat >/usr/bin/crowd <<'SH'
#!/usr/bin/perl
my ($n, $pid) = (0);
while ($n < 200 && defined($pid = fork)) { if (!$pid) { sleep 60; exit } $n++ }
print "$n\n";
SH
chmod 755 /usr/bin/pair /usr/bin/crowd
config() {
	cat <<INI
[job pair]
exec = /usr/bin/pair
deadline = 20s
limit.memory = $1
[job glutton]
exec = /usr/bin/perl -e '\$all .= "x" x 1000000 while 1'
deadline = 30s
limit.memory = $1
[job roomy]
exec = /usr/bin/perl -e '\$all = "x" x 150000000; print "done"'
deadline = 20s
[job crowd]
exec = /usr/bin/crowd
deadline = 20s
limit.processes = $2
[job node]
exec = /usr/bin/node -e "console.log(1 + 1)"
deadline = 30s
limit.memory = 200M
INI
}
limit_of() {
	cat "$unit_cgroup"/jobs/"$1"-*/"$2"
}

start_leatd < <(config 120M 20)
limits=none
if has_controller pids; then limits=limit.processes; fi
if has_controller memory; then limits=limit.memory; fi
if has_controller memory && has_controller pids; then limits='"limit.memory, limit.processes"'; fi
expect logged "path=$unit_cgroup tree_limits=$limits"
for name in memory pids; do
	has_controller "$name" || expect logged "$name: not available"
done
[[ $limits == none ]] || expect [ "$(cat "$unit_cgroup/cgroup.procs")" = '' ]

if has_controller memory; then
	expect [ "$(leat run node </dev/null)" = 2 ]
	answer=$(ask 'RUN pair x ID pair')
	expect grep -q '^-KILLED .*signal=SIGKILL reason=limit.memory' <<<"$answer"
	expect has_none pair
	answer=$(ask 'RUN glutton x ID glutton')
	expect grep -q '^-KILLED .*reason=limit.memory' <<<"$answer"
	expect [ "$(leat run roomy </dev/null)" = 'done' ]
	expect [ "$(limit_of roomy memory.max)" = max ]
else
	echo "SKIPPED: no memory controller for the container: limit.memory was tested as RLIMIT_AS only"
	expect grep -qE '^-(KILLED|FAILED) ' <<<"$(ask 'RUN glutton x ID glutton')"
	# Each by itself has room enough.
	expect grep -q '^-TIMEOUT' <<<"$(ask 'RUN pair x ID pair DEADLINE 4000')"
fi
if has_controller pids; then
	# Itself is one.
	expect [ "$(leat run crowd </dev/null)" = 19 ]
	expect [ "$(limit_of crowd pids.max)" = 20 ]
	# A reload changes it.
	{ printf '[server]\nlisten = 127.0.0.1:5328\n'; config 120M 30; } >/etc/leat/leatd.ini
	systemctl reload leatd
	expect [ "$(leat run crowd </dev/null)" = 29 ]
else
	echo "SKIPPED: no pids controller for the container: limit.processes was tested as RLIMIT_NPROC only"
	# Leatd and its threads are of that user, too.
	expect [ "$(leat run crowd </dev/null)" -lt 19 ]
fi

# A restart, a reload, and a leatd that is killed find their way.
systemctl reload leatd
systemctl restart leatd
first=$(show MainPID)
systemctl kill --kill-whom=main --signal=KILL leatd
is_another() {
	[[ $(show ActiveState) == active && $(show MainPID) != "$first" && $(show MainPID) != 0 ]]
}
await is_another
expect [ "$(leat run roomy </dev/null)" = 'done' ]
expect [ "$(cat "$(leatd_cgroup)/cgroup.procs")" = "$(show MainPID)" ]
stop_leatd
expect [ ! -e "$unit_cgroup" ]
