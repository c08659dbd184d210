"""The sentences of the timeline, and the labels of the pages."""

from services.desk.wording.labels import page_words
from services.desk.wording.timeline import SENTENCES, actor_name, sentence

__all__ = ["SENTENCES", "actor_name", "page_words", "sentence"]
