"""By which file others on this machine find a running embedded AWS, and stop it: `endpoint.json` in its folder."""

import contextlib
import json
import os
import time
from pathlib import Path
from typing import Any

from embedded.server import EmbeddedAws, answers, end_group

_FILE = "endpoint.json"


def announce(aws: EmbeddedAws, pid: int) -> None:
    """Write down the address, the environment that points an SDK at it, and the process."""
    content = {"url": aws.url, "pid": pid, "environment": aws.environment()}
    (aws.state / _FILE).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def withdraw(state: Path) -> None:
    """Take the file away."""
    (state / _FILE).unlink(missing_ok=True)


def running(state: Path) -> dict[str, Any] | None:
    """What the file of a folder says, where embedded AWS does answer at its address."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        content: dict[str, Any] = json.loads((state / _FILE).read_text(encoding="utf-8"))
        return content if answers(content["url"]) else None
    return None


def stop_running(state: Path) -> bool:
    """Stop the one of a folder; answers whether one ran."""
    known = running(state)
    if known is not None:
        end_group(known["pid"], wait=lambda: not _alive(known["pid"]))
    withdraw(state)
    return known is not None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    time.sleep(0.02)
    return True
