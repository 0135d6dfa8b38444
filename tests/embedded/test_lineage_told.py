"""What the handlers tell lineage, in front of embedded AWS: told twice it is there once, and no loss stops a step."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from embedded.server import EmbeddedAws
from pipeline_scripts.functions.lineage import Entity, Lineage, action, artifact

EXECUTION = "arn:aws:sagemaker:eu-west-1:000000000000:pipeline/p/execution/told"
COMMIT = artifact("Commit", "commit:told", name="told", author="Ada Lovelace, Łódź")
RUN = action("PipelineExecution", EXECUTION, name=EXECUTION, reason="x" * 9000)
MODEL = artifact("Model", "s3://told/model.tar.gz")


@pytest.fixture
def sagemaker(aws: EmbeddedAws) -> Any:
    return aws.client("sagemaker")


@pytest.fixture
def lineage(sagemaker: Any) -> Lineage:
    return Lineage(sagemaker, prefix="baton-dev-told")


def test_told_twice_it_is_there_once(sagemaker: Any, lineage: Lineage, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        lineage.tell([(COMMIT, RUN), (RUN, MODEL)])
    assert "Lost" not in capsys.readouterr().out
    [commit] = sagemaker.list_artifacts(SourceUri="commit:told")["ArtifactSummaries"]
    [run] = sagemaker.list_actions(SourceUri=EXECUTION)["ActionSummaries"]
    assert run["ActionName"].startswith("baton-dev-told-pipelineexecution-")
    assert run["Status"] == "Completed"
    properties = sagemaker.describe_artifact(ArtifactArn=commit["ArtifactArn"])["Properties"]
    assert properties == {"name": "told", "author": "Ada Lovelace, Łódź"}
    answer = sagemaker.query_lineage(StartArns=[commit["ArtifactArn"]], Direction="Descendants")
    kinds = [edge["AssociationType"] for edge in answer["Edges"]]
    assert kinds == ["ContributedTo", "Produced"]


def test_what_sagemaker_recorded_already_is_used_again(sagemaker: Any, lineage: Lineage) -> None:
    arn = sagemaker.create_artifact(Source={"SourceUri": "s3://told/early"}, ArtifactType="DataSet")["ArtifactArn"]
    lineage.tell([(RUN, artifact("Model", "s3://told/early"))])
    [association] = sagemaker.list_associations(DestinationArn=arn)["AssociationSummaries"]
    assert association["SourceType"] == "PipelineExecution"


def test_context_that_is_not_there_yet_costs_its_link_only(sagemaker: Any, lineage: Lineage) -> None:
    nowhere = Entity(noun="Context", kind="Endpoint", address="arn:nowhere")
    late = artifact("Thing", "s3://told/late")
    lineage.tell([(RUN, nowhere), (RUN, late)])
    assert len(sagemaker.list_artifacts(SourceUri="s3://told/late")["ArtifactSummaries"]) == 1


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "ResourceLimitExceeded", "Message": "6000"}}, "CreateArtifact"),
        ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "CreateArtifact"),
        ClientError({"Error": {"Code": "ValidationException", "Message": "wrong"}}, "CreateArtifact"),
        ConnectTimeoutError(endpoint_url="https://sagemaker"),
    ],
)
def test_a_loss_is_counted_and_stops_nothing(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    client: Any = boto3.client("sagemaker", region_name="eu-west-1")

    def refuse(**_: Any) -> None:
        raise error

    client.meta.events.register("before-call.sagemaker.*", refuse)
    Lineage(client, prefix="baton-dev-told").tell([(COMMIT, RUN)])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert [(line["Lost"], line["Prefix"]) for line in lines] == [([1.0], "baton-dev-told")]
