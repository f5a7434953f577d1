#!/bin/sh
# A worker of leatd in sh: its jobs are answered in capitals. See ../worker-protocol.md.
echo READY
while read -r word id left_ms length rest; do
	# The x keeps the newlines at the end, which $(...) takes away.
	output=$(head -c "$length" | tr a-z A-Z; echo x)
	output=${output%x}
	printf 'DONE %d\n%s' "$(printf %s "$output" | wc -c)" "$output"
done
