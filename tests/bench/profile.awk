# What `perf script -F comm,ip,sym,dso` says, as the share of each part in the time of the CPUs: lines of a share, a tab and a name. Samples are
# paragraphs: the name of the thread, and then the stack from its innermost frame on. `all`: how many there would be if no CPU were ever idle.
BEGIN { RS = ""; FS = "\n" }

function kernel_part(stack)
{
	if (stack ~ /ksys_write|sock_write_iter|sys_sendto|tcp_sendmsg/) return "kernel: sending, and what the other side of the loopback does then"
	if (stack ~ /sys_recvfrom|sock_read_iter|tcp_recvmsg/) return "kernel: receiving"
	if (stack ~ /epoll/) return "kernel: epoll"
	if (stack ~ /futex|sched_yield/) return "kernel: waking, sleeping, yielding"
	return "kernel: else"
}

function part(name, leaf, stack)
{
	if (name ~ /^swapper/) return "idle"
	if (name ~ /^wrk/) return leaf ~ /kernel/ ? "wrk, in the kernel" : "wrk"
	if (name !~ /^(leatd|loop|echo|log|signals)/) return "else"
	if (leaf ~ /kernel/) return "leatd, " kernel_part(stack)
	if (leaf ~ /leatd/) return "leatd, its own code"
	return leaf ~ /libevent/ ? "leatd, libevent" : "leatd, the C library"
}

{
	name = $1
	sub(/^ +/, "", name)
	samples[part(name, $2, $0)]++
	busy++
}

END {
	samples["idle"] += all > busy ? all - busy : 0
	for (name in samples)
		printf "%.4f\t%s\n", samples[name] / all, name
}
