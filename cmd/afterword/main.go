// Command afterword gives one blog comments from the fediverse. See README.md; "afterword -h" lists the commands.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	"unicode"

	"afterword/config"
	"afterword/storage"
)

// version is set when a release is built.
var version = "0.1.0-dev"

// command is one of the things afterword does.
type command struct {
	name    string // one or two words
	args    string // as usage shows them
	summary string
	run     func(*call) error
}

// commands is all of them, in the order in which a blogger meets them.
var commands = []command{
	{"serve", "", "run the server", serve},
	{"init", "", "write a configuration from what the blog's front page says", initialise},
	{"doctor", "", "check everything from outside in, and say how to mend what is wrong", doctor},
	{"demo", "", "show the product on this machine: a small blog and three strangers' servers", demo},
	{"config", "", "print the effective configuration with its comments", printConfig},
	{"post add", "", "create or update the post of a page, and tell the followers", postAdd},
	{"post list", "", "list the posts, newest first", postList},
	{"post show", "URL-or-id", "show one post", postShow},
	{"post sync", "", "read the blog's feed now", postSync},
	{"snippet", "URL", "print the lines by which a page of the blog shows its comments", snippet},
	{"post remove", "URL-or-id", "remove a post, here and at the followers", postRemove},
	{"close", "URL-or-id|all", "close a thread, now or later, one branch of it, or all threads of the blog", closeThread},
	{"reopen", "URL-or-id|all", "open a closed thread or branch again, or all that \"close all\" closed", reopenThread},
	{"comment list", "", "list comments, newest first", commentList},
	{"comment approve", "ID", "show a comment that waits, came late or was hidden", commentApprove},
	{"comment hide", "ID", "take a comment out of sight", commentHide},
	{"comment remove", "ID", "erase a comment", commentRemove},
	{"reply", "ID-or-URL TEXT", "answer a comment or post as the blog (Markdown)", reply},
	{"block add", "HOST-or-ACCOUNT", "take nothing more from a server or an account, and hide what stands of it", blockAdd},
	{"block remove", "HOST-or-ACCOUNT", "end a block; what it hid is back", blockRemove},
	{"block list", "", "list what is blocked", blockList},
	{"block import", "FILE", "block what a blocklist of Mastodon (CSV) suspends", blockImport},
	{"follower list", "", "list the followers", followerList},
	{"follower remove", "ACCOUNT", "end an account's follow, and tell its server", followerRemove},
	{"inbox list", "", "list every message about us with its verdict", inboxList},
	{"inbox show", "NUMBER", "show one message as it arrived", inboxShow},
	{"inbox replay", "NUMBER", "decide about a message once more", inboxReplay},
	{"inbox export", "NUMBER", "write a message as a test case", inboxExport},
	{"inbox faults", "", "list what made the program fail, for a bug report", inboxFaults},
	{"queue", "", "show what waits to be delivered, by host", queueShow},
	{"queue retry", "HOST", "try a host again now", queueRetry},
	{"key rotate", "", "give the blog's account a new key, and tell everybody", keyRotate},
	{"alias add", "ACCOUNT", "let another account move here, with its followers", aliasAdd},
	{"alias remove", "ACCOUNT", "let it no longer", aliasRemove},
	{"alias list", "", "list the accounts that may move here", aliasList},
	{"move", "ACCOUNT|nowhere", "send the followers to another account, which must name this one as its alias", move},
	{"token add", "NAME", "make a token for the API and print its secret, once", tokenAdd},
	{"token list", "", "list the tokens", tokenList},
	{"token revoke", "NAME", "end a token", tokenRevoke},
	{"backup", "FILE", "copy the database while the server runs", backup},
	{"version", "", "print the version", printVersion},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(&call{ctx: ctx, env: os.Environ(), stdout: os.Stdout, stderr: os.Stderr, now: time.Now}, os.Args[1:])
	stop()
	os.Exit(code)
}

// run is main with its world handed in: tests call it too. It returns the exit status: 0 done, 1 failed, 2 wrong usage.
func run(c *call, args []string) int {
	err := c.dispatch(args)
	c.close()
	var wrong *usageError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &wrong):
		fmt.Fprintln(c.stderr, "afterword:", err)
		return 2
	}
	fmt.Fprintln(c.stderr, "afterword:", err)
	return 1
}

// usageError is a call that cannot be understood.
type usageError struct{ reason string }

func (e *usageError) Error() string { return e.reason }

// call is one command being run.
type call struct {
	ctx            context.Context
	env            []string
	stdout, stderr io.Writer
	now            func() time.Time
	transport      http.RoundTripper // the way out; nil: the guarded one
	configPath     string
	command        command
	flags          *flag.FlagSet
	rest           []string // what follows the command's name
	args           []string // after parse: the arguments without flags
	asJSON         bool
	cfg            *config.Config // after open
	db             *storage.DB
}

func (c *call) dispatch(args []string) error {
	global := flag.NewFlagSet("afterword", flag.ContinueOnError)
	global.SetOutput(io.Discard)
	global.StringVar(&c.configPath, "config", "", "")
	switch err := global.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		c.overview(c.stdout)
		return err
	case err != nil:
		return &usageError{err.Error() + `; see "afterword -h"`}
	}
	words := global.Args()
	if len(words) == 0 {
		c.overview(c.stderr)
		return &usageError{"which command?"}
	}
	if words[0] == "help" {
		c.overview(c.stdout)
		return nil
	}
	for _, cmd := range commands {
		if name := strings.Fields(cmd.name); len(words) >= len(name) && strings.Join(words[:len(name)], " ") == cmd.name {
			if longer(words, cmd) {
				continue
			}
			return c.begin(cmd, words[len(name):])
		}
	}
	return c.unknown(words)
}

// longer tells whether a command of more words fits too: "queue retry" is not "queue" with an argument.
func longer(words []string, than command) bool {
	for _, cmd := range commands {
		if strings.HasPrefix(cmd.name, than.name+" ") && strings.HasPrefix(strings.Join(words, " ")+" ", cmd.name+" ") {
			return true
		}
	}
	return false
}

func (c *call) unknown(words []string) error {
	var group []string
	for _, cmd := range commands {
		if strings.HasPrefix(cmd.name, words[0]+" ") {
			group = append(group, cmd.name)
		}
	}
	if len(group) > 0 {
		return &usageError{"which of these? " + strings.Join(group, ", ")}
	}
	return &usageError{fmt.Sprintf(`there is no command %q; "afterword -h" lists them`, words[0])}
}

func (c *call) overview(w io.Writer) {
	fmt.Fprint(w, "afterword gives one blog comments from the fediverse.\n\nusage: afterword [-config afterword.toml] COMMAND\n\n")
	for _, cmd := range commands {
		fmt.Fprintf(w, "  %-34s %s\n", strings.TrimSpace(cmd.name+" "+cmd.args), cmd.summary)
	}
	fmt.Fprint(w, "\nEvery command explains itself with -h. Lists take -json.\n")
}

func (c *call) begin(cmd command, rest []string) error {
	c.command, c.rest = cmd, rest
	c.flags = flag.NewFlagSet(cmd.name, flag.ContinueOnError)
	c.flags.SetOutput(io.Discard)
	c.flags.StringVar(&c.configPath, "config", c.configPath, "the configuration `file`")
	return cmd.run(c)
}

// jsonFlag adds -json.
func (c *call) jsonFlag() { c.flags.BoolVar(&c.asJSON, "json", false, "print JSON") }

// parse reads flags, which may stand before and after the arguments, and checks the number of arguments.
func (c *call) parse(arguments int) error {
	rest := c.rest
	for {
		err := c.flags.Parse(rest)
		if errors.Is(err, flag.ErrHelp) {
			c.usage()
			return err
		} else if err != nil {
			return &usageError{fmt.Sprintf(`%s; see "afterword %s -h"`, err, c.command.name)}
		}
		if c.flags.NArg() == 0 {
			break
		}
		c.args = append(c.args, c.flags.Arg(0))
		rest = c.flags.Args()[1:]
	}
	if len(c.args) != arguments {
		return &usageError{fmt.Sprintf("usage: afterword %s", strings.TrimSpace(c.command.name+" [flags] "+c.command.args))}
	}
	return nil
}

func (c *call) usage() {
	fmt.Fprintf(c.stdout, "afterword %s: %s\n\nusage: afterword %s\n\n", c.command.name, c.command.summary,
		strings.TrimSpace(c.command.name+" [flags] "+c.command.args))
	c.flags.SetOutput(c.stdout)
	c.flags.PrintDefaults()
}

// open reads the configuration and opens the database.
func (c *call) open() (*config.Config, *storage.DB, error) {
	cfg, err := config.Load(c.configPath, c.env)
	if err != nil {
		return nil, nil, err
	}
	c.cfg = cfg
	if c.db, err = storage.Open(cfg.Database, storage.Options{Base: cfg.BaseURL, Now: c.now}); err != nil {
		return nil, nil, err
	}
	return cfg, c.db, sameBase(c.ctx, c.db, cfg.BaseURL)
}

// sameBase refuses a base_url that is not the one of all ids in the database.
func sameBase(ctx context.Context, db *storage.DB, base string) error {
	begun, err := db.Setting(ctx, "base_url", func() (string, error) { return base, nil })
	if err == nil && begun != base {
		err = fmt.Errorf("base_url is %s and was %s when the database was begun, by which others know all that is in it: set it back, or begin with another database", base, begun)
	}
	return err
}

func (c *call) close() {
	if c.db != nil {
		c.db.Close()
	}
}

// printJSON prints a value for programs.
func (c *call) printJSON(v any) error {
	var text strings.Builder
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := io.WriteString(c.stdout, inert(text.String()))
	return err
}

// inert is JSON with what terminals obey written as an escape, which says the same: strangers' messages are in it.
func inert(text string) string {
	var out strings.Builder
	for _, r := range text {
		if r >= 0x7f && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

func (c *call) printf(format string, args ...any) { fmt.Fprintf(c.stdout, format, args...) }

func printVersion(c *call) error {
	if err := c.parse(0); err != nil {
		return err
	}
	c.printf("afterword %s\n", version)
	return nil
}

func printConfig(c *call) error {
	if err := c.parse(0); err != nil {
		return err
	}
	cfg, err := config.Load(c.configPath, c.env)
	if err != nil {
		return err
	}
	return cfg.Print(c.stdout)
}
