package fetch

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// TestR042_GuardAddresses asks the function that New hands to the dialer.
func TestR042_GuardAddresses(t *testing.T) {
	for name, addresses := range map[string][]string{
		"loopback":        {"127.0.0.1", "127.0.0.53", "127.255.255.254", "::1"},
		"unspecified":     {"0.0.0.0", "0.1.2.3", "::"},
		"private":         {"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"},
		"link local":      {"169.254.1.1", "fe80::1", "fe80::1%eth0", "febf::1"},
		"metadata":        {"169.254.169.254", "100.100.100.200", "192.0.0.192", "fd00:ec2::254"},
		"CGNAT":           {"100.64.0.1", "100.127.255.255"},
		"v4-mapped":       {"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8"},
		"v4-compatible":   {"::127.0.0.1", "::10.0.0.1", "::8.8.8.8"},
		"v4-translated":   {"::ffff:0:127.0.0.1"},
		"NAT64":           {"64:ff9b::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::10.0.0.1"},
		"6to4":            {"2002:7f00:1::", "2002:a00:1::1", "192.88.99.1"},
		"Teredo":          {"2001::1", "2001:0:7f00:1::"},
		"ORCHID":          {"2001:10::1", "2001:20::1"},
		"multicast":       {"224.0.0.1", "239.255.255.250", "ff02::1", "ff05::2"},
		"benchmark":       {"198.18.0.1", "198.19.255.255", "2001:2::1"},
		"documentation":   {"192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"},
		"reserved":        {"240.0.0.1", "254.1.1.1"},
		"broadcast":       {"255.255.255.255"},
		"site local":      {"fec0::1", "feff::1"},
		"unique local":    {"fc00::1", "fd12:3456::1"},
		"IETF, AS112":     {"192.0.0.1", "192.31.196.1", "192.175.48.1", "2620:4f:8000::1"},
		"discard-only":    {"100::1"},
		"SRv6, unrouted":  {"5f00::1", "4000::1", "e000::1"},
		"zone on public":  {"2606:4700::1111%eth0"},
		"edge of the net": {"1fff::1"},
	} {
		for _, address := range addresses {
			t.Run("P14 "+name+" "+address, func(t *testing.T) {
				if err := guardian.Safe("tcp4", net.JoinHostPort(address, "443"), nil); !prohibited(err) {
					t.Errorf("tcp4 allowed: %v", err)
				}
				if err := guardian.Safe("tcp6", net.JoinHostPort(address, "443"), nil); !prohibited(err) {
					t.Errorf("tcp6 allowed: %v", err)
				}
				ip := netip.MustParseAddr(address)
				if err := New(Options{}).Check("https://" + authority("https", ip.WithZone("").String(), "") + "/"); err == nil && ip.Zone() == "" {
					t.Error("allowed in a URL")
				}
			})
		}
	}
	for _, address := range []string{"8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "100.63.255.255", "172.32.0.1"} {
		if err := guardian.Safe("tcp", net.JoinHostPort(address, "443"), nil); err == nil {
			t.Errorf("network tcp without version: %v", err)
		}
		if err := guardian.Safe("tcp6", net.JoinHostPort(address, "443"), nil); err != nil {
			t.Error(err)
		}
		for _, port := range []string{"25", "80", "22", "8443", "0"} {
			if err := guardian.Safe("tcp4", net.JoinHostPort(address, port), nil); !prohibited(err) {
				t.Errorf("P14 port %s allowed", port)
			}
		}
	}
}

// canary listens on every address of this machine and counts who comes.
func canary(t *testing.T) (port string, visits *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	visits = new(atomic.Int64)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			visits.Add(1)
			conn.Close()
		}
	}()
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port, visits
}

// anyPort is the guard without its rule about ports, so that a canary on any port is in danger.
func anyPort(network, address string, conn syscall.RawConn) error {
	host, _, _ := net.SplitHostPort(address)
	return guardian.Safe(network, net.JoinHostPort(host, "443"), conn)
}

func TestGuardDials(t *testing.T) {
	port, visits := canary(t)
	for name, guard := range map[string]control{"New's": guardian.Safe, "any port": anyPort} {
		dial := newTransport(guard, defaultLimits).DialContext
		for _, host := range []string{"127.0.0.1", "127.3.2.1", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1", "localhost", ""} {
			if conn, err := dial(t.Context(), "tcp", net.JoinHostPort(host, port)); err == nil {
				conn.Close()
				t.Errorf("%s guard let us connect to %q", name, host)
			}
		}
	}
	if n := visits.Load(); n != 0 {
		t.Errorf("canary was visited %d times", n)
	}
}

func TestCheck(t *testing.T) {
	public := New(Options{})
	for name, url := range map[string]string{
		"empty": "", "relative": "/path", "no scheme": "good.test/x", "opaque": "https:good.test", "no host": "https:///x",
		"B39 http": "http://good.test/", "K1 file": "file:///etc/passwd", "ftp": "ftp://good.test/", "data": "data:text/html,x", "gopher": "gopher://good.test/",
		"javascript": "javascript:alert(1)", "N13 userinfo": "https://me:pw@good.test/", "empty userinfo": "https://@good.test/",
		"N13 fragment": "https://good.test/#x", "empty fragment": "https://good.test/#",
		"N13 port 25": "https://good.test:25/", "port 80": "https://good.test:80/", "port 0": "https://good.test:0/",
		"E35 CR LF": "https://good.test/\r\nX: y", "E35 escaped": "https://good.test/%0d%0aX:%20y", "upper case": "https://good.test/%0D%0A", "escaped NUL": "https://good.test/a%00b",
		"tab": "https://good.test/\t", "C1 control": "https://good.test/\u0085", "space": "https://good.test/a b", "space in query": "https://good.test/?a b", "DEL": "https://good.test/\x7f",
		"backslash": `https://good.test\@evil.test/`, "long": "https://good.test/" + strings.Repeat("x", 2048),
		"B37 IP": "https://127.0.0.1/", "private": "https://192.168.0.1/", "B37 mapped": "https://[::ffff:10.0.0.1]/", "v6 loopback": "https://[::1]/", "zone": "https://[fe80::1%25eth0]/",
		"B37 localhost": "https://localhost/", "dot": "https://localhost./", "upper localhost": "https://LOCALHOST/", "sub localhost": "https://a.localhost/", "one label": "https://intranet/",
		"decimal IP": "https://2130706433/", "hex IP": "https://0x7f000001/", "octal IP": "https://0177.0.0.1/", "short IP": "https://127.1/", "hex part": "https://127.0.0.0x1/",
		"full-width IP": "https://１２７.0.0.1/", "circled": "https://①②⑦.⓪.⓪.①/", "ideographic dots": "https://127。0。0。1/", "dotted IP": "https://127.0.0.1./",
		"escaped host": "https://%31%32%37.0.0.1/", "empty label": "https://a..test/", "leading dot": "https://.test/", "two dots": "https://good.test../", "host chars": "https://go<od.test/", "long host": "https://" + strings.Repeat("a.", 130) + "test/",
	} {
		t.Run(name, func(t *testing.T) {
			var e *Error
			if err := public.Check(url); !errors.As(err, &e) || e.Kind != Forbidden || e.Temporary() || e.URL != url {
				t.Errorf("%q: %v", url, err)
			}
		})
	}
	private := New(Options{AllowPrivate: true})
	for _, url := range []string{"https://good.test", "https://good.test:443/", "https://GOOD.test./", "https://8.8.8.8/", "https://[2606:4700:4700::1111]/x?y=%20",
		"https://bücher.example/", "https://xn--bcher-kva.example/", "https://my_blog.example/", "HTTPS://good.test/?", "https://good.test/ünïcode"} {
		for name, c := range map[string]*Client{"public": public, "private": private} {
			if err := c.Check(url); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for _, url := range []string{"http://localhost:8080/", "http://127.0.0.1/", "http://[::1]:99/", "https://intranet/"} {
		if err := private.Check(url); err != nil {
			t.Error(err)
		}
	}
}

func TestCanonicalAuthority(t *testing.T) {
	c := New(Options{AllowPrivate: true})
	for url, want := range map[string]string{
		"https://Good.Test.:443/x": "good.test", "http://good.test:80": "good.test", "http://good.test:443": "good.test:443",
		"https://BÜCHER.example/": "xn--bcher-kva.example", "http://[::1]:80/": "[::1]", "http://[0:0::1]:8080/": "[::1]:8080",
	} {
		if u, err := c.target(url); err != nil || u.Host != want {
			t.Errorf("%s: %v %v", url, u, err)
		}
	}
}

// dns answers the resolver from answers: per question name (without final dot) one function.
type dns map[string]func(dnsmessage.Question) []dnsmessage.Resource

// install makes this process resolve through d until the test ends.
func (d dns) install(t *testing.T) {
	was := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = was })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go d.serve(theirs)
		return ours, nil
	}}
}

// serve speaks DNS over a stream: each message follows its length.
func (d dns) serve(conn net.Conn) {
	defer conn.Close()
	for {
		var length uint16
		if binary.Read(conn, binary.BigEndian, &length) != nil {
			return
		}
		query := make([]byte, length)
		var m dnsmessage.Message
		if _, err := io.ReadFull(conn, query); err != nil || m.Unpack(query) != nil {
			return
		}
		reply := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true}, Questions: m.Questions}
		answer, known := d[strings.TrimSuffix(m.Questions[0].Name.String(), ".")]
		if !known {
			reply.RCode = dnsmessage.RCodeNameError
		} else if reply.Answers = answer(m.Questions[0]); reply.Answers == nil {
			io.Copy(io.Discard, conn) // silent until the client gives up
			return
		}
		packed, err := reply.Pack()
		if err != nil {
			panic(err)
		}
		conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(packed))), packed...))
	}
}

// records makes A and AAAA records of addresses, of the kind that is asked for.
func records(q dnsmessage.Question, addresses ...string) []dnsmessage.Resource {
	out := []dnsmessage.Resource{}
	for _, a := range addresses {
		ip := netip.MustParseAddr(a)
		header := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: dnsmessage.ClassINET, TTL: 0}
		switch {
		case ip.Is4() && q.Type == dnsmessage.TypeA:
			out = append(out, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: ip.As4()}})
		case ip.Is6() && q.Type == dnsmessage.TypeAAAA:
			out = append(out, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: ip.As16()}})
		}
	}
	return out
}

func always(addresses ...string) func(dnsmessage.Question) []dnsmessage.Resource {
	return func(q dnsmessage.Question) []dnsmessage.Resource { return records(q, addresses...) }
}

// dialled records what the guard saw and lets nothing out of this machine.
type dialled struct {
	mu      sync.Mutex
	allowed []string
	refused []string
}

func (d *dialled) guard(network, address string, conn syscall.RawConn) error {
	err := guardian.Safe(network, address, conn)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		d.refused = append(d.refused, address)
		return err
	}
	d.allowed = append(d.allowed, address)
	return errors.New("the test ends here")
}

func TestR042_GuardAfterDNS(t *testing.T) {
	var asked atomic.Int64
	dns{
		"private.test": always("10.0.0.1"),
		"loop.test":    always("127.0.0.1", "::1"),
		"mixed.test":   always("93.184.216.34", "::1"),
		"public.test":  always("93.184.216.34"),
		"rebind.test": func(q dnsmessage.Question) []dnsmessage.Resource {
			if q.Type == dnsmessage.TypeAAAA {
				return records(q)
			}
			if asked.Add(1) == 1 {
				return records(q, "93.184.216.34")
			}
			return records(q, "127.0.0.1")
		},
		"chain.test": func(q dnsmessage.Question) []dnsmessage.Resource {
			out, name := []dnsmessage.Resource{}, q.Name
			for range 50 {
				next := dnsmessage.MustNewName("x" + name.String())
				out = append(out, dnsmessage.Resource{
					Header: dnsmessage.ResourceHeader{Name: name, Type: dnsmessage.TypeCNAME, Class: dnsmessage.ClassINET},
					Body:   &dnsmessage.CNAMEResource{CNAME: next}})
				name = next
			}
			q.Name = name
			return append(out, records(q, "127.0.0.1")...)
		},
		"slow.test": func(dnsmessage.Question) []dnsmessage.Resource { return nil },
	}.install(t)
	impatient := defaultLimits
	impatient.dial = 100 * time.Millisecond

	for _, x := range []struct {
		name, host string
		kind       Kind
		allowed    string // the only address that may be dialled
	}{
		{"E9 private DNS", "private.test", Forbidden, ""},
		{"B37 loopback by name", "loop.test", Forbidden, ""},
		{"E13 mixed A and AAAA", "mixed.test", "", "93.184.216.34:443"},
		{"public", "public.test", Unreachable, "93.184.216.34:443"},
		{"P14 rebinding, first look-up", "rebind.test", Unreachable, "93.184.216.34:443"},
		{"P14 rebinding, second look-up", "rebind.test", Forbidden, ""},
		{"E15 CNAME chain", "chain.test", "", ""},
		{"E15 NXDOMAIN", "nowhere.test", Unreachable, ""},
		{"E15 slow DNS", "slow.test", Unreachable, ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			var seen dialled
			l := defaultLimits
			if x.host == "slow.test" {
				l = impatient
			}
			_, err := newClient(Options{}, l, seen.guard).Get(t.Context(), Get{URL: "https://" + x.host + "/"})
			var e *Error
			if !errors.As(err, &e) || x.kind != "" && e.Kind != x.kind {
				t.Errorf("%v", err)
			}
			for _, address := range seen.allowed {
				if address != x.allowed {
					t.Errorf("dialled %s", address)
				}
			}
			if x.allowed != "" && len(seen.allowed) == 0 {
				t.Errorf("did not dial %s: %v", x.allowed, err)
			}
		})
	}
}

func TestNewUsesTheGuard(t *testing.T) {
	dns{"private.test": always("127.0.0.1")}.install(t)
	port, visits := canary(t)
	c := New(Options{})
	for _, ask := range []func(string) error{
		func(url string) error { _, err := c.Get(t.Context(), Get{URL: url}); return err },
		func(url string) error { return c.Post(t.Context(), Post{URL: url, MediaType: "text/plain"}) },
	} {
		for _, url := range []string{"https://private.test/", "https://private.test:" + port + "/", "https://127.0.0.1:" + port + "/"} {
			var e *Error
			if err := ask(url); !errors.As(err, &e) || e.Kind != Forbidden || e.URL != url {
				t.Errorf("%s: %v", url, err)
			}
		}
	}
	if visits.Load() != 0 {
		t.Error("canary was visited")
	}
}

func TestProxyIsIgnored(t *testing.T) { // E17
	port, visits := canary(t)
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"} {
		t.Setenv(name, "http://127.0.0.1:"+port)
	}
	peer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	defer peer.Close()
	c := New(Options{AllowPrivate: true})
	if _, err := c.Get(t.Context(), Get{URL: peer.URL}); err != nil || c.transport.(*http.Transport).Proxy != nil || visits.Load() != 0 {
		t.Errorf("%v, %d visits of the proxy", err, visits.Load())
	}
}

func FuzzTarget(f *testing.F) {
	for _, seed := range []string{"https://good.test/a?b", "https://BÜCHER.example./", "http://[::1]:8080/%0d", "https://127.1/", "//x", "https://a@b/#c", "https://good.test/" + strings.Repeat("é", maxURL/3)} {
		f.Add(seed)
	}
	c := New(Options{})
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := c.target(raw)
		if err != nil {
			return
		}
		again, err := c.target(u.String())
		if err != nil || again.Host != u.Host || u.Scheme != "https" || u.Port() != "" || u.User != nil {
			t.Errorf("%q -> %v -> %v, %v", raw, u, again, err)
		}
	})
}
