"""Stages: where several environments take their versions from one registry, each decides for itself."""

from collections.abc import Mapping, Sequence
from typing import Any


def stages_of(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The stages that a function's environment names."""
    return tuple(filter(None, environment.get("STAGES", "").split(",")))


def approved_for(package: dict[str, Any], stages: Sequence[str]) -> bool:
    """Whether a version has passed the first of `stages`: it is approved for it, or has gone on to a later one.

    A version has one stage at a time, and goes on only from an approval, whatever is decided there.
    """
    if not stages:
        return True
    life: dict[str, str] = package.get("ModelLifeCycle", {})
    return life.get("Stage") in stages[1:] or (life.get("Stage"), life.get("StageStatus")) == (stages[0], "Approved")
