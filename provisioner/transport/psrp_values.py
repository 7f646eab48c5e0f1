"""Values on their way to and from CLIXML, in the forms of ``transport.base``. Nothing here does I/O.

pypsrp's own reader gives date-times as text, other objects as three different classes, and renders every
element back to XML on the way. ``ValueSerializer`` reads all that is not part of the protocol itself straight
into our values and leaves the protocol's messages to pypsrp.
"""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

from pypsrp.complex_objects import ApartmentState, GenericComplexObject, ObjectMeta
from pypsrp.exceptions import WinRMError
from pypsrp.messages import CreatePipeline
from pypsrp.serializer import Serializer, TaggedValue

from provisioner.transport.base import ErrorRecord, Record, Value
from provisioner.transport.categories import category_name

#: One UTF-16 unit. Source: MS-PSRP 2.2.5.3.2.
_ESCAPE = re.compile("_x([0-9a-f]{4})_", re.IGNORECASE)
#: References to what is no character in XML; PowerShell writes them, XML readers refuse them.
_NO_CHARACTER = re.compile("&#x(?:FFF[EF]|D[89A-F][0-9A-F]{2});", re.IGNORECASE)
_INT32 = range(-(2**31), 2**31)
_INT64 = range(-(2**63), 2**63)
_LISTS = frozenset({"LST", "IE", "QUE", "STK"})
_TEXTS = frozenset({"S", "ToString", "XD", "SBK", "URI"})
_PROGRESS = "System.Management.Automation.ProgressRecord"
_ENUM = frozenset({"System.Enum", "Deserialized.System.Enum"})

_INTEGERS = ("By", "SB", "U16", "I16", "U32", "I32", "U64", "I64")
_SCALARS: dict[str, Callable[[str], Any]] = {
    "B": lambda text: text in {"true", "1"},
    "C": lambda text: chr(int(text)),
    "DT": datetime.fromisoformat,
    "D": lambda text: float(Decimal(text)),
    "Sg": float,
    "Db": float,
    "BA": base64.b64decode,
    # A duration, a GUID and a version stay the text they are written as.
    "TS": str,
    "G": str,
    "Version": str,
    # No key is ever exchanged, so a secure string cannot be read.
    "SS": lambda _: None,
    **dict.fromkeys(_INTEGERS, int),
}


#: One statement of commands, written as pypsrp writes it: the first ids of objects and types are fixed.
#: Source: MS-PSRP 2.2.2.10, 2.2.3.11, 2.2.3.12.
_ENUM_TYPES = "<T>System.Enum</T><T>System.ValueType</T><T>System.Object</T>"
_LIST_TYPES = (
    "<T>System.Collections.Generic.List`1[[System.Management.Automation.PSObject, System.Management.Automation, "
    "Version=1.0.0.0, Culture=neutral, PublicKeyToken=31bf3856ad364e35]]</T><T>System.Object</T>"
)
_PIPELINE = (
    '<Obj RefId="0"><MS><B N="NoInput">{no_input}</B><Obj RefId="1" N="ApartmentState"><TN RefId="0">'
    f"<T>System.Management.Automation.Runspaces.ApartmentState</T>{_ENUM_TYPES}</TN>"
    "<ToString>UNKNOWN</ToString><I32>2</I32></Obj>"
    '<Obj RefId="2" N="RemoteStreamOptions"><TN RefId="1">'
    f"<T>System.Management.Automation.Runspaces.RemoteStreamOptions</T>{_ENUM_TYPES}</TN>"
    '<ToString /><I32>0</I32></Obj><B N="AddToHistory">false</B><Obj RefId="3" N="HostInfo"><MS>'
    '<B N="_isHostNull">true</B><B N="_isHostUINull">true</B><B N="_isHostRawUINull">true</B>'
    '<B N="_useRunspaceHost">true</B></MS></Obj><Obj RefId="4" N="PowerShell"><MS><B N="IsNested">false</B>'
    f'<Nil N="ExtraCmds" /><Obj RefId="5" N="Cmds"><TN RefId="2">{_LIST_TYPES}</TN><LST>{{commands}}</LST></Obj>'
    '<S N="History" /><B N="RedirectShellErrorOutputPipe">false</B></MS></Obj><B N="IsNested">false</B></MS></Obj>'
)
_MERGE_TYPES = (
    '<TN RefId="3"><T>System.Management.Automation.Runspaces.PipelineResultTypes</T>' + _ENUM_TYPES + "</TN>"
)
_FIRST_COMMAND = 6
_FIRST_TYPE = 4


class NotClixmlError(WinRMError):
    """The node sent something that is not CLIXML. Not pypsrp's own error, which it would answer with a guess."""


class ValueSerializer(Serializer):
    """pypsrp's serializer, giving values of ``transport.base`` wherever the protocol leaves the type open."""

    def serialize(
        self,
        value: Any,
        metadata: ObjectMeta | None = None,
        parent: ET.Element | None = None,
        clear: bool = True,  # noqa: FBT001, FBT002 - pypsrp's signature
    ) -> Any:
        """Write one value; a pipeline as its bytes, for pypsrp spends more on one than on its request."""
        if isinstance(value, CreatePipeline) and _is_plain(value):
            return self._pipeline(value)
        return super().serialize(value, metadata, parent, clear)

    def _pipeline(self, message: Any) -> bytes:
        self._clear()
        self.obj_id, self.tn_id = _FIRST_COMMAND, _FIRST_TYPE
        commands = [
            self._command(command, is_first=index == 0)
            for index, command in enumerate(message.pipeline.commands)
        ]
        no_input = "true" if message.no_input else "false"
        return _PIPELINE.format(no_input=no_input, commands="".join(commands)).encode()

    def _command(self, command: Any, *, is_first: bool) -> str:
        """Write a command whose streams go where they always go."""
        parts = [
            f'<Obj RefId="{self._get_obj_id()}"><MS>',
            self._text("Cmd", command.cmd),
            '<B N="IsScript">false</B><Nil N="UseLocalScope" />',
        ]
        types = _MERGE_TYPES if is_first else '<TNRef RefId="3" />'
        # Which streams can be merged depends on the protocol version, which pypsrp knows.
        for _, meta in command._extended_properties[3:]:  # noqa: SLF001 - pypsrp keeps no other list
            reference = f'<Obj RefId="{self._get_obj_id()}" N="{meta.name}">'
            if meta.name == "Args":
                arguments = "".join(self._argument(argument) for argument in command.args)
                # ElementTree, which pypsrp uses, closes an element without content in itself.
                listed = f"<LST>{arguments}</LST>" if arguments else "<LST />"
                parts.append(f'{reference}<TNRef RefId="2" />{listed}</Obj>')
            else:
                parts.append(f"{reference}{types}<ToString>None</ToString><I32>0</I32></Obj>")
                types = '<TNRef RefId="3" />'
        return "".join((*parts, "</MS></Obj>"))

    def _argument(self, argument: Any) -> str:
        start = f'<Obj RefId="{self._get_obj_id()}"><MS>'
        name = self._text("N", argument.name) if argument.name is not None else '<Nil N="N" />'
        if isinstance(argument.value, str):
            value = self._text("V", argument.value)
        else:
            holder = ET.Element("MS")
            self._create_obj(holder, argument.value, meta=ObjectMeta(name="V"))
            value = ET.tostring(holder[0], encoding="unicode")
        return f"{start}{name}{value}</MS></Obj>"

    def _text(self, name: str, text: str) -> str:
        written = escape(self._serialize_string(text) or "")
        return f'<S N="{name}">{written}</S>' if written else f'<S N="{name}" />'

    def deserialize(
        self,
        element: ET.Element | str,
        metadata: ObjectMeta | None = None,
        clear: bool = True,  # noqa: FBT001, FBT002 - pypsrp's signature
    ) -> Any:
        """Read one element; ``metadata`` that names a class or a collection marks a part of the protocol.

        Raises:
            NotClixmlError: The text is not CLIXML.
        """
        if isinstance(element, str) and "&#" in element:
            element = _NO_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", element)
        if metadata is not None and (metadata.object is not None or type(metadata) is not ObjectMeta):
            return super().deserialize(element, metadata, clear)
        if clear:
            self._clear()
        if element == "":
            return None  # so PowerShell sends $null
        if isinstance(element, str):
            try:
                element = ET.fromstring(element)  # noqa: S314 - expat itself refuses entity bombs
            except ET.ParseError as error:
                raise NotClixmlError(f"not XML: {error}") from None
        return self._value(element)

    def _value(self, element: ET.Element) -> Value:
        tag = element.tag
        text = element.text or ""
        if tag in _TEXTS:
            return _unescaped(text) if "_x" in text.casefold() else text
        if tag == "Nil":
            return None
        if read := _SCALARS.get(tag):
            return read(text)
        if tag == "Obj":
            return self._object(element)
        if tag == "Ref":
            return self.obj[element.attrib["RefId"]]
        if tag in _LISTS:
            return [self._value(item) for item in element]
        if tag == "DCT":
            return dict(self._entries(element))
        if tag == "PR":
            return Record((_PROGRESS,), {part.tag: part.text or "" for part in element})
        raise NotClixmlError(f"unknown element {tag}")

    def _entries(self, element: ET.Element) -> list[tuple[str, Value]]:
        return [(str(self._value(key)), self._value(value)) for key, value in element.findall("En")]

    def _object(self, element: ET.Element) -> Value:
        types: tuple[str, ...] = ()
        said: ET.Element | None = None
        for part in element:
            if part.tag == "TN":
                types = self.tn[part.attrib["RefId"]] = tuple(name.text or "" for name in part)
            elif part.tag == "TNRef":
                types = self.tn[part.attrib["RefId"]]
            elif part.tag == "ToString":
                said = part
        reference = element.attrib.get("RefId", "")
        properties: dict[str, Value] = {}
        # An object may refer to itself, so it is known before its parts are read.
        self.obj[reference] = Record(types, properties, self._value(said) if said is not None else "")
        for part in element:
            if part.tag in ("Props", "MS"):
                # A member set inside is no value.
                properties.update((item.attrib["N"], self._value(item)) for item in part if item.tag != "MS")
            elif part.tag not in ("TN", "TNRef", "ToString"):
                # Note properties on a number, text or list (PSComputerName, PSPath) are of no use to us.
                self.obj[reference] = self._value(part if said is None or _ENUM.isdisjoint(types) else said)
        return self.obj[reference]


def _is_plain(message: Any) -> bool:
    """Tell whether a pipeline asks for nothing but its commands, as all of ours do."""
    return (
        message.host_info.host is None
        and message.apartment_state.value == ApartmentState.UNKNOWN
        and message.remote_stream_options.value == 0
        and not (message.add_to_history or message.is_nested)
        and all(
            command.use_local_scope is None and not (command.is_script or command.end_of_statement)
            for command in message.pipeline.commands
        )
    )


def _unescaped(text: str) -> str:
    """Resolve ``_xHHHH_``. Half a surrogate pair, which Windows allows and no file does, becomes U+FFFD."""
    units = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def to_wire(value: Value) -> Any:
    """Return ``value`` in the form pypsrp writes without loss.

    Raises:
        TypeError: The value has no place in ``transport.base.Value``.
    """
    match value:
        case None | bool() | str() | bytes():
            return value
        case int():
            if value in _INT32:
                return int(value)
            return TaggedValue("I64" if value in _INT64 else "D", value)
        case float():
            return TaggedValue("Db", repr(value))
        case datetime():
            element = ET.Element("DT")
            element.text = value.isoformat()
            return element
        case Record():
            written = GenericComplexObject()
            written.types = list(value.type_names)
            written.to_string = value.text or None
            written.extended_properties = {name: to_wire(item) for name, item in value.properties.items()}
            return written
        case Mapping():
            return {str(key): to_wire(item) for key, item in value.items()}
        case bytearray() | memoryview():
            return bytes(value)
        case list() | tuple():
            return [to_wire(item) for item in value]
    raise TypeError(f"a value of type {type(value).__name__} cannot be sent to a node")


def read_error(error: Any) -> ErrorRecord:
    """Read an error record as pypsrp gives it: its own class in a stream, a ``Record`` in a pipeline state."""
    if isinstance(error, Record):
        fields = error.properties
        said = error.text
    else:
        said = str(error)
        fields = {
            "FullyQualifiedErrorId": error.fq_error,
            "ErrorCategory_Category": error.category,
            "ErrorCategory_TargetName": error.target_name,
            "ErrorDetails_Message": error.details_message,
            "Exception": error.exception,
        }
    exception = fields.get("Exception")
    thrown = exception if isinstance(exception, Record) else Record((), {})
    return ErrorRecord(
        # What PowerShell itself shows: the details where there are some, else the exception.
        message=str(fields.get("ErrorDetails_Message") or thrown.get("Message") or said or exception or ""),
        error_id=str(fields.get("FullyQualifiedErrorId") or ""),
        category=category_name(fields.get("ErrorCategory_Category")),
        target=str(fields.get("ErrorCategory_TargetName") or ""),
        exception_type=thrown.type_names[0].removeprefix("Deserialized.") if thrown.type_names else "",
    )
