package federation_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"afterword/federation"
	"afterword/metrics"
)

// BenchmarkInbox is the CPU of a known author's reply: verified and committed ("cpu-ms/reply"), many at once, and then
// what it costs until it stands in the thread ("more-cpu-ms/reply"). HTTP itself is not in it: about 0.04 ms.
func BenchmarkInbox(b *testing.B) {
	const replies, atATime = 1000, 64
	s := open(b, func(c *federation.Config) { c.Limits = federation.Limits{} })
	p := s.stranger("https://remote.test/users/alice")
	p.says(p.create(p.note("https://remote.test/n/first", note, "First.")))
	var door, rest time.Duration
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		requests := make(chan *http.Request, replies)
		for i := range replies {
			requests <- p.request(p.create(p.note(fmt.Sprintf("https://remote.test/n/%d-%d", n, i), note, "<p>It has been said before, but never quite like this.</p>")))
		}
		close(requests)
		handler := s.handler()
		b.StartTimer()
		began := metrics.CPUTime()
		var all sync.WaitGroup
		for range atATime {
			all.Go(func() {
				for r := range requests {
					w := httptest.NewRecorder()
					if handler.ServeHTTP(w, r); w.Code != http.StatusAccepted {
						b.Errorf("answered %d: %s", w.Code, w.Body)
					}
				}
			})
		}
		all.Wait()
		accepted := metrics.CPUTime()
		s.settle()
		door, rest = door+accepted-began, rest+metrics.CPUTime()-accepted
	}
	each := func(d time.Duration) float64 { return d.Seconds() * 1000 / replies / float64(b.N) }
	b.ReportMetric(each(door), "cpu-ms/reply")
	b.ReportMetric(each(rest), "more-cpu-ms/reply")
}
