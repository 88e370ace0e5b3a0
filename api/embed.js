// <afterword-thread>: the comments of a page. And <a data-comment-count href="page">: how many there are, for lists.
//
// Attributes, all optional: page (its URL; else that of link rel=canonical, else the location), lang, sort (oldest,
// newest), theme (light, dark, auto; else the colours around it), refresh (seconds between looks for news, 0 for never;
// else every 5, and less often while nothing happens).
//
// What is inside the element stands there until the comments come, and stays when they cannot. The server has made the
// HTML safe. Nobody but the server that this script came from is asked, and nothing is kept, but for the reader's own
// server once they have named it.
const base = new URL(".", import.meta.url);
const style = new CSSStyleSheet();
style.replaceSync("style.css");

const get = async (path, query) => {
  const answer = await fetch(new URL(path + "?" + new URLSearchParams(query), base), {
    credentials: "omit",
    referrerPolicy: "no-referrer",
    signal: AbortSignal.timeout(20000),
  });
  const text = await answer.text();
  if (!answer.ok) throw text;
  return text;
};

class Thread extends HTMLElement {
  #near;
  #busy;
  #timer;
  #html;
  #pause = 5;
  #sight = new IntersectionObserver((seen) => {
    this.#near = seen.at(-1).isIntersecting;
    this.#look();
  }, { rootMargin: "600px" });

  connectedCallback() {
    const sheets = this.getRootNode().adoptedStyleSheets;
    if (!sheets.includes(style)) sheets.push(style);
    this.#sight.observe(this);
    document.addEventListener("visibilitychange", this.#look);
    this.onclick = this.#click;
    // A permalink leads to a comment that may be far below what is in sight.
    this.#near = location.hash.startsWith("#c-");
    this.#look();
  }

  disconnectedCallback() {
    this.#sight.disconnect();
    document.removeEventListener("visibilitychange", this.#look);
    clearTimeout(this.#timer);
  }

  #look = async () => {
    clearTimeout(this.#timer);
    if (!this.#near || document.hidden || this.#busy) return;
    this.#busy = true;
    this.ariaBusy = !this.#html;
    const news = await this.#load().catch(() => {});
    this.#busy = this.ariaBusy = false;
    this.#pause = this.getAttribute("refresh") ?? (news ? 5 : Math.min(this.#pause * 1.5, 60));
    if (this.#pause > 0 && this.isConnected) this.#timer = setTimeout(this.#look, this.#pause * 1000);
  };

  async #load() {
    const page = this.getAttribute("page") ?? document.querySelector("link[rel~=canonical]")?.href;
    const html = await get("embed/thread", {
      url: new URL(page ?? location.pathname, location.href),
      lang: this.closest("[lang]")?.lang ?? "",
      sort: this.getAttribute("sort") ?? "",
    });
    if (html === this.#html) return false;
    if (!this.#inUse()) this.#show(html);
    return true;
  }

  // Nobody likes a text that changes under their hands.
  #inUse() {
    const selection = getSelection();
    return this.contains(document.activeElement) || this.querySelector("details[open]") ||
      !selection.isCollapsed && selection.containsNode(this, true);
  }

  // What the reader looks at stays where it is.
  #show(html) {
    const top = (li) => li.firstChild.getBoundingClientRect().top;
    const seen = [...this.querySelectorAll("li[id]")].find((li) => li.firstChild.getBoundingClientRect().bottom > 0);
    const before = seen && top(seen);
    const first = !this.#html;
    if (first) this.innerHTML = '<div></div><p role="status" class="aw-hidden"></p><dialog class="aw"></dialog>';
    const [body, status] = this.children;
    this.#html = body.innerHTML = html;
    const clock = new Intl.DateTimeFormat(body.firstChild.lang, { dateStyle: "long", timeStyle: "short" });
    for (const time of body.querySelectorAll(".dt-published")) time.textContent = clock.format(new Date(time.dateTime));
    const now = seen && document.getElementById(seen.id);
    if (now) scrollBy({ top: top(now) - before, behavior: "instant" });
    if (!first) status.textContent = body.querySelector("h2").textContent;
    else if (body.contains(document.getElementById(location.hash.slice(1)))) location.replace(location.href);
  }

  // Replying and following are pages of the server; here they are a dialog.
  #click = async (event) => {
    const link = event.target.closest(".aw-ask");
    if (!link || !this.#html || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const dialog = this.lastChild;
    try {
      dialog.innerHTML = await get("embed/reply", new URL(link).searchParams);
    } catch {
      location.assign(link);
      return;
    }
    link.focus();
    dialog.showModal();
    const form = dialog.querySelector("form");
    if (form) this.#ask(form, form.elements.account);
  };

  #ask(form, account) {
    try {
      account.value = localStorage.afterword ?? "";
    } catch {}
    form.onsubmit = async (event) => {
      if (event.submitter?.formMethod === "dialog") return;
      event.preventDefault();
      const alert = form.lastElementChild;
      alert.hidden = true;
      try {
        location.assign(JSON.parse(await get("api/v1/interact", new FormData(form))).url);
        localStorage.afterword = account.value.split("@").pop();
      } catch {
        alert.hidden = false;
        account.select();
      }
    };
  }
}

const count = async () => {
  const page = (a) => a.href.startsWith(base) ? new URL(a.href).searchParams.get("url") : a.href.split("#")[0];
  const links = [...document.querySelectorAll("a[data-comment-count]")];
  while (links.length) {
    const some = links.splice(0, 50);
    const query = [["lang", document.documentElement.lang], ...some.map((a) => ["url", page(a)])];
    const { counts } = JSON.parse(await get("api/v1/counts", query));
    for (const a of some) if (counts[page(a)]) a.textContent = counts[page(a)].label;
  }
};

if (!customElements.get("afterword-thread")) customElements.define("afterword-thread", Thread);
if (document.readyState === "loading") addEventListener("DOMContentLoaded", () => count().catch(() => {}));
else count().catch(() => {});
