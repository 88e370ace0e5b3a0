package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"

	"afterword/config"
	"afterword/feed"
	"afterword/thread"
)

// initialise writes the first configuration. What the blog's front page says of itself is filled in.
func initialise(c *call) error {
	cfg, err := config.FromEnv(c.env)
	if err != nil {
		return err
	}
	var file string
	c.flags.StringVar(&cfg.Blog.URL, "blog", cfg.Blog.URL, "the blog's home `page` (required)")
	c.flags.StringVar(&cfg.BaseURL, "base-url", cfg.BaseURL, "where this server will answer: a host of its own or a path of the blog's, `https://comments.example.com` or https://example.com/.ap (required)")
	c.flags.StringVar(&cfg.Blog.Handle, "handle", cfg.Blog.Handle, "the account's `name`")
	c.flags.StringVar(&file, "o", "afterword.toml", "the `file` to write; - for standard output")
	c.flags.BoolVar(&cfg.Federation.AllowPrivate, "allow-private", cfg.Federation.AllowPrivate, "for tests: private addresses and plain http")
	if err := c.parse(0); err != nil {
		return err
	}
	if cfg.Blog.URL == "" || cfg.BaseURL == "" {
		return &usageError{`init needs -blog and -base-url; see "afterword init -h"`}
	}
	cfg.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("::1/128")} // the reverse proxy beside us
	if err := cfg.Check(); err != nil {
		return err
	}
	if cfg.Local() { // for trying things out: there is no proxy, nor anybody else
		cfg.Federation.AllowPrivate = true
		if _, _, err := net.SplitHostPort(cfg.Host()); err == nil {
			cfg.Listen = cfg.Host()
		}
	}
	page, err := feed.ReadPage(c.ctx, newClient(cfg, world{Transport: c.transport, Now: c.now}), cfg.Blog.URL)
	if err != nil {
		return fmt.Errorf("the blog cannot be read: %w", err)
	}
	discover(cfg, page)
	if err := cfg.Check(); err != nil {
		return err
	}
	return c.writeConfig(cfg, file)
}

// discover fills in what a front page says of its blog.
func discover(cfg *config.Config, page feed.Page) {
	cfg.Blog.Name, cfg.Blog.Summary, cfg.Blog.Icon, cfg.Blog.Language = page.Title, page.Description, page.Icon, page.Lang
	if len(page.Feeds) > 0 {
		cfg.Blog.Feed = page.Feeds[0]
	}
}

func (c *call) writeConfig(cfg *config.Config, file string) error {
	if file == "-" {
		return cfg.Print(c.stdout)
	}
	out, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already: remove it first, or name another with -o", file)
	} else if err != nil {
		return err
	}
	if err := errors.Join(cfg.Print(out), out.Close()); err != nil {
		return err
	}
	c.printf("%s is written for @%s", file, cfg.Account())
	if cfg.Blog.Name != "" {
		c.printf(" (%s)", cfg.Blog.Name)
	}
	c.printf(".\n\nNext:\n")
	if cfg.Blog.Feed == "" {
		c.printf("- The front page names no feed. Set blog.feed in %s, or add posts with \"afterword post add\".\n", file)
	}
	if cfg.Local() {
		c.printf("- It is for this machine alone (allow_private = true): write it anew with an address on the internet when you have one.\n")
	} else {
		c.printf("- Let your web server hand requests over.\n\n%s\n", indent(proxyLines(cfg)))
	}
	c.printf("- Start it: afterword -config %s serve\n- Let each post's page say whose it is, in its head (as Hugo writes it; docs/embedding.md has it for others, and where the comments go):\n\n%s\n"+
		"- Then: afterword -config %s doctor\n", file, indent(alternate(thread.IRI(cfg.BaseURL+"/posts{{ .RelPermalink }}"))), file)
	return nil
}
