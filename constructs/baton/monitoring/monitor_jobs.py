"""What the monitors of one model have in common: whom they run as, where they read, and where they report."""

from typing import Any

from constructs import Construct

from baton.foundation.container_role import ContainerRole
from baton.foundation.images import Images
from baton.foundation.runtime_code import JobCode
from baton.monitoring.plan import MonitorPlan
from baton.platform import Platform
from baton.specification.model import ModelSpecification
from baton.training.jobs import PROCESSING_INPUT, PROCESSING_OUTPUT, JobInput, Machine, Network, ProcessingJob
from baton.training.workplace import Code

MAX_RUNTIME_SECONDS = 1800
"""Half of the shortest interval: Model Monitor merges labels in the same hour, and an open job should not overlap."""


class MonitorJobs(Construct):
    """The role of a model's monitor jobs, and the places they know.

    Args:
        platform: Keys, zones and network.
        specification: The model.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, platform: Platform, specification: ModelSpecification
    ) -> None:
        super().__init__(scope, construct_id)
        self.platform = platform
        self.specification = specification
        self.images = platform.images
        self.container = ContainerRole(
            self,
            "Role",
            description=f"Runs the monitors of {specification.name}",
            network=platform.network,
            images=_images_of(platform, self.images),
            log_group_prefix="/aws/sagemaker/ProcessingJobs",
        )
        self.role = self.container.role
        monitoring = f"s3://{platform.zones.monitoring.bucket_name}/{specification.name}"
        self.capture_uri = f"{monitoring}/capture"
        self.ground_truth_uri = f"{monitoring}/ground-truth"
        self._reports_uri = f"{monitoring}/reports"
        self._grant_data()

    def report_uri(self, plan: MonitorPlan) -> str:
        """Where the reports of a monitor gather."""
        return f"{self._reports_uri}/{plan.name}"

    def machine(self) -> Machine:
        """What a monitor runs on."""
        return Machine(
            instance_type=self.specification.monitoring.instance_type,
            volume_key_arn=self.platform.keys.data.key_arn,
        )

    def network(self, *, isolated: bool = True) -> Network:
        """The private subnets, with or without a network for the container itself."""
        network = self.platform.network
        return Network(
            subnet_ids=tuple(network.subnet_ids),
            security_group_ids=tuple(network.security_group_ids),
            isolated=isolated,
        )

    def _grant_data(self) -> None:
        files = self.platform.version_files
        zones, keys, prefix = self.platform.zones, self.platform.keys, f"{self.specification.name}/"
        for folder in ("capture/", "ground-truth/"):
            self.container.grant_read(zones.monitoring, f"{prefix}{folder}", keys.data)
        for bucket in (files.evidence, files.models):
            self.container.grant_read(bucket, prefix, files.key)
        self.container.grant_write(zones.monitoring, f"{prefix}reports/", keys.data)
        self.container.grant_volumes(keys.data)


class OpenMonitorJob(Construct):
    """A monitor of the `open` backend: one of our scripts, as an ordinary processing job.

    Args:
        jobs: What it has in common with the other monitors.
    """

    def __init__(self, scope: Construct, construct_id: str, *, jobs: MonitorJobs) -> None:
        super().__init__(scope, construct_id)
        self._jobs = jobs
        code = JobCode(self, "Code", model=jobs.specification, source=jobs.platform.source, wheels=jobs.platform.wheels)
        code.grant_read(jobs.role)
        self._code = Code(s3_uri=code.code.s3_object_url, file=code.code_file, wheels_s3_uri=code.wheels.s3_object_url)

    def skeleton(self, plan: MonitorPlan, *, endpoint_name: str, evidence_uri: str) -> dict[str, Any]:
        """The CreateProcessingJob request, but for what only the moment knows: name, window, data and output."""
        folders = {"capture": "capture", "baseline": "baseline"}
        if plan.needs_labels:
            folders["ground-truth"] = "ground-truth"
        if plan.needs_model:
            folders["model"] = "model"
        arguments = [part for name, folder in folders.items() for part in (f"--{name}", f"{PROCESSING_INPUT}/{folder}")]
        baseline = JobInput(name="baseline", s3_uri=evidence_uri, local_path=f"{PROCESSING_INPUT}/baseline")
        job = ProcessingJob(
            image=self._jobs.images.xgboost,
            role_arn=self._jobs.role.role_arn,
            machine=self._jobs.machine(),
            network=self._jobs.network(),
            output_key_arn=self._jobs.platform.keys.data.key_arn,
            max_runtime_seconds=MAX_RUNTIME_SECONDS,
            inputs=(*self._code.inputs(), baseline),
            outputs=(),
            entrypoint=(
                "python3",
                "-m",
                "pipeline_scripts",
                f"monitoring.{plan.name}",
                *arguments,
                "--output",
                PROCESSING_OUTPUT,
            ),
            environment={
                **self._code.environment(PROCESSING_INPUT),
                "BATON_ENDPOINT": endpoint_name,
                "BATON_SCHEDULE": plan.schedule_name(endpoint_name),
            },
        )
        return job.render()


def _images_of(platform: Platform, images: Images) -> list[str]:
    if platform.analysis_backend == "open":
        return [images.xgboost]
    if images.managed is None:
        raise ValueError(
            f"{platform.region} does not offer Model Monitor and Clarify; set analysis_backend to open in "
            f"config/environments/{platform.environment_name}.yaml"
        )
    return [images.managed.model_monitor, images.managed.clarify]
