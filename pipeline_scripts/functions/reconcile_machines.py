"""On which machines a version should be served, and whether these are on trial or the version is.

Version and machines move one after the other, so that it is plain which of them fails: a version is tried on machines
that others were proven on, and other machines are tried with a version that is proven. Where nothing serves, both come
together; if they fail, the version is tried again on the machines that were proven last, which decides between the two.
"""

from collections.abc import Mapping


def machines_to_ask_for(wanted: str, *, has: str, unfit: Mapping[str, str], version_moves: bool) -> str:
    """The instance type that this run asks for; empty where the stack has no parameter for it.

    Args:
        wanted: What people want; empty where they leave it to the stack.
        has: What the stack has; empty where it has no parameter for it.
        unfit: The types that failed, each with the one that was proven before.
        version_moves: Whether another version than the proven one is to take the place of one that serves.
    """
    fit = unfit.get(wanted, wanted)
    stays = not fit or (version_moves and has not in unfit)
    return has if not has or stays else fit


def machines_to_return_to(tried: str, *, proven: str, unfit: Mapping[str, str]) -> str:
    """The instance type that was proven last, if another one is on trial with this run; else empty."""
    return proven if tried != proven and tried not in unfit else ""
