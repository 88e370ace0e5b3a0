package main

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"afterword/config"
)

// The lines for web servers that hand requests over. The path must arrive as it was asked for, and with it Host,
// Signature, Digest and Date: other servers sign them.

// wellKnown are the paths at the root of a host that are ours.
const wellKnown = "/.well-known/webfinger /.well-known/nodeinfo /.well-known/host-meta"

// upstream is where the server listens, as a proxy on the same machine reaches it.
func upstream(cfg *config.Config) string {
	host, port, _ := net.SplitHostPort(cfg.Listen) // config checked it
	if host == "" || host == "0.0.0.0" || host == "::" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// hostOf is a host without its port.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Hostname()
}

func caddyLines(cfg *config.Config) string {
	site := strings.TrimPrefix(origin(cfg), "https://")
	if cfg.Prefix() == "" {
		return fmt.Sprintf("%s {\n    reverse_proxy %s\n}\n", site, upstream(cfg))
	}
	return fmt.Sprintf("%s {\n    @afterword path %s/* %s\n    reverse_proxy @afterword %s\n    # … your blog\n}\n",
		site, cfg.Prefix(), wellKnown, upstream(cfg))
}

func nginxLines(cfg *config.Config) string {
	lines := fmt.Sprintf("    proxy_pass http://%s;\n    proxy_set_header Host $http_host;\n    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n}\n", upstream(cfg))
	if cfg.Prefix() == "" {
		return "location / {\n" + lines
	}
	return fmt.Sprintf("location %s/ {\n%slocation ~ ^/\\.well-known/(webfinger|nodeinfo|host-meta)$ {\n%s", cfg.Prefix(), lines, lines)
}

func apacheLines(cfg *config.Config) string {
	lines := "ProxyPreserveHost On\nAllowEncodedSlashes NoDecode\n"
	paths := append([]string{cfg.Prefix() + "/"}, strings.Fields(wellKnown)...)
	if cfg.Prefix() == "" {
		paths = paths[:1]
	}
	for _, path := range paths {
		lines += fmt.Sprintf("ProxyPass %s http://%s%s nocanon\n", path, upstream(cfg), path)
	}
	return lines
}

// redirectLines are for the blog's own host where that is static hosting and the account lives on its domain: Netlify and
// Cloudflare Pages read them from a file "_redirects".
func redirectLines(cfg *config.Config) string {
	var out strings.Builder
	for _, path := range strings.Fields(wellKnown) {
		fmt.Fprintf(&out, "%s %s%s 302\n", path, origin(cfg), path)
	}
	return out.String()
}

// origin is where the paths at the root of our host are.
func origin(cfg *config.Config) string { return strings.TrimSuffix(cfg.BaseURL, cfg.Prefix()) }

// leadLines are for the blog's own host where the account lives on its domain, and the server elsewhere.
func leadLines(cfg *config.Config) string {
	return "Netlify or Cloudflare Pages, in the file _redirects:\n" + indent(redirectLines(cfg)) +
		"Caddy:\n" + indent(fmt.Sprintf("redir /.well-known/webfinger %s{uri} 302", origin(cfg))) +
		"nginx:\n" + indent(fmt.Sprintf("location = /.well-known/webfinger { return 302 %s$request_uri; }", origin(cfg))) +
		"Apache:\n" + indent(fmt.Sprintf("Redirect 302 /.well-known/webfinger %s/.well-known/webfinger", origin(cfg)))
}

func proxyLines(cfg *config.Config) string {
	return "Caddy:\n" + indent(caddyLines(cfg)) + "nginx:\n" + indent(nginxLines(cfg)) + "Apache:\n" + indent(apacheLines(cfg))
}

// The lines for the blog's own web server that send other servers from a page to its Note, where the pages' templates
// cannot name it. What they accept tells them from browsers.

func nginxSends(cfg *config.Config) string {
	return fmt.Sprintf(`location / {
    if ($http_accept ~* "application/(activity|ld)\+json") {
        return 302 %s/posts$request_uri;
    }
    # … your blog
}
`, cfg.BaseURL)
}

func caddySends(cfg *config.Config) string {
	ours := "/.well-known/*"
	if cfg.Prefix() != "" {
		ours += " " + cfg.Prefix() + "/*"
	}
	return fmt.Sprintf(`@servers {
    header_regexp Accept application/(activity|ld)\+json
    not path %s
}
redir @servers %s/posts{uri} 302
`, ours, cfg.BaseURL)
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n    ") + "\n"
}
