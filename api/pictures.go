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
	"time"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp" // read only

	"afterword/fetch"
	"afterword/storage"
	"afterword/thread"
)

// Readers never ask other people's servers for a picture, which would tell them who reads what. We ask, one at a time
// and while nobody waits, and keep what we make of the answer: small, square, and nothing but its pixels.

const (
	maxPictureBytes = 4 << 20 // of the original
	maxPixels       = 4 << 20 // a decoded picture takes four bytes for each, and more while it is decoded
	pictureSide     = 128     // pixels

	keepPicture  = 30 * 24 * time.Hour // then it is looked at again: most servers give a new picture a new address
	retryPicture = 6 * time.Hour
)

// StepPictures fetches the next picture that is due, and tells whether there was one.
func (s *Server) StepPictures(ctx context.Context) (worked bool, err error) {
	if !s.Pictures {
		return false, nil
	}
	account, address, err := s.DB.NextPicture(ctx)
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	p, wait, err := s.picture(ctx, address)
	if err != nil {
		s.Log.Debug("no picture", "account", account, "error", err)
	}
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	return true, s.DB.SavePicture(ctx, account, address, p, s.Now().Add(wait))
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

// picture is what is made of the one at an address, and when to look again. Whoever wrote a comment chose the address,
// so it is a stranger's.
func (s *Server) picture(ctx context.Context, address string) (p storage.Picture, wait time.Duration, err error) {
	doc, err := s.Fetch.Get(ctx, fetch.Get{URL: address, Accept: "image/webp, image/png, image/jpeg, image/gif", MaxBytes: maxPictureBytes, Stranger: true})
	if err != nil {
		var e *fetch.Error
		if errors.As(err, &e) && e.Temporary() {
			return p, max(retryPicture, e.RetryAfter), err
		}
		return p, keepPicture, err
	}
	p, err = smallPicture(doc.Body)
	if err == nil {
		s.Fetch.Vouch(address)
	}
	return p, keepPicture, err
}

// smallPicture makes a picture anew: the middle of it, without anything that was in the file beside it. What kind of
// picture it is its bytes say; servers are often wrong about that.
func smallPicture(original []byte) (p storage.Picture, err error) {
	defer func() {
		if r := recover(); r != nil { // decoders are large, and strangers feed them
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	size, _, err := image.DecodeConfig(bytes.NewReader(original))
	if err != nil {
		return p, err
	}
	if size.Width < 1 || size.Height < 1 || size.Width > maxPixels || size.Height > maxPixels/size.Width {
		return p, fmt.Errorf("%d x %d pixels", size.Width, size.Height)
	}
	decoded, _, err := image.Decode(bytes.NewReader(original))
	if err != nil {
		return p, err
	}
	whole := decoded.Bounds()
	side := min(whole.Dx(), whole.Dy())
	corner := whole.Min.Add(image.Pt((whole.Dx()-side)/2, (whole.Dy()-side)/2))
	small := image.NewNRGBA(image.Rect(0, 0, min(side, pictureSide), min(side, pictureSide)))
	draw.CatmullRom.Scale(small, small.Bounds(), decoded, image.Rectangle{Min: corner, Max: corner.Add(image.Pt(side, side))}, draw.Src, nil)
	return encoded(small)
}

func encoded(small *image.NRGBA) (p storage.Picture, err error) {
	var b bytes.Buffer
	if small.Opaque() {
		p.Type, err = "image/jpeg", jpeg.Encode(&b, small, &jpeg.Options{Quality: 85})
	} else {
		p.Type, err = "image/png", png.Encode(&b, small)
	}
	hash := sha256.Sum256(b.Bytes())
	p.Name, p.Data = hex.EncodeToString(hash[:16]), b.Bytes()
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
	b := &body{header: header, plain: represent(p.Data, p.Name)}
	b.zip = b.plain // it is compressed as it is
	b.serve(w, r)
}

// avatar is where readers get an author's picture; empty when there is none.
func (s *Server) avatar(a thread.Author) string {
	if !s.Pictures || a.Picture == "" {
		return ""
	}
	return s.Base + "/images/" + a.Picture
}
