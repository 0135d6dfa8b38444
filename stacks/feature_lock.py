"""What feature groups may already be deployed, and that the configuration asks for nothing that they cannot become.

SageMaker adds features to a group and never takes one out or retypes it; its identifier, its event time and its stores
are fixed for good. CloudFormation would answer such a change by a replacement, which fails for the name it has, or
costs the online store. So `config/feature_groups.lock.json` remembers every group, and synthesis compares.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from baton.features.definition import FeatureGroupDefinition, define_feature_group
from baton.specification.model import ModelSpecification
from stacks.settings import ENVIRONMENTS, ConfigurationError, Environment, load_environment, load_models

CONFIG = Path(__file__).parent.parent / "config"
LOCK = CONFIG / "feature_groups.lock.json"
Entry = dict[str, Any]


def check_feature_groups(
    models: Sequence[ModelSpecification], environments: Sequence[Environment], lock: Path = LOCK
) -> None:
    """Compare every group of the configuration with the lock; a group that it does not know is new, and fine.

    Raises:
        ConfigurationError: A group would have to be replaced, or two models ask for the same one.
    """
    locked = _read(lock)
    for environment in environments:
        owners: dict[str, str] = {}
        for model, group in _groups(environment.name, models):
            if group.name in owners:
                raise ConfigurationError(
                    f"config/models: name: {model.name} and {owners[group.name]} both have the feature group "
                    f"{group.name}; rename one of the models"
                )
            owners[group.name] = model.name
            known = locked.get(environment.name, {})
            fault = _step_back(known, model)
            if fault is None and group.name in known:
                fault = _fault(known[group.name], _entry(model, group), model)
            if fault is not None:
                raise ConfigurationError(f"{_shown(lock)}: {environment.name}.{group.name}.{fault}")


def write_lock(models: Sequence[ModelSpecification], environments: Sequence[Environment], lock: Path = LOCK) -> None:
    """Remember every group of the configuration; none that is known is forgotten, for it may live on in an account.

    Raises:
        ConfigurationError: A known group would have to be replaced.
    """
    check_feature_groups(models, environments, lock)
    locked = _read(lock)
    for environment in environments:
        groups = {group.name: _entry(model, group) for model, group in _groups(environment.name, models)}
        known = {**locked.get(environment.name, {}), **groups}
        locked[environment.name] = {name: known[name] for name in sorted(known)}
    lock.write_text(json.dumps(locked, indent=2) + "\n", encoding="utf-8")


def is_current(models: Sequence[ModelSpecification], environments: Sequence[Environment], lock: Path = LOCK) -> bool:
    """Whether the lock holds every group just as the configuration has it."""
    locked = _read(lock)
    return all(
        locked.get(environment.name, {}).get(group.name) == _entry(model, group)
        for environment in environments
        for model, group in _groups(environment.name, models)
    )


def _groups(
    environment: str, models: Sequence[ModelSpecification]
) -> Iterator[tuple[ModelSpecification, FeatureGroupDefinition]]:
    for model in models:
        if model.feature_store is not None:
            yield model, define_feature_group(environment, model)


def _entry(model: ModelSpecification, group: FeatureGroupDefinition) -> Entry:
    return {
        "model": model.name,
        "version": _version(model),
        "record_identifier": group.record_identifier,
        "event_time": group.event_time,
        "online": group.online,
        "offline_prefix": group.offline_prefix,
        "table_name": group.table_name,
        "features": dict(group.features),
    }


def _version(model: ModelSpecification) -> int:
    return model.feature_store.version if model.feature_store else 1


def _step_back(locked: Mapping[str, Entry], model: ModelSpecification) -> str | None:
    """Why a model may not return to a group that it gave up: the old one still has the name, and its records."""
    newest = max((entry["version"] for entry in locked.values() if entry["model"] == model.name), default=0)
    if _version(model) >= newest:
        return None
    return (
        f"version: {model.name} asks for version {_version(model)} of its feature group and was at {newest} already; "
        f"put feature_store: {{version: {newest}}} back in its file, or go on to {{version: {newest + 1}}}"
    )


def _fault(locked: Entry, wanted: Entry, model: ModelSpecification) -> str | None:
    """What of a locked group would change, as `key: what, and the two ways out`."""
    way_out = f"or make a new group with feature_store: {{version: {_version(model) + 1}}} in the file of {model.name}"
    types = wanted["features"]
    for name, kind in locked["features"].items():
        if name not in types:
            return f"features: {name} is in the group, from which SageMaker takes no feature; put it back, {way_out}"
        if types[name] != kind:
            return (
                f"features: {name} is {kind} in the group and would be {types[name]}; make it {kind} again, {way_out}"
            )
    for key in ("model", "record_identifier", "event_time", "online", "offline_prefix", "table_name"):
        if locked[key] != wanted[key]:
            return (
                f"{key}: is {_json(locked[key])} in the group and would be {_json(wanted[key])}, which SageMaker "
                f"cannot change; put it back, {way_out}"
            )
    return None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _read(lock: Path) -> dict[str, dict[str, Entry]]:
    if not lock.is_file():
        return {}
    try:
        content = json.loads(lock.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigurationError(f"{_shown(lock)}: is not JSON: {error}; restore it from the repository") from error
    if not isinstance(content, Mapping):
        raise ConfigurationError(f"{_shown(lock)}: must hold environments; restore it from the repository")
    return dict(content)


def _shown(lock: Path) -> str:
    return str(lock.relative_to(CONFIG.parent)) if lock.is_relative_to(CONFIG.parent) else str(lock)


def main() -> None:
    """Write the lock for config/models."""
    environments = [load_environment(name, CONFIG / "environments") for name in ENVIRONMENTS]
    write_lock(load_models(list((CONFIG / "models").glob("*.yaml")), environments), environments)


if __name__ == "__main__":
    try:
        main()
    except ConfigurationError as error:
        sys.exit(f"baton: {error}")
