package api

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"afterword/storage"
	"afterword/thread"
)

// gallery is a stranger's server with pictures, which counts who asks for them.
type gallery struct {
	*httptest.Server
	mu    sync.Mutex
	asked map[string]int
}

func newGallery(t *testing.T, files map[string][]byte) *gallery {
	g := &gallery{asked: map[string]int{}}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		g.asked[r.URL.Path]++
		g.mu.Unlock()
		file, known := files[r.URL.Path]
		switch {
		case !known:
			http.NotFound(w, r)
		case strings.HasSuffix(r.URL.Path, ".svg"):
			w.Header().Set("Content-Type", "image/svg+xml")
		case r.Header.Get("Referer") != "" || r.Header.Get("Cookie") != "":
			t.Error("somebody is told about", r.Header)
		}
		w.Write(file)
	}))
	t.Cleanup(g.Close)
	return g
}

func (g *gallery) times(path string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.asked[path]
}

// painting is a picture of a size, blue on the left and red on the right, half transparent if asked for.
func painting(width, height int, alpha uint8) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		c := color.NRGBA{B: 255, A: alpha}
		if i%width >= width/2 {
			c = color.NRGBA{R: 255, A: alpha}
		}
		m.SetNRGBA(i%width, i/width, c)
	}
	return m
}

func asPNG(m image.Image) []byte {
	var b bytes.Buffer
	png.Encode(&b, m)
	return b.Bytes()
}

// withSize makes a PNG say that it is larger than it is.
func withSize(file []byte, width, height uint32) []byte {
	file = bytes.Clone(file)
	binary.BigEndian.PutUint32(file[16:], width)
	binary.BigEndian.PutUint32(file[20:], height)
	binary.BigEndian.PutUint32(file[29:], crc32.ChecksumIEEE(file[12:29]))
	return file
}

// aWebP is one blue pixel.
var aWebP, _ = base64.StdEncoding.DecodeString("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA")

// author makes an account known whose picture is at an address, and lets it comment.
func (s *site) author(p thread.Post, n int, avatar string) thread.Author {
	s.Helper()
	a := thread.Author{ID: thread.IRI(fmt.Sprintf("https://remote.example/users/%d", n)), Name: "A", Handle: "@a@remote.example", Avatar: avatar}
	s.save(a)
	s.comment(p, thread.Comment{ID: id(n), Author: a, HTML: "<p>Hello</p>"})
	return a
}

// look steps until no picture is due.
func (s *site) look() (steps int) {
	s.Helper()
	for ; ; steps++ {
		worked, err := s.StepPictures(context.Background())
		s.must(err)
		if !worked {
			return steps
		}
	}
}

func withPictures(c *Config) { c.Pictures = true }

// TestPictures: what readers get is ours: small, square, and from our own host.
func TestPictures(t *testing.T) {
	var jpg, moving bytes.Buffer
	jpeg.Encode(&jpg, painting(600, 300, 255), nil)
	gif.Encode(&moving, painting(50, 50, 255), nil)
	g := newGallery(t, map[string][]byte{"/a.jpg": jpg.Bytes(), "/b.png": asPNG(painting(40, 90, 128)), "/c.gif": moving.Bytes(), "/d.webp": aWebP})
	s := newSite(t, withPictures)
	p := s.post("p", storage.Draft{})
	for i, name := range []string{"/a.jpg", "/b.png", "/c.gif", "/d.webp"} {
		s.author(p, i, g.URL+name)
	}
	if c := s.thread(p, "").Comments[0]; c.Author.Avatar != nil {
		t.Error("a picture is shown that is not ours:", *c.Author.Avatar)
	}
	if n := s.look(); n != 4 {
		t.Error(n, "pictures were looked for")
	}
	_, page := s.get("/t?url=" + p.URL)
	for i, c := range s.thread(p, "").Comments {
		if c.Author.Avatar == nil || !strings.HasPrefix(*c.Author.Avatar, s.url+"/images/") || !strings.Contains(page, `src="`+*c.Author.Avatar+`"`) {
			t.Fatalf("%d: %+v", i, c.Author)
		}
		answer, text := s.get(strings.TrimPrefix(*c.Author.Avatar, s.url), "Accept-Encoding", "gzip") // as browsers do
		m, format, err := image.Decode(strings.NewReader(text))
		want := []struct {
			side         int
			format, mime string
		}{{128, "jpeg", "image/jpeg"}, {40, "png", "image/png"}, {50, "jpeg", "image/jpeg"}, {1, "jpeg", "image/jpeg"}}[i]
		if err != nil || m.Bounds().Dx() != want.side || m.Bounds().Dy() != want.side || format != want.format || answer.Header.Get("Content-Type") != want.mime {
			t.Error(i, err, format, m.Bounds(), answer.Header)
		}
		if r, _, b, _ := m.At(2, 2).RGBA(); i == 0 && (b < 0xe000 || r > 0x2000) {
			t.Error("the left of it is not blue", r, b)
		}
		if answer.Header.Get("X-Content-Type-Options") != "nosniff" || answer.Header.Get("Cross-Origin-Resource-Policy") != "cross-origin" ||
			answer.Header.Get("Content-Encoding") != "" || len(answer.Cookies()) > 0 {
			t.Error(answer.Header)
		}
		if same, _ := s.get(strings.TrimPrefix(*c.Author.Avatar, s.url), "If-None-Match", answer.Header.Get("ETag")); same.StatusCode != 304 {
			t.Error(same.Status)
		}
	}
	if strings.Contains(page, g.URL) {
		t.Error("the page leads a reader's browser to a stranger")
	}
}

// TestNoPicture: what is no picture, or too much of one, is none; the comment stands all the same (SECURITY D65).
func TestNoPicture(t *testing.T) {
	small := asPNG(painting(10, 10, 255))
	g := newGallery(t, map[string][]byte{
		"/x.svg": []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), "/wide.png": withSize(small, 100000, 100000), "/long.png": withSize(small, 1, 1<<31-1),
		"/huge.png": append(bytes.Clone(small), make([]byte, 5<<20)...), "/cut.png": small[:50], "/page": []byte("<html>"), "/none.png": {}, "/zero.png": withSize(small, 0, 0)})
	s := newSite(t, withPictures)
	p := s.post("p", storage.Draft{})
	addresses := []string{"data:image/png;base64,AAAA", "javascript:alert(1)", "http://10.0.0.256/", "//x", g.URL + "/missing.png"}
	for _, name := range []string{"/x.svg", "/wide.png", "/long.png", "/huge.png", "/cut.png", "/page", "/none.png", "/zero.png"} {
		addresses = append(addresses, g.URL+name)
	}
	for i, address := range addresses {
		s.author(p, i, address)
	}
	if n := s.look(); n != len(addresses) {
		t.Error(n, "steps")
	}
	for i, c := range s.thread(p, "").Comments {
		if c.Author.Avatar != nil {
			t.Error(addresses[i], *c.Author.Avatar)
		}
	}
	if s.advance(time.Hour); s.look() != 0 || g.times("/x.svg") != 1 {
		t.Error("what failed is asked for again at once")
	}
	for _, path := range []string{"/images/", "/images/x", "/images/..%2f..%2fetc", "/images/%00"} {
		if a, _ := s.get(path); a.StatusCode != 404 {
			t.Error(path, a.Status)
		}
	}
}

// TestPictureGoes: a picture is asked for when there is something to show it beside, changes with its account, and goes
// with it.
func TestPictureGoes(t *testing.T) {
	g := newGallery(t, map[string][]byte{"/1.png": asPNG(painting(10, 10, 255)), "/2.png": asPNG(painting(20, 20, 255))})
	s := newSite(t, withPictures)
	p := s.post("p", storage.Draft{})
	s.save(thread.Author{ID: "https://remote.example/users/silent", Avatar: g.URL + "/1.png"})
	if s.look() != 0 {
		t.Error("a picture that nobody sees was asked for")
	}
	a := s.author(p, 1, g.URL+"/1.png")
	s.author(p, 2, g.URL+"/1.png")
	s.look()
	shown := func(n int) string { return or(s.thread(p, "").Comments[n].Author.Avatar) }
	first := shown(0)
	if first == "" || first != shown(1) {
		t.Fatal(first, shown(1))
	}
	s.save(a)
	if s.look() != 0 || shown(0) != first {
		t.Error("is asked for again although nothing changed")
	}
	a.Avatar = g.URL + "/2.png"
	s.save(a)
	if shown(0) != "" || s.look() != 1 || shown(0) == first || shown(0) == "" || shown(1) != first {
		t.Error(first, shown(0), shown(1))
	}
	second := shown(0)
	s.must(s.DB.EraseActor(context.Background(), storage.Message{Object: a.ID}, thread.Verdict{Decision: thread.Done}))
	if gone, _ := s.get(strings.TrimPrefix(second, s.url)); gone.StatusCode != 404 {
		t.Error("the picture of an account that was deleted is still there")
	}
	if kept, _ := s.get(strings.TrimPrefix(first, s.url)); kept.StatusCode != 200 {
		t.Error("the picture of another is not", kept.Status)
	}
	s.advance(31 * 24 * time.Hour)
	if s.look() != 1 || g.times("/1.png") != 3 {
		t.Error("is not looked at again in time", g.times("/1.png"))
	}
	g.Close()
	s.advance(31 * 24 * time.Hour)
	if s.look() != 1 || shown(0) != first {
		t.Error("a picture went because its server was away")
	}
	if s.advance(7 * time.Hour); s.look() != 1 {
		t.Error("is not looked for again soon")
	}
}

func TestTooManyPixels(t *testing.T) {
	for _, size := range [][2]uint32{{100000, 100000}, {1, 1<<31 - 1}, {2049, 2049}} {
		if _, err := ofAccounts.picture(withSize(asPNG(painting(1, 1, 255)), size[0], size[1])); err == nil || !strings.Contains(err.Error(), "pixels") && !strings.Contains(err.Error(), "dimension") {
			t.Error(size, err)
		}
	}
	if _, to := inComments.frame(image.Rect(0, 0, inComments.maxPixels, 1)); to != image.Rect(0, 0, inComments.side, 1) {
		t.Errorf("the longest picture is shown as %s", to)
	}
}

// scanned is a grey progressive JPEG that goes over its pixels n times, in 20 bytes each.
func scanned(side byte, n int) []byte {
	b := []byte("\xff\xd8\xff\xdb\x00\x43\x00" + strings.Repeat("\x01", 64))
	b = append(b, 0xff, 0xc2, 0, 11, 8, 0, side, 0, side, 1, 1, 0x11, 0)
	for class, symbol := range map[byte]byte{0x00: 0, 0x10: 0xe0} { // one code in each table: no difference; the next 16,384 blocks are as they were
		b = append(append(append(b, 0xff, 0xc4, 0, 20, class, 1), make([]byte, 15)...), symbol)
	}
	for range n {
		b = append(b, 0xff, 0xda, 0, 8, 1, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	}
	return append(b, 0xff, 0xd9)
}

// TestTooManyScans: a small JPEG that would take minutes to decode is none.
func TestTooManyScans(t *testing.T) {
	if _, err := ofAccounts.picture(scanned(64, 20)); err != nil {
		t.Error(err)
	}
	if _, err := ofAccounts.picture(scanned(64, maxScans+1)); err == nil || !strings.Contains(err.Error(), "scans") {
		t.Error(err)
	}
}

// TestPicturesOff: nobody is asked, and nothing is given.
func TestPicturesOff(t *testing.T) {
	g := newGallery(t, map[string][]byte{"/1.png": asPNG(painting(10, 10, 255))})
	s := newSite(t, nil)
	p := s.post("p", storage.Draft{})
	a := s.author(p, 1, g.URL+"/1.png")
	if s.look() != 0 || g.times("/1.png") != 0 {
		t.Error("somebody was asked")
	}
	s.must(s.DB.SavePicture(t.Context(), a.ID, storage.Found{Address: a.Avatar, Picture: storage.Picture{Name: "x", Type: "image/png", Data: []byte("x")}, Due: noon}))
	if c := s.thread(p, "").Comments[0]; c.Author.Avatar != nil {
		t.Error(*c.Author.Avatar)
	}
	if answer, _ := s.get("/images/x"); answer.StatusCode != 404 {
		t.Error(answer.Status)
	}
}
