"""Step 5: bias in the labels before training (train side) and in the answers after it (hold-out)."""

from collections.abc import Sequence
from dataclasses import asdict

from pipeline_scripts.analysis.artifact import load_artifact
from pipeline_scripts.analysis.fairness import GROUPS_VERSION, bias_section, count_groups
from pipeline_scripts.analysis.frames import labels, predicted, read_frames
from pipeline_scripts.analysis.job import folders, run_job
from pipeline_scripts.analysis.json_files import write_json
from pipeline_scripts.model import load_model


def main(argv: Sequence[str]) -> int:
    """`--model --holdout --train` in; `--output` (analysis.json, groups.json) out."""
    paths = folders(argv, "model", "holdout", "train", "output")

    def work() -> str:
        model, artifact = load_model(), load_artifact(paths.model)
        train, holdout = read_frames(paths.train), read_frames(paths.holdout)
        truth = labels(holdout, model)
        foretold = predicted(artifact.answers(holdout), model)
        before = bias_section(
            "pre_training",
            rows=train,
            transformer=artifact.transformer,
            labels=labels(train, model),
            predicted=None,
            model=model,
        )
        after = bias_section(
            "post_training",
            rows=holdout,
            transformer=artifact.transformer,
            labels=truth,
            predicted=foretold,
            model=model,
        )
        content = {"version": "1.0", "pre_training_bias_metrics": before, "post_training_bias_metrics": after}
        write_json(paths.output / "analysis.json", content)
        groups = count_groups(holdout, truth, foretold, model)
        counted = [asdict(group) for group in groups]
        write_json(paths.output / "groups.json", {"version": GROUPS_VERSION, "groups": counted})
        return f"Completed: {len(groups)} groups compared with everybody else."

    return run_job(work)
