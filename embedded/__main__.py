"""Embedded AWS for a person: `python -m embedded start | status | stop`."""

import argparse
import sys
from pathlib import Path

from embedded.presence import announce, running, stop_running
from embedded.server import EmbeddedAws, StartFailed

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
    if given.command == "start":
        return _start(given.state, region=given.region, clock=given.clock)
    return _stop(given.state) if given.command == "stop" else _status(given.state)


def _start(state: Path, *, region: str, clock: bool) -> int:
    known = running(state)
    if known is not None:
        print(f"embedded AWS already answers at {known['url']}")
        return 0
    aws = EmbeddedAws(state, region=region, clock=clock)
    try:
        announce(aws, aws.start(detached=True))
    except StartFailed as error:
        print(error, file=sys.stderr)
        return 1
    print(f"embedded AWS answers at {aws.url}; to use it from a shell:")
    for name, value in aws.environment().items():
        print(f"export {name}={value}")
    return 0


def _status(state: Path) -> int:
    known = running(state)
    if known is None:
        print("embedded AWS does not run")
        return 1
    print(f"embedded AWS answers at {known['url']} (process {known['pid']})")
    return 0


def _stop(state: Path) -> int:
    print("embedded AWS has stopped" if stop_running(state) else "embedded AWS does not run")
    return 0


if __name__ == "__main__":
    sys.exit(main())
