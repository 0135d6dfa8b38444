"""Step 6: what moves the version's answers, over the hold-out and row by row."""

from collections.abc import Sequence

import pandas as pd

from pipeline_scripts.analysis.artifact import load_artifact
from pipeline_scripts.analysis.attribution import attributions, explanation
from pipeline_scripts.analysis.dependence import partial_dependences, sample_rows
from pipeline_scripts.analysis.frames import read_frames
from pipeline_scripts.analysis.job import folders, run_job
from pipeline_scripts.analysis.json_files import write_json

MOST_LOCAL_ROWS = 2_000


def main(argv: Sequence[str]) -> int:
    """`--model --holdout` in; `--output` (analysis.json, explanations_shap/out.csv) out.

    The global values are of every row of the hold-out, the local ones of its first 2,000, the partial dependences of a
    sample whose size stands beside them.
    """
    paths = folders(argv, "model", "holdout", "output")

    def work() -> str:
        artifact, rows = load_artifact(paths.model), read_frames(paths.holdout)
        values, expected = attributions(artifact, rows)
        analysis, sample = explanation(artifact, values, expected), sample_rows(rows)
        analysis["explanations"]["pdp"] = partial_dependences(artifact, sample)
        analysis["method"]["pdp_rows"] = len(sample)
        write_json(paths.output / "analysis.json", analysis)
        names = [f"{feature.name}_label0" for feature in artifact.transformer.features]
        local = paths.output / "explanations_shap"
        local.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(values[:MOST_LOCAL_ROWS], columns=names).to_csv(
            local / "out.csv", index=False, float_format="%.6g", lineterminator="\n"
        )
        return f"Completed: attributed {len(rows)} rows to {len(names)} features."

    return run_job(work)
