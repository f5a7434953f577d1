#!/bin/bash
# the package is installed, serves at once, and is upgraded under load without a refused connection
# shellcheck source=tests/container/common.sh
source "${0%/*}/common.sh"

deb=$(echo /leat/build/deb/leat_*.deb)
# What was installed without it.
stop_leatd
rm -rf /etc/leat /var/lib/leat /run/leat /usr/lib/sysusers.d/leat.conf /usr/share/doc/leat /usr/share/man/man?/leat*
dpkg -i "$deb" >/tmp/dpkg 2>&1 || { cat /tmp/dpkg; die 'it does not install'; }
expect [ "$(systemctl is-enabled leatd.service leatd.socket | tr '\n' ' ')" = 'enabled enabled ' ]
expect [ "$(show ActiveState)" = active ]
expect [ "$(printf 'RUN upper "hello world"\r\nQUIT\r\n' | nc 127.0.0.1 5328 | tr -d '\r' | tr '\n' ' ')" = "\$11 HELLO WORLD +OK " ]
expect [ "$(echo hello | leat --server unix:/run/leat/leat.sock run upper)" = HELLO ]

# The same with a higher version, and with a configuration that the operator has changed.
echo '; mine' >>/etc/leat/leatd.ini
dpkg-deb -R "$deb" /tmp/next
sed -i 's/^Version: .*/&+next/' /tmp/next/DEBIAN/control
dpkg-deb -b /tmp/next /tmp/next.deb >/dev/null
rm -f /tmp/enough
client() {
	local answered=0 answer

	while [[ ! -e /tmp/enough ]]; do
		# Who was let in by the old one just before it drained is told so.
		answer=$(ask 'RUN sleep 10')
		[[ $answer == "\$0" || $answer == -DRAINING* ]] || die "after $answered: $answer"
		answered=$((answered + 1))
	done
	((answered > 0))
}
clients=()
for i in 1 2 3; do
	client >"/tmp/client-$i" 2>&1 &
	clients+=("$!")
done
was=$(show MainPID)
dpkg -i /tmp/next.deb >/tmp/dpkg 2>&1 || { cat /tmp/dpkg; die 'it does not upgrade'; }
expect [ "$(show MainPID)" != "$was" ]
expect [ "$(show ActiveState)" = active ]
touch /tmp/enough
for pid in "${clients[@]}"; do
	wait "$pid" || { cat /tmp/client-*; die 'a client was not content'; }
done
expect grep -qx '; mine' /etc/leat/leatd.ini
