"""The process that trains: lessons come in, a model goes out. It has no database and no network."""

from __future__ import annotations

import os
import sys

os.nice(19)
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"

if __name__ == "__main__":
    from services.routing.learning.onwards import learn

    sys.stdout.write(learn(sys.stdin.buffer).model_dump_json())
