package sanitize

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// payloads is our list of attacks, one a line.
func payloads(t testing.TB) []string {
	t.Helper()
	list, err := os.ReadFile("testdata/xss.txt")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(list)), "\n")
}

// became compares what the attacks become with testdata/xss.want, a line for each; -update writes it anew.
func became(t *testing.T, list []string) {
	t.Helper()
	const file = "testdata/xss.want"
	var got strings.Builder
	for _, in := range list {
		got.WriteString(strconv.Quote(HTML(in)) + "\n")
	}
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want, now := strings.Split(string(text), "\n"), strings.Split(got.String(), "\n")
	for i, in := range list {
		if i >= len(want) || now[i] != want[i] {
			t.Errorf("%q becomes %s, which %s does not say", in, now[i], file)
		}
	}
}

// G47: every output, read by a browser, has only allowed nodes. check does that.
func TestR091_Attacks(t *testing.T) {
	list := payloads(t)
	if len(list) < 300 {
		t.Fatalf("only %d attacks", len(list))
	}
	became(t, list)
	for _, in := range append(list, strings.Join(list, "\n")) {
		check(t, HTML(in))
		check(t, HTML("<p>before <b>"+in+"</b> after"))
		check(t, HTML(`<a href="`+in+`">`+in+`</a>`))
		check(t, HTML("<ul><li>"+in+"<blockquote><pre>"+in))
		check(t, Markdown(in))
		check(t, Plain(in))
	}
}
