package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"afterword/storage"
)

// The doctor's echo: what of a request arrives behind the reverse proxy. It answers only who knows the secret that the
// doctor wrote into the database a moment ago.
const (
	echoPath    = "/doctor"
	echoHeader  = "Afterword-Doctor"
	echoSetting = "doctor" // the secret, and until when it is good in Unix milliseconds
	echoGood    = time.Minute
)

type echo struct {
	Host      string            `json:"host"`
	Target    string            `json:"target"`
	Header    map[string]string `json:"header"`
	Remote    string            `json:"remote"`
	Forwarded bool              `json:"forwarded"` // a proxy says for whom it asks
}

// allowEcho makes a secret.
func allowEcho(ctx context.Context, db *storage.DB, now time.Time) (secret string, err error) {
	secret = rand.Text()
	return secret, db.Remember(ctx, map[string]string{echoSetting: secret + " " + strconv.FormatInt(now.Add(echoGood).UnixMilli(), 10)})
}

// withEcho answers the doctor. target is the path as it arrived, before a prefix was taken off.
func withEcho(db *storage.DB, now func() time.Time, path string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path || !mayEcho(r, db, now()) {
			next.ServeHTTP(w, r)
			return
		}
		got := echo{Host: r.Host, Target: r.RequestURI, Header: map[string]string{}, Remote: r.RemoteAddr, Forwarded: r.Header.Get("X-Forwarded-For") != ""}
		for _, name := range []string{"Signature", "Signature-Input", "Digest", "Content-Digest", "Date"} {
			got.Header[name] = r.Header.Get(name)
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		json.NewEncoder(w).Encode(got) //nolint:errcheck // the doctor has gone
	})
}

func mayEcho(r *http.Request, db *storage.DB, now time.Time) bool {
	settings, err := db.Settings(r.Context(), echoSetting)
	secret, until, _ := strings.Cut(settings[echoSetting], " ")
	ms, _ := strconv.ParseInt(until, 10, 64)
	return err == nil && secret != "" && now.UnixMilli() < ms && subtle.ConstantTimeCompare([]byte(secret), []byte(r.Header.Get(echoHeader))) == 1
}
