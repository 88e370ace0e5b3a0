package main

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"afterword/config"
)

// source is sourceOf for the configured proxies.
func source(cfg *config.Config) func(*http.Request) netip.Prefix {
	return func(r *http.Request) netip.Prefix { return sourceOf(r, cfg.TrustedProxies) }
}

// sourceOf tells from which network a request comes (SECURITY R14). Only a configured proxy is believed about others: of
// the addresses in X-Forwarded-For the last one counts that is none of these proxies. A request from this machine
// itself comes through a proxy that nobody configured: then nothing is known, and the zero value returned.
func sourceOf(r *http.Request, proxies []netip.Prefix) netip.Prefix {
	trusted := func(a netip.Addr) bool {
		return slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Prefix{}
	}
	from := peer.Addr().Unmap()
	if !trusted(from) {
		if from.IsLoopback() {
			return netip.Prefix{}
		}
		return networkOf(from)
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if from, err = netip.ParseAddr(strings.TrimSpace(hop)); err != nil {
			return netip.Prefix{}
		}
		if !trusted(from) {
			return networkOf(from)
		}
	}
	return netip.Prefix{}
}
