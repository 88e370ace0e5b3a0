// Command bench holds the program against its goals: go run ./cmd/bench prints a table of figures, each beside a baseline
// of the same run where there is one, because machines differ. It drives the built program as its users do: a real
// process, a real database file, real signatures, strangers' servers on loopback. Everything is bounded in time, stays on
// this machine, and is cleaned away.
//
// "go run ./cmd/bench fanout flood" runs some of the parts. It exits 1 if a goal is missed.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

// part is one thing that is measured.
type part struct {
	name, what string
	run        func(*bench) error
}

var parts = []part{
	{"start", "cold start, idle memory, size of the program", (*bench).start},
	{"inbox", "replies taken in", (*bench).inbox},
	{"read", "threads read: go test -bench in package api", (*bench).read},
	{"flood", "strangers' Deletes beside honest replies", (*bench).flood},
	{"fanout", "a post to many followers, some of them dead", (*bench).fanOut},
	{"delivery", "the cost of a delivery beside a bare loop of signing and sending", (*bench).delivery},
}

// bench is a run.
type bench struct {
	ctx      context.Context
	dir      string
	program  string // the built one
	out      io.Writer
	part     string
	missed   bool
	replies  int
	hosts    int
	flooding time.Duration
}

func main() {
	b := &bench{out: os.Stdout}
	if len(os.Args) > 1 && os.Args[1] == "bare" { // we call ourselves
		check(bare(os.Args[2:]))
		return
	}
	flag.Usage = usage
	flag.IntVar(&b.replies, "replies", 4000, "how many replies the part inbox sends")
	flag.IntVar(&b.hosts, "hosts", 10_000, "how many followers' servers the part fanout has; three of ten are dead")
	flag.DurationVar(&b.flooding, "flood", 15*time.Second, "how long the part flood lasts")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	b.ctx = ctx
	check(b.all(flag.Args()))
	if b.missed {
		os.Exit(1)
	}
}

func usage() {
	fmt.Fprint(flag.CommandLine.Output(), "usage: go run ./cmd/bench [flags] [PART]...\n\n")
	for _, p := range parts {
		fmt.Fprintf(flag.CommandLine.Output(), "  %-10s %s\n", p.name, p.what)
	}
	fmt.Fprintln(flag.CommandLine.Output())
	flag.PrintDefaults()
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (b *bench) all(names []string) error {
	for _, name := range names {
		if !slices.ContainsFunc(parts, func(p part) bool { return p.name == name }) {
			return fmt.Errorf("there is no part %q; -h lists them", name)
		}
	}
	var err error
	if b.dir, err = os.MkdirTemp("", "afterword-bench"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if b.program, err = build(b.ctx, b.dir); err != nil {
		return err
	}
	fmt.Fprintf(b.out, "%-9s %-54s %12s  %-34s %-14s\n", "part", "figure", "measured", "beside", "goal")
	for _, p := range parts {
		if len(names) > 0 && !slices.Contains(names, p.name) {
			continue
		}
		b.part = p.name
		if err := p.run(b); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// verdict is whether a goal is met; none for what is only shown.
type verdict string

const none verdict = ""

func goal(met bool) verdict {
	if met {
		return "PASS"
	}
	return "FAIL"
}

// show prints a figure.
func (b *bench) show(what, measured, beside, goal string, v verdict) {
	b.missed = b.missed || v == "FAIL"
	line := fmt.Sprintf("%-9s %-54s %12s  %-34s %-14s %s", b.part, what, measured, beside, goal, v)
	fmt.Fprintln(b.out, strings.TrimRight(line, " "))
}

// ms is a duration in milliseconds.
func ms(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000) }

func mb(bytes float64) string { return fmt.Sprintf("%.1f MB", bytes/1e6) }

// percentile of durations, which it sorts.
func percentile(all []time.Duration, p int) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[min(len(all)-1, len(all)*p/100)]
}
