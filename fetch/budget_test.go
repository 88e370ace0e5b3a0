package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// spend asks for ever new pages until the budget is spent, and returns how often it got an answer.
func spend(t *testing.T, ctx context.Context, c *Client, base string) (answers int) {
	t.Helper()
	for n := range 1000 {
		_, err := c.Get(ctx, Get{URL: fmt.Sprint(base, "/", n)})
		if err != nil {
			if e := fails(t, err, Spent); e.Temporary() || !strings.Contains(e.Error(), "30 requests") {
				t.Error(e)
			}
			return answers
		}
		answers++
	}
	return answers
}

// TestBudget: whatever the answers are like, what is asked under one budget stays within all three of its bounds.
func TestBudget(t *testing.T) {
	var clock atomic.Int64
	now := func() time.Time { return time.Unix(0, clock.Load()) }
	big, zip := strings.Repeat("x", 250<<10), new(bytes.Buffer)
	w := gzip.NewWriter(zip)
	io.WriteString(w, big) //nolint:errcheck // into memory
	w.Close()
	for _, x := range []struct {
		name   string
		answer http.HandlerFunc
		want   int // answers
		asked  int64
	}{
		{"small", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") }, 30, 30},
		{"large", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, big) }, 8, 9},
		{"large, compressed", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(zip.Bytes()) //nolint:errcheck // to ourselves
		}, 8, 9},
		{"slow", func(w http.ResponseWriter, _ *http.Request) { clock.Add(int64(time.Second)) }, 10, 10},
		{"redirected", func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/on") {
				http.Redirect(w, r, r.URL.Path+"/on", http.StatusFound)
			}
		}, 15, 30},
		{"found nothing", http.NotFound, 0, 1},
	} {
		t.Run(x.name, func(t *testing.T) {
			p := serve(t, x.answer)
			c := New(Options{AllowPrivate: true, Now: now})
			b := new(Budget)
			if x.want == 0 {
				fails(t, second(c.Get(b.In(t.Context()), Get{URL: p.URL})), Status)
				if b.Spent != PerRequest {
					t.Error(b.Spent)
				}
				return
			}
			if n := spend(t, b.In(t.Context()), c, p.URL); n != x.want || p.hits.Load() != x.asked {
				t.Errorf("%d answers to %d requests, want %d to %d", n, p.hits.Load(), x.want, x.asked)
			}
			if doc, err := c.Get(t.Context(), Get{URL: p.URL + "/0"}); err != nil { // another's budget is another's
				t.Error(doc, err)
			}
		})
	}
}

func second[A any](_ A, err error) error { return err }

// TestBudgetOfTime: an answer that does not come in the time that is left is given up, which says nothing of its server.
func TestBudgetOfTime(t *testing.T) {
	p := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	c := New(Options{AllowPrivate: true})
	for range 2 { // not remembered: the next one asks
		b := Budget{Spent: MostTime - 100*time.Millisecond}
		fails(t, second(c.Get(b.In(t.Context()), Get{URL: p.URL})), Spent)
	}
	if n := p.hits.Load(); n != 2 {
		t.Errorf("%d requests", n)
	}
}

// TestPatience: a server that hangs is not waited for with all that is left.
func TestPatience(t *testing.T) {
	b := new(Budget)
	for _, want := range []time.Duration{6 * time.Second, 4 * time.Second} {
		within, late := b.patience()
		if within != want || (late == errSpent) != (want == b.left()) {
			t.Errorf("%s left: %s, %v", b.left(), within, late)
		}
		b.Spent += within
	}
	if within, late := budgetOf(t.Context()).patience(); within < time.Hour || late != errTime {
		t.Error(within, late)
	}
}

// TestBudgetOfManyAtOnce: of equal questions that are asked at once, one is paid for.
func TestBudgetOfManyAtOnce(t *testing.T) {
	var clock atomic.Int64
	p := serve(t, func(http.ResponseWriter, *http.Request) { clock.Add(int64(2 * time.Second)) })
	c := New(Options{AllowPrivate: true, Now: func() time.Time { return time.Unix(0, clock.Load()) }})
	budgets := make([]Budget, 4)
	var all sync.WaitGroup
	for n := range budgets {
		all.Go(func() {
			if _, err := c.Get(budgets[n].In(t.Context()), Get{URL: p.URL}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	var total time.Duration
	for _, b := range budgets {
		total += b.Spent
	}
	if want := time.Duration(p.hits.Load()) * 2 * time.Second; total != want {
		t.Errorf("%s for %d requests", total, p.hits.Load())
	}
}
