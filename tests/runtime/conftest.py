"""One small model, trained once by the real steps, and a world to reconcile."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline_scripts.model import Model, parse_model
from pipeline_scripts.serving import inference
from stacks.settings import load_models
from tests.runtime.churn import Trained, train_on

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def specification() -> dict[str, Any]:
    [model] = load_models([ROOT / "config" / "models" / "bank_churn.yaml"], [])
    return model.model_dump(mode="json")


@pytest.fixture(scope="session")
def model(specification: dict[str, Any]) -> Model:
    return parse_model(specification)


@pytest.fixture
def job(tmp_path: Path, specification: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The base folder of a job; the model's JSON is beside it."""
    (tmp_path / "model-spec.json").write_text(json.dumps(specification), encoding="utf-8")
    monkeypatch.setenv("BATON_MODEL_JSON", str(tmp_path / "model-spec.json"))
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path / "ml"))
    return tmp_path / "ml"


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, specification: dict[str, Any]) -> Trained:
    return train_on(tmp_path_factory.mktemp("trained"), specification)


@pytest.fixture(scope="session")
def served(trained: Trained) -> inference.ServedModel:
    return inference.model_fn(os.fspath(trained.unpacked))


@pytest.fixture(scope="module")
def reconcile_clients() -> Iterator[tuple[Any, Any]]:
    from tests.runtime.reconcile_world import clients  # it loads the CDK, which few tests here need

    with clients() as made:
        yield made


@pytest.fixture
def world(reconcile_clients: tuple[Any, Any]) -> Any:
    """A registry, a stack and an endpoint to reconcile, in which nothing has happened yet."""
    from tests.runtime.reconcile_world import new_world

    return new_world(*reconcile_clients)
