"""Making a version once more, and comparing it with the first."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from cli.errors import BatonError
from cli.functions import invoke
from cli.registry import Version
from cli.stacks import Platform
from cli.waiting import wait_for

UNDER_WAY = ("preprocessing", "training")


@dataclass(frozen=True, kw_only=True)
class File:
    """One file of the artefact, by its SHA-256 as the signed evidence has it and as it came out; None: no such file."""

    name: str
    recorded: str | None
    made: str | None


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """How far a run is, and what came of it. `run` continues it; `equal` is None until it is made."""

    version: int
    commit: str
    dataset_hash: str
    run: str
    stage: str
    why: str = ""
    job: str = ""
    artifact_uri: str = ""
    equal: bool | None = None
    files: tuple[File, ...] = ()

    def __str__(self) -> str:
        """The state in a few words, for a message about waiting."""
        return self.stage


def reproduce(
    platform: Platform,
    version: Version,
    *,
    run: str,
    seconds: float = 7200,
    every: float = 5.0,
    meanwhile: Callable[[Reproduction], None] = lambda reproduction: None,
) -> Reproduction:
    """Make a version again and compare it; calling again with the same `run` goes on with it.

    Raises:
        BatonError: It cannot be made again, or a job failed.
    """
    function = platform.output("training", "ReproduceFunctionName")
    begun = Reproduction(
        version=version.number, commit=version.commit, dataset_hash=version.dataset_hash, run=run, stage="starting"
    )
    ended = wait_for(
        lambda: _told(begun, invoke(platform, function, {"version": version.number, "run": run})),
        until=lambda present: present.stage not in UNDER_WAY,
        what=f"run {run} of version {version.number}",
        seconds=seconds,
        every=every,
        meanwhile=meanwhile,
    )
    if ended.equal is None:
        raise BatonError(f"version {version.number} was not made again: {ended.why or ended.stage}")
    return ended


def _told(begun: Reproduction, answer: dict[str, Any]) -> Reproduction:
    files = tuple(File(**file) for file in answer.pop("files", ()))
    return replace(begun, files=files, **answer)
