"""The order of the acts: from an empty machine to a version that an alarm had retrained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cli.connection import from_environment
from cli.etl import Dataset
from cli.evidence import Evidence
from cli.lineage.trace import trace
from cli.monitors import MonitorResult
from cli.registry import Version
from cli.serving import serving
from cli.stacks import Platform
from cli.storage import read_json
from cli.training import Execution
from embedded.demo import acts, deployed, source_database
from embedded.demo.outcome import Performance
from embedded.demo.personal_values import PersonalValues
from embedded.demo.population import Population, from_table, generated
from embedded.demo.stage import Stage
from embedded.demo.traffic import Stretch
from embedded.sample.requests import requests
from embedded.server import EmbeddedAws
from embedded.source.database import EmbeddedDatabase
from pipeline_scripts.evidence.findings import AgainstChampion

START = "Start embedded AWS"
DEPLOY = "Synthesise, bootstrap and deploy"
DESCRIBE = "Describe every resource back"
SEED = "Fill the bank's database"
EXTRACT = "Extract and pseudonymise"
TRAIN = "Train, explain, register"
JUDGE = "Read the evidence"
APPROVE = "Approve, and come to serve"
ORDINARY = "Ordinary traffic and its labels"
WATCH = "Watch: all quiet"
CHANGE = "The bank changes"
DRIFT = "Changed traffic and its labels"
ALARM = "Watch: violations, alarm"
RETRAIN = "The alarm retrains"
MEASURE = "Measure up to the champion"
TRACE = "Trace one prediction"
REPRODUCE = "Make the version once more"
SEARCH = "Search for personal data"
REPORT = "Write the report"
TITLES = (
    *(START, DEPLOY, SEED, EXTRACT, TRAIN, JUDGE, APPROVE, DESCRIBE, ORDINARY, WATCH),
    *(CHANGE, DRIFT, ALARM, RETRAIN, MEASURE, TRACE, REPRODUCE, SEARCH, REPORT),
)
ENVIRONMENT = "dev"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to perform.

    Args:
        data: A CSV as the source table; None: generated customers.
        rows: How many customers to generate.
        traffic: Requests in each stretch of traffic.
    """

    data: Path | None
    rows: int
    traffic: int


@dataclass(frozen=True, kw_only=True)
class Bank:
    """The deployed platform with a full database behind it."""

    platform: Platform
    model_json: dict[str, Any]
    people: Population
    database: EmbeddedDatabase

    def requests(self, people: pd.DataFrame, dataset: Dataset, *, prefix: str) -> pd.DataFrame:
        """What the bank's application asks about these people, on the day the data set was made."""
        manifest = read_json(self.platform.connection, f"{dataset.uri.rstrip('/')}/_manifest.json") or {}
        as_of = pd.Timestamp(manifest["as_of"]).date()
        return requests(frame=people, model_json=self.model_json, as_of=as_of, prefix=prefix)


@dataclass(frozen=True, kw_only=True)
class Served:
    """The first version, serving."""

    dataset: Dataset
    execution: Execution
    evidence: Evidence
    approval: acts.Approval


def perform(stage: Stage, aws: EmbeddedAws, plan: Plan, context: Mapping[str, str]) -> tuple[Platform, Performance]:
    """Play every act.

    Args:
        stage: Shows them.
        aws: Embedded AWS, already started.
        plan: What to perform.
        context: The CDK context of the deployment.
    """
    bank = _open_bank(stage, aws, plan, context)
    served = _first_version(stage, bank, author=context["author"])
    platform = bank.platform
    with stage.act(DESCRIBE) as act:
        # Only now: what serves and watches a version is left out of the stacks while none is approved.
        types = deployed.describe(act, aws)
    with stage.act(ORDINARY) as act:
        stretch = acts.ask(act, platform, bank.requests(bank.people.quiet, served.dataset, prefix="ordinary"))
    with stage.act(WATCH) as act:
        quiet = acts.watch(act, platform, stretch)
        acts.expect_quiet(quiet)
    drifted, alarm, retrained, comparison = _decay(stage, bank, served)
    with stage.act(TRACE) as act:
        lineage = trace(platform, stretch.some_inference_id)
        code = next(station for station in lineage.stations if station.kind == "code")
        back = f"{len(lineage.stations)} stations back to commit {code.name} of {code.facts['author']}"
        act.end(f"{stretch.some_inference_id}: {back}")
    with stage.act(REPRODUCE) as act:
        reproduced = acts.reproduce(act, platform, served.approval.version)
    with stage.act(SEARCH) as act:
        watermark = bank.model_json["source"]["watermark"]  # says when a row changed, and stands in the manifest
        columns = {name: column for name, column in bank.model_json["columns"].items() if name != watermark}
        values = PersonalValues(columns, bank.people.everybody(), software=deployed.software())
        searched = acts.search_zones(act, platform, values)
    now = serving(platform)
    return platform, Performance(
        title=bank.model_json["title"],
        types=types,
        rows=len(bank.people.bank),
        execution=served.execution,
        evidence=served.evidence,
        approval=served.approval,
        answers=len(stretch.requests) + len(bank.people.drifted),
        quiet=tuple(quiet),
        drifted=tuple(drifted),
        alarm=alarm,
        retrained=retrained,
        comparison=comparison,
        reproduced=reproduced,
        lineage=lineage,
        searched=searched,
        endpoint_url=f"{aws.url}/endpoints/{now.endpoint}/invocations",
        served_arn=now.package_arn or "",
    )


def _open_bank(stage: Stage, aws: EmbeddedAws, plan: Plan, context: Mapping[str, str]) -> Bank:
    with stage.act(DEPLOY) as act:
        deployed.deploy(act, aws, context={**context, "environment": ENVIRONMENT})
    platform = Platform(from_environment(aws.environment()), ENVIRONMENT)
    with stage.act(SEED) as act:
        model_json = deployed.model_json(platform)
        if plan.data:
            people = from_table(plan.data, model_json=model_json, traffic=plan.traffic)
        else:
            people = generated(rows=plan.rows, traffic=plan.traffic)
        database, password = source_database.new_database(aws.state / "bank")
        rows = source_database.write(database, model_json, people.bank)
        source_database.point_platform_at(platform, database, password)
        act.end(f"{rows:,} customers in {model_json['source']['table']}")
    return Bank(platform=platform, model_json=model_json, people=people, database=database)


def _first_version(stage: Stage, bank: Bank, *, author: str) -> Served:
    platform = bank.platform
    with stage.act(EXTRACT) as act:
        dataset = acts.extract(act, platform, as_of=bank.people.as_of)
    with stage.act(TRAIN) as act:
        execution, version = acts.train(act, platform, author=author)
    with stage.act(JUDGE) as act:
        evidence = acts.judge(act, platform, version)
    with stage.act(APPROVE) as act:
        approval = acts.approve(act, platform, version)
    return Served(dataset=dataset, execution=execution, evidence=evidence, approval=approval)


def _decay(stage: Stage, bank: Bank, served: Served) -> tuple[Sequence[MonitorResult], str, Version, AgainstChampion]:
    platform = bank.platform
    with stage.act(CHANGE) as act:
        rows = source_database.write(bank.database, bank.model_json, bank.people.newcomers, append=True)
        act.note(f"{rows:,} customers; extracting again")
        dataset = acts.extract(act, platform, as_of=bank.people.as_of)
    with stage.act(DRIFT) as act:
        stretch: Stretch = acts.ask(act, platform, bank.requests(bank.people.drifted, dataset, prefix="changed"))
    with stage.act(ALARM) as act:
        before = acts.known(platform)
        drifted = acts.watch(act, platform, stretch)
        alarm = acts.await_alarm(act, platform)
    with stage.act(RETRAIN) as act:
        _, retrained = acts.await_retraining(act, platform, before)
    with stage.act(MEASURE) as act:
        comparison = acts.measure(act, platform, retrained)
    return drifted, alarm, retrained, comparison
