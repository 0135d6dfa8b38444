"""What all jobs of one model's pipeline have in common, and how they start a script of ours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from baton.training.jobs import (
    PROCESSING_INPUT,
    PROCESSING_OUTPUT,
    JobInput,
    JobOutput,
    Machine,
    Network,
    ProcessingJob,
)
from baton.training.references import ExecutionVariable, Join, Value
from baton.training.steps import ProcessingStep, PropertyFile, Retry

EXECUTION_ID = ExecutionVariable("PipelineExecutionId")

# A throttled call comes back at once; missing capacity may take the better part of an hour.
SERVICE_RETRY = Retry(
    exceptions=("Step.SERVICE_FAULT", "Step.THROTTLING"), interval_seconds=10, backoff=2.0, attempts=5
)
JOB_RETRY = Retry(
    exceptions=("SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT"),
    interval_seconds=60,
    backoff=2.0,
    attempts=5,
)

# Long enough for the reruns of one change, short enough that what is reused was made by this month's containers.
CACHED_FOR = "P7D"


@dataclass(frozen=True, kw_only=True)
class Code:
    """The scripts and wheels that travel with every job. `file` is the name of the code zip inside a container."""

    s3_uri: str
    file: str
    wheels_s3_uri: str

    def inputs(self) -> tuple[JobInput, ...]:
        """How a processing job gets them."""
        return (
            JobInput(name="code", s3_uri=self.s3_uri, local_path=f"{PROCESSING_INPUT}/code"),
            JobInput(name="wheels", s3_uri=self.wheels_s3_uri, local_path=f"{PROCESSING_INPUT}/wheels"),
        )

    def environment(self, base: str) -> dict[str, str]:
        """How a container finds them under `base`."""
        return {"PYTHONPATH": f"{base}/code/{self.file}", "BATON_WHEELS": f"{base}/wheels"}


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """Where one model's jobs run, as whom, and where in S3 they leave what they make.

    `features_uri`, `models_uri` and `evidence_uri` are the model's prefixes; every execution gets a folder in each.
    """

    image: str
    job_role_arn: str
    subnet_ids: Sequence[str]
    security_group_ids: Sequence[str]
    data_key_arn: str
    models_key_arn: str
    code: Code
    features_uri: str
    models_uri: str
    evidence_uri: str
    group_name: str
    instance_type: str
    max_runtime_seconds: int

    def network(self, *, isolated: bool = True) -> Network:
        """The private subnets, with or without a network for the container itself."""
        return Network(
            subnet_ids=tuple(self.subnet_ids), security_group_ids=tuple(self.security_group_ids), isolated=isolated
        )

    def machine(self, *, purpose: Literal["data", "models"]) -> Machine:
        """What the jobs run on; the purpose chooses the key of the volume."""
        key = self.data_key_arn if purpose == "data" else self.models_key_arn
        return Machine(instance_type=self.instance_type, volume_key_arn=key)

    def features(self, name: str) -> Join:
        """A folder for prepared data of this execution."""
        return Join("/", (self.features_uri, EXECUTION_ID, name))

    def evidence(self, *names: str) -> Join:
        """A folder for the evidence of this execution; without a name, the prefix of all of it."""
        return Join("/", (self.evidence_uri, EXECUTION_ID, *names))

    def script(
        self,
        name: str,
        script: str,
        *,
        reads: Mapping[str, Value],
        writes: Mapping[str, Value],
        purpose: Literal["data", "models"] = "models",
        property_files: tuple[PropertyFile, ...] = (),
        depends_on: tuple[str, ...] = (),
        cache_for: str | None = None,
        facts: Mapping[str, Value] | None = None,
    ) -> ProcessingStep:
        """A step that runs `pipeline_scripts.<script>` with one argument, a folder, for all it reads and writes.

        The container has no network: SageMaker brings the inputs and takes the outputs. What no file tells it, it
        finds in its environment, as `facts` names it.
        """
        inputs = [JobInput(name=key, s3_uri=uri, local_path=f"{PROCESSING_INPUT}/{key}") for key, uri in reads.items()]
        outputs = [
            JobOutput(name=key, s3_uri=uri, local_path=f"{PROCESSING_OUTPUT}/{key}") for key, uri in writes.items()
        ]
        folders = {
            **{item.name: item.local_path for item in inputs},
            **{item.name: item.local_path for item in outputs},
        }
        arguments = [part for argument, path in folders.items() for part in (f"--{argument}", path)]
        job = ProcessingJob(
            image=self.image,
            role_arn=self.job_role_arn,
            machine=self.machine(purpose=purpose),
            network=self.network(),
            output_key_arn=self.data_key_arn if purpose == "data" else self.models_key_arn,
            max_runtime_seconds=self.max_runtime_seconds,
            entrypoint=("python3", "-m", "pipeline_scripts", script, *arguments),
            environment={**self.code.environment(PROCESSING_INPUT), **(facts or {})},
            inputs=(*inputs, *self.code.inputs()),
            outputs=tuple(outputs),
        )
        return ProcessingStep(
            name=name,
            job=job,
            property_files=property_files,
            depends_on=depends_on,
            retries=(SERVICE_RETRY, JOB_RETRY),
            cache_for=cache_for,
        )


def file_in(folder: Value, name: str) -> Join:
    """A file in a folder whose place is only known during an execution."""
    return Join("/", (folder, name))
