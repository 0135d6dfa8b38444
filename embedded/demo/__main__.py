"""`python -m embedded.demo`: the main job, as `make demo` starts it."""

import argparse
import logging
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.text import Text

from cli import evidence
from cli.errors import BatonError, sentence
from embedded import presence
from embedded.demo import outcome
from embedded.demo.acts import ActFailed
from embedded.demo.choreography import REPORT, START, TITLES, Plan, perform
from embedded.demo.stage import Stage
from embedded.deployment import DeploymentFailed
from embedded.sample.table import TableRefused
from embedded.server import EmbeddedAws, StartFailed
from embedded.source.derby import DatabaseError

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
PUBLIC_MODEL = "examples/public_bank_churn.yaml"
FEWEST_ROWS = 3000
# A few hundred are enough to judge by: monitors want 200, and distances of less than 0.1 are still chance.
TRAFFIC = 600
FORESEEN = (
    ActFailed,
    BatonError,
    StartFailed,
    DeploymentFailed,
    TableRefused,
    DatabaseError,
    ClientError,
    BotoCoreError,
)


def main() -> int:
    """Perform, and answer with the exit code."""
    arguments = _arguments()
    console = Console()
    log = _log_to_file(arguments.build / "demo")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    stage = Stage(TITLES, console)
    try:
        with stage.open():
            _play(stage, arguments)
    except KeyboardInterrupt:
        console.print("stopped: everything that the demo had started has ended")
        return 130
    except Exception as error:
        logging.getLogger(__name__).exception("the demo broke off")
        console.print(Text.assemble(("demo: ", "bold red"), f"{_said(error)}; see {log}"), soft_wrap=True)
        return 1
    console.print(_where_to_look(arguments.build / "demo", keep=arguments.keep), soft_wrap=True, highlight=False)
    return 0


def _play(stage: Stage, arguments: argparse.Namespace) -> None:
    began = time.monotonic()
    state = arguments.build / "embedded"
    aws = EmbeddedAws(state)
    try:
        with stage.act(START) as act:
            presence.stop_running(state)
            shutil.rmtree(state, ignore_errors=True)
            presence.announce(aws, aws.start(detached=arguments.keep))
            act.end(aws.url)
        plan = Plan(data=arguments.data, rows=arguments.rows, traffic=TRAFFIC)
        platform, played = perform(stage, aws, plan, _context(arguments))
        with stage.act(REPORT) as act:
            html = outcome.page(platform, played, timings=stage.timings())
            figures = outcome.summary(platform, played, timings=stage.timings(), wall=time.monotonic() - began)
            signed = evidence.page(platform, played.evidence.version)
            outcome.write(arguments.build / "demo", figures=figures, html=html, evidence=signed, lineage=played.lineage)
            act.end(f"{len(html) / 1e3:.0f} kB")
    except KeyboardInterrupt:
        arguments.keep = False
        raise
    finally:
        if not arguments.keep:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not keep us from stopping
            aws.stop()
            presence.withdraw(state)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m embedded.demo", description=__doc__)
    parser.add_argument("--data", type=Path, help="a CSV with a header, as the source table")
    parser.add_argument("--model", help=f"the model's YAML file (with --data: {PUBLIC_MODEL})")
    parser.add_argument("--rows", type=int, default=10_000, help="customers to generate without --data")
    parser.add_argument(
        "--keep", action="store_true", help="leave embedded AWS running afterwards, whatever came of the acts"
    )
    parser.add_argument("--build", type=Path, default=BUILD, help="the folder to work and to leave results in")
    arguments = parser.parse_args()
    if arguments.rows < FEWEST_ROWS:
        parser.error(f"--rows must be at least {FEWEST_ROWS}, or the groups of the hold-out are too small to judge by")
    if arguments.data and not arguments.data.is_file():
        parser.error(f"--data: {arguments.data} is not a file")
    return arguments


def _context(arguments: argparse.Namespace) -> dict[str, str]:
    """The CDK context: which model, and whose code."""
    model = arguments.model or (PUBLIC_MODEL if arguments.data else None)
    models = {"models": str(Path(model).resolve())} if model else {}
    author = _git("config", "user.email") or _git("log", "-1", "--format=%ae")
    return {"commit": _git("rev-parse", "HEAD") or "unknown", "author": author or "unknown", **models}


def _git(*arguments: str) -> str:
    """What git says; nothing outside a repository."""
    try:
        answer = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return ""
    return answer.stdout.strip()


def _log_to_file(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "demo.log"
    logging.basicConfig(
        filename=log, filemode="w", level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("embedded").setLevel(logging.INFO)
    return log


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _said(error: Exception) -> str:
    if isinstance(error, FORESEEN):
        lines = [line.strip() for line in sentence(error).splitlines() if line.strip()]
        # What tools say in many lines stands in the log; the first says what failed, the last mostly why.
        return " ".join(lines[:1] + lines[1:][-1:]).rstrip(".")
    return f"something unforeseen broke: {type(error).__name__}: {error}"


def _where_to_look(results: Path, *, keep: bool) -> str:
    found = {
        "The page": "index.html",
        "What was approved": "evidence.html",
        "The lineage": "lineage.svg",
        "The figures": "summary.json",
    }
    lines = [f"{what}: {results / name}" for what, name in found.items()]
    if keep:
        lines.append(
            "Embedded AWS goes on running: try `baton status --embedded`; end it with `python -m embedded stop`"
        )
    return "\n" + "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
