package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"afterword/sanitize"
	"afterword/storage"
	"afterword/thread"
)

func TestPage(t *testing.T) {
	s, p := debate(t)
	answer, text := s.get("/t?url=" + p.URL)
	golden(t, "page.html", strings.ReplaceAll(text, styleCSS.version, "HASH"))
	_, fragment := s.get("/embed/thread?url=" + p.URL)
	if !strings.Contains(text, fragment) {
		t.Error("page and fragment have different markup")
	}
	if strings.Contains(text, "secret") || strings.Contains(text, "Reply") || strings.Contains(text, "style=") || strings.Contains(text, "<script") {
		t.Error("something is in the page that must not be")
	}
	for name, want := range map[string]string{
		"Content-Type":    "text/html; charset=utf-8",
		"Referrer-Policy": "no-referrer",
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; " +
			"frame-ancestors 'self'",
	} {
		if got := answer.Header.Get(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	wellFormed(t, text)
}

// wellFormed checks that what a browser reads is what was written: ids are unique and every reference has its target.
func wellFormed(t *testing.T, text string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	ids, wanted := map[string]int{}, []string{}
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			switch {
			case a.Key == "id":
				ids[a.Val]++
			case a.Key == "aria-labelledby":
				wanted = append(wanted, a.Val)
			case a.Key == "href" && strings.HasPrefix(a.Val, "#"):
				wanted = append(wanted, a.Val[1:])
			case strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "src":
				t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
			case a.Key == "href" && !strings.HasPrefix(a.Val, "http"):
				t.Errorf("<%s href=%q>", n.Data, a.Val)
			}
		}
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("%d elements with id %q", n, id)
		}
	}
	for _, id := range wanted {
		if ids[id] == 0 {
			t.Errorf("nothing has the id %q", id)
		}
	}
}

// TestR089_ReplyOnlyWhereOpen: PROTOCOL 89. An open thread tells how to reply under the post and every comment; a closed
// branch, an imported comment and a closed thread do not.
func TestR089_ReplyOnlyWhereOpen(t *testing.T) {
	s := newSite(t, nil)
	a := s.person("a", "A")
	p := s.post("p", storage.Draft{})
	s.comment(p, thread.Comment{ID: id(1), Author: a})
	s.comment(p, thread.Comment{ID: id(2), Parent: id(1), Author: a})
	s.comment(p, thread.Comment{ID: id(3), Author: a})
	s.comment(p, thread.Comment{ID: id(4), Parent: id(3), Author: a})
	s.comment(p, thread.Comment{ID: id(5), Author: a, Imported: true})
	s.must(s.DB.CloseBranch(t.Context(), id(3), s.now()))
	affordances := func() (ids []string) {
		_, text := s.get("/embed/thread?url=" + p.URL)
		for _, part := range strings.Split(text, `<button class="aw-ask aw-reply" name="uri" form="ask-`+p.ID.Anchor()+`" value="`)[1:] {
			id, text, _ := strings.Cut(part, `"`)
			ids = append(ids, id)
			if !strings.HasPrefix(text, ">Reply from your Mastodon or fediverse account<") &&
				!strings.HasPrefix(text, ` aria-label="Reply to A" title="Reply from your Mastodon or fediverse account">Reply<`) {
				t.Error(text)
			}
		}
		return ids
	}
	if got, want := fmt.Sprint(affordances()), fmt.Sprint([]thread.IRI{p.ID, id(1), id(2)}); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	_, text := s.get("/t?url=" + p.URL)
	if n := strings.Count(text, "Replies to this comment are closed."); n != 1 || strings.Contains(text, "Comments are closed.") {
		t.Error(n, "notices of the closed branch")
	}
	s.must(s.DB.CloseThread(t.Context(), p.ID, s.now()))
	_, text = s.get("/t?url=" + p.URL)
	if got := affordances(); got != nil || !strings.Contains(text, "<strong>Comments are closed.</strong> <time datetime=\"2026-03-01T12:05:00Z\">1 March 2026</time>") {
		t.Error(got, text)
	}
	for range 3 {
		s.verdict(p, &thread.Comment{ID: id(100 + int(s.clock.Load()/1e9)), Author: a}, thread.TooLate)
	}
	if _, text = s.get("/t?url=" + p.URL); !strings.Contains(text, "3 replies came after closing") {
		t.Error("does not tell of late replies")
	}
}

func TestScheduledAndModerated(t *testing.T) {
	s := newSite(t, func(c *Config) {
		c.Rules.Moderation = thread.ModerateFirst
		c.BlogOrigins = []string{"https://blog.example"}
	})
	p := s.post("p", storage.Draft{})
	s.must(s.DB.CloseThread(t.Context(), p.ID, noon.AddDate(0, 1, 4)))
	answer, text := s.get("/t?url=" + p.URL)
	for _, want := range []string{"Comments close on 5 April 2026.", "New comments may wait for approval.", "No comments",
		"Reply from your Mastodon"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in %s", want, text)
		}
	}
	if csp := answer.Header.Get("Content-Security-Policy"); !strings.HasSuffix(csp, "frame-ancestors 'self' https://blog.example") {
		t.Error(csp)
	}
}

// TestDepth: indentation stops, the tree does not; from there on a comment says whom it answers.
func TestDepth(t *testing.T) {
	s := newSite(t, nil)
	p := s.post("p", storage.Draft{})
	parent := thread.IRI("")
	for i := range 600 {
		a := s.person(fmt.Sprint("a", i%9), fmt.Sprint("Name", i%9))
		parent = s.comment(p, thread.Comment{ID: id(i), Parent: parent, Author: a}).ID
	}
	if c := s.thread(p, "").Comments; len(c) != 600 || c[599].Depth != 599 {
		t.Error("the tree was cut")
	}
	_, text := s.get("/t?url=" + p.URL)
	wellFormed(t, text)
	if lists, replies := strings.Count(text, "<ol>"), strings.Count(text, ">in reply to <bdi>"); lists != maxIndent+1 || replies != 600-1-maxIndent {
		t.Error(lists, "lists,", replies, "mentions")
	}
	want := fmt.Sprintf(`<a href="#%s">in reply to <bdi>Name%d</bdi></a>`, id(598).Anchor(), 598%9)
	if !strings.Contains(text, want) {
		t.Error("the last does not say whom it answers")
	}
}

// TestLongComments: of a long comment the rest is folded, at the end of a paragraph or a line; what was folded by its author is not
// folded twice.
func TestLongComments(t *testing.T) {
	s := newSite(t, nil)
	p, a := s.post("p", storage.Draft{}), s.person("a", "A")
	paragraph := "<p>" + strings.Repeat("Words and words. ", 60) + "</p>"
	for i, c := range []thread.Comment{{HTML: strings.Repeat(paragraph, 10)}, {HTML: strings.Repeat(paragraph, 3)}, {HTML: strings.Repeat(paragraph, 10), Warning: "Long"},
		{HTML: "<p>" + strings.Repeat("Words and words. ", 600) + "</p>"}, {HTML: strings.Repeat("<b>A line</b> of words.<br><br>", 300)}} {
		c.ID, c.Author, c.HTML = id(i), a, sanitize.HTML(c.HTML)
		s.comment(p, c)
	}
	_, text := s.get("/t?url=" + p.URL)
	wellFormed(t, text)
	folded := "<details><summary>Show more</summary>" + strings.Repeat(sanitize.HTML(paragraph), 7) + "</details></div>"
	lines := "of words.</p><details><summary>Show more</summary><p>" + "<strong>A line</strong> of words.<br/><br/>"
	if n := strings.Count(text, "Show more"); n != 2 || strings.Count(text, folded) != 1 || strings.Count(text, lines) != 1 {
		t.Error(n, text)
	}
}

// TestAnswersDeleted: what is gone has no name to put into a sentence.
func TestAnswersDeleted(t *testing.T) {
	s := newSite(t, nil)
	p, a := s.post("p", storage.Draft{}), s.person("a", "A")
	s.comment(p, thread.Comment{ID: id(1), Author: a})
	s.comment(p, thread.Comment{ID: id(2), Parent: id(1), Author: a})
	s.must(s.DB.DeleteComment(t.Context(), storage.Message{}, id(1), thread.Verdict{Decision: thread.Done}))
	for lang, want := range map[string]string{"en": "in reply to a deleted comment", "de": "Antwort auf einen gelöschten Kommentar"} {
		if _, text := s.get("/t?depth=0&lang=" + lang + "&url=" + p.URL); !strings.Contains(text, `#`+id(1).Anchor()+`">`+want+"</a>") {
			t.Error(lang, text)
		}
	}
}

// TestNotePage: the page at a Note's id is the thread page, and says that others get something else there.
func TestNotePage(t *testing.T) {
	s, p := debate(t)
	w := httptest.NewRecorder()
	s.ThreadPage(w, httptest.NewRequest("GET", "/posts/debate/", nil), p.ID)
	_, page := s.get("/t?url=" + p.URL)
	if w.Body.String() != page || w.Header().Get("Vary") != "Accept, Accept-Encoding" {
		t.Error(w.Header(), w.Body)
	}
	w = httptest.NewRecorder()
	s.ThreadPage(w, httptest.NewRequest("GET", "/posts/never/", nil), "https://comments.example/posts/never/")
	if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "There is no post with this address here.") {
		t.Error(w.Code, w.Body)
	}
}

// TestR012_ExactID: Mastodon takes the alternate link only when it is the id, byte for byte.
func TestR012_ExactID(t *testing.T) {
	s := newSite(t, nil)
	p, _, err := s.DB.SavePost(t.Context(), storage.Draft{URL: "https://blog.example/It's_(a)_page/ü/?p=1&q=a+b"})
	s.must(err)
	w := httptest.NewRecorder()
	s.ThreadPage(w, httptest.NewRequest("GET", "/", nil), p.ID)
	root, err := html.Parse(w.Body)
	s.must(err)
	found := ""
	for n := range root.Descendants() {
		if n.Data == "link" && n.Attr[1].Val == "application/activity+json" {
			found = n.Attr[2].Val
		}
	}
	if found != string(p.ID) {
		t.Errorf("%q, want %q", found, p.ID)
	}
}

func TestMoreComments(t *testing.T) {
	s := newSite(t, nil)
	p := s.post("p", storage.Draft{})
	a := s.person("a", "A")
	for i := range 5 {
		s.comment(p, thread.Comment{ID: id(i), Author: a, HTML: fmt.Sprintf("<p>No. %d</p>", i)})
	}
	seen := ""
	for next := "/t?lang=de&sort=newest&limit=2&url=" + p.URL; next != ""; {
		_, text := s.get(next)
		wellFormed(t, text)
		for _, after := range strings.Split(text, "<p>No. ")[1:] {
			seen += after[:1]
		}
		seen += " "
		_, after, found := strings.Cut(text, `rel="next" href="`+s.Base)
		next, _, _ = strings.Cut(html.UnescapeString(after), `"`)
		if found && !strings.Contains(text, "Weitere Kommentare") {
			t.Error("the language was lost")
		}
	}
	if seen != "43 21 0 " {
		t.Error(seen)
	}
}

func TestLanguages(t *testing.T) {
	s := newSite(t, func(c *Config) { c.Blog.Lang = "fr-CA" })
	a := s.person("a", "A")
	for _, c := range []struct{ post, asked, lang, dir, says string }{
		{"de-AT", "", "de", "ltr", "2 Kommentare"},
		{"", "", "fr", "ltr", "2 commentaires"},
		{"fi", "", "fr", "ltr", "2 commentaires"},
		{"de", "es", "es", "ltr", "2 comentarios"},
		{"de", "tlh", "de", "ltr", "2 Kommentare"},
		{"ja", "", "ja", "ltr", "コメント2件"},
		{"ar", "", "ar", "rtl", "تعليقان"},
		{"ar", "en", "en", "ltr", "2 comments"},
	} {
		p := s.post(c.post+c.asked+c.lang, storage.Draft{Lang: c.post})
		s.comment(p, thread.Comment{ID: p.ID + "1", Author: a})
		s.comment(p, thread.Comment{ID: p.ID + "2", Author: a})
		_, text := s.get("/t?url=" + p.URL + "&lang=" + c.asked)
		for _, want := range []string{fmt.Sprintf(`<html lang="%s" dir="%s">`, c.lang, c.dir), "<h2", ">" + c.says + "</h2>"} {
			if !strings.Contains(text, want) {
				t.Errorf("%+v: no %s", c, want)
			}
		}
	}
}

// TestWords: every language has every text, with the placeholders of the English one and a form for every number.
func TestWords(t *testing.T) {
	fields := func(w *words) []string {
		return []string{w.NoComments, w.Comments, w.Likes, w.Boosts, w.Late, w.Closed, w.ClosesOn, w.BranchClosed, w.Approval, w.Reply,
			w.HowTo, w.Follow, w.HowToFollow, w.Account, w.News, w.ReplyHere, w.ReplyTo, w.Continue, w.Close, w.Copy, w.GoOn, w.NoServer,
			w.Author, w.Bot, w.Imported, w.Edited, w.Deleted, w.InReplyTo, w.ToDeleted, w.Rest, w.Warning, w.Original,
			w.More, w.Talk, w.NotFound, w.Oh}
	}
	english := fields(languages["en"])
	for lang, w := range languages {
		if lang != w.Lang || len(w.months) != 12 {
			t.Error(lang, w.Lang, w.months)
		}
		for i, text := range fields(w) {
			if text == "" || strings.Contains(text, "%s") != strings.Contains(english[i], "%s") {
				t.Errorf("%s: %q for %q", lang, text, english[i])
			}
		}
		for n := range 200 {
			for _, forms := range []string{w.Comments, w.Likes, w.Boosts, w.Late, w.News} {
				if said := w.count(forms, n); n > 2 && !strings.Contains(said, fmt.Sprint(n)) {
					t.Errorf("%s: %q for %d", lang, said, n)
				}
			}
		}
	}
	for _, c := range []struct {
		lang string
		n    int
		want string
	}{
		{"en", 0, "0 comments"}, {"en", 1, "1 comment"}, {"en", 2, "2 comments"}, {"fr", 0, "0 commentaire"}, {"fr", 2, "2 commentaires"},
		{"ar", 0, "لا تعليقات"}, {"ar", 1, "تعليق واحد"}, {"ar", 3, "3 تعليقات"}, {"ar", 11, "11 تعليقًا"}, {"ar", 100, "100 تعليق"},
		{"ar", 102, "102 تعليق"}, {"ar", 103, "103 تعليقات"},
	} {
		if w := languages[c.lang]; w.count(w.Comments, c.n) != c.want {
			t.Error(c, w.count(w.Comments, c.n))
		}
	}
	day := time.Date(2026, 5, 3, 23, 59, 0, 0, time.FixedZone("", -3600))
	for lang, want := range map[string]string{"en": "4 May 2026", "de": "4. Mai 2026", "fr": "4 mai 2026", "es": "4 de mayo de 2026",
		"ja": "2026年5月4日", "ar": "4 مايو 2026"} {
		if got := languages[lang].date(day); got != want {
			t.Errorf("%s: %s", lang, got)
		}
	}
}

func TestInitials(t *testing.T) {
	for name, want := range map[string]string{"Alice Wonder": "AW", "bob": "B", "  Ünal van der Berg ": "ÜB", "": "", "<script>": "S", "🦊🦊": "🦊",
		"太郎": "太", "عمر الخيام": "عا", "(x)": "X", "Z̷a̵lgo": "Z", "\u202e": ""} {
		if got := initials(name); got != want {
			t.Errorf("%q: %q", name, got)
		}
	}
	if got := name(thread.Author{Name: " ", Handle: "@x@a.example"}); got != "x" {
		t.Error(got)
	}
	if got := name(thread.Author{ID: "https://a.example/1"}); got != "a.example" {
		t.Error(got)
	}
}

// TestNames: an account that shows no name is called by its handle.
func TestNames(t *testing.T) {
	for given, want := range map[string]string{"": "kim", " ": "kim", "\u0301\u0301": "kim", "\u200e\u200d": "kim", "\ufe0f": "kim",
		"🦊": "🦊", "e\u0301": "e\u0301", "!": "!", "علي": "علي"} {
		if got := name(thread.Author{Name: given, Handle: "@kim@remote.example"}); got != want {
			t.Errorf("%q is called %q, want %q", given, got, want)
		}
	}
}

// TestAnchor: permalinks are for ever.
func TestAnchor(t *testing.T) {
	if got := thread.IRI("https://remote.example/notes/1").Anchor(); got != "c-a7b4cc289ea6" {
		t.Error(got)
	}
}

// TestMentionsAreSmall: the names that a reply begins with are there, and out of the way.
func TestMentionsAreSmall(t *testing.T) {
	s := newSite(t, nil)
	p := s.post("a", storage.Draft{Title: "A"})
	bob := s.person("bob", "Bob")
	to := `<a href="https://alpha.example/@alice" rel="nofollow ugc noopener noreferrer">@alice</a>`
	s.comment(p, thread.Comment{ID: id(1), Author: bob, HTML: "<p>" + to + " Yes.</p>"})
	s.comment(p, thread.Comment{ID: id(2), Author: bob, HTML: "<p>" + to + "</p>"})
	_, got := s.get("/t?url=" + p.URL)
	for _, want := range []string{`<p><bdi class="aw-names">` + to + `</bdi> Yes.</p>`, `auto"><p>` + to + `</p>`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in\n%s", want, got)
		}
	}
}
