package federation

import (
	"fmt"
	"testing"
	"time"

	"afterword/thread"
)

// TestFloodsLeaveRoom: however many accounts a flood invents, one that was never seen is heard, and what is remembered has
// its bound.
func TestFloodsLeaveRoom(t *testing.T) {
	l := newLimiter(Limits{ActorHour: 3, HostHour: 3, NewActorsHour: 3}, func() time.Time { return time.Unix(0, 0) })
	for i := range maxKeys {
		l.allow(thread.IRI(fmt.Sprintf("https://h%d.evil.test/a", i)), false, 1000)
	}
	if _, ok := l.allow("https://good.test/a", false, 1000); !ok {
		t.Error("there is no room for anybody else")
	}
	if len(l.seen) > maxKeys {
		t.Errorf("%d are remembered", len(l.seen))
	}
}
