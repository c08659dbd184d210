/* Choosing rows of a list. Boxes and buttons also work without this file. */
(() => {
  "use strict";
  const bar = document.getElementById("bulk");
  if (!bar) return;
  const boxes = () => [...document.querySelectorAll("[data-pick]")];
  let last = "";

  function count() {
    const chosen = boxes().filter((box) => box.checked).length;
    bar.classList.toggle("some", chosen > 0);
    bar.querySelector("[data-picked]").textContent = chosen;
  }

  // From the box that was touched last to this one, all become what this one is now.
  function choose(box, through) {
    const all = boxes();
    const [from, to] = [all.findIndex((one) => one.id === last), all.indexOf(box)];
    if (through && from >= 0) {
      for (const one of all.slice(Math.min(from, to), Math.max(from, to) + 1)) one.checked = box.checked;
    }
    last = box.id;
    count();
  }

  document.addEventListener("click", (e) => {
    if (e.target.matches?.("[data-pick]")) choose(e.target, e.shiftKey);
  });
  document.addEventListener("keydown", (e) => {
    if (e.key.toLowerCase() !== "x" || e.ctrlKey || e.metaKey || e.altKey || e.isComposing) return;
    if (e.target.closest?.("input:not([type=checkbox]), textarea, select") || document.querySelector("dialog[open]")) return;
    const box = e.target.closest?.("[data-row]")?.querySelector("[data-pick]");
    if (!box) return;
    e.preventDefault();
    box.checked = e.shiftKey || !box.checked;
    choose(box, e.shiftKey);
  });
  document.addEventListener("express:live", count);
  addEventListener("pageshow", count);
  count();
})();
