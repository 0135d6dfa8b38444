"""Processing and training jobs, run for real as processes against an in-memory S3."""

import functools
import io
import json
import sys
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from embedded.compute.job import JobResult
from embedded.compute.processing import ProcessingRun
from embedded.compute.training import TrainingRun

AWS = {"AWS_ACCESS_KEY_ID": "embedded", "AWS_SECRET_ACCESS_KEY": "embedded", "AWS_DEFAULT_REGION": "eu-west-1"}


@functools.cache
def client(service: str) -> Any:
    return boto3.client(
        service, region_name="eu-west-1", aws_access_key_id="embedded", aws_secret_access_key="embedded"
    )


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        service = client("s3")
        service.create_bucket(Bucket="zone", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        service.put_object(Bucket="zone", Key="in/rows.csv", Body=b"1,2\n")
        service.put_object(Bucket="zone", Key="in/deep/more.csv", Body=b"3,4\n")
        yield service


def processing_request(program: str, **changes: Any) -> dict[str, Any]:
    return {
        "ProcessingJobName": "job",
        "ProcessingJobArn": "arn:aws:sagemaker:eu-west-1:000000000000:processing-job/job",
        "AppSpecification": {
            "ImageUri": "image",
            "ContainerEntrypoint": ["python3", "-c", program],
            "ContainerArguments": ["--input", "/opt/ml/processing/input", "--output", "/opt/ml/processing/output"],
        },
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
        "ProcessingInputs": [
            {"InputName": "rows", "S3Input": {"S3Uri": "s3://zone/in", "LocalPath": "/opt/ml/processing/input"}}
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {"OutputName": "out", "S3Output": {"S3Uri": "s3://zone/out/", "LocalPath": "/opt/ml/processing/output"}}
            ]
        },
        **changes,
    }


def process(folder: Path, program: str, **changes: Any) -> JobResult:
    request = processing_request(program, **changes)
    return ProcessingRun(request=request, client=client, workdir=folder, environment=AWS).execute()


COPY = """
import pathlib, shutil, sys
source, target = pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[4])
shutil.copytree(source, target, dirs_exist_ok=True)
(target.parent.parent / "output").mkdir(exist_ok=True)
(target.parent.parent / "output" / "message").write_text("Completed: two files")
print("copied")
"""


def test_processing_brings_inputs_and_sends_outputs(s3: Any, tmp_path: Path) -> None:
    result = process(tmp_path, COPY)
    assert (result.status, result.failure_reason, result.exit_code) == ("Completed", None, 0)
    assert result.exit_message == "Completed: two files"
    assert s3.get_object(Bucket="zone", Key="out/rows.csv")["Body"].read() == b"1,2\n"
    assert s3.get_object(Bucket="zone", Key="out/deep/more.csv")["Body"].read() == b"3,4\n"
    assert not (tmp_path / "ml").exists(), "the data of a job that went well is freed"


def test_processing_log_is_in_its_file_and_in_cloudwatch(s3: Any, tmp_path: Path) -> None:
    result = process(tmp_path, COPY)
    assert "copied" in result.log_path.read_text()
    logs = client("logs")
    stream = logs.describe_log_streams(logGroupName="/aws/sagemaker/ProcessingJobs")["logStreams"][0]["logStreamName"]
    events = logs.get_log_events(logGroupName="/aws/sagemaker/ProcessingJobs", logStreamName=stream)["events"]
    assert stream.startswith("job/algo-1-")
    assert [event["message"] for event in events] == ["copied"]


def test_processing_sees_its_configuration_and_nothing_of_the_shell(
    s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/developer")
    monkeypatch.setenv("SECRET_OF_THE_SHELL", "x")
    program = """
import json, os, pathlib
base = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
config = json.loads((base / "config/processingjobconfig.json").read_text())
hosts = json.loads((base / "config/resourceconfig.json").read_text())
print(json.dumps({"env": dict(os.environ), "cwd": os.getcwd(), "base": str(base), "config": config, "hosts": hosts}))
"""
    result = process(
        tmp_path, program, Environment={"DATA": "/opt/ml/processing/input:/opt/mlx", "URI": "s3://b/opt/ml/x"}
    )
    seen = json.loads(result.log_path.read_text())
    assert "PYTHONPATH" not in seen["env"]
    assert "SECRET_OF_THE_SHELL" not in seen["env"]
    assert seen["env"]["AWS_ACCESS_KEY_ID"] == "embedded"
    assert seen["env"]["DATA"] == f"{seen['base']}/processing/input:/opt/mlx"
    assert seen["env"]["URI"] == "s3://b/opt/ml/x"
    assert seen["config"]["ProcessingJobArn"].endswith("processing-job/job")
    assert seen["config"]["ProcessingInputs"][0]["S3Input"]["LocalPath"] == f"{seen['base']}/processing/input"
    assert seen["hosts"]["hosts"] == ["algo-1"]
    assert seen["cwd"] == seen["base"]


def test_processing_failure_is_told_and_sends_nothing(s3: Any, tmp_path: Path) -> None:
    result = process(tmp_path, COPY + "\nprint('no good', file=sys.stderr); sys.exit(3)")
    assert (result.status, result.exit_code) == ("Failed", 3)
    assert result.failure_reason == "AlgorithmError: See job logs for more information, exit code: 3"
    assert result.exit_message == "Completed: two files"
    assert "no good" in result.log_path.read_text()
    assert "Contents" not in s3.list_objects_v2(Bucket="zone", Prefix="out/")


def test_missing_input_fails_before_the_container_starts(s3: Any, tmp_path: Path) -> None:
    inputs = [{"InputName": "rows", "S3Input": {"S3Uri": "s3://zone/none", "LocalPath": "/opt/ml/processing/input"}}]
    result = process(tmp_path, COPY, ProcessingInputs=inputs)
    assert (result.status, result.exit_code) == ("Failed", None)
    assert 'No S3 objects found under S3 URL "s3://zone/none"' in str(result.failure_reason)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"S3DataType": "ManifestFile"}, "S3DataType"),
        ({"S3InputMode": "Pipe"}, "S3InputMode"),
        ({"S3CompressionType": "Gzip"}, "S3CompressionType"),
        ({"LocalPath": "/elsewhere"}, "/opt/ml"),
        ({"LocalPath": "/opt/ml/../../etc"}, "/opt/ml"),
        ({"S3Uri": "https://zone/in"}, "S3 URI"),
    ],
)
def test_processing_refuses_what_it_does_not_do(s3: Any, tmp_path: Path, change: dict[str, str], word: str) -> None:
    source = {"S3Uri": "s3://zone/in", "LocalPath": "/opt/ml/processing/input", **change}
    result = process(tmp_path, COPY, ProcessingInputs=[{"InputName": "rows", "S3Input": source}])
    assert result.status == "Failed"
    assert word in str(result.failure_reason)


def test_processing_over_its_time_is_ended_with_its_children(s3: Any, tmp_path: Path) -> None:
    child = tmp_path / "child"
    program = (
        "import pathlib, subprocess, sys, time\n"
        "process = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"pathlib.Path({str(child)!r}).write_text(str(process.pid))\n"
        "time.sleep(600)"
    )
    result = process(tmp_path / "job", program, StoppingCondition={"MaxRuntimeInSeconds": 2})
    assert result.status == "Failed"
    assert "MaxRuntimeInSeconds of 2 s" in str(result.failure_reason)
    state = Path(f"/proc/{child.read_text()}/stat")
    assert not state.exists() or state.read_text().split()[2] == "Z"


def test_processing_can_be_stopped(s3: Any, tmp_path: Path) -> None:
    started = tmp_path / "started"
    program = f"import pathlib, time; pathlib.Path({str(started)!r}).touch(); time.sleep(600)"
    run = ProcessingRun(request=processing_request(program), client=client, workdir=tmp_path / "job", environment=AWS)
    results: list[JobResult] = []
    thread = threading.Thread(target=lambda: results.append(run.execute()))
    thread.start()
    for _ in range(200):
        if started.exists():
            break
        thread.join(timeout=0.05)
    run.stop()
    thread.join(timeout=30)
    assert results[0].status == "Stopped"


def test_a_job_stopped_before_it_started_never_starts(s3: Any, tmp_path: Path) -> None:
    run = ProcessingRun(request=processing_request(COPY), client=client, workdir=tmp_path, environment=AWS)
    run.stop()
    assert run.execute().status == "Stopped"


def test_a_job_that_is_only_described_leaves_the_folder_of_another_alone(s3: Any, tmp_path: Path) -> None:
    (tmp_path / "ml").mkdir()
    (tmp_path / "ml" / "rows.csv").touch()
    ProcessingRun(request=processing_request(COPY), client=client, workdir=tmp_path, environment=AWS)
    assert (tmp_path / "ml" / "rows.csv").exists()


TRAIN = """
import json, os, pathlib
base = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"])
parameters = json.loads((base / "input/config/hyperparameters.json").read_text())
channels = json.loads((base / "input/config/inputdataconfig.json").read_text())
rows = (base / "input/data/train/rows.csv").read_text()
model = base / "model"
(model / "code").mkdir()
(model / "code" / "inference.py").write_text("x = 1")
(model / "model.json").write_text(json.dumps([parameters, sorted(channels), rows]))
print("[1] validation-auc:0.5"); print("[2] validation-auc:0.75"); print("validation-auc:word")
"""


def train(folder: Path, program: str, name: str = "train-1", **changes: Any) -> JobResult:
    request = {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": "image",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python3", "-c", program],
            "MetricDefinitions": [{"Name": "validation:auc", "Regex": r"validation-auc:(\S+)"}],
        },
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "ContentType": "text/csv",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://zone/in/"}},
            }
        ],
        "HyperParameters": {"eta": "0.1"},
        "OutputDataConfig": {"S3OutputPath": "s3://zone/models"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        **changes,
    }
    return TrainingRun(request=request, client=client, workdir=folder, environment=AWS).execute()


def test_training_leaves_its_model_and_its_last_metrics(s3: Any, tmp_path: Path) -> None:
    result = train(tmp_path, TRAIN)
    assert (result.status, result.secondary_status, result.failure_reason) == ("Completed", "Completed", None)
    assert result.model_artifacts == "s3://zone/models/train-1/output/model.tar.gz"
    archive = s3.get_object(Bucket="zone", Key="models/train-1/output/model.tar.gz")["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(archive)) as content:
        assert content.getnames() == ["code", "code/inference.py", "model.json"]
        model = content.extractfile("model.json")
        assert model is not None
        assert json.loads(model.read()) == [{"eta": "0.1"}, ["train"], "1,2\n"]
    assert [(metric["MetricName"], metric["Value"]) for metric in result.final_metrics] == [("validation:auc", 0.75)]


def test_the_same_model_makes_the_same_archive(s3: Any, tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert train(tmp_path / name, TRAIN, name=name).status == "Completed"
    archives = [
        s3.get_object(Bucket="zone", Key=f"models/{name}/output/model.tar.gz")["Body"].read() for name in ("one", "two")
    ]
    assert archives[0] == archives[1]


def test_training_failure_carries_the_reason_the_script_wrote(s3: Any, tmp_path: Path) -> None:
    program = (
        "import os, pathlib, sys\n"
        "(pathlib.Path(os.environ['SAGEMAKER_BASE_DIR']) / 'output/failure').write_text('the label has one class')\n"
        "sys.exit(1)"
    )
    result = train(tmp_path, program)
    assert result.failure_reason == "AlgorithmError: the label has one class, exit code: 1"
    assert result.model_artifacts is None


def test_training_over_its_time_is_stopped_and_keeps_what_it_had(s3: Any, tmp_path: Path) -> None:
    result = train(tmp_path, TRAIN + "\nimport time; time.sleep(600)", StoppingCondition={"MaxRuntimeInSeconds": 2})
    assert (result.status, result.secondary_status) == ("Stopped", "MaxRuntimeExceeded")
    assert result.model_artifacts is not None


def test_a_built_in_algorithm_is_refused(s3: Any, tmp_path: Path) -> None:
    result = train(tmp_path, TRAIN, AlgorithmSpecification={"TrainingImage": "image", "TrainingInputMode": "File"})
    assert result.status == "Failed"
    assert "ContainerEntrypoint is missing" in str(result.failure_reason)


def test_the_container_runs_this_python(s3: Any, tmp_path: Path) -> None:
    result = process(tmp_path, "import sys; print(sys.executable)")
    assert result.log_path.read_text().strip() == sys.executable


CHECKPOINT = """
import os, pathlib
folder = pathlib.Path(os.environ["SAGEMAKER_BASE_DIR"]) / "checkpoints"
print(sorted(path.name for path in folder.iterdir()))
(folder / "rounds.ubj").write_text("50")
"""


def test_a_training_goes_on_from_the_checkpoints_of_the_one_before(s3: Any, tmp_path: Path) -> None:
    config = {"S3Uri": "s3://zone/checkpoints", "LocalPath": "/opt/ml/checkpoints"}
    s3.put_object(Bucket="zone", Key="checkpoints-of-others/x.ubj", Body=b"0")
    first = train(tmp_path / "one", CHECKPOINT + "raise SystemExit(1)", CheckpointConfig=config)
    second = train(tmp_path / "two", CHECKPOINT, CheckpointConfig=config)
    assert (first.status, second.status) == ("Failed", "Completed")
    assert first.log_path.read_text().splitlines()[0] == "[]"
    assert second.log_path.read_text().splitlines()[0] == "['rounds.ubj']"


def test_without_an_entrypoint_the_module_that_the_image_is_told_is_called(s3: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def main():\n    print('called')\n")
    result = train(
        tmp_path / "job",
        "",
        AlgorithmSpecification={"TrainingImage": "image", "TrainingInputMode": "File"},
        Environment={"SAGEMAKER_TRAINING_MODULE": "mine:main", "PYTHONPATH": str(tmp_path)},
    )
    assert result.status == "Completed"
    assert result.log_path.read_text().strip() == "called"
