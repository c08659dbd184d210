/* Words that a reply may begin with go where the cursor is, or was last; to the end where it never was. Without this file the page is loaded again with them. */
(() => {
  "use strict";
  const written = new WeakSet();
  document.addEventListener("focusin", (e) => { if (e.target.matches("textarea")) written.add(e.target); });
  async function insert(button) {
    const form = button.form;
    const { canned, text: field, rule } = form.elements;
    if (!canned.value) { canned.focus(); return; }
    const { outcome } = Object.fromEntries(new FormData(form));
    const problem = form.querySelector("[data-problem]");
    const complain = (words) => { problem.textContent = words; problem.hidden = !words; };
    complain("");
    button.disabled = true;
    try {
      const answer = await fetch(button.dataset.canned, {
        method: "POST",
        headers: {
          "Content-Type": "application/json",
          Accept: "application/json",
          "Page-Language": document.documentElement.lang,
        },
        body: JSON.stringify({ canned: canned.value, outcome, rule: rule?.value }),
        signal: AbortSignal.timeout(30000),
      });
      const words = await answer.json();
      if (!answer.ok) { complain(words.detail || document.body.dataset.wordFailed); return; }
      if (!written.has(field)) field.setSelectionRange(field.value.length, field.value.length);
      const before = field.value.slice(0, field.selectionStart);
      const gap = before && !before.endsWith("\n") ? "\n\n" : "";
      field.setRangeText(gap + words.text, field.selectionStart, field.selectionEnd, "end");
      if (rule && !rule.value && words.rule) rule.value = words.rule;
      if (!outcome && words.outcome) {
        for (const one of form.querySelectorAll("[name=outcome]")) if (one.value === words.outcome) one.checked = true;
      }
      canned.value = "";
      field.focus();
      field.dispatchEvent(new Event("input", { bubbles: true }));
    } catch {
      complain(document.body.dataset.wordOffline);
    } finally {
      button.disabled = false;
    }
  }
  document.addEventListener("click", (e) => {
    const button = e.target.closest("[data-canned]");
    if (!button) return;
    e.preventDefault();
    insert(button);
  });
  document.addEventListener("keydown", (e) => {
    if (e.key !== "Enter" || e.isComposing || e.target.name !== "canned") return;
    e.preventDefault();
    insert(e.target.form.querySelector("[data-canned]"));
  });
})();
