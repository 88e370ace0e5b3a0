package main

import (
	"os"

	"github.com/chromedp/chromedp"
)

// accessible lets axe-core examine the page as it is now. It says nothing where axe-core is absent; the test of package
// api says so.
func (b tab) accessible(name string) {
	b.t.Helper()
	axe, err := os.ReadFile(os.Getenv("AXE_CORE"))
	if err != nil && os.Getenv("AFTERWORD_TEST_ALL") == "1" {
		b.t.Fatal("axe-core is missing: npm install axe-core, and AXE_CORE=node_modules/axe-core/axe.min.js")
	}
	if err != nil {
		return
	}
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](string(axe)+`;axe.run(document, {resultTypes: ["violations"]}).then(r =>
		r.violations.map(v => v.id + ": " + v.help + "\n" + v.nodes.slice(0, 3).map(n => "  " + n.html).join("\n")).join("\n"))`, chromedp.EvalAwaitPromise))
	if err != nil || found != "" {
		b.t.Errorf("%s: %v\n%s", name, err, found)
	}
}
