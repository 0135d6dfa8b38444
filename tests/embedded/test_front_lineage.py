"""Lineage of embedded AWS: entities that are there once, associations, questions, and what SageMaker records itself."""

import itertools
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded.server import EmbeddedAws


@pytest.fixture
def sagemaker(aws: EmbeddedAws) -> Any:
    return aws.client("sagemaker")


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name of this test's own."""
    return "-".join(request.node.name.replace("[", "-").replace("]", "").replace("_", "-").split("-")[-4:])


def artifact(sagemaker: Any, uri: str, kind: str = "Thing") -> str:
    return str(sagemaker.create_artifact(Source={"SourceUri": uri}, ArtifactType=kind)["ArtifactArn"])


def chain(sagemaker: Any, name: str, length: int) -> list[str]:
    """Artifacts that follow from each other."""
    arns = [artifact(sagemaker, f"s3://{name}/{n}", f"Type{n % 2}") for n in range(length)]
    for source, destination in itertools.pairwise(arns):
        sagemaker.add_association(SourceArn=source, DestinationArn=destination, AssociationType="ContributedTo")
    return arns


def refusal(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


def test_artifact_is_there_once_for_each_source(sagemaker: Any, name: str) -> None:
    uri = f"s3://{name}/data"
    made = sagemaker.create_artifact(
        ArtifactName=name, Source={"SourceUri": uri}, ArtifactType="DataSet", Properties={"rows": "3"}
    )
    assert refusal(sagemaker.create_artifact, Source={"SourceUri": uri}, ArtifactType="Other") == "ValidationException"
    described = sagemaker.describe_artifact(ArtifactArn=made["ArtifactArn"])
    assert (described["ArtifactName"], described["Properties"]) == (name, {"rows": "3"})
    [listed] = sagemaker.list_artifacts(SourceUri=uri)["ArtifactSummaries"]
    assert listed["ArtifactArn"] == made["ArtifactArn"]
    assert sagemaker.list_artifacts(SourceUri=uri, ArtifactType="Other")["ArtifactSummaries"] == []


@pytest.mark.parametrize("noun", ["action", "context"])
def test_actions_and_contexts_are_known_by_name(sagemaker: Any, name: str, noun: str) -> None:
    create, describe = getattr(sagemaker, f"create_{noun}"), getattr(sagemaker, f"describe_{noun}")
    title = noun.capitalize()
    wanted = {f"{title}Name": name, "Source": {"SourceUri": f"x:{name}"}, f"{title}Type": "Approval"}
    arn = create(**wanted)[f"{title}Arn"]
    assert arn.endswith(f":{noun}/{name}")
    assert refusal(create, **wanted) == "ValidationException"
    getattr(sagemaker, f"update_{noun}")(**{f"{title}Name": name, "Properties": {"a": "1", "b": "2"}})
    getattr(sagemaker, f"update_{noun}")(**{f"{title}Name": name, "PropertiesToRemove": ["a"]})
    assert describe(**{f"{title}Name": name})["Properties"] == {"b": "2"}
    getattr(sagemaker, f"delete_{noun}")(**{f"{title}Name": name})
    assert refusal(describe, **{f"{title}Name": name}) == "ResourceNotFound"


@pytest.mark.parametrize("wrong", ["two_words", "-dash", "x" * 121, "Ada Lovelace"])
def test_names_are_those_the_model_allows(sagemaker: Any, wrong: str) -> None:
    call: Any = sagemaker.create_action
    assert refusal(call, ActionName=wrong, Source={"SourceUri": "x:y"}, ActionType="A") == "ValidationException"


def test_association_needs_both_ends_and_is_there_once(sagemaker: Any, name: str) -> None:
    first, second = chain(sagemaker, name, 2)
    again = refusal(sagemaker.add_association, SourceArn=first, DestinationArn=second)
    assert again == "ValidationException"
    nowhere = first[:-4] + "0000"
    assert refusal(sagemaker.add_association, SourceArn=first, DestinationArn=nowhere) == "ResourceNotFound"
    [listed] = sagemaker.list_associations(SourceArn=first)["AssociationSummaries"]
    assert (listed["DestinationArn"], listed["DestinationType"]) == (second, "Type1")
    assert sagemaker.list_associations(SourceArn=first, DestinationType="Type0")["AssociationSummaries"] == []
    assert refusal(sagemaker.delete_artifact, ArtifactArn=first) == "ValidationException"
    sagemaker.delete_association(SourceArn=first, DestinationArn=second)
    assert refusal(sagemaker.delete_association, SourceArn=first, DestinationArn=second) == "ResourceNotFound"
    sagemaker.delete_artifact(ArtifactArn=first)


@pytest.mark.parametrize(
    ("direction", "depth", "expected"),
    [("Ascendants", 10, [1, 0]), ("Descendants", 10, [3, 4]), ("Both", 1, [1, 3]), ("Descendants", 1, [3])],
)
def test_question_walks_in_a_direction_to_a_depth(
    sagemaker: Any, name: str, direction: str, depth: int, expected: list[int]
) -> None:
    arns = chain(sagemaker, f"{name}-{direction.lower()}-{depth}", 5)
    answer = sagemaker.query_lineage(StartArns=[arns[2]], Direction=direction, MaxDepth=depth)
    assert [vertex["Arn"] for vertex in answer["Vertices"]] == [arns[n] for n in expected]
    assert len(answer["Edges"]) == len(expected)


def test_question_with_filters(sagemaker: Any, name: str) -> None:
    arns = chain(sagemaker, name, 5)
    ask = {"StartArns": [arns[0]], "Direction": "Descendants", "Filters": {"Types": ["Type0"]}}
    only = sagemaker.query_lineage(**ask, IncludeEdges=False)
    assert [vertex["Arn"] for vertex in only["Vertices"]] == [arns[2], arns[4]]
    assert "Edges" not in only
    with_way = sagemaker.query_lineage(**ask, IncludeEdges=True)
    assert len(with_way["Vertices"]) == 4, "what lies on the way belongs to it"
    nothing = sagemaker.query_lineage(**{**ask, "Filters": {"LineageTypes": ["Action"]}})
    assert nothing["Vertices"] == []


def test_question_in_pages(sagemaker: Any, name: str) -> None:
    arns = chain(sagemaker, name, 6)
    request: dict[str, Any] = {"StartArns": [arns[0]], "Direction": "Descendants", "MaxResults": 2}
    met, edges = [], set()
    while True:
        answer = sagemaker.query_lineage(**request)
        met += [vertex["Arn"] for vertex in answer["Vertices"]]
        edges |= {(edge["SourceArn"], edge["DestinationArn"]) for edge in answer["Edges"]}
        if "NextToken" not in answer:
            break
        request["NextToken"] = answer["NextToken"]
    assert met == arns[1:]
    assert edges == set(itertools.pairwise(arns))


def test_question_from_nowhere(sagemaker: Any, name: str) -> None:
    arn = artifact(sagemaker, f"s3://{name}/x")
    assert refusal(sagemaker.query_lineage, StartArns=[arn[:-4] + "0000"]) == "ResourceNotFound"
    assert refusal(sagemaker.query_lineage, StartArns=[]) == "ValidationException"
    assert refusal(sagemaker.query_lineage, StartArns=[arn, arn]) == "ValidationException"
    assert refusal(sagemaker.query_lineage, StartArns=[arn], MaxDepth=11) == "ValidationException"


def test_version_is_recorded_with_group_model_and_status(sagemaker: Any, name: str) -> None:
    sagemaker.create_model_package_group(ModelPackageGroupName=name)
    container = {"Image": "000000000000.dkr.ecr.eu-west-1.amazonaws.com/x:1", "ModelDataUrl": f"s3://{name}/m.tar.gz"}
    specification = {"Containers": [container], "SupportedContentTypes": ["text/csv"]}
    package = sagemaker.create_model_package(
        ModelPackageGroupName=name,
        InferenceSpecification={**specification, "SupportedResponseMIMETypes": ["text/csv"]},
    )["ModelPackageArn"]
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    [entity] = sagemaker.list_artifacts(SourceUri=package)["ArtifactSummaries"]
    before = sagemaker.list_associations(DestinationArn=entity["ArtifactArn"])["AssociationSummaries"]
    assert sorted(association["SourceType"] for association in before) == ["Approval", "Approval", "Image", "Model"]
    [after] = sagemaker.list_associations(SourceArn=entity["ArtifactArn"])["AssociationSummaries"]
    assert (after["DestinationType"], after["AssociationType"]) == ("ModelGroup", "AssociatedWith")
