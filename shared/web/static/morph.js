/* Changes a part of the page in place: what is focused, typed, opened or drawn stays as it is. */
(() => {
  "use strict";
  const OURS = new Set(["open", "hidden", "data-stale"]);

  function dirty(node) {
    if (node.nodeType !== 1) return false;
    if (node.contains(document.activeElement) && node.querySelector("textarea, input:not([type=hidden], [data-pick])")) return true;
    const fields = node.matches("textarea") ? [node] : [...node.querySelectorAll("textarea")];
    return fields.some((field) => field.value !== field.defaultValue);
  }

  // A picture that is there is not asked for again because its address was signed anew.
  function seen(image, address) {
    const plain = (whole) => (whole || "").split("?")[0];
    return image.naturalWidth > 0 && plain(image.getAttribute("src")) === plain(address);
  }

  function attributes(old, fresh) {
    // What somebody opened stays open; a reason to open that was not there before opens it.
    if (fresh.dataset.opens && !old.dataset.opens) old.open = true;
    for (const { name, value } of [...fresh.attributes]) {
      if (name === "src" && seen(old, value)) continue;
      if (!OURS.has(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    for (const { name } of [...old.attributes]) {
      if (!OURS.has(name) && !fresh.hasAttribute(name)) old.removeAttribute(name);
    }
  }

  function same(a, b) {
    return a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id || "") === (b.id || "");
  }

  function partner(parent, fresh, cursor) {
    if (fresh.id) {
      return [...parent.children].find((child) => child.id === fresh.id && same(child, fresh)) || null;
    }
    return cursor && same(cursor, fresh) ? cursor : null;
  }

  function children(old, fresh, options) {
    const wanted = new Set([...fresh.children].map((child) => child.id).filter(Boolean));
    let cursor = old.firstChild;
    const drop = (node) => {
      const next = node.nextSibling;
      if (dirty(node)) node.setAttribute("data-stale", "");
      else node.remove();
      return next;
    };
    for (const node of [...fresh.childNodes]) {
      // Whatever has a name that is no longer wanted goes first, so that the rest need not move.
      while (cursor && cursor.id && !wanted.has(cursor.id) && !same(cursor, node)) cursor = drop(cursor);
      const match = partner(old, node, cursor);
      if (!match) {
        const added = document.importNode(node, true);
        if (options.mark && added.nodeType === 1) added.classList.add("fresh");
        old.insertBefore(added, cursor);
        continue;
      }
      if (match === cursor) cursor = cursor.nextSibling;
      else old.insertBefore(match, cursor);
      one(match, node, options);
    }
    while (cursor) cursor = drop(cursor);
  }

  function one(old, fresh, options) {
    if (old.nodeType !== 1) {
      if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
      return;
    }
    if (old.dataset.morph === "skip" || old.isEqualNode(fresh)) return;
    attributes(old, fresh);
    if (old.nodeName === "TEXTAREA") {
      if (old.value === old.defaultValue) old.value = fresh.value;
      return;
    }
    const listed = old.matches("tbody, .timeline-plain, .breaking, .case-left, .talk");
    children(old, fresh, { mark: options.mark && listed });
  }

  window.morph = (old, fresh) => {
    const focused = document.activeElement;
    const id = focused && old.contains(focused) ? focused.id : "";
    one(old, fresh, { mark: true });
    if (id && document.activeElement !== focused) {
      document.getElementById(id)?.focus({ preventScroll: true });
    }
  };
})();
