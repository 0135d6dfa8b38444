"""A waiver lets a version pass although it failed a check: somebody answers for it, for a while, and everybody sees it.

Waivers stand in the model's YAML, so they are reviewed and recorded as every other change.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """Whose word it is that a check may fail, why, and from when to when; both days count."""

    check: str
    approver: str
    reason: str
    granted: date
    expires: date

    def objection(self, *, on: date, author: str) -> str | None:
        """Why it does not count on a day for a commit of `author`; None if it does."""
        if on < self.granted:
            return f"it only begins on {self.granted}"
        if on > self.expires:
            return f"it expired on {self.expires}"
        if "@" not in author:
            return f"the deployment gives {author!r} as the commit's author and no e-mail address to compare with"
        if self.approver.casefold() == author.casefold():
            return f"{author}, who approves it, is also the author of the commit"
        return None

    def to_json(self) -> dict[str, str]:
        """What the decision shows of it."""
        return {
            "approver": self.approver,
            "reason": self.reason,
            "granted": self.granted.isoformat(),
            "expires": self.expires.isoformat(),
        }


def read_waivers(settings: Iterable[Mapping[str, Any]]) -> dict[str, Waiver]:
    """The waivers of a model by the check that they are about."""
    return {
        told["check"]: Waiver(
            check=told["check"],
            approver=told["approver"],
            reason=told["reason"],
            granted=date.fromisoformat(told["granted"]),
            expires=date.fromisoformat(told["expires"]),
        )
        for told in settings
    }
