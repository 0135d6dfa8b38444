"""The `open` backend before deployment: Baton's own scripts, as ordinary processing jobs."""

from baton.training.analyses import Analyses
from baton.training.steps import ProcessingStep
from baton.training.tuning import Trained
from baton.training.workplace import Workplace, file_in


def open_analyses(workplace: Workplace, *, preprocess: ProcessingStep, train: Trained) -> Analyses:
    """Data quality, bias and explainability by scripts that write the same files as the `managed` backend."""
    data_quality = workplace.script(
        "DataQualityBaseline",
        "training.baseline",
        reads={"baseline": preprocess.output("baseline")},
        writes={"output": workplace.evidence("data_quality")},
    )
    bias = workplace.script(
        "Bias",
        "training.bias",
        reads={
            "model": train.artifact,
            "holdout": preprocess.output("holdout"),
            "train": preprocess.output("train"),
        },
        writes={"output": workplace.evidence("bias")},
    )
    explain = workplace.script(
        "Explain",
        "training.explain",
        reads={"model": train.artifact, "holdout": preprocess.output("holdout")},
        writes={"output": workplace.evidence("explainability")},
    )
    bias_report = file_in(bias.output("output"), "analysis.json")
    return Analyses(
        steps=(data_quality, bias, explain),
        data_quality=data_quality.output("output"),
        bias=bias.output("output"),
        explainability=explain.output("output"),
        data_statistics=file_in(data_quality.output("output"), "statistics.json"),
        data_constraints=file_in(data_quality.output("output"), "constraints.json"),
        data_bias=bias_report,
        model_bias=bias_report,
        attributions=file_in(explain.output("output"), "analysis.json"),
    )
