package main

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"afterword/federation/fedtest"
)

// program is the built program, made once for all tests.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "afterword-test")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "afterword")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := program(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// patience is how long a story waits for the real program: much longer than it ever takes.
const patience = time.Minute

// eventually asks again and again until is comes to be true.
func eventually(is func() bool) bool {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-tick.C {
		if is() {
			return true
		}
	}
	return is()
}

// onSockets sets the stage with the built program and strangers on loopback ports.
func onSockets(t *testing.T) (*stage, *process) {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	s := &stage{t: t, ctx: t.Context(), base: "http://" + address, blog: "http://" + address + "/blog/", http: http.DefaultClient, now: time.Now, await: eventually}
	s.writeConfig("[federation]\nallow_private = true\n")
	for name, speaks := range map[string]string{"alpha": "mastodon", "beta": "gotosocial", "gamma": "misskey"} {
		l := listen(t)
		s.stranger(name, fedtest.Options{Base: "http://" + l.Addr().String(), Software: speaks}, func(_ string, h http.Handler) {
			web := &http.Server{Handler: h}
			go web.Serve(l) //nolint:errcheck // it ends when the test closes it
			t.Cleanup(func() { web.Close() })
		})
	}
	p := &process{t: t, path: path, address: address, config: s.config}
	p.start()
	t.Cleanup(p.kill)
	return s, p
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l := listen(t)
	defer l.Close()
	return l.Addr().String()
}

// process is a running "afterword serve".
type process struct {
	t                     *testing.T
	path, address, config string
	cmd                   *exec.Cmd
	log                   bytes.Buffer
}

func (p *process) start() {
	p.t.Helper()
	p.log.Reset()
	p.cmd = exec.Command(p.path, "-config", p.config, "serve")
	p.cmd.Env = append(os.Environ(), "AFTERWORD_LISTEN="+p.address)
	p.cmd.Stderr = &p.log
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	ready := eventually(func() bool {
		resp, err := http.Get("http://" + p.address + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	if !ready {
		p.kill()
		p.t.Fatalf("the server does not come up: %s", p.log.String())
	}
}

// kill ends the process as kill -9 does: it gets no chance to tidy up.
func (p *process) kill() {
	if p.cmd != nil && p.cmd.Process != nil {
		p.cmd.Process.Kill() //nolint:errcheck // it may have ended
		p.cmd.Wait()         //nolint:errcheck // it was killed
		p.cmd = nil
	}
}

func TestStoryOfTheProgram(t *testing.T) {
	s, _ := onSockets(t)
	story(s)
}

var kills = flag.Int("kills", 10, "how often TestKilled kills the program; a release is tested with 200")

// TestKilled: whenever the program is killed, what it answered 202 stands in the thread afterwards, once, and what was
// due to be delivered arrives (SECURITY P4).
func TestKilled(t *testing.T) {
	s, p := onSockets(t)
	page := s.blog + "a/"
	id := s.afterword("post", "add", "-url", page, "-title", "A")
	alice := s.alpha.Person("alice")
	s.must(alice.Follow(s.ctx, s.base+"/actor"))
	s.expectReceived(s.alpha, "Accept", 1)

	var mu sync.Mutex
	accepted := map[string]bool{}
	wanted, longest := 0, time.Duration(0)
	for round := range *kills {
		wanted += 1 + rand.IntN(16) // so it is killed at any moment of what it does
		var replying sync.WaitGroup
		for writer := range 4 {
			replying.Go(func() {
				for n := range 50 {
					sent, err := s.beta.Person(fmt.Sprint("writer", writer)).Reply(s.ctx, id, fmt.Sprintf("reply %d %d %d", round, writer, n))
					if err != nil || sent.Status() != http.StatusAccepted {
						return // it was killed: the sender would come again
					}
					mu.Lock()
					accepted[sent.Note] = true
					mu.Unlock()
				}
			})
		}
		enough := func() bool { mu.Lock(); defer mu.Unlock(); return len(accepted) >= wanted }
		if !eventually(enough) {
			t.Fatal("no replies are accepted")
		}
		s.afterword("post", "add", "-url", fmt.Sprint(s.blog, "b", round, "/"), "-title", "B") // a delivery falls due
		p.kill()
		replying.Wait()
		began := time.Now()
		p.start()
		longest = max(longest, time.Since(began))
	}
	arrived := map[any]int{}
	if !s.await(func() bool {
		clear(arrived)
		for _, d := range s.received(s.alpha, "Create") {
			arrived[d.Activity["id"]]++
		}
		return len(arrived) >= *kills
	}) {
		t.Fatalf("arrived after the kills: %v", arrived)
	}
	again := 0
	for _, times := range arrived {
		again += times - 1
	}
	if again > 2**kills { // a kill between sending and writing that down sends once more, two at the most; peers know the ids
		t.Errorf("%d arrived again: %v", again, arrived)
	}
	if !s.await(func() bool {
		return strings.Contains(s.afterword("inbox", "list"), " shown ") && !strings.Contains(s.afterword("inbox", "list", "-limit", "10000"), "undecided")
	}) {
		t.Fatal("messages stay undecided")
	}
	shown := map[string]int{}
	_, doc := s.get(s.base+"/api/v1/thread?url="+page, "*/*")
	for _, c := range doc["comments"].([]any) {
		shown[c.(map[string]any)["id"].(string)]++
	}
	for note := range accepted {
		if shown[note] != 1 {
			t.Errorf("%s was answered 202 and stands %d times", note, shown[note])
		}
	}
	t.Logf("%d kills, %d accepted, %d shown, ready again after %s at most, on %s", *kills, len(accepted), len(shown), longest.Round(time.Millisecond), runtime.GOOS)
}

// TestOneServerForADatabase: a second server on the same database refuses to start; commands may.
func TestOneServerForADatabase(t *testing.T) {
	s, p := onSockets(t)
	cmd := exec.Command(p.path, "-config", s.config, "serve")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), fmt.Sprint("process ", p.cmd.Process.Pid)) || strings.Count(string(out), "\n") != 1 {
		t.Errorf("%v: %s", err, out)
	}
}

// TestAccountCommandsWhileRunning: another process gives the account a new key and an alias, and the running server goes on
// with them at once.
func TestAccountCommandsWhileRunning(t *testing.T) {
	s, _ := onSockets(t)
	alice := s.alpha.Person("alice")
	s.must(alice.Follow(s.ctx, s.base+"/actor"))
	s.expectReceived(s.alpha, "Accept", 1)
	before := s.note(s.base + "/actor")["publicKey"].(map[string]any)
	s.afterword("key", "rotate")
	s.afterword("alias", "add", s.beta.Person("old").Handle())
	told := func() (key map[string]any, former, aliases []any) {
		for _, d := range s.alpha.Received() {
			if about, is := d.Activity["object"].(map[string]any); is && d.Type == "Update" && d.Verified && about["id"] == s.base+"/actor" {
				key, _ = about["publicKey"].(map[string]any)
				former, _ = about["assertionMethod"].([]any)
				aliases, _ = about["alsoKnownAs"].([]any)
			}
		}
		return key, former, aliases
	}
	if !s.await(func() bool { _, former, aliases := told(); return len(former) == 1 && len(aliases) == 1 }) {
		t.Fatal(told())
	}
	if key, _, _ := told(); key["publicKeyPem"] == before["publicKeyPem"] {
		t.Error(key)
	}
	id := s.afterword("post", "add", "-url", s.blog+"new/", "-title", "New")
	s.expectReceived(s.alpha, "Create", 1) // verified, with the new key
	s.must(alice.Reply(s.ctx, id, "Still here."))
	s.expect(s.blog+"new/", "open: 1 comments, 0 likes, 0 boosts, 0 late", "@alice Still here.")
}
