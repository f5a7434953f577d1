#!/bin/bash
# the unit as it is shipped starts, is ready, and has the proof by cgroups in its own subtree
# shellcheck source=tests/container/common.sh
source "${0%/*}/common.sh"

start_leatd <<'INI'
[job id]
exec = /usr/bin/id -un
INI
expect [ "$(show ActiveState) $(show SubState) $(show Type)" = 'active running notify' ]
expect [ "$(show DropInPaths)" = '' ]
expect [ "/sys/fs/cgroup$(show ControlGroup)" = "$unit_cgroup" ]
expect logged "msg=\"proof of death: cgroup\" path=$unit_cgroup"
expect [ "$(leat run id </dev/null)" = leat ]
# Its processes, and those of its job, which is over.
expect [ "$(cat "$(leatd_cgroup)/cgroup.procs")" = "$(show MainPID)" ]
expect leaves_are_empty
expect systemd-analyze security --threshold=16 leatd.service >/dev/null
stop_leatd
expect [ "$(show Result) $(show ExecMainStatus)" = 'success 0' ]
expect [ ! -e "$unit_cgroup" ]
