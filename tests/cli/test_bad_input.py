"""Every kind of wrong input through the real command: what it says, where it points, its exit code, what it leaves."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provisioner.cli.app import main
from tests.compiling import BASE, write
from tests.lab.labs import LabRun, running_lab

RESOURCES = """\
resources:
  - name: W3SVC
    type: PSDscResources/Service
    properties: {Name: W3SVC}
"""


@dataclass(frozen=True)
class Mistake:
    """Files of the base project replaced by wrong ones; ``says`` is what the message must hold, position first."""

    files: dict[str, str]
    says: list[str] = field(default_factory=list)


MISTAKES = {
    "unknown role": Mistake(
        {"inventory.yaml": BASE["inventory.yaml"].replace("[web]", "[wbe]")},
        ["inventory.yaml:4:36: error: Unknown role", "'wbe'", "Did you mean 'web'?"],
    ),
    "variable of the wrong type": Mistake(
        {
            "inventory.yaml": BASE["inventory.yaml"].replace("[web]", "[web], variables: {size: big}"),
            "roles/web/role.yaml": BASE["roles/web/role.yaml"]
            + "variables:\n  size: {type: integer, description: x}\n",
        },
        ["inventory.yaml:4:60: error: Variable has the wrong type", "'size'", "integer"],
    ),
    "undefined variable in an expression": Mistake(
        {"dsc_configs/web.dsc.yaml": RESOURCES.replace("{Name: W3SVC}", '{Name: "{{ nmae }}"}')},
        ["dsc_configs/web.dsc.yaml:4:24: error: Unknown name in an expression", "'nmae' is not defined"],
    ),
    "unknown resource": Mistake(
        {"dsc_configs/web.dsc.yaml": RESOURCES.replace("/Service", "/Servic")},
        ["dsc_configs/web.dsc.yaml:3:11: error: Unknown resource", "'Servic'", "Did you mean 'Service'?"],
    ),
    "unknown property": Mistake(
        {"dsc_configs/web.dsc.yaml": RESOURCES.replace("W3SVC}", "W3SVC, StartupTyp: Manual}")},
        ["dsc_configs/web.dsc.yaml:4:31: error: Unknown property", "Did you mean 'StartupType'?"],
    ),
    "property of the wrong type": Mistake(
        {"dsc_configs/web.dsc.yaml": RESOURCES.replace("W3SVC}", "W3SVC, StartupTimeout: soon}")},
        ["dsc_configs/web.dsc.yaml:4:47: error: ", "StartupTimeout"],
    ),
    "missing key property": Mistake(
        {"dsc_configs/web.dsc.yaml": RESOURCES.replace("{Name: W3SVC}", "{Ensure: Present}")},
        ["dsc_configs/web.dsc.yaml:2:5: error: ", "Name"],
    ),
    "dependency cycle": Mistake(
        {
            "dsc_configs/web.dsc.yaml": """\
resources:
  - {name: a, type: PSDscResources/Service, properties: {Name: a}, dependsOn: '[Service]b'}
  - {name: b, type: PSDscResources/Service, properties: {Name: b}, dependsOn: '[Service]c'}
  - {name: c, type: PSDscResources/Service, properties: {Name: c}, dependsOn: '[Service]a'}
"""
        },
        [
            "dsc_configs/web.dsc.yaml:2:79: error: Resources depend on each other in a circle",
            "[Service]a depends on [Service]b",
            "[Service]b depends on [Service]c",
            "[Service]c depends on [Service]a",
        ],
    ),
    "key given twice": Mistake(
        {"inventory.yaml": BASE["inventory.yaml"] + "site: again\n"},
        ["inventory.yaml:5:1: error: ", "site"],
    ),
    "not YAML": Mistake({"inventory.yaml": "site: [test\n"}, ["inventory.yaml:", "error: "]),
    "not text": Mistake({"inventory.yaml": "site: \x00\n"}, ["inventory.yaml:", "error: "]),
    "no such inventory": Mistake({}, ["nothere.yaml", "no such file"]),
}


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The same in a process of its own, where an exception would really be printed."""
    return subprocess.run(
        [sys.executable, "-m", "provisioner.cli", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("verb", ["validate", "compile", "apply", "verify"])
@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_with_its_place_by_every_verb_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, verb: str
) -> None:
    write(tmp_path, MISTAKES[name].files)
    monkeypatch.chdir(tmp_path)
    before = tree(tmp_path)
    inventory = "nothere.yaml" if name == "no such inventory" else "inventory.yaml"
    result = invoke(verb, inventory)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    place, *rest = MISTAKES[name].says
    assert place in result.stderr
    for words in rest:
        assert words in result.stderr
    assert "Traceback" not in result.stderr
    assert "bug in provisioner" not in result.stderr
    assert result.stderr.rstrip().endswith("Nothing was done.")
    assert tree(tmp_path) == before
    assert not (tmp_path / "output").exists()
    assert not (tmp_path / ".provisioner").exists()


def test_many_mistakes_in_several_files_are_told_at_once_in_file_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inventory = """\
site: test
connection: {transport: psrp, user: admin, password: 'env:PASSWORD'}
nodes:
  n1: {address: 192.0.2.1, roles: [wbe]}
  n2: {address: 192.0.2.2, roles: [web], variables: {sise: 4}}
  n3: {address: 192.0.2.3, roles: [web]}
"""
    document = RESOURCES.replace("{Name: W3SVC}", '{Name: "{{ nmae }}", StartupTyp: Manual}')
    write(tmp_path, {"inventory.yaml": inventory, "dsc_configs/web.dsc.yaml": document})
    monkeypatch.chdir(tmp_path)
    result = invoke("validate", "inventory.yaml")
    assert result.exit_code == 2
    places = [line.split(" ")[0] for line in result.stderr.splitlines() if "error: " in line]
    assert places[0] == "dsc_configs/web.dsc.yaml:4:24:"
    assert "dsc_configs/web.dsc.yaml:4:24:" in places
    assert "inventory.yaml:4:36:" in places
    assert len(places) == len(set(places)), "a mistake two nodes share is told once"
    assert f"{len(places)} problems found" in result.stderr


def test_several_mistakes_of_form_in_one_inventory_are_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inventory = """\
site: 5
conection: {user: admin}
connection: {user: admin, password: hunter2, port: soon}
nodes:
  n1: {adress: 192.0.2.1, roles: [web]}
"""
    write(tmp_path, {"inventory.yaml": inventory})
    monkeypatch.chdir(tmp_path)
    result = invoke("validate", "inventory.yaml")
    assert result.exit_code == 2
    for place in ["1:7", "2:1", "3:37", "3:52", "5:8"]:
        assert f"inventory.yaml:{place}: error: " in result.stderr, result.stderr
    assert "hunter2" not in result.output


@pytest.mark.parametrize("verb", ["validate", "compile", "apply", "verify"])
@pytest.mark.parametrize(
    ("limit", "words"),
    [("hv9", "'hv9'"), ("n2", "n1"), ("@compute", "group 'compute'"), ("!n1", "leaves no node")],
)
def test_an_unknown_node_in_limit_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str, limit: str, words: str
) -> None:
    write(tmp_path, {})
    monkeypatch.chdir(tmp_path)
    result = invoke(verb, "inventory.yaml", "--limit", limit)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: --limit ")
    assert words in result.stderr
    assert not (tmp_path / "output").exists()


def test_a_password_that_cannot_be_resolved_is_told_before_any_node_is_contacted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {})
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PASSWORD", raising=False)
    for verb in ["apply", "verify"]:
        result = invoke(verb, "inventory.yaml")
        assert result.exit_code == 2, result.output
        assert "inventory.yaml:" in result.stderr
        assert "'n1' is env:PASSWORD" in result.stderr
        assert not (tmp_path / ".provisioner").exists()


# --- tracebacks ---------------------------------------------------------------------------------------------


def test_a_traceback_is_shown_with_debug_and_only_then(tmp_path: Path) -> None:
    write(tmp_path, MISTAKES["unknown role"].files)
    plain = run(tmp_path, "validate", "inventory.yaml")
    assert plain.returncode == 2
    assert "Traceback" not in plain.stdout + plain.stderr
    debug = run(tmp_path, "validate", "inventory.yaml", "--debug")
    assert debug.returncode != 0
    assert "Traceback" in debug.stderr
    assert "provisioner.errors.InputError" in debug.stderr
    assert "inventory.yaml:4:36: error: Unknown role" in debug.stderr


def test_our_own_bug_is_a_sentence_and_a_traceback_with_debug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("provisioner.project.compiler.build", lambda *_: 1 / 0)
    result = invoke("validate", "inventory.yaml")
    assert result.exit_code == 1
    assert "ZeroDivisionError" in result.stderr
    assert "--debug" in result.stderr
    assert "Traceback" not in result.stderr
    debugged = invoke("validate", "inventory.yaml", "--debug")
    assert isinstance(debugged.exception, ZeroDivisionError)


# --- nothing half-written -----------------------------------------------------------------------------------

TWO_NODES = """\
site: test
connection: {transport: psrp, user: admin, password: 'env:PASSWORD'}
nodes:
  n1: {address: 192.0.2.1, roles: [web]}
  n2: {address: 192.0.2.2, roles: [web], variables: {service: 5}}
"""

ROLE_WITH_VARIABLE = (
    BASE["roles/web/role.yaml"] + "variables:\n  service: {type: string, default: W3SVC, description: x}\n"
)


def _two_nodes(folder: Path, *, good: bool) -> None:
    inventory = TWO_NODES.replace("service: 5", "service: WAS") if good else TWO_NODES
    document = RESOURCES.replace("{Name: W3SVC}", '{Name: "{{ service }}"}')
    files = {
        "inventory.yaml": inventory,
        "roles/web/role.yaml": ROLE_WITH_VARIABLE,
        "dsc_configs/web.dsc.yaml": document,
    }
    write(folder, files)


def test_one_bad_node_keeps_every_document_from_being_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _two_nodes(tmp_path, good=False)
    monkeypatch.chdir(tmp_path)
    assert invoke("compile", "inventory.yaml", "-o", "out").exit_code == 2
    assert not (tmp_path / "out").exists()
    assert invoke("compile", "inventory.yaml", "-o", "out", "--limit", "n1").exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["n1.meta.mof", "n1.mof"]


def test_older_documents_stay_whole_when_the_next_compile_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _two_nodes(tmp_path, good=True)
    monkeypatch.chdir(tmp_path)
    assert invoke("compile", "inventory.yaml", "-o", "out").exit_code == 0
    before = tree(tmp_path / "out")
    assert len(before) == 4
    _two_nodes(tmp_path, good=False)
    assert invoke("compile", "inventory.yaml", "-o", "out").exit_code == 2
    assert tree(tmp_path / "out") == before


def test_a_full_disk_in_the_middle_leaves_all_older_documents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _two_nodes(tmp_path, good=True)
    monkeypatch.chdir(tmp_path)
    assert invoke("compile", "inventory.yaml", "-o", "out").exit_code == 0
    before = tree(tmp_path / "out")
    inventory = tmp_path / "inventory.yaml"
    inventory.write_text(
        inventory.read_text(encoding="utf-8")
        .replace("WAS", "a-service-with-a-name-that-makes-the-document-longer")
        .replace("roles: [web]}", "roles: [web], variables: {service: WAS}}"),
        encoding="utf-8",
    )
    # A limit on the size of files is the nearest a test can come to a full disk: it stops the third of four.
    largest = len(before["n1.mof"])
    # Python does not notice that what it compiles is cut off too, and the next process would fail on it.
    program = (
        "import resource, signal, sys\n"
        "sys.dont_write_bytecode = True\n"
        "from provisioner.cli.app import main\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({largest}, {largest}))\n"
        "main(['compile', 'inventory.yaml', '-o', 'out'])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "out" in done.stderr
    assert "File too large" in done.stderr
    assert "bug in provisioner" not in done.stderr
    assert "Traceback" not in done.stderr
    assert tree(tmp_path / "out") == before


def test_a_folder_in_a_document_s_place_is_named_and_nothing_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _two_nodes(tmp_path, good=True)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out" / "n2.mof").mkdir(parents=True)
    result = invoke("compile", "inventory.yaml", "-o", "out")
    assert result.exit_code == 2, result.output
    assert "n2.mof is a folder" in result.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["n2.mof"]


@pytest.mark.parametrize("output", ["/proc/out", "taken/out", "taken"])
def test_an_output_folder_that_cannot_be_had_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    write(tmp_path, {"taken": "a file"})
    monkeypatch.chdir(tmp_path)
    result = invoke("compile", "inventory.yaml", "-o", output)
    assert result.exit_code == 2, result.output
    assert output in result.stderr
    assert "bug in provisioner" not in result.stderr
    assert (tmp_path / "taken").read_text(encoding="utf-8") == "a file"


def test_a_state_folder_that_cannot_be_had_is_named_and_no_node_is_contacted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {".provisioner": "a file"})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PASSWORD", "x")
    result = invoke("apply", "inventory.yaml")
    assert result.exit_code == 1, result.output
    assert "state.db" in result.stderr
    assert "bug in provisioner" not in result.stderr


# --- nodes --------------------------------------------------------------------------------------------------

TWO_IN_A_LAB = """\
site: wrong
connection: {port: 15985, user: tester, connect_timeout: 2}
nodes:
  good: {address: 127.20.0.1, roles: [web], connection: {password: file:.secrets/good}}
  bad: {address: 127.20.0.2, roles: [web], connection: {password: file:.secrets/bad}}
"""


def _project_on(run: LabRun) -> None:
    inventory = run.inventory.read_text(encoding="utf-8")
    files = {
        "inventory.yaml": inventory,
        "dsc_configs/web.dsc.yaml": RESOURCES.replace("W3SVC", "Spooler"),
        "roles/web/role.yaml": BASE["roles/web/role.yaml"] + "checks: [checks/test_web.py]\n",
        "roles/web/checks/test_web.py": "def test_it_runs(host):\n    assert host.service('Spooler').is_running\n",
    }
    write(run.folder, files)


def _lines(text: str, node: str) -> str:
    return "\n".join(line for line in text.splitlines() if node in line)


@pytest.mark.slow
def test_a_node_with_a_wrong_password_or_without_an_answer_fails_alone_and_is_named(tmp_path: Path) -> None:
    with running_lab(tmp_path, TWO_IN_A_LAB) as lab:
        _project_on(lab)
        right = lab.password("bad")
        (lab.folder / ".secrets" / "bad").write_text("not-the-password\n", encoding="utf-8")
        for verb, arguments in [("apply", ["--yes"]), ("verify", [])]:
            done = lab.provision(verb, str(lab.inventory), *arguments)
            assert done.returncode == 1, done.stdout + done.stderr
            assert "bad" in done.stdout
            assert f"{lab.network}.2" in done.stdout
            assert "refuses the user name or the password" in _lines(done.stdout, "bad"), done.stdout
            assert "Traceback" not in done.stdout + done.stderr
            assert "not-the-password" not in done.stdout + done.stderr
            assert [line for line in done.stdout.splitlines() if line.split()[:2] == ["good", "done"]]
        assert lab.count("bad", "job-started") == 0
        assert lab.status()["good"]["lcm"] == "Idle"
        (lab.folder / ".secrets" / "bad").write_text(right, encoding="utf-8")

        lab.write(TWO_IN_A_LAB.replace(".0.2,", ".0.3,"))  # nobody listens there
        for verb, arguments in [("apply", ["--yes"]), ("verify", [])]:
            done = lab.provision(verb, str(lab.inventory), *arguments)
            assert done.returncode == 1, done.stdout + done.stderr
            assert f"{lab.network}.3" in done.stdout
            assert "Traceback" not in done.stdout + done.stderr
            assert [line for line in done.stdout.splitlines() if line.split()[:2] == ["good", "done"]]

        lab.write(TWO_IN_A_LAB)
        assert lab.apply().returncode == 0
