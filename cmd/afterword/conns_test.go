package main

import (
	"net"
	"net/http"
	"strings"
	"testing"
)

// clients dials a listener from addresses of this machine and accepts what it lets in.
type clients struct {
	*testing.T
	l        *limitedListener
	accepted chan net.Conn
}

func newClients(t *testing.T) *clients {
	t.Helper()
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &clients{t, limitConns(raw, nil), make(chan net.Conn, 2*maxConns)}
	t.Cleanup(func() { c.l.Close() })
	go func() {
		for {
			conn, err := c.l.Accept()
			if err != nil {
				close(c.accepted)
				return
			}
			c.accepted <- conn
		}
	}()
	return c
}

func (c *clients) dial(from string) net.Conn {
	c.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := d.Dial("tcp", c.l.Addr().String())
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() { conn.Close() })
	return conn
}

// open dials and returns the server's end.
func (c *clients) open(from string) net.Conn {
	c.Helper()
	c.dial(from)
	return <-c.accepted
}

func (c *clients) refused(from string) {
	c.Helper()
	if _, err := c.dial(from).Read(make([]byte, 1)); err == nil {
		c.Error("one connection too many was accepted from " + from)
	}
}

// TestA33_ConnectionsPerClient: the 33rd connection of one client is refused, another client is not.
func TestA33_ConnectionsPerClient(t *testing.T) {
	c := newClients(t)
	var held []net.Conn
	for range maxConnsPerNet {
		held = append(held, c.open("127.0.0.2"))
	}
	c.refused("127.0.0.2")
	c.open("127.0.0.3")
	held[0].Close()
	held[0].Close() // closing twice counts once
	c.open("127.0.0.2")
	c.refused("127.0.0.2")
}

// TestA33_ConnectionsOfProxies: a proxy has as many connections as it brings requests; silent ones count as anybody's.
func TestA33_ConnectionsOfProxies(t *testing.T) {
	c := newClients(t)
	for range 3 * maxConnsPerNet {
		c.l.watch(c.open("127.0.0.1"), http.StateActive)
	}
	for range maxConnsPerNet {
		c.open("127.0.0.1")
	}
	c.refused("127.0.0.1")
}

// TestP13_FullHouse: when all places are taken, the oldest connection of who has the most makes room.
func TestP13_FullHouse(t *testing.T) {
	c := newClients(t)
	first := c.open("127.0.0.1")
	c.l.watch(first, http.StateActive)
	for n := 1; n < maxConns; n++ {
		c.l.watch(c.open("127.0.0.1"), http.StateActive)
	}
	honest := c.open("127.0.0.9")
	if _, err := first.Write([]byte("x")); err == nil {
		t.Error("the oldest was not closed")
	}
	for range 10 {
		c.l.watch(c.open("127.0.0.1"), http.StateActive)
	}
	if _, err := honest.Write([]byte("x")); err != nil {
		t.Errorf("a flood closed another client's connection: %v", err)
	}
	if c.l.total != maxConns {
		t.Errorf("%d connections", c.l.total)
	}
}

// TestA12_Heads: the heads of requests are found wherever the wire cuts them, and the ambiguous ones among them.
func TestA12_Heads(t *testing.T) {
	const (
		fine   = "GET / HTTP/1.1\r\nHost: blog.test\r\n\r\n"
		posted = "POST /inbox HTTP/1.1\r\nHost: blog.test\r\nContent-Length: 42\r\n\r\nTransfer-Encoding: x\r\nContent-Length: 3\r\n\r"
		both   = "POST /inbox HTTP/1.1\nhost: blog.test\ncontent-length: 5\ntransfer-encoding: chunked\n\n0\r\n\r\n"
		folded = "POST /inbox HTTP/1.1\r\nHost: blog.test\r\nDate: now\r\n and then\r\n\r\n"
	)
	for _, x := range []struct {
		wire string
		bad  int
	}{
		{fine + posted + fine, 0}, {both, 1}, {fine + posted + both, 3}, {folded, 1}, {posted + folded + both, 2},
		{"GET / HTTP/1.1\r\nX: " + strings.Repeat("x", headerSize+4<<10) + "\r\n\r\n" + both, 0}, // net/http ends there
	} {
		for _, size := range []int{1, 7, len(x.wire)} {
			var h heads
			for rest := []byte(x.wire); len(rest) > 0; rest = rest[min(size, len(rest)):] {
				h.read(rest[:min(size, len(rest))])
			}
			bad := 0
			for n := 1; n <= 4 && bad == 0; n++ {
				if h.next() {
					bad = n
				}
			}
			if bad != x.bad {
				t.Errorf("in pieces of %d, request %d is ambiguous, want %d: %.300q", size, bad, x.bad, x.wire)
			}
		}
	}
}
