package federation_test

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/delivered.txt anew")

// TestR103_DeliveredByTheirServers: what becomes of every document of wire/testdata when its author delivers it, signed,
// to our inbox: the status, then how many requests of ours it caused beyond the one for the key, then what readers see
// or the verdict. What is no activity is delivered in a Create, as its server would.
//
// `go test ./federation -run R103 -update` writes the list anew: read the difference before you commit it.
func TestR103_DeliveredByTheirServers(t *testing.T) {
	const list = "testdata/delivered.txt"
	files, err := filepath.Glob("wire/testdata/*.json")
	if err != nil || len(files) < 120 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	var got strings.Builder
	for _, file := range files {
		fmt.Fprintf(&got, "%s: %s\n", strings.TrimSuffix(filepath.Base(file), ".json"), delivered(t, fixture(t, file)))
	}
	if *update {
		if err := os.WriteFile(list, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	wanted := strings.Split(string(want), "\n")
	for i, line := range strings.Split(got.String(), "\n") {
		if i >= len(wanted) || line != wanted[i] {
			t.Fatalf("line %d of %s\ngot:  %s\nwant: %s", i+1, list, line, strings.Join(wanted[min(i, len(wanted)):min(i+1, len(wanted))], ""))
		}
	}
}

// fixture is a document of wire/testdata, written for the blog of other tests and moved to ours.
func fixture(t *testing.T, file string) (o object) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	moved := strings.NewReplacer("blog.example/.ap/posts/2024/05/hello/", "blog.test/.ap/posts/2026/march/",
		"blog.example/.ap/context/2024/05/hello/", "blog.test/.ap/context/2026/march/",
		"blog.example/2024/05/hello/", "blog.test/2026/march/", "blog.example", host).Replace(string(text))
	if err := json.Unmarshal([]byte(moved), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

func delivered(t *testing.T, o object) string {
	s := open(t)
	author := idIn(o["actor"])
	if author == "" {
		if author = idIn(o["attributedTo"]); author == "" {
			author = "https://nobody.example/u"
		} else {
			o = s.stranger(author).create(o)
		}
	}
	status := s.stranger(author).send(o)
	s.settle()
	asked := s.outbound() - s.outboundTo(withoutFragment(author))
	what := strings.ReplaceAll(s.thread(), "\n", `\n`)
	if warning := s.warnings(); warning != "" {
		what += " [" + warning + "]"
	}
	if what == "" {
		what = cmp.Or(string(s.verdict("")), "not decided yet")
	}
	return fmt.Sprintf("%d, %d requests, %s", status, asked, what)
}

// idIn is the id of who is named: itself, an object, or the person in a list.
func idIn(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case object:
		return str(v, "id")
	case []any:
		for _, each := range v {
			if o, ok := each.(object); ok && o["type"] == "Person" {
				return str(o, "id")
			}
		}
		if len(v) > 0 {
			return idIn(v[0])
		}
	}
	return ""
}

func (s *stage) warnings() (all string) {
	s.Helper()
	comments, err := s.db.Thread(s.ctx, note)
	if err != nil {
		s.Fatal(err)
	}
	for _, c := range comments {
		all += c.Warning
	}
	return all
}

func str(o object, name string) string {
	v, _ := o[name].(string)
	return v
}
