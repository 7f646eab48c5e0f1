"""The wheel, unpacked far from the checkout: everything it needs is inside, and nothing that must not be."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.compiling import REPOSITORY
from tests.lab.labs import LabRun
from tests.secret_files import write_secret_files

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("installed")]

#: What a build reads; the rest of a checkout (virtual environment, history) is not copied.
SOURCES = [
    ".gitignore",
    "LICENSE",
    "README.md",
    "pyproject.toml",
    "provisioner",
    "roles",
    "dsc_configs",
    "inventories",
]

#: What a developer's work leaves in a checkout.
LEFTOVERS = [
    "inventories/lab/.secrets/leftover",
    "provisioner/__pycache__/leftover.cpython-311.pyc",
    "roles/hyperv_host/checks/__pycache__/leftover.cpython-311.pyc",
    "dsc_configs/modules/__pycache__/leftover.cpython-311.pyc",
    "inventories/lab/.provisioner/leftover.db",
    "roles/hyperv_host/.secrets/leftover",
    "dsc_configs/.provisioner/leftover.db",
]


ONE_SERVICE = """\
resources:
  - name: mine
    type: PSDscResources/Service
    properties: {Name: Spooler}
"""


@dataclass(frozen=True)
class Installed:
    """An unpacked wheel, and the names of the files in it."""

    folder: Path
    names: frozenset[str]

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}

    def provision(self, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "provisioner.cli", *arguments],
            cwd=cwd,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    source = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        path = REPOSITORY / name
        if path.is_dir():
            shutil.copytree(path, source / name)
        else:
            shutil.copy(path, source / name)
    for name in LEFTOVERS:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text("leftover", encoding="utf-8")
    wheels = tmp_path_factory.mktemp("wheels")
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)],
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = wheels.glob("*.whl")
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
        return Installed(folder, frozenset(archive.namelist()))


@pytest.fixture
def project(installed: Installed, tmp_path: Path) -> Path:
    done = installed.provision(tmp_path, "init", "mine")
    assert done.returncode == 0, done.stderr
    return tmp_path / "mine"


def test_the_wheel_holds_every_role_configuration_module_and_the_example(installed: Installed) -> None:
    kinds = ["roles/**/*", "dsc_configs/**/*", "inventories/lab/inventory.yaml"]
    wanted = {
        f"provisioner/builtin/{path.relative_to(REPOSITORY)}"
        for kind in kinds
        for path in REPOSITORY.glob(kind)
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert len(wanted) > 12
    assert wanted - installed.names == set()
    assert any(name.endswith("PROV_ConfigurationFile.psm1") for name in installed.names)
    assert any(name.endswith("catalogue/data/PSDscResources@2.12.0.0.json") for name in installed.names)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in installed.names)


def test_the_wheel_holds_no_secret_no_leftover_and_no_test(installed: Installed) -> None:
    banned = {".secrets", ".provisioner", "__pycache__", "tests", "benchmarks", ".git"}
    assert [name for name in installed.names if banned & set(Path(name).parts)] == []
    assert [name for name in installed.names if "leftover" in name or name.endswith(".pyc")] == []
    tops = {name.split("/")[0] for name in installed.names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"provisioner"}


def test_the_installed_command_is_not_the_checkout(installed: Installed, tmp_path: Path) -> None:
    program = "import provisioner; print(provisioner.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=installed.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()).is_relative_to(installed.folder)


def test_a_fresh_project_validates_and_compiles_to_the_bytes_of_the_checkout(
    installed: Installed, project: Path, tmp_path: Path
) -> None:
    inventory = "inventories/lab/inventory.yaml"
    done = installed.provision(project, "validate", inventory)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{inventory}: 5 nodes, ")
    write_secret_files(project / "inventories" / "lab")
    assert installed.provision(project, "compile", inventory, "-o", str(tmp_path / "a")).returncode == 0
    here = [sys.executable, "-m", "provisioner.cli", "compile", inventory, "-o", str(tmp_path / "b")]
    subprocess.run(here, cwd=project, check=True, capture_output=True)
    assert _bytes_in(tmp_path / "a") == _bytes_in(tmp_path / "b")


def _bytes_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_role_of_the_user_comes_before_the_built_in_one_of_that_name(
    installed: Installed, project: Path
) -> None:
    role = project / "roles" / "iscsi_target"
    role.mkdir()
    text = 'description: My own.\nmodules: {PSDscResources: "2.12.0.0"}\nconfigurations: [mine]\n'
    (role / "role.yaml").write_text(text, encoding="utf-8")
    (project / "dsc_configs" / "mine.dsc.yaml").write_text(ONE_SERVICE, encoding="utf-8")
    done = installed.provision(project, "validate", "inventories/lab/inventory.yaml", "--limit", "@storage")
    assert done.returncode == 0, done.stderr
    assert ": 2 nodes, 2 resources, no errors." in done.stdout
    assert "iscsi_targets" in done.stderr, "the user's role has no such variable"


def test_a_configuration_of_the_user_comes_before_the_built_in_one_of_that_name(
    installed: Installed, project: Path
) -> None:
    own = project / "dsc_configs" / "iscsi_target.dsc.yaml"
    own.write_text(ONE_SERVICE, encoding="utf-8")
    done = installed.provision(project, "validate", "inventories/lab/inventory.yaml", "--limit", "@storage")
    assert done.returncode == 0, done.stderr
    assert ": 2 nodes, 4 resources, no errors." in done.stdout, (
        "that of the user, and the features of windows_base"
    )


@contextmanager
def _lab(installed: Installed, project: Path) -> Iterator[LabRun]:
    """The lab of the installed command; roles, checks and templates come from the wheel."""
    text = (project / "inventories" / "lab" / "inventory.yaml").read_text(encoding="utf-8")
    run = LabRun(project, text)
    run.environment |= {"PYTHONPATH": str(installed.folder)}
    run.up()
    try:
        yield run
    finally:
        run.down()


def test_the_installed_command_applies_and_verifies_a_lab(installed: Installed, project: Path) -> None:
    with _lab(installed, project) as run:
        done = run.apply("--limit", "hv01,st01")
        assert done.returncode == 0, done.stdout + done.stderr
        assert run.count("hv01", "boot") == 1
        assert run.count("hv01", "job-started") == 2
        assert run.count("st01", "job-started") == 1
        assert run.verify("--limit", "hv01,st01").returncode == 0
