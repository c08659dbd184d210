"""How sure a version may be: of what it has not learned, no surer than what is shipped."""

from __future__ import annotations

from collections.abc import Collection

from services.routing.domain import Model
from services.routing.domain.model import NOT_OURS, PRECISIONS


def floors(classes: Collection[str], shipped: Model) -> tuple[float, dict[int, float]]:
    """The lowest temperature and the lowest bars for a version of these classes.

    What is shipped was measured on thousands of letters of hands that it had not learned from; the
    latest of one library are few, and much like those it learned from. Where most departments are
    others than the shipped ones, it says nothing of them, and there are no floors.
    """
    ours = [name for name in classes if name != NOT_OURS]
    if 2 * sum(name in shipped.classes for name in ours) < len(ours):
        return 0.0, {}
    return shipped.temperature, bars_of_all(shipped)


def bars_of_all(model: Model) -> dict[int, float]:
    """From which probability on it sends, for everything that can be chosen."""
    return {percent: model.bar(percent / 100) for percent in PRECISIONS}


def no_surer(model: Model, shipped: Model | None) -> Model:
    """A version with probabilities and bars within the floors, as every new one is: those that
    were learned before there were any are read so."""
    if shipped is None:
        return model
    temperature, lowest = floors(model.classes, shipped)
    bars = {
        percent: max(bar, lowest.get(percent, 0)) for percent, bar in bars_of_all(model).items()
    }
    held = {
        "temperature": max(model.temperature, temperature),
        "categories": categories(shipped, model.categories),
    }
    if lowest:
        held |= {"bars": bars, "sure_at": bars[95]}
    return model.model_copy(update=held)


def categories(shipped: Model, own: dict[str, str]) -> dict[str, str]:
    """The commonest category of each department, as its own letters say.

    Letters about conduct teach nothing, so of whoever they are for the others do not tell what is
    commonest: that stays as shipped.
    """
    conduct = {name: said for name, said in shipped.categories.items() if said == "conduct"}
    return shipped.categories | own | conduct
