"""What SageMaker records in lineage by itself: of jobs, versions and endpoints.

After the developer guide's "Amazon SageMaker AI-Created Tracking Entities", with the names and the directions that the
SDK's `sagemaker.core.lineage` reads.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from embedded.sagemaker.lineage_entities import ACTION, ARTIFACT, CONTEXT, TRIAL_COMPONENT, EntityKind, add, arn_of
from embedded.sagemaker.lineage_graph import associate
from embedded.sagemaker.store import Record, Store

_DEPLOYED = {"ModelPackageName": "ModelPackage", "Image": "Image", "ModelDataUrl": "Model"}


class LineageRecords:
    """Records in passing, while the resource itself is made. What is there already is used again."""

    def __init__(self, *, store: Store) -> None:
        self._store = store

    def job(self, record: Mapping[str, Any], *, noun: str) -> None:
        """A job with what it reads and writes; of a training that has ended, the model it left too."""
        name, arn = record[f"{noun}Name"], record[f"{noun}Arn"]
        suffix = f"{noun.removesuffix('Job').lower()}-job"
        with self._store.locked():
            component = self._entity(
                TRIAL_COMPONENT,
                {
                    "TrialComponentName": f"{name}-aws-{suffix}",
                    "DisplayName": f"{name}-aws-{suffix}",
                    "Source": {"SourceArn": arn, "SourceType": f"SageMaker{noun}"},
                },
            )
            for uri, kind in _inputs(record):
                self._link(self._artifact(uri, kind), component, "ContributedTo")
            for uri, kind in _outputs(record):
                self._link(component, self._artifact(uri, kind), "Produced")

    def version(self, record: Mapping[str, Any]) -> None:
        """A version of a group: its images and artefacts, the group, and its approval status as an action."""
        arn, number = record["ModelPackageArn"], record.get("ModelPackageVersion")
        with self._store.locked():
            package = self._artifact(arn, "ModelPackage")
            for container in record.get("InferenceSpecification", {}).get("Containers", []):
                self._link(self._artifact(container["Image"], "Image"), package, "ContributedTo")
                if "ModelDataUrl" in container:
                    self._link(self._artifact(container["ModelDataUrl"], "Model"), package, "ContributedTo")
            if number is None:
                return
            group, status = record["ModelPackageGroupName"], record["ModelApprovalStatus"]
            source = {"SourceUri": self._store.arn(f"model-package-group/{group}")}
            context = {"ContextName": f"{group}-aws-model-group", "ContextType": "ModelGroup", "Source": source}
            self._link(package, self._entity(CONTEXT, context), "AssociatedWith")
            name = f"{group}-{number}-{status}-aws-model-package"
            action = {"ActionName": name, "ActionType": "Approval", "Status": status, "Source": {"SourceUri": arn}}
            self._link(self._entity(ACTION, action), package, "ContributedTo")

    def endpoint(self, record: Mapping[str, Any]) -> None:
        """An endpoint with the deployment that made it, and what was deployed."""
        name, arn = record["EndpointName"], record["EndpointArn"]
        with self._store.locked():
            context = self._entity(
                CONTEXT,
                {"ContextName": f"{name}-aws-endpoint", "ContextType": "Endpoint", "Source": {"SourceUri": arn}},
            )
            action = self._entity(
                ACTION,
                {
                    "ActionName": f"{record['EndpointConfigName']}-aws-deployment",
                    "ActionType": "ModelDeployment",
                    "Source": {"SourceUri": arn},
                },
            )
            self._link(action, context, "AssociatedWith")
            for uri, kind in self._deployed(record):
                self._link(self._artifact(uri, kind), action, "ContributedTo")

    def _deployed(self, record: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        config = self._store.kind("EndpointConfig").get(record["EndpointConfigName"], {})
        for variant in config.get("ProductionVariants", []):
            model = self._store.kind("Model").get(variant.get("ModelName"), {})
            for container in model.get("Containers") or [model.get("PrimaryContainer", {})]:
                for member, kind in _DEPLOYED.items():
                    if member in container:
                        yield container[member], kind

    def _artifact(self, uri: str, kind: str) -> str:
        return self._entity(ARTIFACT, {"Source": {"SourceUri": uri}, "ArtifactType": kind})

    def _entity(self, kind: EntityKind, request: Record) -> str:
        arn = arn_of(self._store, kind, request)
        return arn if arn in self._store.kind(kind.noun) else add(self._store, kind, request)

    def _link(self, source: str, destination: str, kind: str) -> None:
        associations: dict[Any, Record] = self._store.kind("Association")
        if (source, destination) not in associations:
            associate(self._store, source, destination, kind)


def _inputs(record: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    image = record.get("AppSpecification", {}).get("ImageUri") or _training_image(record)
    if image:
        yield image, "Image"
    for item in record.get("ProcessingInputs", []):
        if "S3Input" in item:
            yield item["S3Input"]["S3Uri"], "DataSet"
    if "TransformInput" in record:
        yield record["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"], "DataSet"
    for channel in record.get("InputDataConfig", []):
        yield channel["DataSource"]["S3DataSource"]["S3Uri"], "DataSet"


def _outputs(record: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for output in record.get("ProcessingOutputConfig", {}).get("Outputs", []):
        if "S3Output" in output:
            yield output["S3Output"]["S3Uri"], "DataSet"
    if "TransformOutput" in record:
        yield record["TransformOutput"]["S3OutputPath"], "DataSet"
    if "CheckpointConfig" in record:
        yield record["CheckpointConfig"]["S3Uri"], "Checkpoint"
    if "ModelArtifacts" in record:
        yield record["ModelArtifacts"]["S3ModelArtifacts"], "Model"


def _training_image(record: Mapping[str, Any]) -> str | None:
    image: str | None = record.get("AlgorithmSpecification", {}).get("TrainingImage")
    return image
