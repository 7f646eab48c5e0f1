"""Passwords and secrets like no other, and a search for them in everything a run leaves or shows.

Looked for is the password in clear and in the forms it could be hidden in, and its NT hash, which opens the same
doors; a secret of a configuration also as it is encoded for the file it is meant for. Secrets may stand in one place:
in that file, on the simulated disk of the node. The search itself is tested first: it must find what is planted, in every form and in every place.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import pytest

from provisioner.lab.server.authentication.accounts import nt_hash
from tests.lab.labs import EXAMPLE, LabRun
from tests.unit.secrets.certificate_files import make_certificate

# Another process that runs these tests at the same time plants passwords of its own.
RIGHT = f"Kanari-{os.getpid():07}/Right?Wq+Vogel"
WRONG = f"Kanari-{os.getpid():07}/Wrong?Xz+Vogel"
#: What a configuration holds; the dollar makes oslo's form another one.
SECRET = f"Kanari-{os.getpid():07}/Secret?$Yk+Vogel"
SECRET_FORMS = {
    "secret": SECRET,
    "secret for a URL": quote(SECRET, safe=""),
    "secret for oslo": SECRET.replace("$", "$$"),
}

Needles = Mapping[str, bytes]


def _base64_pieces(raw: bytes, name: str) -> Iterator[tuple[str, bytes]]:
    """What stays the same of the base64 of ``raw``, wherever in a longer text it stands."""
    for before in range(3):
        for alphabet, encode in [("", base64.b64encode), ("url-safe ", base64.urlsafe_b64encode)]:
            for after in range(3):
                whole = encode(bytes(before) + raw + bytes(after))
                other = encode(b"\xff" * before + raw + b"\xff" * after)
                same = [index for index, (a, b) in enumerate(zip(whole, other, strict=True)) if a == b]
                yield f"{alphabet}base64 of {name} at {before}", whole[same[0] : same[-1] + 1]


def needles_of(password: str) -> dict[str, bytes]:
    """Return every form that is looked for; hexadecimal is looked for in lower and upper case."""
    raws = {
        "UTF-8": password.encode(),
        "UTF-16LE": password.encode("utf-16-le"),
        "NT hash": nt_hash(password),
    }
    found: dict[str, bytes] = {"URL": quote(password, safe="").encode()}
    for name, raw in raws.items():
        found[name] = raw
        found[f"hex of {name}"] = raw.hex().encode()
        found[f"upper hex of {name}"] = raw.hex().upper().encode()
        for form, piece in _base64_pieces(raw, name):
            # The shortest piece of one offset is part of the others.
            found[form] = min(found.get(form, piece), piece, key=len)
    # Documents are UTF-16, whatever form stands in them.
    texts = {form: needle for form, needle in found.items() if form not in raws}
    return found | {
        f"{form}, as UTF-16": needle.decode().encode("utf-16-le") for form, needle in texts.items()
    }


NEEDLES: Needles = {
    f"{name} password, {form}": needle
    for name, password in [("right", RIGHT), ("wrong", WRONG), *SECRET_FORMS.items()]
    for form, needle in needles_of(password).items()
}


def leaks_in(content: bytes, place: str) -> set[str]:
    """Return where and how the password stands in some bytes."""
    return {f"{place}: {form}" for form, needle in NEEDLES.items() if needle in content}


#: A file on a node's simulated disk as ``state/files.json`` holds it, and where its content begins.
DISK = ("files.json", "files.tmp")
NOVA_CONF = re.compile(rb'("path": "[^"]*nova\.conf(?:\.provisioner-new)?", [^{}]*?"content": ")[^"]*')


def outside_the_file(path: Path) -> bytes:
    """Read a file; of a node's disk leave out the content of the one file that secrets are for."""
    content = path.read_bytes()
    return NOVA_CONF.sub(rb"\1", content) if path.name in DISK else content


def leaks_below(folder: Path) -> set[str]:
    """Search every file below a folder, and every name."""
    found = set()
    # Folders and files may go away while they are looked at, which a walk of this kind does not mind.
    for place, _, names in os.walk(folder):
        for path in (Path(place), *(Path(place, name) for name in names)):
            found |= leaks_in(os.fsencode(path), f"the name {path}")
            with contextlib.suppress(OSError):  # sockets, and files that went away just now
                if path.is_file():
                    found |= leaks_in(outside_the_file(path), str(path))
    return found


def leaks_in_processes() -> set[str]:
    """Search the command line of every process on this machine."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found |= leaks_in(path.read_bytes(), str(path))
    return found


class Watch:
    """Searches processes and files again and again while something runs."""

    def __init__(self, folder: Path) -> None:
        self.found: set[str] = set()
        self.rounds = 0
        self.seen: set[str] = set()
        self._folder = folder
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._end.wait(0.1):
            self.found |= leaks_in_processes() | leaks_below(self._folder)
            self.seen |= {path.name for path in self._folder.rglob("state.db*")}
            self.rounds += 1

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()


# --- the search finds what there is -------------------------------------------------------------------------

FORMS: dict[str, Callable[[bytes], bytes]] = {
    "clear": lambda raw: raw,
    "hex": lambda raw: raw.hex().encode(),
    "HEX": lambda raw: raw.hex().upper().encode(),
    **{
        f"base64 between {before} and {after}": lambda raw, before=before, after=after: base64.b64encode(  # type: ignore[misc]
            b"user:"[:before] + raw + b"\n;!"[:after]
        )
        for before in range(6)
        for after in range(4)
    },
    "base64 for URLs": base64.urlsafe_b64encode,
    "base64 in UTF-16": lambda raw: base64.b64encode(raw).decode().encode("utf-16-le"),
    "hex in UTF-16": lambda raw: raw.hex().encode("utf-16-le"),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "password", [RIGHT, WRONG, *SECRET_FORMS.values()], ids=["right", "wrong", *SECRET_FORMS]
)
def test_the_search_finds_a_planted_password_in_every_form(
    tmp_path: Path, password: str, form: str, encoding: str
) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    assert leaks_below(tmp_path) == set()
    planted = b"\x00\x01 noise \xff" + FORMS[form](password.encode(encoding)) + b" noise"
    (tmp_path / "deep" / "er" / ".hidden.db-wal").write_bytes(planted)
    assert leaks_below(tmp_path)


def test_only_the_content_of_the_one_file_is_left_out_of_a_node_s_disk(tmp_path: Path) -> None:
    content = base64.b64encode(SECRET.encode()).decode()
    entry = {"path": "C:\\etc\\nova.conf", "attributes": ["Archive"], "written": "", "content": content}
    disk = tmp_path / "files.json"
    for kept in [json.dumps({"changed": [entry]}), json.dumps({"changed": [entry]})[:-12]]:
        disk.write_text(kept, encoding="utf-8")
        assert leaks_below(tmp_path) == set()
    for planted in [
        entry | {"path": "C:\\etc\\other.conf"},
        entry | {"path": "nova.conf" + SECRET},
        {"log": SECRET},
    ]:
        disk.write_text(json.dumps({"changed": [entry, planted]}), encoding="utf-8")
        assert leaks_below(tmp_path)
    disk.unlink()
    (tmp_path / "trace.json").write_text(json.dumps(entry), encoding="utf-8")
    assert leaks_below(tmp_path)


def test_the_search_finds_an_nt_hash_and_the_name_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(f'{{"hash": "{nt_hash(RIGHT).hex()}"}}', encoding="utf-8")
    assert {leak.split(": ")[1] for leak in leaks_below(tmp_path)} == {"right password, hex of NT hash"}
    (tmp_path / "a.json").unlink()
    (tmp_path / quote(WRONG, safe="")).touch()
    assert leaks_below(tmp_path)


def test_the_search_finds_a_password_in_the_process_list() -> None:
    assert leaks_in_processes() == set()
    with subprocess.Popen(
        [sys.executable, "-c", "input()", f"--password={RIGHT}"], stdin=subprocess.PIPE
    ) as one:
        assert any(f"/proc/{one.pid}/cmdline" in leak for leak in leaks_in_processes())
        one.kill()


#: The real command with a transport that says the password aloud, and ways to say it.
LEAKING = """
import base64, sys
from pathlib import Path
from provisioner.cli.app import main
from provisioner.errors import ConnectError
from provisioner.transport.psrp import PsrpTransport

async def open_aloud(self):
    text = self._password.reveal()
    {leak}
    raise ConnectError(self._node, str(self._endpoint), "no answer")

PsrpTransport.open = open_aloud
{more}
main(["apply", "inventory.yaml", "--yes"])
"""
IN_MESSAGE = 'raise ConnectError(self._node, str(self._endpoint), f"refused with {text}")'
UNREDACTED = "import provisioner.project.runs; provisioner.project.runs._redactor = lambda compilation, passwords: None"
ONE_NODE = """\
site: canary
connection: {port: 15985, user: tester, password: "env:LAB_CANARY", connect_timeout: 1, reconnect_timeout: 1}
nodes:
  n1: {address: 127.20.0.1, roles: [iscsi_target], variables: {iscsi_targets: []}}
"""


def _say_aloud(folder: Path, leak: str, more: str = "") -> tuple[set[str], set[str]]:
    """Run the leaking command; return what is found in its output and in the files it leaves."""
    (folder / "inventory.yaml").write_text(ONE_NODE, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", LEAKING.format(leak=leak, more=more)],
        cwd=folder,
        env=os.environ | {"LAB_CANARY": RIGHT},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    return leaks_in(done.stdout + done.stderr, "output"), leaks_below(folder)


def test_a_leak_in_the_product_would_be_found_in_output_and_journal(tmp_path: Path) -> None:
    shown, kept = _say_aloud(tmp_path, IN_MESSAGE, UNREDACTED)
    assert shown
    assert any("state.db" in leak for leak in kept)


def test_a_leak_in_a_hidden_form_in_a_file_of_its_own_would_be_found(tmp_path: Path) -> None:
    leak = "Path('.provisioner/trace').write_bytes(base64.b64encode(b'n1:' + text.encode('utf-16-le')))"
    shown, kept = _say_aloud(tmp_path, leak)
    assert shown == set()
    assert any(".provisioner/trace" in leak for leak in kept)


def test_a_password_in_an_error_of_a_transport_is_masked_wherever_the_error_goes(tmp_path: Path) -> None:
    assert _say_aloud(tmp_path, IN_MESSAGE) == (set(), set())


#: The real command with an encryption that does nothing: what is left is the clear text.
UNSEALED = """
from provisioner.cli.app import main
from provisioner.secrets import cms

cms.armoured = lambda text, certificate: text
main(["compile", "inventory.yaml", "-o", "out"])
"""
COMPUTE = """\
site: canary
connection: {port: 15985, user: tester, password: "env:LAB_CANARY"}
encryption: {certificate: .}
nodes:
  n1:
    address: 127.20.0.1
    roles: [nova_compute]
    variables:
      hyperv_switch_adapters: [Ethernet 2]
      openstack_release: "2023.1"
      openstack_runtime_installer:
        path: C:\\a.msi
        sha256: 468f683e9370f85cd17be0cae0b4a85c6947843d8925e6128c5087992378db98
        product_code: '{0B7F6C5E-6E0C-4C39-9C3B-5C1B6F1D2A10}'
        version: 27.0.0
      openstack_transport_hosts: [mq.example]
      openstack_transport_password: env:LAB_CANARY_SECRET
      openstack_auth_url: https://keystone.example:5000/v3
      nova_service_password: env:LAB_CANARY_SECRET
      nova_placement_password: env:LAB_CANARY_SECRET
      nova_neutron_password: env:LAB_CANARY_SECRET
"""


def _compile(folder: Path, script: str) -> set[str]:
    """Compile a node that takes a secret; return what is found in the output and in the files."""
    made = make_certificate(
        begins=datetime.now(UTC) - timedelta(days=1), ends=datetime.now(UTC) + timedelta(days=99)
    )
    (folder / "n1.cer").write_bytes(made.encoded)
    (folder / "inventory.yaml").write_text(COMPUTE, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env=os.environ | {"LAB_CANARY": RIGHT, "LAB_CANARY_SECRET": SECRET},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (folder / "out" / "n1.mof").exists()
    return leaks_in(done.stdout + done.stderr, "output") | leaks_below(folder)


def test_a_secret_that_was_not_encrypted_would_be_found_in_the_document_and_in_what_is_kept(
    tmp_path: Path,
) -> None:
    found = _compile(tmp_path, UNSEALED)
    assert any("n1.mof" in leak for leak in found)
    assert any("ciphertexts.db" in leak for leak in found)


def test_a_compiled_secret_is_nowhere(tmp_path: Path) -> None:
    sealed = UNSEALED.replace("cms.armoured = lambda text, certificate: text", "")
    assert _compile(tmp_path, sealed) == set()
    text = (tmp_path / "out" / "n1.mof").read_bytes().decode("utf-16")
    assert "-----BEGIN CMS-----" in text
    assert 'ContentType="PasswordEncrypted"' in text.replace(" ", "")


# --- and finds nothing --------------------------------------------------------------------------------------

_HEAD = (
    EXAMPLE.read_text(encoding="utf-8")
    .split("\nnodes:")[0]
    .replace(
        "openstack_transport_password: file:.secrets/rabbit",
        "openstack_transport_password: env:LAB_CANARY_SECRET",
    )
    .replace(
        "nova_service_password: file:.secrets/keystone-nova",
        "nova_service_password: env:LAB_CANARY_SECRET\n      openstack_config_readers: [Remote Management Users]",
    )
)
INVENTORY = f"""{_HEAD}

nodes:
  hv01: {{address: 127.20.0.11, groups: [compute], connection: {{user: tester, password: "env:LAB_CANARY"}}}}
  st01: {{address: 127.20.0.21, groups: [storage], connection: {{user: tester, password: "env:LAB_CANARY"}}}}
"""


class Quiet(LabRun):
    """A lab whose every process keeps house below one folder, and whose every word is kept."""

    def keep_house(self) -> None:
        for variable in ["HOME", "TMPDIR", "XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"]:
            place = self.folder / variable.lower()
            place.mkdir()
            self.environment[variable] = str(place)
        self.said = b""

    def provision(self, *arguments: str, **how: Any) -> subprocess.CompletedProcess[str]:
        done = super().provision(*arguments, **how)
        self.said += f"{arguments}\n{done.stdout}\n{done.stderr}\n".encode()
        return done

    def disk(self, node: str) -> list[dict[str, Any]]:
        """The files of a node that are not those it began with."""
        changed: list[dict[str, Any]] = self.machine(node)["files"]["changed"]
        return changed

    def leaks(self) -> set[str]:
        return leaks_in(self.said, "output") | leaks_below(self.folder) | leaks_in_processes()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Quiet]:
    monkeypatch.setenv("LAB_CANARY", RIGHT)
    monkeypatch.setenv("LAB_CANARY_SECRET", SECRET)
    lab = Quiet(tmp_path, INVENTORY, time_scale=0.2)
    lab.keep_house()
    with Watch(tmp_path) as watch:
        lab.up()
        try:
            yield lab
        finally:
            lab.down()
    assert lab.leaks() | watch.found == set()
    assert watch.rounds > 10
    assert "state.db-wal" in watch.seen, "the journal was never seen at work"
    assert (tmp_path / "labs" / "test" / "lab.log").exists()
    assert (tmp_path / ".provisioner" / "state.db").stat().st_size > 0


def _jobs_started(run: Quiet) -> None:
    deadline = time.monotonic() + 60
    while not run.count("hv01", "job-started"):
        assert time.monotonic() < deadline, "no job was started"
        time.sleep(0.05)


@pytest.mark.slow
def test_the_password_is_nowhere_after_runs_that_succeed(run: Quiet) -> None:
    first = run.apply("--json")
    assert first.returncode == 0, first.stdout[-2000:] + first.stderr
    assert run.apply().returncode == 0
    assert run.verify("--json").returncode == 0
    assert run.provision("lab", "status", "--json").returncode == 0
    formats = "mof,ps1,dsc3-yaml,dsc3-json"
    compiled = run.provision("compile", str(run.inventory), "--format", formats)
    assert compiled.returncode == 0, compiled.stdout + compiled.stderr
    assert run.provision("certificate", "fetch", str(run.inventory)).returncode == 0
    _secrets_are_in_place(run)


def _secrets_are_in_place(run: Quiet) -> None:
    """They stand decrypted in the one file, which the declared accounts may read and nobody else."""
    [entry] = [each for each in run.disk("hv01") if each["path"].endswith("\\nova.conf")]
    text = base64.b64decode(entry["content"]).decode()
    assert (
        f"transport_url = rabbit://openstack:{SECRET_FORMS['secret for a URL']}@mq.lab.example:5672/nova\r\n"
        in text
    )
    assert f"password = {SECRET_FORMS['secret for oslo']}\r\n" in text
    owner, is_protected, rules = entry["acl"]
    assert (owner, is_protected) == ("S-1-5-18", True)
    assert {sid: rights for sid, rights in rules} == {  # noqa: C416 - a list of pairs, from JSON
        "S-1-5-18": "FullControl",
        "S-1-5-32-544": "FullControl",
        "S-1-5-32-580": "Read, Synchronize",
    }


@pytest.mark.slow
def test_the_secret_is_nowhere_when_the_file_it_is_for_cannot_be_written(run: Quiet) -> None:
    run.write(
        INVENTORY.replace(
            "openstack_config_readers: [Remote Management Users]", "openstack_config_readers: [nobody]"
        )
    )
    done = run.apply("--limit", "hv01", "--json")
    assert done.returncode == 1
    assert "No account is named" in done.stdout


@pytest.mark.slow
def test_neither_password_is_anywhere_after_runs_that_fail(run: Quiet) -> None:
    wrong = {"LAB_CANARY": WRONG}
    for more in [[], ["--json"], ["--debug"]]:
        done = run.apply(*more, environment=wrong)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "AuthenticationError" in done.stdout
    # A failure that ends in a real traceback, with the passwords already in hand.
    state = run.folder / ".provisioner" / "state.db"
    content = state.read_bytes()
    state.write_bytes(b"no journal at all, and long enough to be taken for one" * 100)
    for leftover in state.parent.glob("state.db-*"):
        leftover.unlink()
    broken = run.apply("--debug")
    assert "Traceback" in broken.stderr
    state.write_bytes(content)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
def test_the_password_is_nowhere_after_a_run_that_was_cut_short(run: Quiet, number: signal.Signals) -> None:
    controller = run.spawn("apply", str(run.inventory), "--yes", "--debug")
    _jobs_started(run)
    controller.send_signal(number)
    output, errors = controller.communicate(timeout=60)
    run.said += f"{output}\n{errors}".encode()
    assert controller.returncode in {130, -signal.SIGKILL}
    assert run.leaks() == set()
    assert run.apply().returncode == 0
