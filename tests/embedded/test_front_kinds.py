"""Every kind of serving, deployed as it is synthesised: without a version, with one, with another."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded.server import EmbeddedAws
from tests.conftest import Assembly
from tests.embedded.serving import BUCKET, Serving
from tests.embedded.serving_stack import NOTHING, ServingStack

VERSIONED = {"AWS::SageMaker::Model", "AWS::SageMaker::EndpointConfig", "AWS::SageMaker::Endpoint"}


@pytest.fixture
def deployed(aws: EmbeddedAws, serving: Serving, kinds_in_dev: Assembly) -> Callable[[str], Any]:
    """`deployed(kind)`: the stack of that kind, without a version, deleted afterwards."""

    @contextmanager
    def make(kind: str) -> Iterator[ServingStack]:
        name, template = f"baton-dev-{kind}-serving", kinds_in_dev.stack("dev", f"{kind}-serving")
        [pattern] = [template["Parameters"]["ModelPackageArn"]["AllowedPattern"]]
        group = pattern.split("model-package/")[1].split("/")[0]
        stack = ServingStack(aws, serving, name=name, template=template, group=group)
        try:
            yield stack
        finally:
            stack.delete()

    return make


def serves(stack: ServingStack, package: str) -> None:
    assert stack.serve(package) == "UPDATE_COMPLETE", stack.why()
    assert stack.outputs()["ServedModelPackageArn"] == package


@pytest.mark.parametrize("kind", ["rolling", "serverless"])
def test_versions_come_and_go(deployed: Any, serving: Serving, kind: str) -> None:
    endpoint = f"baton-dev-{kind}"
    with deployed(kind) as stack:
        assert not VERSIONED & stack.types()
        for answer in ("one", "two"):
            serves(stack, stack.version(answer))
            assert serving.ask(endpoint) == answer
        running = serving.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
        assert running == stack.outputs()["EndpointConfigName"]
        assert stack.move(**NOTHING) == "UPDATE_COMPLETE", stack.why()
        assert not VERSIONED & stack.types()


def test_a_challenger_answers_some_and_leaves_when_it_is_told(deployed: Any, serving: Serving) -> None:
    with deployed("linear") as stack:
        serves(stack, stack.version("champion"))
        assert {serving.ask("baton-dev-linear") for _ in range(20)} == {"champion"}
        assert stack.move(ChallengerModelPackageArn=stack.version("challenger")) == "UPDATE_COMPLETE", stack.why()
        asked = [serving.ask("baton-dev-linear") for _ in range(200)]
        assert 2 <= asked.count("challenger") <= 60
        assert stack.move(ChallengerModelPackageArn="none") == "UPDATE_COMPLETE", stack.why()
        assert {serving.ask("baton-dev-linear") for _ in range(20)} == {"champion"}


def test_a_shadow_is_asked_and_answers_nobody(deployed: Any, serving: Serving) -> None:
    with deployed("shadow") as stack:
        serves(stack, stack.version("seen"))
        assert stack.move(ShadowModelPackageArn=stack.version("unseen")) == "UPDATE_COMPLETE", stack.why()
        assert {serving.ask("baton-dev-shadow") for _ in range(40)} == {"seen"}
        endpoint = serving.sagemaker.describe_endpoint(EndpointName="baton-dev-shadow")
        assert [variant["VariantName"] for variant in endpoint["ShadowProductionVariants"]] == ["Shadow"]


def test_an_explainer_explains_whoever_is_chosen_or_asked_for(deployed: Any, serving: Serving) -> None:
    endpoint, inputs = "baton-dev-explained", "balance,country;numerical,categorical"
    serving.put("evidence/evaluation/shap_baseline.csv", "5,Spain\n")
    with deployed("explained") as stack:
        serves(stack, stack.version("0"))
        assert serving.ask(endpoint, "7,France") == "0", "it does not know the inputs yet"
        assert stack.move(ExplainedInputs=inputs) == "UPDATE_COMPLETE", stack.why()
        plain = json.loads(serving.ask(endpoint, "7,France"))
        assert plain["predictions"]["data"] == "0"
        assert plain["explanations"] == {}, "0 is not above 0.5"
        asked = json.loads(serving.ask(endpoint, "7,France\n5,Spain", EnableExplanations="`true`"))
        names = [[entry["feature_header"] for entry in row] for row in asked["explanations"]["kernel_shap"]]
        assert names == [["balance", "country"]] * 2
        with pytest.raises(ClientError, match="must be true or false of each row"):
            serving.ask(endpoint, "7,France", EnableExplanations="[0]")
        assert stack.move(ExplainedInputs="unknown") == "UPDATE_COMPLETE", stack.why()
        with pytest.raises(ClientError, match="has no explainer"):
            serving.ask(endpoint, "7,France", EnableExplanations="`true`")


def test_another_instance_type_takes_three_steps(deployed: Any, serving: Serving) -> None:
    def machine(stack: ServingStack) -> str:
        config = serving.sagemaker.describe_endpoint_config(EndpointConfigName=stack.outputs()["EndpointConfigName"])
        return str(config["ProductionVariants"][0]["InstanceType"])

    with deployed("rolling") as stack:
        serves(stack, stack.version("one"))
        assert stack.move(InstanceType="ml.m5.xlarge") == "UPDATE_ROLLBACK_COMPLETE", "a scaled variant keeps its type"
        for step in ({"Scaling": "off"}, {"InstanceType": "ml.m5.xlarge"}, {"Scaling": "on"}):
            assert stack.move(**step) == "UPDATE_COMPLETE", stack.why()
        assert machine(stack) == "ml.m5.xlarge"
        assert "AWS::ApplicationAutoScaling::ScalableTarget" in stack.types()


def test_an_asynchronous_endpoint_answers_in_s3_and_is_woken_by_an_alarm(
    deployed: Any, serving: Serving, aws: EmbeddedAws
) -> None:
    with deployed("asynchronous") as stack:
        serves(stack, stack.version("later"))
        request = serving.put("asynchronous/letters/in/one.csv", "1,2\n")
        taken = serving.runtime.invoke_endpoint_async(
            EndpointName="baton-dev-asynchronous", InputLocation=request, ContentType="text/csv", Accept="text/csv"
        )
        assert taken["OutputLocation"].startswith(f"s3://{BUCKET}/asynchronous/asynchronous/answers/")
        assert serving.eventually(lambda: serving.read(taken["OutputLocation"])).strip() == "later"
        alarms = aws.client("cloudwatch").describe_alarms(AlarmNames=["baton-dev-asynchronous-waits-for-an-instance"])
        [alarm] = alarms["MetricAlarms"]
        assert alarm["AlarmActions"] == [stack.resource("AWS::ApplicationAutoScaling::ScalingPolicy", "WakeUp")]
        with pytest.raises(ClientError):
            serving.ask("baton-dev-asynchronous")


def test_a_batch_is_answered_by_the_workflow_that_its_schedule_starts(
    deployed: Any, serving: Serving, aws: EmbeddedAws
) -> None:
    with deployed("batch") as stack:
        serves(stack, stack.version("scored"))
        schedule = stack.resource("AWS::Scheduler::Schedule")
        group = stack.resource("AWS::Scheduler::ScheduleGroup")
        target = aws.client("scheduler").get_schedule(Name=schedule, GroupName=group)["Target"]
        serving.put("batch/batch/requests/monday.csv", "1,2\n3,4\n")
        states = aws.client("stepfunctions")
        run = states.start_execution(stateMachineArn=target["Arn"], input=target["Input"])["executionArn"]

        def ended() -> dict[str, Any] | None:
            execution: dict[str, Any] = states.describe_execution(executionArn=run)
            return None if execution["status"] == "RUNNING" else execution

        execution = serving.eventually(ended, within=120)
        assert execution["status"] == "SUCCEEDED", execution.get("cause")
        [answers] = serving.under("batch/batch/answers/").values()
        assert answers == "scored\nscored\n"
