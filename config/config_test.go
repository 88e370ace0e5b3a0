package config

import (
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

const minimal = `base_url = "https://comments.example.com"
[blog]
url = "https://example.com/"
`

func mustLoad(t *testing.T, text string, env ...string) *Config {
	t.Helper()
	c, err := load("afterword.toml", text, env)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDefaults(t *testing.T) {
	c := mustLoad(t, minimal)
	want := Default()
	want.BaseURL, want.Blog.URL, want.Blog.AccountDomain = "https://comments.example.com", "https://example.com/", "comments.example.com"
	want.file, want.origins = c.file, c.origins
	if !reflect.DeepEqual(c, want) {
		t.Errorf("%+v", c)
	}
	if c.Account() != "blog@comments.example.com" || c.Host() != "comments.example.com" || c.Prefix() != "" || c.SameHost() {
		t.Error(c.Account(), c.Host(), c.Prefix(), c.SameHost())
	}
}

// TestContract reads the file of CONTRACT.md, every key set to something else than its default.
func TestContract(t *testing.T) {
	c := mustLoad(t, `
base_url = "https://Example.com/.ap/"
listen   = ":9000"
database = "/var/lib/afterword/db"
trusted_proxies = ["127.0.0.1", "10.1.2.3/8", "::1", "::ffff:192.0.2.1"]
debug = "localhost:6060"

[blog]
url  = "https://example.com/blog"
feed = "https://example.com/?feed=rss2"
handle = "thoughts_1"
account_domain = "Example.COM."
name = "Ünïcode \"quoted\" 'blog'"
summary = """two
lines"""
icon = "https://cdn.example.com/i.png?v=2"
header = "https://cdn.example.com/wide.png"
fields = ["Pronouns: she/her", "Code: https://example.org/me"]
language = "de-CH"
note = "full"
note_template = "{link}"
pictures = 2
remove_missing = true
owner = "me@Example.Social"

[comments]
moderation = "first"
close_after = "2w"
close_after_comments = 50
closed_notice = true
show_unlisted = false
images = "avatars"

[limits]
actor_hour = 1
host_hour = 0
new_actors_hour = 3

[federation]
allow_private = true
forward = true
contact = "mailto:me@example.com"
`)
	want := &Config{
		BaseURL: "https://example.com/.ap", Listen: ":9000", Database: "/var/lib/afterword/db",
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("192.0.2.1/32")},
		Debug:          "localhost:6060",
		Blog: Blog{URL: "https://example.com/blog", Feed: "https://example.com/?feed=rss2", Handle: "thoughts_1", AccountDomain: "example.com",
			Name: `Ünïcode "quoted" 'blog'`, Summary: "two\nlines", Icon: "https://cdn.example.com/i.png?v=2", Header: "https://cdn.example.com/wide.png",
			Fields: []string{"Pronouns: she/her", "Code: https://example.org/me"}, Language: "de-CH", Note: "full", NoteTemplate: "{link}", Pictures: 2,
			RemoveMissing: true, Owner: "@me@example.social"},
		Comments:   Comments{Moderation: "first", CloseAfter: Duration(14 * day), CloseAfterComments: 50, ClosedNotice: true, Images: "avatars"},
		Limits:     Limits{ActorHour: 1, NewActorsHour: 3},
		Federation: Federation{AllowPrivate: true, Contact: "mailto:me@example.com", Forward: true},
	}
	origins := c.origins
	c.file, c.origins = "", nil
	if !reflect.DeepEqual(c, want) {
		t.Errorf("%+v\n%+v", c, want)
	}
	if c.Prefix() != "/.ap" || !c.SameHost() || c.Account() != "thoughts_1@example.com" {
		t.Error(c.Prefix(), c.SameHost(), c.Account())
	}
	if len(origins) != len(c.fields()) {
		t.Errorf("%d of %d keys tested", len(origins), len(c.fields()))
	}
	again := mustLoad(t, printed(t, c))
	again.file, again.origins = "", nil
	if !reflect.DeepEqual(again, want) {
		t.Errorf("round trip:\n%s", printed(t, c))
	}
}

func printed(t *testing.T, c *Config) string {
	t.Helper()
	var b strings.Builder
	if err := c.Print(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPrint(t *testing.T) {
	c := mustLoad(t, minimal, "AFTERWORD_COMMENTS_CLOSE_AFTER=90d", "AFTERWORD_TRUSTED_PROXIES=127.0.0.1, ::1")
	want := `base_url = "https://comments.example.com"  # where this server answers publicly; a path prefix is allowed
listen = "127.0.0.1:8080"                 # host:port that the reverse proxy hands requests to
database = "afterword.db"                 # file name
trusted_proxies = ["127.0.0.1/32", "::1/128"]  # addresses or networks whose X-Forwarded-For is believed
debug = ""                                # host:port on this machine for metrics, profiles and the queue, such as 127.0.0.1:6060; empty: none

[blog]
url = "https://example.com/"              # the blog's home page
feed = ""                                 # discovered from url when empty
handle = "blog"                           # @blog@<account_domain>
account_domain = "comments.example.com"   # default: host of base_url
name = ""                                 # discovered when empty; also summary, icon, language
summary = ""                              # a sentence about the blog
icon = ""                                 # URL of an image
header = ""                               # URL of a wide image above the profile
fields = []                               # further lines of the profile, such as "Pronouns: she/her"; four at most are shown by most servers
language = ""                             # of the posts: en, de-CH
note = "excerpt"                          # how much of a post its Note says: excerpt | full | title
note_template = ""                        # HTML of a Note with {title}, {text}, {link} and {tags}; empty: <p><strong>{title}</strong></p> {text} <p>{link}</p> <p>{tags}</p>
pictures = 4                              # how many of a post's pictures its Note shows, at most 4; with 0 Mastodon shows a preview of the page instead
remove_missing = false                    # remove a post when the feed has listed it no more for a while and its page is gone (404)
owner = ""                                # the blogger's own fediverse account, @me@host or its URL; its replies carry the Author badge

[comments]
moderation = "none"                       # none | first (a stranger's first comment waits) | all
close_after = "90d"                       # 90d: threads close that long after the post's date; 0 = never
close_after_comments = 0                  # threads close when they have this many comments; 0 = never
closed_notice = false                     # say "Comments are closed." in the Note's text too: Mastodon then marks the post as edited and tells those who boosted it
show_unlisted = true                      # whether unlisted replies are shown
images = "none"                           # none | avatars | all (through our own cache; never hot-linked)

[limits]                                  # protect, never lose: over a limit is 429 with Retry-After; 0 = off
actor_hour = 120                          # messages about us from one account
host_hour = 6000                          # from one server
new_actors_hour = 600                     # accounts never seen before, from one server

[federation]
allow_private = false                     # tests only: private and loopback addresses, plain http
contact = ""                              # in the User-Agent: a URL or mail address
forward = false                           # hand public replies that bear a signature of their own on to all followers' servers
`
	if got := printed(t, c); got != want {
		t.Errorf("%s", got)
	}
}

// TestMistakes has the whole message of every mistake: it is all the blogger sees.
func TestMistakes(t *testing.T) {
	const head = "base_url = \"https://comments.example.com\"\n"
	for _, x := range []struct{ text, want string }{
		{minimal + "[comments]\n\nmoderation = \"sometimes\"\n", `afterword.toml:6: comments.moderation: "sometimes" is not one of none, first, all`},
		{minimal + "[comments]\nimages = \"\"\n", `afterword.toml:5: comments.images: "" is not one of none, avatars, all`},
		{minimal + "feeds = \"\"\n", `afterword.toml:4: blog.feeds: unknown key; there are url, feed, handle, account_domain, name, summary, icon, header, fields, language, note, note_template, pictures, remove_missing, owner`},
		{"Base_URL = \"https://x.test\"\n", `afterword.toml:1: Base_URL: unknown key; there are base_url, listen, database, trusted_proxies, debug`},
		{minimal + "[coments]\nimages = \"none\"\n", `afterword.toml:4: coments: unknown key; there are base_url, listen, database, trusted_proxies, debug`},
		{minimal + "[coments]\n", `afterword.toml:4: coments: unknown key; there are base_url, listen, database, trusted_proxies, debug`},
		{minimal + "[blog.more]\nx = 1\n", `afterword.toml:4: blog.more: unknown key; there are url, feed, handle, account_domain, name, summary, icon, header, fields, language, note, note_template, pictures, remove_missing, owner`},
		{"comments = \"all\"\n" + minimal, `afterword.toml:1: comments: is a section: write [comments] on a line of its own`},
		{minimal + "[[limits]]\nactor_hour = 1\n", `afterword.toml:4: limits: is a section: write [limits] on a line of its own`},
		{minimal + "[listen]\na = 1\n", `afterword.toml:4: listen: map[a:1] is not text: put it in quotes`},
		{minimal + "limits.actor_hour = -1\n", `afterword.toml:4: blog.limits: unknown key; there are url, feed, handle, account_domain, name, summary, icon, header, fields, language, note, note_template, pictures, remove_missing, owner`},
		{"debug = \":6060\"\n" + minimal, `afterword.toml:1: debug: ":6060" is not host:port of this machine alone, such as "127.0.0.1:6060"`},
		{"debug = \"192.0.2.1:6060\"\n" + minimal, `afterword.toml:1: debug: "192.0.2.1:6060" is not host:port of this machine alone, such as "127.0.0.1:6060"`},
		{"limits.actor_hour = -1\n" + minimal, `afterword.toml:1: limits.actor_hour: -1 is less than 0`},
		{"limits.actor_hour = 4294967296\n" + minimal, `afterword.toml:1: limits.actor_hour: 4294967296 is more than 2147483647`},
		{"limits = {host_hour = 1.5}\n" + minimal, `afterword.toml:1: limits.host_hour: 1.5 is not a whole number`},
		{minimal + "[limits]\nhost_hour = \"many\"\n", `afterword.toml:5: limits.host_hour: "many" is not a whole number`},
		{minimal + "[comments]\nshow_unlisted = \"yes\"\n", `afterword.toml:5: comments.show_unlisted: "yes" is not true or false`},
		{minimal + "handle = 5\n", `afterword.toml:4: blog.handle: 5 is not text: put it in quotes`},
		{minimal + "handle = \"@Blog\"\n", `afterword.toml:4: blog.handle: "@Blog" is not a handle: 1 to 30 of a-z, 0-9 and _, without @`},
		{minimal + "handle = \"" + strings.Repeat("a", 31) + "\"\n", `afterword.toml:4: blog.handle: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" is not a handle: 1 to 30 of a-z, 0-9 and _, without @`},
		{minimal + "name = \"a\\u001b[31m\"\n", `afterword.toml:4: blog.name: "a\x1b[31m" contains a control character`},
		{minimal + "language = \"deutsch!\"\n", `afterword.toml:4: blog.language: "deutsch!" is not a language tag, such as "en" or "de-CH"`},
		{minimal + "pictures = 5\n", `afterword.toml:4: blog.pictures: 5 is more than 4, which is what Mastodon shows`},
		{minimal + "note_template = \"{titel} {link}\"\n", `afterword.toml:4: blog.note_template: "{titel}" is no placeholder; there are {title}, {text}, {link}, {tags}`},
		{minimal + "note_template = \"<p>{title}</p>\"\n", `afterword.toml:4: blog.note_template: "<p>{title}</p>" has no {link}: a Note leads to its post`},
		{minimal + "note_template = \"<p>{title}: {text}</p> {link}\"\n", `afterword.toml:4: blog.note_template: "{text}" is paragraphs itself: write it once, between others, as in <p>{title}</p> {text} <p>{link}</p>`},
		{minimal + "note_template = \"" + strings.Repeat("a", 4001) + "\"\n", `afterword.toml:4: blog.note_template: "` + strings.Repeat("a", 100) + `" is longer than 4000 bytes`},
		{minimal + "owner = \"me\"\n", `afterword.toml:4: blog.owner: "me" is neither an account, such as "@me@example.social", nor its URL`},
		{minimal + "owner = \"@me@here@there.test\"\n", `afterword.toml:4: blog.owner: "@me@here@there.test" is neither an account, such as "@me@example.social", nor its URL`},
		{minimal + "owner = \"http://example.social/@me\"\n", `afterword.toml:4: blog.owner: "http://example.social/@me" is not https, which the fediverse requires`},
		{minimal + "feed = \"/feed.xml\"\n", `afterword.toml:4: blog.feed: "/feed.xml" is not an absolute URL, such as "https://example.com/"`},
		{minimal + "icon = \"data:image/png;base64,xx\"\n", `afterword.toml:4: blog.icon: "data:image/png;base64,xx" is not an absolute URL, such as "https://example.com/"`},
		{minimal + "account_domain = \"https://example.com\"\n", `afterword.toml:4: blog.account_domain: "https://example.com" is not a host name`},
		{minimal + "account_domain = \"example.com:0\"\n", `afterword.toml:4: blog.account_domain: "example.com:0" has port 0: ports are 1 to 65535`},
		{minimal + "[comments]\nclose_after = 90\n", `afterword.toml:5: comments.close_after: 90 needs a unit and quotes, such as "90d"`},
		{minimal + "[comments]\nclose_after = \"90\"\n", `afterword.toml:5: comments.close_after: "90" is not a duration such as "90d", "2w", "36h" or "0"`},
		{minimal + "[comments]\nclose_after = \"-1d\"\n", `afterword.toml:5: comments.close_after: "-1d" is not a duration such as "90d", "2w", "36h" or "0"`},
		{minimal + "[comments]\nclose_after = \"36501d\"\n", `afterword.toml:5: comments.close_after: "36501d" is more than 100 years`},
		{minimal + "[federation]\ncontact = \"me (at) home\"\n", `afterword.toml:5: federation.contact: "me (at) home" is not a URL or mail address in ASCII`},
		{"listen = \"auto\"\n" + minimal, `afterword.toml:1: listen: "auto" is not available yet: use "127.0.0.1:8080" behind a reverse proxy that speaks https`},
		{"listen = \"8080\"\n" + minimal, `afterword.toml:1: listen: "8080" is not host:port, such as "127.0.0.1:8080"`},
		{"listen = \"127.0.0.1:http\"\n" + minimal, `afterword.toml:1: listen: "127.0.0.1:http" is not host:port, such as "127.0.0.1:8080"`},
		{"listen = \"127.0.0.1:65536\"\n" + minimal, `afterword.toml:1: listen: "127.0.0.1:65536" is not host:port, such as "127.0.0.1:8080"`},
		{"database = \"\"\n" + minimal, `afterword.toml:1: database: is missing: set it to a file name, such as "afterword.db"`},
		{"database = \"postgres://u@h/d\"\n" + minimal, `afterword.toml:1: database: "postgres://u@h/d" is not available yet: use a file name, such as "afterword.db"`},
		// L9
		{"trusted_proxies = [\"0.0.0.0/0\"]\n" + minimal, `afterword.toml:1: trusted_proxies: "0.0.0.0/0" would let anybody claim any address: name the reverse proxy's own`},
		{"trusted_proxies = [\"127.0.0.1\", \"::/0\"]\n" + minimal, `afterword.toml:1: trusted_proxies: "::/0" would let anybody claim any address: name the reverse proxy's own`},
		{"trusted_proxies = [\"128.0.0.0/1\"]\n" + minimal, `afterword.toml:1: trusted_proxies: "128.0.0.0/1" would let anybody claim any address: name the reverse proxy's own`},
		{"trusted_proxies = [\"::ffff:0:0/96\"]\n" + minimal, `afterword.toml:1: trusted_proxies: "::ffff:0:0/96" is not an IP address or a network such as 10.0.0.0/8`},
		{"trusted_proxies = [\"proxy\"]\n" + minimal, `afterword.toml:1: trusted_proxies: "proxy" is not an IP address or a network such as 10.0.0.0/8`},
		{"trusted_proxies = \"127.0.0.1\"\n" + minimal, `afterword.toml:1: trusted_proxies: "127.0.0.1" is not a list such as ["127.0.0.1", "10.0.0.0/8"]`},
		{"trusted_proxies = [1]\n" + minimal, `afterword.toml:1: trusted_proxies: 1 is not text: put it in quotes`},
		{"trusted_proxies = [\"fe80::1%eth0\"]\n" + minimal, `afterword.toml:1: trusted_proxies: "fe80::1%eth0" is not an IP address or a network such as 10.0.0.0/8`},
		// missing
		{"listen = \":1\"\n", `afterword.toml: base_url: is missing: "afterword init" writes a configuration; or set it to where this server answers, such as "https://comments.example.com"`},
		{head, `afterword.toml: blog.url: is missing: set it to the blog's home page, such as "https://example.com/"`},
		{head + "blog.url = \"\"\n", `afterword.toml:2: blog.url: is missing: set it to the blog's home page, such as "https://example.com/"`},
		{head + "[blog]\nurl = \"https://example.com/?a\"\n", `afterword.toml:3: blog.url: "https://example.com/?a" has a query: write it without`},
		{head + "[blog]\nurl = \"example.com\"\n", `afterword.toml:3: blog.url: "example.com" is not an absolute URL, such as "https://example.com/"`},
		{head + "[blog]\nurl = \"http://example.com\"\n", `afterword.toml:3: blog.url: "http://example.com" is not https, which the fediverse requires`},
		// the file itself
		{"base_url = https\n", `afterword.toml:1: expected value but found "https" instead`},
		{head + head, "afterword.toml:2: Key 'base_url' has already been defined."},
		{"name = \"\xff\"\n", "afterword.toml:1: invalid UTF-8 byte: 0xff"},
		{head + "[blog\nurl = 1\n", "afterword.toml:3: expected '.' or ']' to end table name, but got '\\n' instead"},
	} {
		_, err := load("afterword.toml", x.text, nil)
		if err == nil || err.Error() != x.want {
			t.Errorf("%q\n got %v\nwant %s", strings.TrimPrefix(x.text, minimal), err, x.want)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("more than a line: %q", err)
		}
	}
}

func TestBaseURL(t *testing.T) {
	for url, want := range map[string]string{
		"https://x.test/":            "https://x.test", // L3
		"https://x.test//":           "https://x.test",
		"HTTPS://X.Test/Sub/":        "https://x.test/Sub",
		"https://x.test.:443/.ap/":   "https://x.test/.ap",
		"https://x.test:8443":        "https://x.test:8443",
		"https://x.test:":            "https://x.test",
		"https://x.test:08443":       "https://x.test:8443",
		"https://bücher.test":        "https://xn--bcher-kva.test",
		"https://xn--bcher-kva.test": "https://xn--bcher-kva.test",
		"http://localhost:8080/":     "http://localhost:8080",
		"http://LOCALHOST.:80":       "http://localhost",
		"http://127.0.0.1:8080":      "http://127.0.0.1:8080",
		"http://[::1]:80/a":          "http://[::1]/a",
		"https://localhost":          "https://localhost",
	} {
		c := mustLoad(t, minimal, "AFTERWORD_BASE_URL="+url)
		if c.BaseURL != want {
			t.Errorf("L3 %s: %s, want %s", url, c.BaseURL, want)
		}
		if err := c.Check(); err != nil || c.BaseURL != want {
			t.Errorf("L3 %s: checked again %s, %v", url, c.BaseURL, err)
		}
	}
	for url, why := range map[string]string{
		"x.test": "is not an absolute URL", "//x.test": "is not an absolute URL", "ftp://x.test": "is not an absolute URL", "https:x.test": "is not an absolute URL", "https://": "is not an absolute URL",
		"https://x.test/?": "has a query", "https://x.test/?a=b": "has a query", "https://x.test/#a": "has a fragment", "https://x.test/#": "has a fragment", "https://me@x.test/": "has a user name",
		"http://x.test": "is not https", "https://10.0.0.1": "is an IP address", "https://8.8.8.8": "is an IP address", "https://[2606::1]": "is an IP address",
		"https://my_blog.test": "is not a host name", "https://x..test": "is not a host name", "https://.test": "is not a host name", "https://127.1": "is not a host name", "https://-x.test": "is not a host name",
		"https://x.test..": "is not a host name", "https://.": "is not a host name", "https://" + strings.Repeat("a.", 127) + "test": "is not a host name", "https://[fe80::1%25eth0]": "is not a",
		"https://intranet": "is not a public host name", "https://x.test:0": "has port 0", "https://x.test:70000": "has port 70000", "https://x.test:http": "is not an absolute URL",
		"https://x.test/a b": "has a path", "https://x.test/a//b": "has a path", "https://x.test/../a": "has a path", "https://x.test/a%2fb": "has a path", "https://x.test/ä": "has a path", "https://x.test/\n": "contains a control",
	} {
		_, err := load("", "", []string{"AFTERWORD_BASE_URL=" + url, "AFTERWORD_BLOG_URL=https://example.com"})
		if err == nil || !strings.HasPrefix(err.Error(), "AFTERWORD_BASE_URL: ") || !strings.Contains(err.Error(), why) {
			t.Errorf("L3 %q: %v, want: %s", url, err, why)
		}
	}
	for _, url := range []string{"http://x.test", "https://10.0.0.1", "http://intranet:8080"} {
		if c := mustLoad(t, minimal, "AFTERWORD_BASE_URL="+url, "AFTERWORD_FEDERATION_ALLOW_PRIVATE=true"); c.BaseURL != url {
			t.Error(c.BaseURL)
		}
	}
	if c := mustLoad(t, minimal, "AFTERWORD_BASE_URL=http://localhost:8080", "AFTERWORD_BLOG_URL=http://LOCALHOST:8080"); c.Account() != "blog@localhost:8080" || !c.SameHost() || c.Blog.URL != "http://localhost:8080/" {
		t.Errorf("%+v", c.Blog)
	}
}

func TestEnvironment(t *testing.T) {
	c := mustLoad(t, minimal+"handle = \"file\"\n[limits]\nhost_hour = 1\n",
		"HOME=/root", "AFTERWORD_TEST_ALL=1", "AFTERWORD_SERVICE_HOST=10.0.0.1", "AFTERWORD_PORT_80_TCP=x", "AFTERWORDISH=1",
		"AFTERWORD_BLOG_HANDLE=env", "AFTERWORD_LIMITS_HOST_HOUR=7", "AFTERWORD_FEDERATION_ALLOW_PRIVATE=1", "AFTERWORD_COMMENTS_CLOSE_AFTER=36h",
		"AFTERWORD_TRUSTED_PROXIES=10.0.0.1,10.0.0.2 fd00::/8", "AFTERWORD_BLOG_NAME=a=b", "AFTERWORD_COMMENTS_SHOW_UNLISTED=false")
	if c.Blog.Handle != "env" || c.Limits.HostHour != 7 || !c.Federation.AllowPrivate || time.Duration(c.Comments.CloseAfter) != 36*time.Hour ||
		len(c.TrustedProxies) != 3 || c.Blog.Name != "a=b" || c.Comments.ShowUnlisted {
		t.Errorf("%+v", c)
	}
	for _, x := range []struct{ pair, want string }{
		{"AFTERWORD_COMMENTS_MODERATION=sometimes", `AFTERWORD_COMMENTS_MODERATION: "sometimes" is not one of none, first, all`},
		{"AFTERWORD_LIMITS_ACTOR_HOUR=many", `AFTERWORD_LIMITS_ACTOR_HOUR: "many" is not a whole number`},
		{"AFTERWORD_LIMITS_ACTOR_HOUR=-3", `AFTERWORD_LIMITS_ACTOR_HOUR: -3 is less than 0`},
		{"AFTERWORD_FEDERATION_ALLOW_PRIVATE=", `AFTERWORD_FEDERATION_ALLOW_PRIVATE: "" is not true or false`},
		{"AFTERWORD_COMMENTS_CLOSE_AFTER=soon", `AFTERWORD_COMMENTS_CLOSE_AFTER: "soon" is not a duration such as "90d", "2w", "36h" or "0"`},
		{"AFTERWORD_TRUSTED_PROXIES=0.0.0.0/0", `AFTERWORD_TRUSTED_PROXIES: "0.0.0.0/0" would let anybody claim any address: name the reverse proxy's own`},
		{"AFTERWORD_BLOG_NAME=\xff", `AFTERWORD_BLOG_NAME: "\xff" contains a control character`},
		{"AFTERWORD_BLOG_HANDEL=x", `AFTERWORD_BLOG_HANDEL: no such setting: unset it, or see "afterword config" for those there are`},
		{"AFTERWORD_BASE_URL=", `AFTERWORD_BASE_URL: is missing: "afterword init" writes a configuration; or set it to where this server answers, such as "https://comments.example.com"`},
	} {
		if _, err := load("afterword.toml", minimal, []string{x.pair}); err == nil || err.Error() != x.want {
			t.Errorf("%s\n got %v\nwant %s", x.pair, err, x.want)
		}
	}
}

func TestLoadFiles(t *testing.T) { // L1
	t.Chdir(t.TempDir())
	env := []string{"AFTERWORD_BASE_URL=https://comments.example.com", "AFTERWORD_BLOG_URL=https://example.com/"}
	if c, err := Load("", env); err != nil || c.Host() != "comments.example.com" {
		t.Errorf("environment alone: %v", err)
	}
	_, err := Load("", nil)
	if want := `base_url: is missing: "afterword init" writes a configuration; or set it to where this server answers, such as "https://comments.example.com"`; err == nil || err.Error() != want {
		t.Error(err)
	}
	for name, text := range map[string]string{"empty.toml": " \n", "secret.toml": minimal, "good.toml": minimal} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir("folder", 0o700); err != nil {
		t.Fatal(err)
	}
	hint := `write one with "afterword init -blog URL -base-url URL", or name another with -config`
	want := map[string]string{
		"missing.toml":     "missing.toml: no such file: " + hint,
		"empty.toml":       "empty.toml: is empty: " + hint,
		"folder":           "folder: is a directory: name the file in it with -config",
		"good.toml/x.toml": "good.toml/x.toml: not a directory: " + hint,
	}
	if os.Getuid() != 0 {
		want["secret.toml"] = "secret.toml: permission denied: let the user that runs afterword read it"
		os.Chmod("secret.toml", 0)
	}
	for path, message := range want {
		if _, err := Load(path, env); err == nil || err.Error() != message {
			t.Errorf("L1 %s\n got %v\nwant %s", path, err, message)
		}
	}
	if err := os.Rename("good.toml", "afterword.toml"); err != nil {
		t.Fatal(err)
	}
	if c, err := Load("", nil); err != nil || c.Blog.URL != "https://example.com/" {
		t.Error(err)
	}
	path, _ := filepath.Abs("afterword.toml")
	if _, err := Load(path, []string{"AFTERWORD_LISTEN=auto"}); err == nil || !strings.HasPrefix(err.Error(), "AFTERWORD_LISTEN: ") {
		t.Error(err)
	}
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{"0": 0, "0d": 0, "90d": 90 * day, "36h": 36 * time.Hour, "2w": 14 * day, "90m": 90 * time.Minute, "1w2d3h4m5s": 9*day + 3*time.Hour + 4*time.Minute + 5*time.Second, "36500d": maxDuration} {
		got, err := ParseDuration(text)
		if err != nil || got != want {
			t.Errorf("%s: %v %v", text, got, err)
		}
		if again, err := ParseDuration(Duration(got).String()); err != nil || again != got {
			t.Errorf("%s: printed %s", text, Duration(got))
		}
	}
	for _, text := range []string{"", "1", "d", "-1d", "+1d", "1.5d", "1 d", "1D", "1y", "1d ", "36500d1s", "9999999999d", "999999999w", "0d36501d"} {
		if d, err := ParseDuration(text); err == nil {
			t.Errorf("%q: %v", text, d)
		}
	}
	if got := Duration(90*day).String() + " " + Duration(36*time.Hour).String(); got != "90d 1d12h" {
		t.Error(got)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(minimal, "AFTERWORD_BLOG_HANDLE=x")
	f.Add("base_url=\"http://localhost\"\nblog={url=\"http://[::1]:080/ü\"}\n[comments]\nclose_after=\"1w1s\"\n", "AFTERWORD_TRUSTED_PROXIES=10.1.1.1/9")
	f.Add(minimal+"summary='''a\\\nb'''\nowner=\"a@B.test.\"\n[[x]]\n", "AFTERWORD_BLOG_NAME=\u2028\"\\")
	f.Add(minimal, "AFTERWORD_A\nB=1")
	f.Add("\"a\\nb\" = 1", "")
	f.Add("[\"a\\nb\"]\nx = 1", "")
	f.Add("base_url = [\"a\\nb\"]", "")
	f.Add(minimal, "AFTERWORD_BLOG_FIELDS=a: \xff")
	f.Fuzz(func(t *testing.T, text, pair string) {
		c, err := load("f", text, []string{pair})
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than a line: %q", err)
			}
			return
		}
		again, err := load("f", printed(t, c), nil)
		if err != nil {
			t.Fatalf("%v in\n%s", err, printed(t, c))
		}
		c.origins, again.origins = nil, nil
		if !reflect.DeepEqual(c, again) {
			t.Errorf("%+v\n%+v", c, again)
		}
	})
}
