"""The alarms of the platform's stacks."""

from collections.abc import Sequence
from dataclasses import dataclass

from botocore.exceptions import ClientError

from cli.stacks import Platform

# DescribeAlarms takes at most 100 names, and tells of alarms over alarms only when asked.
PAGE = 100
KINDS = ("MetricAlarm", "CompositeAlarm")


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One alarm and what it says."""

    name: str
    state: str
    reason: str


def alarms(platform: Platform) -> list[Alarm]:
    """Every alarm that the stacks of this environment and model hold, the ringing ones first."""
    return named(platform, [name for stack in platform.stack_names() for name in _alarm_names(platform, stack)])


def named(platform: Platform, names: Sequence[str]) -> list[Alarm]:
    """Alarms by their names, the ringing ones first."""
    client = platform.client("cloudwatch")
    answers = (
        client.describe_alarms(AlarmNames=names[start : start + PAGE], AlarmTypes=KINDS, MaxRecords=PAGE)
        for start in range(0, len(names), PAGE)
    )
    found = [
        Alarm(name=alarm["AlarmName"], state=alarm["StateValue"], reason=alarm.get("StateReason", ""))
        for answer in answers
        for alarm in (*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ()))
    ]
    return sorted(found, key=lambda alarm: (alarm.state != "ALARM", alarm.name))


def _alarm_names(platform: Platform, stack: str) -> list[str]:
    try:
        pages = platform.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
        return [
            resource["PhysicalResourceId"]
            for page in pages
            for resource in page["StackResourceSummaries"]
            if resource["ResourceType"] in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
        ]
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        return []
