package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/net/idna"

	"afterword/config"
	"afterword/storage"
	"afterword/thread"
)

func blockAdd(c *call) error {
	target, db, err := c.blockTarget()
	if err != nil {
		return err
	}
	_, hidden, err := db.Block(c.ctx, target)
	if err == nil && hidden > 0 {
		c.printf("%d comments are hidden\n", hidden)
	}
	return err
}

func blockRemove(c *call) error {
	target, db, err := c.blockTarget()
	if err != nil {
		return err
	}
	restored, err := db.Unblock(c.ctx, target)
	if errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf(`%s is not blocked; "afterword block list" shows what is`, c.args[0])
	}
	if err == nil && restored > 0 {
		c.printf("%d comments are back\n", restored)
	}
	return err
}

func blockList(c *call) error {
	c.jsonFlag()
	if err := c.parse(0); err != nil {
		return err
	}
	_, db, err := c.open()
	if err != nil {
		return err
	}
	targets, err := db.Blocks(c.ctx)
	if err != nil {
		return err
	}
	if c.asJSON {
		return c.printJSON(append([]string{}, targets...))
	}
	for _, t := range targets {
		c.printf("%s\n", t)
	}
	return nil
}

// blockTarget is the only argument: a host, or the id of an account that is named by its id or handle.
func (c *call) blockTarget() (string, *storage.DB, error) {
	if err := c.parse(1); err != nil {
		return "", nil, err
	}
	cfg, db, err := c.open()
	if err != nil {
		return "", nil, err
	}
	ref := c.args[0]
	if !strings.Contains(ref, "@") && !strings.Contains(ref, "/") {
		host, err := hostToBlock(ref, cfg)
		return host, db, err
	}
	id, err := db.FindActor(c.ctx, ref)
	if errors.Is(err, storage.ErrNotFound) {
		if id, err = thread.ParseIRI(ref); err != nil {
			err = fmt.Errorf("%s has never been heard of here: name the account by its address (https://…), or block its host", ref)
		}
	}
	return string(id), db, err
}

// hostToBlock is a domain as ids have it: in lower case, and in ASCII.
func hostToBlock(domain string, cfg *config.Config) (string, error) {
	name, port, _ := strings.Cut(domain, ":")
	name, err := idna.Lookup.ToASCII(strings.TrimSuffix(name, "."))
	if port != "" {
		name += ":" + port
	}
	host := thread.IRI("https://" + name).Host()
	switch ours := thread.IRI(cfg.BaseURL).Host(); {
	case err != nil || host == "" || host != name:
		return "", fmt.Errorf("%q is neither a host nor an account such as @name@host", domain)
	case host == ours || strings.HasSuffix(ours, "."+host):
		return "", fmt.Errorf("%s is where this server is", domain)
	}
	return host, nil
}

// blockImport blocks what a blocklist of Mastodon suspends.
func blockImport(c *call) error {
	if err := c.parse(1); err != nil {
		return err
	}
	cfg, db, err := c.open()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(c.args[0])
	if err != nil {
		return fmt.Errorf("cannot read the blocklist: %w", err)
	}
	l, err := readBlocklist(text, cfg)
	if err != nil {
		return fmt.Errorf("%s is no blocklist: %w", c.args[0], err)
	}
	added, hidden, err := db.Block(c.ctx, l.hosts...)
	if err != nil {
		return err
	}
	c.printf("%d hosts are blocked now, %d were before; left out: %d that are not suspended, %d that name no host; %d comments are hidden\n",
		added, len(l.hosts)-added, l.milder, l.unclear, hidden)
	return nil
}

// blocklist is what a file says.
type blocklist struct {
	hosts   []string
	milder  int // lines that ask for less than a suspension
	unclear int // lines whose domain is obfuscated ("ex*mple.com"), or none, or ours
}

// readBlocklist reads the CSV that Mastodon's administrators export and share ("#domain,#severity,…" or "domain,…", in
// any order of columns), and the plain list of domains that its users export.
func readBlocklist(text []byte, cfg *config.Config) (l blocklist, err error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))))
	r.FieldsPerRecord, r.TrimLeadingSpace = -1, true
	rows, err := r.ReadAll()
	if err != nil {
		return l, err
	}
	domain, severity := 0, -1
	for i, row := range rows {
		if i == 0 && slices.ContainsFunc(row, func(name string) bool { return column(name) == "domain" }) {
			domain = slices.IndexFunc(row, func(name string) bool { return column(name) == "domain" })
			severity = slices.IndexFunc(row, func(name string) bool { return column(name) == "severity" })
			continue
		}
		l.add(field(row, domain), field(row, severity), cfg)
	}
	if len(l.hosts) == 0 && l.milder == 0 {
		return l, errors.New("no line of it names a host")
	}
	return l, nil
}

func (l *blocklist) add(domain, severity string, cfg *config.Config) {
	host, err := hostToBlock(domain, cfg)
	switch {
	case err != nil || !strings.Contains(host, "."):
		l.unclear++
	case severity != "" && severity != "suspend":
		l.milder++
	case !slices.Contains(l.hosts, host):
		l.hosts = append(l.hosts, host)
	}
}

// column is the name of a column, which Mastodon writes as a comment.
func column(name string) string {
	return strings.ToLower(strings.TrimPrefix(strings.TrimSpace(name), "#"))
}

func field(row []string, i int) string {
	if i < 0 || i >= len(row) {
		return ""
	}
	return strings.ToLower(strings.TrimSpace(row[i]))
}
