package sanitize

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/golden.txt anew: read the diff")

const goldenFile = "testdata/golden.txt"

type golden struct{ name, in, want string }

// goldens are the cases of group G of the corpus and the replies of real servers: "== name", the input, "--", the output.
func goldens(t testing.TB) []golden {
	t.Helper()
	text, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	var list []golden
	for c := range strings.SplitSeq(strings.TrimPrefix(string(text), "== "), "\n== ") {
		name, rest, _ := strings.Cut(c, "\n")
		in, want, _ := strings.Cut(rest, "\n--")
		list = append(list, golden{name, in, strings.Trim(want, "\n")})
	}
	return list
}

func TestGolden(t *testing.T) {
	var all strings.Builder
	for _, c := range goldens(t) {
		got := HTML(c.in)
		if got != c.want && !*update {
			t.Errorf("%s\nin:   %q\ngot:  %q\nwant: %q", c.name, c.in, got, c.want)
		}
		check(t, got)
		fmt.Fprintf(&all, "== %s\n%s\n--\n%s\n", c.name, c.in, got)
	}
	if *update {
		if err := os.WriteFile(goldenFile, []byte(all.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
