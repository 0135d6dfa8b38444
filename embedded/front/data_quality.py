"""Glue Data Quality: rulesets of the catalogue's tables, and runs that really evaluate them."""

import threading
import time
import uuid
from datetime import UTC, datetime
from typing import Any

from embedded.front.api import ApiError, Caller, Handler, ModelledService
from embedded.quality.dqdl import DqdlError, parse
from embedded.quality.evaluation import PASS, Evaluation
from embedded.quality.table import open_table
from embedded.sagemaker.workshop import Workshop

Record = dict[str, Any]


class _Short:
    """An evaluation takes a moment and is not interrupted."""

    def stop(self) -> None:
        """Let it end by itself."""


class DataQuality:
    """The actions on rulesets, on their evaluation and on its results."""

    def __init__(self, *, workshop: Workshop) -> None:
        self._workshop = workshop
        self._lock = threading.Lock()
        self._rulesets: dict[str, Record] = {}
        self._runs: dict[str, Record] = {}
        self._results: dict[str, Record] = {}

    def actions(self) -> dict[str, Handler]:
        """The handlers by operation name."""
        return {
            "CreateDataQualityRuleset": self._create,
            "GetDataQualityRuleset": self._get,
            "UpdateDataQualityRuleset": self._update,
            "DeleteDataQualityRuleset": self._delete,
            "ListDataQualityRulesets": self._list,
            "StartDataQualityRulesetEvaluationRun": self._start,
            "GetDataQualityRulesetEvaluationRun": self._get_run,
            "GetDataQualityResult": self._get_result,
        }

    def service(self) -> ModelledService:
        """These actions behind Glue's protocol."""
        return ModelledService(name="glue", actions=self.actions())

    def _create(self, request: Record, caller: Caller) -> Record:
        name, now = request["Name"], datetime.now(UTC)
        _check(request["Ruleset"])
        with self._lock:
            if name in self._rulesets:
                raise ApiError("AlreadyExistsException", f"Ruleset {name} already exists")
            self._rulesets[name] = {**request, "CreatedOn": now, "LastModifiedOn": now}
        return {"Name": name}

    def _get(self, request: Record, caller: Caller) -> Record:
        with self._lock:
            return dict(_found(self._rulesets, request["Name"], "Ruleset"))

    def _update(self, request: Record, caller: Caller) -> Record:
        if "Ruleset" in request:
            _check(request["Ruleset"])
        with self._lock:
            known = _found(self._rulesets, request["Name"], "Ruleset")
            known.update({**request, "LastModifiedOn": datetime.now(UTC)})
            return dict(known)

    def _delete(self, request: Record, caller: Caller) -> Record:
        with self._lock:
            _found(self._rulesets, request["Name"], "Ruleset")
            del self._rulesets[request["Name"]]
        return {}

    def _list(self, request: Record, caller: Caller) -> Record:
        wanted = request.get("Filter", {})
        with self._lock:
            known = [dict(ruleset) for ruleset in self._rulesets.values()]
        return {
            "Rulesets": [
                {**ruleset, "RuleCount": len(parse(ruleset["Ruleset"]))}
                for ruleset in known
                if all(ruleset.get(key) == wanted[key] for key in ("Name", "TargetTable") if key in wanted)
            ]
        }

    def _start(self, request: Record, caller: Caller) -> Record:
        source = request["DataSource"].get("GlueTable")
        if source is None:
            raise ApiError("InvalidInputException", "embedded AWS evaluates a GlueTable alone")
        with self._lock:
            rulesets = [dict(_found(self._rulesets, name, "Ruleset")) for name in request["RulesetNames"]]
        run_id, now = f"dqrun-{uuid.uuid4().hex}", datetime.now(UTC)
        record = {
            **request,
            "RunId": run_id,
            "Status": "STARTING",
            "StartedOn": now,
            "LastModifiedOn": now,
            "ExecutionTime": 0,
        }
        with self._lock:
            self._runs[run_id] = record
        self._workshop.start_job(run_id, _Short(), lambda: self._execute(record, rulesets))
        return {"RunId": run_id}

    def _execute(self, record: Record, rulesets: list[Record]) -> None:
        started = time.monotonic()
        outcome: Record = {"Status": "FAILED", "ErrorString": "the evaluation broke off; see the server's log"}
        try:
            results = self._evaluate(record, rulesets)
            with self._lock:
                self._results.update({result["ResultId"]: result for result in results})
            outcome = {"Status": "SUCCEEDED", "ResultIds": [result["ResultId"] for result in results]}
        except (DqdlError, self._workshop.client("glue").exceptions.EntityNotFoundException) as error:
            outcome = {"Status": "FAILED", "ErrorString": str(error)}
        finally:
            now = datetime.now(UTC)
            with self._lock:
                record.update({**outcome, "CompletedOn": now, "LastModifiedOn": now})
                record["ExecutionTime"] = round(time.monotonic() - started)

    def _evaluate(self, record: Record, rulesets: list[Record]) -> list[Record]:
        source = record["DataSource"]["GlueTable"]
        folder = self._workshop.folder("data-quality", record["RunId"])
        with open_table(source, client=self._workshop.client, folder=folder) as connection:
            evaluation = Evaluation(connection, now=record["StartedOn"])
            return [_result(record, ruleset, evaluation) for ruleset in rulesets]

    def _get_run(self, request: Record, caller: Caller) -> Record:
        with self._lock:
            return dict(_found(self._runs, request["RunId"], "Run"))

    def _get_result(self, request: Record, caller: Caller) -> Record:
        with self._lock:
            return dict(_found(self._results, request["ResultId"], "Result"))


def _check(ruleset: str) -> None:
    try:
        parse(ruleset)
    except DqdlError as error:
        raise ApiError("InvalidInputException", f"Ruleset is not valid: {error}") from error


def _found(records: dict[str, Record], key: str, kind: str) -> Record:
    if key not in records:
        raise ApiError("EntityNotFoundException", f"{kind} {key} not found.")
    return records[key]


def _result(record: Record, ruleset: Record, evaluation: Evaluation) -> Record:
    """What one ruleset found. The score is the share of its rules that pass."""
    outcomes = evaluation.judge(parse(ruleset["Ruleset"]))
    return {
        "ResultId": f"dqresult-{uuid.uuid4().hex}",
        "Score": sum(outcome.result == PASS for outcome in outcomes) / len(outcomes),
        "DataSource": record["DataSource"],
        "RulesetName": ruleset["Name"],
        "RulesetEvaluationRunId": record["RunId"],
        "StartedOn": record["StartedOn"],
        "CompletedOn": datetime.now(UTC),
        "RuleResults": [
            {
                "Name": f"Rule_{number}",
                "EvaluatedRule": outcome.text,
                "EvaluationMessage": outcome.message,
                "Result": outcome.result,
                "EvaluatedMetrics": outcome.metrics,
            }
            for number, outcome in enumerate(outcomes, start=1)
        ],
    }
