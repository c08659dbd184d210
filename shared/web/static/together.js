/* Colleagues on one page: who else looks or writes, and @ in a note. Both are help only. */
(() => {
  "use strict";
  const BEAT = 10000, WRITES_FOR = 30000;

  /* --- who else is here ------------------------------------------------------------------------ */
  const place = document.querySelector("[data-viewers]");
  let wrote = -Infinity, timer = 0;

  function say(items) {
    const { looks, writes } = place.dataset;
    const text = items.map((one) => `${one.display} ${one.writing ? writes : looks}`).join(" · ");
    if (place.textContent !== text) place.textContent = text;
    place.hidden = !text;
  }
  async function beat() {
    clearTimeout(timer);
    if (document.hidden) return;
    timer = setTimeout(beat, BEAT);
    try {
      const answer = await fetch(place.dataset.viewers, {
        method: "PUT",
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        body: JSON.stringify({ writing: performance.now() - wrote < WRITES_FOR }),
      });
      if (answer.ok) say((await answer.json()).items);
      // Signed out, or not theirs to see any more.
      else if ([401, 403, 404].includes(answer.status)) { clearTimeout(timer); say([]); }
    } catch { /* The next beat will do. */ }
  }
  if (place) {
    document.addEventListener("visibilitychange", beat);
    document.addEventListener("input", ({ target }) => {
      if (!target.matches("textarea")) return;
      const first = performance.now() - wrote >= WRITES_FOR;
      wrote = performance.now();
      if (first) beat();
    });
    beat();
  }

  /* --- @ in a note: the boxes of the form are what is offered ----------------------------------- */
  const TYPED = /(?:^|[^A-Za-z0-9._-])[@＠]([^\s@＠]{0,30})$/;
  let field = null, list = null, at = 0;

  const people = () => [...(field?.form?.querySelectorAll("[data-people] [data-account]") || [])]
    .map((box) => ({ account: box.dataset.account, name: box.closest("label").textContent.trim() }));
  const typed = () => field?.value.slice(0, field.selectionStart).match(TYPED);

  function close() {
    list?.remove();
    list = null;
    field?.removeAttribute("aria-activedescendant");
    field?.setAttribute("aria-expanded", "false");
  }
  function mark(n) {
    const options = [...list.children];
    at = (n + options.length) % options.length;
    options.forEach((one, i) => one.setAttribute("aria-selected", String(i === at)));
    options[at].scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", options[at].id);
  }
  function pick(account) {
    const begun = typed();
    if (begun) {
      const end = field.selectionStart;
      field.setRangeText(`${account} `, end - begun[1].length, end, "end");
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    close();
    field.focus();
  }
  function offer() {
    const begun = typed();
    const like = begun && begun[1].toLowerCase();
    const found = begun
      ? people().filter((one) => `${one.account} ${one.name}`.toLowerCase().includes(like)).slice(0, 8)
      : [];
    close();
    if (!found.length) return;
    list = document.createElement("ul");
    list.className = "mentions";
    list.id = `${field.id}-people`;
    list.setAttribute("role", "listbox");
    list.append(...found.map((one, i) => {
      const option = document.createElement("li");
      option.id = `${list.id}-${i}`;
      option.setAttribute("role", "option");
      option.dataset.account = one.account;
      option.textContent = `${one.name}  @${one.account}`;
      return option;
    }));
    field.after(list);
    field.setAttribute("role", "combobox");
    field.setAttribute("aria-autocomplete", "list");
    field.setAttribute("aria-controls", list.id);
    field.setAttribute("aria-expanded", "true");
    mark(0);
  }
  document.addEventListener("input", ({ target }) => {
    if (!target.matches("textarea") || !target.form?.querySelector("[data-people]")) return;
    field = target;
    offer();
  });
  document.addEventListener("keydown", (e) => {
    if (!list || e.target !== field || e.isComposing) return;
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (e.key in steps) mark(at + steps[e.key]);
    else if (e.key === "Enter" || e.key === "Tab") pick(list.children[at].dataset.account);
    else if (e.key === "Escape") close();
    else return;
    e.preventDefault();
    e.stopPropagation();
  }, true);
  document.addEventListener("mousedown", (e) => {
    const option = e.target.closest(".mentions [role=option]");
    if (!option) return;
    e.preventDefault();
    pick(option.dataset.account);
  });
  document.addEventListener("focusout", ({ target }) => { if (target === field) close(); });
})();
