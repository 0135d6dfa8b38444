"""The card is one that the SageMaker SDK's own shapes accept whole, and says what the YAML and the run say."""

import json
from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from pydantic import BaseModel
from sagemaker.core.shapes.model_card_shapes import ModelCardContent

from pipeline_scripts.analysis.job import JobError
from pipeline_scripts.evidence.bundle import Origin, make_bundle
from pipeline_scripts.evidence.model_card import model_card
from pipeline_scripts.model import Model
from tests.runtime.churn import Trained

ORIGIN = Origin(
    model="bank_churn",
    execution="arn:aws:sagemaker:eu-west-1:000000000000:pipeline/p/execution/run-1",
    commit="0123abc",
    author='Ada "the first" Lovelace',
    reason="manual",
    image="registry/xgboost:3.0-5@sha256:1",
    environment_sha256="e" * 64,
    evidence_uri="s3://evidence/bank_churn/run-1",
    dataset_uri="s3://curated/bank_churn/runs/r1/",
    dataset_hash="d" * 64,
)


def argument(trained: Trained, model: Model, origin: Origin = ORIGIN) -> dict[str, str]:
    archive = trained.artefact / "model.tar.gz"
    manifest = {"dataset_hash": ORIGIN.dataset_hash}
    bundle = make_bundle(origin=origin, manifest=manifest, evidence=trained.evidence, archive=archive, wheels=None)
    evaluation = json.loads((trained.evidence / "evaluation" / "evaluation.json").read_text())
    explanations = json.loads((trained.evidence / "explainability" / "analysis.json").read_text())
    return model_card(bundle, evaluation=evaluation, explanations=explanations, model=model)


def content(trained: Trained, model: Model | None = None, origin: Origin = ORIGIN) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(argument(trained, model or trained.model, origin)["ModelCardContent"])
    return found


def unknown(said: Any, shape: Any, where: str = "") -> list[str]:
    """The keys that the SDK's shape has not: pydantic would drop them without a word."""
    if isinstance(shape, BaseModel):
        own = type(shape).model_fields
        strays = [f"{where}.{key}" for key in said if key not in own]
        return strays + [
            stray for key in said if key in own for stray in unknown(said[key], getattr(shape, key), f"{where}.{key}")
        ]
    if isinstance(shape, list):
        pairs = zip(said, shape, strict=True)
        return [stray for place, pair in enumerate(pairs) for stray in unknown(*pair, f"{where}[{place}]")]
    return []


def test_the_shapes_of_the_sdk_accept_every_key_of_it(trained: Trained) -> None:
    said = content(trained)
    assert unknown(said, ModelCardContent.model_validate(said)) == []
    assert said.keys() == ModelCardContent.model_fields.keys()


def test_the_registry_takes_it(trained: Trained) -> None:
    service = botocore.session.get_session().get_service_model("sagemaker")
    shape = service.shape_for("ModelPackageModelCard")
    card = argument(trained, trained.model)
    assert not ParamValidator().validate(card, shape).has_errors()
    assert card["ModelCardStatus"] in shape.members["ModelCardStatus"].enum
    assert "\n" not in card["ModelCardContent"]  # the service's pattern is one line: .*


def test_of_a_model_package_it_overviews_only_who_made_it(trained: Trained) -> None:
    assert content(trained)["model_overview"] == {"model_creator": ORIGIN.author}


def test_it_says_what_the_model_is_for(trained: Trained) -> None:
    told, uses = trained.model.settings["card"], content(trained)["intended_uses"]
    assert uses["purpose_of_model"] == told["purpose"] and uses["risk_rating"] == "Low"
    assert told["intended_uses"] in uses["intended_uses"] and told["out_of_scope"] in uses["intended_uses"]


def test_it_holds_the_figures_with_their_intervals_and_the_gates_judgement(trained: Trained) -> None:
    [evaluated] = content(trained)["evaluation_details"]
    groups = {group["name"]: group["metric_data"] for group in evaluated["metric_groups"]}
    found = json.loads((trained.evidence / "evaluation" / "evaluation.json").read_text())
    auc = groups["Quality"][0]
    assert auc["value"] == found["auc"] and auc["notes"].startswith(f"{found['intervals']['auc']['low']:.4f} to ")
    gate = json.loads((trained.evidence / "gate" / "gate.json").read_text())
    assert evaluated["evaluation_observation"] == gate["reasons"]
    fairness = [check for check in gate["checks"] if isinstance(check["bound"], list)]
    judged = {check["name"]: check["value"] for check in fairness if check["value"] is not None}
    assert (
        len(judged) > 0
        and {metric["name"]: metric["value"] for metric in groups["Fairness, as the gate judged it"]} == judged
    )
    assert set(groups["Attributions"][0]["x_axis_name"]) == set(trained.model.features)


def test_it_leads_to_the_evidence(trained: Trained) -> None:
    details = content(trained)["additional_information"]["custom_details"]
    assert details["evidence"] == "s3://evidence/bank_churn/run-1/evidence/evidence.html"
    assert details["commit"] == ORIGIN.commit


def test_a_model_without_a_card_in_its_yaml_has_one_of_what_the_run_knows(trained: Trained) -> None:
    silent = replace(trained.model, settings={**trained.model.settings, "card": None})
    said = content(trained, silent)
    assert said["intended_uses"] == {"risk_rating": "Unknown"} and "business_details" not in said
    ModelCardContent.model_validate(said)


def test_what_is_longer_than_the_schema_allows_is_cut(trained: Trained) -> None:
    said = content(trained, origin=replace(ORIGIN, reason="r" * 5000, author="a" * 5000))
    ModelCardContent.model_validate(said)


def test_a_card_too_long_for_the_registry_is_refused(trained: Trained) -> None:
    wordy = {**trained.model.settings["card"], "purpose": "p" * 100_000}
    with pytest.raises(JobError, match=r"the registry takes 100000; shorten what `card` says"):
        argument(trained, replace(trained.model, settings={**trained.model.settings, "card": wordy}))
