# shellcheck shell=bash
# What the checks in the container share. Sourced.

# shellcheck disable=SC2034 # for those who source this
here=$(dirname "${BASH_SOURCE[0]}")
unit_cgroup=/sys/fs/cgroup/system.slice/leatd.service

die() {
	printf '%s\n' "$*"
	exit 1
}

# Ends the check where a command is not true.
expect() {
	"$@" || die "line ${BASH_LINENO[0]}: not so: $*"
}

# wait_until SECONDS COMMAND...: true as soon as the command is, false when the time is over.
wait_until() {
	local limit=$((SECONDS + $1))
	shift
	until "$@"; do
		((SECONDS < limit)) || return 1
		sleep 0.02
	done
}

await() {
	wait_until 20 "$@" || die "line ${BASH_LINENO[0]}: never came: $*"
}

journal_cursor() {
	journalctl -q --no-pager -n 0 --show-cursor | sed -n 's/^-- cursor: //p'
}

# --- leatd, as its unit starts it ---

# start_leatd <CONFIGURATION, on 127.0.0.1:5328 or $listen: returns when systemd has heard that it is ready.
start_leatd() {
	stop_leatd
	{ printf '[server]\nlisten = %s\n' "${listen:-127.0.0.1:5328}"; cat; } >/etc/leat/leatd.ini
	log_from=$(journal_cursor)
	systemctl start leatd || die 'leatd does not start'
}

stop_leatd() {
	systemctl stop leatd
	systemctl reset-failed leatd 2>/dev/null || true
}

show() {
	systemctl show -P "$1" leatd
}

# Since it was started, with what systemd said of it.
leatd_log() {
	journalctl -q --no-pager -o cat --after-cursor="$log_from"
}

logged() {
	[[ $(leatd_log) == *"$1"* ]]
}

# --- Its clients ---

# ask LINE: the first line of the answer.
ask() {
	local socket answer

	exec {socket}<>/dev/tcp/127.0.0.1/5328
	printf '%s\r\n' "$1" >&"$socket"
	IFS= read -r -t 30 -u "$socket" answer || answer='(nothing)'
	exec {socket}>&-
	printf '%s\n' "${answer%$'\r'}"
}

# stat_of JOB FIELD
stat_of() {
	leat --json stats "$1" | sed -n "s/.*\"$2\": *\([0-9]*\).*/\1/p"
}

# --- Processes ---

# The processes of the job with this id, in all of the container: their numbers.
processes_of() {
	grep -lzxF -- "LEAT_ID=$1" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3
}

count_of() {
	processes_of "$1" | wc -l
}

has_processes() {
	(($(count_of "$1") >= $2))
}

has_none() {
	[[ -z $(processes_of "$1") ]]
}

is_dead() {
	[[ ! -e /proc/$1 || $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) == Z* ]]
}

cgroup_of() {
	sed -n 's/^0:://p' "/proc/$1/cgroup"
}

# Where leatd and its keepers live: beside the jobs, if those have controllers.
leatd_cgroup() {
	if [[ -d $unit_cgroup/leatd ]]; then echo "$unit_cgroup/leatd"; else echo "$unit_cgroup"; fi
}

# Whether the cgroup of the service has this controller to give.
has_controller() {
	[[ " $(cat /sys/fs/cgroup/cgroup.controllers) " == *" $1 "* ]]
}

# The leaves that are there: their paths.
leaves() {
	find "$unit_cgroup/jobs" -mindepth 1 -type d 2>/dev/null
}

# All leaves are empty.
leaves_are_empty() {
	! grep -qs 'populated 1' "$unit_cgroup"/jobs/*/cgroup.events
}
