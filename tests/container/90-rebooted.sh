#!/bin/bash
# after a reboot of the machine the package's leatd is there by itself
# shellcheck source=tests/container/common.sh
source "${0%/*}/common.sh"

# All that was in memory has gone.
expect [ -e /results/rebooted ]
expect [ ! -e /run/systemd/system/leatd.service.d ]
is_up() {
	[[ $(show ActiveState) == active ]]
}
await is_up
expect [ "$(echo hello | leat run upper)" = HELLO ]
expect [ "$(echo hello | leat --server unix:/run/leat/leat.sock run upper)" = HELLO ]
