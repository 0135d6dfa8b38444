"""Where the versions of an environment's models come from: its own trainings, or another environment's."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_kms as kms
from constructs import Construct

from baton.lake.version_files import named_files
from baton.registry.model_versions import ModelVersions
from baton.registry.names import group_name
from baton.registry.taken_versions import TakenVersions, VersionsBus
from baton.specification.model import ModelSpecification
from baton.training.signed_evidence import SignedEvidence
from stacks.registries import Sharing
from stacks.taken_registry import TakenRegistry


@dataclass(frozen=True, kw_only=True)
class VersionsSource:
    """One model's versions, what vouches for them, and the environment that trains them."""

    versions: ModelVersions
    evidence: SignedEvidence
    trained_in: str


class TakenSources(Construct):
    """What an environment knows of another's registry: its zones, its versions, its keys, and how it hears of them.

    Args:
        environment: The environment that takes its versions.
        registry: The registry.
        sharing: Where that lies, and which environments come after this one.
        models: The models whose versions are taken.
        key: Encrypts the events that arrive from another account.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: str,
        registry: TakenRegistry,
        sharing: Sharing,
        models: Sequence[ModelSpecification],
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        self.files = named_files(
            self,
            models_bucket=registry.models_bucket,
            evidence_bucket=registry.evidence_bucket,
            key_arn=registry.models_key,
        )
        bus = None
        if sharing.account is not None:
            groups = [group_name(registry.owner, model.slug) for model in models]
            bus = VersionsBus(self, "Bus", environment=environment, account=sharing.account, groups=groups, key=key).bus
        self.by_model = {
            model.name: VersionsSource(
                versions=TakenVersions(
                    self,
                    f"{model.construct_id}Versions",
                    environment=environment,
                    owner=registry.owner,
                    slug=model.slug,
                    account=sharing.account,
                    later=sharing.later,
                    bus=bus,
                ),
                evidence=SignedEvidence(
                    model=model.name,
                    files=self.files,
                    key=kms.Key.from_key_arn(
                        self, f"{model.construct_id}SigningKey", registry.signing_keys[model.name]
                    ),
                ),
                trained_in=registry.owner,
            )
            for model in models
        }
