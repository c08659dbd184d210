"""What sla says to people."""

from services.sla.wording.messages import LOCALES, translate
from services.sla.wording.pages import page_words

__all__ = ["LOCALES", "page_words", "translate"]
