"""One run: source → refuse or read → pseudonymise → judge → stage beside the vault → check → publish.

What is not yet checked lies only in the vault's bucket, which no reader of the curated zone can open.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from pipeline_scripts.etl.arguments import Arguments
from pipeline_scripts.etl.connection import find_hash_key
from pipeline_scripts.etl.content import content_hash
from pipeline_scripts.etl.errors import QualityRefused, SourceRefused
from pipeline_scripts.etl.lake import Lake
from pipeline_scripts.etl.leaks import find_leaks, find_patterns
from pipeline_scripts.etl.merge import merge_key, merged, refuse_repeated_keys
from pipeline_scripts.etl.publication import DataFile, Version, describe_files, publish
from pipeline_scripts.etl.rejection import Judged, split
from pipeline_scripts.etl.sources.open import open_source
from pipeline_scripts.etl.sources.source import PROBLEM, Source
from pipeline_scripts.etl.staging import Staging
from pipeline_scripts.etl.surrogates import SurrogateVault, open_vaults
from pipeline_scripts.etl.treatments import pseudonymise, surrogate_column
from pipeline_scripts.etl.verdict import judge
from pipeline_scripts.etl.versions import Published, check_evolution, current_version, output_columns, read_version
from pipeline_scripts.etl.window import Plan, plan_run, watermark_to_json
from pipeline_scripts.model import Model

BROADCAST_ROWS = 3_000_000  # of a key and a number: some hundred megabytes in every executor
ROWS, REJECTED = "rows", "rejected"  # the parts of a run's output

log = logging.getLogger("baton.etl")


@dataclass(frozen=True, kw_only=True)
class Read:
    """What a run took from the source: the rows that are rows, how many were read, and why the others are none."""

    rows: DataFrame
    count: int
    problems: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Content:
    """The rows of a version to be, and how many they must be."""

    frame: DataFrame
    rows: int


@dataclass(frozen=True, kw_only=True)
class Made:
    """A version that is staged, checked and judged, and not yet published."""

    files: list[DataFile]
    dataset_hash: str
    new_surrogates: int
    rejected: dict[str, int]
    quality: list[dict[str, Any]]


class Run:
    """One run of one model.

    Args:
        lake: Where it works.
        model: Says what to read and what becomes of it.
        arguments: Say where from, where to, and how much.
        run_id: Its name.
        now: When it began, in UTC.
    """

    def __init__(self, *, lake: Lake, model: Model, arguments: Arguments, run_id: str, now: datetime) -> None:
        self._lake = lake
        self._model = model
        self._arguments = arguments
        self._run_id = run_id
        self._now = now
        self._staging = Staging(
            vault_uri=arguments.vault_uri, run_id=run_id, model=model, objects=lake.objects, frames=lake.frames
        )

    def execute(self) -> dict[str, Any]:
        """Read, publish and say what was done.

        Raises:
            EtlError: See `pipeline_scripts.etl.job.work`.
        """
        published = current_version(self._lake.objects, self._arguments.curated_uri)
        check_evolution(self._model, published)
        source = self._source()
        plan = plan_run(
            model=self._model,
            arguments=self._arguments,
            published=published.manifest,
            newest=source.newest(),
            now=self._now,
        )
        log.info("reads %s: %s", "everything" if plan.mode == "full" else "a part", plan.why)
        self._staging.clear_all()
        with held(source.read(plan.window)) as frame:
            read = self._read(frame, plan)
            if not read.count and published.manifest is not None:
                log.info("nothing changed, so the published version stays")
                return _summary(published.manifest, mode=plan.mode, read=0)
            made = self._make(read, plan=plan, published=published)
        manifest = self._publish(made, plan=plan, published=published)
        self._staging.clear()
        log.info("published run %s", self._run_id)
        return _summary(manifest, mode=plan.mode, read=read.count)

    def _make(self, read: Read, *, plan: Plan, published: Published) -> Made:
        """Stage the version to be, and see that it may be published."""
        treated, new = self._treat(read.rows)
        judged = split(treated, model=self._model)
        content = self._content(judged, plan=plan, published=published, read=read)
        staged = self._staging.write(content.frame, part=ROWS, rows=content.rows)
        rejected = (
            self._staging.write(judged.rejected, part=REJECTED, rows=judged.rejections) if judged.counts else None
        )
        files = describe_files(staged=staged, uri=self._staging.uri(ROWS), objects=self._lake.objects)
        self._check(staged, rejected, source=read.rows, lost=content.rows - sum(file.rows for file in files))
        if rejected is not None:
            self._show_rejected()
        reasons = {**judged.counts, **read.problems}
        quality = self._judge(staged, rejected=reasons, read=read, published=published)
        return Made(
            files=files,
            dataset_hash=content_hash(staged, columns=output_columns(self._model)),
            new_surrogates=new,
            rejected=reasons,
            quality=quality,
        )

    def _publish(self, made: Made, *, plan: Plan, published: Published) -> dict[str, Any]:
        version = Version(
            run_id=self._run_id,
            mode=plan.mode,
            why=plan.why,
            dataset_hash=made.dataset_hash,
            as_of=self._arguments.as_of,
            code_commit=self._arguments.code_commit,
            read_in_full_at=self._now.isoformat() if plan.mode == "full" else published.read_in_full_at,
            watermark=watermark_to_json(plan.watermark),
            rejected=made.rejected,
            new_surrogates=made.new_surrogates,
            quality=made.quality,
        )
        return publish(
            version,
            files=made.files,
            staged_uri=self._staging.uri(ROWS),
            curated_uri=self._arguments.curated_uri,
            model=self._model,
            was=published.pointer,
            objects=self._lake.objects,
        )

    def _source(self) -> Source:
        return open_source(
            spark=self._lake.spark,
            model=self._model,
            arguments=self._arguments,
            clients=self._lake.clients,
            objects=self._lake.objects,
            frames=self._lake.frames,
        )

    def _read(self, frame: DataFrame, plan: Plan) -> Read:
        """Count what was read, and see that each row says whom it is about.

        Raises:
            SourceRefused: There is no row, or one has no key, or two have the same where that matters.
        """
        problem, key = F.col(PROBLEM), F.col(self._model.key)
        counted = frame.groupBy(PROBLEM).agg(F.count(F.lit(1)).alias("rows"), F.count(key).alias("keyed")).collect()
        log.info("read %d rows", sum(row["rows"] for row in counted))
        good = next((row for row in counted if row[PROBLEM] is None), None)
        if not counted and plan.mode == "full":
            raise SourceRefused("source refused, nothing was written: it has no row; see whether its table was filled")
        if good is not None and good["keyed"] < good["rows"]:
            raise SourceRefused(
                f"source refused, nothing was written: {self._model.key}: {good['rows'] - good['keyed']} row(s) have "
                "no key; fill it, or leave them out in source.query"
            )
        rows = frame.where(problem.isNull()).drop(PROBLEM)
        if self._model.source["watermark"] is not None:
            refuse_repeated_keys(rows, self._model)
        return Read(
            rows=rows,
            count=sum(row["rows"] for row in counted),
            problems={row[PROBLEM]: row["rows"] for row in counted if row[PROBLEM] is not None},
        )

    def _treat(self, rows: DataFrame) -> tuple[DataFrame, int]:
        """The curated form of the rows, and how many people got a surrogate for the first time."""
        frame, new = rows, 0
        key = find_hash_key(secret_arn=self._arguments.pseudonym_secret_arn, secrets=self._lake.clients.secretsmanager)
        for column, vault in self._vaults().items():
            enrolment = vault.enrol(rows.select(column))
            ordinals = enrolment.ordinals.toDF("__key", surrogate_column(column))
            if enrolment.known <= BROADCAST_ROWS:
                ordinals = ordinals.hint("broadcast")  # or all rows would be sorted to meet a few numbers
            frame = frame.join(ordinals, F.col(column).cast("string") == F.col("__key"), "left").drop("__key")
            new += enrolment.new
        log.info("gave %d new surrogates", new)
        curated = pseudonymise(frame, model=self._model, key=key, as_of=self._arguments.as_of, spark=self._lake.spark)
        return curated, new

    def _vaults(self) -> dict[str, SurrogateVault]:
        return open_vaults(
            self._model,
            vault=self._arguments.vault_uri,
            shared_vault=self._arguments.shared_vault_uri,
            run_id=self._run_id,
            spark=self._lake.spark,
            objects=self._lake.objects,
            frames=self._lake.frames,
        )

    def _content(self, judged: Judged, *, plan: Plan, published: Published, read: Read) -> Content:
        """What the version holds, and how many rows that is by the counts of what it is made of."""
        accepted = read.count - sum(read.problems.values()) - judged.rejections
        if plan.mode == "full" or published.manifest is None:
            return Content(frame=judged.accepted, rows=accepted)
        current, key = read_version(published.manifest, self._lake.frames), merge_key(self._model)
        seen = judged.accepted.select(key).unionByName(judged.rejected.select(key)).distinct()
        replaced = current.join(seen, key, "left_semi").count()
        return Content(
            frame=merged(published=current, changed=judged.accepted, seen=seen, key=key),
            rows=int(published.manifest["rows"]) - replaced + accepted,
        )

    def _check(self, staged: DataFrame, rejected: DataFrame | None, *, source: DataFrame, lost: int) -> None:
        """See that no row was lost or doubled, and that nothing written is or looks like a personal value.

        Raises:
            RunQuarantined: Otherwise. The files move to `quarantine/` beside the vault, with the reasons.
        """
        problems = [f"rows: {abs(lost)} were {'lost' if lost > 0 else 'doubled'}; run the job again"] if lost else []
        for part in (staged, rejected):
            if part is not None:
                problems += find_leaks(source=source, output=part, model=self._model)
                problems += find_patterns(output=part, model=self._model)
        if problems:
            raise self._staging.quarantine(list(dict.fromkeys(problems)))
        log.info("no personal value found in what was written")

    def _show_rejected(self) -> None:
        """Let engineers see the rejected rows, which hold no personal data, also of a run that stops for them."""
        for name in self._lake.objects.list_names(self._staging.uri(REJECTED)):
            target = f"{self._arguments.curated_uri}/rejected/{self._run_id}/{name}"
            self._lake.objects.copy(f"{self._staging.uri(REJECTED)}/{name}", target)

    def _judge(
        self, staged: DataFrame, *, rejected: dict[str, int], read: Read, published: Published
    ) -> list[dict[str, Any]]:
        """The results of the model's rules.

        Raises:
            QualityRefused: A rule of the whole data set is broken, or too many rows were rejected.
        """
        verdict = judge(
            accepted=staged,
            rejected_by_reason=rejected,
            rows=read.count,
            previous_rows=published.rows,
            now=self._now,
            model=self._model,
        )
        if verdict.stops:
            self._staging.clear()
            reasons = list(verdict.stops)
            if rejected:
                reasons.append(f"rejected rows lie in {self._arguments.curated_uri}/rejected/{self._run_id}/")
            raise QualityRefused(f"run {self._run_id} stopped, nothing was published: {' | '.join(reasons)}")
        return verdict.results


@contextmanager
def held(source: DataFrame) -> Iterator[DataFrame]:
    """Hold on to the rows: they, their count and the values of the check must be of the same moment."""
    rows = source.persist(StorageLevel.MEMORY_AND_DISK)
    try:
        yield rows
    finally:
        rows.unpersist()


def _summary(manifest: dict[str, Any], *, mode: str, read: int) -> dict[str, Any]:
    told = {name: manifest[name] for name in ("run_id", "rows", "new_surrogates", "dataset_hash")}
    return {"mode": mode, "read": read, "rejected": sum(manifest["rejected"].values()), **told}
