"""The container's program: `--output-config '{"<node>.default": {"content_type": "PARQUET"}}'`.

The flow, the data sets, and where the outputs belong are where a processing job's container finds them.
"""

import argparse
import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from embedded.wrangler.drawing import Drawing, FlowRefused, read_source

_FORMATS = ("CSV", "PARQUET")


def main(argv: Sequence[str]) -> int:
    """Run the flow, write its outputs, and leave the last word where a job leaves it."""
    base = Path(os.environ["SAGEMAKER_BASE_DIR"])
    try:
        message = _run(base, _wanted(argv))
        status = 0
    except FlowRefused as error:
        message, status = str(error), 1
    print(message, flush=True)
    (base / "output" / "message").write_text(message, encoding="utf-8")
    return status


def _wanted(argv: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The outputs by name. Each argument of the job is an option and its quoted value, in one text."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--output-config", action="append", required=True)
    known, others = parser.parse_known_args(shlex.split(" ".join(argv)))
    if others:
        raise FlowRefused(f"embedded AWS does not run Data Wrangler with {others[0]}")
    return {name: options for text in known.output_config for name, options in json.loads(text).items()}


def _run(base: Path, wanted: Mapping[str, Mapping[str, Any]]) -> str:
    folder = base / "processing"
    [file] = sorted((folder / "flow").iterdir())
    drawing = Drawing.of(json.loads(file.read_text(encoding="utf-8")))
    job = json.loads((base / "config" / "processingjobconfig.json").read_text(encoding="utf-8"))
    places = {output["OutputName"]: Path(output["S3Output"]["LocalPath"]) for output in _outputs(job)}
    for name, options in wanted.items():
        drawing.way_to(name.partition(".")[0])  # refused before Spark starts
        if set(options) != {"content_type"} or options["content_type"] not in _FORMATS:
            raise FlowRefused(f"output {name}: embedded AWS writes content_type {' or '.join(_FORMATS)} and no options")
    spark = SparkSession.builder.getOrCreate()
    rows = []
    for name, options in wanted.items():
        node = name.partition(".")[0]
        table = drawing.table(node, lambda definition: read_source(definition, folder, spark))
        # Data Wrangler makes folders of the job's name and of the output's.
        target = places[name] / job["ProcessingJobName"] / Path(*name.split("."))
        rows.append(f"{_write(table, target, options['content_type'])} rows of {node}")
    return f"Completed: {', '.join(rows)}."


def _outputs(job: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(job.get("ProcessingOutputConfig", {}).get("Outputs", ()))


def _write(table: DataFrame, target: Path, form: str) -> int:
    kept = table.cache()
    written = kept.write.option("header", "true") if form == "CSV" else kept.write
    written.format(form.lower()).save(str(target))
    for checksum in target.glob(".*.crc"):
        checksum.unlink()
    return kept.count()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
