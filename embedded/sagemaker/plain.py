"""Resources that SageMaker only keeps: created, described, listed, deleted, from one table of kinds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from embedded.front.api import ApiError, Caller, Handler, service_model
from embedded.sagemaker.endpoint_rules import check_config
from embedded.sagemaker.kinds import ResourceKind
from embedded.sagemaker.listing import Listing
from embedded.sagemaker.store import Record, Store, name_of, now


@dataclass(frozen=True, kw_only=True)
class Kind(ResourceKind):
    """One kind that is only kept.

    Attributes:
        label: What SageMaker calls it in errors.
        constants: What a new record holds besides the request.
        aliases: Summary members that the record has under another name.
    """

    label: str
    constants: Mapping[str, Any] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class JobDefinition(Kind):
    """A kind of monitoring job definition; the four call their members alike."""

    label: str = "job definition"
    aliases: Mapping[str, str] = field(
        default_factory=lambda: {
            "MonitoringJobDefinitionName": "JobDefinitionName",
            "MonitoringJobDefinitionArn": "JobDefinitionArn",
        }
    )

    @property
    def stem(self) -> str:
        """The word that all four share."""
        return "JobDefinition"


MODEL = Kind(noun="Model", path="model", label="model")
ENDPOINT_CONFIG = Kind(noun="EndpointConfig", path="endpoint-config", label="endpoint configuration")
PACKAGE_GROUP = Kind(
    noun="ModelPackageGroup",
    path="model-package-group",
    label="model package group",
    constants={"ModelPackageGroupStatus": "Completed"},
)
JOB_DEFINITIONS = (
    JobDefinition(noun="DataQualityJobDefinition", path="data-quality-job-definition"),
    JobDefinition(noun="ModelQualityJobDefinition", path="model-quality-job-definition"),
    JobDefinition(noun="ModelBiasJobDefinition", path="model-bias-job-definition"),
    JobDefinition(noun="ModelExplainabilityJobDefinition", path="model-explainability-job-definition"),
)
KINDS = (MODEL, ENDPOINT_CONFIG, PACKAGE_GROUP, *JOB_DEFINITIONS)


class PlainResources:
    """The actions of the kinds that are records and nothing else."""

    def __init__(self, *, store: Store) -> None:
        self._store = store

    def actions(self) -> dict[str, Handler]:
        """The handlers by operation name."""
        found: dict[str, Handler] = {}
        for kind in KINDS:
            listing = Listing(action=f"List{kind.noun}s", name_key=kind.name_key, aliases=kind.aliases)
            found[f"Create{kind.noun}"] = self._creator(kind)
            found[f"Describe{kind.noun}"] = self._describer(kind)
            found[f"Delete{kind.noun}"] = self._deleter(kind)
            found[f"List{kind.noun}s"] = self._lister(kind, listing)
        return found

    def _creator(self, kind: Kind) -> Handler:
        def create(request: dict[str, Any], caller: Caller) -> dict[str, Any]:
            name = request[kind.name_key]
            arn = self._store.arn(f"{kind.path}/{name}")
            with self._store.locked():
                if kind is ENDPOINT_CONFIG:
                    check_config(request, self._store.kind(MODEL.noun))
                if name in self._store.kind(kind.noun):
                    raise already_exists(f"Create{kind.noun}", kind.label, arn)
                self._store.kind(kind.noun)[name] = {
                    **request,
                    **kind.constants,
                    kind.arn_key: arn,
                    "CreationTime": now(),
                    "CreatedBy": caller.context(),
                }
                self._store.tag(arn, request.get("Tags", []))
            return {kind.arn_key: arn}

        return create

    def _describer(self, kind: Kind) -> Handler:
        def describe(request: dict[str, Any], caller: Caller) -> dict[str, Any]:
            with self._store.locked():
                return dict(find(self._store, kind, request[kind.name_key], f"Describe{kind.noun}"))

        return describe

    def _deleter(self, kind: Kind) -> Handler:
        def delete(request: dict[str, Any], caller: Caller) -> dict[str, Any]:
            with self._store.locked():
                record = find(self._store, kind, request[kind.name_key], f"Delete{kind.noun}")
                if kind is PACKAGE_GROUP:
                    self._refuse_if_versions(record)
                self._store.forget_tags(record[kind.arn_key])
                del self._store.kind(kind.noun)[record[kind.name_key]]
            return {}

        return delete

    def _lister(self, kind: Kind, listing: Listing) -> Handler:
        def list_them(request: dict[str, Any], caller: Caller) -> dict[str, Any]:
            with self._store.locked():
                return listing.answer(request, self._store.kind(kind.noun).values())

        return list_them

    def _refuse_if_versions(self, group: Record) -> None:
        name = group["ModelPackageGroupName"]
        versions = self._store.kind("ModelPackage").values()
        if any(version.get("ModelPackageGroupName") == name for version in versions):
            raise ApiError("ConflictException", f"Model Package Group {name} still holds model packages.")


def find(store: Store, kind: Kind, reference: str, action: str) -> Record:
    """Find a record by name or ARN.

    Raises:
        ApiError: There is none; with the code that the operation declares for that.
    """
    record = store.kind(kind.noun).get(name_of(reference))
    if record is None:
        arn = store.arn(f"{kind.path}/{name_of(reference)}")
        raise not_found(action, f'Could not find {kind.label} "{arn}".')
    return record


def not_found(action: str, message: str) -> ApiError:
    """What SageMaker answers for a resource that is not there: an operation declares it, or only validates."""
    return ApiError("ResourceNotFound" if "ResourceNotFound" in _declared(action) else "ValidationException", message)


def already_exists(action: str, label: str, arn: str) -> ApiError:
    """What SageMaker answers for a name that is taken."""
    code = "ResourceInUse" if "ResourceInUse" in _declared(action) else "ValidationException"
    return ApiError(code, f'Cannot create already existing {label} "{arn}".')


def _declared(action: str) -> set[str]:
    return {shape.name for shape in service_model("sagemaker").operation_model(action).error_shapes}
