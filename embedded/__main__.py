"""Embedded AWS for a person: `python -m embedded start | status | stop`."""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from embedded.server import EmbeddedAws, StartFailed, answers, end_group

_STATE = Path(__file__).resolve().parent.parent / "build" / "embedded"


def main(arguments: list[str] | None = None) -> int:
    """Start, stop or look at an embedded AWS that goes on by itself.

    It writes `endpoint.json` into its folder: its address, and the environment that points the AWS CLI,
    boto3 and the CDK at it.

    Returns:
        0, or 1 where what was asked for could not be done.
    """
    parser = argparse.ArgumentParser(prog="python -m embedded", description="Embedded AWS on this machine.")
    parser.add_argument("command", choices=["start", "status", "stop"])
    parser.add_argument("--state", type=Path, default=_STATE, help="its folder (default: build/embedded)")
    parser.add_argument("--region", default="eu-west-1")
    parser.add_argument("--clock", action="store_true", help="fire schedules by the clock")
    given = parser.parse_args(arguments)
    endpoint = given.state / "endpoint.json"
    if given.command == "start":
        return _start(endpoint, region=given.region, clock=given.clock)
    return _stop(endpoint) if given.command == "stop" else _status(endpoint)


def _start(endpoint: Path, *, region: str, clock: bool) -> int:
    known = _running(endpoint)
    if known is not None:
        print(f"embedded AWS already answers at {known['url']}")
        return 0
    aws = EmbeddedAws(endpoint.parent, region=region, clock=clock)
    try:
        pid = aws.start(detached=True)
    except StartFailed as error:
        print(error, file=sys.stderr)
        return 1
    content = {"url": aws.url, "pid": pid, "environment": aws.environment()}
    endpoint.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    print(f"embedded AWS answers at {aws.url}; to use it from a shell:")
    for name, value in aws.environment().items():
        print(f"export {name}={value}")
    return 0


def _status(endpoint: Path) -> int:
    known = _running(endpoint)
    if known is None:
        print("embedded AWS does not run")
        return 1
    print(f"embedded AWS answers at {known['url']} (process {known['pid']})")
    return 0


def _stop(endpoint: Path) -> int:
    known = _running(endpoint)
    if known is None:
        print("embedded AWS does not run")
    else:
        end_group(known["pid"], wait=lambda: not _alive(known["pid"]))
        print("embedded AWS has stopped")
    endpoint.unlink(missing_ok=True)
    return 0


def _running(endpoint: Path) -> dict[str, Any] | None:
    """What the endpoint file says, where embedded AWS does answer at its address."""
    if not endpoint.is_file():
        return None
    content: dict[str, Any] = json.loads(endpoint.read_text(encoding="utf-8"))
    return content if answers(content["url"]) else None


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    time.sleep(0.02)
    return True


if __name__ == "__main__":
    sys.exit(main())
