"""From a production variant to a folder that can be served: which artefact, and with which environment."""

import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from embedded.compute.job import ClientFactory, JobRefused
from embedded.compute.model_archive import unpack
from embedded.compute.object_store import read_object


class EndpointFailure(Exception):
    """The endpoint cannot serve what was asked; the message is its FailureReason."""


@dataclass(frozen=True, kw_only=True)
class ServedModel:
    """A container of a model: where its artefact lies and what its process sees."""

    artefact: str
    environment: Mapping[str, str]


def resolve(owner: Mapping[str, Any], *, name: str, client: ClientFactory) -> ServedModel:
    """What a variant or a transform job serves, read from its model and, where that names one, from the model package.

    Raises:
        EndpointFailure: The model is not there, or is of a kind that is not served here.
    """
    model_name = owner.get("ModelName")
    if not model_name:
        raise EndpointFailure(f"variant {name!r} names no model; embedded AWS serves no inference components")
    sagemaker = client("sagemaker")
    try:
        container = _container(sagemaker.describe_model(ModelName=model_name), where=f"model {model_name!r}")
        environment = dict(container.get("Environment", {}))
        if container.get("ModelPackageName"):
            package = sagemaker.describe_model_package(ModelPackageName=container["ModelPackageName"])
            container = _container(package["InferenceSpecification"], where=container["ModelPackageName"])
            environment = {**container.get("Environment", {}), **environment}
    except (ClientError, BotoCoreError) as error:
        raise EndpointFailure(f"model {model_name!r} cannot be read: {error}") from error
    return ServedModel(artefact=_artefact(container, where=f"model {model_name!r}"), environment=environment)


def _container(owner: Mapping[str, Any], *, where: str) -> Mapping[str, Any]:
    containers = [owner["PrimaryContainer"]] if owner.get("PrimaryContainer") else list(owner.get("Containers", ()))
    if len(containers) != 1:
        raise EndpointFailure(f"{where} has {len(containers)} containers; embedded AWS serves exactly one")
    only: Mapping[str, Any] = containers[0]
    return only


def _artefact(container: Mapping[str, Any], *, where: str) -> str:
    if container.get("ModelDataUrl"):
        return str(container["ModelDataUrl"])
    source = container.get("ModelDataSource", {}).get("S3DataSource", {})
    if source.get("CompressionType") == "Gzip" and source.get("S3DataType") == "S3Object":
        return str(source["S3Uri"])
    raise EndpointFailure(f"{where} has no ModelDataUrl; embedded AWS serves a model.tar.gz only")


def fetch(model: ServedModel, *, client: ClientFactory, scratch: Path, folder: Path) -> None:
    """Bring the artefact to a folder.

    Raises:
        EndpointFailure: It is not there, or is no archive that may be unpacked.
    """
    archive = scratch / "model.tar.gz"
    try:
        archive.write_bytes(read_object(client("s3"), uri=model.artefact))
        unpack(archive=archive, folder=folder)
    except (ClientError, BotoCoreError, JobRefused) as error:
        raise EndpointFailure(
            f"Could not find model data at {model.artefact}. Please ensure that the role has permission "
            f"to read it and that it exists: {error}"
        ) from error
    except (tarfile.TarError, OSError, EOFError) as error:
        raise EndpointFailure(f"Failed to extract model data archive {model.artefact}: {error}") from error
    finally:
        archive.unlink(missing_ok=True)
