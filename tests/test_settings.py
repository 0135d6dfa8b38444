"""Configuration is refused early, in one sentence that names the file and the key."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from stacks.settings import ENVIRONMENTS, ConfigurationError, load_environment, load_models

ROOT = Path(__file__).parent.parent
ENVIRONMENT_FOLDER = ROOT / "config" / "environments"
MODEL_FILE = ROOT / "config" / "models" / "bank_churn.yaml"
Change = Callable[[dict[str, Any]], object]


def rule(**content: Any) -> Change:
    """Make this the model's only quality rule."""
    return lambda model: model["quality"].update(rules=[content])


def waiver(**changes: Any) -> Change:
    """Add a waiver to the gate, sound but for these changes."""
    sound = {
        "check": "DPPL.age_group=70+",
        "approver": "grace@bank.example",
        "reason": "the campaign of spring was aimed at this group",
        "granted": "2026-02-01",
        "expires": "2026-05-02",
    }
    return lambda model: model["gate"].setdefault("waivers", []).append({**sound, **changes})


TUNING: dict[str, Any] = {"max_jobs": 8, "ranges": {"alpha": {"min": 0, "max": 2}}}


def tuned(**changes: Any) -> Change:
    """Tune the model, not quite rightly."""
    return lambda model: model["training"].update(tuning={**TUNING, **changes})


FAULTY_MODELS: list[tuple[str, Change, str]] = [
    ("unknown key", lambda m: m.update(colour="red"), "colour: is not a key that anything reads"),
    ("waiver of an unsafe artefact", waiver(check="artifact"), "gate.waivers: artifact is no check that can be waived"),
    ("waiver of a lacking baseline", waiver(check="baseline.bias"), "baseline.bias is no check that can be waived"),
    ("waiver of stray numbers", waiver(check="finite_numbers"), "finite_numbers is no check that can be waived"),
    (
        "waiver for a group without a facet",
        waiver(check="DPPL.gender=Male"),
        "there are: auc, champion, AD.age_group=60-69",
    ),
    ("waiver of a metric not asked for", waiver(check="DI.gender=Female"), "DI.gender=Female is no check"),
    ("waiver without end", waiver(expires="2026-05-03"), "a waiver lasts at most 90 days from granted, 2026-02-01"),
    ("waiver that ends before it begins", waiver(expires="2026-01-31"), "a waiver lasts at most 90 days"),
    ("waiver without a reason", waiver(reason="trust me"), "reason: string should have at least 20 characters"),
    ("waiver by nobody", waiver(approver="the board"), "approver: string should match pattern"),
    (
        "drives that take no key, for training",
        lambda m: m["training"].update(instance_type="ml.g5.xlarge"),
        "training.instance_type: SageMaker refuses a customer key for the volumes of ml.g5.xlarge",
    ),
    (
        "drives that take no key, for monitors",
        lambda m: m["monitoring"].update(instance_type="ml.m5d.large"),
        "monitoring.instance_type: SageMaker refuses a customer key for the volumes of ml.m5d.large",
    ),
    ("champion that may lose all", lambda m: m["gate"].update(champion={"max_loss": 1}), "gate.champion.max_loss: "),
    ("champion by chance", lambda m: m["gate"].update(champion={"confidence": 0.4}), "gate.champion.confidence: "),
    (
        "unknown nested key",
        lambda m: m["training"].update(gpu=True),
        "training.gpu: is not a key that anything reads",
    ),
    (
        "wrong type",
        lambda m: m["source"].update(partitions="many"),
        "source.partitions: input should be a valid integer",
    ),
    (
        "no such risk",
        lambda m: m["card"].update(risk_rating="none"),
        "card.risk_rating: input should be 'high', 'medium'",
    ),
    ("no purpose", lambda m: m["card"].pop("purpose"), "card.purpose: is missing; add it"),
    ("missing key", lambda m: m.pop("target"), "target: is missing; add it"),
    ("bad name", lambda m: m.update(name="Bank Churn"), "name: string should match pattern"),
    ("name of the vault's shared prefix", lambda m: m.update(name="shared"), "names of the platform's own"),
    ("name of another table", lambda m: m.update(name="churn_versions"), "names of the platform's own"),
    (
        "dropped column as feature",
        lambda m: m["features"].append("FULL_NAME"),
        "features: FULL_NAME is personal data",
    ),
    ("source name as feature", lambda m: m["features"].append("GENDER"), "use its output, gender"),
    (
        "hashed column as feature",
        lambda m: m["features"].append("account_hash"),
        "account_hash stands for a person",
    ),
    (
        "surrogate as facet",
        lambda m: m["facets"].update(customer_ref=[1]),
        "facets: customer_ref stands for a person",
    ),
    ("target as feature", lambda m: m["features"].append("churned"), "features: churned is the target"),
    (
        "unknown feature",
        lambda m: m["features"].append("shoe_size"),
        "features: no column has the output shoe_size",
    ),
    ("feature twice", lambda m: m["features"].append("country"), "features: country stands there twice"),
    ("two outputs alike", lambda m: m["columns"]["GENDER"].update(output="country"), "the same output name"),
    ("drop with output", lambda m: m["columns"]["EMAIL"].update(output="email"), "drop takes none"),
    ("bands that fall", lambda m: m["columns"]["DATE_OF_BIRTH"].update(bands=[40, 30]), "bands must rise"),
    ("table and query", lambda m: m["source"].update(query="select 1"), "give either table or query"),
    ("key not a column", lambda m: m["source"].update(key="ID"), "source.key: ID is not among columns"),
    (
        "bounds swapped",
        lambda m: m["gate"]["fairness"].update(DPPL=[0.2, -0.2]),
        "the lower bound must be below",
    ),
    (
        "intersection of no facet",
        lambda m: m.update(fairness={"intersections": [["gender", "country"]]}),
        "fairness.intersections: country is not among facets",
    ),
    (
        "intersection of one",
        lambda m: m.update(fairness={"intersections": [["gender", "gender"]]}),
        "must be two facets or more, each once",
    ),
    (
        "intersection twice",
        lambda m: m.update(fairness={"intersections": [["gender", "age_group"], ["age_group", "gender"]]}),
        "stands there twice",
    ),
    ("group of one", lambda m: m.update(fairness={"smallest_group": 1}), "fairness.smallest_group"),
    ("condition on a facet", lambda m: m.update(fairness={"condition_on": "gender"}), "condition_on: gender is"),
    ("condition on a sum", lambda m: m.update(fairness={"condition_on": "balance"}), "balance is a double"),
    ("burstable instance", lambda m: m["serving"].update(instance_type="ml.t2.medium"), "cannot auto-scale"),
    (
        "spot with too little wait",
        lambda m: m["training"].update(spot=True, max_runtime_minutes=60, max_wait_minutes=59),
        "training: max_wait_minutes: 59 includes the training itself, so it must be at least max_runtime_minutes, 60",
    ),
    (
        "wait without spot",
        lambda m: m["training"].update(max_wait_minutes=90),
        "training: max_wait_minutes: only a spot training waits",
    ),
    ("nothing to tune", tuned(ranges={}), "training.tuning.ranges: "),
    (
        "tuning by another problem's metric",
        tuned(objective="rmse"),
        "training.tuning.objective: a binary_classification",
    ),
    (
        "tuning of a hyper-parameter that is none",
        tuned(ranges={"depth": {"min": 2, "max": 8}}),
        "training.tuning: ranges: depth cannot be tuned; these can: alpha, ",
    ),
    (
        "more at once than at all",
        tuned(max_jobs=3, max_parallel_jobs=4),
        "training.tuning: max_parallel_jobs: 4 is more than the 3 jobs there are",
    ),
    ("tuning without an end", tuned(max_jobs=None), "training.tuning: max_jobs: bayesian needs it"),
    ("range that falls", tuned(ranges={"alpha": {"min": 3, "max": 2}}), "min must be below max, got 3 and 2"),
    (
        "logarithm of nothing",
        tuned(ranges={"alpha": {"min": 0, "max": 2, "scale": "logarithmic"}}),
        "a logarithmic scale begins above 0, got min 0",
    ),
    (
        "half a level of depth",
        tuned(ranges={"max_delta_step": {"min": 0.5, "max": 8}}),
        "training.tuning: ranges: max_delta_step takes whole numbers only",
    ),
    (
        "grid of a range",
        tuned(strategy="grid", max_jobs=None, ranges={"alpha": {"min": 1, "max": 2}}),
        "training.tuning: strategy: grid tries listed values only; list those of alpha",
    ),
    (
        "grid with a number of jobs",
        tuned(strategy="grid", max_jobs=4, ranges={"alpha": [1, 2]}),
        "training.tuning: max_jobs: grid tries every combination",
    ),
    (
        "fixed and tuned",
        tuned(ranges={"eta": {"min": 0.1, "max": 0.5}}),
        "training: hyperparameters: eta is tuned; leave its fixed value out",
    ),
    (
        "tuning of another algorithm",
        lambda m: m["training"].update(algorithm="logistic_regression", hyperparameters={}, tuning=TUNING),
        "training: tuning: SageMaker tunes XGBoost's hyper-parameters only",
    ),
    (
        "unknown connection",
        lambda m: m["source"].update(connection="mainframe"),
        "dev has no connection 'mainframe'",
    ),
    ("unknown rule", rule(check="pretty", column="gender"), "quality.rules.0.check: must be one of 'complete', "),
    ("rule of no output", rule(check="unique", column="GENDER"), "rules.0.column: no column has the output GENDER"),
    (
        "range of a text",
        rule(check="range", column="gender", min=1),
        "quality.rules.0: range is of integer and double columns, and gender is string",
    ),
    ("range of nothing", rule(check="range", column="balance"), "quality.rules.0: range needs min, max or both"),
    ("range upside down", rule(check="range", column="balance", min=2, max=1), "quality.rules.0: min 2 is above max 1"),
    ("bound without end", rule(check="range", column="balance", max=float("inf")), "quality.rules.0.max"),
    ("bound in quotes", rule(check="range", column="balance", max="9"), "quality.rules.0.max"),
    (
        "set read as booleans",
        rule(check="one_of", column="country", values=[False, "FR"]),
        "quality.rules.0.values.0: False is a boolean; put a text such as no or yes in quotes",
    ),
    (
        "set of another type",
        rule(check="one_of", column="churned", values=["0", "1"]),
        "quality.rules.0.values: churned is integer, and '0' can be none of its values",
    ),
    ("empty set", rule(check="one_of", column="country", values=[]), "quality.rules.0.values"),
    (
        "set of a fraction",
        rule(check="one_of", column="balance", values=[1]),
        "quality.rules.0: one_of is of string and integer columns, and balance is double",
    ),
    (
        "freshness of a number",
        rule(check="fresh", column="churned", within_hours=1),
        "fresh is of date and timestamp columns, and churned is integer",
    ),
    ("count upside down", rule(check="row_count", min=9, max=3), "quality.rules.0: min 9 is above max 3"),
    (
        "rule twice",
        lambda m: m["quality"].update(rules=[{"check": "unique", "column": "gender"}] * 2),
        "quality: rules 0 and 1 are both unique of gender; keep one",
    ),
    (
        "regression with a positive value",
        lambda m: m.update(problem="regression"),
        "target.positive: only a binary_classification has it, and this is a regression; remove it",
    ),
    (
        "classification with a bound of errors",
        lambda m: m["gate"].update(max_rmse=3.0),
        "gate.max_rmse: only a regression has it, and this is a binary_classification; remove it",
    ),
    (
        "classification without its measure",
        lambda m: m["gate"].pop("min_auc"),
        "gate.min_auc: a binary_classification needs it, and it is missing",
    ),
    (
        "algorithm of another problem",
        lambda m: m["training"].update(algorithm="linear_regression"),
        "training.algorithm: linear_regression does not answer a binary_classification; take xgboost or logistic",
    ),
    ("unknown problem", lambda m: m.update(problem="ranking"), "problem: input should be 'binary_classification'"),
    ("all may be rejected", lambda m: m["quality"].update(max_rejected_fraction=1), "quality.max_rejected_fraction"),
]

FAULTY_ENVIRONMENTS: list[tuple[str, Change, str]] = [
    ("unknown key", lambda e: e.update(vpc="x"), "vpc: is not a key that anything reads"),
    ("wrong type", lambda e: e.update(retain_data="perhaps"), "retain_data: input should be a valid boolean"),
    (
        "zone elsewhere",
        lambda e: e.update(availability_zones=["us-east-1a", "us-east-1b"]),
        "us-east-1a is not in eu-west-1",
    ),
    ("bad account", lambda e: e.update(account="12"), "account: string should match pattern"),
    ("shrinking fleet", lambda e: e["serving"].update(max_instance_count=0), "max_instance_count"),
    (
        "unknown engine",
        lambda e: e["connections"]["core_banking"].update(engine="dbase"),
        "connections.core_banking.engine",
    ),
    (
        "unknown backend",
        lambda e: e.update(analysis_backend="manual"),
        "analysis_backend: input should be 'open' or 'managed'",
    ),
]


def written(folder: Path, source: Path, change: Change) -> Path:
    content = yaml.safe_load(source.read_text())
    change(content)
    path = folder / source.name
    path.write_text(yaml.safe_dump(content))
    return path


def environments() -> list[Any]:
    return [load_environment(name, ENVIRONMENT_FOLDER) for name in ENVIRONMENTS]


REGRESSION_FAULTS: list[tuple[str, Change, str]] = [
    (
        "threshold",
        lambda m: m["serving"].update(threshold=0.5),
        "serving.threshold: only a binary_classification has it, and this is a regression; remove it",
    ),
    ("calibration", lambda m: m["training"].update(calibration="sigmoid"), "training.calibration: only a binary"),
    (
        "costs",
        lambda m: m["training"].update(costs={"false_positive": 1, "false_negative": 2}),
        "training.costs: only a binary_classification has it",
    ),
    ("loss of AUC", lambda m: m["monitoring"].update(max_auc_loss=0.1), "monitoring.max_auc_loss: only a binary"),
    (
        "no bound of favour",
        lambda m: m["target"].pop("favourable_above"),
        "target.favourable_above: a regression needs",
    ),
    (
        "target of text",
        lambda m: (m["columns"]["TARGET"].update(type="string"), m.pop("quality")),
        "target.column: progression is a string; a regression learns a number",
    ),
    (
        "algorithm",
        lambda m: m["training"].update(algorithm="logistic_regression"),
        "training.algorithm: logistic_regression does not answer a regression; take xgboost or linear_regression",
    ),
]


def test_shipped_configuration_is_accepted() -> None:
    files = [*MODEL_FILE.parent.glob("*.yaml"), *(ROOT / "examples").glob("*.yaml")]
    names = [model.name for model in load_models(files, environments())]
    assert names == ["bank_churn", "diabetes_progression", "german_credit", "public_bank_churn"]


@pytest.mark.parametrize(
    ("change", "sentence"), [case[1:] for case in FAULTY_MODELS], ids=[case[0] for case in FAULTY_MODELS]
)
def test_faulty_model_is_refused(change: Change, sentence: str, tmp_path: Path) -> None:
    _assert_refused(written(tmp_path, MODEL_FILE, change), sentence)


@pytest.mark.parametrize(
    ("change", "sentence"), [case[1:] for case in REGRESSION_FAULTS], ids=[case[0] for case in REGRESSION_FAULTS]
)
def test_faulty_regression_is_refused(change: Change, sentence: str, tmp_path: Path) -> None:
    _assert_refused(written(tmp_path, ROOT / "examples" / "diabetes_progression.yaml", change), sentence)


def _assert_refused(path: Path, sentence: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        load_models([path], environments())
    assert str(refusal.value).startswith(f"{path}: ")
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [case[1:] for case in FAULTY_ENVIRONMENTS],
    ids=[case[0] for case in FAULTY_ENVIRONMENTS],
)
def test_faulty_environment_is_refused(change: Change, sentence: str, tmp_path: Path) -> None:
    path = written(tmp_path, ENVIRONMENT_FOLDER / "dev.yaml", change)
    with pytest.raises(ConfigurationError) as refusal:
        load_environment("dev", tmp_path)
    assert str(refusal.value).startswith(f"{path}: ")
    assert sentence in str(refusal.value)


def test_unknown_environment_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="there is no environment 'qa'; choose one of dev, staging, prod"):
        load_environment("qa", ENVIRONMENT_FOLDER)


@pytest.mark.parametrize(("content", "sentence"), [("a: [", "is not YAML"), ("- a", "must hold keys and values")])
def test_broken_file_is_refused(content: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(content)
    with pytest.raises(ConfigurationError, match=sentence):
        load_models([path], environments())


def test_two_files_for_one_model_are_refused(tmp_path: Path) -> None:
    other = written(tmp_path, MODEL_FILE, lambda model: None)
    with pytest.raises(ConfigurationError, match="another file already describes bank_churn"):
        load_models([MODEL_FILE, other], environments())


def test_no_model_at_all_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="add one YAML file"):
        load_models([], environments())


@pytest.mark.parametrize(
    ("context", "sentence"),
    [
        ('{"environment": "qa"}', "there is no environment 'qa'"),
        ('{"models": "no/such"}', "no such model file or folder"),
    ],
)
def test_app_ends_with_a_sentence_and_no_traceback(context: str, sentence: str) -> None:
    environment = {
        **os.environ,
        "CDK_CONTEXT_JSON": context,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    result = subprocess.run([sys.executable, "app.py"], cwd=ROOT, capture_output=True, text=True, env=environment)
    assert result.returncode != 0
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_clarify_is_not_asked_for_intersections(tmp_path: Path) -> None:
    together = {"intersections": [["gender", "age_group"]]}
    path = written(tmp_path, MODEL_FILE, lambda m: m.update(fairness=together))
    dev, prod = (load_environment(name, ENVIRONMENT_FOLDER) for name in ("dev", "prod"))
    assert load_models([path], [dev])
    with pytest.raises(ConfigurationError, match=r"fairness\.intersections: .* so prod cannot"):
        load_models([path], [dev, prod])
