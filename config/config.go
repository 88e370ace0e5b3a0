// Package config is the configuration: one TOML file, overridden by environment variables, checked before anything
// starts. The struct below is its only description: parsing, defaults, checks, messages and the commented file that
// Print writes all come from its tags. Nothing is stored; there are no secrets in it (API tokens live in the database).
package config

import (
	"net/netip"
	"net/url"
)

// Config is the whole configuration. After Load or Check every value is valid and in its one normal form. A field's
// tags are its key, what the file says about it, and the only values it may have.
type Config struct {
	BaseURL        string         `key:"base_url" doc:"where this server answers publicly; a path prefix is allowed"`
	Listen         string         `key:"listen" doc:"host:port that the reverse proxy hands requests to"`
	Database       string         `key:"database" doc:"file name"`
	TrustedProxies []netip.Prefix `key:"trusted_proxies" doc:"addresses or networks whose X-Forwarded-For is believed"`
	Debug          string         `key:"debug" doc:"host:port on this machine for metrics, profiles and the queue, such as 127.0.0.1:6060; empty: none"`

	Blog       Blog       `key:"blog"`
	Comments   Comments   `key:"comments"`
	Limits     Limits     `key:"limits" doc:"protect, never lose: over a limit is 429 with Retry-After; 0 = off"`
	Federation Federation `key:"federation"`

	origins map[string]string // what names a key in messages: "afterword.toml:12: blog.url" or "AFTERWORD_BLOG_URL"
	file    string            // that was read; may be empty
}

// Blog says whose comments these are.
type Blog struct {
	URL           string   `key:"url" doc:"the blog's home page"`
	Feed          string   `key:"feed" doc:"discovered from url when empty"`
	Handle        string   `key:"handle" doc:"@blog@<account_domain>"`
	AccountDomain string   `key:"account_domain" doc:"default: host of base_url"`
	Name          string   `key:"name" doc:"discovered when empty; also summary, icon, language"`
	Summary       string   `key:"summary" doc:"a sentence about the blog"`
	Icon          string   `key:"icon" doc:"URL of an image"`
	Header        string   `key:"header" doc:"URL of a wide image above the profile"`
	Fields        []string `key:"fields" doc:"further lines of the profile, such as \"Pronouns: she/her\"; four at most are shown by most servers"`
	Language      string   `key:"language" doc:"of the posts: en, de-CH"`
	Note          string   `key:"note" one:"excerpt full title" doc:"how much of a post its Note says: excerpt | full | title"`
	NoteTemplate  string   `key:"note_template" doc:"HTML of a Note with {title}, {text}, {link} and {tags}; empty: <p><strong>{title}</strong></p> {text} <p>{link}</p> <p>{tags}</p>"`
	Pictures      int      `key:"pictures" doc:"how many of a post's pictures its Note shows, at most 4; with 0 Mastodon shows a preview of the page instead"`
	RemoveMissing bool     `key:"remove_missing" doc:"remove a post when the feed has listed it no more for a while and its page is gone (404)"`
	Owner         string   `key:"owner" doc:"the blogger's own fediverse account, @me@host or its URL; its replies carry the Author badge"`
}

// Comments says which comments are shown, and how long they are welcome.
type Comments struct {
	Moderation         string   `key:"moderation" one:"none first all" doc:"none | first (a stranger's first comment waits) | all"`
	CloseAfter         Duration `key:"close_after" doc:"90d: threads close that long after the post's date; 0 = never"`
	CloseAfterComments int      `key:"close_after_comments" doc:"threads close when they have this many comments; 0 = never"`
	ClosedNotice       bool     `key:"closed_notice" doc:"say \"Comments are closed.\" in the Note's text too: Mastodon then marks the post as edited and tells those who boosted it"`
	ShowUnlisted       bool     `key:"show_unlisted" doc:"whether unlisted replies are shown"`
	Images             string   `key:"images" one:"none avatars all" doc:"none | avatars | all (through our own cache; never hot-linked)"`
}

// Limits are messages in any 60 minutes; 0 is no limit.
type Limits struct {
	ActorHour     int `key:"actor_hour" doc:"messages about us from one account"`
	HostHour      int `key:"host_hour" doc:"from one server"`
	NewActorsHour int `key:"new_actors_hour" doc:"accounts never seen before, from one server"`
}

// Federation is about other servers.
type Federation struct {
	AllowPrivate bool   `key:"allow_private" doc:"tests only: private and loopback addresses, plain http"`
	Contact      string `key:"contact" doc:"in the User-Agent: a URL or mail address"`
	Forward      bool   `key:"forward" doc:"hand public replies that bear a signature of their own on to all followers' servers"`
}

// Default is the configuration of an empty file. BaseURL and Blog.URL have to be set before Check accepts it.
func Default() *Config {
	return &Config{
		Listen:   "127.0.0.1:8080",
		Database: "afterword.db",
		Blog:     Blog{Handle: "blog", Note: "excerpt", Pictures: 4},
		Comments: Comments{Moderation: "none", ShowUnlisted: true, Images: "none"},
		Limits:   Limits{ActorHour: 120, HostHour: 6000, NewActorsHour: 600},
	}
}

// Host is the authority of BaseURL: "comments.example.com", "localhost:8080".
func (c *Config) Host() string { return parsed(c.BaseURL).Host }

// Prefix is the path of BaseURL without slash at the end: "/.ap", or empty.
func (c *Config) Prefix() string { return parsed(c.BaseURL).Path }

// Account is the blog's address in the fediverse without the first @: "blog@example.com".
func (c *Config) Account() string { return c.Blog.Handle + "@" + c.Blog.AccountDomain }

// Local tells whether base_url is on this machine, where nobody but its own programs can ask for it.
func (c *Config) Local() bool { return loopback(parsed(c.BaseURL).Hostname()) }

// SameHost tells whether blog and server share a host: deployment (a) of PROTOCOL 0.1, where a Note's url is the
// blog post itself.
func (c *Config) SameHost() bool { return parsed(c.Blog.URL).Host == c.Host() }

// parsed reads a URL that Check has accepted.
func parsed(checked string) *url.URL {
	u, err := url.Parse(checked)
	if err != nil {
		return &url.URL{}
	}
	return u
}
