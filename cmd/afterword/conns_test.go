package main

import (
	"net"
	"testing"
)

// TestA33_ConnectionsPerClient: the 33rd connection of one client is refused, another client and a proxy are not.
func TestA33_ConnectionsPerClient(t *testing.T) {
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := limitConns(raw, nil)
	defer l.Close()
	accepted := make(chan net.Conn, maxConns)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- c
		}
	}()
	dial := func(from string) net.Conn {
		t.Helper()
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		c, err := d.Dial("tcp", raw.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	var held []net.Conn
	for range maxConnsPerNet {
		dial("127.0.0.2")
		held = append(held, <-accepted)
	}
	if _, err := dial("127.0.0.2").Read(make([]byte, 1)); err == nil {
		t.Error("one connection too many was accepted")
	}
	dial("127.0.0.3")
	held = append(held, <-accepted)
	for range maxConnsPerNet + 5 { // a proxy on this machine
		dial("127.0.0.1")
		held = append(held, <-accepted)
	}
	held[0].Close()
	held[0].Close() // closing twice counts once
	dial("127.0.0.2")
	<-accepted
	if _, err := dial("127.0.0.2").Read(make([]byte, 1)); err == nil {
		t.Error("closing a connection twice made room for two")
	}
}
