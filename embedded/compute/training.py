"""A SageMaker training job as a process."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from embedded.compute.container_job import ContainerJob, ContainerSpec, Verdict, runtime_limit
from embedded.compute.container_process import ProcessEnd
from embedded.compute.job import REASON_LENGTH, ClientFactory, Environment, JobRefused, absent, now, only
from embedded.compute.model_archive import pack
from embedded.compute.object_store import download, fetch, upload_file, upload_folder

_CALL = "import importlib, sys; getattr(importlib.import_module(sys.argv[1]), sys.argv[2])()"


class TrainingRun(ContainerJob):
    """Runs what CreateTrainingJob asks for."""

    def __init__(
        self, *, request: Mapping[str, Any], client: ClientFactory, workdir: Path, environment: Environment
    ) -> None:
        super().__init__(request=request, client=client, workdir=workdir, environment=environment)
        self._name: str = request["TrainingJobName"]
        self._algorithm: Mapping[str, Any] = request["AlgorithmSpecification"]
        definitions = self._algorithm.get("MetricDefinitions", ())
        self._patterns = [(entry["Name"], re.compile(entry["Regex"])) for entry in definitions]
        self._metrics: dict[str, dict[str, Any]] = {}
        self._watch = self._find_metrics

    def _spec(self) -> ContainerSpec:
        return ContainerSpec(
            name=self._name,
            log_group="/aws/sagemaker/TrainingJobs",
            entrypoint=self._entrypoint(),
            arguments=self._algorithm.get("ContainerArguments", ()),
            environment={
                "TRAINING_JOB_NAME": self._name,
                "TRAINING_JOB_ARN": self._request.get("TrainingJobArn", ""),
                **self._request.get("Environment", {}),
            },
            limit_s=runtime_limit(self._request),
        )

    def _entrypoint(self) -> Sequence[str]:
        """The job's own; without it what the program of AWS's framework images does: call the module it is told."""
        own: Sequence[str] = self._algorithm.get("ContainerEntrypoint", ())
        module, _, function = self._request.get("Environment", {}).get("SAGEMAKER_TRAINING_MODULE", "").partition(":")
        if own or not function:
            return own
        return ("python3", "-c", _CALL, module, function)

    def _load(self, s3: Any) -> None:
        where = f"training job {self._name!r}"
        only(self._algorithm, "TrainingInputMode", "File", default="File", where=where)
        only(self._request["ResourceConfig"], "InstanceCount", 1, default=1, where=where)
        only(self._request["OutputDataConfig"], "CompressionType", "GZIP", default="GZIP", where=where)
        absent(self._request, "TensorBoardOutputConfig", where=where)
        self._opt_ml.folder("/opt/ml/model")
        self._opt_ml.folder("/opt/ml/output/data")
        self._write_configuration()
        self._load_checkpoints(s3)
        for channel in self._request.get("InputDataConfig", ()):
            self._load_channel(s3, channel)

    def _load_checkpoints(self, s3: Any) -> None:
        """Every training may go on from what lies in its checkpoint folder, also from what another one left there."""
        folder = self._checkpoints()
        if folder is not None:
            fetch(s3, uri=f"{self._request['CheckpointConfig']['S3Uri'].rstrip('/')}/", folder=folder)

    def _checkpoints(self) -> Path | None:
        config = self._request.get("CheckpointConfig")
        return self._opt_ml.folder(config.get("LocalPath", "/opt/ml/checkpoints")) if config else None

    def _load_channel(self, s3: Any, channel: Mapping[str, Any]) -> None:
        name = channel["ChannelName"]
        where = f"channel {name!r}"
        only(channel, "InputMode", "File", default="File", where=where)
        only(channel, "CompressionType", "None", default="None", where=where)
        only(channel, "RecordWrapperType", "None", default="None", where=where)
        source = channel["DataSource"].get("S3DataSource")
        if not source:
            raise JobRefused(f"ClientError: {where} has no S3DataSource; embedded AWS reads S3 only")
        only(source, "S3DataType", "S3Prefix", default="S3Prefix", where=where)
        download(s3, uri=source["S3Uri"], folder=self._opt_ml.folder(f"/opt/ml/input/data/{name}"))

    def _write_configuration(self) -> None:
        folder = self._opt_ml.folder("/opt/ml/input/config")
        instance = self._request["ResourceConfig"].get("InstanceType", "")
        channels = {
            channel["ChannelName"]: {
                "TrainingInputMode": "File",
                "S3DistributionType": channel["DataSource"]
                .get("S3DataSource", {})
                .get("S3DataDistributionType", "FullyReplicated"),
                "RecordWrapperType": "None",
                **({"ContentType": channel["ContentType"]} if "ContentType" in channel else {}),
            }
            for channel in self._request.get("InputDataConfig", ())
        }
        for name, content in {
            "hyperparameters": self._opt_ml.rewrite_all(self._request.get("HyperParameters", {})),
            "inputdataconfig": channels,
            "resourceconfig": {
                "current_host": "algo-1",
                "current_instance_type": instance,
                "current_group_name": "homogeneousCluster",
                "hosts": ["algo-1"],
                "instance_groups": [
                    {"instance_group_name": "homogeneousCluster", "instance_type": instance, "hosts": ["algo-1"]}
                ],
                "network_interface_name": "eth0",
            },
        }.items():
            (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")

    def _find_metrics(self, line: str) -> None:
        for name, pattern in self._patterns:
            found = pattern.search(line)
            if found and pattern.groups:
                try:
                    value = float(found.group(1))
                except ValueError:
                    continue  # SageMaker, too, passes over what is no number
                self._metrics[name] = {"MetricName": name, "Value": value, "Timestamp": now()}

    def _judge(self, end: ProcessEnd) -> Verdict:
        if end.stopped:
            return Verdict(status="Stopped", secondary_status="Stopped")
        if end.timed_out:
            return Verdict(status="Stopped", secondary_status="MaxRuntimeExceeded")
        if end.exit_code:
            written = self._opt_ml.text("failure") or "See job logs for more information"
            reason = f"AlgorithmError: {written}"[: REASON_LENGTH - 20] + f", exit code: {end.exit_code}"
            return Verdict(status="Failed", secondary_status="Failed", failure_reason=reason)
        return Verdict(status="Completed", secondary_status="Completed")

    def _save(self, s3: Any, verdict: Verdict) -> dict[str, Any]:
        checkpoints = self._checkpoints()
        if checkpoints is not None:
            upload_folder(s3, folder=checkpoints, uri=self._request["CheckpointConfig"]["S3Uri"], kms_key=None)
        data = self._opt_ml.folder("/opt/ml/output/data")
        if any(data.iterdir()):
            self._upload_archive(s3, folder=data, name="output.tar.gz")
        metrics = tuple(self._metrics.values())
        model = self._opt_ml.folder("/opt/ml/model")
        # A job that was stopped keeps the model it had by then, as on SageMaker.
        kept = verdict.status == "Completed" or (verdict.status == "Stopped" and any(model.iterdir()))
        uri = self._upload_archive(s3, folder=model, name="model.tar.gz") if kept else None
        return {"model_artifacts": uri, "final_metrics": metrics}

    def _upload_archive(self, s3: Any, *, folder: Path, name: str) -> str:
        output = self._request["OutputDataConfig"]
        uri = f"{output['S3OutputPath'].rstrip('/')}/{self._name}/output/{name}"
        archive = self._opt_ml.scratch / name
        pack(folder=folder, archive=archive)
        upload_file(s3, path=archive, uri=uri, kms_key=output.get("KmsKeyId"))
        return uri
