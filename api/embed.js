// <afterword-thread>: the comments of a page. And <a data-comment-count href="page">: how many there are, for lists.
// docs/embedding.md tells all attributes.
//
// What is inside the element stands there until the comments come, and stays when they cannot. The server has made the
// HTML safe. Nobody but the server that this script came from is asked, and nothing is kept, but for the reader's own
// server once they have named it.
const base = new URL(".", import.meta.url);
const style = new CSSStyleSheet();
style.replaceSync("style.css");

const get = async (path, query, body) => {
  const answer = await fetch(base + path + "?" + new URLSearchParams(query), {
    method: body && "POST",
    body,
    credentials: "omit",
    referrerPolicy: "no-referrer",
    signal: AbortSignal.timeout(20000),
  });
  if (!answer.ok) throw answer;
  return answer.text();
};

const parse = (html) => {
  const box = document.createElement("template");
  box.innerHTML = html;
  return box.content.firstChild;
};

// start makes an element live, and returns what ends that.
const start = (host) => {
  // What is shown, the HTML that it was made from, what the server said last, and comments of further pages.
  let section, shown, latest, later = [];
  let busy, timer, pause = 5;
  // A permalink leads to a comment that may be far below what is in sight.
  const sought = location.hash.startsWith("#c-");
  let near = sought;
  const status = parse('<p class="aw aw-news" role="status">');
  const dialog = parse('<dialog class="aw aw-dialog">');
  const attribute = (name) => host.getAttribute(name) ?? "";
  const linked = () => document.getElementById(location.hash.slice(1));

  const look = async () => {
    clearTimeout(timer);
    if (!near || document.hidden || busy) return;
    busy = true;
    host.ariaBusy = !shown;
    const news = await load().catch(() => {});
    busy = host.ariaBusy = false;
    pause = attribute("refresh") || (news ? 5 : Math.min(pause * 1.5, 60));
    if (pause > 0) timer = setTimeout(look, pause * 1000);
  };

  const load = async () => {
    const page = attribute("page") || document.querySelector("link[rel~=canonical]")?.href || location.pathname;
    const html = await get("embed/thread", {
      url: new URL(page, location),
      lang: host.closest("[lang]")?.lang ?? "",
      sort: attribute("sort"),
      depth: attribute("max-depth"),
    });
    if (near == null) return;
    const news = html != latest;
    latest = html;
    if (!shown) await begin(parse(html));
    else if (html != shown) update(parse(html));
    return news;
  };

  // What a generator built into the page stays, unless the server knows better.
  const begin = async (next) => {
    const built = host.querySelector(".aw");
    section = built ?? next;
    shown = latest;
    if (!built) host.replaceChildren(next);
    host.append(status, dialog);
    if (!built || next.dataset.revision - built.dataset.revision >= 0) show(next);
    for (let pages = 9; sought && !linked() && pages-- && await more(); );
    if (host.contains(linked())) location.replace(location);
  };

  // Comments that came since do not push away what the reader looks at: they wait until the reader wants them. With
  // news="show" they do not wait, unless the reader is busy here.
  const update = (next) => {
    const news = newIn(next);
    const inUse = host.matches(":focus-within, :has(details[open])") || getSelection().containsNode(host, true) && !getSelection().isCollapsed;
    const wait = inUse || attribute("news") != "show";
    if (news[0] || wait) tell(news.length, wait ? "button" : "span");
    if (wait) for (const li of news) li.hidden = true;
    if (!inUse) show(next);
  };

  const newIn = (next) =>
    [...next.querySelectorAll("li:has(> .h-entry)")].filter((li) => !section.querySelector(`#${li.id}:not([hidden])`));

  const tell = (n, tag) => {
    const say = document.createElement(tag);
    const forms = section.dataset;
    if (n) say.textContent = (forms[new Intl.PluralRules(section.lang).select(n)] ?? forms.other).replace("%d", n);
    if (!say.isEqualNode(status.firstChild)) status.replaceChildren(...(n ? [say] : []));
  };

  // What the reader looks at stays where it is. That is in the middle: to ask all comments where
  // they are would lay them all out.
  const show = (next) => {
    const place = (li) => li.firstChild.getBoundingClientRect().top;
    const seen = document.elementFromPoint(innerWidth / 2, innerHeight / 2)?.closest(".aw li[id]");
    const before = seen && place(seen);
    shown = latest;
    if (!section.isEqualNode(next)) {
      const rest = section.querySelector(".aw-more") ?? "";
      next.ariaBusy = false; // style.css: from now on all is laid out, or it would move when it comes in sight
      section.replaceWith(next);
      // Only in the page are comments found fast.
      later = join(later, next);
      if (later[0]) next.querySelector(".aw-more")?.replaceWith(rest);
      section = next;
    }
    localise();
    const now = seen && document.getElementById(seen.id);
    if (now) scrollBy({ top: place(now) - before, behavior: "instant" });
  };

  const localise = () => {
    // The server's English has the day first.
    const clock = new Intl.DateTimeFormat(section.lang.replace("en", "en-GB"), { dateStyle: "long", timeStyle: "short" });
    for (const time of section.querySelectorAll(".dt-published")) {
      time.title ||= time.textContent;
      time.textContent = clock.format(new Date(time.dateTime));
    }
  };

  const more = async () => {
    const link = section.querySelector(":scope > .aw-more");
    if (!link) return;
    const next = parse(await get("embed/thread", new URL(link.firstChild).searchParams));
    const added = join(next.querySelectorAll("li[id]"), section);
    later.push(...added);
    link.replaceWith(next.querySelector(".aw-more") ?? "");
    localise();
    return added[0];
  };

  // join puts comments below what they stood below, and returns those that were not there. Some come with the one above.
  const join = (list, into) => [...list].filter((li) => {
    const find = (li) => li ? into.querySelector("#" + li.id) : into;
    const there = find(li), place = find(li.parentNode.closest(".aw li"));
    if (there || !place) return there == li;
    (place.querySelector(":scope > ol") ?? place.appendChild(document.createElement("ol"))).append(li);
    return true;
  });

  const go = (li) => {
    if (!li) return;
    li.tabIndex = -1;
    li.focus();
  };

  host.onclick = (event) => {
    const { target } = event;
    const link = target.closest(".aw > .aw-more a");
    if (link) {
      event.preventDefault();
      more().then(go, () => location.assign(link));
    } else if (target.parentNode == status) {
      const next = parse(latest);
      const [first] = newIn(next);
      tell(0, "p");
      show(next);
      go(first);
    } else if (target.name == "copy") {
      const field = target.previousSibling.control;
      field.select();
      navigator.clipboard?.writeText(field.value);
    }
  };

  // Replying and following are pages of the server; here they are a dialog.
  host.onsubmit = async (event) => {
    const { target: form, submitter } = event;
    if (form.method == "dialog") return;
    event.preventDefault();
    const query = new URLSearchParams(new FormData(form, submitter));
    if (dialog.contains(form)) return lookUp(form, query);
    try {
      dialog.innerHTML = await get("embed/reply", query);
    } catch {
      return location.assign(form.action + "?" + query);
    }
    dialog.ariaLabel = dialog.querySelector("h2").textContent;
    // Where the focus is now, it returns to.
    submitter.focus();
    dialog.showModal();
    try {
      dialog.querySelector("[name=account]").value = localStorage.afterword ?? "";
    } catch {}
  };

  const lookUp = async (form, query) => {
    const alert = form.lastChild; // role=alert
    alert.hidden = form.ariaBusy = true;
    try {
      const found = JSON.parse(await get("api/v1/interact", query));
      location.assign(found.url);
      try {
        localStorage.afterword = found.server;
      } catch {}
    } catch {
      alert.hidden = false;
      form.account.focus();
    }
    form.ariaBusy = false;
  };

  const sheets = host.getRootNode().adoptedStyleSheets;
  if (attribute("css") != "off" && !sheets.includes(style)) sheets.push(style);
  const sight = new IntersectionObserver((seen) => {
    near = seen.at(-1).isIntersecting;
    look();
  }, { rootMargin: "600px" });
  sight.observe(host);
  document.addEventListener("visibilitychange", look);
  look();
  return () => {
    // Nothing is looked for any more, and what is on its way comes too late.
    near = null;
    sight.disconnect();
    document.removeEventListener("visibilitychange", look);
    status.remove();
    dialog.remove();
  };
};

if (!customElements.get("afterword-thread")) customElements.define("afterword-thread", class extends HTMLElement {
  connectedCallback() {
    this.stop = start(this);
  }
  disconnectedCallback() {
    this.stop();
  }
});

// Lists may come to an end after us.
if (document.readyState == "loading") await new Promise((done) => addEventListener("DOMContentLoaded", done));
const page = (a) => a.href.startsWith(base + "t?") ? new URL(a.href).searchParams.get("url") : a.href.split("#")[0];
const links = [...document.querySelectorAll("a[data-comment-count]")];
while (links[0]) {
  const some = links.splice(0, 200);
  // In the body, for proxies take addresses of 8 kB at most.
  const { counts } = JSON.parse(await get("api/v1/counts", { lang: document.documentElement.lang }, some.map(page).join("\n")).catch(() => "{}"));
  for (const a of some) a.textContent = counts?.[page(a)]?.label ?? a.textContent;
}
