#!/bin/bash
# The TLS listener as those look at it who look for weaknesses: with the OpenSSL client. Which versions and ciphers there are is printed.
# And a certificate that is replaced under load. LEATD names the program (default: build/leatd). Ends 0 only if every expectation holds.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/../../scripts/common.sh"

leatd=${LEATD:-build/leatd}
[[ -x $leatd ]] || die "no $leatd: make first"
failures=0
checks=0

# expect SENTENCE COMMAND...
expect() {
	checks=$((checks + 1))
	"${@:2}" && return
	printf 'FAILED: %s\n' "$1"
	tail -n 20 "$work/out" 2>/dev/null | sed 's/^/  /'
	failures=$((failures + 1))
}

# certificate NAME ALGORITHM: NAME.pem and NAME.key, signed by ca.
certificate() {
	# shellcheck disable=SC2086 # the algorithm is several words
	openssl req -newkey $2 -nodes -keyout "$work/$1.key" -out "$work/$1.req" -subj "/CN=$1" 2>/dev/null
	openssl x509 -req -in "$work/$1.req" -CA "$work/${3:-ca}.pem" -CAkey "$work/${3:-ca}.key" -CAcreateserial -days 2 \
		-extfile <(echo subjectAltName=DNS:localhost,IP:127.0.0.1) -out "$work/$1.pem" 2>/dev/null
}

authority() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout "$work/$1.key" -out "$work/$1.pem" -subj "/CN=$1" \
		2>/dev/null
}

# tls OPTION...: a handshake, and all that s_client tells of it in $work/out. What it is to type is on its stdin.
tls() {
	timeout 30 openssl s_client -CAfile "$work/ca.pem" -connect "${address#tls:}" "$@" >"$work/out" 2>&1
}
refused() {
	! tls "$@" </dev/null && grep -q 'alert \(protocol version\|handshake failure\|no application protocol\)' "$work/out"
}
accepted() {
	tls "$@" </dev/null && grep -q 'Verify return code: 0' "$work/out"
}
says() {
	grep -qE "$1" "$work/out"
}

# start ALGORITHM OPTION...: leatd with a certificate of this kind.
start() {
	certificate server "$1"
	start_leatd "$leatd" -o server.listen=tls:127.0.0.1:0 -o server.tls_cert="$work/server.pem" -o server.tls_key="$work/server.key" "${@:2}"
}
stop() {
	kill "$leatd_pid"
	wait_until 10 stopped
	pids=()
}
stopped() {
	! kill -0 "$leatd_pid" 2>/dev/null
}

authority ca
authority other

# --- Versions and ciphers ---

# What of all that OpenSSL knows is accepted, with TLS 1.2.
ciphers() {
	local cipher

	for cipher in $(openssl ciphers -tls1_2 'ALL:COMPLEMENTOFALL:@SECLEVEL=0' | tr : '\n' | grep -v ^TLS_); do
		if tls -tls1_2 -cipher "$cipher:@SECLEVEL=0" </dev/null; then
			echo "$cipher"
		fi
	done
}
suites() {
	local suite

	for suite in TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256 TLS_AES_128_CCM_SHA256 TLS_AES_128_CCM_8_SHA256; do
		if tls -tls1_3 -ciphersuites "$suite" </dev/null; then
			echo "$suite"
		fi
	done
}
has_exactly() {
	[[ $(sort "$work/$1" | paste -sd' ') == "$2" ]]
}

for kind in 'RSA rsa:2048' 'ECDSA ec -pkeyopt ec_paramgen_curve:prime256v1'; do
	start "${kind#* }"
	name=${kind%% *}
	expect 'TLS 1.3 is spoken' accepted -tls1_3
	expect 'TLS 1.2 is spoken' accepted -tls1_2
	expect 'TLS 1.1 is refused' refused -tls1_1 -cipher ALL:@SECLEVEL=0
	expect 'TLS 1.0 is refused' refused -tls1 -cipher ALL:@SECLEVEL=0
	ciphers >"$work/ciphers"
	suites >"$work/suites"
	expect "the ciphers of TLS 1.2 with $name have forward secrecy and authenticated encryption" has_exactly ciphers \
		"ECDHE-$name-AES128-GCM-SHA256 ECDHE-$name-AES256-GCM-SHA384 ECDHE-$name-CHACHA20-POLY1305"
	expect 'those of TLS 1.3 are the usual three' has_exactly suites 'TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256'
	printf 'accepted with %s: %s\n' "$name" "$(paste -sd' ' "$work/ciphers" "$work/suites" | tr '\n' ' ')"
	[[ $name == ECDSA ]] || stop
done

# --- What else is looked for ---

tls -tls1_2 </dev/null || true
expect 'nothing is compressed' says 'Compression: NONE'
expect 'renegotiation is the secure one, where there is one' says 'Secure Renegotiation IS supported'
expect 'the key agreement is on a strong curve' says 'Server Temp Key: (X25519|ECDH, prime256v1), 25[36] bits'
# A line `R` asks for another handshake on the connection.
tls -tls1_2 < <(printf 'R\n') || true
expect 'a second handshake is refused' says 'no renegotiation'
expect 'http/1.1 is agreed on' accepted -alpn h2,http/1.1
expect 'and is what was chosen' says 'ALPN protocol: http/1.1'
expect 'h2 alone is refused' refused -alpn h2
expect 'who offers nothing is served' accepted
expect 'and nothing is chosen' says 'No ALPN negotiated'

# --- The certificate is replaced under load ---

serial() {
	tls </dev/null || true
	openssl x509 -noout -serial <"$work/out"
}
is_new() {
	[[ $(serial) != "$before" ]]
}
wrk -t1 -c16 -d4s "https://${address#tls:}/healthz" >"$work/wrk" 2>&1 &
wrk=$!
replaced=0
while kill -0 "$wrk" 2>/dev/null && ((replaced < 5)); do
	before=$(serial)
	certificate server 'ec -pkeyopt ec_paramgen_curve:prime256v1'
	kill -HUP "$leatd_pid"
	wait_until 10 is_new || break
	replaced=$((replaced + 1))
done
wait "$wrk" || true
cp "$work/wrk" "$work/out"
no_errors() {
	says 'requests in' && ! says 'Socket errors|Non-2xx'
}
expect 'the certificate was replaced under load' test "$replaced" -ge 1
expect 'no connection was lost, and no request' no_errors
printf 'replaced %d times, with %s\n' "$replaced" "$(grep -o '[0-9]* requests in' "$work/wrk" | head -n 1)"
stop

# --- Certificates of clients ---

start 'ec -pkeyopt ec_paramgen_curve:prime256v1' -o server.tls_ca="$work/ca.pem"
certificate client 'ec -pkeyopt ec_paramgen_curve:prime256v1'
certificate stranger 'ec -pkeyopt ec_paramgen_curve:prime256v1' other
asks() {
	curl -sS --max-time 30 --cacert "$work/ca.pem" "$@" "https://${address#tls:}/healthz" >"$work/out" 2>&1
}
asks_in_vain() {
	! asks "$@" && says 'alert|SSL|OpenSSL'
}
for version in 1.2 1.3; do
	expect "a certificate that our authority has signed is let in ($version)" asks --tls-max "$version" --cert "$work/client.pem" --key "$work/client.key"
	expect "one that another has signed is not ($version)" asks_in_vain --tls-max "$version" --cert "$work/stranger.pem" --key "$work/stranger.key"
	expect "nor is who has none ($version)" asks_in_vain --tls-max "$version"
done
stop

echo "tls: $checks checks, $failures failed"
((failures == 0))
