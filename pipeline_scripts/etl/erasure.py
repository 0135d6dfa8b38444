"""The right to erasure: a person's key goes from the vaults, and what held their ordinal is listed."""

from datetime import datetime
from typing import Any

from pyspark.sql import functions as F

from pipeline_scripts.etl.arguments import Arguments
from pipeline_scripts.etl.errors import EtlError
from pipeline_scripts.etl.lake import Lake
from pipeline_scripts.etl.surrogates import open_vaults
from pipeline_scripts.etl.versions import MANIFEST, read_version
from pipeline_scripts.model import Model


def erase(*, lake: Lake, model: Model, arguments: Arguments, run_id: str, now: datetime) -> dict[str, Any]:
    """Do what the request `<vault>/erasures/<erasure>.json` asks for: `{"key": the source's key, "asked_by": who}`.

    The link between key and ordinal is removed from every vault of the model, with all old versions of its objects,
    and the request too, since it names the person. What is left is a report without the key, in the evidence zone: the
    ordinal, which stands for nobody now, and the published versions that hold it.

    A person who is still in the source gets a new ordinal with the next run: the source's owner erases first.

    Raises:
        EtlError: There is no such request, or it names no key.
        Overtaken: A run of another model changed a shared vault meanwhile; the request stays, so ask again.
    """
    asked = f"{arguments.vault_uri}/erasures"
    request_uri, found_uri = f"{asked}/{arguments.erasure}.json", f"{asked}/{arguments.erasure}.found.json"
    request = lake.objects.read_json(request_uri)
    if request is None or not isinstance(request.get("key"), str) or not request["key"]:
        raise EtlError(f"{request_uri}: there is no such request, or it names no key; ask again with baton erase")
    vaults = open_vaults(
        model,
        vault=arguments.vault_uri,
        shared_vault=arguments.shared_vault_uri,
        run_id=run_id,
        spark=lake.spark,
        objects=lake.objects,
        frames=lake.frames,
    )
    # Of an attempt that died half way, what it had found: the vault may have forgotten it since.
    ordinals: dict[str, int] = lake.objects.read_json(found_uri) or {}
    for column, vault in vaults.items():
        ordinal = vault.find(request["key"])
        if ordinal is not None:
            ordinals[column] = ordinal
    lake.objects.write_json(found_uri, ordinals)
    report = {
        "model": model.name,
        "erasure": arguments.erasure,
        "asked_by": str(request.get("asked_by", "unknown")),
        "ordinals": ordinals,
        "held_in": _versions_with(ordinals, lake=lake, model=model, curated_uri=arguments.curated_uri),
        "erased_at": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "run_id": run_id,
    }
    for vault in vaults.values():
        vault.forget(request["key"])
    lake.objects.write_json(f"{arguments.evidence_uri}/erasures/{arguments.erasure}.json", report)
    # Last, so that whatever fails before is done again.
    for uri in (request_uri, found_uri):
        lake.objects.delete(uri)
    lake.objects.delete_old_versions(asked)
    return report


def _versions_with(ordinals: dict[str, int], *, lake: Lake, model: Model, curated_uri: str) -> list[dict[str, Any]]:
    """Every published version that holds one of the ordinals, and in how many rows."""
    outputs = {column.name: column.output for column in model.columns}
    found = []
    for name in lake.objects.list_names(f"{curated_uri}/runs"):
        if not name.endswith(f"/{MANIFEST}"):
            continue
        manifest = lake.objects.read_json(f"{curated_uri}/runs/{name}") or {}
        there = {column["name"] for column in manifest["columns"]}
        wanted = {outputs[column]: ordinal for column, ordinal in ordinals.items() if outputs[column] in there}
        if not wanted:
            continue
        holds = F.lit(False)
        for output, ordinal in wanted.items():
            holds = holds | (F.col(str(output)) == ordinal)
        rows = read_version(manifest, lake.frames).where(holds).count()
        if rows:
            found.append({"run_id": manifest["run_id"], "dataset_uri": manifest["dataset_uri"], "rows": rows})
    return found
