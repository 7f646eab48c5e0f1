"""What the LCM answers, read into values of ``node.base``. Pure: no call is made here.

Answers are read tolerantly: properties that came with later Windows versions may be missing, and an error may
be plain text or the JSON text of an error record. Source: LCM class facts, 1.5 and 1.6.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from provisioner.node.base import (
    ConfigurationStatus,
    JobMessage,
    JobOutput,
    MetaConfiguration,
    ResourceState,
    TestOutcome,
)
from provisioner.transport.base import Record
from provisioner.transport.categories import category_name

#: Not settings: what PowerShell adds to every CIM instance and to everything remote.
_ADDED = frozenset({"__classmetadata", "pscomputername", "runspaceid", "psshowcomputername"})
_CHANNELS = {0: "warning", 1: "verbose", 2: "debug"}

_RESOURCE_ID = re.compile(r"^\[\w+\]\S.*$")


def read_meta_configuration(output: Sequence[Any]) -> MetaConfiguration | None:
    """Read the answer of GetMetaConfiguration; None when there is none in it."""
    for answer in _records(output):
        found = answer.get("MetaConfiguration")
        if isinstance(found, Record):
            settings = {name: _plain(value) for name, value in _properties(found)}
            return MetaConfiguration(_text(found, "LCMState"), _text(found, "LCMStateDetail"), settings)
    return None


def read_test(output: Sequence[Any]) -> TestOutcome | None:
    """Read the answer of TestConfiguration, resources in desired state first; None when there is none in it."""
    for answer in _records(output):
        verdict = answer.get("InDesiredState")
        if verdict is not None:
            holding = _resources(answer, "ResourcesInDesiredState", holds=True)
            differing = _resources(answer, "ResourcesNotInDesiredState", holds=False)
            return TestOutcome(bool(verdict) and not differing, holding + differing)
    return None


def read_statuses(output: Sequence[Any]) -> tuple[ConfigurationStatus, ...]:
    """Read the answer of GetConfigurationStatus, newest first."""
    found = [_status(record) for record in _items(output, "configurationStatus")]
    # The order of the answer is not documented, so the dates decide; it breaks ties.
    found.sort(key=lambda status: status.start or datetime.min.replace(tzinfo=UTC), reverse=True)
    return tuple(found)


def read_output(output: Sequence[Any], bookmark: bytes | None) -> JobOutput:
    """Read the answer of GetConfigurationResultOutput; without a newer bookmark the old one stays."""
    messages: list[JobMessage] = []
    errors: list[ResourceState] = []
    for item in _items(output, "output"):
        bookmark = _bytes(item.get("Bookmark")) or bookmark
        match _kind(item):
            case "message":
                messages.append(JobMessage(_channel(item), _text(item, "Message")))
            case "progress":
                messages.append(JobMessage("progress", _progress(item)))
            case "error":
                error = _job_error(item.get("Error"))
                errors.append(error)
                messages.append(JobMessage("error", error.error))
    return JobOutput(tuple(messages), bookmark, tuple(errors))


def read_return_value(output: Sequence[Any]) -> int:
    """Return what the method returned; 0 is success, also where the node does not say."""
    for answer in _records(output):
        value = answer.get("ReturnValue")
        if isinstance(value, int):
            return value
    return 0


def read_error_text(error: Any) -> tuple[str, str, str]:
    """Read an ``Error`` property into message, error id and category; empty texts where it does not say.

    Since WMF 5 it is JSON of an error record; before, and for some errors, plain text.
    """
    text = error.text if isinstance(error, Record) else str(error or "")
    try:
        parsed = json.loads(text) if text.lstrip().startswith("{") else None
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        return text.strip(), "", ""
    thrown = parsed.get("Exception")
    category = parsed.get("CategoryInfo")
    if isinstance(category, dict):
        category = category.get("Category")
    message = thrown.get("Message") if isinstance(thrown, dict) else thrown
    if isinstance(category, int):
        category = category_name(category)
    # "NotSpecified: (:) [], Exception" is how a CategoryInfo prints itself.
    return (
        str(message or text).strip(),
        str(parsed.get("FullyQualifiedErrorId") or ""),
        str(category or "").partition(":")[0],
    )


def as_time(value: Any) -> datetime | None:
    """Return a date-time with a time zone; one without is taken for UTC."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _status(record: Record) -> ConfigurationStatus:
    return ConfigurationStatus(
        job_id=_text(record, "JobID"),
        type=_text(record, "Type"),
        status=_text(record, "Status"),
        reboot_requested=bool(record.get("RebootRequested")),
        start=as_time(record.get("StartDate")),
        duration_s=_number(record, "DurationInSeconds"),
        number_of_resources=int(_number(record, "NumberOfResources")),
        in_desired_state=_resources(record, "ResourcesInDesiredState", holds=True),
        not_in_desired_state=_resources(record, "ResourcesNotInDesiredState", holds=False),
        changed=_changed(record),
        error=read_error_text(record.get("Error"))[0],
    )


def _changed(record: Record) -> tuple[str, ...]:
    """Name the resources that were set: listed since Windows Server 2019, else those that say so themselves."""
    listed = record.get("ResourcesChanged")
    if listed is not None:
        return tuple(_text(resource, "ResourceId") for resource in _records(_listed(listed)))
    lists = (record.get("ResourcesInDesiredState"), record.get("ResourcesNotInDesiredState"))
    resources = (resource for found in lists for resource in _records(_listed(found)))
    return tuple(_text(resource, "ResourceId") for resource in resources if resource.get("StateChanged"))


def _resources(answer: Record, name: str, *, holds: bool) -> tuple[ResourceState, ...]:
    return tuple(_resource(record, holds=holds) for record in _records(_listed(answer.get(name))))


def _resource(record: Record, *, holds: bool) -> ResourceState:
    error, error_id, category = read_error_text(record.get("Error"))
    changed = record.get("StateChanged")
    return ResourceState(
        resource_id=_text(record, "ResourceId") or record.text,
        # The list it stands in decides; InDesiredState of the resource itself may be missing.
        in_desired_state=holds,
        error=error,
        error_id=error_id,
        category=category,
        reboot_requested=bool(record.get("RebootRequested")),
        changed=None if changed is None else bool(changed),
        duration_s=_number(record, "DurationInSeconds"),
        source_info=_text(record, "SourceInfo"),
    )


def _job_error(error: Any) -> ResourceState:
    """Read the error a job wrote: an instance of a CIM error class, or the text of one."""
    if not isinstance(error, Record):
        message, error_id, category = read_error_text(error)
        return ResourceState("", False, message, error_id, category)
    message, error_id, category = read_error_text(error.get("Message") or error.text)
    source = _text(error, "ErrorSource")
    return ResourceState(
        resource_id=source if _RESOURCE_ID.match(source) else "",
        in_desired_state=False,
        error=message,
        error_id=error_id or _text(error, "MessageID"),
        category=category or category_name(error.get("error_Category")),
    )


def _kind(item: Record) -> str:
    """Tell the subclass of MSFT_DSCConfigurationOutput, by its name or else by what it has."""
    name = item.type_names[0].casefold() if item.type_names else ""
    for ending in ("message", "progress", "error"):
        if name.endswith("write" + ending):
            return ending
    if item.get("Channel") is not None:
        return "message"
    if item.get("PercentComplete") is not None:
        return "progress"
    return "error" if item.get("Error") is not None else ""


def _channel(item: Record) -> str:
    return _CHANNELS.get(int(_number(item, "Channel")), "verbose")


def _progress(item: Record) -> str:
    parts = (_text(item, name) for name in ("Activity", "StatusDescription", "CurrentOperation"))
    return " - ".join(part for part in parts if part)


def _items(output: Sequence[Any], parameter: str) -> Iterator[Record]:
    """Yield the records of an out parameter, listed in the answer or streamed one by one."""
    for answer in _records(output):
        if isinstance(streamed := answer.get("ItemValue"), Record):
            yield streamed
        yield from _records(_listed(answer.get(parameter)))


def _records(values: Iterable[Any]) -> Iterator[Record]:
    return (value for value in values if isinstance(value, Record))


def _listed(value: Any) -> Sequence[Any]:
    """Return a list; PowerShell unrolls a list of one and drops an empty one."""
    if value is None:
        return ()
    return value if isinstance(value, list | tuple) else (value,)


def _properties(record: Record) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in record.properties.items() if name.casefold() not in _ADDED)


def _plain(value: Any) -> Any:
    match value:
        case Record():
            return {name: _plain(item) for name, item in _properties(value)}
        case list() | tuple():
            return [_plain(item) for item in value]
        case Mapping():
            return {name: _plain(item) for name, item in value.items()}
        case _:
            return value


def _text(record: Record, name: str) -> str:
    value = record.get(name)
    return "" if value is None else str(value)


def _number(record: Record, name: str) -> float:
    try:
        return float(record.get(name) or 0)
    except (TypeError, ValueError):
        return 0.0


def _bytes(value: Any) -> bytes | None:
    """Return an uint8[], which travels as one block or as a list of numbers."""
    match value:
        case bytes():
            return value
        case list() | tuple():
            return bytes(value)
        case _:
            return None
