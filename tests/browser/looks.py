"""What is true of every page, whoever reads it; and pictures for people."""

from __future__ import annotations

import os
from functools import cache
from importlib.resources import files

from playwright.async_api import Page

from tests.browser.system import ROOT

PICTURES = ROOT / "build" / "screenshots"

# All in one question: each costs a way to the browser and back.
_FAULTS = """() => {
  const every = (what) => [...document.querySelectorAll(what)];
  const ids = every('[id]').map(e => e.id);
  const root = document.documentElement, wider = root.scrollWidth - root.clientWidth;
  return [
    ...every('input, textarea, select')
      .filter(f => f.type !== 'hidden' && !f.labels?.length && !f.getAttribute('aria-label'))
      .map(f => `field without a label: ${f.outerHTML.slice(0, 120)}`),
    ...every('table').filter(t => !t.querySelector('thead th'))
      .map(t => `table without heads: ${t.outerHTML.slice(0, 80)}`),
    ...every('a, button, summary')
      .filter(e => e.getClientRects().length && !e.textContent.trim() && !e.title)
      .map(e => `nothing to read on: ${e.outerHTML.slice(0, 120)}`),
    ...ids.filter((id, i) => ids.indexOf(id) !== i).map(id => `id twice: ${id}`),
    ...(wider > 0 ? [`${wider} px wider than the window`] : []),
    ...(every('h1').length > 1 ? ['more than one h1'] : []),
  ];
}"""
# Rules about what only a person can judge come back as incomplete, not as violations. How grave a
# violation is, a rule says by itself: those that find nothing grave need not look.
_AXE = """async () => {
  const grave = ['serious', 'critical'];
  const mild = axe._audit.rules.filter(r => r.impact && !grave.includes(r.impact));
  const rules = Object.fromEntries(mild.map(r => [r.id, { enabled: false }]));
  const asked = { rules, resultTypes: ['violations'], elementRef: false, selectors: false };
  const found = await axe.run(document, asked);
  return found.violations.filter(v => grave.includes(v.impact))
    .map(v => `${v.id}: ${v.nodes.map(n => n.html.slice(0, 160)).slice(0, 3).join(' | ')}`);
}"""
_FOCUS = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const seen = e.matches('.segments input, .fx-stars input')
    ? e.matches('.segments input') ? e.nextElementSibling : e.parentElement : e;
  const row = e.closest('[data-row]');
  const cells = row ? [row, ...row.cells] : [];
  const marked = [seen, ...cells].some(x => {
    const s = getComputedStyle(x);
    return (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== 'none';
  });
  return { what: e.outerHTML.slice(0, 100), marked };
}"""


async def picture(page: Page, name: str, *, whole: bool = True) -> None:
    """Where somebody wants to look at them (``EXPRESS_PICTURES=1``); no test reads it."""
    if os.environ.get("EXPRESS_PICTURES"):
        PICTURES.mkdir(parents=True, exist_ok=True)
        where = PICTURES / f"{name}.png"
        await page.screenshot(path=where, full_page=whole, animations="disabled")


async def faults_of(page: Page) -> list[str]:
    """What is wrong with how the page is made; nothing, we hope."""
    return [str(one) for one in await page.evaluate(_FAULTS)]


async def barriers_on(page: Page) -> list[str]:
    """What axe finds that keeps people from using the page: serious and critical alone."""
    await page.evaluate(_axe())
    return [str(one) for one in await page.evaluate(_AXE)]


@cache
def _axe() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


async def unseen_focus(page: Page, steps: int = 12) -> list[str]:
    """What the Tab key reaches without anybody seeing where it is."""
    found = []
    for _ in range(steps):
        await page.keyboard.press("Tab")
        now = await page.evaluate(_FOCUS)
        if now and not now["marked"]:
            found.append(now["what"])
    return found
