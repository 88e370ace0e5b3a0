package metrics

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

func TestText(t *testing.T) {
	var s Set
	answers := s.Counter("answers_total", "Answers.", "status", "why")
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() { answers.Inc("202", "") })
	}
	all.Wait()
	answers.Inc("400", "a \"b\"\nc\\")
	s.Counter("quiet_total", "Nothing yet.")
	s.Gauge("waiting", "Waits.", func(show func(float64, ...string)) { show(1.5, "in"); show(2e9, "out") }, "queue")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, nil)
	want := `# HELP answers_total Answers.
# TYPE answers_total counter
answers_total{status="202",why=""} 10
answers_total{status="400",why="a \"b\"\nc\\"} 1
# HELP quiet_total Nothing yet.
# TYPE quiet_total counter
quiet_total 0
# HELP waiting Waits.
# TYPE waiting gauge
waiting{queue="in"} 1.5
waiting{queue="out"} 2e+09
`
	if got := w.Body.String(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// TestBounded: no stranger makes a counter grow without end.
func TestBounded(t *testing.T) {
	var s Set
	c := s.Counter("names_total", "Names.", "name")
	for i := range 10 * maxSeries {
		c.Inc(fmt.Sprint(i))
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, nil)
	if lines := strings.Count(w.Body.String(), "\n"); lines != maxSeries+3 || !strings.Contains(w.Body.String(), fmt.Sprintf(`{name="other"} %d`, 9*maxSeries)) {
		t.Errorf("%d lines", lines)
	}
}

func TestNilCountsNothing(t *testing.T) {
	var none *Set
	none.Counter("x_total", "").Inc("a", "b")
}
