"""Several orders in one, and what a search may mean."""

from __future__ import annotations

import pytest

from services.desk.domain.search import asks, fused


def test_what_stands_high_in_several_orders_comes_first() -> None:
    assert fused(["a", "b"], ["b", "c"], []) == ["b", "a", "c"]
    assert fused() == []


@pytest.mark.parametrize(
    ("words", "means"),
    [
        ("占座", True),
        ("too hot", True),
        ("Wi-Fi 慢得很", True),
        ("座", False),
        ("13800001234", False),
        ("a@b.cn", False),
        ("217", False),
        ("??", False),
        ("7K3M-9QXA-0BCD-EFGH-2345", False),
        ("EFNZRDDXCFPC0PTXDP5B", False),
        ("0199abcd-efab-7cde-8fab-cdefabcdefab", False),
        ("0199abcdefab7cde8fabcdefabcdefab", False),
        ("internationalization", True),
        # A code with a slip in it, however its groups are divided.
        ("7K3M 9QXA 0BCD EFGH 23AB", False),
        ("7k3m 9qxa 0bcd efgh 23ab", False),
        ("7K3M9 QXA0B CDEFG H23AB", False),
        ("7K3 M9QXA-0BCD EFG H23AB", False),
        ("７Ｋ３Ｍ　９ＱＸＡ　０ＢＣＤ　ＥＦＧＨ　２３ＡＢ", False),
        ("0199a bcdef ab7cd e8fab cdefa bcdef ab", False),
        ("library wifi is too slow", True),
        ("room 217 printer jammed", True),
        ("wifi slow here once more", True),
        ("三层 7K3M 9QXA 0BCD EFGH 23AB", True),
        # A part of one.
        ("9KNR-X58Q", False),
        ("9knr‑x58q", False),
        ("01a22eae", False),
        ("01a22eae-44c", False),
        ("01a22eae44c1", False),
        ("wifi 5ghz", True),
        ("wifi-5ghz", True),
        ("wifi-slow", True),
        ("facade", True),
        ("self-help", True),
    ],
)
def test_a_number_or_a_single_letter_means_nothing(words: str, means: bool) -> None:
    assert asks(words) == means
