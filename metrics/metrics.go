// Package metrics counts what happens and shows it in the text format that Prometheus reads. Nothing is stored: all counts
// begin with the process.
package metrics

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// maxSeries bounds what a counter remembers, whatever strangers make it count; the rest is counted as "other".
const maxSeries = 200

// Set is all that a process counts. A nil Set gives counters that count nothing.
type Set struct {
	mu       sync.Mutex // guards what follows
	families []family
}

// family is a metric with all its label values.
type family interface{ write(w io.Writer) }

// Counter counts things of a kind, each by the values of the counter's labels.
type Counter struct {
	head   head
	labels []string

	mu     sync.Mutex // guards what follows
	series map[string]*Series
}

type head struct{ name, help, kind string }

func (h head) write(w io.Writer) {
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", h.name, h.help, h.name, h.kind)
}

// Counter adds a counter. By convention its name ends in _total.
func (s *Set) Counter(name, help string, labels ...string) *Counter {
	if s == nil {
		return nil
	}
	c := &Counter{head: head{name, help, "counter"}, labels: labels, series: map[string]*Series{}}
	if len(labels) == 0 {
		c.series[""] = new(Series)
	}
	s.add(c)
	return c
}

// Series is a counter with its label values: counting costs next to nothing.
type Series struct{ n atomic.Int64 }

// Inc counts one thing.
func (s *Series) Inc() {
	if s != nil {
		s.n.Add(1)
	}
}

// Of is the series with these label values, as many as the counter has labels.
func (c *Counter) Of(values ...string) *Series {
	if c == nil {
		return nil
	}
	key := labelled(c.labels, values)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.series[key] == nil && len(c.series) >= maxSeries {
		key = labelled(c.labels, slices.Repeat([]string{"other"}, len(c.labels)))
	}
	if c.series[key] == nil {
		c.series[key] = new(Series)
	}
	return c.series[key]
}

// Inc counts one thing with these label values.
func (c *Counter) Inc(values ...string) { c.Of(values...).Inc() }

func (c *Counter) write(w io.Writer) {
	c.mu.Lock()
	series := maps.Clone(c.series)
	c.mu.Unlock()
	c.head.write(w)
	for _, key := range slices.Sorted(maps.Keys(series)) {
		fmt.Fprintf(w, "%s%s %d\n", c.head.name, key, series[key].n.Load())
	}
}

// labelled is {name="value",…}, or nothing.
func labelled(names, values []string) string {
	var parts []string
	for i, name := range names {
		parts = append(parts, name+`="`+escape.Replace(values[i])+`"`)
	}
	if parts == nil {
		return ""
	}
	return "{" + strings.Join(parts, ",") + "}"
}

var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// reading is a family that is read when it is shown.
type reading struct {
	head   head
	labels []string
	read   func(show func(value float64, values ...string))
}

// Gauge adds something that goes up and down. read is called for each request and shows the value, or one for each
// combination of label values.
func (s *Set) Gauge(name, help string, read func(show func(value float64, values ...string)), labels ...string) {
	s.add(reading{head{name, help, "gauge"}, labels, read})
}

// Total is Gauge for what only grows and is counted elsewhere.
func (s *Set) Total(name, help string, read func(show func(value float64, values ...string)), labels ...string) {
	s.add(reading{head{name, help, "counter"}, labels, read})
}

func (r reading) write(w io.Writer) {
	r.head.write(w)
	r.read(func(value float64, values ...string) {
		fmt.Fprintf(w, "%s%s %s\n", r.head.name, labelled(r.labels, values), strconv.FormatFloat(value, 'g', -1, 64))
	})
}

func (s *Set) add(f family) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.families = append(s.families, f)
}

// ServeHTTP shows everything.
func (s *Set) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	s.mu.Lock()
	families := slices.Clone(s.families)
	s.mu.Unlock()
	out := bufio.NewWriter(w)
	for _, f := range families {
		f.write(out)
	}
	out.Flush() //nolint:errcheck // the reader has gone
}
