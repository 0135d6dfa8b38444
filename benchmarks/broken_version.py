"""A version as a careless person would make it: all about it is signed and sound, and its code does not start."""

import hashlib
import io
import json
import tarfile
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from cli.functions import invoke
from cli.registry import Version, describe
from cli.stacks import Platform
from cli.storage import listing, read_bytes, split
from pipeline_scripts.evidence.bundle import canonical, members
from pipeline_scripts.functions.json_object import sha256_of

GATE, BUNDLE = "gate/gate.json", "evidence/bundle.json"
SCRIPT = "code/inference.py"
BROKEN = b'raise RuntimeError("this version does not start")\n'


def register_broken(platform: Platform, like: Version) -> Version:
    """Register another version of the evidence of `like`, signed by the pipeline's own function."""
    package = platform.client("sagemaker").describe_model_package(ModelPackageName=like.arn)
    [container] = package["InferenceSpecification"]["Containers"]
    archive = _broken(_read(platform, container["ModelDataUrl"]))
    artifact_uri = container["ModelDataUrl"].replace("/model.tar.gz", "-broken/model.tar.gz")
    _write(platform, artifact_uri, archive)
    evidence_uri = f"{like.evidence_uri}-broken"
    facts = dict(package["CustomerMetadataProperties"])
    facts |= {"evidence_uri": evidence_uri, "artifact_sha256": hashlib.sha256(archive).hexdigest()}
    _copy_evidence(platform, like.evidence_uri, evidence_uri, archive)
    told = {"evidence_uri": evidence_uri, "artifact_uri": artifact_uri, "execution": facts["pipeline_execution"]}
    told |= {name: facts[name] for name in ("commit", "dataset_hash", "artifact_sha256")}
    told |= {"image": container["Image"], "environment_sha256": sha256_of(container["Environment"])}
    facts["evidence_sha256"] = invoke(platform, _signer(platform), told)["bundle_sha256"]
    specification = {
        **package["InferenceSpecification"],
        "Containers": [{**_requested(container), "ModelDataUrl": artifact_uri}],
    }
    made = platform.client("sagemaker").create_model_package(
        ModelPackageGroupName=package["ModelPackageGroupName"],
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification=specification,
        CustomerMetadataProperties=facts,
    )
    return describe(platform, made["ModelPackageArn"])


def _requested(container: dict[str, Any]) -> dict[str, Any]:
    """What a request may say of a container; the registry adds what it found out."""
    return {name: container[name] for name in ("Image", "Environment") if name in container}


def _broken(archive: bytes) -> bytes:
    """The same artefact, whose script fails as it is imported."""
    written = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(archive)) as content,
        tarfile.open(fileobj=written, mode="w:gz") as changed,
    ):
        for member in content:
            if not member.isfile():
                continue
            file = content.extractfile(member)
            data = BROKEN if member.name.removeprefix("./") == SCRIPT else file.read() if file else b""
            member.size = len(data)
            changed.addfile(member, io.BytesIO(data))
    return written.getvalue()


def _members(archive: bytes) -> dict[str, str]:
    with NamedTemporaryFile(suffix=".tar.gz") as file:
        file.write(archive)
        file.flush()
        return members(Path(file.name))


def _copy_evidence(platform: Platform, source: str, target: str, archive: bytes) -> None:
    """All of it, with the gate's and the bundle's word about the new artefact."""
    for entry in listing(platform.connection, f"{source}/"):
        _write(platform, entry.uri.replace(source, target, 1), _read(platform, entry.uri))
    sha256 = hashlib.sha256(archive).hexdigest()
    gate = json.loads(_read(platform, f"{target}/{GATE}")) | {"artifact_sha256": sha256}
    content = json.dumps(gate).encode()
    _write(platform, f"{target}/{GATE}", content)
    bundle = json.loads(_read(platform, f"{target}/{BUNDLE}"))
    bundle |= {"evidence_uri": target, "artifact": {"sha256": sha256, "members": _members(archive)}, "gate": gate}
    bundle["files"][GATE] = hashlib.sha256(content).hexdigest()
    _write(platform, f"{target}/{BUNDLE}", canonical(bundle))


def _signer(platform: Platform) -> str:
    resources = platform.client("cloudformation").describe_stack_resources(StackName=platform.stack_name("training"))
    [name] = [
        resource["PhysicalResourceId"]
        for resource in resources["StackResources"]
        if resource["ResourceType"] == "AWS::Lambda::Function" and "Sign" in resource["LogicalResourceId"]
    ]
    return str(name)


def _read(platform: Platform, uri: str) -> bytes:
    content = read_bytes(platform.connection, uri)
    if content is None:
        raise FileNotFoundError(f"{uri}: the version's own object is not there")
    return content


def _write(platform: Platform, uri: str, content: bytes) -> None:
    bucket, key = split(uri)
    platform.client("s3").put_object(Bucket=bucket, Key=key, Body=content)
