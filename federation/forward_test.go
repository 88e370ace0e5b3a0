package federation_test

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"afterword/federation"
)

// mailbox is a peer that keeps what is delivered to it, and answers that with a status.
func (s *stage) mailbox(host string, status int) *peer {
	p := new(peer)
	s.hosts[host] = true
	s.network.Serve(host, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			s.respond(w, "https://"+host+r.RequestURI)
			return
		}
		body, _ := io.ReadAll(r.Body)
		p.asked, p.bodies = append(p.asked, r), append(p.bodies, body)
		w.WriteHeader(status)
	}))
	return p
}

// Followers' servers get what bears a signature of its own, byte for byte and signed by us: the reply, its edit, its deletion.
// They get nothing else, and nobody gets back what he sent.
func TestForwarding(t *testing.T) {
	signature := object{"type": "RsaSignature2017", "signatureValue": "x"}
	signed := func(a object) []byte { return append(encode(changed(a, object{"signature": signature})), "  \n"...) }
	for _, on := range []bool{true, false} {
		s := open(t, func(c *federation.Config) { c.Forward = on })
		eve := s.stranger("https://eve.test/eve")
		follower, neighbour := s.mailbox("fan.test", http.StatusAccepted), s.mailbox("eve.test", http.StatusAccepted)
		for _, id := range []string{"https://fan.test/a", "https://fan.test/b", "https://eve.test/c"} {
			p := s.stranger(id)
			p.says(p.activity("Follow", actor))
		}
		follower.asked, follower.bodies, neighbour.bodies = nil, nil, nil

		one := eve.note("https://eve.test/n/1", note, "One.")
		create := signed(eve.create(one))
		eve.says(create)
		edit := signed(changed(eve.activity("Update", changed(one, object{"content": "One!", "updated": "2026-03-01T12:00:09Z"})), object{"proof": object{}}))
		eve.says(edit)
		eve.says(eve.create(eve.note("https://eve.test/n/2", note, "It has no signature.")))
		eve.says(signed(eve.create(changed(eve.note("https://eve.test/n/3", note, "Unlisted."), object{"to": []any{}, "cc": []any{public}}))))
		eve.says(signed(eve.create(changed(eve.note("https://eve.test/n/4", note, "Private."), object{"to": []any{actor}}))))
		eve.says(signed(eve.create(eve.note("https://eve.test/n/5", "https://eve.test/elsewhere", "About nothing of ours."))))
		end := signed(eve.activity("Delete", "https://eve.test/n/1"))
		eve.says(end)
		eve.says(signed(changed(eve.activity("Delete", "https://eve.test/n/1"), object{"id": "https://eve.test/again"})))

		want := [][]byte{create, edit, end}
		if !on {
			want = nil
		}
		if !slices.EqualFunc(follower.bodies, want, slices.Equal[[]byte]) {
			t.Errorf("%t: forwarded: %q", on, follower.bodies)
		}
		for i, r := range follower.asked {
			if err := s.verifies(r, follower.bodies[i]); err != nil {
				t.Error(err)
			}
		}
		if len(neighbour.bodies) > 0 {
			t.Errorf("%t: sent back: %q", on, neighbour.bodies)
		}
	}
}

// What was deleted, or is held or late, is not handed on.
func TestForwardingStops(t *testing.T) {
	signed := func(a object) object { return changed(a, object{"proof": object{"type": "DataIntegrityProof"}}) }
	s := open(t, func(c *federation.Config) { c.Forward = true })
	s.mailbox("fan.test", http.StatusServiceUnavailable)
	eve := s.stranger("https://eve.test/eve")
	fan := s.stranger("https://fan.test/a")
	fan.says(fan.activity("Follow", actor))
	eve.says(signed(eve.create(eve.note("https://eve.test/n/1", note, "A secret."))))
	p := s.mailbox("fan.test", http.StatusAccepted)
	eve.says(signed(eve.activity("Delete", "https://eve.test/n/1")))
	if err := s.db.CloseThread(s.ctx, note, s.clock.now()); err != nil {
		t.Fatal(err)
	}
	s.advance(time.Second)
	eve.says(signed(eve.create(eve.note("https://eve.test/n/2", note, "Late."))))
	s.passes(3 * time.Hour)
	deleted := false
	for _, body := range p.bodies {
		deleted = deleted || bytes.Contains(body, []byte(`"type":"Delete"`))
		if bytes.Contains(body, []byte("secret")) || bytes.Contains(body, []byte("Late")) {
			t.Errorf("handed on: %s", body)
		}
	}
	if !deleted {
		t.Error("the deletion is not handed on to who may have got the Create")
	}
}
