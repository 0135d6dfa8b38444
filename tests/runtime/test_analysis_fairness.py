"""The bias report says what smclarify says, of intersections too, and gives no small group away."""

import json
import shutil
from dataclasses import asdict, replace
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smclarify.bias import report as clarify

from pipeline_scripts.analysis.artifact import load_artifact
from pipeline_scripts.analysis.fairness import Group, bias_section, count_groups, read_groups
from pipeline_scripts.analysis.frames import labels
from pipeline_scripts.analysis.groups import Subgroup, compared, subgroups, withheld
from pipeline_scripts.model import Model, parse_model
from pipeline_scripts.monitoring import bias as bias_monitor
from pipeline_scripts.serving.inference import ServedModel
from pipeline_scripts.serving.transformer import Transformer
from pipeline_scripts.training import bias as bias_step
from pipeline_scripts.training import gate
from tests.runtime.churn import Trained, customers
from tests.runtime.traffic import ask, looked_at, truths

TOGETHER = (("gender", "age_group"),)


def with_fairness(model: Model, *, facets: dict[str, tuple[Any, ...]] | None = None, **changed: Any) -> Model:
    fairness = {**model.settings["fairness"], **changed}
    return replace(model, facets=facets or model.facets, settings={**model.settings, "fairness": fairness})


@pytest.fixture(scope="module")
def model(trained: Trained) -> Model:
    facets = {"gender": ("Female",), "age_group": ("30-39", "50-59")}
    return with_fairness(trained.model, facets=facets, intersections=TOGETHER)


def measured(stage: Any, trained: Trained, model: Model) -> dict[str, Any]:
    artifact, rows = load_artifact(trained.artefact), trained.holdout()
    return bias_section(
        stage,
        rows=rows,
        transformer=artifact.transformer,
        labels=labels(rows, model),
        predicted=answers(trained) if stage == "post_training" else None,
        model=model,
    )


def answers(trained: Trained) -> Any:
    artifact = load_artifact(trained.artefact)
    return (artifact.answers(trained.holdout()) >= artifact.signature.threshold).astype(np.int8)


def smclarifys_own(stage: str, trained: Trained, *, facet: list[str], value: str) -> dict[str, Any]:
    """smclarify called on the facet's own column, beside every column of the model that is not of the facet."""
    rows, transformer = trained.holdout(), load_artifact(trained.artefact).transformer
    names = [f"{name}:{place}" for place, name in enumerate(transformer.columns)]
    frame = pd.DataFrame(transformer.encode(rows), columns=names)
    own = [name for name in names if name.split(":")[0].split("=")[0] in facet]
    frame = frame.drop(columns=own)
    frame["the facet"] = rows[facet].agg("*".join, axis=1)
    [report] = clarify.bias_report(
        frame,
        clarify.FacetColumn("the facet", sensitive_values=[value]),
        clarify.LabelColumn("label", rows["churned"].astype("int64"), [1]),
        clarify.StageType(stage),
        clarify.LabelColumn("predicted", pd.Series(answers(trained)), [1]) if stage == "post_training" else None,
        group_variable=rows["country"],
    )
    infinite = ("Infinity", "-Infinity")  # no number of JSON, and so null with a reason
    return {metric["name"]: None if metric["value"] in infinite else metric["value"] for metric in report["metrics"]}


@pytest.mark.parametrize("stage", ["pre_training", "post_training"])
def test_every_metric_of_every_group_is_smclarifys_own(trained: Trained, model: Model, stage: str) -> None:
    found = measured(stage, trained, model)
    for facet, values in compared(model).items():
        reports = {report["value_or_threshold"]: report["metrics"] for report in found["facets"][facet]}
        assert list(reports) == list(values)
        for value in values:
            told = {metric["name"]: metric["value"] for metric in reports[value]}
            own = smclarifys_own(stage, trained, facet=facet.split("*"), value=value)
            assert list(own.values()).count(None) <= 1
            assert told == own


def test_the_flip_test_looks_past_the_groups_own_columns(trained: Trained, model: Model) -> None:
    """By nothing but the age, people of two ages have no neighbours; people of two genders do."""
    transformer, rows = load_artifact(trained.artefact).transformer, trained.holdout()
    ages = Transformer(features=tuple(feature for feature in transformer.features if feature.name == "age_group"))
    found = bias_section(
        "post_training",
        rows=rows,
        transformer=ages,
        labels=labels(rows, model),
        predicted=answers(trained),
        model=model,
    )
    flips = {
        facet: [metric["value"] for metric in reports[0]["metrics"] if metric["name"] == "FT"]
        for facet, reports in found["facets"].items()
    }
    assert flips["age_group"] == flips["gender*age_group"] == [None]
    assert flips["gender"] != [None]


def test_without_a_condition_there_is_no_conditional_disparity(trained: Trained, model: Model) -> None:
    found = measured("post_training", trained, with_fairness(model, condition_on=None))
    [report] = found["facets"]["gender"]
    missing = {metric["name"]: metric.get("error") for metric in report["metrics"] if metric["value"] is None}
    assert set(missing) == {"CDDPL"}


def test_withheld_group_tells_neither_metric_nor_size(trained: Trained, model: Model) -> None:
    rows = trained.holdout()
    size = int(((rows["gender"] == "Female") & (rows["age_group"] == "50-59")).sum())
    strict = with_fairness(model, smallest_group=size + 1)
    groups = count_groups(rows, labels(rows, strict), answers(trained), strict)
    small = [group for group in groups if group.small]
    assert "gender*age_group" in {group.facet for group in small}
    assert all(group.rows.startswith(f"< {size + 1}") for group in small if group.rows)
    for report in measured("post_training", trained, strict)["facets"]["gender*age_group"]:
        if report["value_or_threshold"] in {group.value for group in small}:
            assert {metric["value"] for metric in report["metrics"]} == {None}
            assert all(str(size) not in metric["error"].replace(str(size + 1), "") for metric in report["metrics"])


@pytest.fixture
def judged(trained: Trained, specification: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trained:
    """The same version, of a model that also asks for an intersection."""
    asked = {
        **specification,
        "facets": {"gender": ["Female"], "age_group": ["30-39", "70+"]},
        "fairness": {**specification["fairness"], "intersections": [["gender", "age_group"]]},
    }
    root = tmp_path / "judged"
    shutil.copytree(trained.root, root)
    (root / "model-spec.json").write_text(json.dumps(asked), encoding="utf-8")
    monkeypatch.setenv("BATON_MODEL_JSON", str(root / "model-spec.json"))
    folders = {"model": "artefact", "holdout": "holdout", "train": "input/data/train", "output": "evidence/bias"}
    assert bias_step.main([text for name, at in folders.items() for text in (f"--{name}", str(root / at))]) == 0
    return Trained(root=root, model=parse_model(asked))


def test_the_gate_judges_intersections_but_no_small_group(judged: Trained) -> None:
    names = ("evaluation", "bias", "explainability", "data-quality", "model-quality", "comparison")
    folders = {name: judged.evidence / name.replace("-", "_") for name in names}
    decision = gate.decide(
        folders=folders,
        archive=judged.artefact / "model.tar.gz",
        model=judged.model,
        on=date(2026, 3, 1),
        author="ada@bank.example",
    )
    values = {check["name"]: check["value"] for check in decision["checks"]}
    assert isinstance(values["DPPL.gender*age_group=Female*30-39"], float)
    assert values["DPPL.gender*age_group=Female*70+"] is None
    assert "too small to judge by" in decision["reasons"]


def test_the_monitor_judges_intersections(judged: Trained, served: ServedModel, tmp_path: Path) -> None:
    frame = customers(800, seed=30)
    hit = (frame["gender"] == "Female") & (frame["age_group"] == "30-39")
    frame.loc[hit, ["products", "is_active"]] = [4, 0]
    lines, truth = ask(served, frame, judged.model), truths(frame)
    report = looked_at(bias_monitor.look, tmp_path, judged, lines=lines, labels=truth)
    violated = {(item["facet"], item["facet_value"]) for item in report.violations}
    assert ("gender*age_group", "Female*30-39") in violated
    assert not any("70+" in value for _, value in violated)


def test_the_last_value_of_a_facet_does_not_follow_from_the_others(model: Model) -> None:
    rows = customers(1_000)
    rows["gender"] = ["Other"] * 12 + ["Male"] * 400 + ["Female"] * 588
    listed = with_fairness(model, facets={"gender": ("Female", "Male", "Other")}, intersections=())
    assert {group.value for group in withheld(rows, listed)} == {"Other", "Male"}


def test_a_value_that_is_not_listed_is_not_given_away_either(model: Model) -> None:
    rows = customers(1_000)
    rows["gender"] = ["Other"] * 12 + ["Male"] * 400 + ["Female"] * 588
    listed = with_fairness(model, facets={"gender": ("Female", "Male")}, intersections=())
    assert {group.value for group in withheld(rows, listed)} == {"Male"}


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 90), min_size=12, max_size=12),
    genders=st.sampled_from([("a",), ("a", "b"), ("a", "b", "c")]),
    ages=st.sampled_from([("x",), ("x", "y"), ("x", "y", "z", "w")]),
)
def test_no_small_group_follows_from_what_is_told(sizes: list[int], genders: Any, ages: Any) -> None:
    """What is told fixes sums over the cells of the table; a size is known when it is a combination of those sums."""
    cells = list(product("abc", "xyzw"))
    frame = pd.DataFrame(
        [cell for cell, size in zip(cells, sizes, strict=True) for _ in range(size)], columns=["g", "h"]
    )
    asked = _table_model(genders, ages)
    hidden = withheld(frame, asked)
    held = [size > 0 for size in sizes]

    def cells_of(group: Subgroup) -> Any:
        pattern = dict(group.members)
        return [float(g == pattern.get("g", g) and h == pattern.get("h", h)) for g, h in cells]

    told = np.array([np.ones(12), *(cells_of(group) for group in subgroups(asked) if group not in hidden)])[:, held]
    for group in hidden:
        wanted = np.array(cells_of(group))[held]
        size = int(wanted @ np.array(sizes)[held])
        if 0 < size < 30 and not wanted.all():  # of all rows there is nothing to tell apart
            assert np.linalg.matrix_rank(np.vstack([told, wanted])) > np.linalg.matrix_rank(told)
    assert all(
        30 <= np.dot(cells_of(group), sizes) <= sum(sizes) - 30 for group in subgroups(asked) if group not in hidden
    )


def _table_model(genders: tuple[str, ...], ages: tuple[str, ...]) -> Model:
    fairness = {"intersections": [["g", "h"]], "smallest_group": 30, "condition_on": None}
    return Model(
        name="table",
        key="id",
        source={},
        columns=(),
        features=(),
        problem="binary_classification",
        target="t",
        positive=1,
        favourable_above=None,
        facets={"g": genders, "h": ages},
        settings={"fairness": fairness},
    )


def test_groups_of_earlier_versions_are_read_without_the_small_ones(tmp_path: Path) -> None:
    large, few = (100, 10, 10, 30), (5, 1, 1, 2)
    earlier = [
        {"facet": "gender", "value": "Female", "inside": large, "outside": large},
        {"facet": "age_group", "value": "70+", "inside": few, "outside": large},
    ]
    (tmp_path / "groups.json").write_text(json.dumps({"version": "1.0", "groups": earlier}))
    groups = read_groups(tmp_path)
    assert not groups["gender", "Female"].small
    assert groups["age_group", "70+"].small


def test_groups_are_read_as_they_were_written(tmp_path: Path) -> None:
    few = Group(facet="f", value="few", inside=(3, 2, 1, 4), outside=(9, 9, 9, 9))
    hidden = Group(facet="f", value="hidden", inside=None, outside=None, rows="< 5")
    written = {"version": "1.1", "groups": [asdict(few), asdict(hidden)]}
    (tmp_path / "groups.json").write_text(json.dumps(written))
    groups = read_groups(tmp_path)
    assert not groups["f", "few"].small  # the model's own bound allowed it
    assert groups["f", "hidden"].small
    with pytest.raises(ValueError, match="f=hidden is withheld"):
        _ = groups["f", "hidden"].sides
