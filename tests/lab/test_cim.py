"""Classes of WMI over WS-Management, asked by pypsrp and by pywinrm's protocol as their authors wrote them."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import xmltodict  # type: ignore[import-untyped]
from pypsrp.exceptions import WSManFaultError
from pypsrp.wsman import SelectorSet, WSMan, WSManAction
from spnego._ntlm_raw.crypto import ntowfv1
from winrm.exceptions import WSManFaultError as PywinrmFault
from winrm.protocol import Protocol

from provisioner.lab.logon import LogonSpec, UserSpec
from tests.lab.real_node import PASSWORD, USER, RealNode, running_node

_WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi"
_ROOT = "root"  # apart: a test looks for folders of that name
_CIMV2 = f"{_WMI}/{_ROOT}/cimv2"
_DMTF = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2"
_LCM = f"{_WMI}/{_ROOT}/Microsoft/Windows/DesiredStateConfiguration/MSFT_DSCLocalConfigurationManager"
_N = "{http://schemas.xmlsoap.org/ws/2004/09/enumeration}"
_W = "{http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd}"
_CIM = "{http://schemas.dmtf.org/wbem/wscim/1/common}"
_WQL = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_CONFIG = "http://schemas.microsoft.com/wbem/wsman/1/config"


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealNode]:
    with running_node(tmp_path_factory.mktemp("node")) as node:
        yield node


@pytest.fixture(scope="module")
def wsman(real: RealNode) -> Iterator[WSMan]:
    with real.wsman() as connection:
        yield connection


def _selectors(**values: str) -> SelectorSet:
    made = SelectorSet()
    for name, value in values.items():
        made.add_option(name, value)
    return made


def _enumerate(
    query: str = "",
    dialect: str = _WQL,
    most: int | None = None,
    mode: str = "",
    *,
    is_optimized: bool = True,
) -> ET.Element:
    element = ET.Element(f"{_N}Enumerate")
    if is_optimized:
        ET.SubElement(element, f"{_W}OptimizeEnumeration")
    if most is not None:
        ET.SubElement(element, f"{_W}MaxElements").text = str(most)
    if query:
        ET.SubElement(element, f"{_W}Filter", Dialect=dialect).text = query
    if mode:
        ET.SubElement(element, f"{_W}EnumerationMode").text = mode
    return element


def _pull(context: str, most: int | None = None) -> ET.Element:
    element = ET.Element(f"{_N}Pull")
    ET.SubElement(element, f"{_N}EnumerationContext").text = context
    if most is not None:
        ET.SubElement(element, f"{_N}MaxElements").text = str(most)
    return element


def _all(wsman: WSMan, uri: str, first: ET.Element, most: int | None = None) -> tuple[list[ET.Element], int]:
    """Enumerate and pull to the end; give the items and the number of requests."""
    (answer,) = wsman.enumerate(uri, first)
    items, requests = [], 1
    while True:
        found = answer.find(f"{_W}Items")
        found = answer.find(f"{_N}Items") if found is None else found
        items += list(found) if found is not None else []
        if answer.find(f"{_W}EndOfSequence") is not None or answer.find(f"{_N}EndOfSequence") is not None:
            return items, requests
        context = answer.findtext(f"{_N}EnumerationContext") or ""
        (answer,) = wsman.pull(uri, _pull(context, most))
        requests += 1


def _texts(item: ET.Element) -> dict[str, str | None]:
    return {child.tag.rpartition("}")[2]: child.text for child in item}


def test_a_singleton_is_read_without_selectors(real: RealNode, wsman: WSMan) -> None:
    (item,) = wsman.get(f"{_CIMV2}/Win32_OperatingSystem")
    assert item.tag == f"{{{_CIMV2}/Win32_OperatingSystem}}Win32_OperatingSystem"
    assert item.get(f"{_XSI}type") == "p:Win32_OperatingSystem_Type"
    found = _texts(item)
    assert (found["CSName"], found["BuildNumber"], found["OSLanguage"]) == ("HV01", "20348", "1033")
    moment = item.findtext(f"*/{_CIM}Datetime") or ""
    assert datetime.fromisoformat(moment) == real.node.machine.boot_time
    names = [child.tag.rpartition("}")[2] for child in item]
    assert names == sorted(names, key=str.casefold)
    assert "PSComputerName" not in names


@pytest.mark.parametrize(
    ("uri", "selectors"),
    [
        (f"{_CIMV2}/Win32_Service", {"Name": "WinRM"}),
        (f"{_CIMV2}/win32_service", {"name": "winrm"}),
        (f"{_CIMV2}/Win32_Service", {"Name": "WinRM", "__cimnamespace": "root/cimv2"}),
        (f"{_DMTF}/Win32_Service", {"Name": "WinRM", "__cimnamespace": "root/cimv2"}),
        (f"{_DMTF}/Win32_Service", {"Name": "WinRM"}),
    ],
)
def test_an_instance_is_found_by_its_key(wsman: WSMan, uri: str, selectors: dict[str, str]) -> None:
    (item,) = wsman.get(uri, selector_set=_selectors(**selectors))
    assert _texts(item)["State"] == "Running"


@pytest.mark.parametrize(("most", "is_optimized"), [(None, True), (5, True), (1000, True), (7, False)])
def test_an_enumeration_gives_everything_once(
    real: RealNode,
    wsman: WSMan,
    most: int | None,
    is_optimized: bool,  # noqa: FBT001 - a parameter of the case
) -> None:
    uri = f"{_CIMV2}/Win32_Service"
    items, requests = _all(wsman, uri, _enumerate(most=most, is_optimized=is_optimized), most)
    assert [_texts(item)["Name"] for item in items] == [item.name for item in real.node.machine.services]
    count = len(items)
    assert requests == -(-count // (most or 1)) + (not is_optimized)


def test_an_answer_fits_the_envelope_of_the_client(real: RealNode) -> None:
    with real.wsman(max_envelope_size=16384) as small:
        items, requests = _all(small, f"{_CIMV2}/Win32_Service", _enumerate(most=32000), 32000)
    assert len(items) == len(list(real.node.machine.services))
    assert requests > 1


def test_a_query_chooses_instances_and_properties(wsman: WSMan) -> None:
    query = "select Name, State from Win32_Service where Name like 'win%' and State = 'Running'"
    items, _ = _all(wsman, f"{_CIMV2}/*", _enumerate(query, most=100))
    assert {item.tag for item in items} == {f"{_W}XmlFragment"}
    assert [_texts(item) for item in items] == [
        {"Name": "Winmgmt", "State": "Running"},
        {"Name": "WinRM", "State": "Running"},
    ]
    whole, _ = _all(wsman, f"{_CIMV2}/*", _enumerate("select * from Win32_Service where Name='WinRM'"))
    assert whole[0].tag == f"{{{_CIMV2}/Win32_Service}}Win32_Service"


def test_references_lead_back_to_their_instances(wsman: WSMan) -> None:
    address = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}"
    references, _ = _all(wsman, f"{_CIMV2}/Win32_Service", _enumerate(most=3, mode="EnumerateEPR"), 50)
    one = references[0].find(f"{address}ReferenceParameters")
    assert one is not None
    chosen = {item.get("Name") or "": item.text or "" for item in one.iter(f"{_W}Selector")}
    (item,) = wsman.get(one.findtext(f"{_W}ResourceURI") or "", selector_set=_selectors(**chosen))
    assert _texts(item)["Name"] == chosen["Name"]
    pairs, _ = _all(wsman, f"{_CIMV2}/Win32_Service", _enumerate(most=3, mode="EnumerateObjectAndEPR"), 50)
    assert [child.tag.rpartition("}")[2] for child in pairs[0]] == ["Win32_Service", "EndpointReference"]


_CASES: list[tuple[str, Any, str | int]] = [
    ("a class that is not there", lambda it: it.get(f"{_CIMV2}/Win32_Nothing"), "a:DestinationUnreachable"),
    ("a key nobody has", lambda it: it.get(f"{_CIMV2}/Win32_Service", selector_set=_selectors(Name="x")), "a:DestinationUnreachable"),
    ("a selector that is no key", lambda it: it.get(f"{_CIMV2}/Win32_Service", selector_set=_selectors(State="Running")), 2150858843),
    ("no selectors where there are many", lambda it: it.get(f"{_CIMV2}/Win32_Service"), "w:InvalidSelectors"),
    ("two namespaces", lambda it: it.get(f"{_CIMV2}/Win32_Service", selector_set=_selectors(Name="WinRM", __cimnamespace="root")), 2150859067),
    ("a namespace that is not there", lambda it: it.enumerate(f"{_WMI}/{_ROOT}/nothing/Win32_Service", _enumerate()), "n:CannotProcessFilter"),
    ("a query of an unknown class", lambda it: it.enumerate(f"{_CIMV2}/*", _enumerate("select * from Nothing")), "n:CannotProcessFilter"),
    ("no query", lambda it: it.enumerate(f"{_CIMV2}/*", _enumerate()), "n:CannotProcessFilter"),
    ("no WQL", lambda it: it.enumerate(f"{_CIMV2}/*", _enumerate("give me all")), "n:CannotProcessFilter"),
    ("an unknown property", lambda it: it.enumerate(f"{_CIMV2}/*", _enumerate("select * from Win32_Service where Colour = 1")), "n:CannotProcessFilter"),
    ("an unknown property chosen", lambda it: it.enumerate(f"{_CIMV2}/*", _enumerate("select Colour from Win32_Service")), "n:CannotProcessFilter"),
    ("another language", lambda it: it.enumerate(f"{_CIMV2}/*", _enumerate("x", dialect="http://schemas.dmtf.org/wbem/cql/1/dsp0202.pdf")), 2150858777),
    ("a query of a single class", lambda it: it.enumerate(f"{_CIMV2}/Win32_Service", _enumerate("select * from Win32_Service")), 2150859003),
    ("an unknown mode", lambda it: it.enumerate(f"{_CIMV2}/Win32_Service", _enumerate(mode="Everything")), 2150858886),
    ("nothing at a time", lambda it: it.enumerate(f"{_CIMV2}/Win32_Service", _enumerate(most=0)), 2150858799),
    ("more than a number can be", lambda it: it.enumerate(f"{_CIMV2}/Win32_Service", _enumerate(most=10**12)), 2150858799),
    ("a context of nobody", lambda it: it.pull(f"{_CIMV2}/Win32_Service", _pull("uuid:4F0E6E6A-0000-0000-0000-000000000000")), 2150858779),
    ("a context that is garbage", lambda it: it.pull(f"{_CIMV2}/Win32_Service", _pull("\U0001f600")), 2150858779),
    ("no body", lambda it: it.enumerate(f"{_CIMV2}/Win32_Service"), 2150858817),
    ("a method that is not there", lambda it: it.invoke(f"{_LCM}/Dance", _LCM, None), 2150858771),
    ("a change", lambda it: it.put(f"{_CIMV2}/Win32_Service", ET.Element("x")), 2150858771),
    ("no class", lambda it: it.get(f"{_WMI}/root"), 2150858752),
]  # fmt: skip


@pytest.mark.parametrize(("ask", "code"), [case[1:] for case in _CASES], ids=[case[0] for case in _CASES])
def test_what_cannot_be_is_refused(wsman: WSMan, ask: Any, code: str | int) -> None:
    with pytest.raises(WSManFaultError) as refused:
        ask(wsman)
    assert refused.value.code == code


def test_an_enumeration_that_was_released_is_gone(wsman: WSMan) -> None:
    uri = f"{_CIMV2}/Win32_Service"
    (answer,) = wsman.enumerate(uri, _enumerate(most=2))
    context = answer.findtext(f"{_N}EnumerationContext") or ""
    release = ET.Element(f"{_N}Release")
    ET.SubElement(release, f"{_N}EnumerationContext").text = context
    wsman.invoke("http://schemas.xmlsoap.org/ws/2004/09/enumeration/Release", uri, release)
    with pytest.raises(WSManFaultError) as refused:
        wsman.pull(uri, _pull(context))
    assert refused.value.code == 2150858779


def _input(method: str, **arguments: str) -> ET.Element:
    element = ET.Element(f"{{{_LCM}}}{method}_INPUT")
    for name, value in arguments.items():
        ET.SubElement(element, f"{{{_LCM}}}{name}").text = value
    return element


def _output(answer: ET.Element, method: str) -> ET.Element:
    found = answer.find(f"{{http://www.w3.org/2003/05/soap-envelope}}Body/{{{_LCM}}}{method}_OUTPUT")
    assert found is not None
    return found


_DOCUMENT = """instance of MSFT_ServiceResource as $one
{
 ResourceID = "[Service]time";
 ModuleName = "PSDscResources";
 ModuleVersion = "2.12.0.0";
 Name = "W32Time";
 State = "Stopped";
 ConfigurationName = "Empty";
};
instance of OMI_ConfigurationDocument
{
 Version = "2.0.0";
 MinimumCompatibleVersion = "1.0.0";
 Name = "Empty";
};
"""


def test_the_lcm_answers_what_its_settings_are(wsman: WSMan) -> None:
    answer = wsman.invoke(f"{_LCM}/GetMetaConfiguration", _LCM, None)
    action = answer.findtext("*/{http://schemas.xmlsoap.org/ws/2004/08/addressing}Action")
    assert action == f"{_LCM}/GetMetaConfigurationResponse"
    output = _output(answer, "GetMetaConfiguration")
    (meta, returned) = output
    assert returned.text == "0"
    assert _texts(meta)["LCMState"] == "Idle"
    assert (meta.get(f"{_XSI}type") or "").endswith(":MSFT_DSCMetaConfiguration_Type")


def test_the_lcm_is_for_administrators(tmp_path: Any) -> None:
    guest = UserSpec(name="guest", nt_hash=ntowfv1(PASSWORD), groups=("Remote Management Users",))
    with (
        running_node(tmp_path, logon=LogonSpec(users=(guest,))) as real,
        real.wsman(user="guest") as theirs,
    ):
        assert theirs.get(f"{_CIMV2}/Win32_OperatingSystem") is not None
        for action in (f"{_LCM}/GetMetaConfiguration", f"{_LCM}/NoSuchMethod"):
            with pytest.raises(WSManFaultError, match="Access denied") as refused:
                theirs.invoke(action, _LCM, None)
            assert refused.value.code == "w:AccessDenied"
        with pytest.raises(WSManFaultError, match="Access denied"):
            theirs.enumerate(_LCM, _enumerate())
        with pytest.raises(PywinrmFault) as told:
            _ask(_protocol(real, "guest"), _LCM, WSManAction.GET, {})
        assert told.value.wmierror_code == 0x80041003


def test_a_configuration_is_pushed_as_bare_base64(real: RealNode, wsman: WSMan) -> None:
    data = base64.b64encode(_DOCUMENT.encode()).decode()
    dmtf = f"{_DMTF}/MSFT_DSCLocalConfigurationManager/SendConfigurationApply"
    for action in (f"{_LCM}/SendConfigurationApply", dmtf):
        answer = wsman.invoke(
            action, _LCM, _input("SendConfigurationApply", ConfigurationData=data, force="true")
        )
        assert _output(answer, "SendConfigurationApply")[-1].text == "0"
    service = real.node.machine.services.find("W32Time")
    assert service is not None
    assert service.status == "Stopped"


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"ConfigurationData": "no base64!"},
        {"ConfigurationData": "AAAA", "force": "perhaps"},
        {"ConfigurationData": "AAAA", "Colour": "blue"},
    ],
)
def test_arguments_of_another_kind_are_refused(wsman: WSMan, arguments: dict[str, str]) -> None:
    with pytest.raises(WSManFaultError) as refused:
        wsman.invoke(f"{_LCM}/SendConfigurationApply", _LCM, _input("SendConfigurationApply", **arguments))
    assert refused.value.code == "w:SchemaValidationError"


@pytest.mark.parametrize("prefix", ["big", "little"])
def test_a_length_of_the_clients_own_spoils_the_document(wsman: WSMan, prefix: Any) -> None:
    whole = (len(_DOCUMENT) + 4).to_bytes(4, prefix) + _DOCUMENT.encode()
    data = base64.b64encode(whole).decode()
    with pytest.raises(WSManFaultError) as refused:
        wsman.invoke(
            f"{_LCM}/SendConfigurationApply", _LCM, _input("SendConfigurationApply", ConfigurationData=data)
        )
    assert refused.value.code == "w:InternalError"


def test_one_element_for_each_byte_is_refused(wsman: WSMan) -> None:
    element = _input("SendConfigurationApply")
    for byte in _DOCUMENT.encode():
        ET.SubElement(element, f"{{{_LCM}}}ConfigurationData").text = str(byte)
    with pytest.raises(WSManFaultError):
        wsman.invoke(f"{_LCM}/SendConfigurationApply", _LCM, element)


def _protocol(real: RealNode, user: str = USER) -> Protocol:
    return Protocol(
        f"http://{real.node.address}:{real.node.port}/wsman",
        transport="ntlm",
        username=user,
        password=PASSWORD,
        message_encryption="always",
        ca_trust_path=None,  # type: ignore[arg-type]  # documented, and not in the annotation
    )


def _ask(protocol: Protocol, uri: str, action: str, body: dict[str, Any]) -> str:
    """Send a request built by pywinrm's own header."""
    request = {"env:Envelope": protocol.build_wsman_header(action, uri)}
    request["env:Envelope"]["env:Body"] = body
    return protocol.send_message(xmltodict.unparse(request)).decode()


def test_pywinrms_protocol_enumerates(real: RealNode) -> None:
    body = {
        "n:Enumerate": {
            "w:OptimizeEnumeration": None,
            "w:MaxElements": "10",
            "w:Filter": {"@Dialect": _WQL, "#text": "select * from Win32_OperatingSystem"},
        }
    }
    text = _ask(_protocol(real), f"{_CIMV2}/*", f"{_N[1:-1]}/Enumerate", body)
    assert "<p:CSName>HV01</p:CSName>" in text
    assert "<w:EndOfSequence/>" in text


def test_pywinrm_reads_the_errors_of_wmi(real: RealNode) -> None:
    body = {"n:Enumerate": {"w:Filter": {"@Dialect": _WQL, "#text": "select * from Nothing"}}}
    with pytest.raises(PywinrmFault) as refused:
        _ask(_protocol(real), f"{_CIMV2}/*", f"{_N[1:-1]}/Enumerate", body)
    assert refused.value.wmierror_code == 2150858778
    assert refused.value.fault_subcode == "n:CannotProcessFilter"
    with pytest.raises(PywinrmFault) as refused:
        _ask(_protocol(real), f"{_CIMV2}/Win32_Service", WSManAction.GET, {})
    assert refused.value.wmierror_code == 2150859002


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("", "<cfg:MaxEnvelopeSizekb>500<"),
        ("/service", "<cfg:MaxConcurrentOperationsPerUser>1500<"),
        ("/winrs", "<cfg:MaxShellsPerUser>2147483647<"),
        ("/client", "<cfg:NetworkDelayms>5000<"),
        ("/service/auth", "<cfg:CbtHardeningLevel>"),
    ],
)
def test_settings_are_read_whole_and_by_part(real: RealNode, part: str, text: str) -> None:
    assert text in _ask(_protocol(real), _CONFIG + part, WSManAction.GET, {})


def test_listeners_are_enumerated_and_unknown_parts_refused(real: RealNode, wsman: WSMan) -> None:
    text = _ask(_protocol(real), f"{_CONFIG}/listener", f"{_N[1:-1]}/Enumerate", {"n:Enumerate": None})
    assert re.search(r"<cfg:Transport>HTTP</cfg:Transport><cfg:Port>\d+<", text)
    with pytest.raises(WSManFaultError) as refused:
        wsman.get(f"{_CONFIG}/nothing")
    assert refused.value.code == 2150858752
