"""What of a template is the same for every reader of a language, settled when it is compiled.

A page has hundreds of words, icons and addresses that never change. Calling for each of them while
a page is rendered is what rendering costs; here they become part of the text around them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from markupsafe import Markup, escape

WORD = "translated"
"""The filter that gives the translation of a message as markup."""


WRITING = "\nfrom shared.web.constants import escaped as escape\n"
"""The end of every compiled template: how it writes a value."""


def escaped(value: object) -> str:
    """`value` as it may stand on a page: what `escape` gives, at a third of the price for most."""
    kind = type(value)
    if kind is Markup or (kind is str and value.isalnum()):  # type: ignore[attr-defined]
        return value  # type: ignore[return-value]
    return str(value) if kind is int else escape(value)


class Constants(Extension):
    """Rewrites ``_("…")``, ``ui.icon("…")``, ``asset_url("…")`` with constants to filters of them.

    Jinja applies a filter of a constant when it compiles. What an environment lists in
    ``constants`` (name → text) stands in for that name. A message with values stays a call.
    """

    def filter_stream(self, stream: TokenStream) -> Iterable[Token]:
        """Called by Jinja with all tokens of a template."""
        return self._rewritten(list(stream))

    def _rewritten(self, tokens: list[Token]) -> Iterator[Token]:
        constants: dict[str, str] = getattr(self.environment, "constants", {})
        end, at = len(tokens), 0
        while at < end:
            token = tokens[at]
            at += 1
            if token.type == "name" and (at < 2 or tokens[at - 2].type != "dot"):
                found = _call_of_one_constant(tokens, at - 1)
                if found is not None:
                    name, argument, at = found
                    yield argument
                    yield Token(token.lineno, "pipe", "|")
                    yield Token(token.lineno, "name", name)
                    continue
                if token.value in constants and tokens[at].type != "assign":
                    yield Token(token.lineno, "string", constants[token.value])
                    continue
            yield token


def _call_of_one_constant(tokens: list[Token], at: int) -> tuple[str, Token, int] | None:
    """The filter, its argument, and where to go on; None where no such call begins."""
    match [t.value for t in tokens[at : at + 3]]:
        case ["ui", ".", "icon"]:
            name, at = "icon", at + 3
        case ["_", "(", _]:
            name, at = WORD, at + 1
        case ["asset_url", "(", _]:
            name, at = "asset_url", at + 1
        case _:
            return None
    if [t.type for t in tokens[at : at + 3]] != ["lparen", "string", "rparen"]:
        return None
    argument = tokens[at + 1]
    if name == WORD and "%" in argument.value:
        return None
    return name, argument, at + 3
