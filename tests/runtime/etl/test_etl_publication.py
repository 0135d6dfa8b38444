"""What a published version leaves in the curated zone."""

from datetime import date
from typing import Any, cast

from pipeline_scripts.etl.publication import DataFile, Version, publish
from pipeline_scripts.etl.storage import Objects, Pointer
from pipeline_scripts.model import Column, Model

MODEL = Model(
    problem="binary_classification",
    name="clients",
    key="ID",
    source={"watermark": None},
    columns=(Column(name="ID", type="integer", treatment="surrogate", output="ref", bands=None, prefix=None),),
    features=("ref",),
    target="ref",
    positive=1,
    favourable_above=None,
    facets={},
    settings={"dataset": {"version": 1}},
)


class Recorder:
    """Takes what is published and remembers in which order."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.text: dict[str, str] = {}

    def copy(self, source_uri: str, target_uri: str) -> None:
        self.written.append(target_uri)

    def write_json(self, uri: str, content: dict[str, Any]) -> None:
        self.written.append(uri)

    def replace_pointer(self, uri: str, content: dict[str, Any], *, was: Pointer) -> None:
        self.written.append(uri)

    def write_text(self, uri: str, content: str) -> None:
        self.written.append(uri)
        self.text[uri] = content


def published() -> Recorder:
    recorder = Recorder()
    publish(
        Version(
            run_id="run",
            mode="full",
            why="there is no version yet",
            dataset_hash="f00d" * 16,
            as_of=date(2026, 1, 1),
            code_commit="0123abc",
            read_in_full_at="2026-01-01T00:00:00+00:00",
            watermark=None,
            rejected={},
            new_surrogates=2,
        ),
        files=[DataFile(name=f"part-{n}.parquet", sha256="0" * 64, bytes=1, rows=1) for n in (0, 1)],
        staged_uri="s3://vault/clients/staging",
        curated_uri="s3://curated/clients",
        model=MODEL,
        was=Pointer(content=None, tag=None),
        objects=cast(Objects, recorder),
    )
    return recorder


def test_the_catalogues_list_names_the_files_of_this_version_and_no_manifest() -> None:
    assert published().text == {
        "s3://curated/clients/current/files": (
            "s3://curated/clients/runs/run/part-0.parquet\ns3://curated/clients/runs/run/part-1.parquet\n"
        )
    }


def test_the_pointer_moves_after_everything_it_points_to() -> None:
    *before, pointer, listing = published().written
    assert pointer == "s3://curated/clients/current.json"
    assert listing == "s3://curated/clients/current/files"
    assert before[-1] == "s3://curated/clients/runs/run/_manifest.json"
    assert set(before[:-1]) == {f"s3://curated/clients/runs/run/part-{n}.parquet" for n in (0, 1)}
