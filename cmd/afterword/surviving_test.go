package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"afterword/storage"
)

// TestD69_PanicsAre503: whatever panics, its request is answered 503, counted, and the next ones are answered.
func TestD69_PanicsAre503(t *testing.T) {
	s := newSite(t)
	handler := surviving(s.db, slog.New(slog.DiscardHandler), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/poison" {
			panic(fmt.Errorf("no such luck"))
		}
	}))
	for path, want := range map[string]int{"/poison": 503, "/fine": 200} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		if w.Code != want || (w.Header().Get("Retry-After") != "") != (want == 503) {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
	}
	faults, err := s.db.Faults(s.ctx)
	if n, _ := s.db.Counted(s.ctx, storage.Panics); n != 1 || err != nil || len(faults) != 1 || faults[0].Error != "no such luck" || string(faults[0].Sample) != "GET /poison" {
		t.Errorf("%d: %+v %v", n, faults, err)
	}
}
