/* A sentence of an earlier answer goes where the cursor is, or was last, by a press or Alt and its number; to the end of
   what stands there where it never was; what stands there already does not go there again. Without this file it goes to
   the end of the draft, and the page comes again. */
(() => {
  "use strict";
  const fields = "form.do-reply textarea[name=text], form.do-submit textarea[name=text]";
  let last = null;
  document.addEventListener("focusin", (e) => {
    if (e.target.matches(fields)) last = e.target;
  });
  function field() {
    if (last?.isConnected) return last;
    const all = [...document.querySelectorAll(fields)];
    const into = all.find((one) => one.checkVisibility()) ?? all[0];
    into?.setSelectionRange(into.value.length, into.value.length);
    return into;
  }
  function take(button) {
    const into = field();
    if (!into) return false;
    const words = button.form.elements.text.value;
    if (into.value.includes(words)) {
      into.focus();
      return true;
    }
    const before = into.value.slice(0, into.selectionStart);
    const latin = /[A-Za-z.]$/.test(before) ? " " : "";
    into.setRangeText(latin + words, into.selectionStart, into.selectionEnd, "end");
    into.focus();
    into.dispatchEvent(new Event("input", { bubbles: true }));
    return true;
  }
  document.addEventListener("click", (e) => {
    const button = e.target.closest("button[data-take]");
    if (button && take(button)) e.preventDefault();
  });
  document.addEventListener("keydown", (e) => {
    if (!e.altKey || e.ctrlKey || e.metaKey || !/^Digit[1-9]$/.test(e.code)) return;
    const button = document.querySelector(`button[data-take="${e.code.slice(5)}"]`);
    if (button && take(button)) e.preventDefault();
  });
})();
