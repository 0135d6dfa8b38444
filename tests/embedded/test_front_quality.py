"""Glue Data Quality behind its API: rulesets in a template, and evaluations of what is really published."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest
from botocore.exceptions import ClientError

from embedded.quality.dqdl import DqdlError, parse
from embedded.quality.evaluation import Evaluation
from embedded.server import EmbeddedAws

BUCKET, DATABASE = "front-quality", "front_quality"
ROLE = "arn:aws:iam::000000000000:role/any"
PARQUET = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
SYMLINK = "org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat"
COLUMNS = [{"Name": "ref", "Type": "bigint"}, {"Name": "gender", "Type": "string"}]
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
RULES = 'Rules = [ IsComplete "gender", RowCount = 2 ]'


def storage(location: str, input_format: str = PARQUET) -> dict[str, Any]:
    return {"Columns": COLUMNS, "Location": f"s3://{BUCKET}/{location}", "InputFormat": input_format}


@pytest.fixture(scope="module", autouse=True)
def lake(aws: EmbeddedAws, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Two versions of a table: whole rows in the first, a missing value in the second."""
    s3, glue = aws.client("s3"), aws.client("glue")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": aws.region})
    for version, rows in {"r1": "(1, 'a'), (2, 'b')", "r2": "(3, NULL), (4, 'b')"}.items():
        path = tmp_path_factory.mktemp("parquet") / "part.parquet"
        duckdb.sql(f"SELECT * FROM (VALUES {rows}) AS rows(REF, gender)").write_parquet(str(path))
        s3.upload_fileobj(io.BytesIO(path.read_bytes()), BUCKET, f"churn/runs/{version}/part-0.parquet")
        s3.put_object(Bucket=BUCKET, Key=f"churn/runs/{version}/_manifest.json", Body=b"{}")
    s3.put_object(
        Bucket=BUCKET, Key="churn/current/files", Body=f"s3://{BUCKET}/churn/runs/r1/part-0.parquet\n".encode()
    )
    glue.create_database(DatabaseInput={"Name": DATABASE})
    for name, descriptor, keys in (
        ("churn", storage("churn/current/", SYMLINK), []),
        ("churn_versions", storage("churn/runs/"), [{"Name": "run_id", "Type": "string"}]),
    ):
        table = {"Name": name, "StorageDescriptor": descriptor, "PartitionKeys": keys}
        glue.create_table(DatabaseName=DATABASE, TableInput=table)
    for version in ("r1", "r2"):
        partition = {"Values": [version], "StorageDescriptor": storage(f"churn/runs/{version}/")}
        glue.create_partition(DatabaseName=DATABASE, TableName="churn_versions", PartitionInput=partition)


@pytest.fixture
def ruleset(aws: EmbeddedAws, request: pytest.FixtureRequest) -> Any:
    name = request.node.name
    glue = aws.client("glue")

    def create(text: str) -> str:
        glue.create_data_quality_ruleset(Name=name, Ruleset=text)
        return str(name)

    yield create
    glue.delete_data_quality_ruleset(Name=name)


@pytest.fixture
def evaluate(aws: EmbeddedAws, eventually: Callable[..., Any]) -> Callable[..., dict[str, Any]]:
    def run(name: str, table: str, **options: Any) -> dict[str, Any]:
        glue = aws.client("glue")
        source = {"DatabaseName": DATABASE, "TableName": table, **options}
        run_id = glue.start_data_quality_ruleset_evaluation_run(
            DataSource={"GlueTable": source}, Role=ROLE, RulesetNames=[name]
        )["RunId"]

        def ended() -> dict[str, Any] | None:
            found: dict[str, Any] = glue.get_data_quality_ruleset_evaluation_run(RunId=run_id)
            return None if found["Status"] in ("STARTING", "RUNNING") else found

        found = eventually(ended)
        if found["Status"] != "SUCCEEDED":
            return dict(found)
        [result_id] = found["ResultIds"]
        return dict(glue.get_data_quality_result(ResultId=result_id))

    return run


def test_the_current_version_is_evaluated_through_its_list_of_files(
    ruleset: Callable[[str], str], evaluate: Callable[..., Any]
) -> None:
    result = evaluate(ruleset(RULES), "churn")
    assert result["Score"] == 1.0
    assert [(rule["EvaluatedRule"], rule["Result"]) for rule in result["RuleResults"]] == [
        ('IsComplete "gender"', "PASS"),
        ("RowCount = 2", "PASS"),
    ]


@pytest.mark.parametrize(
    ("predicate", "rows", "score"), [('run_id="r1"', 2.0, 1.0), ("run_id='r2'", 2.0, 0.5), ("true", 4.0, 0.0)]
)
def test_a_version_is_evaluated_as_a_partition(
    ruleset: Callable[[str], str], evaluate: Callable[..., Any], predicate: str, rows: float, score: float
) -> None:
    result = evaluate(ruleset(RULES), "churn_versions", AdditionalOptions={"pushDownPredicate": predicate})
    assert result["RuleResults"][1]["EvaluatedMetrics"] == {"Dataset.*.RowCount": rows}
    assert result["Score"] == score


def test_a_version_that_is_not_registered_has_no_row(
    ruleset: Callable[[str], str], evaluate: Callable[..., Any]
) -> None:
    result = evaluate(ruleset(RULES), "churn_versions", AdditionalOptions={"pushDownPredicate": 'run_id="r9"'})
    assert [rule["Result"] for rule in result["RuleResults"]] == ["FAIL", "FAIL"]


def test_an_evaluation_of_a_table_that_is_not_there_fails_with_its_name(
    ruleset: Callable[[str], str], evaluate: Callable[..., Any]
) -> None:
    run = evaluate(ruleset(RULES), "churn_ghost")
    assert run["Status"] == "FAILED"
    assert "churn_ghost" in run["ErrorString"]


def test_a_ruleset_lives_and_dies_with_its_stack(aws: EmbeddedAws, stacks: Any) -> None:
    glue = aws.client("glue")
    properties = {
        "Name": "front-quality-stack",
        "Ruleset": "Rules = [ RowCount > 0 ]",
        "TargetTable": {"DatabaseName": DATABASE, "TableName": "churn_versions"},
        "Tags": {"purpose": "test"},
    }
    resource = {"Type": "AWS::Glue::DataQualityRuleset", "Properties": properties}
    assert stacks.deploy("front-quality", {"Rules": resource}) == "CREATE_COMPLETE", stacks.why("front-quality")
    changed = {**resource, "Properties": {**properties, "Ruleset": "Rules = [ RowCount > 1 ]"}}
    assert stacks.deploy("front-quality", {"Rules": changed}) == "UPDATE_COMPLETE", stacks.why("front-quality")
    assert glue.get_data_quality_ruleset(Name="front-quality-stack")["Ruleset"] == "Rules = [ RowCount > 1 ]"
    [listed] = glue.list_data_quality_rulesets(Filter={"TargetTable": properties["TargetTable"]})["Rulesets"]
    assert (listed["Name"], listed["RuleCount"]) == ("front-quality-stack", 1)
    stacks.delete("front-quality")
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        glue.get_data_quality_ruleset(Name="front-quality-stack")


def test_a_ruleset_with_a_rule_that_is_not_evaluated_is_refused_by_its_name(aws: EmbeddedAws) -> None:
    with pytest.raises(ClientError, match=r"InvalidInputException.*'Entropy' is not evaluated here"):
        aws.client("glue").create_data_quality_ruleset(Name="entropy", Ruleset='Rules = [ Entropy "a" > 1 ]')


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Rules = []", "rule type ']' is not"),
        ("rules = [ RowCount > 0 ]", "expected Rules"),
        ('Rules = [ IsComplete "a" ', "'the end'|the end"),
        ("Rules = [ IsComplete a ]", "IsComplete wants a text in quotes"),
        ('Rules = [ ColumnValues "a" in ["2026-01-01"] ]', "is no number"),
        ('Rules = [ ColumnValues "a" not in ["x"] ]', "the condition not"),
        ('Rules = [ IsComplete "a" where "b > 1" ]', "IsComplete: where"),
        ("Rules = [ RowCount > avg(last(3)) ]", "avg at .* is no number"),
        ("Rules = [ RowCount > 0 ] Analyzers = [ RowCount ]", "Analyzers is not evaluated here"),
        ("Rules = [ (RowCount > 0) and (RowCount < 9) or (RowCount = 3) ]", "want brackets"),
        ("Rules = [ RowCount > 0; ]", "unexpected character ';'"),
    ],
)
def test_what_is_not_read_is_named(text: str, sentence: str) -> None:
    with pytest.raises(DqdlError, match=sentence):
        parse(text)


def judged(rows: str, rule: str, columns: str = "n, s, moment") -> tuple[str, str | None]:
    """A rule's result on rows that DuckDB makes of values."""
    with duckdb.connect() as connection:
        connection.execute(f'CREATE TABLE "primary" AS SELECT * FROM (VALUES {rows}) AS rows({columns})')
        [outcome] = Evaluation(connection, now=NOW).judge(parse(f"# a comment\nRules = [ {rule} ]"))
    return outcome.result, outcome.message


@pytest.mark.parametrize(
    ("rule", "result"),
    [
        ("RowCount between 2 and 4", "PASS"),
        ("RowCount between 3 and 9", "FAIL"),  # its bounds are not in it
        ("RowCount in [1, 3]", "PASS"),
        ('Completeness "s" >= 0.66', "PASS"),
        ('Completeness "s" > 0.67', "FAIL"),
        ('ColumnValues "s" in ["a", EMPTY, NULL]', "PASS"),
        ('ColumnValues "s" in ["a", EMPTY]', "FAIL"),
        ('ColumnValues "n" in [1, 2, -3]', "PASS"),
        ('(IsComplete "n") and (RowCount = 3)', "PASS"),
        ('(IsComplete "s") and (RowCount = 3)', "FAIL"),
        ('(IsComplete "s") or ((RowCount = 3) and (RowCount > 0))', "PASS"),
        ('CustomSql "select max(`n`) from primary" between 1 and 3', "PASS"),
        ('CustomSql "select count(*) from primary where moment >= current_timestamp - interval 24 hours" = 1', "PASS"),
        ('CustomSql "select nothing from primary" = 1', "ERROR"),
        ('ColumnValues "ghost" in [1]', "ERROR"),
    ],
)
def test_a_rule_means_what_aws_documents(rule: str, result: str) -> None:
    old, young = (f"TIMESTAMP '{NOW - timedelta(hours=hours):%Y-%m-%d %H:%M:%S}'" for hours in (25, 24))
    assert judged(f"(1, 'a', {old}), (2, '', {young}), (-3, NULL, NULL)", rule)[0] == result


def test_a_failed_rule_says_what_was_measured() -> None:
    assert judged("(1, 'a', NULL), (2, NULL, NULL)", 'IsComplete "s"') == (
        "FAIL",
        "Value: 0.5 does not meet the constraint requirement!",
    )
