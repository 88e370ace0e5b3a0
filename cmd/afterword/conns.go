package main

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
)

// How many connections may be open at once (SECURITY 1.3): a slow or hostile client must not take them all.
const (
	maxConns       = 1024
	maxConnsPerNet = 32
)

// limitedListener closes connections that are too many from one client's network. When there are too many in all, the
// oldest of the network that has the most makes room for the new one, so that who hoards shuts out nobody but himself.
//
// All clients come through a proxy, which is one of those that are configured or this machine itself. It brings a
// request with every connection: of a proxy's, only those count that have brought nothing yet.
type limitedListener struct {
	net.Listener
	proxies []netip.Prefix

	mu    sync.Mutex // guards what follows
	total int
	open  map[netip.Prefix][]*countedConn // the oldest first
}

func limitConns(l net.Listener, proxies []netip.Prefix) *limitedListener {
	return &limitedListener{Listener: l, proxies: append([]netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("::1/128")}, proxies...),
		open: map[netip.Prefix][]*countedConn{}}
}

// Accept implements net.Listener.
func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		raw, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &countedConn{Conn: raw, from: network(raw.RemoteAddr()), in: l}
		if excess, ok := l.enter(c); ok {
			if excess != nil {
				excess.Close()
			}
			return c, nil
		}
		raw.Close()
	}
}

// enter counts a connection, and names the one that has to make room for it.
func (l *limitedListener) enter(c *countedConn) (excess *countedConn, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.counted(c.from) >= maxConnsPerNet {
		return nil, false
	}
	if l.total >= maxConns {
		excess = l.oldest()
	}
	l.total++
	l.open[c.from] = append(l.open[c.from], c)
	return excess, true
}

// counted is how many connections of a network count against its limit.
func (l *limitedListener) counted(from netip.Prefix) (n int) {
	if !slices.ContainsFunc(l.proxies, func(p netip.Prefix) bool { return p.Contains(from.Addr()) }) {
		return len(l.open[from])
	}
	for _, c := range l.open[from] {
		if !c.spoke {
			n++
		}
	}
	return n
}

func (l *limitedListener) oldest() (c *countedConn) {
	most := 0
	for _, conns := range l.open {
		if len(conns) > most {
			c, most = conns[0], len(conns)
		}
	}
	return c
}

func (l *limitedListener) leave(c *countedConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	conns := l.open[c.from]
	i := slices.Index(conns, c)
	if i < 0 {
		return // closed before
	}
	l.total--
	if l.open[c.from] = slices.Delete(conns, i, i+1); len(conns) == 1 {
		delete(l.open, c.from)
	}
}

// watch is a http.Server's ConnState: it notes which connections have brought a request.
func (l *limitedListener) watch(c net.Conn, state http.ConnState) {
	if counted, ok := c.(*countedConn); ok && state == http.StateActive {
		l.mu.Lock()
		defer l.mu.Unlock()
		counted.spoke = true
	}
}

// network is what counts as one client: an IPv4 address, or the /56 that one IPv6 customer gets. This machine's own
// address stays whole.
func network(a net.Addr) netip.Prefix {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	return networkOf(tcp.AddrPort().Addr())
}

func networkOf(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
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

// countedConn is a connection that is counted until it is closed. Its heads are read along (heads.go).
type countedConn struct {
	net.Conn
	from  netip.Prefix
	in    *limitedListener
	spoke bool // guarded by in.mu
	heads heads
}

// Read implements net.Conn.
func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.heads.read(p[:n])
	return n, err
}

// Close implements net.Conn.
func (c *countedConn) Close() error {
	c.in.leave(c)
	return c.Conn.Close()
}
