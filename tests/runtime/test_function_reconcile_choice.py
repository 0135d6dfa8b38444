"""What decides beside the highest approved version: a pin, a way back, and the rule for when none is approved."""

import pytest

from pipeline_scripts.functions.reconcile_pin import MayNotServe
from tests.runtime.reconcile_world import ENDPOINT, World


@pytest.fixture
def served(world: World) -> World:
    """Version 2 serves, and 1 did."""
    world.register(1)
    world.run("first")
    world.register(2)
    world.run("second")
    return world


def test_a_pinned_version_serves_although_a_higher_one_is_approved(served: World) -> None:
    answer = served.ask("pin", 1)
    assert answer == {"pinned": "1", "execution": "machine:1"}
    served.run("pinned")
    assert served.serving == 1
    assert served.ledger.current()["chosen"] == "version 1 is pinned"
    served.register(3)
    served.run("third")
    assert served.serving == 1


def test_a_pin_says_who_when_and_why_and_is_kept_in_the_history(served: World) -> None:
    served.ask("pin", 1, by="grace")
    pin = served.ledger.pin()
    assert (pin["version"], pin["by"], pin["reason"]) == ("1", "grace", "a reason")
    assert pin["at"].startswith("1970-01-12T")
    served.ask("unpin", by="ada")
    assert served.ledger.pin() == {}
    assert [(line["kind"], line["by"]) for line in served.ledger.history() if "by" in line] == [
        ("pinned", "grace"),
        ("unpinned", "ada"),
    ]


def test_without_its_pin_the_highest_approved_version_serves_again(served: World) -> None:
    served.ask("pin", 1)
    served.run("pinned")
    served.ask("unpin")
    served.run("unpinned")
    assert served.serving == 2


def test_a_pinned_version_that_is_rejected_gives_way_to_the_rule_and_the_run_says_so(served: World) -> None:
    served.ask("pin", 1)
    served.run("pinned")
    served.decide(1, "Rejected")
    served.run("rejected")
    assert served.serving == 2
    assert "version 1 is pinned, but is not" in served.ledger.current()["chosen"]
    served.decide(1, "Approved")
    served.run("approved again")
    assert served.serving == 1


def test_a_pinned_version_whose_evidence_was_changed_does_not_serve(served: World) -> None:
    served.ask("pin", 1)
    served.put_evidence(1, "gate/gate.json", {"passed": 0})
    served.run("pinned")
    assert served.serving == 2
    assert served.ledger.quarantined() == {served.versions[1].arn}


@pytest.mark.parametrize("number", [3, 4, 5])
def test_only_a_version_that_may_serve_can_be_pinned(served: World, number: int) -> None:
    served.register(3, status="PendingManualApproval")
    served.register(4, behaviour="broken stack")
    served.run("fourth is quarantined")
    with pytest.raises(MayNotServe, match=f"version {number} of .* may not serve"):
        served.ask("pin", number)
    assert (served.ledger.pin(), served.called) == ({}, [])


def test_going_back_pins_the_last_good_version_before_the_one_that_serves(served: World) -> None:
    served.register(3)
    served.run("third")
    served.ledger.quarantine("2", {"package_arn": served.versions[2].arn})
    assert served.ask("rollback")["pinned"] == "1"
    served.run("back")
    assert served.serving == 1


def test_going_back_twice_goes_further_back(served: World) -> None:
    served.register(3)
    served.run("third")
    for version in ("2", "1"):
        assert served.ask("rollback")["pinned"] == version
        served.run(f"back to {version}")
    with pytest.raises(MayNotServe, match="no earlier version"):
        served.ask("rollback")
    assert served.serving == 1


def test_there_is_nothing_to_go_back_from_while_nothing_serves(world: World) -> None:
    with pytest.raises(MayNotServe, match="nothing serves"):
        world.ask("rollback")


def test_a_pin_set_during_a_run_is_followed_by_that_run(served: World) -> None:
    served.register(3)
    one = served.start("one")
    while next(one) != "Prove":
        pass
    served.ask("pin", 1)
    assert served.run("two") == ["Begin", "Choose", "Chosen", "Done"]
    list(one)
    assert served.serving == 1


@pytest.fixture
def keeping(served: World) -> World:
    served.when_none_approved = "keep"
    served.decide(1, "Rejected")
    served.decide(2, "Rejected")
    return served


def test_the_last_proven_version_is_kept_and_that_is_told_once(keeping: World) -> None:
    assert "RecordKept" in keeping.run("rejected")
    for sweep in range(3):
        assert keeping.run(f"sweep-{sweep}") == ["Begin", "Choose", "Chosen", "Done"]
    assert keeping.serving == 2
    assert keeping.notices.count(f"{ENDPOINT} keeps version 2, which is no longer approved") == 1
    assert len(keeping.updates) == 2


def test_it_is_told_again_when_it_was_approved_meanwhile(keeping: World) -> None:
    keeping.run("rejected")
    keeping.decide(2, "Approved")
    keeping.run("approved")
    assert keeping.run("sweep") == ["Begin", "Choose", "Chosen", "Done"]
    keeping.decide(2, "Rejected")
    keeping.run("rejected again")
    assert keeping.notices.count(f"{ENDPOINT} keeps version 2, which is no longer approved") == 2


def test_an_approved_version_takes_the_place_of_a_kept_one(keeping: World) -> None:
    keeping.run("rejected")
    keeping.register(3)
    keeping.run("approved")
    assert keeping.serving == 3


def test_a_rejected_version_that_was_never_proven_is_not_kept_but_the_last_proven_one(served: World) -> None:
    served.when_none_approved = "keep"
    served.register(3)
    one = served.start("one")
    while next(one) != "Prove":
        pass
    for number in (1, 2, 3):
        served.decide(number, "Rejected")
    served.now += 1000
    served.run("rejected")
    assert served.serving == 2
    assert served.ledger.current()["approver"].endswith("role/officer")


def test_a_kept_version_that_no_longer_answers_rightly_is_taken_out_of_service(keeping: World) -> None:
    keeping.run("rejected")
    keeping.versions[2].behaviour = "wrong answers"
    keeping.endpoint_status = "Failed"
    keeping.run("sweep")
    assert keeping.serving is None
    assert keeping.run("another") == ["Begin", "Choose", "Chosen", "Done"]


def test_nothing_is_kept_where_nothing_was_proven(world: World) -> None:
    world.when_none_approved = "keep"
    world.register(1, behaviour="wrong answers")
    world.run("first")
    assert world.serving is None
