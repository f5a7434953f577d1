# shellcheck shell=bash
# What the benchmarks share: the machine, medians, bars, and the page they write. Sourced.

# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/common.sh"

# shellcheck disable=SC2034 # for those who source this
bench_runs=${BENCH_RUNS:-5}
# shellcheck disable=SC2034
bench_seconds=${BENCH_SECONDS:-5}

# Taken before the benchmark makes its own.
load_before=$(cut -d' ' -f1 /proc/loadavg)
! awk -v load="$load_before" 'BEGIN { exit load < 0.5 }' || echo "the machine is busy (load $load_before): the figures will not be worth much" >&2

# On a terminal: what is going on, in a line that is overwritten.
progress() {
	[[ ! -t 2 ]] || printf '\r%-70s\r%s' '' "$1" >&2
}

# Of numbers, one a line.
median() {
	sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# spread FORMAT FILE: the median with the least and the greatest.
spread() {
	# shellcheck disable=SC2059
	printf "$1 ($1 - $1)" "$(median <"$2")" "$(sort -g "$2" | head -n 1)" "$(sort -g "$2" | tail -n 1)"
}

ratio() {
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f\n", a / b }'
}

is_true() {
	awk "BEGIN { exit !($1) }"
}

# bar WHAT VALUE OPERATOR LIMIT: a line of the verdict.
bar() {
	local verdict=PASS

	is_true "$2 $3 $4" || verdict=MISS
	printf '* **%s** %s: %s (bar: %s %s)\n' "$verdict" "$1" "$2" "$3" "$4"
}

# fetch PACKAGE PROGRAM: puts the path of the program into $program. Of a package of Debian only the program is taken, since installing it
# would start a server. False: it cannot be had.
fetch() {
	local folder=build/bench/$1

	program=$(PATH=$PATH:/usr/sbin command -v "$2" || find "$folder" -path "*bin/$2" -type f 2>/dev/null | head -n 1)
	[[ -z $program ]] || return 0
	mkdir -p "$folder"
	(cd "$folder" && apt-get download -qq "$1" && dpkg-deb -x "$1"_*.deb .) >/dev/null 2>&1
	program=$(find "$folder" -path "*bin/$2" -type f | head -n 1)
	[[ -n $program ]]
}

commit() {
	local changes=''

	git rev-parse --short HEAD 2>/dev/null || { echo 'unknown'; return; }
	[[ -z $(git status --porcelain --untracked-files=no -- ':!docs/figures' 2>/dev/null) ]] || changes=' with local changes'
	printf '%s' "$changes"
}

# machine PROGRAM...: where and with what it was measured, as a list; each program is a command line that prints its version.
machine() {
	echo "* $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) CPUs, $(awk '/MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo)"
	echo "* Linux $(uname -r), $(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release)"
	echo "* leat $(commit | tr -d '\n'), $(date -u +%Y-%m-%d)"
	echo "* load average before it: $load_before"
	for command; do
		echo "* $( (bash -c "$command" 2>&1 || true) | grep -m 1 .)"
	done
}

# CPU time in ticks that a process and its children have used, dead ones that were waited for included.
cpu_ticks() {
	local pid total=0

	for pid in "$1" $(pgrep -P "$1"); do
		# The name, in parentheses, may hold spaces.
		total=$((total + $(sed 's/.*) //' "/proc/$pid/stat" | awk '{ print $12 + $13 }')))
	done
	echo "$total"
}

# bar_of NAME FILE OURS: a line for plot_bars.
bar_of() {
	printf '%s\t%s\t%s\t%s\t%s\n' "${1//\`/}" "$(median <"$2")" "$(sort -g "$2" | head -n 1)" "$(sort -g "$2" | tail -n 1)" "$3"
}

# plot_bars FILE TITLE UNIT linear|log: of the lines on stdin, for the page that is being made.
plot_bars() {
	cat >"$work/$1.bars"
	gnuplot -c tests/bench/bars.gp "$work/$1.bars" "$2" "$3" "$4" >"$work/$1.svg"
}

# finish_page NAME: shows what page() prints, and keeps it unless this is a trial run. False: a bar is missed, and that counts.
finish_page() {
	page >"$work/page.md"
	cat "$work/page.md"
	if [[ $bench_runs -ge 5 && $bench_seconds -ge 5 ]]; then
		mkdir -p docs/figures
		cp "$work/page.md" "docs/figures/$1.md"
		find "$work" -maxdepth 1 -name "$1*.svg" -exec cp -t docs/figures {} +
	fi
	! grep -q '^\* \*\*MISS' "$work/page.md" || [[ ${REPORT:-false} == true ]]
}
