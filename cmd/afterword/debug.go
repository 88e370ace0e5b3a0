package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"runtime"
	runtimemetrics "runtime/metrics"
	"strconv"
	"strings"
	"time"

	"afterword/metrics"
	"afterword/storage"
)

// debug listens on this machine alone, if the configuration says where, for whoever runs it: metrics, profiles, the
// effective configuration, the queue out. Nobody needs to log in there.
func (s *server) debug(db *storage.DB) (stop func(), err error) {
	if s.cfg.Debug == "" {
		return func() {}, nil
	}
	l, err := net.Listen("tcp", s.cfg.Debug)
	if err != nil {
		return nil, fmt.Errorf("cannot listen for debugging: %w (debug in the configuration says where)", err)
	}
	processMetrics(s.metrics)
	s.databaseMetrics(db)
	web := &http.Server{Handler: s.debugHandler(db), ReadHeaderTimeout: s.waits.head}
	go web.Serve(l) //nolint:errcheck // it ends with stop
	s.log.Info("debugging", "at", "http://"+l.Addr().String()+"/")
	return func() { web.Close() }, nil
}

func (s *server) debugHandler(db *storage.DB) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "/metrics\n/config\n/queue\n/debug/pprof/\n")
	})
	mux.Handle("GET /metrics", s.metrics)
	mux.HandleFunc("GET /config", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		s.cfg.Print(w) //nolint:errcheck // the reader has gone
	})
	mux.HandleFunc("GET /queue", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		if err := printQueue(r.Context(), db, w, 0); err != nil {
			fmt.Fprintln(w, err)
		}
	})
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return onlyHere(mux)
}

// onlyHere refuses requests by another name than this machine's: a page in the owner's browser could make its own name
// point here.
func onlyHere(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if ip := net.ParseIP(host); err != nil || host != "localhost" && !ip.IsLoopback() {
			http.Error(w, "this is for the machine itself", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// show is what a metric is shown with.
type show = func(value float64, labels ...string)

func (s *server) databaseMetrics(db *storage.DB) {
	s.metrics.Total("afterword_verdicts_total", "Verdicts on messages about the blog.", func(to show) {
		for given, n := range db.Verdicts() {
			to(float64(n), given.Type, string(given.Decision))
		}
	}, "type", "decision")
	s.metrics.Total("afterword_panics_total", "Panics that were survived; \"inbox faults\" shows them.", func(to show) {
		n, err := db.Counted(context.Background(), storage.Panics)
		if err == nil {
			to(float64(n))
		}
	})
	s.metrics.Gauge("afterword_waiting", "What waits in the queues, and for how many hosts.", func(to show) {
		lengths, err := db.Lengths(context.Background())
		if err != nil {
			s.log.Error("queue lengths", "error", err)
			return
		}
		for queue, n := range lengths {
			to(float64(n), queue)
		}
	}, "queue")
}

// processMetrics has the names that Prometheus's own library gives them.
func processMetrics(m *metrics.Set) {
	start := float64(time.Now().Unix())
	m.Gauge("process_start_time_seconds", "When the process began.", func(to show) { to(start) })
	m.Total("process_cpu_seconds_total", "Processor time.", func(to show) { to(metrics.CPUTime().Seconds()) })
	m.Gauge("process_resident_memory_bytes", "Memory that is in use as the system sees it.", func(to show) { to(resident()) })
	m.Gauge("go_goroutines", "Goroutines.", func(to show) { to(float64(runtime.NumGoroutine())) })
	m.Gauge("go_memstats_heap_alloc_bytes", "Heap that is in use.", func(to show) {
		sample := []runtimemetrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		runtimemetrics.Read(sample)
		to(float64(sample[0].Value.Uint64()))
	})
}

// resident is read where Linux tells it; elsewhere it is what Go has from the system.
func resident() float64 {
	if text, err := os.ReadFile("/proc/self/statm"); err == nil {
		if fields := strings.Fields(string(text)); len(fields) > 1 {
			pages, _ := strconv.ParseFloat(fields[1], 64)
			return pages * float64(os.Getpagesize())
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.Sys)
}
