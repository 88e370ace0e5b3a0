package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // the first picture of it
	"image/jpeg"
	"image/png"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp" // read only

	"afterword/fetch"
	"afterword/sanitize"
	"afterword/storage"
	"afterword/thread"
)

// Readers never ask other people's servers for a picture, which would tell them who reads what. We ask, one at a time
// and while nobody waits, and keep what we make of the answer: small, and nothing but its pixels.

// form is what is made of a picture, and how large the original may be. A decoded picture takes four bytes for each
// pixel, and more while it is decoded.
type form struct {
	maxBytes  int64
	maxPixels int
	side      int  // that of the square it has to fit into, in pixels
	cut       bool // to the square in its middle
}

var (
	ofAccounts = form{maxBytes: 4 << 20, maxPixels: 4 << 20, side: 128, cut: true}
	inComments = form{maxBytes: 8 << 20, maxPixels: 12 << 20, side: 640} // a telephone's camera
)

// maxScans is how often a JPEG goes over its pixels, each time a little finer. Ten are usual; with as many as fit into a file
// it would take minutes to decode.
const maxScans = 100

var startOfScan = []byte{0xff, 0xda}

const (
	maxTransparent = 512 << 10 // bytes of a PNG; where it has more, it gets a white ground

	keepPicture  = 30 * 24 * time.Hour // then it is looked at again: most servers give a new picture a new address
	retryPicture = 6 * time.Hour
)

// StepPictures fetches the next picture of an account that is due, or when there is none the next ones within comments. It
// tells whether there was any.
func (s *Server) StepPictures(ctx context.Context) (worked bool, err error) {
	if !s.Pictures {
		return false, nil
	}
	account, address, err := s.DB.NextPicture(ctx)
	if errors.Is(err, storage.ErrNotFound) {
		return s.stepAttachments(ctx)
	}
	if err != nil {
		return false, err
	}
	found, err := s.found(ctx, address, ofAccounts)
	if err != nil {
		return false, err
	}
	return true, s.DB.SavePicture(ctx, account, found)
}

// stepAttachments fetches some pictures within comments and keeps them all at once: each time that the threads change they
// have to be made anew.
func (s *Server) stepAttachments(ctx context.Context) (worked bool, err error) {
	if !s.Attachments {
		return false, nil
	}
	addresses, err := s.DB.NextAttachments(ctx)
	if err != nil || len(addresses) == 0 {
		return false, err
	}
	var found []storage.Found
	for _, address := range addresses {
		p, err := s.found(ctx, address, inComments)
		if err != nil {
			return false, err
		}
		found = append(found, p)
	}
	return true, s.DB.SaveAttachments(ctx, found)
}

// RunPictures steps until ctx ends.
func (s *Server) RunPictures(ctx context.Context) {
	for s.Pictures && ctx.Err() == nil {
		changed := s.DB.Changed() // before looking: no commit may be missed
		worked, err := s.StepPictures(ctx)
		if err != nil && ctx.Err() == nil {
			s.Log.Error("step failed", "worker", "pictures", "error", err)
		}
		pause := time.Second // under a stream of replies too
		if !worked {
			select {
			case <-changed:
			case <-time.After(time.Hour):
			case <-ctx.Done():
			}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// found is what can be made of the picture at an address now. Whoever wrote a comment chose the address, so it is a
// stranger's. The error says only that ctx ended.
func (s *Server) found(ctx context.Context, address string, f form) (found storage.Found, err error) {
	found = storage.Found{Address: address, Due: s.Now().Add(keepPicture)}
	doc, err := s.Fetch.Get(ctx, fetch.Get{URL: address, Accept: "image/webp, image/png, image/jpeg, image/gif", MaxBytes: f.maxBytes, Stranger: true})
	if err == nil {
		if found.Picture, err = f.picture(doc.Body); err == nil {
			s.Fetch.Vouch(address)
			return found, nil
		}
	}
	s.Log.Debug("no picture", "address", address, "error", err)
	var e *fetch.Error
	if errors.As(err, &e) && e.Temporary() {
		found.Keep, found.Due = true, s.Now().Add(max(retryPicture, e.RetryAfter))
	}
	return found, ctx.Err()
}

// picture makes a picture anew, without anything that was in the file beside it. What kind of picture it is its bytes say;
// servers are often wrong about that. Of one that moves it is the first frame.
func (f form) picture(original []byte) (p storage.Picture, err error) {
	defer func() {
		if r := recover(); r != nil { // decoders are large, and strangers feed them
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	size, kind, err := image.DecodeConfig(bytes.NewReader(original))
	if err != nil {
		return p, err
	}
	if n := bytes.Count(original, startOfScan); kind == "jpeg" && n > maxScans {
		return p, fmt.Errorf("%d scans", n)
	}
	if size.Width < 1 || size.Height < 1 || size.Width > f.maxPixels || size.Height > f.maxPixels/size.Width {
		return p, fmt.Errorf("%d x %d pixels", size.Width, size.Height)
	}
	decoded, _, err := image.Decode(bytes.NewReader(original))
	if err != nil {
		return p, err
	}
	from, to := f.frame(decoded.Bounds())
	small := image.NewNRGBA(to)
	draw.CatmullRom.Scale(small, to, decoded, from, draw.Src, nil)
	return encoded(upright(small, orientation(original)))
}

// frame is which part of a picture is shown, and how large.
func (f form) frame(whole image.Rectangle) (from, to image.Rectangle) {
	if f.cut {
		side := min(whole.Dx(), whole.Dy())
		corner := whole.Min.Add(image.Pt((whole.Dx()-side)/2, (whole.Dy()-side)/2))
		whole = image.Rectangle{Min: corner, Max: corner.Add(image.Pt(side, side))}
	}
	width, height := whole.Dx(), whole.Dy()
	if longer := max(width, height); longer > f.side {
		shorten := func(n int) int { return max(1, int(int64(n)*int64(f.side)/int64(longer))) } // a long one is too much for 32 bit
		width, height = shorten(width), shorten(height)
	}
	return whole, image.Rect(0, 0, width, height)
}

func encoded(small *image.NRGBA) (p storage.Picture, err error) {
	var b bytes.Buffer
	if !small.Opaque() {
		p.Type, err = "image/png", png.Encode(&b, small)
	}
	if p.Type == "" || b.Len() > maxTransparent {
		b.Reset()
		ground := image.NewRGBA(small.Rect)
		draw.Draw(ground, small.Rect, image.White, image.Point{}, draw.Src)
		draw.Draw(ground, small.Rect, small, image.Point{}, draw.Over)
		p.Type, err = "image/jpeg", jpeg.Encode(&b, ground, &jpeg.Options{Quality: 85})
	}
	hash := sha256.Sum256(b.Bytes())
	p.Name, p.Data = hex.EncodeToString(hash[:16]), b.Bytes()
	p.Width, p.Height = small.Rect.Dx(), small.Rect.Dy()
	return p, err
}

// image answers with a picture of ours. Its name says which bytes it has, but it must not outlive its account for long.
func (s *Server) image(w http.ResponseWriter, r *http.Request) {
	err := error(problem{http.StatusNotFound, "unknown_image"})
	var p storage.Picture
	if s.Pictures {
		p, err = s.DB.Picture(r.Context(), r.PathValue("name"))
	}
	if errors.Is(err, storage.ErrNotFound) {
		err = problem{http.StatusNotFound, "unknown_image"}
	}
	if err != nil {
		s.fail(w, r, asJSON, err)
		return
	}
	header := s.headers[asJSON].Clone()
	header.Set("Content-Type", p.Type)
	header.Set("Cache-Control", "public, max-age=86400")
	header.Set("Content-Security-Policy", "default-src 'none'")
	header.Del("Vary")
	b := &body{header: header, plain: represent(p.Data, p.Name)} // it is compressed as it is
	b.serve(w, r)
}

// avatar is where readers get an author's picture; empty when there is none.
func (s *Server) avatar(a thread.Author) string {
	if !s.Pictures || a.Picture == "" {
		return ""
	}
	return s.Base + "/images/" + a.Picture
}

// illustrated is the HTML of a comment. Of the pictures that it links to it shows our own copies, in the place of the links'
// words; where there is none, the link stays as it is.
func (s *Server) illustrated(c step) string {
	text := c.HTML
	for _, a := range c.Attached {
		before, words, after, found := sanitize.SplitLink(text, a.URL)
		if !found {
			continue
		}
		var m markup
		m.stored(before)
		m.put(`<img class="aw-picture" loading="lazy"`)
		m.attr("alt", words)
		m.attr("width", strconv.Itoa(a.Width))
		m.attr("height", strconv.Itoa(a.Height))
		m.attr("src", s.Base+"/images/"+a.Picture)
		m.put(">")
		m.stored(after)
		text = m.String()
	}
	return text
}

// attached puts our copies of pictures beside the comments that link to them: those of a post since it had a revision.
func (s *Server) attached(ctx context.Context, post thread.IRI, since int64, comments []thread.Comment) error {
	if !s.Attachments || len(comments) == 0 {
		return nil
	}
	all, err := s.DB.Attached(ctx, post, since)
	for i := range comments {
		comments[i].Attached = all[comments[i].ID]
	}
	return err
}
