package sanitize
import ("testing";"math/rand/v2";"strings";"time";"os";"strconv";"net/url";"unicode/utf8")
func TestZZ(t *testing.T) {
	lp := strings.Split("http://|https://|HTTPS://|a.example|www.|A|é|Ⱥ|İ|K|\x8e|\xff|%c3%a9|%ff|%c2%a0|\u00a0|\u0085|\u2028|%20| |:|:80|:443|[::1]|[fe80::1%25eth0]|[::ffff:1.2.3.4]|.|..|/|//|/a|?|&|=|x=1|#|#top|%2e|%2F|%25|%0|%zz|;|,|@|*|^|{|}|'|(|)|[|]|+|~|-|_|%7E|%41|\u200b|。|．|／|？|＃|xn--|xn--9ca|\u0301|\ufeff|\ufffd|%5c|\"|<|>|!|$|`|&amp;|é.|ß|ς|\u200d|\u00ad|א|ا", "|")
	tp := append(append([]string{}, pieces...), "\u2800","\u3164","\u200d","\ufe0f","\u034f","\U000e0100","\U000e0061","\u0300","\u093f","\u0e49","\u1160","…","&nbsp;","\u3000","\t","\r","\x00","&#0;","&#x301;","&lt;p&gt;","<pre>\n","<a href=https://e.example/>","<a href='https://é.é/?a|b#c#d'>","<a href=/x>","<p class='a quote-inline'>","👍🏽","\U0001F468\u200d","﷽","\u2024","\ufff0","\u180e","\u00ad","\u061c","e.example/x","www.e.example"," https://paypal.com ","<br/>","</br>","<h2>","</h3>","<li/>","<dd>","<textarea>","</textarea>","<![CDATA[","<?x","[","]")
	until := time.Now().Add(90*time.Second)
	seed, _ := strconv.Atoi(os.Getenv("SEED"))
	r := rand.New(rand.NewPCG(uint64(seed), 7))
	n := 0
	for time.Now().Before(until) && !t.Failed() { n++
		s := []string{"http://","https://",""}[r.IntN(3)]
		for range r.IntN(10) { p := lp[r.IntN(len(lp))]; if r.IntN(200)==0 { p = strings.Repeat(p, r.IntN(800)) }; s += p }
		out := Link(s)
		if Link(out) != out { t.Fatalf("link %q, then %q, then %q", s, out, Link(out)) }
		u, err := url.Parse(out)
		if out != "" && (err != nil || u.User != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") { t.Fatalf("%q: %+v, %v", out, u, err) }
		in := ""
		for range r.IntN(30) { p := tp[r.IntN(len(tp))]; switch r.IntN(60) { case 0: p = strings.Repeat(p, r.IntN(30)); case 1: p = "<a href=\""+s+"\">" ; case 2: if r.IntN(50)==0 {p = strings.Repeat(p, r.IntN(30000))} }; in += p }
		last := in
		t.Cleanup(func(){})
		func() { defer func(){ if t.Failed() { t.Logf("IN %q", last) } }()
		check(t, HTML(in)); check(t, Plain(in)); check(t, Markdown(in))
		for _, out := range []string{Text(in, 80), Name(in, 80), Name(in, 3), Text(in, 5)} { if !utf8.ValidString(out) {t.Fatal()}; checkLine(t, out, 80) }
		if Name(Name(in,3),3) != Name(in,3) { t.Fatal("name3") }
		if out := HTML(in); len(out) < 10_000 && Text(out, 1<<20) != Text(in, 1<<20) { t.Fatalf("stored text says something else: %q", out) }
		nt := Note(in, "https://blog.example/a/"); reread(t, nt)
		if again := Note(nt, "https://other.example/"); again != nt { t.Fatalf("no fixed point note:\n1: %.2000q\n2: %.2000q", nt, again) }
		check(t, HTML(nt))
		ex := Excerpt(in, "https://blog.example/a/", 50); reread(t, ex)
		}()
	}
	t.Log(n)
}
