package main

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// TestP14_NoWayInside: whatever a stranger can name that we then ask for, no request leaves for an address that is not a
// public server's. Names that DNS leads inside are held by package fetch, through which all of this goes.
func TestP14_NoWayInside(t *testing.T) {
	s := newSite(t)
	inside := []string{"127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "0.0.0.0", "localhost", "LOCALHOST", "a.localhost", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::127.0.0.1]", "10.0.0.1",
		"172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "198.18.0.1", "192.0.0.1", "[fe80::1]", "[fc00::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "224.0.0.1", "[ff02::1]", "255.255.255.255", "router",
		"blog.internal:8080", "good.test:22", "good.test:25"}
	for n, host := range inside {
		at := func(path string) string { return fmt.Sprintf("https://%s/%s", host, path) }
		id := fmt.Sprint(s.alice.id, "/notes/", n)
		for name, message := range map[string]object{
			"the parent":  s.alice.does("Create", but(s.alice.note("x"), object{"id": id, "inReplyTo": at("parent"), "cc": []any{blogActor}})),
			"the object":  but(s.alice.does("Create", at("object")), object{"to": []any{blogActor, everybody}}),
			"the boosted": s.alice.does("Announce", object{"id": at("boosted"), "type": "Note", "attributedTo": at("a"), "inReplyTo": marchNote, "content": "x"}),
			"the replies": s.alice.does("Create", but(s.alice.note("y"), object{"id": id + "/y", "replies": at("replies"), "context": at("context"), "url": at("page"), "attachment": object{"type": "Image", "url": at("image")}})),
			"the deleted": s.alice.does("Delete", at("deleted")),
		} {
			message["id"] = fmt.Sprint(s.alice.id, "/", n, "/", strings.ReplaceAll(name, " ", "-"))
			if status := s.direct(s.alice.send(message)); status >= 500 {
				t.Errorf("%s at %s: %d", name, host, status)
			}
		}
		follower := s.account(fmt.Sprint("https://good.test/users/f", n), 2)
		follower.with(object{"inbox": at("inbox"), "endpoints": object{"sharedInbox": at("shared")}, "icon": at("icon")})
		s.direct(follower.send(follower.does("Follow", blogActor)))
		s.ask("/api/v1/interact?uri=" + url.QueryEscape(marchNote) + "&account=" + url.QueryEscape("@me@"+host))
		s.settle()
	}
	if n, err := s.db.CountFollowers(s.ctx); err != nil || n != 0 {
		t.Errorf("%d followers, %v", n, err)
	}
	for _, line := range s.network.Log() {
		_, address, _ := strings.Cut(line, " ")
		if !strings.HasPrefix(address, "https://good.test/") {
			t.Errorf("asked %s", line)
		}
	}
}
