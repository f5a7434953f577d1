#!/bin/bash
# several instances stand side by side, each with its configuration, folders, socket and cgroup
# shellcheck source=tests/container/common.sh
source "${0%/*}/common.sh"

trap 'systemctl stop leatd@{one,two}.{socket,service}' EXIT
for name in one two; do
	printf '[job who]\nexec = /bin/sh -c "echo %s; pwd"\ncwd = /var/lib/leat/%s\n' "$name" "$name" >"/etc/leat/$name.ini"
	mkdir -p "/var/lib/leat/$name"
	systemctl start "leatd@$name.socket"
done
# Whoever comes first starts it.
for name in one two; do
	expect [ "$(leat --server "unix:/run/leat/$name.sock" run who </dev/null | tr '\n' ' ')" = "$name /var/lib/leat/$name " ]
	expect [ -d "/run/leat/$name" ]
	expect [ "$(systemctl show -P MainPID "leatd@$name")" != 0 ]
done
systemctl stop leatd@one.socket leatd@one.service
expect [ "$(leat --server unix:/run/leat/two.sock run who </dev/null | head -n 1)" = two ]
