"""The program that keeps one embedded server for as long as somebody uses it; its parent.

`python -I -S keeper.py USERS RECORD SIGNAL COMMAND …`, with the lock of the server inherited: that
is held for as long as this program runs. Everybody who uses the server shares the lock on USERS,
and the kernel drops the share of whoever was killed: who can have it alone knows that nobody is
left. The pid of the server goes to RECORD.
"""

import fcntl
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

GRACE_SECONDS = 7.0
"""How long a server may take to stop before it is killed."""


def main() -> int:
    """Run the server; the exit status is the server's."""
    users, record, number, *command = sys.argv[1:]
    # By this thread, which lives to the end: the kernel tells a child that *it* has died.
    server = subprocess.Popen(command)
    Path(record).write_text(str(server.pid))
    graceful = signal.Signals(int(number))
    threading.Thread(target=_end_unused, args=(server, users, graceful), daemon=True).start()
    status = server.wait()
    return status if status >= 0 else 128 - status


def _end_unused(server: subprocess.Popen[bytes], users: str, graceful: signal.Signals) -> None:
    with open(users, "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        server.send_signal(graceful)
        server.send_signal(signal.SIGCONT)
        time.sleep(GRACE_SECONDS)
        server.kill()
        threading.Event().wait()  # nobody comes in before it is gone


if __name__ == "__main__":
    sys.exit(main())
