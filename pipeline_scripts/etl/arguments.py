"""The job's arguments, as Glue passes them: `--name value` pairs among reserved ones of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone

from pipeline_scripts.etl.errors import EtlError

MODES = ("auto", "full", "backfill")
RELATIONAL = ("postgresql", "mysql", "mariadb", "sqlserver", "oracle")
_NEEDED = ("engine", "pseudonym_secret_arn", "curated_uri", "vault_uri", "shared_vault_uri", "code_commit")


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """Where to read from, where to write to, how much, and on which day ages are counted.

    `connection_name` is of relational engines, `place` of the others; `secret_arn` of those with a login. `mode` is
    `auto` (what changed, or everything when that is due), `full`, or `backfill`: the days from `backfill_from` to
    `backfill_to`, both included. `erasure` names a request to erase; then nothing is read from the source.
    """

    engine: str
    pseudonym_secret_arn: str
    curated_uri: str
    vault_uri: str
    shared_vault_uri: str
    code_commit: str
    as_of: date
    connection_name: str = ""
    place: str = ""
    secret_arn: str = ""
    evidence_uri: str = ""
    mode: str = "auto"
    backfill_from: date | None = None
    backfill_to: date | None = None
    erasure: str = ""


def parse_arguments(argv: Sequence[str]) -> Arguments:
    """Read our arguments and leave Glue's reserved ones (`--JOB_NAME`, `--TempDir`, ...) alone.

    Days are written YYYY-MM-DD; `--as_of` defaults to today in UTC.

    Raises:
        EtlError: An argument is missing, cannot be read, or does not go with another.
    """
    given = _pairs(argv)
    engine = given.get("engine", "")
    place = "connection_name" if engine in RELATIONAL else "place"
    missing = [name for name in (*_NEEDED, place) if not given.get(name)]
    if missing:
        raise EtlError(f"arguments: --{missing[0]} is missing; add it to the job's default arguments")
    arguments = Arguments(
        engine=engine,
        pseudonym_secret_arn=given["pseudonym_secret_arn"],
        curated_uri=given["curated_uri"].rstrip("/"),
        vault_uri=given["vault_uri"].rstrip("/"),
        shared_vault_uri=given["shared_vault_uri"].rstrip("/"),
        code_commit=given["code_commit"],
        as_of=_day(given, "as_of") or datetime.now(timezone.utc).date(),
        connection_name=given.get("connection_name", ""),
        place=given.get("place", ""),
        secret_arn=given.get("secret_arn", ""),
        evidence_uri=given.get("evidence_uri", "").rstrip("/"),
        mode=given.get("mode") or "auto",
        backfill_from=_day(given, "backfill_from"),
        backfill_to=_day(given, "backfill_to"),
        erasure=given.get("erasure", ""),
    )
    _check_mode(arguments)
    return arguments


def _check_mode(arguments: Arguments) -> None:
    if arguments.mode not in MODES:
        raise EtlError(f"arguments: --mode must be one of {', '.join(MODES)}, got {arguments.mode!r}")
    days = (arguments.backfill_from, arguments.backfill_to)
    if arguments.mode != "backfill" and days != (None, None):
        raise EtlError("arguments: --backfill_from and --backfill_to go with --mode backfill; add it or remove them")
    if arguments.mode == "backfill" and (days[0] is None or days[1] is None or days[0] > days[1]):
        raise EtlError("arguments: --mode backfill needs --backfill_from and, no earlier, --backfill_to")


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


def _day(given: dict[str, str], name: str) -> date | None:
    text = given.get(name)
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise EtlError(f"arguments: --{name} must be a date as YYYY-MM-DD, got {text!r}") from error
