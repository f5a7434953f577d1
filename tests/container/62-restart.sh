#!/bin/bash
# restarting under load, with the sockets of systemd: no connection is refused, no answer is cut
# shellcheck source=tests/container/common.sh
source "${0%/*}/common.sh"

trap 'touch /tmp/enough; wait; stop_leatd; systemctl stop leatd.socket' EXIT
rm -f /tmp/enough
systemctl start leatd.socket
start_leatd <<'INI'
[job nap]
exec = /bin/sleep 0.05
concurrency = 4
queue = 1000
deadline = 30s
INI

# One connection after the other, as curl and nc make them. What is said in full is counted; anything else is a fault.
client() {
	local socket answer rest done=0 draining=0

	while [[ ! -e /tmp/enough ]]; do
		exec {socket}<>/dev/tcp/127.0.0.1/5328 || die "client $1: refused after $done"
		printf 'RUN nap\r\n' >&"$socket" || die "client $1: cut after $done, while it asked"
		IFS= read -r -t 30 -u "$socket" answer || die "client $1: cut after $done"
		case ${answer%$'\r'} in
		\$0)
			IFS= read -r -t 30 -u "$socket" rest || die "client $1: cut after $done, in the middle"
			[[ $rest == $'\r' ]] || die "client $1: not whole"
			done=$((done + 1))
			;;
		-DRAINING*) draining=$((draining + 1)) ;;
		*) die "client $1: $answer" ;;
		esac
		exec {socket}>&-
	done
	printf '%d answers, %d were told DRAINING\n' "$done" "$draining"
}

clients=()
for i in 1 2 3 4 5 6 7 8; do
	client "$i" >"/tmp/client-$i" 2>&1 &
	clients+=("$!")
done
has_done() {
	(($(leat --json stats nap 2>/dev/null | sed -n 's/.*"done": *\([0-9]*\).*/\1/p') >= $1))
}
for ((round = 0; round < 3; round++)); do
	await has_done 20
	was=$(show MainPID)
	systemctl restart leatd
	expect [ "$(show MainPID)" != "$was" ]
done
await has_done 20
touch /tmp/enough
for i in 1 2 3 4 5 6 7 8; do
	wait "${clients[i - 1]}" || die "$(cat "/tmp/client-$i")"
	expect grep -q '^[1-9]' "/tmp/client-$i"
done
cat /tmp/client-*
