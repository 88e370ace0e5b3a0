package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"afterword/config"
	"afterword/federation/fedtest"
	"afterword/storage"
)

// stage is where a story is played: a blog's server and three strangers' servers. In memory the stage pumps the
// workers' steps; with the real program it waits until what is expected comes to be.
type stage struct {
	t         *testing.T
	ctx       context.Context
	base      string // base_url
	blog      string // the blog's URL
	config    string // the configuration's file
	http      *http.Client
	now       func() time.Time
	transport http.RoundTripper         // of a stage in memory
	settle    func()                    // everything that can happen has happened
	await     func(is func() bool) bool // is comes to be true
	start     func()                    // of a stage in memory: ends the server and starts it again on its database

	alpha, beta, gamma *fedtest.Server
}

// clock is a time that moves only when a story says so.
type clock struct{ t time.Time }

func (c *clock) now() time.Time          { return c.t }
func (c *clock) advance(d time.Duration) { c.t = c.t.Add(d) }

func (s *stage) writeConfig(more string) {
	s.t.Helper()
	dir := s.t.TempDir()
	s.config = filepath.Join(dir, "afterword.toml")
	text := fmt.Sprintf("base_url = %q\nlisten = \"127.0.0.1:0\"\ndatabase = %q\n[blog]\nurl = %q\nname = \"The Blog\"\nlanguage = \"en\"\n%s",
		s.base, filepath.Join(dir, "afterword.db"), s.blog, more)
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// inMemory sets the stage without a network: one process, one database file, real requests and signatures.
func inMemory(t *testing.T, more string) (*stage, *clock) {
	t.Helper()
	return inMemoryOn(t, fedtest.NewNetwork(), more)
}

func inMemoryOn(t *testing.T, network *fedtest.Network, more string) (*stage, *clock) {
	t.Helper()
	c := &clock{time.Now().Truncate(time.Second)}
	s := &stage{t: t, ctx: t.Context(), base: "https://comments.test", blog: "https://blog.test/", http: &http.Client{Transport: network}, now: c.now, transport: network}
	s.writeConfig(more)
	cfg, err := config.Load(s.config, nil)
	if err != nil {
		t.Fatal(err)
	}
	var db *storage.DB
	var server *server
	end := func() {
		if db != nil {
			db.Close()
		}
	}
	t.Cleanup(end)
	s.start = func() {
		end()
		if db, err = storage.Open(cfg.Database, storage.Options{Base: cfg.BaseURL, Now: c.now}); err != nil {
			t.Fatal(err)
		}
		if server, err = newServer(s.ctx, cfg, db, world{Log: testLog(t), Transport: network, Now: c.now}); err != nil {
			t.Fatal(err)
		}
		network.Serve("comments.test", server.handler)
	}
	s.start()
	for name, speaks := range map[string]string{"alpha": "mastodon", "beta": "gotosocial", "gamma": "misskey"} {
		s.stranger(name, fedtest.Options{Base: "https://" + name + ".test", Software: speaks, Transport: network, Now: c.now}, network.Serve)
	}
	s.settle = func() {
		if err := server.once(s.ctx); err != nil {
			t.Fatal(err)
		}
	}
	s.await = func(is func() bool) bool { s.settle(); return is() }
	return s, c
}

func (s *stage) stranger(name string, o fedtest.Options, serve func(string, http.Handler)) {
	s.t.Helper()
	server, err := fedtest.NewServer(o)
	if err != nil {
		s.t.Fatal(err)
	}
	_, authority, _ := strings.Cut(o.Base, "://")
	serve(authority, server.Handler())
	*map[string]**fedtest.Server{"alpha": &s.alpha, "beta": &s.beta, "gamma": &s.gamma}[name] = server
}

func (s *stage) servers() []*fedtest.Server { return []*fedtest.Server{s.alpha, s.beta, s.gamma} }

func testLog(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(logWriter{t}, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

type logWriter struct{ t *testing.T }

func (w logWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// afterword runs a command as a blogger would and returns what it printed.
func (s *stage) afterword(args ...string) string {
	s.t.Helper()
	var out, problems bytes.Buffer
	c := &call{ctx: s.ctx, stdout: &out, stderr: &problems, now: s.now, transport: s.transport}
	if code := run(c, append([]string{"-config", s.config}, args...)); code != 0 {
		s.t.Fatalf("afterword %s: exit %d: %s", strings.Join(args, " "), code, problems.String())
	}
	return strings.TrimSpace(out.String())
}

// get asks the blog's server and decodes JSON.
func (s *stage) get(url, accept string) (status int, doc map[string]any) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.ctx, http.MethodGet, url, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	resp, err := s.http.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		s.t.Fatalf("%s: %d %s", url, resp.StatusCode, body)
	}
	return resp.StatusCode, doc
}

func (s *stage) note(id string) map[string]any {
	s.t.Helper()
	_, doc := s.get(id, "application/activity+json")
	return doc
}

// thread is what readers see of a post, one line a comment, indented by depth.
func (s *stage) thread(page string) string {
	s.t.Helper()
	_, doc := s.get(s.base+"/api/v1/thread?url="+page, "*/*")
	post := doc["post"].(map[string]any)
	lines := []string{fmt.Sprintf("%s: %v comments, %v likes, %v boosts, %v late", post["state"], post["comments"], post["likes"], post["boosts"], post["late"])}
	for _, c := range doc["comments"].([]any) {
		c := c.(map[string]any)
		line := strings.Repeat("  ", int(c["depth"].(float64)))
		if c["deleted"].(bool) {
			line += "(deleted)"
		} else {
			line += c["author"].(map[string]any)["handle"].(string) + " " + c["html"].(string)
		}
		if c["edited"] != nil {
			line += " (edited)"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// expect compares what readers see with what a story says they should.
func (s *stage) expect(page string, want ...string) {
	s.t.Helper()
	wanted := strings.Join(want, "\n")
	if got := ""; !s.await(func() bool { got = s.plain(s.thread(page)); return got == wanted }) {
		s.t.Fatalf("readers see\n%s\nwant\n%s", got, wanted)
	}
}

// plain leaves of a thread what a story is about: names and words, no markup and no mentions.
func (s *stage) plain(text string) string {
	for _, server := range s.servers() {
		_, authority, _ := strings.Cut(server.Base, "://")
		text = strings.ReplaceAll(text, "@"+authority, "")
	}
	var out strings.Builder
	for depth, rest := 0, text; rest != ""; rest = rest[1:] {
		switch {
		case rest[0] == '<':
			depth++
		case rest[0] == '>':
			depth--
		case depth == 0:
			out.WriteByte(rest[0])
		}
	}
	lines := strings.Split(out.String(), "\n")
	for i, line := range lines[1:] {
		lines[i+1] = withoutMentions(line)
	}
	return strings.Join(lines, "\n")
}

// withoutMentions drops the words that begin with "@", but for the first, who is the author.
func withoutMentions(line string) string {
	indent := len(line) - len(strings.TrimLeft(line, " "))
	words := strings.Fields(line)
	kept := words[:min(1, len(words))]
	for _, w := range words[len(kept):] {
		if !strings.HasPrefix(w, "@") {
			kept = append(kept, w)
		}
	}
	return strings.Repeat(" ", indent) + strings.Join(kept, " ")
}

// must fails the story when a stranger's deed did not go well, and returns the note it was about.
func (s *stage) must(sent fedtest.Sent, err error) string {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	if status := sent.Status(); status != 0 && status != http.StatusAccepted {
		s.t.Fatalf("%s", sent)
	}
	return sent.Note
}

// received is what a stranger's server got from the blog, verified, of one type. What tells of the blog's account itself
// does not count: it comes whenever a story's clock makes the server believe that it was away.
func (s *stage) received(server *fedtest.Server, kind string) (out []fedtest.Delivery) {
	for _, d := range server.Received() {
		about, _ := d.Activity["object"].(map[string]any)
		if d.Type == kind && d.Verified && d.Sender == s.base+"/actor" && about["id"] != d.Sender {
			out = append(out, d)
		}
	}
	return out
}

// expectReceived compares how many activities of a type a server got.
func (s *stage) expectReceived(server *fedtest.Server, kind string, want int) []fedtest.Delivery {
	s.t.Helper()
	var got []fedtest.Delivery
	if !s.await(func() bool { got = s.received(server, kind); return len(got) == want }) {
		s.t.Fatalf("%s got %d of %s, want %d", server.Base, len(got), kind, want)
	}
	return got
}
