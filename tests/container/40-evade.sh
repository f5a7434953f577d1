#!/bin/bash
# a command that leaves its leaf, freezes it, or makes cgroups in it, is over at its deadline all the same, and the next one does not suffer
# shellcheck source=tests/container/common.sh
source "${0%/*}/common.sh"

# What a command of the same user can do to its cgroup. Whoever left it is still below its keeper.
cat >/usr/bin/evade <<'SH'
#!/bin/bash
leaf=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)
# Where one can go: to leatd.
out=${leaf%/jobs/*}
[[ ! -d $out/leatd ]] || out=$out/leatd
succeeded() {
	touch "/var/lib/leat/$1"
}
trap '' TERM
case $1 in
leave)
	echo 0 >"$out/cgroup.procs" && succeeded "$1"
	(setsid setsid sleep 81 &)
	sleep 82
	;;
remove)
	# Not before everybody has left it.
	echo 0 >"$out/cgroup.procs"
	echo "$PPID" >"$out/cgroup.procs"
	rmdir "$leaf" && succeeded "$1"
	sleep 83
	;;
freeze)
	succeeded "$1"
	echo 1 >"$leaf/cgroup.freeze"
	rm "/var/lib/leat/$1"
	;;
nest)
	mkdir "$leaf/a" "$leaf/a/b" && echo 0 >"$leaf/a/b/cgroup.procs" && succeeded "$1"
	(setsid setsid sleep 84 &)
	sleep 85
	;;
threads)
	mkdir "$leaf/a" && echo threaded >"$leaf/a/cgroup.type" && succeeded "$1"
	;;
esac
SH
chmod 755 /usr/bin/evade
start_leatd <<'INI'
[job evade]
exec = /usr/bin/xargs /usr/bin/evade
concurrency = 1
queue = 0
INI

for how in leave remove freeze nest threads leave; do
	answer=$(ask "RUN evade $how ID $how DEADLINE 1000")
	expect [ "${answer/abandoned/}" = "$answer" ]
	expect [ -e "/var/lib/leat/$how" ]
	expect has_none "$how"
	expect leaves_are_empty
	expect [ "$(cat "$(leatd_cgroup)/cgroup.procs")" = "$(show MainPID)" ]
	# The next one gets a leaf that is as good as new.
	expect [ "$(ask 'RUN evade none ID next DEADLINE 5000')" = "\$0" ]
	expect [ "$(leaves | wc -l)" -eq 1 ]
done
