package federation_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"afterword/storage/storagetest"
)

// said is a reply in a tree as it truly is, on its authors' servers.
type said struct {
	id, text  string
	by        *stranger
	parent    *said // nil: it answers the post
	below     []*said
	published time.Time
	private   bool
	deleted   bool
	edited    time.Time
}

func (n *said) object(s *stage) object {
	answers := note
	if n.parent != nil {
		answers = n.parent.id
	}
	items := []any{}
	for _, b := range n.below {
		items = append(items, b.id)
	}
	o := changed(n.by.note(n.id, answers, n.text), object{"published": n.published.Format(time.RFC3339),
		"tag":     object{"type": "Mention", "href": actor}, // who answers an answer keeps the mentions that stand there
		"replies": object{"id": n.id + "/r", "type": "Collection", "first": object{"id": n.id + "/r?1", "type": "CollectionPage", "items": items}}})
	if n.private {
		o["to"] = []any{n.by.id + "/followers"}
	}
	if !n.edited.IsZero() {
		o["updated"] = n.edited.Format(time.RFC3339)
	}
	return o
}

// publish serves a reply as it is now.
func (n *said) publish(s *stage) {
	switch {
	case n.deleted:
		s.answer(n.id, answer{status: http.StatusGone})
	case n.private:
		s.answer(n.id, answer{status: http.StatusNotFound})
	default:
		s.serve(n.id, n.object(s))
	}
}

// public tells whether a reply and everything above it may be read by everybody.
func (n *said) public() bool { return !n.private && (n.parent == nil || n.parent.public()) }

// lines is what readers should see of these replies and what is below them.
func lines(of []*said, depth int) (out []string) {
	of = slices.Clone(of)
	slices.SortFunc(of, func(a, b *said) int { return cmp.Or(a.published.Compare(b.published), cmp.Compare(a.id, b.id)) })
	for _, n := range of {
		if n.private {
			continue
		}
		below := lines(n.below, depth+1)
		line := n.text
		if !n.edited.IsZero() {
			line += " (edited)"
		}
		if n.deleted {
			line = "(deleted)"
		}
		if !n.deleted || len(below) > 0 {
			out = append(append(out, strings.Repeat("  ", depth)+line), below...)
		}
	}
	return out
}

// grow makes a random tree on four servers.
func grow(s *stage, r *rand.Rand, size int) (top, all []*said) {
	for i := range size {
		host := string(rune('a' + r.IntN(4)))
		n := &said{text: fmt.Sprintf("Say %d.", i), published: s.clock.now().Add(time.Duration(i-size) * time.Minute), private: r.IntN(8) == 0}
		n.by = s.stranger(fmt.Sprintf("https://%s.test/p%d", host, r.IntN(2)))
		n.id = fmt.Sprintf("https://%s.test/n/%d", host, i)
		if i > 0 && r.IntN(4) > 0 {
			n.parent = all[r.IntN(len(all))]
			n.parent.below = append(n.parent.below, n)
		} else {
			top = append(top, n)
		}
		all = append(all, n)
	}
	return top, all
}

// heard chooses what is sent to the blog: much is lost, some comes twice, and nothing in its order. Of each branch of the
// post one public reply comes, or nobody could know of the branch.
func heard(r *rand.Rand, top, all []*said) (sent []*said) {
	for _, n := range all {
		for range r.IntN(3) {
			sent = append(sent, n)
		}
	}
	for _, n := range top {
		for !n.private && r.IntN(2) == 0 && slices.ContainsFunc(n.below, (*said).public) {
			n = n.below[slices.IndexFunc(n.below, (*said).public)]
		}
		sent = append(sent, n)
	}
	r.Shuffle(len(sent), func(i, j int) { sent[i], sent[j] = sent[j], sent[i] })
	return sent
}

// TestWholeThreads: whatever is lost, comes twice or comes in the wrong order, in the end readers see the tree as it is.
func TestWholeThreads(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			s, r := open(t), rand.New(rand.NewPCG(seed, 4))
			top, all := grow(s, r, 8+r.IntN(20))
			for _, n := range all {
				n.publish(s)
			}
			for _, n := range heard(r, top, all) {
				if status := n.by.send(n.by.create(n.object(s))); status != http.StatusAccepted {
					t.Fatal(status)
				}
				if r.IntN(3) == 0 {
					s.settle()
				}
			}
			s.settle()
			s.passes(4 * time.Hour)
			s.isWhole(top)

			for _, n := range all { // edits and deletions of which nobody tells us
				switch r.IntN(6) {
				case 0:
					n.deleted = true
				case 1:
					n.text, n.edited = n.text+" Really.", s.clock.now()
				}
				n.publish(s)
			}
			s.passes(26 * time.Hour)
			s.isWhole(top)
		})
	}
}

// isWhole fails the test unless readers see the whole public tree.
func (s *stage) isWhole(top []*said) {
	s.Helper()
	var got []string
	for _, line := range strings.Split(s.thread(), "\n") {
		indent, text, _ := strings.Cut(line, "@")
		if _, said, ok := strings.Cut(text, ": "); ok {
			line = indent + storagetest.Words(said)
		}
		got = append(got, line)
	}
	if want := strings.Join(lines(top, 0), "\n"); strings.Join(got, "\n") != want {
		s.Errorf("readers see\n%s\nwant\n%s\nledger:\n%s", strings.Join(got, "\n"), want, s.ledger())
	}
}
