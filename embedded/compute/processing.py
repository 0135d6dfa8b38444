"""A SageMaker processing job as a process."""

import json
from collections.abc import Mapping
from typing import Any

from embedded.compute.container_job import ContainerJob, ContainerSpec, Verdict, runtime_limit
from embedded.compute.container_process import ProcessEnd
from embedded.compute.job import JobRefused, absent, only
from embedded.compute.object_store import download, upload_folder

_CONFIGURATION = (
    "ProcessingJobArn", "ProcessingJobName", "AppSpecification", "Environment", "ProcessingInputs",
    "ProcessingOutputConfig", "ProcessingResources", "NetworkConfig", "RoleArn", "StoppingCondition",
)  # fmt: skip


class ProcessingRun(ContainerJob):
    """Runs what CreateProcessingJob asks for."""

    def _spec(self) -> ContainerSpec:
        application = self._request["AppSpecification"]
        return ContainerSpec(
            name=self._request["ProcessingJobName"],
            log_group="/aws/sagemaker/ProcessingJobs",
            entrypoint=application.get("ContainerEntrypoint", ()),
            arguments=application.get("ContainerArguments", ()),
            environment=self._request.get("Environment", {}),
            limit_s=runtime_limit(self._request),
        )

    def _load(self, s3: Any) -> None:
        cluster = self._request["ProcessingResources"]["ClusterConfig"]
        only(cluster, "InstanceCount", 1, default=1, where="ClusterConfig")
        for output in self._outputs():
            self._opt_ml.folder(output["S3Output"]["LocalPath"])
        self._write_configuration()
        for given in self._request.get("ProcessingInputs", ()):
            self._load_input(s3, given)

    def _load_input(self, s3: Any, given: Mapping[str, Any]) -> None:
        where = f"ProcessingInput {given['InputName']!r}"
        absent(given, "DatasetDefinition", "AppManaged", where=where)
        source = given.get("S3Input")
        if not source:
            raise JobRefused(f"ClientError: {where} has no S3Input")
        only(source, "S3DataType", "S3Prefix", default="S3Prefix", where=where)
        only(source, "S3InputMode", "File", default="File", where=where)
        only(source, "S3CompressionType", "None", default="None", where=where)
        download(s3, uri=source["S3Uri"], folder=self._opt_ml.folder(source["LocalPath"]))

    def _outputs(self) -> list[Mapping[str, Any]]:
        outputs: list[Mapping[str, Any]] = list(self._request.get("ProcessingOutputConfig", {}).get("Outputs", ()))
        for output in outputs:
            where = f"ProcessingOutput {output['OutputName']!r}"
            absent(output, "FeatureStoreOutput", "AppManaged", where=where)
            if not output.get("S3Output"):
                raise JobRefused(f"ClientError: {where} has no S3Output")
            only(output["S3Output"], "S3UploadMode", "EndOfJob", default="EndOfJob", where=where)
        return outputs

    def _write_configuration(self) -> None:
        folder = self._opt_ml.folder("/opt/ml/config")
        cluster = self._request["ProcessingResources"]["ClusterConfig"]
        job = self._opt_ml.rewrite_all({key: self._request[key] for key in _CONFIGURATION if key in self._request})
        (folder / "processingjobconfig.json").write_text(json.dumps(job), encoding="utf-8")
        resources = {
            "current_host": "algo-1",
            "current_instance_type": cluster["InstanceType"],
            "hosts": ["algo-1"],
            "network_interface_name": "eth0",
        }
        (folder / "resourceconfig.json").write_text(json.dumps(resources), encoding="utf-8")

    def _judge(self, end: ProcessEnd) -> Verdict:
        if end.stopped:
            return Verdict(status="Stopped", secondary_status="Stopped")
        if end.timed_out:
            limit = runtime_limit(self._request)
            reason = f"ClientError: The job ran longer than its MaxRuntimeInSeconds of {limit} s and was ended"
        elif end.exit_code:
            reason = f"AlgorithmError: See job logs for more information, exit code: {end.exit_code}"
        else:
            return Verdict(status="Completed", secondary_status="Completed")
        return Verdict(status="Failed", secondary_status="Failed", failure_reason=reason)

    def _save(self, s3: Any, verdict: Verdict) -> dict[str, Any]:
        if verdict.status == "Completed":
            key = self._request.get("ProcessingOutputConfig", {}).get("KmsKeyId")
            for output in self._outputs():
                target = output["S3Output"]
                folder = self._opt_ml.folder(target["LocalPath"])
                upload_folder(s3, folder=folder, uri=target["S3Uri"], kms_key=key)
        return {}
