"""What may not change between two releases of a schema, found by comparing the two.

The log is kept for ever and services are replaced one by one, so that new code reads old events
and old code reads new ones: for events a field may neither become narrower nor wider. What adapters
send is read by us alone: there a field may become wider.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_AT_LEAST = ("minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties")
_AT_MOST = ("maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties")
_EXACT = ("pattern", "const", "multipleOf", "uniqueItems", "contentEncoding")
_UNIONS = ("anyOf", "oneOf", "allOf")
_HEAD = ("x-type", "x-owner", "x-topic")


def breaks(released: Mapping[str, Schema], today: Mapping[str, Schema]) -> list[str]:
    """Every incompatible change from the `released` schemas to `today`'s, by file name."""
    found = []
    for name, old in sorted(released.items()):
        new = today.get(name)
        if new is None:
            found.append(f"{name}: the type is gone")
            continue
        events = "x-type" in old
        found += [
            f"{name}: {key} was {old[key]!r}, is {new.get(key)!r}"
            for key in _HEAD
            if key in old and old[key] != new.get(key)
        ]
        found += [f"{name}: {b}" for b in _Comparison(old, new, events=events).differences()]
    return found


def _same_default(old: Any, new: Any) -> bool:
    """Whether leaving it out means what it meant; an object may have a new field without value."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        added = new.keys() - old.keys()
        return old.keys() <= new.keys() and all(
            new[key] is None if key in added else _same_default(old[key], new[key]) for key in new
        )
    return bool(old == new)


class _Comparison:
    """One old schema against one new; `events` means that old readers read new messages too."""

    def __init__(self, old: Schema, new: Schema, *, events: bool) -> None:
        self._old, self._new, self._events = old, new, events

    def differences(self) -> Iterator[str]:
        """Sentences, each with the place in the body."""
        yield from self._compare(self._old, self._new, "body")

    def _compare(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        before, after = _alternatives(self._old, old), _alternatives(self._new, new)
        gone = [k for k in before if k not in after]
        added = [k for k in after if k not in before]
        # A list of known codes that now admits any text: every old value is still good.
        if gone == ["code"] and added == ["string"] and not self._events:
            gone = []
        if gone:
            yield f"{at}: no longer {' or '.join(gone)}" + (
                f", now {' or '.join(added)}" if added else ""
            )
        elif added and self._events:
            yield f"{at}: may now be {' or '.join(added)}, which readers refuse"
        if not _same_default(old.get("default"), new.get("default")):
            yield f"{at}: the default was {old.get('default')!r}, is {new.get('default')!r}"
        open_list = "string" in before and "string" in after
        for kind in before.keys() & after.keys():
            yield from self._alternative(before[kind], after[kind], at, open_list=open_list)

    def _alternative(self, old: Schema, new: Schema, at: str, *, open_list: bool) -> Iterator[str]:
        yield from self._codes(old, new, at, open_list=open_list)
        yield from self._limits(old, new, at)
        yield from self._fields(old, new, at)
        for key in ("items", "additionalProperties"):
            before, after = old.get(key, True), new.get(key, True)
            if isinstance(before, Mapping) and isinstance(after, Mapping):
                yield from self._compare(before, after, f"{at}[]")
            elif after is not True and before != after:
                yield f"{at}: {key} is now restricted"
            elif before is not True and before != after and self._events:
                yield f"{at}: {key} is no longer restricted"

    def _codes(self, old: Schema, new: Schema, at: str, *, open_list: bool) -> Iterator[str]:
        before, after = old.get("enum"), new.get("enum")
        if before is None or after is None:
            return
        if gone := [v for v in before if v not in after]:
            yield f"{at}: no longer takes {', '.join(map(str, gone))}"
        added = [v for v in after if v not in before]
        if added and self._events and not open_list:
            yield f"{at}: may now be {', '.join(map(str, added))}, which readers refuse"

    def _limits(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        for key in (*_AT_LEAST, *_AT_MOST):
            before, after = old.get(key), new.get(key)
            if before == after:
                continue
            tighter = before is None or (
                after is not None and (after > before if key in _AT_LEAST else after < before)
            )
            if tighter or self._events:
                yield f"{at}: {key} was {before}, is {after}"
        for key in (*_EXACT, "format"):
            before, after = old.get(key), new.get(key)
            if before != after and (after is not None or self._events):
                yield f"{at}: {key} was {before}, is {after}"

    def _fields(self, old: Schema, new: Schema, at: str) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        needed, needs = set(old.get("required", ())), set(new.get("required", ()))
        for name in before:
            if name not in after:
                yield f"{at}.{name}: removed or renamed"
            else:
                yield from self._compare(before[name], after[name], f"{at}.{name}")
        for name in sorted(needs - needed):
            how = "has become required" if name in before else "is new and required"
            yield f"{at}.{name}: {how}"
        for name in sorted(needed - needs):
            if self._events and name in after:
                yield f"{at}.{name}: is no longer required, and readers count on it"


def _alternatives(root: Schema, schema: Schema) -> dict[str, Schema]:
    """What a value may be, by kind: ``string``, ``code`` (one of a list), ``null`` …"""
    beside = {k: v for k, v in schema.items() if k not in ("$ref", *_UNIONS)}
    if ref := schema.get("$ref"):
        parts: list[Schema] = [_resolved(root, ref)]
    else:
        parts = [p for key in _UNIONS for p in schema.get(key, ())]
    if parts:
        found: dict[str, Schema] = {}
        for part in parts:
            for kind, alternative in _alternatives(root, part).items():
                found[_free(kind, found)] = {**beside, **alternative}
        return found
    types = schema.get("type", "anything")
    return {
        "code" if "enum" in schema and t == "string" else t: schema
        for t in ([types] if isinstance(types, str) else types)
    }


def _free(kind: str, taken: Mapping[str, Schema]) -> str:
    """Two objects of one union need two names."""
    return kind if kind not in taken else _free(f"another {kind}", taken)


def _resolved(root: Schema, ref: str) -> Schema:
    part: Any = root
    for step in ref.removeprefix("#/").split("/"):
        part = part[step]
    return part  # type: ignore[no-any-return]
