package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"afterword/config"
	"afterword/federation/fedtest"
)

// website is the blog of a test: its pages by path. What it has not is 404.
type website map[string]string

func (w website) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	body, known := w[r.URL.Path]
	if !known {
		http.NotFound(out, r)
		return
	}
	if strings.HasSuffix(r.URL.Path, ".xml") {
		out.Header().Set("Content-Type", "application/rss+xml")
	} else {
		out.Header().Set("Content-Type", "text/html; charset=utf-8")
	}
	fmt.Fprint(out, body)
}

// attempt runs a command and returns its exit status and everything that it printed.
func attempt(t *testing.T, network http.RoundTripper, args ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	code := run(&call{ctx: t.Context(), stdout: &out, stderr: &out, now: time.Now, transport: network}, args)
	return code, out.String()
}

func TestInit(t *testing.T) {
	network := fedtest.NewNetwork()
	network.Serve("blog.test", website{"/": `<!DOCTYPE html><html lang="de-CH"><head><title>Wörter &amp; mehr</title><meta name="description" content="Ein Blog.">
		<link rel="icon" href="/icon.png"><link rel="alternate" type="application/atom+xml" href="/atom.xml"></head></html>`})
	network.Serve("bare.test", website{"/": "<p>Hello"})
	file := filepath.Join(t.TempDir(), "afterword.toml")
	code, said := attempt(t, network, "init", "-blog", "https://blog.test", "-base-url", "https://blog.test/.ap/", "-handle", "words", "-o", file)
	if code != 0 || !strings.Contains(said, "@words@blog.test (Wörter & mehr)") || !strings.Contains(said, "@afterword path /.ap/* /.well-known/webfinger") {
		t.Fatal(code, said)
	}
	cfg, err := config.Load(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := cfg.Blog
	if b.Name != "Wörter & mehr" || b.Summary != "Ein Blog." || b.Icon != "https://blog.test/icon.png" || b.Feed != "https://blog.test/atom.xml" || b.Language != "de-CH" ||
		cfg.BaseURL != "https://blog.test/.ap" || len(cfg.TrustedProxies) != 2 {
		t.Errorf("%+v", cfg)
	}
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{1, "is there already", []string{"-blog", "https://blog.test/", "-base-url", "https://c.test", "-o", file}},
		{2, "needs -blog and -base-url", []string{"-blog", "https://blog.test/"}},
		{1, "cannot be read", []string{"-blog", "https://nowhere.test/", "-base-url", "https://c.test", "-o", file + "2"}},
		{1, "cannot be read", []string{"-blog", "https://blog.test/missing", "-base-url", "https://c.test", "-o", file + "2"}},
		{1, "base_url", []string{"-blog", "https://blog.test/", "-base-url", "c.test", "-o", file + "2"}},
		{1, "blog.handle", []string{"-blog", "https://blog.test/", "-base-url", "https://c.test", "-handle", "No!", "-o", file + "2"}},
		{0, "names no feed", []string{"-blog", "https://bare.test/", "-base-url", "https://c.test", "-o", file + "3"}},
	} {
		if code, said := attempt(t, network, append([]string{"init"}, c.args...)...); code != c.code || !strings.Contains(said, c.want) || code != 0 && strings.Count(said, "\n") != 1 {
			t.Errorf("%q: %d %s", c.args, code, said)
		}
	}
	if _, err := os.Stat(file + "2"); err == nil {
		t.Error("a configuration was written although something was wrong")
	}
}

// TestInitOnThisMachine: whoever tries things out on a machine that nobody reaches needs no web server and no second thought.
func TestInitOnThisMachine(t *testing.T) {
	site := httptest.NewServer(website{"/": "<title>B</title>"})
	defer site.Close()
	file, listen := filepath.Join(t.TempDir(), "afterword.toml"), reserve(t)
	code, said := attempt(t, nil, "init", "-blog", site.URL, "-base-url", "http://"+listen, "-o", file)
	if code != 0 || !strings.Contains(said, "this machine alone") || strings.Contains(said, "proxy_pass") {
		t.Fatal(code, said)
	}
	cfg, err := config.Load(file, nil)
	if err != nil || cfg.Listen != listen || !cfg.Federation.AllowPrivate || cfg.Blog.Name != "B" {
		t.Errorf("%+v, %v", cfg, err)
	}
}

// TestInitHeedsTheEnvironment: what variables set is written, too; flags win.
func TestInitHeedsTheEnvironment(t *testing.T) {
	network := fedtest.NewNetwork()
	network.Serve("blog.test", website{"/": "<title>B</title>"})
	var out bytes.Buffer
	env := []string{"AFTERWORD_BLOG_URL=https://blog.test/", "AFTERWORD_BLOG_HANDLE=words", "AFTERWORD_COMMENTS_CLOSE_AFTER=90d", "AFTERWORD_BASE_URL=https://x.test"}
	code := run(&call{ctx: t.Context(), env: env, stdout: &out, stderr: &out, now: time.Now, transport: network}, []string{"init", "-base-url", "https://c.test", "-o", "-"})
	for _, line := range []string{`base_url = "https://c.test"`, `url = "https://blog.test/"`, `handle = "words"`, `close_after = "90d"`} {
		if code != 0 || !strings.Contains(out.String(), line) {
			t.Fatalf("%d, no %s in\n%s", code, line, out.String())
		}
	}
}

const (
	frontPage = `<html><head><title>B</title><link rel="alternate" type="application/activity+json" href="%[1]s/actor"><link rel="alternate" type="application/rss+xml" href="/feed.xml"></head><body><a rel="me" href="%[1]s/actor">x</a></body></html>`
	rss       = `<rss version="2.0"><channel><title>B</title><item><title>A</title><link>%sa/</link><guid>1</guid></item></channel></rss>`
	postPage  = `<html><head><title>A</title><link rel="alternate" type="application/activity+json" href="%s/posts/a/"></head></html>`
)

// findings are the states by check.
func findings(said string) map[string]string {
	found := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^(ok|advice|failed) +(\S+)`).FindAllStringSubmatch(said, -1) {
		found[m[2]] = m[1]
	}
	return found
}

func TestDoctor(t *testing.T) {
	network := fedtest.NewNetwork()
	s, _ := inMemoryOn(t, network, "")
	blog := website{"/": fmt.Sprintf(frontPage, s.base), "/feed.xml": fmt.Sprintf(rss, s.blog), "/a/": fmt.Sprintf(postPage, s.base)}
	network.Serve("blog.test", blog)
	s.settle()
	examine := func(wantCode int, want map[string]string, words ...string) {
		t.Helper()
		code, said := attempt(t, network, "-config", s.config, "doctor")
		for check, state := range want {
			if findings(said)[check] != state {
				t.Errorf("%s is %q, want %q", check, findings(said)[check], state)
			}
		}
		for _, w := range words {
			if !strings.Contains(said, w) {
				t.Errorf("it does not say %q", w)
			}
		}
		if code != wantCode || t.Failed() {
			t.Fatalf("exit %d\n%s", code, said)
		}
	}
	examine(0, map[string]string{"database": "ok", "server": "ok", "clock": "", "proxy": "ok", "inbox": "ok", "account": "ok", "actor": "ok", "feed": "ok", "link": "ok", "moved": "", "home": "ok", "rel=me": "ok", "queue": "ok"})
	blog["/a/"], blog["/feed.xml"] = "<title>A</title>", "no feed"
	blog["/"] = strings.ReplaceAll(blog["/"], `rel="me"`, "")
	examine(1, map[string]string{"feed": "failed", "link": "failed", "rel=me": "advice"}, `href="`+s.base+`/posts/a/"`, "2 of 11 checks failed")
	delete(blog, "/feed.xml")
	examine(1, map[string]string{"feed": "failed"}, "404")
	network.Serve("comments.test", http.NotFoundHandler())
	examine(1, map[string]string{"server": "failed", "proxy": "", "actor": ""}, "reverse_proxy 127.0.0.1:0", "proxy_pass")
	if _, said := attempt(t, network, "-config", s.config, "doctor", "-json"); !strings.HasPrefix(said, "[\n") {
		t.Error(said)
	}
}

// TestDoctorNamesTheFix: odd deployments, each with what it says to do.
func TestDoctorNamesTheFix(t *testing.T) {
	page := func(status int, text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(status)
			fmt.Fprint(w, text)
		})
	}
	for name, c := range map[string]struct {
		config string // more of it
		spoil  func(network *fedtest.Network, server, blog http.Handler)
		check  string
		state  string
		words  string
	}{
		"a challenge": {spoil: func(n *fedtest.Network, _, _ http.Handler) {
			n.Serve("comments.test", page(http.StatusForbidden, "<!DOCTYPE html><title>Just a moment...</title>"))
		}, check: "server", state: "failed", words: "Other servers are no browsers"},
		"a challenge for messages": {spoil: func(n *fedtest.Network, server, _ http.Handler) {
			n.Serve("comments.test", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					server = page(http.StatusServiceUnavailable, "<!DOCTYPE html>Checking your browser")
				}
				server.ServeHTTP(w, r)
			}))
		}, check: "inbox", state: "failed", words: "Other servers are no browsers"},
		"nobody behind the proxy": {spoil: func(n *fedtest.Network, _, _ http.Handler) {
			n.Serve("comments.test", page(http.StatusBadGateway, "<html>502 Bad Gateway"))
		}, check: "server", state: "failed", words: "afterword serve"},
		"a redirect": {spoil: func(n *fedtest.Network, server, _ http.Handler) {
			n.Serve("www.comments.test", server)
			n.Serve("comments.test", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "https://www.comments.test"+r.RequestURI, http.StatusMovedPermanently)
			}))
		}, check: "server", state: "failed", words: "https://comments.test/healthz redirects to https://www.comments.test/healthz"},
		"nobody at all": {spoil: func(n *fedtest.Network, _, _ http.Handler) { n.Serve("comments.test", nil) }, check: "server", state: "failed", words: "reverse_proxy 127.0.0.1:0"},
		"the blog is down": {spoil: func(n *fedtest.Network, _, _ http.Handler) {
			n.Serve("blog.test", page(http.StatusServiceUnavailable, "<html>"))
		},
			check: "home", state: "failed", words: "the front page cannot be read"},
		"an old page from a cache": {spoil: func(n *fedtest.Network, _, blog http.Handler) {
			n.Serve("blog.test", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Date", time.Now().Add(-3*time.Hour).UTC().Format(http.TimeFormat))
				w.Header().Set("Age", "10800")
				blog.ServeHTTP(w, r)
			}))
		}, check: "clock", state: "ok", words: "agrees with blog.test"},
		"another time": {spoil: func(n *fedtest.Network, _, blog http.Handler) {
			n.Serve("blog.test", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Date", time.Now().Add(-3*time.Hour).UTC().Format(http.TimeFormat))
				blog.ServeHTTP(w, r)
			}))
		}, check: "clock", state: "failed", words: "timedatectl"},
		"the blog's domain leads nowhere": {config: "account_domain = \"blog.test\"\n", check: "account", state: "failed",
			words: "/.well-known/webfinger https://comments.test/.well-known/webfinger 302"},
		"the blog's domain leads on": {config: "account_domain = \"blog.test\"\n", spoil: func(n *fedtest.Network, _, blog http.Handler) {
			n.Serve("blog.test", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/.well-known/") {
					http.Redirect(w, r, "https://comments.test"+r.RequestURI, http.StatusFound)
					return
				}
				blog.ServeHTTP(w, r)
			}))
		}, check: "account", state: "ok", words: "@blog@blog.test is found at comments.test"},
	} {
		t.Run(name, func(t *testing.T) {
			network := fedtest.NewNetwork()
			s, _ := inMemoryOn(t, network, c.config)
			blog := website{"/": fmt.Sprintf(frontPage, s.base), "/feed.xml": fmt.Sprintf(rss, s.blog), "/a/": fmt.Sprintf(postPage, s.base)}
			network.Serve("blog.test", blog)
			s.settle()
			if c.spoil != nil {
				c.spoil(network, network.Handler("comments.test"), blog)
			}
			code, said := attempt(t, network, "-config", s.config, "doctor")
			if findings(said)[c.check] != c.state || !strings.Contains(said, c.words) || (code == 0) != (c.state == "ok") {
				t.Errorf("exit %d, %s is %q\n%s", code, c.check, findings(said)[c.check], said)
			}
		})
	}
}

// TestDoctorRemembersTheFeed: what the server saw of the feed, not only what is there now.
func TestDoctorRemembersTheFeed(t *testing.T) {
	network := fedtest.NewNetwork()
	s, c := inMemoryOn(t, network, "")
	blog := website{"/": fmt.Sprintf(frontPage, s.base)}
	network.Serve("blog.test", blog)
	s.settle()
	c.advance(time.Minute)
	blog["/feed.xml"] = fmt.Sprintf(rss, s.blog)
	if _, said := attempt(t, network, "-config", s.config, "doctor"); findings(said)["feed"] != "advice" || !strings.Contains(said, "404") || !strings.Contains(said, "afterword post sync") {
		t.Error(said)
	}
}

// TestDocumentedProxies: the documentation shows the lines that we print.
func TestDocumentedProxies(t *testing.T) {
	docs, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	cfg.Blog.URL, cfg.BaseURL = "https://example.com/", "https://example.com/.ap"
	own := *cfg
	own.BaseURL, own.Blog.AccountDomain = "https://comments.example.com", "example.com"
	if err := errors.Join(cfg.Check(), own.Check()); err != nil {
		t.Fatal(err)
	}
	for _, lines := range []string{nginxLines(cfg), caddyLines(cfg), apacheLines(cfg), redirectLines(&own), nginxSends(&own), caddySends(&own)} {
		if !strings.Contains(string(docs), "```\n"+lines+"```\n") {
			t.Errorf("docs/operating.md has not\n%s", lines)
		}
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(strings.ReplaceAll(string(readme), "\n   ", "\n"), caddyLines(&own)) {
		t.Errorf("README.md has not\n%s", caddyLines(&own))
	}
}

// TestEchoIsForTheDoctor: nobody else learns how requests arrive.
func TestEchoIsForTheDoctor(t *testing.T) {
	s, _ := inMemory(t, "")
	for _, secret := range []string{"", "x"} {
		r, _ := http.NewRequestWithContext(s.ctx, http.MethodGet, s.base+echoPath, nil)
		r.Header.Set(echoHeader, secret)
		resp, err := s.http.Do(r)
		if err != nil || resp.StatusCode != http.StatusNotFound {
			t.Error(resp, err)
		}
	}
}

// TestBehindRealProxies: the lines that we print work behind a real nginx and a real Caddy, in both deployments, and the
// doctor finds proxies that change what other servers sign.
func TestBehindRealProxies(t *testing.T) {
	for _, c := range []struct {
		proxy, prefix string
		spoil         [2]string // a change of the proxy's configuration
		found         string    // what the doctor then says
	}{
		{proxy: "nginx", prefix: "/.ap"},
		{proxy: "nginx"},
		{proxy: "caddy", prefix: "/.ap"},
		{proxy: "caddy"},
		{"nginx", "/.ap", [2]string{"proxy_set_header Host $http_host;", ""}, `Host is "127.0.0.1`},
		{"nginx", "/.ap", [2]string{"proxy_set_header Host $http_host;", "proxy_set_header Host $http_host; proxy_set_header Signature '';"}, `Signature is ""`},
		{"nginx", "/.ap", [2]string{"location /.ap/ {\n    proxy_pass http://", "location /.ap/ {\n    rewrite ^/.ap/(.*)$ /.ap/$1?y=changed? break; proxy_pass http://"}, `the path is "/.ap/doctor?y=changed"`},
		{"caddy", "", [2]string{"reverse_proxy 127", "request_header -Digest\n    reverse_proxy 127"}, `Digest is ""`},
	} {
		t.Run(fmt.Sprint(c.proxy, c.prefix, c.found), func(t *testing.T) {
			t.Parallel()
			code, said := throughProxy(t, c.proxy, c.prefix, c.spoil)
			if c.found == "" && (code != 0 || findings(said)["proxy"] != "ok" || findings(said)["actor"] != "ok") {
				t.Errorf("exit %d\n%s", code, said)
			}
			if c.found != "" && (code != 1 || !strings.Contains(said, c.found)) {
				t.Errorf("exit %d, want %s\n%s", code, c.found, said)
			}
		})
	}
}

// throughProxy runs the doctor against a server behind a proxy.
func throughProxy(t *testing.T, proxy, prefix string, spoil [2]string) (int, string) {
	t.Helper()
	needs(t, proxy)
	blog := website{}
	site := httptest.NewServer(blog)
	t.Cleanup(site.Close)
	front := reserve(t)
	base := "http://" + front + prefix
	blog["/"], blog["/feed.xml"] = fmt.Sprintf(frontPage, base), fmt.Sprintf(rss, site.URL+"/")
	cfg, file := serving(t, base, reserve(t), site.URL+"/")
	for _, path := range []string{"", "/"} { // base_url itself leads on
		if !eventually(func() bool { return leads("http://"+cfg.Listen+prefix+path, site.URL+"/") }) {
			t.Errorf("%s leads not to the blog", prefix+path)
		}
	}
	lines := nginxLines(cfg)
	if proxy == "caddy" {
		lines = caddyLines(cfg)
	}
	startProxy(t, proxy, front, strings.Replace(lines, spoil[0], spoil[1], 1))
	if !eventually(func() bool { return answers(base + "/healthz") }) {
		t.Fatal("nothing answers behind the proxy")
	}
	return attempt(t, nil, "-config", file, "doctor")
}

// TestPagesSendServersOn: where templates cannot be changed, the lines that we print make the blog's own nginx or Caddy send
// other servers from a page to its Note, from the front page to the account, and nobody else anywhere.
func TestPagesSendServersOn(t *testing.T) {
	for _, proxy := range []string{"nginx", "caddy"} {
		for _, prefix := range []string{"", "/.ap"} {
			t.Run(proxy+prefix, func(t *testing.T) {
				t.Parallel()
				needs(t, proxy)
				blog := website{}
				site := httptest.NewServer(blog)
				t.Cleanup(site.Close)
				front, server := reserve(t), reserve(t)
				blogURL, base := "http://"+front+"/", "http://"+server
				if prefix != "" {
					base = "http://" + front + prefix
				}
				blog["/"] = `<title>B</title><link rel="alternate" type="application/rss+xml" href="/feed.xml">`
				blog["/a/"], blog["/feed.xml"] = "<title>A</title>", fmt.Sprintf(rss, blogURL)
				cfg, file := serving(t, base, server, blogURL)
				startProxy(t, proxy, front, blogsServer(proxy, cfg, site.Listener.Addr().String()))
				if !eventually(func() bool { return answers(base+"/healthz") && answers(blogURL+"a/") }) {
					t.Fatal("nothing answers behind the proxy")
				}
				if code, said := attempt(t, nil, "-config", file, "post", "sync"); code != 0 {
					t.Fatal(said)
				}
				_, said := attempt(t, nil, "-config", file, "doctor")
				for _, sent := range []string{blogURL + "a/ sends other servers to its Note", "the blog's address sends other servers to its account"} {
					if !strings.Contains(said, sent) {
						t.Errorf("the doctor does not say %q\n%s", sent, said)
					}
				}
			})
		}
	}
}

// blogsServer is the blog's own web server, which has its pages from elsewhere, with the lines that we print.
func blogsServer(proxy string, cfg *config.Config, pages string) string {
	if proxy == "caddy" {
		site := "http://" + hostPort(cfg.Blog.URL) + " {\n" + caddySends(cfg) + "reverse_proxy " + pages + "\n}\n"
		if cfg.Prefix() == "" {
			return site
		}
		return strings.Replace(caddyLines(cfg), "    # … your blog", caddySends(cfg)+"reverse_proxy "+pages, 1)
	}
	sends := strings.Replace(nginxSends(cfg), "# … your blog", "proxy_pass http://"+pages+";", 1)
	if cfg.Prefix() == "" {
		return sends
	}
	return nginxLines(cfg) + sends
}

func hostPort(address string) string {
	u, _ := url.Parse(address)
	return u.Host
}

// needs skips the test where a program is missing.
func needs(t *testing.T, proxy string) {
	t.Helper()
	if _, err := exec.LookPath(proxy); err == nil {
		return
	}
	if os.Getenv("AFTERWORD_TEST_ALL") == "1" {
		t.Fatalf("%s is missing: apt-get install nginx-light caddy", proxy)
	}
	t.Skipf("needs %s: apt-get install nginx-light caddy", proxy)
}

// serving runs the built server for a blog, and returns its configuration and the file that has it.
func serving(t *testing.T, base, listen, blog string) (*config.Config, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "afterword.toml")
	text := fmt.Sprintf("base_url = %q\nlisten = %q\ndatabase = %q\ntrusted_proxies = [\"127.0.0.1\"]\n[blog]\nurl = %q\nhandle = \"blog\"\n[federation]\nallow_private = true\n",
		base, listen, file+".db", blog)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	begin(t, exec.Command(path, "-config", file, "serve"))
	return cfg, file
}

// lastPort is the last port that reserve gave. They lie below those that systems give by themselves, so that nobody takes
// one between its choice and its use.
var lastPort atomic.Int64

// reserve is a loopback address that nobody listens at, and that is given once.
func reserve(t *testing.T) string {
	t.Helper()
	for range 1000 {
		address := fmt.Sprint("127.0.0.1:", 20_000+os.Getpid()%9_000+int(lastPort.Add(1)))
		if l, err := net.Listen("tcp", address); err == nil {
			l.Close()
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

// leads tells whether an address redirects to another.
func leads(from, to string) bool {
	req, err := http.NewRequest(http.MethodGet, from, nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.Header.Get("Location") == to
}

func answers(url string) bool {
	resp, err := http.Get(url)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// begin starts a program that ends with the test.
func begin(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = patience // what it started itself must not hold us
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM) //nolint:errcheck // it may have ended
		cmd.Wait()                          //nolint:errcheck // it was told to end
		if t.Failed() {
			t.Logf("%s: %s", cmd.Path, out.String())
		}
	})
}

// startProxy runs a proxy: for nginx with these lines of a server that listens at front, for Caddy with these sites.
func startProxy(t *testing.T, proxy, front, lines string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "proxy.conf")
	var text string
	var cmd *exec.Cmd
	if proxy == "nginx" {
		text = fmt.Sprintf("daemon off; pid %[1]s/pid; error_log stderr; worker_processes 1;\nevents {}\nhttp { access_log off; client_body_temp_path %[1]s/a; proxy_temp_path %[1]s/b;"+
			" fastcgi_temp_path %[1]s/c; uwsgi_temp_path %[1]s/d; scgi_temp_path %[1]s/e;\nserver { listen %[2]s;\n%[3]s\n} }\n", dir, front, lines)
		cmd = exec.Command("nginx", "-p", dir, "-c", file)
	} else {
		text = "{\n\tadmin off\n}\n" + lines
		cmd = exec.Command("caddy", "run", "--config", file, "--adapter", "caddyfile")
		cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	begin(t, cmd)
}
