"""The arguments of the jobs that a pipeline starts: CreateProcessingJob and CreateTrainingJob, typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from baton.training.references import Value

PROCESSING_INPUT = "/opt/ml/processing/input"
PROCESSING_OUTPUT = "/opt/ml/processing/output"
CHECKPOINTS = "/opt/ml/checkpoints"


@dataclass(frozen=True, kw_only=True)
class Network:
    """Where a job's container runs: in the platform's private subnets, with its traffic encrypted.

    `isolated` also takes the container's own network away; SageMaker still brings its inputs and takes its outputs.
    """

    subnet_ids: tuple[str, ...]
    security_group_ids: tuple[str, ...]
    isolated: bool

    def vpc_config(self) -> dict[str, Any]:
        """The VpcConfig of a CreateTrainingJob or CreateModel request."""
        return {"SecurityGroupIds": list(self.security_group_ids), "Subnets": list(self.subnet_ids)}


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What a job runs on. The volume is encrypted with `volume_key_arn`."""

    instance_type: str
    volume_key_arn: str
    instance_count: int = 1
    volume_size_gib: int = 30

    def render(self) -> dict[str, Any]:
        """The ClusterConfig or ResourceConfig of a request."""
        return {
            "InstanceType": self.instance_type,
            "InstanceCount": self.instance_count,
            "VolumeSizeInGB": self.volume_size_gib,
            "VolumeKmsKeyId": self.volume_key_arn,
        }


@dataclass(frozen=True, kw_only=True)
class JobInput:
    """Something in S3 that a processing container finds under `local_path`."""

    name: str
    s3_uri: Value
    local_path: str

    def render(self) -> dict[str, Any]:
        """One of the ProcessingInputs of a request."""
        return {
            "InputName": self.name,
            "S3Input": {
                "S3Uri": self.s3_uri,
                "LocalPath": self.local_path,
                "S3DataType": "S3Prefix",
                "S3InputMode": "File",
                "S3DataDistributionType": "FullyReplicated",
                "S3CompressionType": "None",
            },
        }


@dataclass(frozen=True, kw_only=True)
class JobOutput:
    """A folder of a processing container that is uploaded when the job ends."""

    name: str
    s3_uri: Value
    local_path: str

    def render(self) -> dict[str, Any]:
        """One of the Outputs of a request."""
        return {
            "OutputName": self.name,
            "S3Output": {"S3Uri": self.s3_uri, "LocalPath": self.local_path, "S3UploadMode": "EndOfJob"},
        }


@dataclass(frozen=True, kw_only=True)
class ProcessingJob:
    """A container that reads inputs and writes outputs."""

    image: str
    role_arn: str
    machine: Machine
    network: Network
    output_key_arn: str
    max_runtime_seconds: int
    inputs: tuple[JobInput, ...]
    outputs: tuple[JobOutput, ...]
    entrypoint: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, Value] = field(default_factory=dict)

    def render(self) -> dict[str, Any]:
        """The CreateProcessingJob request, without the name: SageMaker Pipelines chooses one for each execution."""
        specification: dict[str, Any] = {"ImageUri": self.image}
        if self.entrypoint:
            specification["ContainerEntrypoint"] = list(self.entrypoint)
        if self.arguments:
            specification["ContainerArguments"] = list(self.arguments)
        return {
            "RoleArn": self.role_arn,
            "AppSpecification": specification,
            "Environment": dict(self.environment),
            "ProcessingInputs": [job_input.render() for job_input in self.inputs],
            "ProcessingOutputConfig": {
                "KmsKeyId": self.output_key_arn,
                "Outputs": [output.render() for output in self.outputs],
            },
            "ProcessingResources": {"ClusterConfig": self.machine.render()},
            "StoppingCondition": {"MaxRuntimeInSeconds": self.max_runtime_seconds},
            "NetworkConfig": {
                "EnableInterContainerTrafficEncryption": True,
                "EnableNetworkIsolation": self.network.isolated,
                "VpcConfig": self.network.vpc_config(),
            },
        }


@dataclass(frozen=True, kw_only=True)
class Spot:
    """Spare machines, for a training that waits and runs for `max_wait_seconds` at most.

    What the container leaves in its checkpoint folder lies under `checkpoints_s3_uri`, encrypted as the bucket says,
    and is back in the folder on the next machine.
    """

    max_wait_seconds: int
    checkpoints_s3_uri: Value


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """A container that reads channels and leaves a model artefact, on spare machines if `spot` says so."""

    image: str
    role_arn: str
    machine: Machine
    network: Network
    output_s3_uri: Value
    output_key_arn: str
    max_runtime_seconds: int
    entrypoint: tuple[str, ...]
    channels: Mapping[str, Value]
    environment: Mapping[str, Value]
    hyperparameters: Mapping[str, str]
    spot: Spot | None = None

    def render(self) -> dict[str, Any]:
        """The CreateTrainingJob request, without the name: SageMaker Pipelines chooses one for each execution."""
        return {
            "RoleArn": self.role_arn,
            "AlgorithmSpecification": {
                "TrainingImage": self.image,
                "TrainingInputMode": "File",
                "ContainerEntrypoint": list(self.entrypoint),
            },
            "Environment": dict(self.environment),
            "HyperParameters": dict(self.hyperparameters),
            "InputDataConfig": [_channel(name, s3_uri) for name, s3_uri in self.channels.items()],
            "OutputDataConfig": {
                "S3OutputPath": self.output_s3_uri,
                "KmsKeyId": self.output_key_arn,
                "CompressionType": "GZIP",
            },
            "ResourceConfig": self.machine.render(),
            "StoppingCondition": self._stopping_condition(),
            "VpcConfig": self.network.vpc_config(),
            "EnableNetworkIsolation": self.network.isolated,
            "EnableInterContainerTrafficEncryption": True,
            **self._spot(),
        }

    def _stopping_condition(self) -> dict[str, int]:
        wait = {"MaxWaitTimeInSeconds": self.spot.max_wait_seconds} if self.spot else {}
        return {"MaxRuntimeInSeconds": self.max_runtime_seconds, **wait}

    def _spot(self) -> dict[str, Any]:
        if self.spot is None:
            return {}
        checkpoints = {"S3Uri": self.spot.checkpoints_s3_uri, "LocalPath": CHECKPOINTS}
        return {"EnableManagedSpotTraining": True, "CheckpointConfig": checkpoints}


def _channel(name: str, s3_uri: Value) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": s3_uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "InputMode": "File", "DataSource": {"S3DataSource": source}}
