package main

import (
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// goBench runs benchmarks of a package, which know its inside and are not written twice, and hands over the figures of each.
func (b *bench) goBench(pkg, pattern, time string, show func(name string, figures map[string]float64)) error {
	out, err := exec.CommandContext(b.ctx, "go", "test", pkg, "-run", "^$", "-bench", pattern, "-benchtime", time).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); strings.HasPrefix(line, "Benchmark") && len(fields) > 3 {
			name := strings.TrimPrefix(fields[0], "Benchmark")
			if at := strings.LastIndexByte(name, '-'); at > 0 { // of the processors
				name = name[:at]
			}
			show(name, units(fields[2:]))
		}
	}
	return nil
}

// read: threads from the cache, beside a handler that has the same bytes, and made anew.
func (b *bench) read() error {
	return errors.Join(
		b.goBench("./api", "^Benchmark(Cached|Stampede)$", "1s", b.showRead),
		b.goBench("./api", "^Benchmark(Rebuild|Page)$", "50x", b.showRead)) // the threads grow with each time
}

// units are the values of a benchmark's line by their units.
func units(fields []string) map[string]float64 {
	values := map[string]float64{}
	for i := 0; i+1 < len(fields); i += 2 {
		values[fields[i+1]], _ = strconv.ParseFloat(fields[i], 64)
	}
	return values
}

func (b *bench) showRead(name string, v map[string]float64) {
	if kind, ok := strings.CutPrefix(name, "Cached/"); ok {
		beside := "handler that has the same bytes"
		b.show("cached thread, "+kind+": requests/s", fmt.Sprintf("%.2f×", v["ofmemory"]), beside, "≥ 0.85×", goal(v["ofmemory"] >= 0.85))
		b.show("cached thread, "+kind+": CPU", fmt.Sprintf("%.2f×", v["cpu"]), beside, "≤ 1.25×", goal(v["cpu"] <= 1.25))
		return
	}
	if name == "Stampede" {
		b.show("10,000 readers, 20 replies/s: p99", fmt.Sprintf("%.1f ms", v["p99-ms"]), "", "≤ 50 ms", goal(v["p99-ms"] <= 50))
		return
	}
	if kind, ok := strings.CutPrefix(name, "Page/"); ok {
		b.show("100,000 comments, a page after a comment, "+kind+": CPU", fmt.Sprintf("%.2f ms", v["cpu-ms/op"]),
			fmt.Sprintf("that of 1,000 comments: %.2f×", v["ofsmall"]), "≤ 2×", goal(v["ofsmall"] <= 2))
		return
	}
	cpu, last := v["cpu-ms/op"], strings.LastIndexByte(name, '/')
	kind, n := name[:last], name[last+1:]
	most, known := map[string]float64{"1000": 6, "10000": 100}[n]
	after := map[string]string{"Rebuild/comment/json": "after a comment, json", "Rebuild/comment/fragment": "after a comment, fragment",
		"Rebuild/all/json": "read as a whole, json", "Rebuild/all/fragment": "read as a whole, fragment"}[kind]
	if known && after != "" {
		b.show(n+" comments, "+after+": CPU", fmt.Sprintf("%.2f ms", cpu), "", fmt.Sprintf("≤ %.0f ms", most), goal(cpu <= most))
	}
}
