"""Jobs and pipelines of embedded AWS behind their API: states, reasons, stops and events."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded.server import EmbeddedAws

BUCKET = "front-jobs"
ROLE = "arn:aws:iam::000000000000:role/any"
CLUSTER = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}


@pytest.fixture(scope="module")
def seen(aws: EmbeddedAws) -> Callable[[str], list[dict[str, Any]]]:
    """All events of the services so far, by detail-type."""
    sqs, events = aws.client("sqs"), aws.client("events")
    queue = sqs.create_queue(QueueName="front-jobs")["QueueUrl"]
    events.put_rule(Name="front-jobs", EventPattern=json.dumps({"source": ["aws.sagemaker", "aws.glue"]}))
    target = {"Id": "queue", "Arn": f"arn:aws:sqs:{aws.region}:000000000000:front-jobs"}
    events.put_targets(Rule="front-jobs", Targets=[target])
    kept: list[dict[str, Any]] = []

    def of(detail_type: str) -> list[dict[str, Any]]:
        while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                kept.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return [event["detail"] for event in kept if event["detail-type"] == detail_type]

    return of


@pytest.fixture(scope="module", autouse=True)
def bucket(aws: EmbeddedAws) -> None:
    settings = {"LocationConstraint": aws.region}
    aws.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=settings)


def start_processing(aws: EmbeddedAws, name: str, script: str) -> Callable[[], dict[str, Any] | None]:
    """Start a processing job; the function it gives describes the job once it has ended."""
    sagemaker = aws.client("sagemaker")
    sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn=ROLE,
        ProcessingResources={"ClusterConfig": CLUSTER},
        AppSpecification={"ImageUri": "any", "ContainerEntrypoint": ["python3", "-c", script]},
        Tags=[{"Key": "purpose", "Value": "test"}],
    )

    def ended() -> dict[str, Any] | None:
        job: dict[str, Any] = sagemaker.describe_processing_job(ProcessingJobName=name)
        return None if job["ProcessingJobStatus"] in ("InProgress", "Stopping") else job

    return ended


def test_a_processing_job_completes_and_says_so(
    aws: EmbeddedAws, seen: Callable[[str], list[dict[str, Any]]], eventually: Callable[..., Any]
) -> None:
    job = eventually(start_processing(aws, "front-completes", "print('hello')"))
    assert job["ProcessingJobStatus"] == "Completed"
    assert job["ProcessingEndTime"] >= job["ProcessingStartTime"] >= job["CreationTime"]
    mine = [d for d in seen("SageMaker Processing Job State Change") if d["ProcessingJobName"] == "front-completes"]
    assert [detail["ProcessingJobStatus"] for detail in mine] == ["InProgress", "Completed"]
    assert mine[1]["Tags"] == {"purpose": "test"}
    assert isinstance(mine[1]["ProcessingEndTime"], int)
    with pytest.raises(ClientError, match="ResourceInUse"):
        start_processing(aws, "front-completes", "")
    listed = aws.client("sagemaker").list_processing_jobs(StatusEquals="Completed", NameContains="front-comp")
    assert [item["ProcessingJobName"] for item in listed["ProcessingJobSummaries"]] == ["front-completes"]


def test_a_job_is_recorded_in_lineage_with_its_image(aws: EmbeddedAws, eventually: Callable[..., Any]) -> None:
    job = eventually(start_processing(aws, "front-recorded", "print('hello')"))
    sagemaker = aws.client("sagemaker")
    [component] = sagemaker.list_trial_components(SourceArn=job["ProcessingJobArn"])["TrialComponentSummaries"]
    described = sagemaker.describe_trial_component(TrialComponentName=component["TrialComponentName"])
    assert described["Source"]["SourceType"] == "SageMakerProcessingJob"
    answer = sagemaker.query_lineage(StartArns=[component["TrialComponentArn"]], Direction="Ascendants")
    assert [(vertex["LineageType"], vertex["Type"]) for vertex in answer["Vertices"]] == [("Artifact", "Image")]


def test_a_failed_job_has_a_reason_and_a_stopped_one_is_stopped(
    aws: EmbeddedAws, eventually: Callable[..., Any]
) -> None:
    failing = start_processing(aws, "front-fails", "raise SystemExit('no rows')")
    stopping = start_processing(aws, "front-stops", "import time; time.sleep(60)")
    aws.client("sagemaker").stop_processing_job(ProcessingJobName="front-stops")
    failed = eventually(failing)
    assert failed["ProcessingJobStatus"] == "Failed"
    assert failed["FailureReason"]
    assert eventually(stopping)["ProcessingJobStatus"] == "Stopped"
    with pytest.raises(ClientError, match="Stopped"):
        aws.client("sagemaker").stop_processing_job(ProcessingJobName="front-stops")
    with pytest.raises(ClientError, match="ResourceNotFound"):
        aws.client("sagemaker").describe_processing_job(ProcessingJobName="front-none")


def test_a_pipeline_that_cannot_run_is_refused_where_it_is_written(aws: EmbeddedAws) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        aws.client("sagemaker").create_pipeline(
            PipelineName="front-faulty",
            RoleArn=ROLE,
            PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": [{"Name": "A", "Type": "Dream"}]}),
        )


def test_an_execution_runs_its_steps_and_tells_of_them(
    aws: EmbeddedAws, seen: Callable[[str], list[dict[str, Any]]], eventually: Callable[..., Any]
) -> None:
    sagemaker = aws.client("sagemaker")
    greet = {
        "Name": "Greet",
        "Type": "Processing",
        "Arguments": {
            "ProcessingResources": {"ClusterConfig": CLUSTER},
            "AppSpecification": {
                "ImageUri": "any",
                "ContainerEntrypoint": ["python3", "-c", "print('hello')"],
                "ContainerArguments": [{"Get": "Parameters.Word"}],
            },
            "RoleArn": ROLE,
        },
    }
    refuse = {
        "Name": "Refuse",
        "Type": "Fail",
        "DependsOn": ["Greet"],
        "Arguments": {"ErrorMessage": {"Get": "Parameters.Word"}},
    }
    definition = {
        "Version": "2020-12-01",
        "Parameters": [{"Name": "Word", "Type": "String", "DefaultValue": "none"}],
        "Steps": [greet, refuse],
    }
    arn = sagemaker.create_pipeline(PipelineName="front-runs", RoleArn=ROLE, PipelineDefinition=json.dumps(definition))[
        "PipelineArn"
    ]
    parameters = [{"Name": "Word", "Value": "enough"}]
    execution = sagemaker.start_pipeline_execution(PipelineName="front-runs", PipelineParameters=parameters)[
        "PipelineExecutionArn"
    ]
    assert execution.startswith(f"{arn}/execution/")

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
        return None if found["PipelineExecutionStatus"] == "Executing" else found

    assert eventually(ended)["PipelineExecutionStatus"] == "Failed"
    steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=execution, SortOrder="Ascending")
    named = {step["StepName"]: step for step in steps["PipelineExecutionSteps"]}
    assert named["Greet"]["StepStatus"] == "Succeeded"
    assert ":processing-job/" in named["Greet"]["Metadata"]["ProcessingJob"]["Arn"]
    assert named["Refuse"]["Metadata"]["Fail"]["ErrorMessage"] == "enough"
    given = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=execution)
    assert given["PipelineParameters"] == parameters
    [summary] = sagemaker.list_pipeline_executions(PipelineName="front-runs")["PipelineExecutionSummaries"]
    assert summary["PipelineExecutionStatus"] == "Failed"
    assert summary["StartTime"]

    changes = seen("SageMaker Model Building Pipeline Execution Status Change")
    mine = [detail for detail in changes if detail["pipelineExecutionArn"] == execution]
    assert [detail["currentPipelineExecutionStatus"] for detail in mine] == ["Executing", "Failed"]
    told = seen("SageMaker Model Building Pipeline Execution Step Status Change")
    greeted = [d for d in told if d["pipelineExecutionArn"] == execution and d["stepName"] == "Greet"]
    assert greeted[-1]["currentStepStatus"] == "Succeeded"
    assert ":processing-job/" in greeted[-1]["metadata"]["processingJob"]["arn"]


def test_a_glue_job_run_runs_its_script(
    aws: EmbeddedAws, seen: Callable[[str], list[dict[str, Any]]], eventually: Callable[..., Any]
) -> None:
    glue = aws.client("glue")
    script = """
import sys, time
word = sys.argv[sys.argv.index("--word") + 1]
time.sleep(0.5)
assert word == "good", word
"""
    aws.client("s3").put_object(Bucket=BUCKET, Key="job.py", Body=script.encode())
    command = {"Name": "glueetl", "ScriptLocation": f"s3://{BUCKET}/job.py", "PythonVersion": "3"}
    glue.create_job(
        Name="front-etl", Role=ROLE, Command=command, GlueVersion="5.0", DefaultArguments={"--word": "good"}
    )

    def run(**arguments: str) -> dict[str, Any]:
        given = {f"--{name}": value for name, value in arguments.items()}
        run_id = glue.start_job_run(JobName="front-etl", Arguments=given)["JobRunId"]
        with pytest.raises(ClientError, match="ConcurrentRunsExceededException"):
            glue.start_job_run(JobName="front-etl")

        def ended() -> dict[str, Any] | None:
            found: dict[str, Any] = glue.get_job_run(JobName="front-etl", RunId=run_id)["JobRun"]
            return None if found["JobRunState"] in ("STARTING", "RUNNING") else found

        found: dict[str, Any] = eventually(ended)
        return found

    assert run()["JobRunState"] == "SUCCEEDED"
    failed = run(word="bad")
    assert failed["JobRunState"] == "FAILED"
    assert "bad" in failed["ErrorMessage"]
    told = [d for d in seen("Glue Job State Change") if d["jobName"] == "front-etl"]
    assert [detail["state"] for detail in told] == ["SUCCEEDED", "FAILED"]
    assert told[1]["severity"] == "ERROR"
    assert [item["JobRunState"] for item in glue.get_job_runs(JobName="front-etl")["JobRuns"]] == [
        "FAILED",
        "SUCCEEDED",
    ]
