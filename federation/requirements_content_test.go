package federation_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"afterword/storage/storagetest"
	"afterword/thread"
)

// Group H of PROTOCOL section 11, with package sanitize for the text and package api for the pages: what strangers say,
// as it is stored for readers.

// harmless fails the test unless a comment's HTML has nothing but the few elements of the closed tree.
func harmless(t *testing.T, text string) {
	t.Helper()
	doc, err := html.ParseFragment(strings.NewReader(text), &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div})
	if err != nil {
		t.Fatal(err)
	}
	for _, top := range doc {
		for n := range nodes(top) {
			if n.Type == html.TextNode {
				continue
			}
			if n.Type != html.ElementNode || !strings.Contains(" p br a em strong code pre blockquote ul ol li del ", " "+n.Data+" ") {
				t.Errorf("%s in %.200s", n.Data, text)
			}
			for _, a := range n.Attr {
				u, err := url.Parse(a.Val)
				if a.Key == "href" && (err != nil || u.Scheme != "https" && u.Scheme != "http") || a.Key != "href" && a.Key != "rel" {
					t.Errorf("%s=%q in %.200s", a.Key, a.Val, text)
				}
			}
		}
	}
}

func nodes(top *html.Node) func(func(*html.Node) bool) {
	return func(yield func(*html.Node) bool) {
		if !yield(top) {
			return
		}
		for n := range top.Descendants() {
			if !yield(n) {
				return
			}
		}
	}
}

var attacks = []string{`<script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `<svg><style><img src=x onerror=alert(1)></style></svg>`,
	`<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>`, `<a href="javascript:alert(1)">x</a>`, `<a href="java&#10;script:alert(1)">x</a>`,
	`<a href="&#106;avascript:alert(1)">x</a>`, `<base href="https://evil.test/">`, `<p style="position:fixed">x</p>`, `<img srcset="x 1x, javascript:alert(1)">`,
	`<noscript><p title="</noscript><img src=x onerror=alert(1)>">`, `"><script>alert(1)</script>`, `<iframe srcdoc="<script>alert(1)</script>">`,
	`</p></div></body></html><script>alert(1)</script>`, `<!--><script>alert(1)</script>`, `<form action="https://evil.test"><input autofocus onfocus=alert(1)>`,
	`<a href="data:text/html,<script>alert(1)</script>">x</a>`, `<object data="x"></object><embed src="x">`, `<details open ontoggle=alert(1)>`, "<p\x00onclick=alert(1)>x</p>"}

func TestR091_NothingRuns(t *testing.T) {
	s := open(t)
	for i, attack := range attacks {
		p := s.stranger(fmt.Sprint("https://one.test/users/p", i))
		p.with(object{"name": attack, "preferredUsername": attack, "summary": attack, "url": "javascript:alert(1)", "icon": object{"type": "Image", "url": "javascript:alert(1)"}})
		id := fmt.Sprint("https://one.test/notes/", i)
		p.says(p.create(changed(p.note(id, note, "<p>said</p>"+attack), object{"summary": attack, "name": attack, "url": "javascript:alert(1)", "type": []string{"Note", "Article"}[i%2],
			"tag": []any{object{"type": "Emoji", "name": attack, "icon": object{"url": "javascript:alert(1)"}}}, "attachment": []any{object{"type": "Image", "name": attack, "url": "data:image/svg+xml,x"},
				object{"type": "Document", "name": attack, "url": `https://one.test/"onclick="alert(1)`}}, "contentMap": object{attack: attack}})))
		c := s.comment(id)
		harmless(t, c.HTML)
		if !strings.Contains(c.HTML, "said") || c.URL != id || strings.ContainsAny(c.Lang, "<> ") {
			t.Errorf("%q: %+v", attack, c)
		}
		if a := c.Author; a.URL != p.id || a.Avatar != "" || strings.ContainsRune(a.Name+a.Handle+c.Warning, 0) {
			t.Errorf("%q: %+v", attack, a)
		}
	}
}

func TestR092_TextIsNoHTML(t *testing.T) {
	s := open(t)
	p := s.stranger("https://one.test/p")
	for i, c := range []struct{ kind, content, want string }{
		{"text/markdown", "# Big\n\n*soft* **loud** <b onclick=x>raw</b> [there](https://two.test/) [bad](javascript:x)\n\n- one\n- two", "raw"},
		{"text/plain", "a <b> & c\nnext\n\nlast", "<p>a &lt;b&gt; &amp; c<br/>next</p><p>last</p>"},
		{"text/x.misskeymarkdown", "$[spin x] <b>", "<p>$[spin x] &lt;b&gt;</p>"},
		{"text/html", "one\ntwo", "<p>one<br/>two</p>"},
		{"", "I <3 you", "<p>I &lt;3 you</p>"},
	} {
		id := fmt.Sprint("https://one.test/notes/", i)
		p.says(p.create(changed(p.note(id, note, c.content), object{"mediaType": c.kind})))
		got := s.comment(id).HTML
		harmless(t, got)
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: %s", c.kind, got)
		}
	}
}

// The invisible parts of a shortened link are its text, too.
func TestR093_LinksAndMentions(t *testing.T) {
	s := open(t)
	p := s.stranger("https://one.test/p")
	p.says(p.create(p.note("https://one.test/notes/1", note, `<p><span class="h-card" translate="no"><a href="`+actor+`" class="u-url mention">@<span>blog</span></a></span> see `+
		`<a href="https://two.test/a/long/way/to/go" rel="nofollow"><span class="invisible">https://</span><span class="ellipsis">two.test/a/long</span><span class="invisible">/way/to/go</span></a></p>`)))
	if got := storagetest.Words(s.comment("https://one.test/notes/1").HTML); got != "@blog see https://two.test/a/long/way/to/go" && got != "@blog see two.test/a/long/way/to/go" && got != "see https://two.test/a/long/way/to/go" {
		t.Error(got)
	}
	p.says(p.create(p.note("https://one.test/notes/2", note, `<p><a href="`+actor+`" class="u-url mention">@blog@blog.test</a></p>`))) // and nothing else
	if got := s.verdict("https://one.test/notes/2"); got != "shown" {
		t.Error(got)
	}
}

func TestR094_R096_WarningsAndMedia(t *testing.T) {
	s := open(t)
	p := s.stranger("https://one.test/p")
	image := object{"type": "Document", "mediaType": "image/png", "url": "https://one.test/a.png", "name": "A tortoise."}
	for i, c := range []struct {
		members       object
		html, warning string
	}{
		{object{"summary": "eyes"}, "<p>Said.</p>", "eyes"},
		{object{"summary": "\u200b"}, "<p>Said.</p>", ""},
		{object{"summary": "<b>eyes</b>", "sensitive": true}, "<p>Said.</p>", "eyes"},
		{object{"attachment": image}, `<p>Said.</p><p><a href="https://one.test/a.png" rel="nofollow ugc noopener noreferrer">A tortoise.</a></p>`, ""},
		{object{"content": "", "attachment": []any{changed(image, object{"name": nil, "summary": "Alt by GoToSocial."})}}, `<p><a href="https://one.test/a.png" rel="nofollow ugc noopener noreferrer">Alt by GoToSocial.</a></p>`, ""},
		{object{"content": nil, "summary": "eyes", "attachment": changed(image, object{"name": nil})}, `<p><a href="https://one.test/a.png" rel="nofollow ugc noopener noreferrer">Picture</a></p>`, "eyes"},
		{object{"content": nil, "attachment": object{"type": "Video", "url": []any{object{"type": "Link", "mediaType": "video/mp4", "href": "https://one.test/a.mp4"}}}}, `<p><a href="https://one.test/a.mp4" rel="nofollow ugc noopener noreferrer">Video</a></p>`, ""},
		{object{"attachment": object{"type": "Link", "href": "https://one.test/b", "mediaType": "text/html"}}, `<p>Said.</p><p><a href="https://one.test/b" rel="nofollow ugc noopener noreferrer">https://one.test/b</a></p>`, ""},
		{object{"attachment": object{"type": "Document", "url": "https://one.test/b.pdf", "mediaType": "application/pdf"}}, `<p>Said.</p><p><a href="https://one.test/b.pdf" rel="nofollow ugc noopener noreferrer">Attachment</a></p>`, ""},
		{object{"attachment": []any{object{"type": "PropertyValue", "name": "x", "value": "y"}, nil, 5, "javascript:x"}}, "<p>Said.</p>", ""},
	} {
		id := fmt.Sprint("https://one.test/notes/", i)
		p.says(p.create(changed(p.note(id, note, "<p>Said.</p>"), c.members)))
		if got := s.comment(id); got.HTML != c.html || got.Warning != c.warning {
			t.Errorf("%v: %q, warning %q", c.members, got.HTML, got.Warning)
		}
	}
	for i, c := range []struct{ content, html string }{
		{`<p><img src="https://one.test/a.png"></p>`, `<p><a href="https://one.test/a.png" rel="nofollow ugc noopener noreferrer">Picture</a></p>`},
		{`<figure><IMG alt class=x SRC='https://one.test/a.png?b=1&amp;c=2'/></figure>`, `<p><a href="https://one.test/a.png?b=1&amp;c=2" rel="nofollow ugc noopener noreferrer">Picture</a></p>`},
		{`<video controls src="https://one.test/a.mp4"></video>`, `<p><a href="https://one.test/a.mp4" rel="nofollow ugc noopener noreferrer">Video</a></p>`},
		{`<p><img src="https://one.test/a.png" alt="A tortoise."></p>`, `<p>A tortoise.</p>`},
		{`<p>Said. <img src="https://one.test/a.png"></p>`, `<p>Said.</p>`},
		{`<p><a href="https://one.test/b"></a></p>`, `<p><a href="https://one.test/b" rel="nofollow ugc noopener noreferrer">https://one.test/b</a></p>`},
	} {
		id := fmt.Sprint("https://one.test/inline/", i)
		p.says(p.create(p.note(id, note, c.content)))
		if got := s.comment(id).HTML; got != c.html {
			t.Errorf("%s: %s", c.content, got)
		}
	}
	for i, nothing := range []any{`<img src=x onerror="alert(1)">`, `<img src="javascript:x">`, "", nil, "<p></p>", "<p><br></p>", " \n\u200b", "<script>x</script>", `<a href="javascript:x"></a>`, `<a href="/b"></a>`} {
		id := fmt.Sprint("https://one.test/empty/", i)
		p.says(p.create(p.note(id, note, "")))
		p.says(changed(p.create(changed(p.note(id+"x", note, ""), object{"content": nothing})), object{"id": id + "#x"}))
		if got := s.verdict(id + "x"); got != "ignored" {
			t.Errorf("%q: %s", nothing, got)
		}
	}
}

// Custom emoji stay the text that they are: no picture of another server is loaded by whoever reads.
func TestR095_NothingIsLoadedFromElsewhere(t *testing.T) {
	s := open(t)
	p := s.stranger("https://one.test/p").with(object{"name": "Pat :blobcat:"})
	p.says(p.create(changed(p.note("https://one.test/notes/1", note, `<p>:blobcat: <a href="https://one.test/:blobcat:">x</a><img src="https://one.test/track.png" alt="seen"></p>`),
		object{"tag": object{"type": "Emoji", "name": ":blobcat:", "id": nil, "icon": object{"type": "Image", "url": "https://one.test/blobcat.png"}}})))
	c := s.comment("https://one.test/notes/1")
	if strings.Contains(c.HTML, "<img") || strings.Contains(c.HTML, "track.png") || !strings.Contains(c.HTML, ":blobcat:") || c.Author.Name != "Pat :blobcat:" {
		t.Errorf("%s by %s", c.HTML, c.Author.Name)
	}
	if s.outboundTo("https://one.test/blobcat.png") > 0 {
		t.Error("fetched before anybody wants to see it")
	}
}

func TestR097_LongAndForeign(t *testing.T) {
	s := open(t)
	p := s.stranger("https://one.test/p")
	mentions := strings.Repeat(`<a href="https://two.test/u" class="mention">@u</a> `, 2_000)
	var tags []any
	for i := range 3_000 {
		tags = append(tags, object{"type": "Mention", "href": fmt.Sprint("https://two.test/u", i)})
	}
	for i, content := range []string{"<p>" + strings.Repeat("Grüße, Jürgen! ", 3_500) + "</p>", "<p>مرحبا بالعالم</p>", mentions, "<p>" + strings.Repeat("e\u0301\u0301\u0301\u0301\u0301\u0301", 500) + "</p>", strings.Repeat("<blockquote>", 5_000) + "x"} {
		id := fmt.Sprint("https://one.test/notes/", i)
		began := time.Now()
		p.says(p.create(changed(p.note(id, note, content), object{"tag": tags})))
		if got := s.comment(id).HTML; len(got) > 64<<10 || len(got) == 0 || !utf8.ValidString(got) {
			t.Errorf("%d: %d bytes", i, len(got))
		}
		if d := time.Since(began); d > 5*time.Second {
			t.Errorf("%d: took %s", i, d)
		}
	}
	if n := s.outbound(); n > 1 {
		t.Errorf("%d requests: nobody fetches whom strangers mention", n)
	}
	if got := storagetest.Words(s.comment("https://one.test/notes/1").HTML); got != "مرحبا بالعالم" {
		t.Error(got)
	}
}

func TestR098_WhoAndWhere(t *testing.T) {
	s := open(t)
	for _, kind := range []string{"Person", "Service", "Application", "Group", "Organization"} {
		p := s.stranger("https://one.test/" + kind).with(object{"type": kind, "url": []any{object{"type": "Link", "mediaType": "text/html", "href": "https://one.test/@" + kind}}})
		n := changed(p.note("https://one.test/notes/"+kind, note, "<p>Here.</p>"), object{"url": "https://one.test/@x/1"})
		p.says(p.create(n))
		c := s.comment("https://one.test/notes/" + kind)
		if c.Author.Bot != (kind == "Service" || kind == "Application") || c.Author.URL != "https://one.test/@"+kind || c.URL != "https://one.test/@x/1" {
			t.Errorf("%s: %+v", kind, c)
		}
	}
	p := s.stranger("https://one.test/p")
	for i, address := range []any{"javascript:alert(1)", "data:text/html,x", "/relative", []any{}, object{"type": "Link"}, nil, "ftp://one.test/"} {
		id := fmt.Sprint("https://one.test/notes/", i)
		p.says(p.create(changed(p.note(id, note, "<p>Here.</p>"), object{"url": address})))
		if c := s.comment(id); c.URL != id {
			t.Errorf("%v: %s", address, c.URL)
		}
	}
}

// Ids are names: what differs in a byte is another thing, but for the host.
func TestR100_IDsAreKeptByteForByte(t *testing.T) {
	s := open(t)
	p := s.stranger("https://one.test/p")
	above := note
	ids := []string{"https://one.test?c=148", "https://one.test/?p=1&c=2", "https://one.test/?c=2&p=1", "https://one.test/Notes/A", "https://one.test/notes/a", "https://one.test/notes/a/",
		"https://one.test/notes/a#fragment", "https://one.test/caf%C3%A9", "https://one.test/caf%c3%a9", "https://one.test/a;b=c,d'(e)*", "https://one.test//x/../y"}
	for _, id := range ids {
		p.says(p.create(p.note(id, above, "<p>Here.</p>")))
		if c := s.comment(id); string(c.ID) != id || above != note && string(c.Parent) != above {
			t.Errorf("%s is %s below %s", id, c.ID, c.Parent)
		}
		above = id
	}
	if all := s.walk(s.document(base + "/context/2026/march/")); len(all) != 1+len(ids) {
		t.Errorf("%v", all)
	}
	idn := s.stranger("https://xn--bcher-kva.test/p")
	idn.says(idn.create(changed(idn.note("https://bücher.test/1", note, "<p>IDN.</p>"), object{"attributedTo": "https://BÜCHER.test/p"})))
	if c := s.comment("https://xn--bcher-kva.test/1"); c.Author.ID != thread.IRI(idn.id) {
		t.Errorf("%+v", c)
	}
}
