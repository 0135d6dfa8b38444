"""What SageMaker would refuse of a way to serve is refused in one sentence, before anything is synthesised."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from baton.specification.capacity import ServingCapacity
from baton.specification.deployment import Deployment, Step
from baton.specification.explainer import Explainer
from baton.specification.machine import LOCAL_STORAGE
from baton.specification.scaling import ScheduledCapacity
from stacks.settings import ENVIRONMENTS, ConfigurationError, load_environment, load_models
from tests.conftest import ROOT

MODEL = ROOT / "config" / "models" / "bank_churn.yaml"
SERVERLESS = {"kind": "serverless", "monitors": "none", "network": "public"}
BATCH = {"kind": "batch", "monitors": "none", "schedule": "rate(1 day)"}
ASYNCHRONOUS = {"kind": "asynchronous", "monitors": "none"}

FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"kind": "edge"}, "serving.kind: must be one of 'realtime', 'asynchronous', 'serverless', 'batch', got 'edge'"),
    ({"instance_type": "ml.t3.medium"}, "serving.instance_type: burstable instances cannot auto-scale"),
    (
        {"instance_type": "ml.g5.xlarge"},
        "serving.instance_type: SageMaker refuses a customer key for the volumes of",
    ),
    ({"shadow": {"instance_type": "ml.c6gd.large"}}, "serving.shadow.instance_type: SageMaker refuses a customer key"),
    ({"instance_type": "ml.inf1.xlarge"}, "SageMaker deploys to Inf1 instances all at once and without roll-back"),
    ({"deployment": {"strategy": "blue"}}, "serving.deployment.strategy: input should be 'canary', 'linear'"),
    ({"deployment": {"step": {"percent": 60}}}, "serving.deployment.step.percent: input should be less than or equal"),
    ({"deployment": {"step": {}}}, "serving.deployment.step: a step is counted either in instances or in percent"),
    (
        {"deployment": {"strategy": "linear", "step": {"percent": 5}}},
        "serving.deployment: step.percent: a linear step is 10 to 50 percent of the fleet",
    ),
    (
        {"deployment": {"strategy": "rolling", "step": {"percent": 4}}},
        "step.percent: a rolling step is 5 to 50 percent of the fleet",
    ),
    ({"deployment": {"strategy": "all_at_once", "step": {"instances": 1}}}, "step: all_at_once has no steps"),
    ({"deployment": {"strategy": "rolling", "keep_minutes": 5}}, "keep_minutes: a rolling deployment keeps no old"),
    ({"deployment": {"wait_minutes": 61}}, "serving.deployment.wait_minutes: input should be less than or equal to 60"),
    ({"deployment": {"wait_minutes": 0}}, "serving.deployment.wait_minutes: input should be greater than or equal"),
    (
        {"deployment": {"step": {"instances": 2}}},
        "serving.deployment.step: 2 of 2 instances are more than half of the fleet; move fewer, for staging",
    ),
    (
        {"deployment": {"strategy": "linear", "step": {"percent": 10}, "wait_minutes": 60}},
        "serving.deployment.wait_minutes: all steps together could take 640 minutes, and SageMaker gives up after 480",
    ),
    (
        {"deployment": {"strategy": "rolling"}, "challenger": {"percent": 10}},
        "deployment.strategy: SageMaker rolls endpoints of a single variant only; take another one, or remove chall",
    ),
    ({"deployment": {"strategy": "rolling"}, "shadow": {}}, "take another one, or remove shadow"),
    ({"challenger": {"percent": 10}, "shadow": {}}, "shadow: SageMaker shadows an endpoint of a single variant"),
    ({"challenger": {"percent": 51}}, "serving.challenger.percent: input should be less than or equal to 50"),
    ({"limits": {"positive_share": [0.4, 0.1]}}, "serving.limits: positive_share: the lower limit must be below"),
    ({"limits": {"positive_share": [0.4, 1.1]}}, "serving.limits.positive_share.1: input should be less than"),
    ({"scaling": {"by": "memory"}}, "serving.scaling.by: input should be 'invocations' or 'concurrency'"),
    ({"scaling": {"schedule": [{"at": "monday", "percent": 50}]}}, "serving.scaling.schedule.0.at: string should"),
    ({"kind": "asynchronous"}, "monitors: SageMaker captures the traffic of no asynchronous endpoint, so no monitor"),
    ({**ASYNCHRONOUS, "capture_percent": 100}, "serving: capture_percent: SageMaker captures the traffic of no async"),
    ({**ASYNCHRONOUS, "shadow": {}}, "shadow: an asynchronous endpoint has a single variant; remove it"),
    ({**ASYNCHRONOUS, "scaling": {}}, "scaling: an asynchronous endpoint follows its backlog"),
    ({**ASYNCHRONOUS, "input_prefix": "/requests"}, "serving.input_prefix: string should match pattern"),
    ({**ASYNCHRONOUS, "output_prefix": "asynchronous/requests/answers/"}, "output_prefix: lies below input_prefix"),
    ({"kind": "serverless", "network": "public"}, "monitors: SageMaker captures the traffic of no serverless endpoint"),
    ({"kind": "serverless", "monitors": "none"}, "network: a serverless endpoint can stand neither in the private"),
    ({**SERVERLESS, "deployment": {}}, "deployment: SageMaker moves a serverless endpoint all at once"),
    ({**SERVERLESS, "challenger": {"percent": 10}}, "challenger: a serverless endpoint has a single variant"),
    ({**SERVERLESS, "memory_mb": 1000}, "serving.memory_mb: input should be 1024, 2048"),
    ({**SERVERLESS, "max_concurrency": 201}, "serving.max_concurrency: input should be less than or equal to 200"),
    ({**SERVERLESS, "provisioned_concurrency": 11}, "provisioned_concurrency: at most max_concurrency, which is 10"),
    ({"kind": "batch", "monitors": "none"}, "serving.schedule: is missing; add it"),
    ({"kind": "batch", "schedule": "rate(1 day)"}, "serving.monitors: is missing; add it"),
    (
        {"explainer": {}},
        "serving.explainer: it wraps the answers, and Model Monitor reads plain ones; remove it, or set a",
    ),
    ({"explainer": {"rows": "[0 >"}}, "serving.explainer.rows: [0 > is no JMESPath"),
    (
        {"explainer": {"rows": f"[0] > `{'1' * 64}`"}},
        "serving.explainer.rows: string should have at most 64 characters",
    ),
    (
        {"explainer": {}, "challenger": {"percent": 10}},
        "explainer: it compares with a record of one version; remove it",
    ),
    ({"explainer": {}, "shadow": {}}, "record of one version; remove it or shadow"),
    (
        {"explainer": {}, "limits": {"mean_answer": [0, 1]}},
        "limits.mean_answer: an explainer asks the model hundreds of",
    ),
    ({**SERVERLESS, "explainer": {}}, "explainer: Clarify explains at real-time endpoints only; ask for attributions"),
    ({**BATCH, "explainer": {}}, "explainer: Clarify explains at real-time endpoints only; remove it"),
    ({**BATCH, "max_latency_ms": 100}, "max_latency_ms: nobody waits for the answers of a transform"),
    ({**BATCH, "output_prefix": "batch/requests/"}, "output_prefix: lies below input_prefix"),
    ({**BATCH, "output_prefix": "capture/batch/"}, "output_prefix: capture/batch/ is taken by monitors and canaries"),
]


def environments() -> list[Any]:
    return [load_environment(name, ROOT / "config" / "environments") for name in ENVIRONMENTS]


def load(serving: dict[str, Any], folder: Path, **settings: str) -> Any:
    content = yaml.safe_load(MODEL.read_text())
    path = folder / MODEL.name
    path.write_text(yaml.safe_dump({**content, "serving": {"instance_type": "ml.m5.large", **serving}}))
    [model] = load_models([path], [environment.model_copy(update=settings) for environment in environments()])
    return model.serving


@pytest.mark.parametrize(("serving", "sentence"), FAULTS, ids=[sentence[:48] for _, sentence in FAULTS])
def test_what_cannot_be_served_so_is_refused(serving: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        load(serving, tmp_path)
    told = str(refusal.value)
    assert sentence in told
    assert told.startswith(f"{tmp_path / MODEL.name}: serving") and "\n" not in told


@pytest.mark.parametrize("serving", [{}, ASYNCHRONOUS, SERVERLESS, BATCH])
def test_each_kind_has_a_default_for_what_it_does_not_ask(serving: dict[str, Any], tmp_path: Path) -> None:
    assert load(serving, tmp_path).kind == serving.get("kind", "realtime")


def test_what_the_documents_show_is_accepted(tmp_path: Path) -> None:
    shown = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "docs" / "serving.md").read_text(), re.DOTALL | re.MULTILINE)
    kinds = [load(yaml.safe_load(block)["serving"], tmp_path, analysis_backend="open").kind for block in shown]
    assert kinds == ["realtime", "realtime", "asynchronous", "serverless", "batch"]


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ([f"f{place}" for place in range(126)], "Clarify explains at most 125 inputs, there are 126"),
        (["n" * 63 for _ in range(60)], "the names of the inputs and their types have to fit into 4096 characters"),
        ([f"f{place}" for place in range(125)], None),
    ],
)
def test_an_explainer_takes_so_many_inputs(inputs: list[str], sentence: str | None) -> None:
    assert Explainer().misfit(inputs) == sentence


def test_a_regression_has_no_share_of_positive_answers(tmp_path: Path) -> None:
    content = yaml.safe_load((ROOT / "examples" / "diabetes_progression.yaml").read_text())
    content["serving"]["limits"] = {"positive_share": [0.1, 0.2]}
    path = tmp_path / "model.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigurationError, match=r"serving\.limits\.positive_share: only a binary_classification"):
        load_models([path], [])


@pytest.mark.parametrize(
    ("instance_type", "has_drives"),
    [
        ("ml.m5.large", False),
        ("ml.m5d.large", True),
        ("ml.c6i.large", False),
        ("ml.m6id.large", True),
        ("ml.r5dn.large", True),
        ("ml.g4dn.xlarge", True),
        ("ml.p3.2xlarge", False),
        ("ml.p3dn.24xlarge", True),
        ("ml.p5en.48xlarge", True),
        ("ml.inf2.xlarge", False),
    ],
)
def test_a_family_with_drives_is_known_by_its_name(instance_type: str, has_drives: bool) -> None:
    assert bool(LOCAL_STORAGE.match(instance_type)) is has_drives


def fleet(least: int, most: int, bake: int = 10) -> ServingCapacity:
    return ServingCapacity(instance_count=least, max_instance_count=most, bake_minutes=bake)


@pytest.mark.parametrize(
    ("strategy", "instances", "capacity", "fits"),
    [
        ("canary", 1, fleet(2, 100), True),
        ("canary", 2, fleet(3, 3), False),
        ("linear", 1, fleet(2, 10), True),
        ("linear", 1, fleet(2, 11), False),
        ("rolling", 1, fleet(2, 20, bake=1), True),
        ("rolling", 1, fleet(2, 21, bake=1), False),
        ("linear", 30, fleet(1, 1), True),
    ],
)
def test_a_step_of_instances_fits_the_fleet_at_its_smallest_and_largest(
    strategy: Any, instances: int, capacity: ServingCapacity, fits: bool
) -> None:
    deployment = Deployment(strategy=strategy, step=Step(instances=instances))
    assert (deployment.on(capacity).misfit() is None) is fits


def test_the_limit_holds_all_waits_of_the_largest_fleet() -> None:
    linear = Deployment(strategy="linear", step=Step(instances=2), wait_minutes=5, keep_minutes=20)
    assert linear.on(fleet(4, 9)).limit_minutes == 5 * 5 + 20 + 30
    assert Deployment().on(fleet(2, 8)).limit_minutes == 10 + 10 + 30
    rolling = Deployment(strategy="rolling", step=Step(percent=50))
    assert rolling.on(fleet(2, 8)).limit_minutes == 2 * (10 + 10) + 30


@pytest.mark.parametrize(("percent", "instances"), [(0, 2), (25, 2), (26, 3), (100, 8)])
def test_scheduled_capacity_lies_between_what_is_kept_and_what_is_paid_for(percent: int, instances: int) -> None:
    entry = ScheduledCapacity(at="cron(0 7 * * ? *)", percent=percent)
    assert entry.instances_of(fleet(2, 8)) == instances
