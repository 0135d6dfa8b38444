"""The typed form of config/: read, checked and refused here, before anything is synthesised."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

import yaml
from pydantic import Field, StringConstraints, ValidationError, model_validator

from baton.specification.base import Specification
from baton.specification.capacity import ServingCapacity
from baton.specification.flow import FlowError
from baton.specification.model import ModelSpecification
from baton.specification.serving import misfit_of_deployment, misfit_of_explainer
from stacks.connections import Connection, region_of
from stacks.flows import FLOWS, check_flow
from stacks.taken_registry import TakenRegistry

ENVIRONMENTS = ("dev", "staging", "prod")


class ConfigurationError(Exception):
    """A configuration file says something that cannot be deployed; the message says what, where and how to mend it."""


Persona = Literal["compliance-officer", "data-engineer", "data-scientist", "mlops-engineer"]
DirectoryUser = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class StudioSettings(Specification):
    """Notebooks, in an environment that has them.

    `idle_minutes` is how long an app may stand unused; SageMaker knows nothing shorter than an hour. `directory_users`
    names, for each persona, the user of IAM Identity Center that its profile is assigned to; without it the personas'
    own roles open the profiles.
    """

    idle_minutes: int = Field(default=60, ge=60, le=525_600)
    directory_users: dict[Persona, DirectoryUser] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _all_or_none(self) -> "StudioSettings":
        missing = sorted(set(get_args(Persona)) - set(self.directory_users))
        if self.directory_users and missing:
            raise ValueError(f"directory_users: {missing[0]} has none; a domain signs in all its profiles the same way")
        return self


class Environment(Specification):
    """One file under config/environments/: what differs between dev, staging and prod, and nothing else.

    `registry` names the environment whose versions are served here; without it, this one trains its own.
    """

    name: Literal["dev", "staging", "prod"]
    account: Annotated[str, StringConstraints(pattern=r"^\d{12}$")] | None = None
    region: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")]
    availability_zones: tuple[str, ...] = Field(min_length=2, max_length=3)
    vpc_cidr: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+\.\d+/(1[6-9]|2[0-2])$")]
    retain_data: bool = True
    analysis_backend: Literal["open", "managed"]
    xgboost_digest: Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")] | None = None
    log_retention_days: Literal[7, 30, 90, 180, 365, 731, 1827, 3653] = 365
    raw_retention_days: int = Field(default=7, ge=1, le=365)
    poll_seconds: int = Field(default=15, ge=1, le=300)
    notify: tuple[Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")], ...] = ()
    connections: dict[str, Connection]
    serving: ServingCapacity
    studio: StudioSettings | None = None
    registry: TakenRegistry | None = None

    @model_validator(mode="after")
    def _zones_are_in_the_region(self) -> "Environment":
        strays = [zone for zone in self.availability_zones if not zone.startswith(self.region)]
        if strays:
            raise ValueError(f"availability_zones: {strays[0]} is not in {self.region}")
        return self

    @model_validator(mode="after")
    def _network_reaches_what_is_named(self) -> "Environment":
        """The network's endpoints lead to the services of its own region, and to those alone."""
        for name, connection in self.connections.items():
            for key in ("secret", "key"):
                arn = getattr(connection, key, None)
                if arn is not None and region_of(arn) != self.region:
                    raise ValueError(
                        f"connections.{name}.{key}: lies in {region_of(arn)}, and jobs in {self.region} reach only "
                        f"their own region; replicate it to {self.region}"
                    )
        return self


AnySpecification = TypeVar("AnySpecification", bound=Specification)


def load_environment(name: str, folder: Path) -> Environment:
    """Read `<folder>/<name>.yaml`.

    Raises:
        ConfigurationError: There is no such environment, or its file is wrong.
    """
    path = folder / f"{name}.yaml"
    if name not in ENVIRONMENTS or not path.is_file():
        raise ConfigurationError(f"{path}: there is no environment {name!r}; choose one of {', '.join(ENVIRONMENTS)}")
    return _parse(path, Environment, {"name": name})


def load_models(
    paths: Sequence[Path], environments: Sequence[Environment], *, flows: Path = FLOWS
) -> list[ModelSpecification]:
    """Read every model file, in order of name, and check that every environment can feed it.

    Raises:
        ConfigurationError: A file is wrong, two name the same model, a connection is missing somewhere, or the flow
            that a model names in the folder `flows` cannot be run.
    """
    if not paths:
        raise ConfigurationError("config/models: there is no model; add one YAML file")
    models: dict[str, ModelSpecification] = {}
    for path in sorted(paths):
        model = _parse(path, ModelSpecification, {})
        if model.name in models:
            raise ConfigurationError(
                f"{path}: name: another file already describes {model.name}; give each its own name"
            )
        for environment in environments:
            connection = environment.connections.get(model.source.connection)
            if connection is None:
                raise ConfigurationError(
                    f"{path}: source.connection: {environment.name} has no connection {model.source.connection!r}; "
                    f"add it under connections in config/environments/{environment.name}.yaml"
                )
            if model.fairness.intersections and environment.analysis_backend == "managed":
                raise ConfigurationError(
                    f"{path}: fairness.intersections: Clarify compares the values of one column, so {environment.name} "
                    "cannot; remove them, or set analysis_backend to open in "
                    f"config/environments/{environment.name}.yaml"
                )
            misfit = connection.misfit(model.source)
            if misfit is not None:
                raise ConfigurationError(f"{path}: source.{misfit}")
            misfit = misfit_of_deployment(model.serving, environment.serving)
            if misfit is not None:
                raise ConfigurationError(f"{path}: serving.deployment.{misfit}, for {environment.name}")
            misfit = misfit_of_explainer(model.serving, environment.analysis_backend)
            if misfit is not None:
                raise ConfigurationError(
                    f"{path}: serving.{misfit}; remove it, or set analysis_backend to open in "
                    f"config/environments/{environment.name}.yaml"
                )
        try:
            check_flow(model, flows)
        except FlowError as error:
            raise ConfigurationError(f"{path}: wrangler.flow: {error}") from error
        models[model.name] = model
    return list(models.values())


def _parse(path: Path, kind: type[AnySpecification], extra: dict[str, str]) -> AnySpecification:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path}: must hold keys and values, got {type(content).__name__}")
    try:
        return kind.model_validate({**content, **extra})
    except ValidationError as error:
        raise ConfigurationError(f"{path}: {_sentence(error.errors()[0], content)}") from error


def _sentence(problem: Any, content: Any) -> str:
    """One pydantic error as one clear sentence: which key, what is wrong, what to do."""
    key = _key(problem["loc"], content, missing=problem["type"] == "missing")
    if problem["type"] == "extra_forbidden":
        return f"{key}: is not a key that anything reads; remove it or mend its spelling"
    if problem["type"] == "missing":
        return f"{key}: is missing; add it"
    if problem["type"] == "value_error":
        detail = str(problem["ctx"]["error"])
        return detail if key == "file" else f"{key}: {detail}"
    if problem["type"].startswith("union_tag"):
        name = problem["ctx"]["discriminator"].strip("'")
        given = problem["input"].get(name) if isinstance(problem["input"], dict) else None
        choices = problem["ctx"].get("expected_tags", "one of the documented kinds")
        return f"{key}.{name}: must be one of {choices}, got {given!r}"
    return f"{key}: {problem['msg'].lower()}, got {problem['input']!r}"


def _key(places: tuple[str | int, ...], content: Any, *, missing: bool) -> str:
    """The keys as the file has them, or lacks the last: pydantic also counts the kind that it took a part for."""
    keys: list[str] = []
    for position, place in enumerate(places):
        held = isinstance(content, dict) and place in content
        held = held or (isinstance(content, list) and isinstance(place, int) and place < len(content))
        if held:
            content = content[place]
        if held or (missing and position == len(places) - 1):
            keys.append(str(place))
    return ".".join(keys) or "file"
