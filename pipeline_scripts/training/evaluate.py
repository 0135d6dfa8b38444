"""Step 4: how good the version is on the hold-out, and what the model-quality monitor compares with later."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from pipeline_scripts.analysis import classification, regression
from pipeline_scripts.analysis.artifact import Artifact, load_artifact
from pipeline_scripts.analysis.classification import Scores
from pipeline_scripts.analysis.frames import labels, outcomes, read_frames
from pipeline_scripts.analysis.job import folders, run_job
from pipeline_scripts.analysis.json_files import write_json
from pipeline_scripts.analysis.model_quality import quality_constraints, quality_statistics, redrawn_quality
from pipeline_scripts.analysis.redrawn import Redrawn
from pipeline_scripts.model import Model, load_model
from pipeline_scripts.serving.answer import shown
from pipeline_scripts.training.explainer_baseline import baseline_record, explained_inputs


def main(argv: Sequence[str]) -> int:
    """`--model --holdout` in; `--output` and `--model-quality` out.

    The output is evaluation.json, predictions.csv and shap_baseline.csv.
    """
    paths = folders(argv, "model", "holdout", "output", "model-quality")

    def work() -> str:
        model, rows, artifact = load_model(), read_frames(paths.holdout), load_artifact(paths.model)
        answers = artifact.answers(rows)
        truth = outcomes(rows, model)
        drawn = redrawn_quality(truth, answers, model)
        evaluation = evaluated(rows, answers, drawn, model)
        proofs = {"canary": canary(rows, artifact, model), "explained_inputs": explained_inputs(model)}
        write_json(paths.output / "evaluation.json", {**evaluation, **proofs})
        (paths.output / "shap_baseline.csv").write_text(baseline_record(rows, model), encoding="utf-8")
        names = ("outcome", "answer") if model.regression else ("label", "probability")
        predictions = pd.DataFrame(dict(zip(names, (truth, [shown(answer) for answer in answers]), strict=True)))
        predictions.to_csv(paths.output / "predictions.csv", index=False, lineterminator="\n")
        statistics = quality_statistics(truth, answers, drawn, model)
        write_json(paths.model_quality / "statistics.json", statistics)
        write_json(paths.model_quality / "constraints.json", quality_constraints(statistics, model))
        found = f"R2 {evaluation['r2']:.4f}" if model.regression else f"AUC {evaluation['auc']:.4f}"
        return f"Completed: {found} on {len(rows)} rows of the hold-out."

    return run_job(work)


def evaluated(rows: pd.DataFrame, answers: Scores, drawn: Redrawn, model: Model) -> dict[str, Any]:
    """The metrics of the model's kind of problem, with what its answers cost where its costs are known."""
    if model.regression:
        return regression.evaluate(outcomes(rows, model), answers, drawn)
    truth, threshold = labels(rows, model), float(model.settings["serving"]["threshold"])
    evaluation = classification.evaluate(truth, answers, threshold, drawn)
    costs = model.settings["training"]["costs"]
    if costs:
        evaluation["cost"] = classification.expected_cost(truth, answers, threshold, costs)
    return evaluation


def canary(rows: pd.DataFrame, artifact: Artifact, model: Model) -> dict[str, Any]:
    """A request with its right answer, the first row of the hold-out: to prove what an endpoint serves."""
    first = rows.head(1)
    request = first[list(model.inputs)].to_csv(index=False, header=False, lineterminator="\n")
    return {"request": request.rstrip("\n"), "expected": float(shown(artifact.answers(first)[0]))}
