"""Embedded AWS's calling card: the file by which others on this machine find it, or stop it."""

import contextlib
import json
import os
from pathlib import Path

from embedded.server import EmbeddedAws, end_group

CARD = "endpoint.json"


def announce(aws: EmbeddedAws, pid: int) -> None:
    """Leave the card: address, environment and process id."""
    card = {"url": aws.url, "pid": pid, "environment": aws.environment()}
    (aws.state / CARD).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def withdraw(state: Path) -> None:
    """Take the card away."""
    (state / CARD).unlink(missing_ok=True)


def stop_previous(state: Path) -> None:
    """Stop the one that left its card in a folder, if it still runs."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        pid = int(json.loads((state / CARD).read_text(encoding="utf-8"))["pid"])
        if _is_launcher(pid, state):
            end_group(pid, wait=lambda: not _is_launcher(pid, state))
    withdraw(state)


def _is_launcher(pid: int, state: Path) -> bool:
    """Whether the process is embedded AWS of that folder, not another that got its number since."""
    with contextlib.suppress(OSError):
        os.kill(pid, 0)
        return str(state.resolve()).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False
