"""Where the sums of several filters stand: in cells, which are named one by one."""

from services.tracking.domain.counting import cells_of, scope_of

SINGLES = [
    "category:seats", "category:", "channel:web", "channel:desk", "priority:P3", "priority:",
    "reporter_group:", "reporter_group:students", "",
]  # fmt: skip


def test_one_filter_has_a_scope_of_its_own() -> None:
    assert scope_of({}) == ""
    assert scope_of({"channel": "web"}) == "channel:web"
    assert scope_of({"reporter_group": "a:b"}) == "reporter_group:a;b"
    assert scope_of({"channel": "web", "priority": "P3"}) is None


def test_several_are_every_cell_that_has_their_values() -> None:
    assert cells_of({"channel": "web", "priority": "P3"}, SINGLES) == [
        "cell::web:P3:",
        "cell::web:P3:students",
        "cell:seats:web:P3:",
        "cell:seats:web:P3:students",
    ]


def test_all_four_are_one_cell_whether_or_not_there_is_one() -> None:
    four = {"category": "%", "channel": "web", "priority": "P3", "reporter_group": "a:b"}
    assert cells_of(four, []) == ["cell:%:web:P3:a;b"]


def test_what_nobody_ever_had_has_no_cells() -> None:
    assert cells_of({"channel": "web", "priority": "P3"}, ["category:seats"]) == []
