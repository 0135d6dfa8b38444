"""Is a version still what was approved? Its artefact, its evidence, the signature of both, and who approved it."""

from collections.abc import Mapping

from pipeline_scripts.functions.evidence_archive import Archive
from pipeline_scripts.functions.evidence_bundle import Bundle, check_bundle, read_signed_bundle
from pipeline_scripts.functions.evidence_objects import Refused


def verified_bundle(told: Mapping[str, str], *, archive: Archive, answers: bool = True) -> Bundle:
    """The registry names one bundle by its hash, the key vouches for it, and it names all else.

    Args:
        told: What the registry says of the version.
        archive: Where its artefact and its evidence lie.
        answers: Whether it answers anybody, so that somebody else than its author must have approved it.

    Raises:
        Refused: It is not what was registered and signed, or its author approved it.
    """
    if answers and approved_by_its_author(author=told["author"], approver=told["approver"]):
        raise Refused(f"its author {told['author']} approved it; another compliance officer must decide")
    if told["unsigned"]:
        raise Refused(
            f"it has {told['unsigned']}, which no evidence covers; a version has one container, as it was signed"
        )
    registered, version = told["evidence_sha256"], archive.version(told)
    content = read_signed_bundle(version, registered=registered, archive=archive)
    return check_bundle(registered, content, version=version, archive=archive)


def approved_by_its_author(*, author: str, approver: str) -> bool:
    """Whether one person wrote and approved a version, as far as names tell.

    Args:
        author: The commit's, an e-mail address.
        approver: Who decided, as the registry says it: a Studio profile, or the ARN of a session, which ends in the
            session's name; people's sessions bear their address or the part of it before the @.
    """
    person = approver.rpartition("/")[2].casefold()
    return bool(author) and person in (author.casefold(), author.casefold().partition("@")[0])
