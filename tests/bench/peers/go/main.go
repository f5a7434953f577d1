// A job server as it is usually written in Go: net/http, a buffered channel, a pool of goroutines, and a context with a
// deadline. It is what leat is measured against, so it does for a request what leat does: it reads the bounded body,
// admits the job or refuses it at once, runs it on a worker, and answers by the deadline.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"
)

type job struct {
	ctx     context.Context
	payload bytes.Buffer
	done    chan []byte // of one, so that a worker never waits for a handler that has gone
}

var jobs = sync.Pool{New: func() any { return &job{done: make(chan []byte, 1)} }}

type server struct {
	queue    chan *job
	deadline time.Duration
	maxBody  int64
}

func (s *server) work(run func(context.Context, []byte) []byte) {
	for j := range s.queue {
		// Nobody waits any more: not worth running. The handler does not reuse a job it has given up.
		if j.ctx.Err() != nil {
			continue
		}
		j.done <- run(j.ctx, j.payload.Bytes())
	}
}

func (s *server) admit(j *job) bool {
	select {
	case s.queue <- j:
		return true
	default:
		return false
	}
}

func recycle(j *job) {
	j.ctx = nil
	j.payload.Reset()
	jobs.Put(j)
}

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "POST a payload", http.StatusMethodNotAllowed)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.deadline)
	defer cancel()

	j := jobs.Get().(*job)
	j.ctx = ctx
	if _, err := j.payload.ReadFrom(http.MaxBytesReader(w, r.Body, s.maxBody)); err != nil {
		recycle(j)
		status := http.StatusBadRequest
		var tooBig *http.MaxBytesError
		if errors.As(err, &tooBig) {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, err.Error(), status)
		return
	}
	if !s.admit(j) {
		recycle(j)
		w.Header().Set("Retry-After", "1")
		http.Error(w, "queue full", http.StatusServiceUnavailable)
		return
	}
	select {
	case output := <-j.done:
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Write(output)
		recycle(j)
	case <-ctx.Done():
		// A worker may still hold the job: it is left to the garbage collector.
		http.Error(w, "deadline passed", http.StatusGatewayTimeout)
	}
}

func echo(_ context.Context, payload []byte) []byte { return payload }

// Sleeps for the duration in the payload, and gives the worker back as soon as the deadline has passed.
func sleep(ctx context.Context, payload []byte) []byte {
	length, err := time.ParseDuration(string(payload))
	if err != nil {
		return []byte(err.Error())
	}
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return nil
}

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address")
	places := flag.Int("queue", 1024, "places to wait")
	workers := flag.Int("workers", runtime.GOMAXPROCS(0), "jobs at a time")
	deadline := flag.Duration("deadline", 5*time.Second, "of each request")
	name := flag.String("job", "echo", "what it does: echo or sleep")
	flag.Parse()

	s := &server{queue: make(chan *job, *places), deadline: *deadline, maxBody: 1 << 20}
	run, known := map[string]func(context.Context, []byte) []byte{"echo": echo, "sleep": sleep}[*name]
	if !known {
		log.Fatalf("no job %q", *name)
	}
	for i := 0; i < *workers; i++ {
		go s.work(run)
	}

	mux := http.NewServeMux()
	mux.HandleFunc("/v1/run/"+*name, s.serve)
	front := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 5 * time.Minute}

	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("ready listen=%s\n", listener.Addr())

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		front.Shutdown(context.Background())
	}()
	if err := front.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}
