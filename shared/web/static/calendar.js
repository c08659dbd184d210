/* Choosing days of a year: dragging over several, arrows. Links and forms also work without this file. */
(() => {
  "use strict";
  const year = document.querySelector("[data-year]");
  const form = document.querySelector("[data-range]");
  if (!year || !form) return;
  const days = [...year.querySelectorAll("[data-day]")];
  const first = form.elements.first;
  const last = form.elements.last;
  let from = -1;
  let dragged = false;

  function mark(a, b) {
    const [low, high] = a < b ? [a, b] : [b, a];
    days.forEach((day, n) => day.parentElement.classList.toggle("chosen", n >= low && n <= high));
    first.value = days[low].dataset.day;
    last.value = low === high ? "" : days[high].dataset.day;
  }
  // One stop for the Tab key; the arrows go from day to day.
  function stop(at) {
    days.forEach((day, n) => { day.tabIndex = n === at ? 0 : -1; });
  }
  const at = (e) => days.indexOf(e.target.closest?.("[data-day]"));

  year.addEventListener("pointerdown", (e) => {
    if (e.button || e.pointerType === "touch" || at(e) < 0) return;
    from = at(e);
    dragged = false;
  });
  year.addEventListener("pointerover", (e) => {
    if (from < 0 || at(e) < 0 || at(e) === from) return;
    dragged = true;
    mark(from, at(e));
  });
  addEventListener("pointerup", () => { from = -1; });
  year.addEventListener("dragstart", (e) => e.preventDefault());
  year.addEventListener("click", (e) => {
    const here = at(e);
    if (here < 0 || e.ctrlKey || e.metaKey) return;
    const begun = days.findIndex((day) => day.dataset.day === first.value);
    if (e.shiftKey && begun >= 0) mark(begun, here);
    else if (!dragged) return;
    e.preventDefault();
    dragged = false;
    document.getElementById("chosen-h").focus();
  });
  year.addEventListener("keydown", (e) => {
    const here = at(e);
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }[e.key];
    if (here < 0 || !step || e.ctrlKey || e.metaKey || e.altKey) return;
    const to = Math.min(days.length - 1, Math.max(0, here + step));
    e.preventDefault();
    if (e.shiftKey) {
      const begun = days.findIndex((day) => day.dataset.day === first.value);
      mark(begun < 0 ? here : begun, to);
    }
    stop(to);
    days[to].focus();
  });
  stop(Math.max(0, days.findIndex((day) => day.getAttribute("aria-current")), days.findIndex((day) => day.dataset.day === first.value)));

  for (const file of document.querySelectorAll("[data-into]")) {
    file.addEventListener("change", async () => {
      if (file.files[0]) document.getElementById(file.dataset.into).value = await file.files[0].text();
    });
  }
})();
