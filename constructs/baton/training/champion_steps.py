"""How a version is compared with the champion, the highest approved one, on the same hold-out."""

from baton.training.steps import LambdaStep, ProcessingStep
from baton.training.tuning import Trained
from baton.training.workplace import Workplace

VERSION, ARTIFACT_URI, ARTIFACT_SHA256 = "version", "artifact_uri", "artifact_sha256"


def champion_step(*, finder_arn: str, train: Trained) -> LambdaStep:
    """Looks the champion up. Until there is one, the new version's own artefact stands in: an input must exist."""
    return LambdaStep(
        name="Champion",
        function_arn=finder_arn,
        inputs={"challenger_uri": train.artifact},
        outputs=(VERSION, ARTIFACT_URI, ARTIFACT_SHA256),
    )


def compare_step(
    workplace: Workplace, *, champion: LambdaStep, preprocess: ProcessingStep, train: Trained
) -> ProcessingStep:
    """Asks both versions about the hold-out, and says how sure it is that the new one is not worse."""
    return workplace.script(
        "Compare",
        "training.compare",
        reads={
            "model": train.artifact,
            "champion": champion.output(ARTIFACT_URI),
            "holdout": preprocess.output("holdout"),
        },
        writes={"output": workplace.evidence("comparison")},
        facts={
            "BATON_CHAMPION_VERSION": champion.output(VERSION),
            "BATON_CHAMPION_SHA256": champion.output(ARTIFACT_SHA256),
        },
    )
