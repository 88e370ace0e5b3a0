package federation_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fixtures are the documents of wire/testdata, written for the blog of other tests and moved to ours.
func fixtures(t *testing.T) map[string]object {
	t.Helper()
	files, err := filepath.Glob("wire/testdata/*.json")
	if err != nil || len(files) < 44 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	all := map[string]object{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		moved := strings.NewReplacer("blog.example/.ap/posts/2024/05/hello/", "blog.test/.ap/posts/2026/march/",
			"blog.example/.ap/context/2024/05/hello/", "blog.test/.ap/context/2026/march/",
			"blog.example/2024/05/hello/", "blog.test/2026/march/", "blog.example", host).Replace(string(text))
		var o object
		if err := json.Unmarshal([]byte(moved), &o); err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".json")] = o
	}
	return all
}

func TestProbe(t *testing.T) {
	for name, o := range fixtures(t) {
		s := open(t)
		id := str(o, "actor")
		if id == "" {
			id = str(o, "attributedTo")
		}
		if id == "" {
			t.Logf("%-30s %v: no actor", name, o["type"])
			continue
		}
		status := s.stranger(id).send(o)
		s.settle()
		t.Logf("%-30s %-10v %d %q\n%s", name, o["type"], status, s.thread(), s.ledger())
	}
}

func str(o object, name string) string {
	v, _ := o[name].(string)
	return v
}
