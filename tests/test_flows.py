"""A flow that a pipeline could not run is refused with its file and key before anything is synthesised."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from stacks.flows import FLOWS
from stacks.settings import ConfigurationError, load_models

ROOT = Path(__file__).parent.parent
MODEL_FILE = ROOT / "config" / "models" / "bank_churn.yaml"
SAMPLE = "bank_churn_cleaning.flow"
CONTENT = json.loads((FLOWS / SAMPLE).read_text(encoding="utf-8"))
Flow = dict[str, Any]


def model_with(folder: Path, **wrangler: Any) -> Path:
    content = yaml.safe_load(MODEL_FILE.read_text())
    content["wrangler"] = {"flow": SAMPLE, **wrangler}
    path = folder / "bank_churn.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def drawn(folder: Path, change: Callable[[Flow], object]) -> Path:
    flow = copy.deepcopy(CONTENT)
    change(flow)
    (folder / SAMPLE).write_text(json.dumps(flow), encoding="utf-8")
    return folder


def source(flow: Flow) -> dict[str, Any]:
    found: dict[str, Any] = flow["nodes"][0]["parameters"]["dataset_definition"]
    return found


def scaling(column: str, **output: str) -> Callable[[Flow], object]:
    def change(flow: Flow) -> None:
        scaler = {"input_column": column, **output}
        parameters = {"scaler": "Min-max scaler", "min_max_scaler_parameters": scaler}
        flow["nodes"][6].update(
            operator="sagemaker.spark.process_numeric_0.1",
            parameters={"operator": "Scale values", "scale_values_parameters": parameters},
        )

    return change


def second_source(flow: Flow) -> None:
    other = copy.deepcopy(flow["nodes"][0])
    other["node_id"] = "other"
    flow["nodes"].append(other)
    flow["nodes"][2]["inputs"].append({"name": "df", "node_id": "other", "output_name": "default"})


FAULTY_FLOWS: list[tuple[str, Callable[[Flow], object], str]] = [
    ("no metadata", lambda f: f.pop("metadata"), "metadata: is missing"),
    ("another version", lambda f: f["metadata"].update(version=2), "metadata.version: input should be 1"),
    ("no nodes", lambda f: f.update(nodes=[]), "nodes: tuple should have at least 1 item"),
    ("no operator", lambda f: f["nodes"][2].pop("operator"), "nodes.2.operator: is missing"),
    ("a strange id", lambda f: f["nodes"][7].update(node_id="it's"), "nodes.7.node_id: string should match pattern"),
    ("one id twice", lambda f: f["nodes"][2].update(node_id=f["nodes"][1]["node_id"]), "two nodes are called b81d2e90"),
    ("an arrow from nowhere", lambda f: f["nodes"][2]["inputs"][0].update(node_id="x"), "there is no node x"),
    (
        "a circle",
        lambda f: f["nodes"][1]["inputs"][0].update(node_id=f["nodes"][3]["node_id"]),
        "wait for each other in a circle",
    ),
    ("two ends", lambda f: f["nodes"][6]["inputs"][0].update(node_id=f["nodes"][4]["node_id"]), "must have one end"),
    (
        "two outputs",
        lambda f: f["nodes"][6].update(outputs=[{"name": "Train"}, {"name": "Test"}]),
        "must have one output, default",
    ),
    ("two sources", second_source, "must start from one sagemaker.s3_source_0.1"),
    (
        "a source elsewhere",
        lambda f: f["nodes"][0].update(operator="sagemaker.athena_source_0.1"),
        "(sagemaker.athena_source_0.1)",
    ),
    ("a source without definition", lambda f: f["nodes"][0].update(parameters={}), "has no dataset_definition"),
    ("CSV", lambda f: source(f)["s3ExecutionContext"].update(s3ContentType="csv"), "reads csv (s3ContentType)"),
    ("a path as name", lambda f: source(f).update(name="../flow"), "calls its data set '../flow'"),
    ("a taken name", lambda f: source(f).update(name="flow"), "calls its data set 'flow'"),
    ("a scaled feature", scaling("balance"), "replaces balance, which the endpoint is given as it is"),
]


def test_the_shipped_flow_is_accepted(tmp_path: Path) -> None:
    [model] = load_models([model_with(tmp_path)], [])
    assert model.wrangler is not None and model.wrangler.flow == SAMPLE


@pytest.mark.parametrize(
    ("change", "sentence"), [case[1:] for case in FAULTY_FLOWS], ids=[case[0] for case in FAULTY_FLOWS]
)
def test_a_faulty_flow_is_refused(change: Callable[[Flow], object], sentence: str, tmp_path: Path) -> None:
    path = model_with(tmp_path)
    with pytest.raises(ConfigurationError) as refusal:
        load_models([path], [], flows=drawn(tmp_path, change))
    assert str(refusal.value).startswith(f"{path}: wrangler.flow: {tmp_path / SAMPLE}: ")
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("change", [scaling("balance", output_column="balance_scaled"), scaling("customer_ref")])
def test_what_the_model_does_not_read_may_be_scaled(change: Callable[[Flow], object], tmp_path: Path) -> None:
    assert load_models([model_with(tmp_path)], [], flows=drawn(tmp_path, change))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("{", "is not JSON"), ("[]", "must hold metadata and nodes, got list"), (None, "cannot be read")],
)
def test_a_file_that_is_no_flow_is_refused(text: str | None, sentence: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / SAMPLE).write_text(text)
    with pytest.raises(ConfigurationError, match=sentence):
        load_models([model_with(tmp_path)], [], flows=tmp_path)


def test_a_node_can_be_named_and_must_exist(tmp_path: Path) -> None:
    early, picture = CONTENT["nodes"][3]["node_id"], CONTENT["nodes"][7]["node_id"]
    assert load_models([model_with(tmp_path, node=early)], [])
    for name in (picture, "nobody"):
        with pytest.raises(ConfigurationError, match=f"no source or transform is called {name}"):
            load_models([model_with(tmp_path, node=name)], [])


def test_a_picture_is_no_end_of_the_flow(tmp_path: Path) -> None:
    assert CONTENT["nodes"][-1]["type"] == "VISUALIZATION"
    assert load_models([model_with(tmp_path)], [])


@pytest.mark.parametrize("name", ["cleaning.json", "../secret.flow"])
def test_only_a_flow_of_the_folder_can_be_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"wrangler\.flow: string should match pattern"):
        load_models([model_with(tmp_path, flow=name)], [])
