package main

import (
	"net"
	"net/netip"
	"sync"
)

// How many connections may be open at once (SECURITY 1.3): a slow or hostile client must not take them all.
const (
	maxConns       = 1024
	maxConnsPerNet = 32
)

// limitedListener closes connections that are too many in all, or from one client's network. Proxies are exempt from
// the second limit, for all clients come through them: those that are configured, and this machine itself.
type limitedListener struct {
	net.Listener
	proxies []netip.Prefix

	mu    sync.Mutex // guards what follows
	total int
	open  map[netip.Prefix]int
}

func limitConns(l net.Listener, proxies []netip.Prefix) net.Listener {
	return &limitedListener{Listener: l, proxies: append([]netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("::1/128")}, proxies...),
		open: map[netip.Prefix]int{}}
}

func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := network(c.RemoteAddr())
		if l.enter(from) {
			return &countedConn{Conn: c, leave: sync.OnceFunc(func() { l.leave(from) })}, nil
		}
		c.Close()
	}
}

func (l *limitedListener) enter(from netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.total >= maxConns || l.open[from] >= maxConnsPerNet && !l.isProxy(from) {
		return false
	}
	l.total++
	l.open[from]++
	return true
}

func (l *limitedListener) leave(from netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total--
	if l.open[from]--; l.open[from] == 0 {
		delete(l.open, from)
	}
}

func (l *limitedListener) isProxy(from netip.Prefix) bool {
	for _, p := range l.proxies {
		if p.Contains(from.Addr()) {
			return true
		}
	}
	return false
}

// network is what counts as one client: an IPv4 address, or the /56 that one IPv6 customer gets. This machine's own
// address stays whole.
func network(a net.Addr) netip.Prefix {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	addr := tcp.AddrPort().Addr().Unmap().WithZone("")
	bits := addr.BitLen()
	if addr.Is6() && !addr.IsLoopback() {
		bits = 56
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// countedConn tells once that it was closed.
type countedConn struct {
	net.Conn
	leave func()
}

func (c *countedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
