#!/bin/bash
# tokens and the key of the certificate come as credentials, as the lines of the unit that are commented out say
# shellcheck source=tests/container/common.sh
source "${0%/*}/common.sh"

dropin=/run/systemd/system/leatd.service.d
trap 'stop_leatd; rm -rf "$dropin" /etc/leat/{tokens,key.pem,cert.pem}; systemctl daemon-reload' EXIT

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' \
	-days 2 -keyout /etc/leat/key.pem -out /etc/leat/cert.pem 2>/dev/null
echo 0123456789abcdef0123456789abcdef >/tmp/token
leatd --hash-token </tmp/token | sed 's/^client/ops/; s/ [^ ]*$/ run:* ops/' >/etc/leat/tokens
chmod 600 /etc/leat/tokens /etc/leat/key.pem
mkdir -p "$dropin"
{ echo '[Service]'; sed -n 's/^#\(LoadCredential=\)/\1/p' /usr/lib/systemd/system/leatd.service; } >"$dropin/secrets.conf"
expect [ "$(grep -c LoadCredential "$dropin/secrets.conf")" -eq 2 ]
systemctl daemon-reload
# shellcheck disable=SC2034 # start_leatd does
listen=tls:127.0.0.1:5328
start_leatd <<'INI'
tokens = credential:tokens
tls_cert = /etc/leat/cert.pem
tls_key = credential:key
[job cat]
exec = cat
INI
expect [ "$(echo hello | leat --server tls:127.0.0.1:5328 --ca /etc/leat/cert.pem --token-file /tmp/token run cat)" = hello ]
! echo hello | leat --server tls:127.0.0.1:5328 --ca /etc/leat/cert.pem run cat 2>/dev/null || die 'without a token it ran'
systemctl reload leatd
await logged 'msg="the configuration was read again'
await [ "$(show ActiveState)" = active ]
