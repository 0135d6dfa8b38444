"""The real handlers, driven by the workflow as it is synthesised, through the ways that loads and faults can go."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline_scripts.functions.ingestion_ledger import IngestionLedger, Run
from pipeline_scripts.functions.partition import Partition
from tests.runtime.ingestion_world import ARN, BUCKET, CLAIM_SECONDS, LEDGER, MODEL, World, clients, new_world
from tests.runtime.state_machine import TaskFailed

# Every state of a run that publishes and trains, in order; Done is entered when all is written.
WAY = [
    "Begin",
    "Claim",
    "Claimed",
    "Extract",
    "Erased",
    "Record",
    "RegisterVersion",
    "JudgeVersion",
    "FillFeatures",
    "FeaturesAreBeingFilled",
    "LookAtFeatures",
    "FeaturesFilled",
    "TrainOnIt",
    "StartTraining",
    "Close",
    "Closed",
    "Done",
]


@pytest.fixture(scope="module")
def aws() -> Iterator[tuple[Any, Any]]:
    with clients() as made:
        yield made


@pytest.fixture
def world(aws: tuple[Any, Any]) -> World:
    return new_world(*aws)


def broken(message: str, state: str = "FAILED") -> TaskFailed:
    run = {"Id": "jr_1", "JobRunState": state, "ErrorMessage": message}
    return TaskFailed("States.TaskFailed", json.dumps(run))


def metrics(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]


def test_new_data_is_published_filled_in_trained_on_and_written_down(world: World) -> None:
    assert world.run("a", {"cause": "schedule"}) == WAY
    [line] = world.lines().values()
    assert {key: line[key] for key in ("outcome", "cause", "mode", "rows", "rejected", "changed", "run_id")} == {
        "outcome": "succeeded",
        "cause": "schedule",
        "mode": "incremental",
        "rows": 100,
        "rejected": 0,
        "changed": True,
        "run_id": "r1",
    }
    assert line["training"] == "started: arn:pipeline/0"
    assert world.lineage.kinds == {
        ("SourceTable", "Ingestion"),
        ("Ingestion", "CuratedDataset"),
        ("CuratedDataset", "PipelineExecution"),
    }
    assert world.lineage.properties("SourceTable") == {"name": "core/CUSTOMERS"}
    assert line["job_run"] == "jr_1"
    assert line["minutes"] > 1
    [parameters] = world.trainings.values()
    assert parameters["Reason"] == "new data"
    assert parameters["DatasetUri"].endswith("/runs/r1/")
    assert world.holder() is None


def test_data_that_has_not_changed_starts_no_training(world: World) -> None:
    world.run("a")
    states = world.run("b")
    assert "StartTraining" not in states
    assert world.lines()["b"]["changed"] is False
    assert world.lines()["b"]["training"] == "none: the data set has not changed"
    assert len(world.trainings) == 1


def test_data_that_goes_back_to_what_it_was_is_a_change_as_well(world: World) -> None:
    for name, content in (("a", "one"), ("b", "two"), ("c", "one")):
        world.content = content
        world.run(name)
    assert len(world.trainings) == 3


def test_a_person_may_run_it_without_a_training(world: World) -> None:
    assert "StartTraining" not in world.run("a", {"train": False})
    assert world.lines()["a"]["training"] == "none: not wanted in this run"


@pytest.mark.parametrize("refuses", [False, True])
def test_glue_judges_the_version_for_the_record_and_no_run_fails_by_it(world: World, refuses: bool) -> None:
    world.glue_refuses = refuses
    assert world.run("a") == WAY
    asked = dict(world.asked_glue)
    assert asked["createPartition"] == {"run_id": "r1", "dataset_uri": "s3://curated/bank_churn/runs/r1/"}
    assert asked["startDataQualityRulesetEvaluationRun"] == {"run_id": "r1"}


def test_an_erasure_runs_the_job_alone_and_publishes_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.run("a")
    capsys.readouterr()
    name = "0123456789abcdef" * 2
    states = world.run("b", {"cause": "an erasure", "erasure": name})
    assert states == ["Begin", "Claim", "Claimed", "Extract", "Erased", "Close", "Closed", "Done"]
    assert world.job_arguments[-1] == {"--erasure": name}
    line = world.lines()["b"]
    assert (line["outcome"], line["mode"], line["training"]) == ("succeeded", "erasure", "none: an erasure")
    assert metrics(capsys) == []  # it says nothing of how fresh the data set is
    assert world.ledger.published()[1] == "r1"


def test_the_brake_may_refuse_and_that_is_no_failure(world: World) -> None:
    world.cooldown_hours = 24
    world.run("a")
    world.content = "hash-2"
    assert world.run("b")[-1] == "Done"
    assert world.lines()["b"]["training"].startswith("refused: the last automatic training was at")


def test_the_job_gets_the_arguments_that_were_given_and_no_others(world: World) -> None:
    world.run("a")
    world.run("b", {"mode": "backfill", "backfill_from": "2026-01-01", "backfill_to": "2026-01-31"})
    world.run("c", {"as_of": "2026-02-01", "mode": "full"})
    assert world.job_arguments == [
        {},
        {"--mode": "backfill", "--backfill_from": "2026-01-01", "--backfill_to": "2026-01-31"},
        {"--mode": "full", "--as_of": "2026-02-01"},
    ]


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ("now", "must be an object"),
        ({"colour": "red"}, "'colour' is not known"),
        ({"erasure": "4711"}, "32 hex digits"),
        ({"erasure": "a" * 32, "mode": "full"}, "an erasure reads nothing"),
        ({"train": "yes"}, "must be true or false"),
        ({"mode": "fast"}, "must be one of auto, full, backfill"),
        ({"as_of": "yesterday"}, "must be a date as YYYY-MM-DD"),
        ({"as_of": 20260131}, "must be a date as YYYY-MM-DD"),
        ({"mode": "backfill", "backfill_from": "2026-01-01"}, "needs both its days"),
        ({"backfill_from": "2026-01-01", "backfill_to": "2026-01-02"}, "belongs to a backfill"),
        ({"mode": "backfill", "backfill_from": "2026-01-02", "backfill_to": "2026-01-01"}, "must not be after"),
    ],
)
def test_an_input_that_makes_no_sense_is_refused_and_written_down(world: World, asked: Any, reason: str) -> None:
    execution = world.start("a", asked)
    assert execution.finish() == "Failed"
    assert reason in execution.machine.data, "the execution's cause says it as well"
    assert world.job_arguments == []
    assert world.lines()["a"]["outcome"] == "failed"
    assert reason in world.lines()["a"]["reason"]
    assert world.holder() is None


def test_a_duplicate_start_is_skipped_and_written_down(world: World) -> None:
    first = world.start("a")
    first.until("Record")
    assert world.run("b") == ["Begin", "Claim", "Claimed", "Skipped"]
    assert first.finish() == "Done"
    lines = world.lines()
    assert (lines["a"]["outcome"], lines["b"]["outcome"]) == ("succeeded", "skipped")
    assert lines["b"]["reason"] == "another run is at work: a"
    assert len(world.job_arguments) == 1


@pytest.mark.parametrize("order", sorted(set(itertools.permutations("aaaabbbb", 8)))[::5])
def test_of_two_at_once_one_works_whatever_the_order(world: World, order: tuple[str, ...]) -> None:
    executions = {name: world.start(name) for name in "ab"}
    ends: dict[str, str] = {}
    for name in [*order, *("ab" * len(WAY))]:
        state = next(executions[name].states, None)
        if state is None:
            world.ended.add(f"{ARN}:{name}")
        else:
            ends[name] = state
    assert set(ends.values()) <= {"Done", "Skipped"}
    assert "Done" in ends.values()
    outcomes = {name: line["outcome"] for name, line in world.lines().items()}
    assert outcomes == {name: "succeeded" if end == "Done" else "skipped" for name, end in ends.items()}
    assert len(world.job_arguments) == sum(end == "Done" for end in ends.values())
    assert len(world.trainings) == 1
    assert world.holder() is None


def test_of_two_that_saw_the_claim_free_one_gets_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Partition.item

    def read_and_be_overtaken(self: Partition, name: str) -> dict[str, Any]:
        found = read(self, name)
        monkeypatch.setattr(Partition, "item", read)
        assert world.ledger.claim(run("b"), seconds=CLAIM_SECONDS, ended=lambda _: False, facts={}) is None
        return found

    def run(name: str) -> Run:
        return Run(execution=f"{ARN}:{name}", started_at="2027-01-15T08:00:00Z")

    monkeypatch.setattr(Partition, "item", read_and_be_overtaken)
    assert world.ledger.claim(run("a"), seconds=CLAIM_SECONDS, ended=lambda _: False, facts={}) == f"{ARN}:b"
    assert world.holder() == "b"


@pytest.mark.parametrize("state", WAY[2:])
def test_a_killed_run_is_succeeded_by_the_next_and_nothing_is_lost_or_doubled(world: World, state: str) -> None:
    killed = world.start("a")
    killed.until(state)
    world.ended.add(f"{ARN}:a")
    assert world.run("b")[-1] == "Done"
    lines = world.lines()
    complete = state in ("Closed", "Done")
    assert lines["a"]["outcome"] == ("succeeded" if complete else "lost")
    assert lines["b"]["outcome"] == "succeeded"
    if not complete:
        assert "stopped, or ran out of time" in lines["a"]["reason"]
        assert lines["a"]["ended_at"]
    assert len(world.trainings) == 1, "the new data is trained on once, whoever got how far"
    assert world.holder() is None


@pytest.mark.parametrize("twice", [False, True], ids=["once", "every step twice"])
@pytest.mark.parametrize("state", WAY[2 : WAY.index("Closed")])
def test_an_event_that_arrives_during_a_run_is_followed_by_another_run(world: World, state: str, twice: bool) -> None:
    world.twice = twice
    first = world.start("a")
    first.until(state)
    for name in ("b", "c"):
        assert world.run(name, {"cause": "event: a file has arrived"})[-1] == "Skipped"
    assert list(first.states)[-2:] == ["RunAgain", "Done"]
    [again] = world.started_again
    assert again["StateMachineArn"] == "machine"
    assert world.run("d", again["Input"])[-1] == "Done"
    assert len(world.started_again) == 1, "one more run sees all that has arrived"


def test_an_event_that_arrives_at_the_last_moment_is_not_lost(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first = world.start("a")
    first.until("Close")
    release = IngestionLedger._release

    def release_and_be_called(self: IngestionLedger, *arguments: Any, **named: Any) -> bool:
        monkeypatch.setattr(IngestionLedger, "_release", release)
        assert world.run("b", {"cause": "event: ready"})[-1] == "Skipped"
        return release(self, *arguments, **named)

    monkeypatch.setattr(IngestionLedger, "_release", release_and_be_called)
    assert "RunAgain" in list(first.states)


def test_an_event_whose_holder_has_just_left_runs_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first = world.start("a")
    first.until("Close")
    call = IngestionLedger._call

    def leave_and_be_called(self: IngestionLedger, owner: str) -> bool:
        monkeypatch.setattr(IngestionLedger, "_call", call)
        assert first.finish() == "Done"
        return call(self, owner)

    monkeypatch.setattr(IngestionLedger, "_call", leave_and_be_called)
    assert world.run("b", {"cause": "event: ready"})[-1] == "Done"
    assert world.started_again == []


@pytest.mark.parametrize("cause", ["schedule", "a person"])
def test_a_start_that_tells_of_nothing_new_calls_for_no_other_run(world: World, cause: str) -> None:
    first = world.start("a")
    first.until("Extract")
    world.run("b", {"cause": cause})
    assert "RunAgain" not in list(first.states)


def test_a_killed_run_that_had_not_claimed_keeps_nobody_out(world: World) -> None:
    killed = world.start("a")
    killed.until("Claim")
    assert world.run("b")[-1] == "Done"


def test_a_holder_that_still_runs_is_left_alone_until_its_time_is_up(world: World) -> None:
    world.start("a").until("Extract")
    world.now += CLAIM_SECONDS - 100
    assert world.run("b")[-1] == "Skipped"
    world.now += 200
    assert world.run("c")[-1] == "Done"
    assert world.lines()["a"]["outcome"] == "lost"


@pytest.mark.parametrize("state", ["Record", "Close"])
def test_a_run_that_was_succeeded_writes_nothing_more(world: World, state: str) -> None:
    slow = world.start("a")
    slow.until(state)
    world.ended.add(f"{ARN}:a")
    world.start("b").until("Extract")
    assert slow.finish() == "Failed"
    assert "another run has taken over" in slow.machine.data
    assert world.lines()["a"]["outcome"] == "lost"
    assert world.holder() == "b", "its claim is not given away"


def test_a_repeated_call_of_any_step_changes_nothing(world: World) -> None:
    world.twice = True
    assert world.run("a") == WAY
    assert len(world.trainings) == 1
    assert [line["outcome"] for line in world.lines().values()] == ["succeeded"]
    assert world.lines()["a"]["changed"] is True
    assert world.run("b")[-1] == "Done"


def test_a_job_that_breaks_once_is_tried_again(world: World) -> None:
    world.job_fails = [broken("password authentication failed")]
    assert "ExtractAgain" in world.run("a")
    assert world.lines()["a"]["outcome"] == "succeeded"


def test_a_job_that_breaks_twice_has_failed_and_the_ledger_says_why(world: World) -> None:
    world.job_fails = [broken("one"), broken("the database does not answer")]
    execution = world.start("a")
    assert execution.finish() == "Failed"
    assert execution.machine.data == "job run jr_1 ended FAILED: the database does not answer"
    assert world.lines()["a"]["reason"] == execution.machine.data
    assert world.holder() is None


@pytest.mark.parametrize("error", ["SourceRefused: column SSN is not declared", "etl.errors.RunQuarantined: 3 hits"])
def test_a_job_that_refuses_its_source_is_not_tried_again(world: World, error: str) -> None:
    world.job_fails = [broken(error)]
    assert world.run("a")[-1] == "Failed"
    assert len(world.job_arguments) == 1
    assert error in world.lines()["a"]["reason"]


def test_a_place_that_is_taken_in_glue_is_waited_for(world: World) -> None:
    taken = TaskFailed("Glue.ConcurrentRunsExceededException", "Concurrent runs exceeded for etl")
    world.job_fails = [taken, taken, taken]
    assert world.run("a")[-1] == "Done"
    world.job_fails = [taken] * 100
    assert world.run("b")[-1] == "Failed"
    assert "Concurrent runs exceeded" in world.lines()["b"]["reason"]


def lose_pointer(world: World) -> None:
    world.s3.delete_object(Bucket=BUCKET, Key=f"{MODEL}/current.json")


def lose_manifest(world: World) -> None:
    world.s3.delete_object(Bucket=BUCKET, Key=f"{MODEL}/runs/r1/_manifest.json")


def point(**facts: Any) -> Any:
    def change(world: World) -> None:
        pointer = json.loads(world.s3.get_object(Bucket=BUCKET, Key=f"{MODEL}/current.json")["Body"].read())
        changed = {key: value for key, value in {**pointer, **facts}.items() if value is not None}
        world.put(f"{MODEL}/current.json", changed)

    return change


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lose_pointer, "current.json does not exist"),
        (lose_manifest, "_manifest.json does not exist"),
        (lambda world: world.put(f"{MODEL}/current.json", b"{"), "current.json is not JSON"),
        (lambda world: world.put(f"{MODEL}/current.json", b"\xff"), "current.json is not JSON"),
        (lambda world: world.put(f"{MODEL}/current.json", b"[]"), "is not a JSON object"),
        (point(dataset_hash=None), "names no data set"),
        (point(rows="many"), "names no data set"),
        (point(manifest_uri="s3://elsewhere/_manifest.json"), "outside its model's prefix"),
        (point(run_id="r0"), "is not the manifest of the run"),
        (point(rows=99), "is not the manifest of the run"),
    ],
)
def test_a_publication_that_cannot_be_read_is_a_failure_with_its_reason(world: World, damage: Any, reason: str) -> None:
    execution = world.start("a")
    execution.until("Record")
    damage(world)
    assert execution.finish() == "Failed"
    assert reason in world.lines()["a"]["reason"]
    assert world.trainings == {}
    assert world.run("b")[-1] == "Done"
    assert len(world.trainings) == 1, "what the failed run left undone, the next one does"


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_features_that_are_not_filled_fail_the_run_before_any_training(world: World, status: str) -> None:
    world.filling = ["InProgress", status]
    states = world.run("a")
    assert states.count("FeaturesAreBeingFilled") == 2
    assert states[-1] == "Failed"
    assert world.lines()["a"]["reason"] == f"FeaturesNotFilled: processing job fill-r1 ended {status}"
    assert world.trainings == {}
    world.run("b")
    assert len(world.trainings) == 1


def test_the_metrics_name_model_and_environment_and_nothing_else(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.manifest |= {"rejected": {"score: above 850": 2, "name: missing": 1}, "new_surrogates": 7}
    world.run("a")
    [told] = metrics(capsys)
    [directive] = told["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Baton/Ingestion"
    assert [sorted(names) for names in directive["Dimensions"]] == [["Environment", "Model"]]
    assert (told["Model"], told["Environment"]) == (MODEL, "dev")
    assert (told["PublishedRows"], told["RejectedRows"], told["NewSurrogates"]) == ([100], [3], [7])
    assert told["RunMinutes"] == [1.0]
    assert "RowsOfUsual" not in told, "the first run has nothing to be compared with"


def test_a_manifest_that_tells_little_gives_few_metrics(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.manifest = {}
    world.run("a")
    [told] = metrics(capsys)
    assert "RejectedRows" not in told and "NewSurrogates" not in told


def test_the_volume_is_compared_with_the_median_of_the_last_week(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    for day, rows in enumerate((10_000, 100, 110, 1, 90, 105, 98, 40)):
        world.rows = rows
        world.now += 24 * 3600
        world.run(f"day-{day}")
    assert metrics(capsys)[-1]["RowsOfUsual"] == [40.404], "the median is 99: day 0 is too long ago"


def test_a_run_that_was_skipped_or_failed_tells_no_rows(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    holder = world.start("a")
    holder.until("Extract")
    world.run("b")
    world.job_fails = [broken("x"), broken("y")]
    holder.finish()
    assert metrics(capsys) == []


def test_the_results_of_the_quality_rules_are_in_the_ledger(world: World) -> None:
    world.manifest["quality"] = [{"rule": "complete gender", "outcome": "passed", "rejected": 0}]
    world.run("a")
    assert json.loads(world.lines()["a"]["quality"]) == [["complete gender", "passed"]]


def test_a_reason_of_any_length_fits_into_the_ledger(world: World) -> None:
    world.job_fails = [broken("Refused " + "x" * 100_000)]
    assert world.run("a")[-1] == "Failed"
    assert len(world.lines()["a"]["reason"]) == 1000


def test_a_ledger_of_many_pages_is_read_to_its_end(world: World) -> None:
    partition = Partition(client=world.dynamodb, table=LEDGER, key=("model", MODEL), sort_key="entry")
    for number in range(400):
        facts = {"outcome": "succeeded", "rows": number, "reason": "x" * 4000, "ratio": 0.5, "changed": True}
        name = f"run#2027-01-15T08:00:00.{number:03}Z#e"
        partition.change(name, put=facts, where="attribute_not_exists(#outcome)", given={})
    lines = list(partition.between("run#", "run#~"))
    assert len(lines) == 400
    assert lines[7] == {"outcome": "succeeded", "rows": 7, "reason": "x" * 4000, "ratio": 0.5, "changed": True}
    ledger = IngestionLedger(partition=partition, clock=lambda: world.now)
    assert ledger.usual_rows() == 199.5
