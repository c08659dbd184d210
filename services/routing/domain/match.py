"""All phrases of all rules in one automaton: one pass over the text, however many rules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ahocorasick_rs import AhoCorasick, MatchKind

from services.routing.domain.rules import Rule, RuleBook
from services.routing.domain.text import Segments, fold

_HITS_PER_PHRASE = 200
"""More repetitions than this say nothing new, and would cost time."""
_LOOK_BACK = 16
_TITLE = re.compile(r"《[^《》\n]{1,80}》")
_FILLERS = "就又要真的快会都再 "


@dataclass(frozen=True, slots=True)
class Fired:
    """A rule that holds, and the phrases of the rule (never the reporter's words) it saw."""

    rule: Rule
    seen: tuple[str, ...]
    chosen: str | None = None
    """The category the reporter picked, where the rule asks for it."""


Numbers = dict[int, int]
"""Phrases by number, with their index in the rule: few of them occur, however many there are."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    rule: Rule
    phrases: Numbers
    all_of: tuple[Numbers, ...]
    none_of: Numbers
    places: Numbers
    not_before: tuple[str, ...]


class _Vocabulary:
    """Numbers every distinct phrase once, in the order in which they are asked for."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bool], int] = {}

    def number(self, phrase: str) -> int:
        plain = phrase.removesuffix("*")
        # Most are what they are when folded: no second text of the same then.
        folded = fold(plain)
        folded = plain if folded == plain else folded
        return self._known.setdefault((folded, plain != phrase), len(self._known))

    def words(self) -> list[str]:
        return [word for word, _ in self._known]

    def open_ended(self) -> frozenset[int]:
        return frozenset(n for (_, is_open), n in self._known.items() if is_open)


def _latin(char: str) -> bool:
    return char.isascii() and char.isalnum()


class RuleSet:
    """A compiled rule book. Immutable; safe to share between tasks and threads."""

    def __init__(self, book: RuleBook) -> None:
        self.book = book
        vocabulary = _Vocabulary()
        self._rules = tuple(_compile(book, rule, vocabulary) for rule in book.rules if rule.enabled)
        self._words, self._open_ended = vocabulary.words(), vocabulary.open_ended()
        self._by_phrase: dict[int, tuple[int, ...]] = {}
        for index, compiled in enumerate(self._rules):
            for phrase in compiled.phrases or compiled.places:
                self._by_phrase[phrase] = (*self._by_phrase.get(phrase, ()), index)
        self._always = tuple(
            i for i, compiled in enumerate(self._rules) if not (compiled.phrases or compiled.places)
        )
        words = self._words
        self._automaton = AhoCorasick(words, matchkind=MatchKind.Standard) if words else None

    def fired(
        self, *, text: str, place: str, channel: str | None, chosen: str | None
    ) -> list[Fired]:
        """Rules that hold for this comment, in the order of the book. Takes folded text."""
        # What a book is called says nothing about the library: 《着火的世界》 is no fire.
        text = _TITLE.sub(lambda title: "《" + "\0" * (len(title[0]) - 2) + "》", text)
        hits = self._hits(text)
        place_hits = self._hits(place) if place else {}
        segments = Segments(text)
        touched = set(self._always)
        for phrase in (*hits, *place_hits):
            touched.update(self._by_phrase.get(phrase, ()))
        found = []
        for index in sorted(touched):
            compiled = self._rules[index]
            rule = compiled.rule
            if rule.channels and channel not in rule.channels:
                continue
            if rule.chosen and chosen not in rule.chosen:
                continue
            places = _occurring(compiled.places, hits, place_hits) if compiled.places else []
            if compiled.places and not places:
                continue
            phrases = _seen(compiled, text, hits, segments) if compiled.phrases else ()
            if compiled.phrases and not phrases:
                continue
            names = [self._words[p] for p in (*phrases, *places)]
            picked = chosen if rule.chosen else None
            found.append(Fired(rule, tuple(dict.fromkeys(names)), picked))
        return found

    def _hits(self, text: str) -> dict[int, list[int]]:
        """Phrase number → where it begins."""
        hits: dict[int, list[int]] = {}
        if self._automaton is None:
            return hits
        words, open_ended = self._words, self._open_ended
        length = len(text)
        for number, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            starts = hits.get(number)
            if starts is not None and len(starts) >= _HITS_PER_PHRASE:
                continue
            word = words[number]
            if start and _latin(word[0]) and _latin(text[start - 1]):
                continue
            whole = end < length and _latin(word[-1]) and number not in open_ended
            if whole and _latin(text[end]):
                continue
            if starts is None:
                hits[number] = [start]
            else:
                starts.append(start)
        return hits


def _compile(book: RuleBook, rule: Rule, vocabulary: _Vocabulary) -> _Compiled:
    def numbers(phrases: Iterable[str]) -> Numbers:
        found: Numbers = {}
        for phrase in phrases:
            for plain in book.alternatives(phrase):
                found.setdefault(vocabulary.number(plain), len(found))
        return found

    before = [p for each in rule.not_before for p in book.alternatives(each)]
    return _Compiled(
        rule=rule,
        phrases=numbers(rule.phrases),
        all_of=tuple(numbers([phrase]) for phrase in rule.all_phrases),
        none_of=numbers(rule.not_phrases),
        places=numbers(rule.places),
        not_before=tuple(fold(p) for p in before),
    )


def _seen(
    compiled: _Compiled, text: str, hits: dict[int, list[int]], segments: Segments
) -> tuple[int, ...]:
    """Phrases of the rule that occur where its guards allow it."""
    scope = compiled.rule.scope

    def where(numbers: Numbers) -> set[int]:
        return {segments.index(scope, at) for n in numbers.keys() & hits.keys() for at in hits[n]}

    excluded = where(compiled.none_of)
    allowed = [where(group) for group in compiled.all_of]
    seen = []
    for number in _occurring(compiled.phrases, hits):
        for at in _free(compiled, text, hits[number], segments):
            segment = segments.index(scope, at)
            if segment not in excluded and all(segment in group for group in allowed):
                seen.append(number)
                break
    return tuple(seen)


def _occurring(numbers: Numbers, *found: dict[int, list[int]]) -> list[int]:
    """Those of a rule's phrases that were found, in the order of the rule."""
    there: set[int] = set()
    for hits in found:
        there |= numbers.keys() & hits.keys()
    return sorted(there, key=numbers.__getitem__)


def _free(
    compiled: _Compiled, text: str, starts: Iterable[int], segments: Segments
) -> Iterator[int]:
    """Occurrences without a denying word just before them in the same clause."""
    for at in starts:
        if compiled.not_before:
            begin = max(segments.start("clause", at), at - _LOOK_BACK)
            # Adjacent only: 没有人管有人晕倒 denies nothing.
            before = text[begin:at]
            bare = before.rstrip(_FILLERS)
            if before.endswith(compiled.not_before) or bare.endswith(compiled.not_before):
                continue
        yield at
