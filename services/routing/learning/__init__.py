"""Training: from letters whose department is known to a `Model`.

A package of its own, because it alone needs scikit-learn and scipy: it runs in a process of its
own, and what serves people only multiplies (`domain/model.py`).
"""

from services.routing.learning.beside import TrainingFailed, train_beside
from services.routing.learning.rehearsal import REHEARSAL, chosen
from services.routing.learning.report import Quality, Trained, falls_short
from services.routing.learning.scratch import Letter, read_letters, train
from services.routing.learning.surety import no_surer
from services.routing.learning.versions import (
    Learned,
    NothingToLearn,
    learn,
    refresh_model,
    take,
)

__all__ = [
    "REHEARSAL",
    "Learned",
    "Letter",
    "NothingToLearn",
    "Quality",
    "Trained",
    "TrainingFailed",
    "chosen",
    "falls_short",
    "learn",
    "no_surer",
    "read_letters",
    "refresh_model",
    "take",
    "train",
    "train_beside",
]
