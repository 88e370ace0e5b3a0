package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"afterword/config"
)

// TestBlocks: a block hides what stands and waits of an account or a host, what comes is dropped, and when it ends all is
// as it was.
func TestBlocks(t *testing.T) {
	s, _, page, id, first := opened(t, "")
	carol, chen := s.gamma.Person("carol"), s.gamma.Person("chen")
	second := s.must(carol.Reply(s.ctx, first, "Second."))
	s.settle()
	hidden := s.must(chen.Reply(s.ctx, id, "Third."))
	s.settle()
	s.afterword("comment", "hide", hidden)
	s.must(s.alpha.Person("anton").Reply(s.ctx, second, "Below."))
	whole := []string{"open: 3 comments, 0 likes, 0 boosts, 0 late", "@alice First.", "  @carol Second.", "    @anton Below."}
	s.expect(page, whole...)
	sees := func(want ...string) {
		t.Helper()
		s.start() // what another process writes is noticed after a second; here, at once
		s.expect(page, want...)
	}

	for _, target := range []string{carol.Handle(), carol.ID, "gamma.test", "GAMMA.test."} {
		if got := s.afterword("block", "add", target); got != "1 comments are hidden" {
			t.Errorf("%s: %q", target, got)
		}
		s.must(carol.Reply(s.ctx, id, "And now?"))
		sees("open: 2 comments, 0 likes, 0 boosts, 0 late", "@alice First.", "  (deleted)", "    @anton Below.")
		if got := s.afterword("block", "remove", target); got != "1 comments are back" {
			t.Errorf("%s: %q", target, got)
		}
		sees(whole...)
	}

	// What the blogger says while the block holds, holds after it.
	s.afterword("block", "add", "gamma.test")
	s.afterword("block", "add", carol.Handle())
	s.afterword("comment", "approve", second)
	sees(whole...)
	s.afterword("block", "add", "beta.test")
	sees("open: 2 comments, 0 likes, 0 boosts, 0 late", "@alice First.", "  (deleted)", "    @anton Below.")
	s.afterword("comment", "hide", second)
	s.afterword("block", "remove", "gamma.test")
	s.afterword("block", "remove", carol.Handle())
	sees("open: 2 comments, 0 likes, 0 boosts, 0 late", "@alice First.", "  (deleted)", "    @anton Below.")

	for _, args := range [][]string{{"block", "add", "not a host"}, {"block", "add", "comments.test"}, {"block", "add", "test"},
		{"block", "add", "@nobody@nowhere.test"}, {"block", "remove", "alpha.test"}, {"block", "add"}, {"block", "import", "/nowhere"}} {
		s.fails(args...)
	}
	if got := s.afterword("block", "list"); got != "beta.test" {
		t.Error(got)
	}
}

// TestBlockImport reads what Mastodon's administrators and users export.
func TestBlockImport(t *testing.T) {
	s, _, page, id, _ := opened(t, "")
	s.must(s.gamma.Person("carol").Reply(s.ctx, id, "Second."))
	s.settle()
	file := filepath.Join(t.TempDir(), "blocks.csv")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("\xef\xbb\xbf#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate\r\n" +
		"Gamma.Test,suspend,FALSE,FALSE,\"spam, and \"\"more\"\"\",FALSE\r\nloud.test,silence,FALSE,FALSE,,FALSE\r\n" +
		"fi*e.test,suspend,FALSE,FALSE,,TRUE\r\nbücher.test,suspend,FALSE,FALSE,,FALSE\r\ncomments.test,suspend,FALSE,FALSE,,FALSE\r\n")
	for _, want := range []string{
		"2 hosts are blocked now, 0 were before; left out: 1 that are not suspended, 2 that name no host; 1 comments are hidden",
		"0 hosts are blocked now, 2 were before; left out: 1 that are not suspended, 2 that name no host; 0 comments are hidden",
	} {
		if got := s.afterword("block", "import", file); got != want {
			t.Errorf("%s", got)
		}
	}
	s.expect(page, "open: 1 comments, 0 likes, 0 boosts, 0 late", "@alice First.")
	if got := s.afterword("block", "list"); got != "gamma.test\nxn--bcher-kva.test" {
		t.Error(got)
	}
	for name, text := range map[string]string{"empty": "", "a page": "<!DOCTYPE html>\n<p>Hello", "broken": "domain\n\"a.test\nb.test\n", "no host": "domain\nhello\n"} {
		write(text)
		if got := s.fails("block", "import", file); !strings.Contains(got, "no blocklist") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestReadBlocklist(t *testing.T) {
	cfg := config.Default()
	cfg.BaseURL = "https://comments.example"
	for name, c := range map[string]struct{ text, want string }{
		"of a user":        {"a.test\nb.test\na.test\n", "a.test b.test"},
		"with an address":  {"severity,domain\nsuspend,a.test\nnoop,b.test\n", "a.test"},
		"without severity": {"domain,public_comment\na.test,spam\n", "a.test"},
		"quoted":           {"\"domain\"\n\"a.test\"\n", "a.test"},
	} {
		l, err := readBlocklist([]byte(c.text), cfg)
		if got := strings.Join(l.hosts, " "); err != nil || got != c.want {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
}
