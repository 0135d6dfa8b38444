"""What somebody who can write to the buckets, but not sign, may try: one random act each."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pipeline_scripts.functions.evidence_bundle import BUNDLE, SIGNATURE
from pipeline_scripts.functions.evidence_signature import sign
from tests.runtime.reconcile_world import EVIDENCE, MODELS, World, signing_key

OLD, NEW = "bank_churn/run-1", "bank_churn/run-2"
ARTIFACT = "output/model.tar.gz"
Place = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Tampering:
    """Objects of version 2 as they become; None is a deletion. `kind` is what it counts as, `what` what it does."""

    kind: str
    what: str
    objects: dict[Place, bytes | None]

    @contextmanager
    def done(self, world: World) -> Iterator[None]:
        """Do it, and undo it."""
        before = {place: read(world, place) for place in self.objects}
        assert before != self.objects, f"{self.what} changes nothing"
        write(world, self.objects)
        try:
            yield
        finally:
            write(world, before)


def tamperings(world: World, draw: random.Random) -> Tampering:
    """One act, drawn at random."""
    return draw.choice(ACTS)(world, draw)


def read(world: World, place: Place) -> bytes | None:
    bucket, key = place
    try:
        content: bytes = world.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except world.s3.exceptions.NoSuchKey:
        return None
    return content


def write(world: World, objects: dict[Place, bytes | None]) -> None:
    for (bucket, key), content in objects.items():
        if content is None:
            world.s3.delete_object(Bucket=bucket, Key=key)
        else:
            world.s3.put_object(Bucket=bucket, Key=key, Body=content)


def _any_file(world: World, draw: random.Random) -> tuple[Place, bytes]:
    place = draw.choice([*((EVIDENCE, key) for key in _keys(world, NEW)), (MODELS, f"{NEW}/{ARTIFACT}")])
    content = read(world, place)
    assert content
    return place, content


def _flip_bit(world: World, draw: random.Random) -> Tampering:
    place, content = _any_file(world, draw)
    changed = bytearray(content)
    changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
    return Tampering(kind="bit flip", what="flip a bit", objects={place: bytes(changed)})


def _cut(world: World, draw: random.Random) -> Tampering:
    place, content = _any_file(world, draw)
    return Tampering(kind="truncation", what="cut the end", objects={place: content[: draw.randrange(len(content))]})


def _append(world: World, draw: random.Random) -> Tampering:
    place, content = _any_file(world, draw)
    return Tampering(
        kind="addition", what="append", objects={place: content + draw.choice([b" ", b"\n", draw.randbytes(9)])}
    )


def _delete(world: World, draw: random.Random) -> Tampering:
    place, _ = _any_file(world, draw)
    return Tampering(kind="deletion", what="delete", objects={place: None})


def _replace_artifact(world: World, draw: random.Random) -> Tampering:
    other = draw.choice([read(world, (MODELS, f"{OLD}/{ARTIFACT}")), draw.randbytes(200)])
    return Tampering(kind="swapped artefact", what="swap the artefact", objects={(MODELS, f"{NEW}/{ARTIFACT}"): other})


def _replay(world: World, draw: random.Random) -> Tampering:
    """The older version's bundle, signature, or both, with or without its artefact and all else."""
    evidence = [key.removeprefix(f"{OLD}/") for key in _keys(world, OLD)]
    names = draw.choice([[BUNDLE], [SIGNATURE], [BUNDLE, SIGNATURE], evidence])
    objects = {(EVIDENCE, f"{NEW}/{name}"): read(world, (EVIDENCE, f"{OLD}/{name}")) for name in names}
    if draw.random() < 0.5:
        objects[MODELS, f"{NEW}/{ARTIFACT}"] = read(world, (MODELS, f"{OLD}/{ARTIFACT}"))
    return Tampering(kind="replay", what=f"replay {len(names)} older files", objects=objects)


def _other_key(world: World, draw: random.Random) -> Tampering:
    """The right hash, signed by a key of the attacker's own, which the file names or hides."""
    own = signing_key(world.kms)
    signature = sign(world.kms, key_arn=own, digest=world.sealed[2])
    if draw.random() < 0.5:
        signature = signature.replace(own.encode(), world.key_arn.encode())
    return Tampering(
        kind="wrong key", what="sign with another key", objects={(EVIDENCE, f"{NEW}/{SIGNATURE}"): signature}
    )


def _keys(world: World, folder: str) -> list[str]:
    return [entry["Key"] for entry in world.s3.list_objects_v2(Bucket=EVIDENCE, Prefix=f"{folder}/")["Contents"]]


ACTS: tuple[Callable[[World, random.Random], Tampering], ...] = (
    _flip_bit,
    _cut,
    _append,
    _delete,
    _replace_artifact,
    _replay,
    _other_key,
)
