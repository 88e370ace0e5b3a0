package sanitize

import (
	"os"
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

// G47: every output, read by a browser, has only allowed nodes. check does that.
func TestR091_Attacks(t *testing.T) {
	list := payloads(t)
	if len(list) < 200 {
		t.Fatalf("only %d attacks", len(list))
	}
	for _, in := range append(list, strings.Join(list, "\n")) {
		check(t, HTML(in))
		check(t, HTML("<p>before <b>"+in+"</b> after"))
		check(t, HTML(`<a href="`+in+`">`+in+`</a>`))
		check(t, HTML("<ul><li>"+in+"<blockquote><pre>"+in))
		check(t, Markdown(in))
		check(t, Plain(in))
	}
}
