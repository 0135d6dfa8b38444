"""The interpreter of pipeline definitions, against a SageMaker API that lives in memory."""

import json
import threading
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded.compute.pipeline import DefinitionError, PipelineResult, PipelineRun, StepState
from embedded.compute.pipeline_values import follow

EXECUTION = "arn:aws:sagemaker:eu-west-1:000000000000:pipeline/p/execution/abc123def456"


class Body:
    def __init__(self, content: bytes) -> None:
        self.read = lambda: content


class FakeAws:
    """SageMaker and S3 in memory. A job runs for a few polls; its behaviour is set by step name."""

    def __init__(self) -> None:
        self.objects: dict[str, Any] = {}
        self.failing: dict[str, list[str]] = {}
        self.refusing: dict[str, list[str]] = {}
        self.polls = 2
        self.created: list[tuple[str, dict[str, Any]]] = []
        self.most_at_once = 0
        self.answers: dict[str, Any] = {}
        self._jobs: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def client(self, service: str) -> "FakeAws":
        return self

    def request(self, step: str) -> dict[str, Any]:
        return next(request for name, request in self.created if name == step)

    def _create(self, kind: str, request: dict[str, Any]) -> dict[str, Any]:
        tags = {tag["Key"]: tag["Value"] for tag in request["Tags"]}
        step = tags["sagemaker:pipeline-step-name"]
        with self._lock:
            self.created.append((step, request))
            if self.refusing.get(step):
                code = self.refusing[step].pop(0)
                raise ClientError({"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {}}, "Create")  # type: ignore[typeddict-item]
            name = request[f"{kind}Name"]
            self._jobs[name] = {**request, "polls": 0, "step": step, f"{kind}Status": "InProgress"}
            busy = [
                job for job in self._jobs.values() if job[next(k for k in job if k.endswith("Status"))] == "InProgress"
            ]
            self.most_at_once = max(self.most_at_once, len(busy))
        return {f"{kind}Arn": f"arn:{kind}/{name}"}

    def _describe(self, kind: str, name: str) -> dict[str, Any]:
        with self._lock:
            job = self._jobs[name]
            job["polls"] += 1
            if job["polls"] > self.polls and job[f"{kind}Status"] == "InProgress":
                reasons = self.failing.get(job["step"])
                job[f"{kind}Status"] = "Failed" if reasons else "Completed"
                if reasons:
                    job["FailureReason"] = reasons.pop(0)
            return dict(job)

    def create_processing_job(self, **request: Any) -> dict[str, Any]:
        return self._create("ProcessingJob", request)

    def describe_processing_job(self, *, ProcessingJobName: str) -> dict[str, Any]:
        return self._describe("ProcessingJob", ProcessingJobName)

    def stop_processing_job(self, *, ProcessingJobName: str) -> None:
        self._jobs[ProcessingJobName]["ProcessingJobStatus"] = "Stopped"

    def create_training_job(self, **request: Any) -> dict[str, Any]:
        return self._create("TrainingJob", request)

    def describe_training_job(self, *, TrainingJobName: str) -> dict[str, Any]:
        uri = f"s3://models/{TrainingJobName}/output/model.tar.gz"
        return {**self._describe("TrainingJob", TrainingJobName), "ModelArtifacts": {"S3ModelArtifacts": uri}}

    def create_hyper_parameter_tuning_job(self, **request: Any) -> dict[str, Any]:
        return self._create("HyperParameterTuningJob", request)

    def describe_hyper_parameter_tuning_job(self, *, HyperParameterTuningJobName: str) -> dict[str, Any]:
        return self._describe("HyperParameterTuningJob", HyperParameterTuningJobName)

    def list_training_jobs_for_hyper_parameter_tuning_job(self, **request: Any) -> dict[str, Any]:
        assert request["HyperParameterTuningJobName"] in self._jobs
        assert request["SortBy"] == "FinalObjectiveMetricValue"
        names = ["low", "high"] if request["SortOrder"] == "Ascending" else ["high", "low"]
        return {"TrainingJobSummaries": [{"TrainingJobName": name} for name in names]}

    def create_model_package(self, **request: Any) -> dict[str, Any]:
        self.created.append(("package", request))
        return {"ModelPackageArn": "arn:package/1"}

    def describe_model_package(self, *, ModelPackageName: str) -> dict[str, Any]:
        return {"ModelPackageArn": ModelPackageName, "ModelPackageStatus": "Completed"}

    def create_model(self, **request: Any) -> dict[str, Any]:
        self.created.append(("model", request))
        return {"ModelArn": "arn:model"}

    def describe_model(self, *, ModelName: str) -> dict[str, Any]:
        return {"ModelName": ModelName}

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        self.created.append((FunctionName, json.loads(Payload)))
        answer = self.answers[FunctionName]
        failed = {"FunctionError": "Unhandled"} if "errorMessage" in answer else {}
        return {"StatusCode": 200, "Payload": Body(json.dumps(answer).encode()), **failed}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        return {"Body": Body(json.dumps(self.objects[f"s3://{Bucket}/{Key}"]).encode())}


def processing(name: str, **extra: Any) -> dict[str, Any]:
    arguments = {
        "RoleArn": "role",
        "ProcessingOutputConfig": {
            "Outputs": [{"OutputName": "report", "S3Output": {"S3Uri": f"s3://zone/{name}/", "LocalPath": "/opt/ml/x"}}]
        },
        **extra.pop("arguments", {}),
    }
    return {"Name": name, "Type": "Processing", "Arguments": arguments, **extra}


def pipeline(*steps: Mapping[str, Any], parameters: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"Version": "2020-12-01", "Metadata": {}, "Parameters": parameters or [], "Steps": list(steps)}


def run(
    aws: FakeAws, definition: Any, parameters: dict[str, str] | None = None
) -> tuple[PipelineResult, list[StepState]]:
    states: list[StepState] = []
    result = PipelineRun(
        definition=definition,
        parameters=parameters or {},
        pipeline_name="p",
        pipeline_arn=EXECUTION.partition("/execution")[0],
        execution_arn=EXECUTION,
        role_arn="pipeline-role",
        client=aws.client,
        on_step=states.append,
    ).execute()
    return result, states


PROPERTY_FILE = [{"PropertyFileName": "Gate", "OutputName": "report", "FilePath": "gate.json"}]


def gate_value(path: str) -> dict[str, Any]:
    return {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Gate.PropertyFiles.Gate"}, "Path": path}}


def gated(condition: dict[str, Any]) -> dict[str, Any]:
    register = {
        "Name": "Register",
        "Type": "RegisterModel",
        "Arguments": {"ModelPackageGroupName": "g", "CustomerMetadataProperties": {"auc": gate_value("auc")}},
    }
    why = {"Std:Join": {"On": ": ", "Values": ["refused", gate_value("reasons")]}}
    refuse = {"Name": "Refuse", "Type": "Fail", "Arguments": {"ErrorMessage": why}}
    arguments = {"Conditions": [condition], "IfSteps": [register], "ElseSteps": [refuse]}
    return pipeline(
        processing("Gate", PropertyFiles=PROPERTY_FILE),
        {"Name": "Passed", "Type": "Condition", "Arguments": arguments},
    )


def test_arguments_are_resolved() -> None:
    aws = FakeAws()
    train = {
        "Name": "Train",
        "Type": "Training",
        "Arguments": {
            "HyperParameters": {
                "id": {"Get": "Execution.PipelineExecutionId"},
                "job": {"Get": "Execution.TrainingJobName"},
            },
            "InputDataConfig": [
                {"S3Uri": {"Get": "Steps.Prepare.ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri"}}
            ],
            "Uri": {
                "Std:Join": {"On": "/", "Values": ["s3:/", {"Get": "Parameters.Zone"}, {"Get": "Parameters.Rows"}]}
            },
        },
    }
    model = {
        "Name": "Model",
        "Type": "Model",
        "Arguments": {"PrimaryContainer": {"ModelDataUrl": {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}}},
    }
    parameters = [
        {"Name": "Zone", "Type": "String", "DefaultValue": "zone"},
        {"Name": "Rows", "Type": "Integer", "DefaultValue": 5},
    ]
    result, _ = run(
        aws, json.dumps(pipeline(processing("Prepare"), train, model, parameters=parameters)), {"Rows": "7"}
    )
    assert (result.status, result.failure_reason) == ("Succeeded", None)
    request = aws.request("Train")
    assert request["TrainingJobName"].startswith("pipelines-abc123def456-Train-")
    assert request["HyperParameters"] == {"id": "abc123def456", "job": request["TrainingJobName"]}
    assert request["InputDataConfig"] == [{"S3Uri": "s3://zone/Prepare/"}]
    assert request["Uri"] == "s3://zone/7"
    assert request["RoleArn"] == "pipeline-role"
    assert aws.request("Prepare")["RoleArn"] == "role"
    artefact = f"s3://models/{request['TrainingJobName']}/output/model.tar.gz"
    assert aws.request("model")["PrimaryContainer"] == {"ModelDataUrl": artefact}


def test_states_are_told_in_order_with_their_metadata() -> None:
    _, states = run(FakeAws(), pipeline(processing("One")))
    assert [state.status for state in states] == ["Starting", "Executing", "Succeeded"]
    listed = states[-1].as_listed()
    assert listed["Metadata"]["ProcessingJob"]["Arn"].startswith("arn:ProcessingJob/pipelines-abc123def456-One-")
    assert listed["EndTime"] >= listed["StartTime"]


@pytest.mark.parametrize(
    ("condition", "outcome"),
    [
        ({"Type": "Equals", "LeftValue": gate_value("passed"), "RightValue": 1}, True),
        ({"Type": "Equals", "LeftValue": gate_value("passed"), "RightValue": 0}, False),
        ({"Type": "GreaterThan", "LeftValue": gate_value("auc"), "RightValue": 0.8}, False),
        ({"Type": "GreaterThanOrEqualTo", "LeftValue": gate_value("auc"), "RightValue": 0.8}, True),
        ({"Type": "LessThan", "LeftValue": gate_value("auc"), "RightValue": 0.8}, False),
        ({"Type": "LessThanOrEqualTo", "LeftValue": gate_value("auc"), "RightValue": 0.8}, True),
        ({"Type": "In", "QueryValue": gate_value("checks[1].name"), "Values": ["bias", "other"]}, True),
        ({"Type": "Not", "Condition": {"Type": "In", "QueryValue": "x", "Values": ["x"]}}, False),
        (
            {
                "Type": "Or",
                "Conditions": [
                    {"Type": "Equals", "LeftValue": 1, "RightValue": 2},
                    {"Type": "Equals", "LeftValue": 1, "RightValue": 1},
                ],
            },
            True,
        ),
    ],
)
def test_condition_takes_one_branch(condition: dict[str, Any], outcome: bool) -> None:
    aws = FakeAws()
    checks = [{"name": "auc"}, {"name": "bias"}]
    aws.objects["s3://zone/Gate/gate.json"] = {"passed": 1, "auc": 0.8, "reasons": "too low", "checks": checks}
    result, _ = run(aws, gated(condition))
    ended = {state.name: state for state in result.steps}
    assert ended["Passed"].metadata == {"Condition": {"Outcome": str(outcome)}}
    assert ("Register" in ended) is outcome
    assert ("Refuse" in ended) is not outcome
    if outcome:
        assert ended["Register"].metadata == {"RegisterModel": {"Arn": "arn:package/1"}}
        assert aws.request("package")["CustomerMetadataProperties"] == {"auc": 0.8}
    else:
        assert result.status == "Failed"
        assert ended["Refuse"].failure_reason == "refused: too low"
        assert "refused: too low" in str(result.failure_reason)


def test_independent_steps_run_two_at_a_time() -> None:
    aws = FakeAws()
    result, _ = run(aws, pipeline(*(processing(f"P{number}") for number in range(4))))
    assert result.status == "Succeeded"
    assert aws.most_at_once == 2


def test_depends_on_is_kept() -> None:
    aws = FakeAws()
    run(aws, pipeline(processing("Last", DependsOn=["First"]), processing("First")))
    assert [name for name, _ in aws.created] == ["First", "Last"]


def test_a_step_after_a_condition_waits_for_the_branch_it_took() -> None:
    aws = FakeAws()
    arguments = {"Conditions": [], "IfSteps": [processing("Inner")], "ElseSteps": [processing("Never")]}
    condition = {"Name": "If", "Type": "Condition", "Arguments": arguments}
    result, _ = run(aws, pipeline(processing("After", DependsOn=["If"]), condition))
    assert result.status == "Succeeded"
    assert [name for name, _ in aws.created] == ["Inner", "After"]


def test_a_step_that_needs_a_branch_not_taken_is_named() -> None:
    arguments = {"Conditions": [], "IfSteps": [], "ElseSteps": [processing("Never")]}
    condition = {"Name": "If", "Type": "Condition", "Arguments": arguments}
    result, _ = run(FakeAws(), pipeline(condition, processing("After", DependsOn=["Never"])))
    assert result.status == "Failed"
    assert "After" in str(result.failure_reason)


def test_a_failed_job_fails_the_execution_and_starts_no_other() -> None:
    aws = FakeAws()
    aws.failing["One"] = ["AlgorithmError: no rows"]
    result, states = run(aws, pipeline(processing("One"), processing("Two", DependsOn=["One"])))
    assert result.status == "Failed"
    assert result.failure_reason == "Step failure: One or multiple steps failed. One: AlgorithmError: no rows"
    assert [name for name, _ in aws.created] == ["One"]
    assert states[-1].failure_reason == "AlgorithmError: no rows"


def retrying(exception: str) -> dict[str, Any]:
    policy = {"ExceptionType": [exception], "IntervalSeconds": 0, "BackoffRate": 1, "MaxAttempts": 2}
    return processing("One", RetryPolicies=[policy])


def test_a_throttled_call_is_tried_again() -> None:
    aws = FakeAws()
    aws.refusing["One"] = ["ThrottlingException"]
    result, states = run(aws, pipeline(retrying("Step.THROTTLING")))
    assert result.status == "Succeeded"
    assert result.steps[0].attempt_count == 2
    assert "Failed" not in [state.status for state in states]


def test_retries_end() -> None:
    aws = FakeAws()
    aws.failing["One"] = ["InternalServerError: sorry"] * 9
    result, _ = run(aws, pipeline(retrying("SageMaker.JOB_INTERNAL_ERROR")))
    assert result.status == "Failed"
    assert len(aws.created) == 3


def test_a_scripts_own_error_is_not_tried_again() -> None:
    aws = FakeAws()
    aws.failing["One"] = ["AlgorithmError: no"] * 9
    assert run(aws, pipeline(retrying("SageMaker.JOB_INTERNAL_ERROR")))[0].status == "Failed"
    assert len(aws.created) == 1


def test_a_property_that_is_not_there_fails_its_step() -> None:
    uri = {"Get": "Steps.One.ProcessingOutputConfig.Outputs['none'].S3Output.S3Uri"}
    result, _ = run(FakeAws(), pipeline(processing("One"), processing("Two", arguments={"Environment": {"x": uri}})))
    assert result.status == "Failed"
    assert "Outputs['none']" in str(result.failure_reason)


def test_a_property_file_that_is_not_there_fails_its_step() -> None:
    result, _ = run(FakeAws(), gated({"Type": "Equals", "LeftValue": gate_value("passed"), "RightValue": 1}))
    assert "s3://zone/Gate/gate.json" in str(result.failure_reason)


def test_stop_stops_the_jobs_under_way() -> None:
    aws = FakeAws()
    aws.polls = 10_000
    states: list[StepState] = []

    def on_step(state: StepState) -> None:
        states.append(state)
        if state.status == "Executing":
            execution.stop()

    execution = PipelineRun(
        definition=pipeline(processing("One"), processing("Two", DependsOn=["One"])),
        parameters={},
        pipeline_name="p",
        pipeline_arn="arn",
        execution_arn=EXECUTION,
        role_arn=None,
        client=aws.client,
        on_step=on_step,
    )
    assert execution.execute().status == "Stopped"
    assert [state.status for state in states] == ["Starting", "Executing", "Stopping", "Stopped"]


def test_a_step_type_that_is_not_run_here_is_refused_before_anything_starts() -> None:
    aws = FakeAws()
    check = {"Name": "Check", "Type": "QualityCheck", "Arguments": {}}
    result, _ = run(aws, pipeline(processing("One"), check))
    assert result.status == "Failed"
    assert "'Check'" in str(result.failure_reason) and "QualityCheck" in str(result.failure_reason)
    assert aws.created == []


@pytest.mark.parametrize(
    ("definition", "word"),
    [
        ("{", "cannot be read"),
        ({"Version": "2020-12-01"}, "Steps"),
        (pipeline({"Name": "X", "Type": "Teleport"}), "Teleport"),
        (pipeline(processing("A"), processing("A")), "unique"),
        (pipeline(processing("A", DependsOn=["B"])), "'B'"),
        (pipeline(processing("A", DependsOn=["B"]), processing("B", DependsOn=["A"])), "circle"),
        (pipeline(processing("A", arguments={"Environment": {"x": {"Get": "Steps.C.x"}}})), "'C'"),
    ],
)
def test_a_definition_that_cannot_run_is_refused(definition: Any, word: str) -> None:
    with pytest.raises(DefinitionError, match=word):
        PipelineRun.check(definition, {})


@pytest.mark.parametrize(
    ("given", "word"), [({"Size": "x"}, "Integer"), ({"Colour": "red"}, "red"), ({"Other": "1"}, "Other")]
)
def test_parameters_are_checked(given: dict[str, str], word: str) -> None:
    parameters = [
        {"Name": "Size", "Type": "Integer"},
        {"Name": "Colour", "Type": "String", "DefaultValue": "blue", "EnumValues": ["blue", "green"]},
    ]
    with pytest.raises(DefinitionError, match=word):
        PipelineRun.check(pipeline(processing("A"), parameters=parameters), given)


def test_a_parameter_without_a_value_fails_the_execution() -> None:
    result, _ = run(FakeAws(), pipeline(processing("A"), parameters=[{"Name": "Size", "Type": "Integer"}]))
    assert (result.status, result.failure_reason) == ("Failed", "the execution needs a value for parameter 'Size'")


def test_paths() -> None:
    content = {"a": {"b.c": [{"OutputName": "x", "v": 1}]}}
    assert follow(content, "a['b.c'][0].v", where="") == 1
    assert follow(content, "$.a['b.c']['x'].v", where="") == 1


def calling(function: str) -> dict[str, Any]:
    sign = {
        "Name": "Sign",
        "Type": "Lambda",
        "FunctionArn": function,
        "Arguments": {"of": {"Get": "Execution.PipelineExecutionArn"}},
        "OutputParameters": [{"OutputName": "digest", "OutputType": "String"}],
    }
    properties = {"evidence_sha256": {"Get": "Steps.Sign.OutputParameters['digest']"}}
    arguments = {"ModelPackageGroupName": "g", "CustomerMetadataProperties": properties}
    return pipeline(sign, {"Name": "Register", "Type": "RegisterModel", "Arguments": arguments})


def test_a_function_is_called_with_its_arguments_and_its_answer_is_used() -> None:
    aws = FakeAws()
    aws.answers["arn:signer"] = {"digest": "abc", "more": 1}
    result, states = run(aws, calling("arn:signer"))

    assert result.status == "Succeeded"
    assert aws.request("arn:signer") == {"of": EXECUTION}
    assert aws.request("package")["CustomerMetadataProperties"] == {"evidence_sha256": "abc"}
    signed = {state.name: state for state in states}["Sign"]
    assert signed.metadata == {
        "Lambda": {"Arn": "arn:signer", "OutputParameters": [{"Name": "digest", "Value": "abc"}]}
    }


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"errorType": "Refused", "errorMessage": "its gate did not pass"}, "Refused: its gate did not pass"),
        ({"other": "x"}, "the answer has no 'digest'"),
    ],
)
def test_a_function_that_fails_or_answers_too_little_fails_the_execution(answer: Any, reason: str) -> None:
    aws = FakeAws()
    aws.answers["arn:signer"] = answer
    result, _ = run(aws, calling("arn:signer"))

    assert result.status == "Failed" and reason in str(result.failure_reason)
    assert not any(name == "package" for name, _ in aws.created)


def tuning_pipeline(objective: dict[str, str]) -> dict[str, Any]:
    best = {"Get": "Steps.Train.TrainingJobSummaries[0].TrainingJobName"}
    artifact = {"Std:Join": {"On": "/", "Values": ["s3://models", best, "output/model.tar.gz"]}}
    train = {
        "Name": "Train",
        "Type": "Tuning",
        "Arguments": {"HyperParameterTuningJobConfig": {"HyperParameterTuningJobObjective": objective}},
    }
    model = {"Name": "Model", "Type": "Model", "Arguments": {"PrimaryContainer": {"ModelDataUrl": artifact}}}
    return pipeline(train, model)


@pytest.mark.parametrize(("goal", "best"), [("Maximize", "high"), ("Minimize", "low")])
def test_a_tuning_gives_the_artefact_of_its_best_training(goal: str, best: str) -> None:
    aws = FakeAws()
    result, _ = run(aws, tuning_pipeline({"Type": goal, "MetricName": "validation:auc"}))
    assert (result.status, result.failure_reason) == ("Succeeded", None)
    request = aws.request("Train")
    name = request["HyperParameterTuningJobName"]
    assert name.startswith("abc123def456-Train-")
    assert len(name) <= 32
    assert "RoleArn" not in request, "a tuning's role is its training jobs'"
    assert result.steps[0].metadata == {"TuningJob": {"Arn": f"arn:HyperParameterTuningJob/{name}"}}
    assert aws.request("model")["PrimaryContainer"]["ModelDataUrl"] == f"s3://models/{best}/output/model.tar.gz"


def test_a_failed_tuning_fails_its_step_with_its_reason() -> None:
    aws = FakeAws()
    aws.failing["Train"] = ["No training job succeeded after 3 attempts."]
    result, _ = run(aws, tuning_pipeline({"Type": "Maximize", "MetricName": "validation:auc"}))
    assert result.status == "Failed"
    assert "No training job succeeded after 3 attempts." in str(result.failure_reason)
