"""``provision config check`` as people use it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from provisioner.cli.app import main


def check(file: Path, service: str, release: str, *options: str) -> Result:
    return CliRunner().invoke(
        main, ["config", "check", str(file), "--service", service, "--release", release, *options]
    )


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "nova.conf"
    path.write_text("[hyperv]\nlimit_cpu_feature = true\ndynamic_memory_ratio = lots\n")
    return path


def test_a_fault_is_a_line_and_exit_code_1(broken: Path) -> None:
    result = check(broken, "nova", "2023.1")
    assert result.exit_code == 1
    first, second, last = result.output.splitlines()
    assert first.startswith(f"{broken}:2: error: [hyperv] limit_cpu_feature: ")
    assert first.endswith("Did you mean 'limit_cpu_features'?")
    assert (
        second == f"{broken}:3: error: [hyperv] dynamic_memory_ratio: 'lots' is not what it takes: a number."
    )
    assert last.startswith(f"{broken}: 2 faults, 0 warnings, held against nova 2023.1 (")
    assert "compute-hyperv 16.0.0" in last


def test_a_deprecated_name_is_a_warning_and_exit_code_0(tmp_path: Path) -> None:
    path = tmp_path / "cloudbase-init.conf"
    path.write_text("[DEFAULT]\nverbose = true\nlogdir = C:\\Log\n")
    result = check(path, "cloudbase-init", "1.1.9")
    assert result.exit_code == 0
    assert (
        "warning: [DEFAULT] logdir: This name is deprecated: the option is log_dir of [DEFAULT]"
        in result.output
    )
    assert "verbose" not in result.output


def test_json_is_one_object_for_each_fault_and_nothing_else(broken: Path) -> None:
    result = check(broken, "nova", "2023.1", "--json")
    assert result.exit_code == 1
    rows = [json.loads(line) for line in result.output.splitlines()]
    assert rows[0] == {
        "file": str(broken),
        "line": 2,
        "severity": "error",
        "kind": "unknown-option",
        "section": "hyperv",
        "option": "limit_cpu_feature",
        "message": "nova 2023.1 has no such option in [hyperv], so nothing reads it.",
        "help": "Did you mean 'limit_cpu_features'?",
    }
    assert [row["kind"] for row in rows] == ["unknown-option", "value"]


@pytest.mark.parametrize(
    ("service", "release", "said"),
    [
        ("nvoa", "2023.1", "Did you mean 'nova'?"),
        ("nova", "2024.1", "Known releases of nova: 2023.1, 2023.2."),
        ("cloudbase-init", "2023.1", "Known releases of cloudbase-init: 1.1.4, 1.1.9."),
    ],
)
def test_what_nobody_knows_is_wrong_usage(broken: Path, service: str, release: str, said: str) -> None:
    result = check(broken, service, release)
    assert result.exit_code == 2
    assert said in result.output


def test_a_file_that_is_not_there_or_far_too_large_is_wrong_usage(tmp_path: Path) -> None:
    assert check(tmp_path / "nova.conf", "nova", "2023.1").exit_code == 2
    (tmp_path / "disk.vhdx").write_bytes(b"\0" * (4 * 1024 * 1024 + 1))
    result = check(tmp_path / "disk.vhdx", "nova", "2023.1")
    assert result.exit_code == 2
    assert "more than 4 MiB" in result.output


def test_a_check_takes_half_a_second_of_a_processor(broken: Path) -> None:
    program = "import time; from provisioner.cli.app import main\n"
    program += (
        f"try: main(['config', 'check', {str(broken)!r}, '--service', 'nova', '--release', '2023.1'])\n"
    )
    program += "except SystemExit: print(time.process_time())\n"
    spent = []
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        spent.append(float(done.stdout.splitlines()[-1]))
    assert min(spent) < 0.5
