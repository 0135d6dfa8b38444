"""The workflow's shape, and how little its roles may do."""

import json
from typing import Any

import aws_cdk as cdk
import pytest

from baton.foundation.workflow import rest_between_looks

ENVIRONMENTS = ["dev", "prod"]
LINEAGE = {"AddAssociation", "CreateAction", "CreateArtifact", "DescribeAction", "ListArtifacts", "ListContexts"}


@pytest.fixture(params=ENVIRONMENTS)
def template(request: pytest.FixtureRequest, assembly: Any) -> dict[str, Any]:
    found: dict[str, Any] = assembly.stack(request.param, "approval")
    return found


def of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {key: body["Properties"] for key, body in template["Resources"].items() if body["Type"] == kind}


def definition(template: dict[str, Any]) -> dict[str, Any]:
    [machine] = of_type(template, "AWS::StepFunctions::StateMachine").values()
    parts = machine["DefinitionString"]["Fn::Join"][1]
    written: dict[str, Any] = json.loads("".join(part if isinstance(part, str) else "reference" for part in parts))
    return written


def following(state: dict[str, Any]) -> set[str]:
    choices = {choice["Next"] for choice in state.get("Choices", [])}
    catches = {catch["Next"] for catch in state.get("Catch", [])}
    return {name for name in (state.get("Next"), state.get("Default")) if name} | choices | catches


def statements(template: dict[str, Any], role: str) -> list[dict[str, Any]]:
    """What the policies of the roles whose logical id begins with `role` allow."""
    return [
        statement
        for policy in of_type(template, "AWS::IAM::Policy").values()
        if any(reference["Ref"].startswith(role) for reference in policy["Roles"])
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def actions(template: dict[str, Any], role: str) -> set[str]:
    listed = [statement["Action"] for statement in statements(template, role)]
    return {action for entry in listed for action in ([entry] if isinstance(entry, str) else entry)}


def test_every_task_is_retried_and_its_failure_caught(template: dict[str, Any]) -> None:
    tasks = {name: state for name, state in definition(template)["States"].items() if state["Type"] == "Task"}
    assert len(tasks) == 12
    for name, task in tasks.items():
        assert task["Retry"], name
        [catch] = task["Catch"]
        assert catch["ErrorEquals"] == ["States.ALL"], name
        assert catch["Next"] == ("Failed" if name == "RecordFailure" else "RecordFailure"), name


def test_every_state_can_be_reached_and_leads_to_an_end(template: dict[str, Any]) -> None:
    states = definition(template)["States"]
    reached, queue = set(), [definition(template)["StartAt"]]
    while queue:
        name = queue.pop()
        if name not in reached:
            reached.add(name)
            queue += following(states[name])
    assert reached == states.keys()
    ends = {name for name, state in states.items() if state["Type"] in ("Succeed", "Fail")}
    leads = set(ends)
    while True:
        more = {name for name, state in states.items() if following(state) & leads} - leads
        if not more:
            break
        leads |= more
    assert leads == states.keys()


def test_an_outcome_that_nobody_thought_of_is_a_failure(template: dict[str, Any]) -> None:
    for state in definition(template)["States"].values():
        if state["Type"] == "Choice":
            assert state["Default"] == "RecordFailure"


def test_nothing_of_the_event_enters_the_workflow(template: dict[str, Any]) -> None:
    begin = definition(template)["States"]["Begin"]
    assert begin["Parameters"] == {"execution.$": "$$.Execution.Id"}


def test_only_states_that_embedded_aws_executes_are_used(template: dict[str, Any]) -> None:
    kinds = {state["Type"] for state in definition(template)["States"].values()}
    assert kinds <= {"Task", "Choice", "Wait", "Pass", "Succeed", "Fail"}


def test_runs_are_logged_with_a_customer_key_and_traced(template: dict[str, Any]) -> None:
    [machine] = of_type(template, "AWS::StepFunctions::StateMachine").values()
    assert machine["StateMachineType"] == "STANDARD"
    assert machine["LoggingConfiguration"]["Level"] == "ALL"
    assert machine["TracingConfiguration"] == {"Enabled": True}
    for group in of_type(template, "AWS::Logs::LogGroup").values():
        assert group["KmsKeyId"] and group["RetentionInDays"]


def test_only_record_tells_lineage_and_of_approvals_and_deployments_alone(template: dict[str, Any]) -> None:
    telling = [s for s in statements(template, "StepsRecord") if "sagemaker:CreateAction" in s["Action"]]
    assert len(telling) == 1
    written = json.dumps(telling[0]["Resource"])
    assert "action/baton-dev-bank-churn-approval-*" in written.replace("prod", "dev")
    assert "action/baton-dev-bank-churn-deployment-*" in written.replace("prod", "dev")
    others = {
        action
        for step in ("Choose", "Recover", "Verify", "Update", "Watch", "Prove")
        for action in actions(template, f"Steps{step}")
    }
    assert not {f"sagemaker:{name}" for name in LINEAGE} & others


MOVES = {"Update": "cloudformation:UpdateStack", "Recover": "cloudformation:ContinueUpdateRollback"}


def test_only_update_and_recover_change_anything_and_only_one_stack_as_one_role(template: dict[str, Any]) -> None:
    harmless = {"cloudformation:DescribeStacks", "cloudformation:DescribeStackEvents"}
    changing = {
        step: {a for a in actions(template, f"Steps{step}") if a.startswith(("cloudformation:", "iam:"))} - harmless
        for step in ("Choose", "Recover", "Verify", "Update", "Watch", "Prove", "Record")
    }
    assert {step for step, found in changing.items() if found} == set(MOVES)
    [role] = [key for key in of_type(template, "AWS::IAM::Role") if key.startswith("ServingExecutionRole")]
    for step, call in MOVES.items():
        assert changing[step] == {call, "iam:PassRole"}
        [moving] = [s for s in statements(template, f"Steps{step}") if s["Action"] == call]
        assert moving["Condition"] == {"ArnEquals": {"cloudformation:RoleArn": {"Fn::GetAtt": [role, "Arn"]}}}
        assert "bank-churn-serving/*" in json.dumps(moving["Resource"])
        [passing] = [s for s in statements(template, f"Steps{step}") if s["Action"] == "iam:PassRole"]
        assert passing["Resource"] == {"Fn::GetAtt": [role, "Arn"]}
        assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}}


def test_what_pins_may_write_the_ledger_and_start_the_workflow_and_no_more(template: dict[str, Any]) -> None:
    own = {"xray:PutTraceSegments", "xray:PutTelemetryRecords", "logs:CreateLogStream", "logs:PutLogEvents"}
    found = {a for a in actions(template, "PinningPin") if not a.startswith(("kms:", "sqs:"))} - own
    assert found == {
        *(f"dynamodb:{verb}Item" for verb in ("Delete", "Get", "Put")),
        "dynamodb:Query",
        "sagemaker:DescribeModelPackage",
        "sagemaker:DescribeModelPackageGroup",
        "sagemaker:ListModelPackages",
        "states:StartExecution",
    }


def test_nobody_in_the_workflow_can_touch_the_endpoint_itself_or_approve(template: dict[str, Any]) -> None:
    sagemaker = {action for action in actions(template, "Steps") if action.startswith("sagemaker:")}
    assert {action.partition(":")[2] for action in sagemaker} <= {
        "DescribeEndpoint",
        "DescribeModelPackage",
        "DescribeModelPackageGroup",
        "InvokeEndpoint",
        "ListModelPackages",
    } | LINEAGE


def test_the_execution_role_cannot_touch_identities_keys_data_or_code(template: dict[str, Any]) -> None:
    allowed = actions(template, "ServingExecutionRole")
    services = {action.partition(":")[0] for action in allowed}
    assert services <= {"sagemaker", "application-autoscaling", "cloudwatch", "scheduler", "iam", "kms", "ssm"}
    identities = {action for action in allowed if action.startswith("iam:")}
    assert identities == {"iam:PassRole", "iam:CreateServiceLinkedRole"}
    assert {action for action in allowed if action.startswith("kms:")} == {"kms:CreateGrant", "kms:DescribeKey"}
    assert "sagemaker:UpdateModelPackage" not in allowed
    assert not any("*" in action for action in allowed)


def test_the_execution_role_passes_each_role_to_one_service(template: dict[str, Any]) -> None:
    for statement in statements(template, "ServingExecutionRole"):
        if statement["Action"] == "iam:PassRole":
            service = statement["Condition"]["StringEquals"]["iam:PassedToService"]
            assert service in ("sagemaker.amazonaws.com", "scheduler.amazonaws.com")
            assert "*" not in json.dumps(statement["Resource"])


def test_the_execution_role_covers_what_a_version_brings(assembly: Any) -> None:
    creating = {
        "AWS::SageMaker::Model": "sagemaker:CreateModel",
        "AWS::SageMaker::EndpointConfig": "sagemaker:CreateEndpointConfig",
        "AWS::SageMaker::Endpoint": "sagemaker:CreateEndpoint",
        "AWS::SageMaker::MonitoringSchedule": "sagemaker:CreateMonitoringSchedule",
        "AWS::SageMaker::DataQualityJobDefinition": "sagemaker:CreateDataQualityJobDefinition",
        "AWS::SageMaker::ModelQualityJobDefinition": "sagemaker:CreateModelQualityJobDefinition",
        "AWS::SageMaker::ModelBiasJobDefinition": "sagemaker:CreateModelBiasJobDefinition",
        "AWS::SageMaker::ModelExplainabilityJobDefinition": "sagemaker:CreateModelExplainabilityJobDefinition",
        "AWS::Scheduler::Schedule": "scheduler:CreateSchedule",
        "AWS::ApplicationAutoScaling::ScalableTarget": "application-autoscaling:RegisterScalableTarget",
        "AWS::ApplicationAutoScaling::ScalingPolicy": "application-autoscaling:PutScalingPolicy",
    }
    for environment in ENVIRONMENTS:
        versioned = {
            body["Type"] for body in assembly.stack(environment, "serving")["Resources"].values() if "Condition" in body
        }
        needed = {creating[kind] for kind in versioned}
        assert needed <= actions(assembly.stack(environment, "approval"), "ServingExecutionRole")


def test_an_approval_starts_the_workflow_and_a_lost_one_is_kept(template: dict[str, Any]) -> None:
    [rule] = of_type(template, "AWS::Events::Rule").values()
    assert rule["EventPattern"]["detail-type"] == ["SageMaker Model Package State Change"]
    [group] = rule["EventPattern"]["detail"]["ModelPackageGroupName"]
    assert group.endswith("bank-churn")
    [target] = rule["Targets"]
    assert target["DeadLetterConfig"]["Arn"]
    assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0


def test_a_sweep_starts_the_same_workflow(template: dict[str, Any]) -> None:
    [sweep] = of_type(template, "AWS::Scheduler::Schedule").values()
    [machine] = of_type(template, "AWS::StepFunctions::StateMachine")
    assert sweep["ScheduleExpression"] == "rate(10 minutes)"
    assert sweep["Target"]["Arn"] == {"Ref": machine}


def test_failed_runs_hanging_runs_and_lost_events_alarm(template: dict[str, Any]) -> None:
    alarms = of_type(template, "AWS::CloudWatch::Alarm").values()
    watched = {alarm["MetricName"] for alarm in alarms}
    assert {"ExecutionsFailed", "ExecutionsTimedOut", "ApproximateNumberOfMessagesVisible"} <= watched
    assert all(alarm["AlarmActions"] and alarm["TreatMissingData"] == "notBreaching" for alarm in alarms)
    assert len(of_type(template, "AWS::SQS::Queue")) == sum(
        alarm["MetricName"] == "ApproximateNumberOfMessagesVisible" for alarm in alarms
    )


def test_the_ledger_is_encrypted_and_recoverable(template: dict[str, Any]) -> None:
    [table] = of_type(template, "AWS::DynamoDB::Table").values()
    assert table["SSESpecification"]["SSEType"] == "KMS"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_a_run_ends_by_itself_before_it_is_ended(template: dict[str, Any]) -> None:
    functions = of_type(template, "AWS::Lambda::Function").values()
    environments = [function["Environment"]["Variables"] for function in functions]
    [limit] = [variables["LIMIT_SECONDS"] for variables in environments if "LIMIT_SECONDS" in variables]
    assert int(limit) < definition(template)["TimeoutSeconds"]


@pytest.mark.parametrize(("poll", "hours", "rest"), [(2, 1, 2), (2, 8, 15), (15, 8, 15), (15, 24, 44)])
def test_a_run_that_looks_for_long_looks_less_often(poll: int, hours: int, rest: int) -> None:
    found = rest_between_looks(cdk.Duration.seconds(poll), within=cdk.Duration.hours(hours))
    assert found.to_seconds() == rest


def test_the_history_of_the_longest_run_has_room_for_every_look(template: dict[str, Any]) -> None:
    events_of_a_look = 9  # a wait, a task and a choice: entered and left, and the task scheduled, started and done
    functions = of_type(template, "AWS::Lambda::Function").values()
    environments = [function["Environment"]["Variables"] for function in functions]
    [limit] = [int(variables["LIMIT_SECONDS"]) for variables in environments if "LIMIT_SECONDS" in variables]
    waits = [state["Seconds"] for state in definition(template)["States"].values() if state["Type"] == "Wait"]
    assert waits and limit / min(waits) * events_of_a_look < 25_000 * 0.8
