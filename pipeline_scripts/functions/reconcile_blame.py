"""Whose fault it is that a version did not come to serve: its own, that of its machines, or nobody's."""

from collections.abc import Mapping
from typing import Any


def blame_for_update(event: Mapping[str, Any]) -> str:
    """Who bears an update that did not hold: `unfit` machines, `failed` a version, or `stuck`, which a person resolves.

    Clearing the way for a version is nobody's fault, nor is switching scaling or an explainer. And a version that was
    proven in this place is not to blame for a stack that does not move.
    """
    if event.get("brings", "version") in ("nothing", "scaling", "explainer"):
        return "stuck"
    return "stuck" if event["proven_before"] and not event["previous_type"] else blame_for_answer(event)


def blame_for_answer(event: Mapping[str, Any]) -> str:
    """Who bears a wrong or late answer: the machines if they are on trial, or the version itself."""
    return "unfit" if event["previous_type"] else "failed"
