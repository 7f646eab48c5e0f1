"""Known scripts: the clients' own are recognised with their data; anything that deviates is not."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import html
import json
import random
import re
import shutil
import time
from collections.abc import AsyncIterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml

from provisioner.lab.foreign.constant_script import NotConstantError, read
from provisioner.lab.foreign.execution import prepare
from provisioner.lab.foreign.registry import Known, ScriptContext, known_scripts, recognise
from provisioner.lab.foreign.skeleton import tokens_of
from provisioner.lab.machine.ground.files import Acl
from provisioner.lab.simulated_node import SimulatedNode
from provisioner.lab.values import ScriptExit, TerminatingError
from tests.shared_data import shared
from tests.unit.lab.commands.recording import Recorded, make_node

_MANIFEST = pytest.importorskip("ansible.executor.powershell.module_manifest")
_LOADER = pytest.importorskip("ansible.plugins.loader")
_USER = "HV01\\provisioner"
_TEMPORARY = "winrmcp-0a1b2c3d-0000-4000-8000-0123456789ab.tmp"
_PACKER_CHECK = (
    "if (Test-Path variable:global:ProgressPreference){$ProgressPreference='SilentlyContinue'}; "
    'echo "WinRM connected."'
)
_PACKER_RESTART = 'echo ("{0} restarted." -f [System.Net.Dns]::GetHostName())'
_TARGET = "c:/Windows/Temp/script.bat"


@cache
def _packer(beginning: str, end: str) -> str:
    """A script out of packer's own program, with a place for each thing it puts in."""
    program = shutil.which("packer")
    if program is None:
        return ""
    data = Path(program).read_bytes()
    start = data.find(b'\n\t\t$tmp_file_path = [System.IO.Path]::GetFullPath("%s")\n' + beginning.encode())
    return data[start : data.find(end.encode(), start) + len(end)].decode() if start >= 0 else ""


def _restore(target: str = _TARGET) -> str:
    text = _packer("\t\t$dest_file_path", "echo $null > $dest_file_path\n\t\t}\n")
    return text.replace("%s", f"$env:TEMP\\{_TEMPORARY}", 1).replace("%s", target, 1)


def _cleanup() -> str:
    text = _packer("\t\tif (Test-Path", "SilentlyContinue\n\t\t}\n")
    return text.replace("%s", f"$env:TEMP\\{_TEMPORARY}", 1)


needs_packer = pytest.mark.skipif(not _restore() or not _cleanup(), reason="packer is not installed")


def _encoded(script: str, **how: bool) -> str:
    """The script as ansible's own shell plugin sends it."""
    line = _LOADER.shell_loader.get("powershell")._encode_script(script, **how)
    return base64.b64decode(line.rsplit(" ", 1)[1]).decode("utf-16-le")


def _bootstraps() -> list[str]:
    script, _ = _MANIFEST._bootstrap_powershell_script("winrm_put_file.ps1", {})
    return [
        script,
        *(
            _encoded(script, strict_mode=strict, preserve_rc=keeps)
            for strict in (False, True)
            for keeps in (False, True)
        ),
    ]


def _recorded() -> list[str]:
    """The scripts in recordings of a Client against real Windows servers, years ago."""
    found: list[str] = []
    for name in ("client_copy_file", "client_copy_file_warning"):
        recording = yaml.safe_load(shared("wire-traces", f"{name}.yml").read_text("utf-8"))
        for message in recording["messages"]:
            for text in re.findall(r"<rsp:Arguments>([^<]+)</rsp:Arguments>", message["request"] or ""):
                for part in re.findall(
                    r'<S N="Cmd">(begin.*?)</S>', base64.b64decode(text).decode("utf-8", "replace"), re.DOTALL
                ):
                    plain = re.sub("_x([0-9A-F]{4})_", lambda unit: chr(int(unit.group(1), 16)), part)
                    found.append(html.unescape(plain))
    return found


def test_the_scripts_in_recordings_are_recognised() -> None:
    scripts = _recorded()
    assert len(scripts) >= 2
    for script in scripts:
        found = recognise(script)
        assert found is not None
        assert (found.script.client, found.script.name) == ("pypsrp", "copy")


def _pypsrp(name: str) -> str:
    return resources.files("pypsrp").joinpath("pwsh_scripts", name).read_text("utf-8")


def _scripts() -> dict[str, str]:
    return {
        "pypsrp/copy": _pypsrp("copy.ps1"),
        "pypsrp/fetch": _pypsrp("fetch.ps1"),
        "packer/connected": _PACKER_CHECK,
        "packer/restarted": _PACKER_RESTART,
        **({"packer/restore": _restore(), "packer/cleanup": _cleanup()} if _restore() else {}),
        "ansible-core/bootstrap": _bootstraps()[0],
    }


@pytest.mark.parametrize(("name", "script"), _scripts().items())
def test_the_script_of_a_client_is_recognised(name: str, script: str) -> None:
    found = recognise(script)
    assert found is not None
    assert f"{found.script.client}/{found.script.name}" == name
    expected = {"packer/cleanup": {"source": _TEMPORARY}}
    expected["packer/restore"] = {"source": _TEMPORARY, "target": _TARGET}
    assert found.data == expected.get(name, {})


def test_ansible_may_send_its_wrapper_in_any_of_its_forms() -> None:
    assert all(recognise(script) for script in _bootstraps())


def test_every_known_script_says_who_sends_it_and_has_something_to_do() -> None:
    for script in known_scripts():
        assert script.client
        assert script.versions
        assert script.does
        assert Known(script).script.function.partition(":")[2]


@pytest.mark.parametrize(("name", "script"), _scripts().items())
@pytest.mark.parametrize(
    "more",
    [
        "\nRemove-Item C:\\Windows -Recurse",
        "; Stop-Computer",
        " | Out-Null",
        "\n& { hostname }",
        "\nexit 0",
        "'x'",
    ],
)
def test_a_script_that_goes_on_after_a_known_one_is_refused(name: str, script: str, more: str) -> None:
    assert recognise(script + more) is None
    with pytest.raises(TerminatingError):
        prepare(script + more)


@pytest.mark.parametrize(
    "data",
    [
        "$(Remove-Item C:\\x)",
        '"; hostname; "',
        "`n",
        "..\\..\\Windows\\System32\\x",
        "winrmcp-x.tmp\\..\\y",
        "",
    ],
)
@needs_packer
def test_data_that_is_more_than_data_is_refused(data: str) -> None:
    assert recognise(_cleanup().replace(_TEMPORARY, data)) is None
    if "\\" not in data:  # a path may have folders
        assert recognise(_restore(data)) is None


@needs_packer
def test_comments_and_layout_do_not_count() -> None:
    shifted = "\n".join(f"    {line}   # {number}" for number, line in enumerate(_cleanup().split("\n")))
    assert recognise(shifted) is not None
    assert recognise(f"<# by hand #>\r\n{_cleanup()}") is not None


@pytest.mark.parametrize(
    "piece", ["<#", "@'\n", '@"\n', "'", '"`', "(", "@(", "@{a=", "a|", "a,", "#", "-x:", "`\n", "& "]
)
def test_hostile_texts_take_no_time(piece: str) -> None:
    for length in (39_990, 400_000):
        text = piece * (length // len(piece))
        began = time.process_time()
        assert recognise(text) is None
        with contextlib.suppress(NotConstantError):
            read(text)
        assert time.process_time() - began < 5


def _mutated(script: str, draw: random.Random) -> str:
    """Change a script a little, as somebody would who tries."""
    text = list(script)
    for _ in range(draw.randint(1, 3)):
        at = draw.randrange(len(text) + 1)
        match draw.randrange(5):
            case 0 if at < len(text):
                del text[at]
            case 1:
                text.insert(at, draw.choice("\0\u2019'\"`$(){};|&\n #<>x0\ud800\N{WHITE CIRCLE}"))
            case 2 if at < len(text):
                text[at] = draw.choice("abcXYZ01$'\";\\")
            case 3:
                end = min(len(text), at + draw.randint(1, 40))
                text[at:end] = text[at:end] * 2
            case _:
                end = min(len(text), at + draw.randint(1, 40))
                del text[at:end]
    return "".join(text)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "script"), _scripts().items())
def test_ten_thousand_mutations_are_recognised_with_their_data_or_refused(name: str, script: str) -> None:
    draw = random.Random(name)
    constant = [token for token in tokens_of(script) if _TEMPORARY not in token and _TARGET not in token]
    holes = {
        index for index, token in enumerate(tokens_of(script)) if _TEMPORARY in token or _TARGET in token
    }
    for _ in range(10_000):
        mutant = _mutated(script, draw)
        found = recognise(mutant)
        if found is None:
            continue
        assert f"{found.script.client}/{found.script.name}" == name
        # Recognised: nothing but comments, layout and data has changed.
        kept = [token for index, token in enumerate(tokens_of(mutant)) if index not in holes]
        assert kept == constant
        assert not any(set("'\"`$\r\n") & set(value) for value in found.data.values())
        assert "\\" not in found.data.get("source", "")


# -- what they do --------------------------------------------------------------------------------------------


async def _run(node: SimulatedNode, script: str, *given: Any, arguments: tuple[Any, ...] = ()) -> Recorded:
    recorded = Recorded()
    known = recognise(script)
    assert known is not None
    await known.run(ScriptContext(node, _USER, _input(list(given)), recorded, arguments))
    return recorded


@needs_packer
async def test_packer_restores_over_what_is_there(tmp_path: Path) -> None:
    node = make_node(tmp_path)
    files = node.machine.files
    source = f"C:\\Users\\provisioner\\AppData\\Local\\Temp\\{_TEMPORARY}"
    files.make_folder("C:\\Users\\provisioner\\AppData\\Local\\Temp")
    files.write(source, b"YWJj \r\nZGVm \r\n")
    private = Acl("S-1-5-18", is_protected=True, rules=())
    files.write(_TARGET, b"old", private)
    await _run(node, _restore())
    assert files.read(_TARGET) == b"abcdef"
    assert files.acl(_TARGET).owner == files.acl("C:\\Windows\\Temp").owner  # a new file, not the old one
    assert files.acl(_TARGET).rules != ()
    with pytest.raises(ScriptExit):  # a folder is in the way
        await _run(node, _restore("C:/Windows/Temp"))
    await _run(node, _cleanup())
    assert not files.is_file(source)
    await _run(node, _restore("C:/new/folder/empty.txt"))
    assert files.read("C:/new/folder/empty.txt") == "\ufeff\r\n".encode("utf-16-le")


async def test_pypsrp_leaves_nothing_of_a_copy_that_was_damaged(tmp_path: Path) -> None:
    node = make_node(tmp_path)
    good = [base64.b64encode(part).decode() for part in (b"abc", hashlib.sha1(b"abc").hexdigest().encode())]
    copied = await _run(node, _pypsrp("copy.ps1"), *good, arguments=("%TEMP%\\a.txt", True))
    assert copied.values == ["C:\\Users\\provisioner\\AppData\\Local\\Temp\\a.txt"]
    for bad in ([good[0]], [good[1], good[0]], ["?"], []):
        with pytest.raises(TerminatingError):
            await _run(node, _pypsrp("copy.ps1"), *bad, arguments=("C:\\Windows\\Temp\\b.txt", False))
    assert not node.machine.files.is_file("C:\\Windows\\Temp\\b.txt")


# -- ansible's input -----------------------------------------------------------------------------------------


async def _input(lines: list[Any]) -> AsyncIterator[Any]:
    for line in lines:
        yield line


async def _bootstrap(node: SimulatedNode, lines: list[Any]) -> Recorded:
    recorded = Recorded()
    known = recognise(_bootstraps()[0])
    assert known is not None
    await known.run(ScriptContext(node, _USER, _input(lines), recorded))
    return recorded


def _lines(name: str, parameters: dict[str, Any], *more: str) -> list[str]:
    _, given = _MANIFEST._bootstrap_powershell_script(name, parameters, has_input=bool(more))
    return [*given.decode().splitlines(), *more]


async def test_an_action_is_carried_out(tmp_path: Path) -> None:
    node = make_node(tmp_path)
    data = base64.b64encode(b"abc").decode()
    out = await _bootstrap(node, _lines("winrm_put_file.ps1", {"Path": "C:\\Windows\\Temp\\a"}, data, data))
    assert node.machine.files.read("C:\\Windows\\Temp\\a") == b"abcabc"
    assert json.loads(out.values[0])["sha1"] == "f8c1d87006fbf7e5cc4b026c3138bc046883dc71"
    out = await _bootstrap(node, _lines("powershell_expand_user.ps1", {"Path": "~\\x"}))
    assert out.values == ["C:\\Users\\provisioner\\x"]
    out = await _bootstrap(node, _lines("powershell_mkdtemp.ps1", {"Directory": "%TEMP%", "Name": "made"}))
    assert node.machine.files.is_folder(out.values[0])


async def test_a_drive_that_is_not_there_is_an_error_of_the_script(tmp_path: Path) -> None:
    node = make_node(tmp_path)
    for name, parameters in (
        ("powershell_mkdtemp.ps1", {"Directory": "Q:\\x", "Name": "y"}),
        ("winrm_put_file.ps1", {"Path": "Q:\\x\\y"}),
    ):
        with pytest.raises(TerminatingError) as failed:
            await _bootstrap(node, _lines(name, parameters))
        assert failed.value.record.error_id == "DirectoryNotFoundException"


async def test_input_that_is_not_ansibles_is_refused(tmp_path: Path) -> None:
    node = make_node(tmp_path)
    good = _lines("winrm_put_file.ps1", {"Path": "C:\\Windows\\Temp\\a"}, "YQ==")
    wrapper, manifest = json.loads(good[0]), json.loads(good[2])

    def changed(**more: Any) -> list[Any]:
        return [good[0], good[1], json.dumps(manifest | more), *good[3:]]

    script = base64.b64encode(b"Remove-Item C:\\Windows").decode()
    bad: list[list[Any]] = [
        [],
        ["{"],
        ["[]"],
        ["[" * 100_000],
        [json.dumps(wrapper | {"script": "hostname"}), *good[1:]],
        [json.dumps(wrapper | {"script": wrapper["script"] + "\nhostname"}), *good[1:]],
        changed(actions=[]),
        changed(actions=manifest["actions"] * 2),
        changed(actions=[{"name": "other.ps1", "params": {"Script": "win_ping.ps1"}}]),
        changed(actions=[{"name": "winrm_put_file.ps1", "params": {}}]),
        changed(actions=[{"name": "winrm_put_file.ps1", "params": {"Path": ["C:\\x"]}}]),
        changed(scripts={"winrm_put_file.ps1": {"script": script}}),
        changed(scripts={"winrm_put_file.ps1": {"script": "no base64"}}),
        changed(scripts={}),
        [1, 2],
        [*good[:4], "not base64!"],
    ]
    for lines in bad:
        with pytest.raises(TerminatingError):
            await _bootstrap(node, lines)
    assert not node.machine.files.is_file("C:\\Windows\\Temp\\a")


async def test_mutated_input_never_fails_otherwise(tmp_path: Path) -> None:
    node = make_node(tmp_path)
    good = _lines("winrm_fetch_file.ps1", {"Path": "C:\\Windows", "BufferSize": 5, "Offset": 0})
    draw = random.Random(5)
    for _ in range(1_000):
        lines = list(good)
        index = draw.choice([0, 1, 2, 2, 2])
        lines[index] = _mutated(lines[index], draw)
        try:
            out = await _bootstrap(node, lines)
        except (TerminatingError, ScriptExit):
            continue
        assert out.values in (["[DIR]"], [])
