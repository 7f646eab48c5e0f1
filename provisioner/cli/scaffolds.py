"""The first files of a role, a configuration or a check: small, whole, and true as they stand.

They keep one text file on a node, which is enough to show each part: a variable, a refusal, a resource, a check,
and how the role is undone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from provisioner.editor.files import FOLDER, file_name, modeline

#: The version of our module that a new role uses.
_MODULE_VERSION = "0.3.0"

_ROLE = """\
{modeline}description: Keeps one text file. Say here, in one sentence, what a node with this role is.

requires:
  - windows_base

variables:
  {name}_text:
    type: string
    required: true
    description: What the file says.
  {name}_path:
    type: string
    default: 'C:\\ProgramData\\{name}.txt'
    pattern: '[A-Za-z]:\\\\.*'
    form: a full path that begins with a drive, as in C:\\ProgramData\\{name}.txt
    description: Where the file is. Its folder must exist.

refuse:
  - when: "{{{{ not {name}_text | trim }}}}"
    variable: {name}_text
    reason: The file of {{{{ node.name }}}} would say nothing.
    help: Write the text, or take the role from the node.

modules:
  ProvisionerDsc: "{version}"

configurations:
  - {name}

checks:
  - checks/test_{name}.py

decommission:
  configurations: [{name}.decommission]
  leaves:
    - The folder of the file.
"""

_CONFIGURATION = """\
{modeline}$schema: https://aka.ms/dsc/schemas/v3/bundled/config/document.json
resources:
  - name: {name}
    type: ProvisionerDsc/ConfigurationFile
    properties:
      Path: {path}
{rest}"""

_CHECK = '''\
"""What a node with the role {role} must answer."""

from __future__ import annotations


def test_{name}(host, variables):
    """{sentence}"""
    {body}
'''

_README = """\
# {name}

Keeps one text file. Say here what a node with this role is, and what to know before it is given to one.

```yaml
site: example
connection: {{user: provisioner, password: 'file:.secrets/example'}}
nodes:
  node01:
    address: 127.20.0.11
    roles: [{name}]
    variables:
      {name}_text: Hello.
```

| variable | holds |
|---|---|
| `{name}_text` | what the file says |
| `{name}_path` | where it is: `C:\\ProgramData\\{name}.txt` when left out |

An empty text is refused. Undone (`decommission: [{name}]`), the file is removed; its folder stays.
"""


def role_files(root: Path, name: str) -> Mapping[Path, str]:
    """Return the files of a new role by path: its folder and its two configurations."""
    folder = root / "roles" / name
    configurations = root / "dsc_configs"
    path = f'"{{{{ {name}_path }}}}"'
    text = f'      Contents: "{{{{ {name}_text }}}}"\n'
    body = (
        f'file = host.file(variables["{name}_path"])\n'
        "    assert file.exists\n"
        f'    assert file.content_string.rstrip() == variables["{name}_text"]'
    )
    return {
        folder / "role.yaml": _ROLE.format(
            name=name, version=_MODULE_VERSION, modeline=modeline(f"../../{FOLDER}/{file_name('role')}")
        ),
        folder / "README.md": _README.format(name=name),
        folder / "checks" / f"test_{name}.py": _CHECK.format(
            role=name,
            name="the_file_says_what_it_should",
            sentence="The file is there and says it.",
            body=body,
        ),
        configurations / f"{name}.dsc.yaml": _configuration(name, path, text),
        configurations / f"{name}.decommission.dsc.yaml": _configuration(
            name, path, "      Ensure: Absent\n"
        ),
    }


def configuration_files(root: Path, name: str) -> Mapping[Path, str]:
    """Return the file of a new configuration by path. A role names it under ``configurations``."""
    path = f"'C:\\ProgramData\\{name}.txt'"
    return {root / "dsc_configs" / f"{name}.dsc.yaml": _configuration(name, path, "      Contents: Hello.\n")}


def check_files(root: Path, role: str, name: str) -> Mapping[Path, str]:
    """Return the file of a new check by path, and the role's own file with the check added to its list."""
    folder = root / "roles" / role
    body = 'service = host.service("WinRM")\n    assert service.is_running'
    check = _CHECK.format(role=role, name=name, sentence="Say here what has to hold.", body=body)
    described = (folder / "role.yaml").read_text(encoding="utf-8")
    return {
        folder / "checks" / f"test_{name}.py": check,
        folder / "role.yaml": _with_check(described, f"checks/test_{name}.py"),
    }


def _with_check(described: str, path: str) -> str:
    """Add a check to the list of a role; everything else stays byte for byte."""
    lines = described.splitlines(keepends=True)
    if any(path in line for line in lines):
        return described
    for at, line in enumerate(lines):
        if line.rstrip() == "checks:":
            indent = lines[at + 1].partition("-")[0] if at + 1 < len(lines) and "-" in lines[at + 1] else "  "
            return "".join([*lines[: at + 1], f"{indent}- {path}\n", *lines[at + 1 :]])
        if line.startswith("checks: [") and line.rstrip().endswith("]"):
            listed = line.rstrip()[len("checks: [") : -1].strip()
            both = f"{path}, {listed}" if listed else path
            return "".join([*lines[:at], f"checks: [{both}]\n", *lines[at + 1 :]])
    end = "" if described.endswith("\n") else "\n"
    return f"{described}{end}\nchecks:\n  - {path}\n"


def _configuration(name: str, path: str, rest: str) -> str:
    schema = modeline(f"../{FOLDER}/{file_name('configuration')}")
    return _CONFIGURATION.format(modeline=schema, name=name, path=path, rest=rest)
