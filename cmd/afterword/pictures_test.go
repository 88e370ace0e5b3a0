package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"afterword/config"
	"afterword/thread"
)

const media = "https://media.test/"

// noise is a picture like no other, so that its bytes can be searched for.
func noise(width, height int, seed uint64) image.Image {
	m, r := image.NewNRGBA(image.Rect(0, 0, width, height)), rand.New(rand.NewPCG(seed, 0))
	for y := range height {
		for x := range width {
			m.SetNRGBA(x, y, color.NRGBA{uint8(r.Uint32()), uint8(r.Uint32()), uint8(r.Uint32()), 255})
		}
	}
	return m
}

func pngOf(m image.Image) []byte {
	var b bytes.Buffer
	png.Encode(&b, m) //nolint:errcheck // into memory
	return b.Bytes()
}

// moving has two frames: a picture, and nothing but black.
func moving(m image.Image) []byte {
	colours := color.Palette{color.Black, color.White, color.NRGBA{255, 0, 0, 255}}
	first, second := image.NewPaletted(m.Bounds(), colours), image.NewPaletted(m.Bounds(), colours)
	for i := range first.Pix {
		first.Pix[i] = 2
	}
	var b bytes.Buffer
	gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{first, second}, Delay: []int{5, 5}}) //nolint:errcheck // into memory
	return b.Bytes()
}

// claiming makes a PNG say that it is larger than it is.
func claiming(width, height uint32) []byte {
	file := pngOf(noise(1, 1, 1))
	binary.BigEndian.PutUint32(file[16:], width)
	binary.BigEndian.PutUint32(file[20:], height)
	binary.BigEndian.PutUint32(file[29:], crc32.ChecksumIEEE(file[12:29]))
	return file
}

// attaching are the members of a note with pictures, each described by the name of its file.
func attaching(files ...string) object {
	list := []any{}
	for _, name := range files {
		list = append(list, object{"type": "Document", "mediaType": "image/png", "url": media + name, "name": "A \"" + name + "\" & <more>"})
	}
	return object{"attachment": list}
}

// showing starts a server with images set to a value, and a host that serves these files.
func showing(t *testing.T, images string, files map[string][]byte) *site {
	t.Helper()
	s := newSite(t, func(_ *config.Config, running *server) {
		running.readers.Pictures, running.readers.Attachments = images != "none", images == "all"
	})
	for name, file := range files {
		s.serve(media+name, sending(http.StatusOK, "Content-Type", "image/png", file))
	}
	return s
}

// look fetches every picture that is due.
func (s *site) look() {
	s.Helper()
	if _, err := drain(s.ctx, "pictures", s.server.readers.StepPictures); err != nil {
		s.Fatal(err)
	}
}

// asked is how often the host of the pictures was asked for a file; "" for any.
func (s *site) asked(file string) (n int) {
	for _, line := range s.network.Log() {
		if strings.Contains(line, strings.TrimPrefix(media, "https://")+file) {
			n++
		}
	}
	return n
}

func (s *site) read(path string) (*httptest.ResponseRecorder, string) {
	s.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Host = blogHost
	s.server.handler.ServeHTTP(w, r)
	return w, w.Body.String()
}

// texts are the comments' HTML as programs get it.
func (s *site) texts() (all []string) {
	s.Helper()
	var answer struct{ Comments []struct{ HTML string } }
	if _, text := s.read("/api/v1/thread?url=" + marchPage); json.Unmarshal([]byte(text), &answer) != nil {
		s.Fatal(text)
	}
	for _, c := range answer.Comments {
		all = append(all, c.HTML)
	}
	return all
}

// ours is the path of the nth picture of ours in HTML; empty when there are fewer.
func ours(html string, n int) string {
	parts := strings.Split(html, ` src="`+blogBase)
	if n+1 >= len(parts) {
		return ""
	}
	path, _, _ := strings.Cut(parts[n+1], `"`)
	return path
}

func (s *site) shows(n int) {
	s.Helper()
	if got := strings.Count(strings.Join(s.texts(), ""), "<img "); got != n {
		s.Errorf("%d pictures are shown, want %d: %q", got, n, s.texts())
	}
}

// TestPicturesInComments: with "all" readers see the pictures of comments, each from our own host and made anew.
func TestPicturesInComments(t *testing.T) {
	var photo bytes.Buffer
	jpeg.Encode(&photo, noise(900, 1800, 2), nil) //nolint:errcheck // into memory
	photograph := append([]byte("\xff\xd8\xff\xe1\x00\x16Exif\x00\x00GPS-Canary-12"), photo.Bytes()[2:]...)
	webp, _ := base64.StdEncoding.DecodeString("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA")
	s := showing(t, "all", map[string][]byte{"a.png": pngOf(noise(1300, 300, 1)), "b.jpg": photograph, "c.gif": moving(noise(30, 20, 3)), "d.webp": webp, "e.png": pngOf(noise(9, 9, 4))})
	s.accepts(by(alice, creates("Look.", attaching("a.png", "b.jpg", "c.gif", "d.webp", "e.png")))(s))
	s.clock.advance(time.Minute)
	s.accepts(by(bob, creates("x", but(attaching("e.png"), object{"content": ""})))(s)) // nothing but a picture
	if s.shows(0); !strings.Contains(s.texts()[1], `<p><a href="https://media.test/e.png" rel="nofollow ugc noopener noreferrer">A &#34;e.png&#34; &amp; &lt;more&gt;</a></p>`) {
		t.Error("the link is missing:", s.texts()[1])
	}
	s.look()
	s.shows(5)
	want := []string{"jpeg 640 147", "jpeg 320 640", "jpeg 30 20", "jpeg 1 1"}
	for i, want := range want {
		w, file := s.read(ours(s.texts()[0], i))
		m, format, err := image.Decode(strings.NewReader(file))
		if err != nil {
			t.Fatal(i, err, w.Code)
		}
		if got := fmt.Sprint(format, " ", m.Bounds().Dx(), " ", m.Bounds().Dy()); got != want || w.Header().Get("Content-Type") != "image/"+format {
			t.Error(got, want, w.Header())
		}
		if r, _, b, _ := m.At(5, 5).RGBA(); i == 2 && (r < 0xe000 || b > 0x2000) {
			t.Error("not the first frame", r, b)
		}
		if strings.Contains(file, "Canary") {
			t.Error("what was beside the pixels is still there")
		}
	}
	img := `<p><a href="https://media.test/e.png" rel="nofollow ugc noopener noreferrer"><img class="aw-picture" loading="lazy" alt="A &#34;e.png&#34; &amp; &lt;more&gt;" width="9" height="9" src="` + blogBase + ours(s.texts()[1], 0) + `"></a></p>`
	for _, path := range []string{"/t?url=" + marchPage, "/embed/thread?url=" + marchPage} {
		w, html := s.read(path)
		if !strings.Contains(html, img) || strings.Contains(html, `src="`+media) || !strings.Contains(w.Header().Get("Content-Security-Policy"), "img-src 'self'") {
			t.Errorf("%s %q\n%s", path, w.Header(), html)
		}
	}
	if s.texts()[1] != img {
		t.Errorf("%q, want %q", s.texts()[1], img)
	}
	if c, err := s.db.Comment(s.ctx, thread.IRI(s.bob.note("x")["id"].(string))); err != nil || strings.Contains(c.HTML, "<img") {
		t.Error("what is stored has pictures in it", c.HTML, err)
	}
	asked := s.asked("")
	if s.look(); s.asked("") != asked || asked != 5 { // e.png is the fifth of one comment, and the first of another
		t.Error(asked, "requests, then", s.asked(""))
	}
	s.clock.advance(31 * 24 * time.Hour)
	s.serve(media+"a.png", sending(http.StatusServiceUnavailable, "Retry-After", "60", ""))
	s.serve(media+"c.gif", sending(http.StatusGone, "Content-Type", "text/plain", ""))
	s.look()
	s.shows(4) // what is gone goes, what is only out of reach stays
}

// TestPicturesAreNotFetched unless the configuration says so, nor where nobody is to see them.
func TestPicturesAreNotFetched(t *testing.T) {
	file := map[string][]byte{"a.png": pngOf(noise(50, 50, 1))}
	for _, images := range []string{"none", "avatars"} {
		s := showing(t, images, file)
		s.accepts(by(alice, creates("Look.", attaching("a.png")))(s))
		s.look()
		if s.shows(0); s.asked("") != 0 {
			t.Error(images, s.network.Log())
		}
		s.server.readers.Pictures, s.server.readers.Attachments = true, true // the blogger changes his mind
		s.look()
		s.shows(1)
	}
	for name, members := range map[string]object{"sensitive": {"sensitive": true}, "warned of": {"summary": "Spiders"}, "private": {"to": []any{blogActor}}, "film": {"attachment": object{"type": "Video", "url": media + "a.png"}}} {
		s := showing(t, "all", file)
		s.accepts(by(alice, creates("Look.", but(attaching("a.png"), members)))(s))
		s.look()
		if s.shows(0); s.asked("") != 0 {
			t.Error(name, s.network.Log())
		}
	}
	s := showing(t, "all", file)
	if err := s.db.CloseThread(s.ctx, marchNote, time.Time{}); err != nil {
		t.Fatal(err)
	}
	s.clock.advance(time.Hour)
	s.accepts(by(alice, creates("Look.", attaching("a.png")))(s))
	s.look()
	id := thread.IRI(s.alice.note("Look.")["id"].(string))
	if c, err := s.db.Comment(s.ctx, id); err != nil || c.State != thread.Late || s.asked("") != 0 {
		t.Error(c.State, err, s.network.Log())
	}
	if err := s.db.Moderate(s.ctx, id, thread.Visible); err != nil {
		t.Fatal(err)
	}
	s.look()
	s.shows(1)
}

// TestHostilePictures: what is no picture, or too much of one, stays a link.
func TestHostilePictures(t *testing.T) {
	good := pngOf(noise(60, 60, 1))
	files := map[string][]byte{"a.svg": []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), "b.png": []byte("<!doctype html><script>alert(1)</script>"),
		"c.png": claiming(100000, 100000), "d.png": claiming(1, 1<<31-1), "e.png": append(bytes.Clone(good), make([]byte, 10<<20)...), "f.png": good[:len(good)/2], "g.png": nil, "h.png": claiming(4097, 4097)}
	s := showing(t, "all", files)
	for name := range files {
		s.accepts(by(alice, creates(name, attaching(name)))(s))
	}
	for i, location := range []string{"https://127.0.0.1/a.png", "http://media.test/a.png", "file:///etc/passwd", media + "i1.png"} {
		name := fmt.Sprintf("i%d.png", i)
		s.serve(media+name, sending(http.StatusFound, "Location", location, ""))
		s.accepts(by(alice, creates(name, attaching(name)))(s))
	}
	s.look()
	if s.shows(0); s.asked("") < len(files)+4 {
		t.Error("not all were asked for", s.network.Log())
	}
	asked := s.asked("")
	if s.look(); s.asked("") != asked {
		t.Error("what failed is asked for again at once")
	}
	for _, line := range s.network.Log() {
		if strings.Contains(line, "127.0.0.1") {
			t.Error("a private host was asked", line)
		}
	}
}

// TestSlowPicture: nobody waits for a server that does not answer, and what was fetched by half is not kept.
func TestSlowPicture(t *testing.T) {
	s := showing(t, "all", nil)
	ctx, stop := context.WithCancel(s.ctx)
	s.serve(media+"a.png", func(w http.ResponseWriter, r *http.Request) {
		if s.shows(0); len(s.texts()) != 1 {
			t.Error("readers wait")
		}
		stop()
	})
	s.accepts(by(alice, creates("Look.", attaching("a.png")))(s))
	if worked, err := s.server.readers.StepPictures(ctx); worked || !errors.Is(err, context.Canceled) {
		t.Error(worked, err)
	}
	s.serve(media+"a.png", sending(http.StatusOK, "Content-Type", "image/png", pngOf(noise(5, 5, 1))))
	s.look()
	s.shows(1)
}

// TestPicturesComeTogether: a thread is made anew once for all that were fetched at a time.
func TestPicturesComeTogether(t *testing.T) {
	files := map[string][]byte{}
	for i := range 8 {
		files[fmt.Sprint(i, ".png")] = pngOf(noise(5, 5, uint64(i)))
	}
	s := showing(t, "all", files)
	for i := range 8 {
		s.accepts(by(alice, creates(fmt.Sprint("n", i), attaching(fmt.Sprint(i, ".png"))))(s))
	}
	revision := func() int64 {
		p, err := s.db.Post(s.ctx, marchNote)
		if err != nil {
			t.Fatal(err)
		}
		return p.Revision
	}
	s.shows(0)
	before := revision()
	s.look()
	if s.shows(8); revision() != before+1 {
		t.Error("the thread changed", revision()-before, "times")
	}
}

// TestPicturesAreErased: with what they belonged to, from the cache and from every file (SECURITY P17).
func TestPicturesAreErased(t *testing.T) {
	note := func(s *site) thread.IRI { return thread.IRI(s.alice.note("Look.")["id"].(string)) }
	moderate := func(to thread.State) func(*site) error {
		return func(s *site) error { return s.db.Moderate(s.ctx, note(s), to) }
	}
	sends := func(message func(*account) object) func(*site) error {
		return func(s *site) error { s.accepts(by(alice, message)(s)); return nil }
	}
	block := func(s *site) error { _, _, err := s.db.Block(s.ctx, "good.test"); return err }
	for name, how := range map[string]struct{ erase, back func(*site) error }{
		"edited":    {erase: sends(updates("Look.", 1, object{"content": "<p>Look again.</p>"}))},
		"warned of": {erase: sends(updates("Look.", 1, but(attaching("a.png"), object{"summary": "Spiders"})))},
		"another":   {erase: sends(updates("Look.", 1, attaching("b.png")))},
		"deleted":   {erase: sends(tells("Delete", func(s *site) string { return string(note(s)) }))},
		"account":   {erase: sends(func(a *account) object { return but(a.does("Delete", a.id), object{"to": []any{everybody}}) })},
		"withdrawn": {erase: sends(updates("Look.", 1, object{"to": []any{"https://good.test/users/alice/followers"}}))},
		"removed":   {erase: func(s *site) error { return s.db.RemoveComment(s.ctx, note(s)) }},
		"post":      {erase: func(s *site) error { return s.db.RemovePost(s.ctx, marchNote) }},
		"hidden":    {erase: moderate(thread.Hidden), back: moderate(thread.Visible)},
		"blocked":   {erase: block, back: func(s *site) error { _, err := s.db.Unblock(s.ctx, "good.test"); return err }},
	} {
		t.Run(name, func(t *testing.T) {
			s := showing(t, "all", map[string][]byte{"a.png": pngOf(noise(200, 200, 7))})
			s.accepts(by(alice, creates("Look.", attaching("a.png")))(s))
			s.look()
			path := ours(strings.Join(s.texts(), ""), 0)
			w, file := s.read(path)
			if w.Code != http.StatusOK || len(file) < 2000 || !s.inFiles(file[1000:1100]) {
				t.Fatal("this test cannot find what is there", path, w.Code, len(file))
			}
			s.clock.advance(time.Minute)
			if err := how.erase(s); err != nil {
				t.Fatal(err)
			}
			if w, _ := s.read(path); w.Code != http.StatusNotFound || s.inFiles(file[1000:1100]) {
				t.Error("it is still there:", w.Code)
			}
			s.look()
			if s.asked("a.png") != 1 {
				t.Error("it was fetched again")
			}
			if how.back == nil {
				return
			}
			if err := how.back(s); err != nil {
				t.Fatal(err)
			}
			s.look()
			s.shows(1)
		})
	}
}

// inFiles tells whether any file of the database has these bytes.
func (s *site) inFiles(canary string) bool {
	s.Helper()
	for _, suffix := range []string{"", "-wal"} {
		text, err := os.ReadFile(s.path + suffix)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			s.Fatal(err)
		}
		if bytes.Contains(text, []byte(canary)) {
			return true
		}
	}
	return false
}
