"""What of a text is embedded."""

LONGEST = 240
"""Characters. The first sentences say what it is about, and each costs some 2 ms of a core. Of
ASCII three count as one: a token of the model is three or four letters, or one ideograph and a
half."""


def beginning(title: str, text: str) -> str:
    """Title and first sentences of a masked text, blanks collapsed, at most `LONGEST` characters.

    Only the beginning is looked at, so that the length of a text costs nothing.
    """
    said = f"{title[:LONGEST]}\n{text[: 12 * LONGEST]}" if title else text[: 12 * LONGEST]
    said = " ".join(said.split())[: 3 * LONGEST]
    room = 3 * LONGEST
    for at, character in enumerate(said):
        room -= 1 if character.isascii() else 3
        if room < 0:
            return said[:at]
    return said
