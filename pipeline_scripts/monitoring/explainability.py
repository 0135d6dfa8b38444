"""Do the same features still move the answers?

Every captured row is attributed by TreeSHAP with the served model itself, and the order of the features is compared
with the baseline's by nDCG, as Clarify does; below `monitoring.min_attribution_ndcg` is a violation.
"""

from argparse import Namespace
from collections.abc import Sequence

from pipeline_scripts.analysis.artifact import load_artifact
from pipeline_scripts.analysis.attribution import attributions, explanation, global_values, ranking_ndcg
from pipeline_scripts.analysis.capture import Capture
from pipeline_scripts.analysis.json_files import read_json
from pipeline_scripts.model import Model
from pipeline_scripts.monitoring.report import Report, require_rows
from pipeline_scripts.monitoring.run import run_monitor

NAMESPACE = "aws/sagemaker/Endpoints/explainability-metrics"


def main(argv: Sequence[str]) -> int:
    """`--capture --baseline --model` in; `--output` out."""
    return run_monitor(argv, look, namespace=NAMESPACE, needs=("model",))


def look(report: Report, capture: Capture, model: Model, paths: Namespace) -> None:
    """Attribute the window's answers and compare the order of the features with the baseline's."""
    require_rows(len(capture), model.settings, "captured rows")
    baseline = read_json(paths.baseline / "explainability" / "analysis.json")
    artifact = load_artifact(paths.model)
    values, expected = attributions(artifact, capture.typed(model)[0])
    analysis = explanation(artifact, values, expected)
    now = global_values(analysis)
    ndcg = ranking_ndcg(global_values(baseline), now)
    analysis["method"]["ndcg"] = ndcg
    report.files.update({"analysis.json": analysis, "constraints.json": baseline})

    about = {"ExplainabilityMethod": "KernelShap", "Label": "label0"}
    for feature, value in now.items():
        report.measure(f"feature_{feature}", value, {**about, "ValueType": "GlobalShapValues"})
    report.measure("ExpectedValue", expected, {**about, "ValueType": "ExpectedValue"})
    report.measure("ndcg", ndcg)
    bound = model.settings["monitoring"]["min_attribution_ndcg"]
    if ndcg < bound:
        report.violations.append(
            {
                "label": "label0",
                "metric_name": "shap",
                "constraint_check_type": "feature_attribution_drift_check",
                "description": f"Feature attribution drift {ndcg:.4f} exceeds threshold {bound}",
            }
        )
