"""A parent process that starts a server and is killed before it can stop it."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil

# The thread that starts the server stays alive until the kill, but is not the main thread: so the
# kernel is not asked to stop the server with its parent, as on a system that cannot do that.
_PROGRAM = """
import asyncio, sys, threading, time
from pathlib import Path
import shared.embedded

def start():
    server = getattr(shared.embedded, sys.argv[1])(Path(sys.argv[2]))
    asyncio.run(server.start())
    print(server.pid, flush=True)
    time.sleep(600)

thread = threading.Thread(target=start)
thread.start()
thread.join()
"""


async def abandoned_by_a_killed_parent(server: str, data: Path) -> int:
    """Return the pid of the server whose parent is gone."""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _PROGRAM, server, str(data), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    await parent.wait()
    return pid


def is_running(pid: int) -> bool:
    """Whether a process is there; a zombie is not."""
    try:
        os.kill(pid, 0)
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except (ProcessLookupError, psutil.NoSuchProcess):
        return False
