"""Step 8, of what passed the gate: a page and a model card of all evidence, and one bundle of it for the signature."""

import os
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from pipeline_scripts.analysis.artifact import find_archive
from pipeline_scripts.analysis.job import JobError, folders, run_job
from pipeline_scripts.analysis.json_files import read_json, write_json
from pipeline_scripts.evidence.bundle import Origin, canonical, make_bundle, own_files
from pipeline_scripts.evidence.model_card import model_card
from pipeline_scripts.evidence.page.decision import render
from pipeline_scripts.model import Model, load_model

PREFIX = "BATON_ORIGIN_"
"""The environment variables of the job that say where this version comes from: `BATON_ORIGIN_COMMIT` and the like."""

PAGE, CARD = "evidence.html", "model_card.json"


def main(argv: Sequence[str]) -> int:
    """`--evidence` (all of this execution), `--model` and `--manifest` in; `--output` (page, card, bundle) out."""
    paths = folders(argv, "evidence", "model", "manifest", "output")

    def work() -> str:
        wheels, model = os.environ.get("BATON_WHEELS"), load_model()
        bundle = make_bundle(
            origin=_origin(model.name),
            manifest=read_json(_only_file(paths.manifest)),
            evidence=paths.evidence,
            archive=find_archive(paths.model),
            wheels=Path(wheels) if wheels else None,
        )
        page = render(bundle, evidence=paths.evidence, model=model)
        paths.output.mkdir(parents=True, exist_ok=True)
        (paths.output / PAGE).write_text(page, encoding="utf-8")
        write_json(paths.output / CARD, _card(bundle, paths.evidence, model))
        bundle["files"] |= own_files(paths.output, PAGE, CARD)
        (paths.output / "bundle.json").write_bytes(canonical(bundle))
        return f"Completed: the bundle holds the hashes of {len(bundle['files'])} files."

    return run_job(work)


def _card(bundle: dict[str, Any], evidence: Path, model: Model) -> dict[str, str]:
    return model_card(
        bundle,
        evaluation=read_json(evidence / "evaluation" / "evaluation.json"),
        explanations=read_json(evidence / "explainability" / "analysis.json"),
        model=model,
    )


def _origin(model: str) -> Origin:
    names = [field.name for field in fields(Origin) if field.name != "model"]
    missing = [f"{PREFIX}{name.upper()}" for name in names if f"{PREFIX}{name.upper()}" not in os.environ]
    if missing:
        raise JobError(f"the job's environment lacks {', '.join(missing)}, which the pipeline's definition gives")
    return Origin(model=model, **{name: os.environ[f"{PREFIX}{name.upper()}"] for name in names})


def _only_file(folder: Path) -> Path:
    found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    if len(found) != 1:
        raise JobError(f"{folder} must hold the dataset's manifest alone, found {len(found)} files")
    return found[0]
