"""The command ``python -m services demo``; what plays is loaded when it is given."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Annotated

import typer

from shared.observability import logs
from shared.process import Build
from shared.settings import Settings, read_settings


def register(
    cli: typer.Typer,
    builds: Callable[[], dict[str, Build]],
    accounts: Callable[[Settings], None],
) -> None:
    """Add the command to the command line of the whole system."""

    @cli.command()
    def demo(
        again: Annotated[bool, typer.Option("--again", help="begin anew")] = False,
        days: Annotated[int, typer.Option(min=2, max=60, help="days to play")] = 60,
        cases: Annotated[int, typer.Option(min=20, max=5000, help="comments in all")] = 1500,
        seed: Annotated[int, typer.Option(help="another course of the same months")] = 1,
        within: Annotated[
            float,
            typer.Option(
                min=10, help="seconds it may take, its start too; a slow machine plays fewer"
            ),
        ] = 170.0,
        leave: Annotated[bool, typer.Option("--leave", help="end when it is played")] = False,
    ) -> None:
        """Play two invented months of a library, then stay up on their last afternoon.

        It has data of its own (demo/ under EXPRESS_DATA); the second time it goes on from there.
        """
        from services.demo.demonstration import Demonstration
        from services.demo.months import Size

        logs.configure(logging.WARNING)  # between its lines of progress nothing else is wanted
        size = Size(days, cases, seed, within)
        demonstration = Demonstration(read_settings(), builds, accounts, size)
        raise SystemExit(demonstration.run(again=again, leave=leave))
