"""What the documents promise: every alarm's section of the runbook exists, and so does every file they link to."""

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
RUNBOOK = re.compile(r"docs/runbook\.md#([a-z0-9-]+)")
LINK = re.compile(r"\[[^\]]*\]\((?!https?:|#)([^)#\s]+)")


def sections(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_alarm_names_a_section_of_the_runbook(assembly: Any) -> None:
    alarms = [
        resource["Properties"]["AlarmDescription"]
        for _, _, template in assembly.each()
        for resource in template["Resources"].values()
        if resource["Type"] in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
    ]
    named = {match.group(1) if (match := RUNBOOK.search(json.dumps(alarm))) else alarm for alarm in alarms}
    assert named and named <= sections(ROOT / "docs" / "runbook.md")


def test_every_link_leads_to_a_file() -> None:
    documents = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{document.name}: {target}"
        for document in documents
        for target in LINK.findall(document.read_text())
        if not (document.parent / target).exists()
    ]
    assert broken == []
