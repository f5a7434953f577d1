// Go's channels in the benchmark. ../scenarios.h says what is done and what is counted.
package main

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const batch = 64

type bench struct {
	there, back chan uint64
	stop        atomic.Bool
}

type total struct{ ops, sum uint64 }

type scenario struct {
	client, server   func(*bench) total
	clients, servers int
	capacity         int
}

func sendStream(b *bench) (t total) {
	c := b.there
	for !b.stop.Load() {
		for i := 0; i < batch; i++ {
			c <- t.ops
			t.sum += t.ops
			t.ops++
		}
	}
	return t
}

func recvStream(b *bench) (t total) {
	for value := range b.there {
		t.ops++
		t.sum += value
	}
	return t
}

func sendAndRecv(b *bench) (t total) {
	c := b.there
	for !b.stop.Load() {
		for i := 0; i < batch; i++ {
			c <- t.ops
			t.sum += <-c - t.ops
			t.ops++
		}
	}
	return t
}

func trySend(c chan uint64, value uint64) bool {
	select {
	case c <- value:
		return true
	default:
		return false
	}
}

func tryOnFull(b *bench) (t total) {
	c := b.there
	for trySend(c, 0) {
	}
	for !b.stop.Load() {
		for i := 0; i < batch; i++ {
			if trySend(c, t.ops) {
				t.sum++
			}
			t.ops++
		}
	}
	return t
}

func sendAndSelect(b *bench) (t total) {
	c := [2]chan uint64{b.there, b.back}
	var value uint64
	for !b.stop.Load() {
		for i := 0; i < batch; i++ {
			c[i%2] <- t.ops
			select {
			case value = <-c[0]:
			case value = <-c[1]:
			}
			t.sum += value - t.ops
			t.ops++
		}
	}
	return t
}

func sendToBoth(b *bench) (t total) {
	c := [2]chan uint64{b.there, b.back}
	for !b.stop.Load() {
		for i := 0; i < batch; i++ {
			c[i%2] <- t.ops
			t.sum += t.ops
			t.ops++
		}
	}
	return t
}

func selectBoth(b *bench) (t total) {
	there, back := b.there, b.back
	for there != nil || back != nil {
		var value uint64
		var ok bool
		select {
		case value, ok = <-there:
			if !ok {
				there = nil
				continue
			}
		case value, ok = <-back:
			if !ok {
				back = nil
				continue
			}
		}
		t.ops++
		t.sum += value
	}
	return t
}

func ask(b *bench) (t total) {
	for !b.stop.Load() {
		for i := 0; i < batch; i++ {
			b.there <- t.ops
			t.ops++
			t.sum += <-b.back
		}
	}
	return t
}

func answer(b *bench) (t total) {
	for value := range b.there {
		t.ops++
		t.sum += value
		b.back <- value
	}
	return t
}

var scenarios = map[string]scenario{
	"mpmc11_128":   {sendStream, recvStream, 1, 1, 128},
	"mpmc11_1024":  {sendStream, recvStream, 1, 1, 1024},
	"mpmc44_128":   {sendStream, recvStream, 4, 4, 128},
	"fanin41_128":  {sendStream, recvStream, 4, 1, 128},
	"fanout14_128": {sendStream, recvStream, 1, 4, 128},
	"selfsendrecv": {sendAndRecv, nil, 1, 0, 128},
	"tryfull":      {tryOnFull, nil, 1, 0, 128},
	"select2":      {sendAndSelect, nil, 1, 0, 128},
	"select2fed":   {sendToBoth, selectBoth, 1, 1, 128},
	"unbuf11":      {sendStream, recvStream, 1, 1, 0},
	"pingpong":     {ask, answer, 1, 1, 0},
}

type team struct {
	sync.WaitGroup
	totals []total
}

func start(n int, run func(*bench) total, b *bench) *team {
	t := &team{totals: make([]total, n)}
	t.Add(n)
	for i := range t.totals {
		i := i
		go func() {
			defer t.Done()
			t.totals[i] = run(b)
		}()
	}
	return t
}

func (t *team) join() (all total) {
	t.Wait()
	for _, one := range t.totals {
		all.ops += one.ops
		all.sum += one.sum
	}
	return all
}

func usage() (cpuNs float64, switches int64) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		die(err)
	}
	return float64(u.Utime.Nano() + u.Stime.Nano()), u.Nvcsw
}

func die(why any) {
	fmt.Fprintln(os.Stderr, why)
	os.Exit(1)
}

func main() {
	name := ""
	if len(os.Args) == 2 {
		name = os.Args[1]
	}
	s, ok := scenarios[name]
	if !ok {
		die("which scenario?")
	}
	ms := 700
	if text := os.Getenv("BENCH_MS"); text != "" {
		ms, _ = strconv.Atoi(text)
	}
	times := 1
	if text := os.Getenv("THREADS_X8"); text != "" && text != "0" {
		times = 8
	}

	b := &bench{there: make(chan uint64, s.capacity), back: make(chan uint64, s.capacity)}
	cpuBefore, switchesBefore := usage()
	began := time.Now()
	servers := start(s.servers*times, s.server, b)
	clients := start(s.clients*times, s.client, b)
	time.Sleep(time.Duration(ms) * time.Millisecond)
	b.stop.Store(true)
	asked := clients.join()
	close(b.there)
	close(b.back)
	answered := servers.join()
	ns := float64(time.Since(began))
	cpuAfter, switchesAfter := usage()
	if asked.sum != answered.sum || s.server != nil && asked.ops != answered.ops {
		die("void: what was sent was not received")
	}
	ops := float64(asked.ops)
	fmt.Printf("%s %.2f %.2f %d %d\n", name, ns/ops, (cpuAfter-cpuBefore)/ops, switchesAfter-switchesBefore, asked.ops)
}
