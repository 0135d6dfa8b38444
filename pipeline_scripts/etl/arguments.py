"""The job's arguments, as Glue passes them: `--name value` pairs among reserved ones of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone

from pipeline_scripts.etl.errors import EtlError


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Where to read from, where to write to, and on which day ages are counted."""

    connection_name: str
    secret_arn: str
    pseudonym_secret_arn: str
    curated_uri: str
    vault_uri: str
    code_commit: str
    as_of: date


def parse_arguments(argv: Sequence[str]) -> Arguments:
    """Read our arguments and leave Glue's reserved ones (`--JOB_NAME`, `--TempDir`, ...) alone.

    `--as_of` (YYYY-MM-DD) is optional and defaults to today in UTC.

    Raises:
        EtlError: An argument is missing or cannot be read.
    """
    given = _pairs(argv)
    names = [name for name in Arguments.__dataclass_fields__ if name != "as_of"]
    missing = [name for name in names if not given.get(name)]
    if missing:
        raise EtlError(f"arguments: --{missing[0]} is missing; add it to the job's default arguments")
    return Arguments(
        connection_name=given["connection_name"],
        secret_arn=given["secret_arn"],
        pseudonym_secret_arn=given["pseudonym_secret_arn"],
        curated_uri=given["curated_uri"].rstrip("/"),
        vault_uri=given["vault_uri"].rstrip("/"),
        code_commit=given["code_commit"],
        as_of=_as_of(given.get("as_of")),
    )


def _pairs(argv: Sequence[str]) -> dict[str, str]:
    """Every `--name value` and `--name=value`; a name that another name follows is a flag and has no value."""
    pairs: dict[str, str] = {}
    for position, token in enumerate(argv):
        if not token.startswith("--"):
            continue
        name, equals, value = token[2:].partition("=")
        following = argv[position + 1] if position + 1 < len(argv) else "--"
        pairs[name] = value if equals else ("" if following.startswith("--") else following)
    return pairs


def _as_of(given: str | None) -> date:
    if not given:
        return datetime.now(timezone.utc).date()
    try:
        return date.fromisoformat(given)
    except ValueError as error:
        raise EtlError(f"arguments: --as_of must be a date as YYYY-MM-DD, got {given!r}") from error
