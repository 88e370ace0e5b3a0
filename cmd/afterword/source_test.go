package main

import (
	"net/http"
	"net/netip"
	"testing"
)

func TestR14_SourceOfARequest(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8")}
	for _, x := range []struct {
		peer      string
		forwarded []string
		proxies   []netip.Prefix
		want      string
	}{
		{"192.0.2.7:1", nil, proxies, "192.0.2.7/32"},
		{"192.0.2.7:1", []string{"198.51.100.1"}, proxies, "192.0.2.7/32"}, // no proxy of ours says so
		{"127.0.0.1:1", []string{"198.51.100.1"}, proxies, "198.51.100.1/32"},
		{"127.0.0.1:1", []string{"198.51.100.1, 203.0.113.9"}, proxies, "203.0.113.9/32"}, // the first is the client's word
		{"127.0.0.1:1", []string{"198.51.100.1", "203.0.113.9, 10.1.2.3"}, proxies, "203.0.113.9/32"},
		{"[::ffff:127.0.0.1]:1", []string{"2001:db8:1:2ff::1"}, proxies, "2001:db8:1:200::/56"},
		{"127.0.0.1:1", []string{"198.51.100.1, unknown"}, proxies, "invalid Prefix"},
		{"127.0.0.1:1", nil, proxies, "invalid Prefix"},
		{"127.0.0.1:1", []string{"198.51.100.1"}, nil, "invalid Prefix"},
		{"@", nil, proxies, "invalid Prefix"},
	} {
		r := &http.Request{RemoteAddr: x.peer, Header: http.Header{"X-Forwarded-For": x.forwarded}}
		if got := sourceOf(r, x.proxies).String(); got != x.want {
			t.Errorf("%s %q: %s, want %s", x.peer, x.forwarded, got, x.want)
		}
	}
}
