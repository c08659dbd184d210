/* Makes the pages live. Every page also works without this file. */
(() => {
  "use strict";
  const words = document.body.dataset;
  const root = document.documentElement;
  root.classList.add("js");
  const $ = (selector, inside = document) => inside.querySelector(selector);
  const $$ = (selector, inside = document) => [...inside.querySelectorAll(selector)];
  const live = () => document.getElementById("live");
  // A page keeps its language, whatever another window chose meanwhile. (A stream has it in its address.)
  const speaks = { "Page-Language": root.lang };

  /* --- connection ------------------------------------------------------------------------- */
  const lost = document.getElementById("lost");
  const connected = (yes) => { lost.hidden = yes; };

  /* --- the live part ------------------------------------------------------------------------ */
  let pointer = null;
  document.addEventListener("pointermove", (e) => { pointer = [e.clientX, e.clientY]; }, { passive: true });

  function anchorRow() {
    const inside = $("[data-anchor]");
    if (!inside) return null;
    const focused = document.activeElement?.closest?.("[data-row]");
    if (focused) return focused;
    if (!pointer || !matchMedia("(hover: hover)").matches) return null;
    return document.elementFromPoint(...pointer)?.closest?.("[data-row]") || null;
  }

  function update(fresh) {
    const old = live();
    const row = anchorRow();
    const top = row?.getBoundingClientRect().top;
    window.morph(old, fresh);
    window.htmx?.process(old);
    // What is under the cursor stays there: the page moves instead.
    if (row?.isConnected) {
      const moved = row.getBoundingClientRect().top - top;
      if (moved) window.scrollBy({ top: moved, behavior: "instant" });
    }
    for (const put of $$("[data-put]", old)) {
      const place = document.getElementById(put.dataset.put);
      if (place && place.textContent !== put.value) place.textContent = put.value;
      place?.toggleAttribute("data-none", put.value === "0");
    }
    for (const form of $$("form", old)) {
      const note = $(".stale", form);
      if (note) note.hidden = !form.closest("[data-stale]");
    }
    document.dispatchEvent(new CustomEvent("express:live"));
  }

  window.htmx?.defineExtension("morph", {
    isInlineSwap: (style) => style === "morph",
    handleSwap(style, target, fragment) {
      if (style !== "morph") return false;
      const fresh = fragment.nodeType === 1 && fragment.id === "live" ? fragment : fragment.querySelector("#live");
      if (fresh) update(fresh);
      return [];
    },
  });

  let waiting = 0;
  function refresh(delay = 0) {
    clearTimeout(waiting);
    waiting = setTimeout(() => { if (live()) window.htmx?.trigger(live(), "refresh"); }, delay);
  }
  function beat() {
    const every = Number(live()?.dataset.every || 0) * 1000;
    if (!every) return;
    setTimeout(() => { if (!document.hidden) refresh(); beat(); }, lost.hidden ? every : 2000);
  }
  document.addEventListener("visibilitychange", () => { if (!document.hidden && live()) refresh(); });
  addEventListener("online", () => refresh());
  for (const silence of ["htmx:sendError", "htmx:timeout"]) document.addEventListener(silence, () => connected(false));
  document.addEventListener("htmx:responseError", (e) => {
    if (e.detail.xhr.status >= 500) connected(false);
    else if (e.detail.xhr.status === 401 && !unsent()) location.reload();
  });
  document.addEventListener("htmx:afterOnLoad", () => connected(true));

  // Answers come in any order: one that was asked for before what is shown is not shown, and while
  // a search is on its way nothing is asked for under the address from before it.
  let asked = 0;
  let shown = 0;
  let search = null;
  document.addEventListener("htmx:beforeRequest", (e) => {
    const { elt, target, xhr } = e.detail;
    if (target !== live()) return;
    if (elt !== live()) search = xhr;
    else if (search) {
      e.preventDefault();
      refresh(300);
      return;
    }
    xhr.asked = ++asked;
  });
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    // A page that says itself what is wrong with what was asked is shown as any other.
    if (detail.xhr.status === 422 && detail.target === live() && detail.serverResponse.includes('id="live"')) {
      detail.shouldSwap = true;
      detail.isError = false;
    }
    if (!detail.shouldSwap || !detail.xhr.asked) return;
    if (detail.xhr.asked < shown) detail.shouldSwap = false;
    else shown = detail.xhr.asked;
  });
  document.addEventListener("htmx:afterRequest", ({ detail }) => { if (detail.xhr === search) search = null; });

  // What was done just now is said once: who keeps the address, or loads it again, is not told
  // anew. As long as this page stands, its live part still says so.
  let told = [];
  function once() {
    const address = new URL(location.href);
    const named = $$("[data-once]").flatMap((one) => one.dataset.once.split(" "));
    const here = [...address.searchParams].filter(([name]) => named.includes(name));
    if (!here.length) return;
    told = here;
    for (const [name] of here) address.searchParams.delete(name);
    history.replaceState(history.state, "", address);
  }

  // An address names only the filters that are set.
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    Object.assign(detail.headers, speaks);
    if (detail.verb !== "get") return;
    if (detail.elt === live()) for (const [name, value] of told) detail.formData.append(name, value);
    for (const [name, value] of [...detail.formData]) if (value === "") detail.formData.delete(name);
  });

  // A browser opens few connections to one site: a page that nobody looks at lets its stream go, and
  // catches up when it is shown.
  function listen() {
    const address = $("[data-stream]")?.dataset.stream;
    if (!address || !window.EventSource) return;
    let newest = Math.max(0, ...$$("[data-seq]").map((line) => Number(line.dataset.seq)));
    let source = null;
    let again = 0;
    const close = () => {
      clearTimeout(again);
      source?.close();
      source = null;
    };
    const open = () => {
      close();
      if (document.hidden) return;
      const opened = new EventSource(address);
      source = opened;
      opened.onopen = () => connected(true);
      opened.onmessage = (e) => {
        const seq = Number(e.lastEventId);
        if (seq > newest) { newest = seq; refresh(120); }
      };
      opened.onerror = () => {
        if (source !== opened) return;
        connected(false);
        if (opened.readyState === EventSource.CLOSED) again = setTimeout(open, 3000);
      };
    };
    document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
    addEventListener("pagehide", close);
    addEventListener("pageshow", (e) => { if (e.persisted) open(); });
    open();
  }

  /* --- forms ---------------------------------------------------------------------------------- */
  function complain(form, text, link) {
    const place = $("[data-problem]", form);
    if (!place) return;
    place.textContent = text;
    if (link) {
      link.removeAttribute("class");
      place.append(" ", link);
    }
    place.hidden = !text;
  }
  // What somebody has begun to write is not taken away by what happens meanwhile.
  const unsent = () => $$("form[data-send] :is(textarea, input:not([type=hidden]))", live() || document)
    .some((field) => field.value !== field.defaultValue);

  const colon = document.documentElement.lang.startsWith("zh") ? "：" : ": ";
  async function refusal(form, doc) {
    const told = doc && $("[data-problem]:not([hidden])", doc)?.textContent.trim();
    const fields = doc ? $$(".field-error, .problem-list [data-field]", doc).map((line) => {
      const own = line.dataset.field && form.elements[line.dataset.field]?.labels?.[0];
      const beside = own || $("strong", line) || line.closest(".field")?.querySelector("label");
      const label = beside?.firstChild.textContent.trim();
      const said = ($("span", line) || line).textContent.trim();
      // What stands at the field too is said once.
      return said !== told && (label ? label + colon : "") + said;
    }) : [];
    return [told, ...fields].filter(Boolean).join(" ") || words.wordFailed;
  }

  // Who gave a case away is led to the list, which is not a new live part of its page.
  const folder = (path) => path.replace(/[^/]*$/, "");
  // A field that is called id stands in the place of the form's own.
  const named = (form) => form.getAttribute("id");
  const elsewhere = (form, url) => form.dataset.send === "live" && folder(new URL(url).pathname) !== folder(location.pathname);

  function show(form, doc, url) {
    forget(form);
    const target = form.dataset.send;
    const fresh = target !== "main" && doc.getElementById(target);
    if (target === "live" && fresh) {
      form.reset();
      const fold = form.closest("details");
      if (fold) fold.open = false;
      history.replaceState(null, "", url);
      told = [];
      shown = ++asked;
      update(fresh);
      once();
      refresh(600);
    } else if (target === "result" && fresh) {
      document.getElementById("result").replaceChildren(...fresh.childNodes);
      const key = doc.querySelector(`#${named(form)} [name=idempotency_key]`);
      const kept = $$("[data-remember]", form).map((field) => [field, field.value]);
      form.reset();
      for (const [field, value] of kept) field.value = value;
      clearTimeout(typed);
      look?.abort();
      $("[data-alike]", form)?.replaceChildren();
      if (key) form.elements.idempotency_key.value = key.value;
      for (const fold of $$("details[open]", form)) fold.open = false;
      form.elements[form.dataset.again]?.focus();
    } else {
      document.title = doc.title;
      const main = document.getElementById("main");
      const chosen = $("input[type=file]", form);
      main.replaceChildren(...$("main", doc).childNodes);
      // A form that is answered with itself has its files still.
      const again = named(form) && $(`#${named(form)} input[type=file]`, main);
      if (again && chosen?.files.length) {
        again.files = chosen.files;
        again.dispatchEvent(new Event("change", { bubbles: true }));
      }
      window.htmx?.process(main);
      scrollTo({ top: 0, behavior: "instant" });
      $("[data-focus]")?.focus({ preventScroll: true });
      const thanks = $("[data-promises]", main)?.outerHTML;
      const other = $("template[data-thanks]", main);
      if (thanks) keep({ at: Date.now(), path: location.pathname, [root.lang]: thanks, [other?.lang]: other?.content.firstElementChild.outerHTML });
      start();
    }
  }

  // What takes a while says how far it is: `fetch` does not know.
  function upload(form, where, body, headers) {
    const bar = $("progress", form);
    return new Promise((resolve, reject) => {
      const xhr = new XMLHttpRequest();
      xhr.open("POST", where);
      for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
      xhr.timeout = 120000;
      xhr.upload.onprogress = (e) => { if (bar && e.lengthComputable) bar.value = e.loaded / e.total; };
      xhr.onload = () => resolve({
        ok: xhr.status >= 200 && xhr.status < 300,
        url: xhr.responseURL,
        redirected: xhr.responseURL !== new URL(where, location.href).href,
        headers: { get: (name) => xhr.getResponseHeader(name) },
        text: async () => xhr.responseText,
      });
      xhr.onerror = xhr.ontimeout = reject;
      if (bar) bar.hidden = false;
      xhr.send(body);
    }).finally(() => { if (bar) { bar.hidden = true; bar.value = 0; } });
  }

  document.addEventListener("submit", async (e) => {
    const form = e.target;
    if (!(form instanceof HTMLFormElement) || form.dataset.send === undefined) return;
    e.preventDefault();
    if (form.getAttribute("aria-busy") === "true") return;
    const sender = e.submitter?.matches(".sr") ? null : e.submitter;
    const button = sender || $("button.btn-primary", form) || $("button:not([type=button])", form);
    const label = button && ($("span", button) || button);
    const said = label?.textContent;
    // None of its buttons would be heard meanwhile, and each is seen not to be.
    const still = [...form.elements].filter((one) => one.matches("button:not([type=button]):enabled"));
    form.setAttribute("aria-busy", "true");
    for (const one of still) one.disabled = true;
    if (button?.dataset.busy) label.textContent = button.dataset.busy;
    complain(form, "");
    try {
      // As it is at this moment: what a button put into a field for it is taken out again.
      const fields = new FormData(form);
      await window.picturesReady?.(form);
      const choosing = $$("input[type=file]", form);
      const files = choosing.some((field) => field.files.length);
      for (const field of choosing) {
        fields.delete(field.name);
        for (const file of field.files) fields.append(field.name, file);
      }
      const data = files ? fields : new URLSearchParams(fields);
      if (sender?.name) data.append(sender.name, sender.value);
      const key = data.get("idempotency_key");
      const where = button?.hasAttribute("formaction") ? button.formAction : form.action;
      const headers = { ...speaks, Accept: "text/html", ...(key ? { "Idempotency-Key": key } : {}) };
      const response = files ? await upload(form, where, data, headers) : await fetch(where, {
        method: "POST",
        body: data,
        headers,
        signal: AbortSignal.timeout(30000),
      });
      const html = (response.headers.get("content-type") || "").includes("text/html");
      const doc = html ? new DOMParser().parseFromString(await response.text(), "text/html") : null;
      // A form that is answered with itself says there what is wrong, and is no page to come back to.
      const itself = form.dataset.send === "main" && named(form) && doc?.getElementById(named(form));
      if (!response.ok && !itself) complain(form, await refusal(form, doc), doc && $("[data-sign-in]", doc));
      else if (form.dataset.send === "page" || !doc || (named(form) && form.dataset.send === "main" && response.redirected) || elsewhere(form, response.url)) {
        forget(form);
        location.assign(response.redirected ? response.url : location.href);
      } else show(form, doc, response.url);
    } catch {
      complain(form, words.wordOffline);
    } finally {
      form.removeAttribute("aria-busy");
      for (const one of still) one.disabled = false;
      if (button?.dataset.busy) label.textContent = said;
    }
  });

  /* --- drafts and what a desk remembers --------------------------------------------------------- */
  // A reporter's words stay in this tab only: library computers are shared.
  const store = (field) => (field.hasAttribute("data-keep-draft") ? localStorage : sessionStorage);
  const quietly = (work) => { try { return work(); } catch { return null; } };
  function forget(form) {
    for (const field of $$("[data-draft]", form)) quietly(() => store(field).removeItem(`draft:${field.dataset.draft}`));
  }
  function recall() {
    for (const field of $$("[data-draft]")) {
      const kept = quietly(() => store(field).getItem(`draft:${field.dataset.draft}`));
      if (!kept || (field.value && !keeper(field))) continue;
      field.value = kept;
      const fold = field.closest("details");
      if (fold) fold.open = true;
    }
    for (const field of $$("[data-remember]")) {
      const kept = quietly(() => localStorage.getItem(`remember:${field.dataset.remember}`));
      if (kept && !field.value) field.value = kept;
    }
  }
  document.addEventListener("input", ({ target }) => {
    if (target.dataset?.draft) quietly(() => store(target).setItem(`draft:${target.dataset.draft}`, target.value));
    if (target.dataset?.remember) quietly(() => localStorage.setItem(`remember:${target.dataset.remember}`, target.value));
  });

  // A reply of staff is kept by desk too, for its writer alone, so that it is found on any computer.
  // What desk has is dropped here; what is found here again has not reached it.
  let unsaved = null, wait = 0, saving = null;
  function keeper(field) {
    return field.hasAttribute("data-keep-draft")
      && field.form?.getAttribute("action")?.match(/^(.*\/api\/cases\/[^/]+)\/(?:reply|submit|amend)$/)?.[1];
  }
  async function save(leaving) {
    clearTimeout(wait);
    const field = unsaved;
    unsaved = null;
    if (!field?.form) return;
    saving = new AbortController();
    const { text, outcome, rule } = Object.fromEntries(new FormData(field.form));
    try {
      const answer = await fetch(`${keeper(field)}/draft`, {
        method: "PUT",
        signal: saving.signal,
        keepalive: leaving && field.value.length < 15000,
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify({ text, outcome, rule }),
      });
      if (answer.ok && field.value === text) quietly(() => store(field).removeItem(`draft:${field.dataset.draft}`));
    } catch { /* It stays in this browser, and goes with the next letters. */ }
  }
  document.addEventListener("input", ({ target }) => {
    const field = target.form && $("[data-keep-draft]", target.form);
    if (!field || !keeper(field)) return;
    unsaved = field;
    clearTimeout(wait);
    wait = setTimeout(save, 1000);
  });
  document.addEventListener("visibilitychange", () => { if (document.hidden) save(true); });
  // The same reply in another tab of this browser: whoever comes back here goes on from its words.
  addEventListener("storage", ({ key, newValue }) => {
    const field = newValue && key?.startsWith("draft:")
      && $(`[data-keep-draft][data-draft="${CSS.escape(key.slice(6))}"]`);
    if (field && !(document.hasFocus() && document.activeElement === field)) field.value = newValue;
  });
  // Once it is being sent there is nothing more to keep.
  document.addEventListener("submit", ({ target }) => {
    if (!$("[data-keep-draft]", target)) return;
    clearTimeout(wait);
    unsaved = null;
    saving?.abort();
  }, true);

  // Thanks and their code stay in this tab: a page that is loaded again, or that a phone let go of
  // meanwhile, still shows them. Whoever has left it, or comes anew, does not find them here.
  const HOUR = 3_600_000;
  function keep(thanks) {
    quietly(() => (thanks ? sessionStorage.setItem("thanks", JSON.stringify(thanks)) : sessionStorage.removeItem("thanks")));
  }
  const kept = () => quietly(() => JSON.parse(sessionStorage.getItem("thanks")));
  function leave(to) {
    const thanks = kept();
    if (thanks) keep({ left: to, ...thanks });
  }
  function thank() {
    const { left, ...thanks } = kept() || {};
    const how = performance.getEntriesByType("navigation")[0]?.type;
    const still = how === "reload" || (how === "back_forward" && !left) || left === location.href;
    if (!still || thanks.path !== location.pathname || Date.now() - thanks.at > HOUR) {
      keep(null);
      return;
    }
    keep(thanks);
    const page = new DOMParser().parseFromString(thanks[root.lang], "text/html").body;
    document.title = page.firstElementChild.dataset.title;
    document.getElementById("main").replaceChildren(...page.childNodes);
  }
  document.addEventListener("click", ({ target }) => {
    const language = target.closest("a[hreflang]");
    if (language && $("[data-promises]")) leave(language.href);
  });
  addEventListener("pagehide", () => leave("away"));
  addEventListener("pageshow", (e) => {
    if (!e.persisted || !$("[data-promises]")) return;
    keep(null);
    location.reload();
  });

  /* --- small tools ------------------------------------------------------------------------------ */
  async function copy(button) {
    const label = $("span", button) || button;
    const said = button.dataset.said || label.textContent;
    button.dataset.said = said;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      const field = document.createElement("textarea");
      field.value = button.dataset.copy;
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
    label.textContent = words.wordCopied;
    setTimeout(() => { label.textContent = said; }, 1600);
  }
  document.addEventListener("click", (e) => {
    const button = e.target.closest("[data-copy], [data-print], [data-back], [data-keys]");
    if (button?.dataset.copy) copy(button);
    else if (button?.hasAttribute("data-print")) print();
    else if (button?.hasAttribute("data-back")) history.back();
    else if (button?.hasAttribute("data-keys")) document.getElementById("keys").showModal();
    const row = e.target.closest("[data-row]");
    if (row && !e.target.closest("a, button, label, input") && !String(getSelection())) $("a", row).click();
  });
  document.addEventListener("submit", (e) => {
    if (!e.target.matches("[data-lookup]")) return;
    e.preventDefault();
    // People paste the whole link as well as the code.
    const code = e.target.elements.code.value.trim().split(/[/?#]/).filter(Boolean).pop();
    if (code) location.assign(`${words.base}/track/${encodeURIComponent(code)}`);
  });

  // What is known already, while somebody still writes. Whoever is not answered is not held up.
  let typed = 0, look = null;
  const offers = (part) => $$("[data-offer]", part).map((one) => one.dataset.offer).join();
  document.addEventListener("input", ({ target }) => {
    const place = target.form && $("[data-alike]", target.form);
    if (!place || !["text", "place"].includes(target.name)) return;
    clearTimeout(typed);
    typed = setTimeout(async () => {
      look?.abort();
      look = new AbortController();
      const { text, place: where } = Object.fromEntries(new FormData(target.form));
      if (text.trim().length < 4) { place.replaceChildren(); return; }
      try {
        const answer = await fetch(place.dataset.alike, {
          method: "POST",
          body: new URLSearchParams({ text: text.slice(0, 2000), place: where }),
          headers: { ...speaks, Accept: "text/html" },
          signal: look.signal,
        });
        if (answer.ok) {
          const found = new DOMParser().parseFromString(await answer.text(), "text/html").body;
          // What is offered already is not moved under the finger.
          if (offers(place) !== offers(found)) {
            const ticked = $("input:checked", place)?.id;
            place.replaceChildren(...found.childNodes);
            if (ticked) ($(`#${CSS.escape(ticked)}`, place) || $("input", place))?.click();
          }
        }
      } catch { /* It is only an offer. */ }
    }, 600);
  });
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-me-too]");
    if (!button) return;
    const said = $("input[name=incident]", button.form);
    said.value = button.dataset.meToo;
    button.form.requestSubmit();
    said.value = "";
  });

  async function promises() {
    const place = $("[data-promises]");
    // Soon at first, then ever more slowly, for an hour: a system that is behind promises late.
    for (let wait = 1000, left = 3_600_000; place?.isConnected && left > 0; left -= wait, wait = Math.min(wait * 1.2, 60_000)) {
      await new Promise((go) => setTimeout(go, wait));
      const response = await fetch(place.dataset.promises, { headers: { ...speaks, Accept: "application/json" } }).catch(() => null);
      if (!response?.ok) continue;
      const known = (await response.json()).promises || [];
      for (const one of known) {
        const field = $(`[data-promise="${one.clock}"]`, place);
        if (field && one.due_text) { field.textContent = one.due_text; field.title = one.due; }
      }
      if (known.some((one) => one.clock === "RESOLUTION")) return;
    }
  }

  /* --- keys ------------------------------------------------------------------------------------- */
  function step(by) {
    const rows = $$("[data-row]");
    if (!rows.length) return;
    const at = rows.indexOf(document.activeElement?.closest?.("[data-row]"));
    const next = rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? (by > 0 ? 0 : rows.length - 1) : at + by))];
    $("a", next).focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }
  document.addEventListener("keydown", (e) => {
    const field = e.target.closest?.("input, textarea, select, [contenteditable]");
    const typing = field?.matches("[type=checkbox]") ? null : field;
    if (e.key === "Enter" && (e.ctrlKey || e.metaKey) && field?.form) {
      e.preventDefault();
      field.form.requestSubmit();
    } else if (e.key === "Escape" && typing?.type === "search" && !e.isComposing) {
      // A browser empties the field: whoever leaves it for the rows wants to keep what was found.
      e.preventDefault();
      typing.blur();
    }
    if (typing || e.ctrlKey || e.metaKey || e.altKey || e.isComposing) return;
    if (!$("[data-keys]") || $("dialog[open]")) return;
    const keys = {
      j: () => step(1),
      k: () => step(-1),
      "/": () => document.getElementById("q").focus(),
      n: () => location.assign(`${words.base}/desk/new`),
      "?": () => document.getElementById("keys").showModal(),
    };
    if (keys[e.key]) { e.preventDefault(); keys[e.key](); }
  });

  function start() {
    once();
    recall();
    promises();
  }
  thank();
  start();
  listen();
  beat();
})();
