"""The verbs as people and scripts use them: output, exit codes, several processes at once."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from provisioner import __version__
from provisioner.cli.app import main
from tests.lab.labs import EXAMPLE, LabRun, running_lab
from tests.secret_files import write_secret_files

VERBS = ["apply", "compile", "init", "inventory", "lab", "schema", "validate", "verify"]

SMALL = """\
site: small
connection: {port: 15985, user: tester, password: file:.secrets/small}
nodes:
  n1: {address: 127.20.0.1, roles: [spooler]}
"""


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the labs of the user who runs it, nor leaves anything in the checkout."""
    monkeypatch.setenv("PROVISIONER_LAB_HOME", str(tmp_path / "labs"))
    monkeypatch.chdir(tmp_path)


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A copy of the example inventory with the secrets and certificates a lab would have made."""
    folder = tmp_path / "example" / "inventories" / "lab"
    write_secret_files(folder)
    (tmp_path / "example" / "roles").mkdir()
    return Path(shutil.copy(EXAMPLE, folder))


def _spooler(folder: Path) -> None:
    """A role of the user's own that a bare node satisfies at once."""
    (folder / "roles" / "spooler").mkdir(parents=True)
    role = 'description: x\nmodules: {PSDscResources: "2.12.0.0"}\nconfigurations: [spooler]\n'
    (folder / "roles" / "spooler" / "role.yaml").write_text(role, encoding="utf-8")
    (folder / "dsc_configs").mkdir()
    document = (
        "resources:\n  - name: Spooler\n    type: PSDscResources/Service\n    properties: {Name: Spooler}\n"
    )
    (folder / "dsc_configs" / "spooler.dsc.yaml").write_text(document, encoding="utf-8")


# --- asking the command itself ------------------------------------------------------------------------------


def test_the_version_is_that_of_the_package() -> None:
    result = invoke("--version")
    assert result.exit_code == 0
    assert result.output == f"provision, version {__version__}\n"


def test_help_names_every_verb_and_the_exit_codes() -> None:
    result = invoke("--help")
    assert result.exit_code == 0
    for verb in VERBS:
        assert f"\n  {verb}" in result.output
    assert "Exit codes: 0 done, 1 a node or check failed, 2 wrong usage" in " ".join(result.output.split())


@pytest.mark.parametrize(
    "verb", [*VERBS, "inventory import", "lab up", "lab down", "lab status", "lab cut", "lab restore"]
)
def test_every_verb_explains_itself(verb: str) -> None:
    result = invoke(*verb.split(), "--help")
    assert result.exit_code == 0
    assert f"Usage: main {verb}" in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["apply"],
        ["apply", "x.yaml", "--nonsense"],
        ["lab", "nonsense"],
        ["lab", "cut"],
        ["init"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert "Usage: " in result.stderr
    assert result.stdout == ""


# --- validate, compile --------------------------------------------------------------------------------------


def test_validate_counts_nodes_and_resources_and_writes_nothing(tmp_path: Path) -> None:
    result = invoke("validate", str(EXAMPLE))
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"{EXAMPLE}: 5 nodes, ")
    assert result.stdout.endswith(" resources, no errors.\n")
    assert list(tmp_path.iterdir()) == []
    limited = invoke("validate", str(EXAMPLE), "--limit", "@storage")
    assert ": 2 nodes, " in limited.stdout


def test_compile_writes_two_documents_per_node_and_says_where(tmp_path: Path, example: Path) -> None:
    result = invoke("compile", str(example), "-o", "out", "--limit", "hv*")
    assert result.exit_code == 0, result.output
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [f"hv0{n}{kind}.mof" for n in (1, 2, 3) for kind in (".meta", "")]
    assert result.stdout.splitlines()[-1].startswith("Compiled 3 nodes into out in ")
    for path in (tmp_path / "out").iterdir():
        assert path.read_bytes().startswith(b"\xff\xfe"), "UTF-16LE with a byte order mark"
        assert path.stat().st_mode & 0o777 == 0o644


def test_compile_as_json_tells_the_digests_of_what_it_wrote(example: Path) -> None:
    result = invoke("compile", str(example), "-o", "out", "--json")
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["node"] for line in lines] == ["hv01", "hv02", "hv03", "st01", "st02"]
    for line in lines:
        for document, digest in [("document", "sha256"), ("meta_document", "meta_sha256")]:
            assert hashlib.sha256(Path(line[document]).read_bytes()).hexdigest() == line[digest]
        assert line["resources"] > 0


def test_two_compiles_in_other_processes_hash_seeds_and_folders_are_byte_equal(
    tmp_path: Path, example: Path
) -> None:
    outputs = []
    for seed, folder in [("0", tmp_path / "a"), ("4294967295", tmp_path / "b" / "deeper")]:
        folder.mkdir(parents=True)
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "provisioner.cli",
                "compile",
                os.path.relpath(example, folder),
                "-o",
                "out",
            ],
            cwd=folder,
            env=os.environ
            | {"PYTHONHASHSEED": seed, "TZ": f"UTC{seed[:1]}", "LANG": "C", "USER": f"u{seed}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        outputs.append({path.name: path.read_bytes() for path in (folder / "out").iterdir()})
    assert len(outputs[0]) == 10
    assert outputs[0] == outputs[1]


# --- init ---------------------------------------------------------------------------------------------------


def test_init_makes_a_project_that_validates() -> None:
    made = invoke("init", "mine")
    assert made.exit_code == 0, made.output
    assert invoke("validate", "mine/inventories/lab/inventory.yaml").exit_code == 0
    ignored = Path("mine/.gitignore").read_text(encoding="utf-8").splitlines()
    assert {".secrets/", ".provisioner/"} <= set(ignored)


def test_init_refuses_to_touch_what_is_there() -> None:
    Path("mine/roles").mkdir(parents=True)
    Path("mine/roles/README.md").write_text("my own", encoding="utf-8")
    result = invoke("init", "mine")
    assert result.exit_code == 2
    assert "mine/roles/README.md exists already; nothing was written." in result.stderr
    assert [path for path in Path("mine").rglob("*") if path.is_file()] == [Path("mine/roles/README.md")]
    assert Path("mine/roles/README.md").read_text(encoding="utf-8") == "my own"


def test_init_into_a_place_that_cannot_be_had_is_a_sentence() -> None:
    Path("taken").write_text("", encoding="utf-8")
    result = invoke("init", "taken/mine")
    assert result.exit_code == 1
    assert "taken/mine" in result.stderr
    assert "bug in provisioner" not in result.stderr


# --- labs ---------------------------------------------------------------------------------------------------


def test_without_any_lab_status_and_down_say_so_and_succeed() -> None:
    for verb in ["status", "down"]:
        result = invoke("lab", verb)
        assert result.exit_code == 0
        assert result.stdout == "No lab is running.\n"
    assert invoke("lab", "status", "--json").stdout == ""


@pytest.mark.parametrize("verb", ["status", "down"])
def test_a_lab_that_does_not_exist_is_named(verb: str) -> None:
    result = invoke("lab", verb, "mine")
    assert result.exit_code == 1
    assert "no lab is named 'mine'" in result.stderr


def test_a_name_that_would_leave_the_folder_of_labs_is_refused() -> None:
    for name in ["../up", "a/b", "", ".."]:
        result = invoke("lab", "up", str(EXAMPLE), "--name", name or " ")
        assert result.exit_code == 2, name
        assert "cannot name a lab" in result.stderr


@pytest.mark.parametrize("address", ["10.0.0.1", "0.0.0.0", "::1", "node.example.com"])
def test_a_lab_listens_on_loopback_only_and_makes_nothing_for_others(tmp_path: Path, address: str) -> None:
    text = SMALL.replace("127.20.0.1", f"'{address}'")
    (tmp_path / "inventory.yaml").write_text(text, encoding="utf-8")
    result = invoke("lab", "up", "inventory.yaml")
    assert result.exit_code == 2, result.output
    assert "inventory.yaml:4:3: error: Lab node is not on loopback" in result.stderr
    assert address in result.stderr
    assert not (tmp_path / ".secrets").exists()
    assert not (tmp_path / "labs").exists()


def _ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    return process.communicate(timeout=30)


def _wait(what: str, condition: Callable[[], Any], limit_s: float = 30.0) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, f"waited {limit_s} s for {what}"
        time.sleep(0.05)


@pytest.mark.slow
def test_a_second_lab_of_a_running_name_or_at_a_taken_address_is_refused_and_the_first_goes_on(
    tmp_path: Path,
) -> None:
    _spooler(tmp_path)
    with running_lab(tmp_path, SMALL) as run:
        pid = json.loads(run.provision("lab", "status", "test", "--json").stdout)["pid"]
        again = run.provision("lab", "up", str(run.inventory), "--name", "test")
        assert again.returncode == 1
        assert "lab 'test' is already running" in again.stderr
        assert "--name" in again.stderr
        fresh = run.provision("lab", "up", str(run.inventory), "--name", "test", "--fresh")
        assert fresh.returncode == 1
        assert run.machine("n1"), "the state of a running lab is not forgotten"
        other = run.provision("lab", "up", str(run.inventory), "--name", "other")
        assert other.returncode == 1
        assert f"n1 cannot listen on {run.network}.1:15985" in other.stderr
        assert "Does another lab use this address?" in other.stderr
        assert "Traceback" not in other.stderr
        assert json.loads(run.provision("lab", "status", "--json").stdout)["pid"] == pid
        assert run.apply().returncode == 0


@pytest.mark.slow
def test_two_labs_stand_side_by_side_and_must_be_told_apart_to_be_taken_down(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    _spooler(tmp_path)
    with running_lab(tmp_path / "a", SMALL) as one:
        two = LabRun(tmp_path / "b", SMALL)
        two.environment |= {"PROVISIONER_LAB_HOME": one.environment["PROVISIONER_LAB_HOME"]}
        up = two.provision("lab", "up", str(two.inventory), "--name", "second", "--time-scale", "0")
        assert up.returncode == 0, up.stderr
        try:
            labs = [json.loads(line) for line in one.provision("lab", "status", "--json").stdout.splitlines()]
            assert [lab["lab"] for lab in labs] == ["second", "test"]
            assert len({lab["pid"] for lab in labs}) == 2
            unclear = one.provision("lab", "down")
            assert unclear.returncode == 2
            assert "second, test" in unclear.stderr
            done = two.apply()
            assert done.returncode == 0, done.stdout + done.stderr
            assert one.status()["n1"]["requests"] == 0, "the other lab's node was left alone"
        finally:
            down = two.provision("lab", "down", "second")
        assert down.stdout == "Lab second is down.\n"
        assert one.apply().returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["interrupt", "terminate"])
def test_a_lab_in_the_foreground_ends_in_good_order(tmp_path: Path, number: signal.Signals) -> None:
    run = LabRun(tmp_path, SMALL)
    lab = run.spawn("lab", "up", str(run.inventory), "--name", "test", "--foreground")
    try:
        _wait("the lab", lambda: run.provision("lab", "status", "test").returncode == 0)
        assert run.status()["n1"]["state"] == "up"
        lab.send_signal(number)
        output, errors = _ended(lab)
    finally:
        lab.kill()
    assert "Lab test is up: 1 node" in output
    assert "Traceback" not in errors
    assert lab.returncode == 0, errors
    assert run.provision("lab", "status").stdout == "No lab is running.\n"


# --- a reader who goes away ---------------------------------------------------------------------------------


def _first_line_of(run: LabRun, *arguments: str) -> tuple[str, int, str]:
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "provisioner.cli", *arguments],
        cwd=run.folder,
        env=run.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout
    assert process.stderr
    line = process.stdout.readline()
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    return line, process.wait(timeout=60), errors


@pytest.mark.slow
def test_a_reader_who_goes_away_gets_no_traceback_and_leaves_no_shell(tmp_path: Path) -> None:
    _spooler(tmp_path)
    with running_lab(tmp_path, SMALL) as run:
        for arguments in [
            ["apply", "--yes"],
            ["apply", "--yes", "--json"],
            ["verify", "--json"],
            ["compile"],
        ]:
            line, code, errors = _first_line_of(run, *arguments, str(run.inventory))
            assert line, arguments
            assert errors == "", arguments
            assert code in {0, 1}, arguments
        assert run.status()["n1"]["shells_open"] == 0
        assert run.apply().returncode == 0


def test_an_interruption_while_a_verb_is_imported_is_one_like_any_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(_name: str) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("importlib.import_module", interrupted)
    done = invoke("validate", "inventory.yaml")
    assert (done.exit_code, done.stderr) == (130, "interrupted\n")
