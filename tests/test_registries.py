"""An environment's file that names a registry it cannot take from is refused, with what to do about it."""

from pathlib import Path
from typing import Any

import pytest

from baton.specification.model import ModelSpecification
from stacks.registries import share_registries
from stacks.settings import ENVIRONMENTS, ConfigurationError, load_environment, load_models
from tests.infrastructure.shared_assembly import DEV, PROD, STAGING, registry, shipped, with_keys, write

MODELS = Path(__file__).parent.parent / "config" / "models"


@pytest.fixture(scope="module")
def models() -> list[ModelSpecification]:
    return load_models([MODELS / "bank_churn.yaml"], [])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"dev": {"registry": registry("prod", PROD)}},
            "dev.yaml: registry.from: a version passes dev, staging, prod in this order; dev must take from one",
        ),
        ({"prod": {"registry": registry("prod", PROD)}}, "prod.yaml: registry.from: a version passes"),
        (
            {"staging": {"registry": registry("dev", DEV)}, "prod": {"registry": registry("staging", STAGING)}},
            "prod.yaml: registry.from: staging has no registry of its own; say from: dev",
        ),
        (
            {"prod": {"account": PROD, "registry": registry("staging", STAGING)}},
            "prod.yaml: registry.from: config/environments/staging.yaml says no account; give account in both files",
        ),
        (
            {"staging": {"account": STAGING}, "prod": {"registry": registry("staging", STAGING)}},
            "prod.yaml: registry.from: config/environments/prod.yaml says no account",
        ),
        (
            {
                "staging": {"region": "eu-central-1", "availability_zones": ["eu-central-1a", "eu-central-1b"]},
                "prod": {"registry": registry("staging", STAGING)},
            },
            "registry.from: staging lies in eu-central-1 and prod in eu-west-1",
        ),
        (
            {
                "staging": {"account": STAGING},
                "prod": {"account": PROD, "registry": registry("staging", DEV)},
            },
            f"registry.models_key: is a key of {DEV}, but staging lies in {STAGING}",
        ),
        (
            {"prod": {"registry": {**registry("staging", STAGING), "signing_keys": {}}}},
            "registry.signing_keys.bank_churn: is missing; add the key that signs its evidence in staging",
        ),
        (
            {
                "prod": {
                    "registry": {
                        **registry("staging", STAGING),
                        "signing_keys": {"bank_churn": f"arn:aws:kms:us-east-1:{STAGING}:key/signs"},
                    }
                }
            },
            "registry.signing_keys.bank_churn: is a key of us-east-1, but staging lies in eu-west-1",
        ),
        ({"prod": {"registry": {"from": "staging"}}}, r"prod.yaml: registry.models_bucket: is missing; add it"),
        ({"prod": {"registry": {**registry("staging", STAGING), "from": "test"}}}, r"prod.yaml: registry.from: input"),
        (
            {"prod": {"registry": {**registry("staging", STAGING), "models_key": "alias/models"}}},
            "prod.yaml: registry.models_key: string should match pattern",
        ),
    ],
)
def test_what_cannot_be_shared_is_refused_with_a_remedy(
    changes: dict[str, dict[str, Any]], said: str, models: list[ModelSpecification], tmp_path: Path
) -> None:
    folder = write(with_keys(shipped(), changes), tmp_path)
    with pytest.raises(ConfigurationError, match=said):
        share_registries([load_environment(name, folder) for name in ENVIRONMENTS], models)


def test_the_shipped_environments_share_nothing(models: list[ModelSpecification], tmp_path: Path) -> None:
    folder = write(shipped(), tmp_path)
    sharing = share_registries([load_environment(name, folder) for name in ENVIRONMENTS], models)
    assert all(not each.takers and each.account is None for each in sharing.values())
