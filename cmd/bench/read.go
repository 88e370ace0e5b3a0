package main

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// read runs the benchmarks of package api: they know its inside, and are not written twice.
func (b *bench) read() error {
	out, err := exec.CommandContext(b.ctx, "go", "test", "./api", "-run", "^$", "-bench", "^Benchmark(Cached|Rebuild)$", "-benchtime", "1s").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); strings.HasPrefix(line, "Benchmark") && len(fields) > 3 {
			b.showRead(strings.TrimPrefix(fields[0], "Benchmark"), units(fields[2:]))
		}
	}
	return nil
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
	name = name[:strings.LastIndexByte(name, '-')] // of the processors
	if kind, ok := strings.CutPrefix(name, "Cached/"); ok {
		beside := "handler that has the same bytes"
		b.show("cached thread, "+kind+": requests/s", fmt.Sprintf("%.2f×", v["ofmemory"]), beside, "≥ 0.85×", goal(v["ofmemory"] >= 0.85))
		b.show("cached thread, "+kind+": CPU", fmt.Sprintf("%.2f×", v["cpu"]), beside, "≤ 1.25×", goal(v["cpu"] <= 1.25))
		return
	}
	kind, n, _ := strings.Cut(strings.TrimPrefix(name, "Rebuild/"), "/")
	most := map[string]float64{"1000": 6, "10000": 100}[n]
	if most > 0 {
		b.show("made anew, "+n+" comments, "+kind+": CPU", fmt.Sprintf("%.2f ms", v["cpu-ms/op"]), "", fmt.Sprintf("≤ %.0f ms", most), goal(v["cpu-ms/op"] <= most))
	}
}
