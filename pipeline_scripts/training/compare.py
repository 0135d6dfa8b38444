"""Step 6: is the version at least as good as the champion, on rows that neither was trained on?"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline_scripts.analysis.artifact import Artifact, load_artifact
from pipeline_scripts.analysis.classification import Scores
from pipeline_scripts.analysis.comparison import AUC, R2, compare
from pipeline_scripts.analysis.frames import outcomes, read_frames
from pipeline_scripts.analysis.holdout import HoldOut
from pipeline_scripts.analysis.job import JobError, folders, run_job
from pipeline_scripts.analysis.json_files import write_json
from pipeline_scripts.model import Model, load_model

NONE = "0"
"""The number of a champion that does not exist."""


def main(argv: Sequence[str]) -> int:
    """`--model --champion --holdout` in; `--output` (comparison.json) out. The environment names the champion."""
    paths = folders(argv, "model", "champion", "holdout", "output")

    def work() -> str:
        found = comparison(
            challenger=load_artifact(paths.model),
            champion=paths.champion,
            number=os.environ["BATON_CHAMPION_VERSION"],
            registered_sha256=os.environ["BATON_CHAMPION_SHA256"],
            holdout=read_frames(paths.holdout),
            model=load_model(),
        )
        write_json(paths.output / "comparison.json", found)
        return f"Completed: {found['reason']}."

    return run_job(work)


def comparison(
    *,
    challenger: Artifact,
    champion: Path,
    number: str,
    registered_sha256: str,
    holdout: pd.DataFrame,
    model: Model,
) -> dict[str, Any]:
    """Compare the challenger with the champion in the folder `champion`.

    Returns:
        `champion`, its number, or None where there is none; `comparable`; the `reason` in words; and of a champion that
        can be compared, the fields of `Comparison`.
    """
    if number == NONE:
        return {"champion": None, "comparable": False, "reason": "no version was approved yet, so there is no champion"}
    try:
        scores = _scores_of_champion(champion, registered_sha256, challenger.holdout, holdout, model)
    except JobError as error:
        reason = f"the champion, version {number}, cannot be compared: {error}"
        return {"champion": int(number), "comparable": False, "reason": reason}
    found = compare(
        outcomes(holdout, model),
        challenger=challenger.answers(holdout),
        champion=scores,
        measure=R2 if model.regression else AUC,
        **model.settings["gate"]["champion"],
    )
    reason = (
        f"the {found.metric.upper()} on the hold-out is {found.challenger:.4f}, and {found.champion_value:.4f} "
        f"of the champion, version {number}"
    )
    return {"champion": int(number), "comparable": True, "reason": reason, **found.to_json()}


def _scores_of_champion(
    folder: Path, registered_sha256: str, held_out: HoldOut, holdout: pd.DataFrame, model: Model
) -> Scores:
    """What the champion answers to the hold-out.

    Raises:
        JobError: It is not the artefact that was registered, cannot be read, or cannot be asked fairly.
    """
    try:
        artifact = load_artifact(folder)
    except (KeyError, ValueError) as error:
        raise JobError(f"its artefact was written by other code and cannot be read ({error})") from error
    if artifact.sha256 != registered_sha256:
        raise JobError(
            f"its artefact has the hash {artifact.sha256[:12]}, but {registered_sha256[:12]} was registered; reject it"
        )
    misfit = _misfit(artifact, held_out, holdout, model)
    if misfit is not None:
        raise JobError(misfit)
    return artifact.answers(holdout)


def _misfit(champion: Artifact, held_out: HoldOut, holdout: pd.DataFrame, model: Model) -> str | None:
    """Why asking the champion about the hold-out would be unfair to one of the two; None if it would not."""
    signature = champion.signature
    if (signature.target, signature.positive) != (model.target, model.positive):
        return f"it answers whether {signature.target} is {signature.positive}, which is another question"
    leak = held_out.leak(champion.holdout)
    if leak is not None:
        return f"it may have learnt from rows of this hold-out, for {leak}"
    for asked in (item for item in signature.inputs if item.feature):
        if asked.name not in holdout.columns:
            return f"it asks for {asked.name}, which is no longer among the model's inputs"
        if asked.type != model.kind(asked.name):
            return f"it asks for {asked.name} as {asked.type}, which is {model.kind(asked.name)} now"
    for feature in champion.transformer.features:
        strays = set(holdout[feature.name].dropna()) - set(feature.categories)
        if feature.encoding == "ordinal" and strays:
            return f"it knows no band {min(strays)} of {feature.name}, whose bands are others now"
    return None
