"""A thousand and more inputs that are none: each must be refused or set aside with a reason, none with a traceback."""

import logging
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from moto import mock_aws
from pyspark.sql import SparkSession

from baton.specification.columns import Column
from benchmarks.malformed_cases import COLUMNS, HEADER, configurations, csv_rows, files, json_rows
from benchmarks.measurement import Measurement
from benchmarks.spark import local_spark
from pipeline_scripts.etl.errors import EtlError
from pipeline_scripts.etl.sources.files import FileSource
from pipeline_scripts.etl.sources.places import FilesPlace
from pipeline_scripts.etl.sources.source import EVERYTHING, PROBLEM
from pipeline_scripts.etl.spark_errors import explained
from pipeline_scripts.etl.storage import CarriedFrames, Objects
from pipeline_scripts.model import Model, parse_model
from stacks.settings import ConfigurationError, load_environment, load_models

COMMAND = "python -m benchmarks.malformed_input"
CONFIG = Path(__file__).parent.parent / "config"
BUCKET = "landing"


@dataclass(kw_only=True)
class Outcomes:
    """How the cases ended: by kind and outcome, and those that ended badly, with what was seen."""

    counts: Counter[str] = field(default_factory=Counter)
    unhandled: list[str] = field(default_factory=list)

    def note(self, kind: str, name: str, attempt: Callable[[], str]) -> None:
        """Try one case: `attempt` answers its reason, or raises a refusal; an empty reason is an acceptance."""
        try:
            reason = attempt()
            outcome = "set aside"
        except (EtlError, ConfigurationError) as refusal:
            reason, outcome = str(refusal), "refused"
        except Exception as error:
            reason, outcome = "", f"{type(error).__name__}"
        if not reason or "\n" in reason:
            self.unhandled.append(f"{kind} {name}: {outcome if outcome != 'set aside' else 'accepted'}")
        self.counts[f"{kind}: {outcome}"] += 1


@dataclass(kw_only=True)
class Landing:
    """A source of files that one case after the other is put into."""

    spark: SparkSession
    client: Any
    folder: Path
    number: int = 0

    def source(self, name: str, content: bytes) -> FileSource:
        """The reader of a new prefix that holds this one file."""
        self.number += 1
        self.client.put_object(Bucket=BUCKET, Key=f"{self.number}/{name}", Body=content)
        objects = Objects(self.client)
        return FileSource(
            spark=self.spark,
            model=model(form=name.removesuffix(".gz").rpartition(".")[2], table=str(self.number)),
            place=FilesPlace(bucket=BUCKET),
            objects=objects,
            frames=CarriedFrames(self.spark, objects, self.folder),
        )

    def problems(self, name: str, content: bytes) -> list[str | None]:
        """The reason of each row of a file, None for a row that is one; small files are read in their order."""
        with explained("source"):
            return [row[0] for row in self.source(name, content).read(EVERYTHING).select(PROBLEM).collect()]


def model(*, form: str, table: str) -> Model:
    """The columns of the cases, read from files of a format."""
    content = load_models([CONFIG / "models" / "bank_churn.yaml"], [])[0].model_dump(mode="json")
    content["source"] |= {"table": table, "format": form, "key": "ID", "watermark": None}
    content["columns"] = {
        name: Column.model_validate({"type": kind, "treatment": "drop"}).model_dump(mode="json")
        for name, kind in COLUMNS.items()
    }
    return parse_model(content)


def try_rows(landing: Landing, outcomes: Outcomes, lines: dict[str, Sequence[bytes]]) -> None:
    """All lines of a format in one file, so in one job; each row must have a reason of its own."""
    for form, cases in lines.items():
        head = [HEADER] if form == "csv" else []
        found = landing.problems(f"rows.{form}", b"\n".join([*head, *cases]) + b"\n")
        if len(found) != len(cases):
            outcomes.unhandled.append(f"{form} rows: {len(cases)} lines gave {len(found)} rows")
        for number, reason in enumerate(found):
            outcomes.note(f"{form} row", str(number), lambda reason=reason: reason or "")  # type: ignore[misc]


def try_files(landing: Landing, outcomes: Outcomes, cases: Sequence[tuple[str, bytes]]) -> None:
    """Each file as the only one of its source."""
    for name, content in cases:
        outcomes.note(
            f"{name.partition('.')[2]} file",
            name,
            lambda name=name, content=content: "; ".join(filter(None, landing.problems(name, content))),  # type: ignore[misc]
        )


def try_configurations(outcomes: Outcomes, folder: Path, *, every: int = 1) -> None:
    """Each file of YAML in the place of a good one."""
    models, environments = folder / "model.yaml", folder / "dev.yaml"
    kinds: list[tuple[Path, Path, Callable[[], object], set[str]]] = [
        (
            CONFIG / "models" / "bank_churn.yaml",
            models,
            lambda: load_models([models], []),
            {"columns", "facets", "hyperparameters", "fairness"},
        ),
        (
            CONFIG / "environments" / "dev.yaml",
            environments,
            lambda: load_environment("dev", folder),
            {"connections"},
        ),
    ]
    for good, path, load, free in kinds:
        for number, text in enumerate(configurations(good.read_text(encoding="utf-8"), free=free)):
            if number % every == 0:
                path.write_text(text, encoding="utf-8")
                outcomes.note(f"{path.stem} file", str(number), lambda load=load: load() and "")  # type: ignore[misc]


def measure() -> Iterator[Measurement]:
    """Try every case."""
    logging.getLogger("py4j").setLevel(logging.CRITICAL)
    outcomes = Outcomes()
    with tempfile.TemporaryDirectory(prefix="baton-malformed-") as name:
        folder = Path(name)
        spark = local_spark(folder, {"spark.sql.session.timeZone": "UTC"})
        spark.sparkContext.setLogLevel("OFF")  # the failures here are meant
        try:
            with mock_aws():
                client = boto3.client("s3", region_name="us-east-1")
                client.create_bucket(Bucket=BUCKET)
                landing = Landing(spark=spark, client=client, folder=folder)
                try_rows(landing, outcomes, {"csv": list(csv_rows()), "json": list(json_rows())})
                try_files(landing, outcomes, list(files()))
        finally:
            spark.stop()
        try_configurations(outcomes, folder)
    detail = {"outcomes": dict(outcomes.counts), "unhandled": outcomes.unhandled[:50]}
    total = outcomes.counts.total()
    yield Measurement(name="malformed_input_cases", value=total, unit="cases", command=COMMAND, detail=detail)
    yield Measurement(
        name="malformed_input_unhandled",
        value=len(outcomes.unhandled),
        unit="cases",
        command=COMMAND,
        detail=detail,
    )


if __name__ == "__main__":
    for measurement in measure():
        measurement.write()
        print(f"{measurement.name}: {measurement.value} {measurement.unit} {measurement.detail}")
