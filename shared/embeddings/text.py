"""What of a text is embedded."""

LONGEST = 240
"""Characters. The first sentences say what it is about, and each costs some 2 ms of a core."""


def beginning(title: str, text: str) -> str:
    """Title and first sentences of a masked text, blanks collapsed, at most `LONGEST` characters.

    Only the beginning is looked at, so that the length of a text costs nothing.
    """
    said = f"{title[:LONGEST]}\n{text[: 4 * LONGEST]}" if title else text[: 4 * LONGEST]
    return " ".join(said.split())[:LONGEST]
