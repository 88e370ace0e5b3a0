package sanitize

import (
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzHTML(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, in string) { check(t, HTML(in)) })
}

// pieces are what FuzzPieces makes documents of.
var pieces = strings.Split("x| |\n|é|\u0301|\u0e49|\u00a0|\u200b|\u200f|\u202e|&amp;|'|<p>|</p>|<pre>|</pre>|<ul>|</ul>|<ol>|</ol>|<li>|</li>|"+
	"<blockquote>|</blockquote>|<div>|</div>|<h1>|</h1>|<b>|</b>|<i>|</i>|<code>|</code>|<s>|</s>|<a href=https://e.example>|"+
	"<a href=https://раypal.com>|<a>|</a>|e.example|paypal.com|https://|раypal| [e.example]|<br>|<hr>|<tr>|<td>|<q>|</q>|<style>|</style>|"+
	"<template>|</template>|<span class=quote-inline>|<p class=quote-inline>|<span>|</span>|<img alt='a b'>|<svg>|<table>|<!--|-->", "|")

// FuzzPieces makes documents of pieces, one for each byte, and long ones, to meet the limits, by repetition.
func FuzzPieces(f *testing.F) {
	f.Add([]byte("abc"), uint16(1))
	f.Fuzz(func(t *testing.T, doc []byte, times uint16) {
		var in strings.Builder
		for _, b := range doc {
			in.WriteString(pieces[int(b)%len(pieces)])
		}
		check(t, HTML(strings.Repeat(in.String(), 1+int(times)%max(1, maxIn/max(1, in.Len())))))
	})
}

func FuzzMarkdown(f *testing.F) {
	seed(f)
	f.Add("# h\n\n* a\n  1. b\n\n> *q* **s** `c` ~~d~~ [l](https://e.example) https://e.example <b>x</b>\n\n```\ncode\n```")
	f.Fuzz(func(t *testing.T, in string) { check(t, Markdown(in)) })
}

func FuzzPlain(f *testing.F) {
	seed(f)
	f.Add("see https://e.example/a_(b), or\r\n\r\n(http://раypal.com)\n\n\n\nbye")
	f.Fuzz(func(t *testing.T, in string) { check(t, Plain(in)) })
}

func FuzzText(f *testing.F) {
	seed(f)
	f.Add("<pre>\u200b x")
	f.Fuzz(func(t *testing.T, in string) {
		for _, out := range []string{Text(in, 80), Name(in, 80)} {
			checkLine(t, out, 80)
		}
		if out := HTML(in); len(out) < 10_000 && Text(out, 1<<20) != Text(in, 1<<20) {
			t.Fatalf("stored text says something else: %q", out)
		}
	})
}

// FuzzNote: the blog's own HTML is trusted but must be as sound.
func FuzzNote(f *testing.F) {
	seed(f)
	f.Add(`<a href="https://e.example/%zz#">x`)
	f.Fuzz(func(t *testing.T, in string) {
		out := Note(in, "https://blog.example/a/")
		reread(t, out)
		if again := Note(out, "https://other.example/"); again != out {
			t.Fatalf("no fixed point:\n1: %.2000q\n2: %.2000q", out, again)
		}
		check(t, HTML(out))
		if names, rest := SplitMentions(HTML(in)); names != "" && "<p>"+names+rest != HTML(in) {
			t.Errorf("mentions of %q: %q %q", HTML(in), names, rest)
		}
	})
}

func FuzzLink(f *testing.F) {
	f.Add("https://EXAMPLE.com:443/a b?c=%zz#é")
	f.Add("http://[::1]/")
	f.Add("https://good.example:80@evil.example/")
	f.Add("https://" + strings.Repeat("é.", 60))
	f.Fuzz(func(t *testing.T, in string) {
		out := Link(in)
		if Link(out) != out {
			t.Fatalf("%q, then %q", out, Link(out))
		}
		u, err := url.Parse(out)
		if out != "" && (err != nil || u.User != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
			t.Fatalf("%q: %+v, %v", out, u, err)
		}
	})
}

// checkLine holds what is promised of plain text.
func checkLine(t *testing.T, s string, max int) {
	t.Helper()
	checkText(t, s)
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > max || strings.ContainsAny(s, "\n\t") {
		t.Fatalf("not a line of %d: %q", max, s)
	}
	if again := Name(s, max); again != s {
		t.Fatalf("no fixed point: %q, then %q", s, again)
	}
}

// seed gives a fuzzer what the other tests know.
func seed(f *testing.F) {
	for _, c := range goldens(f) {
		f.Add(c.in)
	}
	for _, in := range payloads(f) {
		f.Add(in)
	}
	for _, in := range worst {
		f.Add(in(2000))
	}
}
