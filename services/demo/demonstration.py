"""One run of ``python -m services demo``: a system of its own with two invented months in it."""

from __future__ import annotations

import asyncio
import importlib
import json
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import uvloop
from fastapi import FastAPI

from services.demo import wechat
from services.demo.clock import DemoClock
from services.demo.days import FIRST, Day
from services.demo.doing import Town
from services.demo.followers import FOLLOWERS, Followers
from services.demo.hurry import without_waiting_for_the_disk
from services.demo.months import Months, Size
from shared.moments import LOCAL, WEEKDAYS
from shared.process import Build, Process, runtime_for, say
from shared.running import running
from shared.service import Job, Runtime, Service
from shared.settings import Settings, refuse

NOTICE = (
    "演示：这里的人和事都是虚构的，日期也是。",
    "Demonstration: everybody and everything here is invented, and so is the date.",
)
_MARK = "demo.json"
_MEANWHILE = {
    "desk": ("waiting",),
    "routing": ("meaning", "learning"),
    "sla": ("marks", "trials"),
    "tracking": ("look at the board", "keep bands true", "publish gauges"),
}
"""Jobs that begin after the play: the clock jumps, and `Months` does what is due; or nobody looks
at what they do, and they want the processor for themselves."""
_KEEP_EVERY = 20
"""Seconds."""


class Demonstration:
    """One run of the command."""

    def __init__(
        self,
        settings: Settings,
        builds: Callable[[], dict[str, Build]],
        accounts: Callable[[Settings], None],
        size: Size,
    ) -> None:
        if settings.kafka or settings.database:
            refuse("the demo brings its own servers: unset EXPRESS_KAFKA and EXPRESS_DATABASE")
        changed: dict[str, Any] = {"data": settings.data / "demo", "smtp": ""}
        self.settings = settings.model_copy(
            update=changed | {"wechat": wechat.setting(settings.own_url)}
        )
        self._builds, self._accounts, self.size = builds, accounts, size
        self._began = time.monotonic()
        self._played = asyncio.Event()
        self._clock = DemoClock(datetime(FIRST.year, FIRST.month, FIRST.day, 7, tzinfo=LOCAL))

    def run(self, *, again: bool, leave: bool) -> int:
        """Until it is stopped; the exit status."""
        kept = self._prepare(again=again)
        if kept is not None:
            self._clock.set(datetime.fromisoformat(kept["now"]))
            self._played.set()
            self._clock.run()
        followers = None if kept else Followers(partial(follow, self.settings))
        process = Process(
            self.settings,
            self._load,
            whole=True,
            make_runtime=partial(runtime_for, clock=self._clock, notice=NOTICE),
            only_open=FOLLOWERS if followers else frozenset(),
        )
        beside = partial(self._beside, process, followers, leave=leave)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            status = runner.run(process.run(setup=True, demo=True, beside=beside))
        if self._played.is_set():
            self._keep()
        return status

    # -- what is there already -----------------------------------------------------------------

    def _prepare(self, *, again: bool) -> dict[str, Any] | None:
        """What a finished demonstration left, or None when it has to be played."""
        data = self.settings.data
        if others := running(data):
            refuse(f"演示已经在运行 / the demo is running already: {others[0]['url']}")
        kept = _read(data / _MARK)
        if kept is not None and kept["played"] and not again:
            say("接着上次的演示 / going on with the last demonstration (--again: 重新来过 / anew)")
            return kept
        if kept is not None:
            say("重新开始演示 / beginning the demonstration anew")
            shutil.rmtree(data)
        elif data.exists() and any(data.iterdir()):
            refuse(f"{data}: 不是演示的数据 / holds something that is not a demonstration")
        data.mkdir(parents=True, exist_ok=True)
        self._keep()
        return None

    def _keep(self, **more: Any) -> None:
        """Remember where the clock stands: it stands still while nobody runs it."""
        path = self.settings.data / _MARK
        old = _read(path) or {}
        state = old | {"played": self._played.is_set(), "now": self._clock.now().isoformat()} | more
        unfinished = path.with_suffix(".new")
        unfinished.write_text(json.dumps(state, ensure_ascii=False))
        unfinished.replace(path)

    # -- playing -------------------------------------------------------------------------------

    def _load(self) -> dict[str, Build]:
        return {name: partial(self._build, name, build) for name, build in self._builds().items()}

    def _build(self, name: str, build: Build, runtime: Runtime) -> Service:
        service = _hurried(build(runtime))
        for job in _MEANWHILE.get(name, ()):
            service.jobs[job] = self._after_the_play(service.jobs[job])
        if name == "notification":
            # What goes out after the play, to whoever looks at it: here, and where the rest is.
            service.deps.printer.stream = Shown(_sent(self.settings))
        return service

    def _after_the_play(self, job: Job) -> Job:
        async def waiting() -> None:
            await self._played.wait()
            await job()

        return waiting

    async def _beside(
        self, process: Process, followers: Followers | None, app: FastAPI, *, leave: bool
    ) -> None:
        wechat.serve_platform(app)
        if followers is not None:
            try:
                await followers.start()
                await self._play(app, followers)
                await followers.stop()
            finally:
                followers.end()
        if leave:
            process.stop()
            return
        if followers is not None:
            await asyncio.gather(*(process.services[name].begin() for name in FOLLOWERS))
        self._welcome()
        while True:
            await asyncio.sleep(_KEEP_EVERY)
            self._keep()

    async def _play(self, app: FastAPI, followers: Followers) -> None:
        say(f"演示两个月：{self.size.cases} 件，约一两分钟 / two months in a minute or two")
        began = time.monotonic()
        progress = _Progress(self.size)
        size = replace(self.size, within=self.size.within - (began - self._began))
        months = Months(app, size, followers, tell=progress)
        async with without_waiting_for_the_disk(app.state.runtime.database):
            town = await months.play()
        progress.end(town)
        self._played.set()
        self._keep(
            seed=self.size.seed,
            days=self.size.days,
            cases=self.size.cases,
            counts=dict(sorted(town.counts.items())),
            refused=dict(sorted(town.asking.refused.items())),
            seconds=round(time.monotonic() - began, 1),
        )
        self._clock.run()

    def _welcome(self) -> None:
        url = self.settings.url
        now = self._clock.now().astimezone(LOCAL)
        say(
            f"\n用户反馈直通车 · Feedback Express   {url}\n"
            f"演示里现在是 / in the demonstration it is now {now:%Y-%m-%d %H:%M}\n"
        )
        self._accounts(self.settings)
        say(
            "\n看什么 / where to look\n"
            f"  1. 看看整体 / how they are doing      {url}/dashboard  (leader)\n"
            f"  2. 一天的工作 / a day's work           {url}/desk  (coordinator)\n"
            f"  3. 慢的部门 / the slow department      {url}/desk?queue=overdue"
            "  (reviewer.facilities)\n"
            f"  4. 提一条意见 / say something          {url}/\n"
            f"  5. 发出的信 / what was sent            {self.settings.data / 'messages.log'}\n"
        )
        say("Ctrl-C 结束 / stops everything; make demo 接着来 / goes on, ARGS=--again 重来 / anew")


def follow(settings: Settings, clock: DemoClock) -> Process:
    """The process of `FOLLOWERS`, beside the one that plays."""

    def build(name: str, runtime: Runtime) -> Service:
        app = importlib.import_module(f"services.{name}.app")
        service = _hurried(app.build(runtime))
        for job in _MEANWHILE.get(name, ()):
            del service.jobs[job]
        if name == "notification":
            # What would have been sent goes into a file while there is so much of it.
            service.deps.printer.stream = _sent(settings)
        return service

    return Process(
        settings.model_copy(update={"base_url": settings.url, "port": 0}),
        lambda: {name: partial(build, name) for name in FOLLOWERS},
        whole=False,
        make_runtime=partial(runtime_for, clock=clock, notice=NOTICE),
    )


def _sent(settings: Settings) -> TextIO:
    return (settings.data / "messages.log").open("a", encoding="utf-8")


class Shown:
    """Into a file, and on standard output."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str, /) -> None:
        """In both."""
        for stream in (self._file, sys.stdout):
            stream.write(text)

    def flush(self) -> None:
        """Both."""
        for stream in (self._file, sys.stdout):
            stream.flush()


def _hurried(service: Service) -> Service:
    # Everything of a look comes at once: to wait for more would only take time.
    service.subscription = replace(service.subscription, linger=0.0, linger_at_broker=False)
    return service


class _Progress:
    """Says which day it is, on one line of a terminal, else once a week."""

    def __init__(self, size: Size) -> None:
        self._size = size
        self._live = sys.stdout.isatty()

    def __call__(self, day: Day, of: int, town: Town) -> None:
        """A day begins."""
        if self._live:
            print(f"\r\x1b[K{self._line(day, of, town)}", end="", flush=True)
        elif day.index % 7 == 0:
            say(self._line(day, of, town))

    def end(self, town: Town) -> None:
        """It is over."""
        counts = town.counts
        print("\r\x1b[K" if self._live else "", end="")
        say(f"收到 {counts['submitted']} 件，答复 {counts['replied']} 次 / came in, were answered")
        if days := counts["days left out"]:
            say(
                f"时间到了，最后 {days} 天没有放 / time was up before the last {days} days "
                "(--within)"
            )
        if left_out := counts["left out"]:
            say(
                f"这台机器慢或忙，少放了 {left_out} 件 / {left_out} left out, since this machine "
                "is slow or busy (--within)"
            )

    def _line(self, day: Day, of: int, town: Town) -> str:
        kind = day.holiday or ("调休" if day.make_up else "考试周" if day.exams else "")
        counts = town.counts
        return (
            f"{day.date:%m-%d} {WEEKDAYS['zh'][day.date.weekday()]} {kind}".rstrip()
            + f" · 第 {day.index + 1}/{of} 天 day · 收到 received {counts['submitted']}"
            f"/{self._size.cases} · 答复 replied {counts['replied']}"
        )


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found
