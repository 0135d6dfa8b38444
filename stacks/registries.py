"""Which environment serves versions that another trains: checked and refused before anything is synthesised."""

from collections.abc import Sequence
from dataclasses import dataclass

from baton.foundation.taker import Taker
from baton.specification.model import ModelSpecification
from stacks.connections import account_of, region_of
from stacks.settings import ConfigurationError, Environment
from stacks.taken_registry import TakenRegistry


@dataclass(frozen=True, kw_only=True)
class Sharing:
    """What an environment has to do with the registries of the others.

    `account` is that of the registry it takes from, and None where that is its own; `later` are the stages that a
    version may pass after it; `takers` the environments that take versions from its own registry, in their order.
    """

    account: str | None = None
    later: Sequence[str] = ()
    takers: Sequence[Taker] = ()


NOTHING_SHARED = Sharing()


def share_registries(environments: Sequence[Environment], models: Sequence[ModelSpecification]) -> dict[str, Sharing]:
    """Say for each of the environments, in the order in which a version passes them, what it shares.

    Raises:
        ConfigurationError: One takes its versions from where it cannot; the message names its file, the key and the
            remedy.
    """
    return {environment.name: _sharing(environment, environments, models) for environment in environments}


def _sharing(
    environment: Environment, environments: Sequence[Environment], models: Sequence[ModelSpecification]
) -> Sharing:
    registry = environment.registry
    if registry is None:
        return Sharing(takers=_takers(environment, environments))
    names = [each.name for each in environments]
    owner = environments[names.index(registry.owner)]
    if names.index(owner.name) >= names.index(environment.name):
        problem: str | None = (
            f"from: a version passes {', '.join(names)} in this order; {environment.name} must take from one before it"
        )
    else:
        problem = _misplaced(environment, owner) or _strange_keys(registry, owner, models)
    if problem is not None:
        raise ConfigurationError(f"config/environments/{environment.name}.yaml: registry.{problem}")
    stages = [taker.environment for taker in _takers(owner, environments)]
    return Sharing(
        account=owner.account if owner.account != environment.account else None,
        later=stages[stages.index(environment.name) + 1 :],
    )


def _takers(owner: Environment, environments: Sequence[Environment]) -> list[Taker]:
    takers: list[Taker] = []
    for environment in environments:
        if environment.registry is not None and environment.registry.owner == owner.name:
            account = environment.account if environment.account != owner.account else None
            after = takers[-1].environment if takers else None
            takers.append(Taker(environment=environment.name, account=account, after=after))
    return takers


def _misplaced(environment: Environment, owner: Environment) -> str | None:
    """Why `environment` can take no version from `owner`, as `key: why and what to do`; None where it can."""
    if owner.registry is not None:
        return f"from: {owner.name} has no registry of its own; say from: {owner.registry.owner}"
    if owner.region != environment.region:
        return (
            f"from: {owner.name} lies in {owner.region} and {environment.name} in {environment.region}, but SageMaker "
            "makes a model of artefacts of its own region only; set both to one region"
        )
    if (owner.account is None) != (environment.account is None):
        silent = owner.name if owner.account is None else environment.name
        return (
            f"from: config/environments/{silent}.yaml says no account; give account in both files, or in neither "
            "where both lie in one account"
        )
    return None


def _strange_keys(registry: TakenRegistry, owner: Environment, models: Sequence[ModelSpecification]) -> str | None:
    """Which key cannot be the owner's, or is missing, as `key: why and what to do`; None where all are right."""
    keys = {"models_key": registry.models_key}
    keys |= {f"signing_keys.{model}": key for model, key in registry.signing_keys.items()}
    for name, key in keys.items():
        if owner.account is not None and account_of(key) != owner.account:
            return f"{name}: is a key of {account_of(key)}, but {owner.name} lies in {owner.account}; take its own"
        if region_of(key) != owner.region:
            return f"{name}: is a key of {region_of(key)}, but {owner.name} lies in {owner.region}; take its own"
    for model in models:
        if model.name not in registry.signing_keys:
            return f"signing_keys.{model.name}: is missing; add the key that signs its evidence in {owner.name}"
    return None
