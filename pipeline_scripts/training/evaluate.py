"""Step 4: how good the version is on the hold-out, and what the model-quality monitor compares with later."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from pipeline_scripts.analysis import classification
from pipeline_scripts.analysis.artifact import Artifact, load_artifact
from pipeline_scripts.analysis.frames import labels, read_frames
from pipeline_scripts.analysis.job import folders, run_job
from pipeline_scripts.analysis.json_files import write_json
from pipeline_scripts.analysis.model_quality import quality_constraints, quality_statistics
from pipeline_scripts.model import Model, load_model
from pipeline_scripts.serving.inference import shown


def main(argv: Sequence[str]) -> int:
    """`--model --holdout` in; `--output` (evaluation.json, predictions.csv) and `--model-quality` out."""
    paths = folders(argv, "model", "holdout", "output", "model-quality")

    def work() -> str:
        model, rows, artifact = load_model(), read_frames(paths.holdout), load_artifact(paths.model)
        truth, scores = labels(rows, model), artifact.probabilities(rows)
        threshold = artifact.signature.threshold
        evaluation = classification.evaluate(truth, scores, threshold)
        costs = model.settings["training"]["costs"]
        if costs:
            evaluation["cost"] = classification.expected_cost(truth, scores, threshold, costs)
        write_json(paths.output / "evaluation.json", {**evaluation, "canary": canary(rows, artifact, model)})
        predictions = pd.DataFrame({"label": truth, "probability": [shown(score) for score in scores]})
        predictions.to_csv(paths.output / "predictions.csv", index=False, lineterminator="\n")
        statistics = quality_statistics(truth, scores, threshold)
        write_json(paths.model_quality / "statistics.json", statistics)
        write_json(paths.model_quality / "constraints.json", quality_constraints(statistics, model))
        return f"Completed: AUC {evaluation['auc']:.4f} on {len(rows)} rows of the hold-out."

    return run_job(work)


def canary(rows: pd.DataFrame, artifact: Artifact, model: Model) -> dict[str, Any]:
    """A request with its right answer, the first row of the hold-out: to prove what an endpoint serves."""
    first = rows.head(1)
    request = first[list(model.inputs)].to_csv(index=False, header=False, lineterminator="\n")
    return {"request": request.rstrip("\n"), "expected": float(shown(artifact.probabilities(first)[0]))}
