package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"afterword/config"
	"afterword/storage"
)

// debugged is a server in memory that shows its inside.
func debugged(t *testing.T) (*stage, *server, *storage.DB) {
	t.Helper()
	s, c := inMemory(t, "")
	cfg, err := config.Load(s.config, nil)
	if err != nil {
		t.Fatal(err)
	}
	db, err := storage.Open(cfg.Database, storage.Options{Base: cfg.BaseURL, Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	server, err := newServer(s.ctx, cfg, db, world{Log: testLog(t), Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	processMetrics(server.metrics)
	server.databaseMetrics(db)
	return s, server, db
}

func ask(h http.Handler, host, path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Host = host
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestDebugListener(t *testing.T) {
	s, server, db := debugged(t)
	s.afterword("post", "add", "-url", s.blog+"a/", "-title", "A")
	server.handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/inbox", strings.NewReader("{")))
	for range 2 {
		ask(server.handler, "comments.test", "/api/v1/thread?url="+s.blog+"a/")
	}
	h := server.debugHandler(db)
	for path, want := range map[string][]string{
		"/":             {"/metrics", "/debug/pprof/"},
		"/config":       {`base_url = "https://comments.test"`},
		"/queue":        {""},
		"/debug/pprof/": {"goroutine"},
		"/metrics": {`afterword_inbox_answers_total{status="415"} 1`, `afterword_waiting{queue="changes"} 1`, `afterword_waiting{queue="deliveries"} 0`,
			`afterword_threads_total{cache="miss"} 1`, `afterword_threads_total{cache="hit"} 1`, "go_goroutines ", "process_resident_memory_bytes ",
			"afterword_panics_total 0", "# TYPE afterword_verdicts_total counter", "# TYPE afterword_requests_total counter", "# TYPE afterword_deliveries_total counter"},
	} {
		w := ask(h, "127.0.0.1:6060", path)
		for _, text := range want {
			if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), text) {
				t.Errorf("%s: %d, without %q:\n%s", path, w.Code, text, w.Body)
			}
		}
	}
	if w := ask(h, "rebound.example:6060", "/config"); w.Code != http.StatusForbidden {
		t.Errorf("by another name: %d", w.Code)
	}
}

// TestQueueShowsProgress: a big fan-out says how far it has come.
func TestQueueShowsProgress(t *testing.T) {
	s, _ := inMemory(t, "")
	for _, server := range s.servers() {
		s.must(server.Person("fan").Follow(s.ctx, s.base+"/actor"))
	}
	s.settle()
	s.beta.SetMood("unavailable")
	s.afterword("post", "add", "-url", s.blog+"a/", "-title", "A")
	s.settle()
	got := s.afterword("queue")
	for _, want := range []string{"create of " + s.base + "/posts/a/", "2 of 3 inboxes done", "1 waiting for beta.test", "failed 1 times", "503"} {
		if !strings.Contains(got, want) {
			t.Errorf("without %q:\n%s", want, got)
		}
	}
	if got := s.afterword("queue", "-json"); !strings.Contains(got, `"host": "beta.test"`) {
		t.Error(got)
	}
}
