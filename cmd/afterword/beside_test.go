package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"afterword/federation/fedtest"
)

// The blogger has two hands: commands, which are processes of their own on the database of the running server, and the
// server's API. Here both do the opposite to the same thread at the same moment, while replies come.

// hands count how often a thread was closed or opened; all else that may come of it is that the other hand was quicker.
type hands struct {
	*stage
	program string
	api     *apiClient
	changes atomic.Int32
}

func (h *hands) command(args ...string) {
	out, err := exec.Command(h.program, append([]string{"-config", h.config}, args...)...).CombinedOutput()
	h.result(args[0], err == nil, string(out))
}

func (h *hands) call(what, thing string) {
	status, out := h.api.call("POST", what, fmt.Sprintf(`{%q:%q}`, map[bool]string{true: "url", false: "id"}[strings.HasPrefix(what, "posts")], thing))
	h.result(strings.TrimPrefix(what, "posts/"), status == http.StatusOK, fmt.Sprint(out["message"]))
}

func (h *hands) result(what string, ok bool, said string) {
	switch {
	case ok && (what == "close" || what == "reopen"):
		h.changes.Add(1)
	case !ok && !strings.Contains(said, "closed already, since ") && !strings.Contains(said, "comments are open"):
		h.t.Errorf("%s: %s", what, said)
	}
}

// work has both hands at work on a thread and on a comment elsewhere, and returns how many replies were accepted meanwhile.
func (h *hands) work(page, id, comment string) int {
	var working, replying sync.WaitGroup
	var accepted atomic.Int32
	done := make(chan struct{})
	until := func(do func(n int)) func() {
		return func() {
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				default:
					do(n)
				}
			}
		}
	}
	for w := range 3 {
		replying.Go(until(func(n int) {
			writer := h.beta.Person(fmt.Sprint("writer", w, "x", n/50)) // each may say so much in an hour
			if sent, err := writer.Write(h.ctx, fedtest.Draft{InReplyTo: id, HTML: fmt.Sprint("Reply ", n), Force: true}); err == nil && sent.Status() == http.StatusAccepted {
				accepted.Add(1)
			}
		}))
	}
	replying.Go(until(func(int) {
		h.call("posts/reopen", page)
		h.call("comments/approve", comment)
		h.call("posts/close", page)
		h.call("comments/hide", comment)
	}))
	working.Go(func() {
		for range 6 {
			h.command("close", page)
			h.command("comment", "hide", comment)
			h.command("reopen", page)
			h.command("comment", "approve", comment)
		}
	})
	working.Wait()
	close(done)
	replying.Wait()
	return int(accepted.Load())
}

// told are the states of a thread that a server was told, in that order, each by an Update that is newer than the one before.
func (s *stage) told(server *fedtest.Server, id string) (states []string) {
	s.t.Helper()
	ids, last := map[any]bool{}, time.Time{}
	for _, d := range s.received(server, "Update") {
		note := d.Activity["object"].(map[string]any)
		at, err := time.Parse(time.RFC3339, note["updated"].(string))
		if note["id"] != id || ids[d.Activity["id"]] || err != nil || !at.After(last) {
			s.t.Errorf("updated %s before this: %s", last, d.Raw)
		}
		ids[d.Activity["id"]], last = true, at
		states = append(states, map[any]string{true: "open", false: "closed"}[note["commentsEnabled"]])
	}
	return states
}

func TestCommandsBesideTheServer(t *testing.T) {
	s, p := onSockets(t)
	h := &hands{stage: s, program: p.path, api: &apiClient{s, "Bearer " + s.afterword("token", "add", "other hand")}}
	page, other := s.blog+"a/", s.blog+"b/"
	id := s.afterword("post", "add", "-url", page, "-title", "A")
	alice := s.alpha.Person("alice")
	s.must(alice.Follow(s.ctx, s.base+"/actor"))
	s.expectReceived(s.alpha, "Accept", 1)
	comment := s.must(alice.Reply(s.ctx, s.afterword("post", "add", "-url", other, "-title", "B"), "Hello."))
	s.expect(other, "open: 1 comments, 0 likes, 0 boosts, 0 late", "@alice Hello.")

	accepted := h.work(page, id, comment)
	var stored map[string]any
	if err := json.Unmarshal([]byte(s.afterword("post", "show", "-json", page)), &stored); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	sees := func(page, what string) any {
		_, doc := s.get(s.base+"/api/v1/thread?url="+page, "*/*")
		return doc["post"].(map[string]any)[what]
	}
	if !s.await(func() bool { return sees(page, "state") == stored["state"] }) {
		t.Fatalf("readers see %v, the database says %v", sees(page, "state"), stored["state"])
	}
	t.Logf("%d replies, %d changes; readers see the last one after %s", accepted, h.changes.Load(), time.Since(began))
	state := s.state(page, id)
	endsWith := func(state string) {
		t.Helper()
		told := func() []string { return s.told(s.alpha, id) }
		if !s.await(func() bool { all := told(); return len(all) > 0 && all[len(all)-1] == state }) || len(told()) > int(h.changes.Load()) {
			t.Fatalf("it is %s, and followers were told of %d changes: %v", state, h.changes.Load(), told())
		}
	}
	endsWith(state)
	if !s.await(func() bool {
		return int(sees(page, "comments").(float64)+sees(page, "late").(float64))+s.pending() == accepted
	}) {
		t.Errorf("%v shown, %v late, %d held of %d", sees(page, "comments"), sees(page, "late"), s.pending(), accepted)
	}
	shown := strings.Count(s.afterword("comment", "list", "-post", other, "-state", "visible"), comment)
	if !s.await(func() bool {
		return sees(other, "comments") == float64(shown) && strings.Contains(s.thread(other), "Hello.") == (shown == 1)
	}) {
		t.Errorf("%d is visible, readers see %s", shown, s.thread(other))
	}

	if state == "open" {
		h.command("close", page)
		endsWith("closed")
	} else {
		h.command("reopen", page)
		endsWith("open")
	}
	p.kill()
	if text := p.log.String(); strings.Contains(text, "level=ERROR") || strings.Contains(text, "locked") {
		t.Error(text)
	}
}
