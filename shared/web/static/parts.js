/* Keeps the parts of a page current: only what moved comes, and stands where it stood. */
(() => {
  "use strict";
  const live = () => document.getElementById("live");
  const lost = document.getElementById("lost");
  let source = null;
  let address = "";
  let again = 0;

  const parts = () => [...document.querySelectorAll("[data-part]")];

  function show({ as_of: asOf, parts: fresh }) {
    for (const [name, html] of Object.entries(fresh)) {
      const old = document.getElementById(`part-${name}`);
      if (!old) continue;
      const next = old.cloneNode(false);
      next.append(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
      window.morph(old, next);
    }
    const moment = document.getElementById("as-of");
    if (moment && asOf) {
      moment.dateTime = asOf;
      moment.textContent = asOf.slice(11, 19);
    }
    document.dispatchEvent(new CustomEvent("express:live"));
  }

  function close() {
    clearTimeout(again);
    source?.close();
    source = null;
  }

  function open() {
    close();
    address = live()?.dataset.parts || "";
    if (!address || document.hidden || !window.EventSource) return;
    const seen = parts().map((one) => `${one.dataset.part}:${one.dataset.hash}`).join(",");
    const opened = new EventSource(`${address}${address.includes("?") ? "&" : "?"}seen=${seen}`);
    source = opened;
    opened.onopen = () => { lost.hidden = true; };
    opened.onmessage = (e) => show(JSON.parse(e.data));
    opened.onerror = () => {
      if (source !== opened) return;
      lost.hidden = false;
      if (opened.readyState === EventSource.CLOSED) again = setTimeout(open, 3000);
    };
  }

  // Dates only mean something where no period is named.
  function dates() {
    const period = document.getElementById("period");
    for (const one of document.querySelectorAll("[data-custom]")) one.hidden = period?.value !== "custom";
  }

  // What is wrong with a field is said below it, by the page that came.
  function mark() {
    for (const line of document.querySelectorAll(".filters .field-error")) {
      document.querySelector(`[aria-describedby="${line.id}"]`)?.setAttribute("aria-invalid", String(Boolean(line.textContent)));
    }
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  addEventListener("pageshow", (e) => { if (e.persisted) open(); });
  // Other filters were chosen: another address.
  document.addEventListener("express:live", () => { if (live()?.dataset.parts !== address) open(); });
  document.addEventListener("express:live", mark);
  document.addEventListener("change", dates);
  dates();
  open();
})();
