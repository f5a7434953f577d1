#!/bin/bash
# when the package is purged nothing of it is left but its user
# shellcheck source=tests/container/common.sh
source "${0%/*}/common.sh"

touch /var/lib/leat/left-by-a-job
dpkg -P leat >/tmp/dpkg 2>&1 || { cat /tmp/dpkg; die 'it cannot be purged'; }
expect [ "$(systemctl is-active leatd.service leatd.socket | sort -u)" = inactive ]
left=$(find /etc /lib/systemd /run /usr /var -xdev \( -name '*leatd*' -o -name leat -o -name 'leat[.-]*' \) -not -path '/var/log/*' 2>/dev/null || true)
expect [ "$left" = '' ]
