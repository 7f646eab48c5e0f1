"""Rules for scripts that run in Windows PowerShell 5.1 in strict mode, which nobody here can run.

Each rule takes a script and returns what breaks it, in words that say what to do. A rule stands here because a real
PowerShell would fail, or fail only on some machine, where our tests see nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tree_sitter import Node

from upkeep.calls import Calls, calls_of
from upkeep.documented import COMMON_PARAMETERS, Documented
from upkeep.powershell import (
    command_name,
    enclosing_function,
    faults,
    functions,
    parameters,
    parse_text,
    passed_parameters,
    text,
    walk,
)

#: Get-Verb of Windows PowerShell 5.1, as far as it matters here. Source: "Approved Verbs for PowerShell Commands".
APPROVED_VERBS = frozenset(
    """
    Add Clear Close Copy Find Format Get Hide Join Lock Move New Open Optimize Push Pop Redo Remove Rename Reset
    Resize Search Select Set Show Skip Split Step Switch Undo Unlock Watch Backup Checkpoint Compare Compress Convert
    ConvertFrom ConvertTo Dismount Edit Expand Export Group Import Initialize Limit Merge Mount Out Publish Restore
    Save Sync Unpublish Update Approve Assert Complete Confirm Deny Disable Enable Install Invoke Register Request
    Restart Resume Start Stop Submit Suspend Uninstall Unregister Wait Debug Measure Ping Repair Resolve Test Trace
    Connect Disconnect Read Receive Send Write Block Grant Protect Revoke Unblock Unprotect Use
    """.split()  # noqa: SIM905 - a list of words is read more easily than a list of texts
)
PUBLIC = ("Get-TargetResource", "Test-TargetResource", "Set-TargetResource")
#: Variables PowerShell sets itself. One that a script assigns means something else than it says.
AUTOMATIC = frozenset(
    """
    args consolefilename enabledexperimentalfeatures error event eventargs eventsubscriber executioncontext false
    foreach home host input lastexitcode matches myinvocation nestedpromptlevel null pid profile psboundparameters
    pscmdlet pscommandpath psculture psdebugcontext psedition pshome psitem psscriptroot pssenderinfo psuiculture
    psversiontable pwd sender shellid stacktrace switch this true
    """.split()  # noqa: SIM905
)
READ_FROM_POWERSHELL = frozenset(
    {"_", "false", "lastexitcode", "matches", "null", "psboundparameters", "psitem", "true"}
)
FORBIDDEN = re.compile(
    r"(?i)(?<![\w-])(?:Invoke-Expression|iex|Write-Host|Add-Type|Invoke-Command|-AsPlainText|-Parallel|Write-Error"
    r"|Write-Output|Restart-Computer)(?![\w-])|ScriptBlock\]|DownloadString|clean \{"
)
#: Modules whose cmdlets are compiled ones: these follow $ErrorActionPreference of who calls them. Those of the
#: others are functions of their own modules, which look it up elsewhere.
COMPILED = (
    "microsoft.",
    "cimcmdlets/",
    "hyper-v/",
    "failoverclusters/",
    "activedirectory/",
    "iscsitarget/",
    "pki/",
)
REGION, END = "#region One call each", "#endregion"


@dataclass(frozen=True)
class Script:
    """A script and what it may call besides its own functions: ``shared`` by name with their parameters."""

    path: Path
    source: str
    root: Node
    documented: Documented
    shared: dict[str, Node]

    @classmethod
    def of(cls, path: Path, source: str, documented: Documented, shared: dict[str, Node]) -> Script:
        return cls(path, source, parse_text(source), documented, shared)

    @cached_property
    def functions(self) -> dict[str, Node]:
        return functions(self.root)

    def calls(self, scope: Node) -> Calls:
        return calls_of(scope, self.root, frozenset(self.functions) | frozenset(self.shared))

    def within_region(self, function: Node) -> bool:
        before = (self.root.text or b"")[: function.start_byte].decode()
        return before.count(REGION) > before.count(END)


Rule = Callable[[Script], list[str]]


def parses(script: Script) -> list[str]:
    """What the parser refuses, and what it takes although PowerShell refuses it."""
    found = faults(script.root)
    for node in walk(script.root):
        kinds = [child.type for child in node.children]
        if node.type == "try_statement" and not {"catch_clauses", "finally_clause"} & set(kinds):
            found.append(f"try without catch or finally: {text(node)[:40]!r}")
        if node.type == "catch_clauses":
            is_typed = [
                "catch_type_list" in {part.type for part in child.children} for child in node.children
            ]
            if False in is_typed[:-1]:
                found.append("a catch of everything stands before another catch")
        if text(node) == "@args":
            found.append("@args is no splatting of a parameter")
    return found


def is_plain_text(script: Script) -> list[str]:
    found = [] if script.source.isascii() else ["a character is not ASCII"]
    found += ["there is a tab"] if "\t" in script.source else []
    found += ["there is a carriage return"] if "\r" in script.source else []
    return found + [
        f"line {number} has more than 120 characters"
        for number, line in enumerate(script.source.splitlines(), 1)
        if len(line) > 120
    ]


def is_older_than_powershell_6(script: Script) -> list[str]:
    newer = {"pipeline_chain_tail", "ternary_expression", "null_coalesce_expression"}
    found = [f"{text(node)!r} is newer than 5.1" for node in walk(script.root) if node.type in newer]
    return found + [f"{each!r} stands in the script" for each in FORBIDDEN.findall(script.source)]


def braces_stand_on_lines_of_their_own(script: Script) -> list[str]:
    pattern = re.compile(
        r"^\s*(?:\}\s*)?(?:if|elseif|else|foreach|for|while|do|try|catch|finally|switch|function)\b.*\{\s*$"
    )
    return [
        f"line {number}: the brace goes to the next line"
        for number, line in enumerate(script.source.splitlines(), 1)
        if pattern.match(line)
    ]


def is_strict_and_stops(script: Script) -> list[str]:
    top = "\n".join(line for line in script.source.splitlines() if not line.startswith((" ", "#", "<")))
    asked = ("Set-StrictMode -Version 'Latest'", "$ErrorActionPreference = 'Stop'")
    return [f"{each!r} is missing at the top" for each in asked if each not in top]


def functions_have_approved_verbs_and_help(script: Script) -> list[str]:
    found = []
    for name, function in script.functions.items():
        verb, _, noun = name.partition("-")
        if verb not in APPROVED_VERBS or not noun.isalnum():
            found.append(f"{name}: no approved verb, or a noun that is no word")
        before = (script.root.text or b"")[: function.start_byte].decode().rstrip()
        help_text = before.rpartition("<#")[2] if before.endswith("#>") else ""
        if ".SYNOPSIS" not in help_text:
            found.append(f"{name}: no comment help with .SYNOPSIS directly before it")
        described = re.findall(r"\.PARAMETER (\w+)", help_text)
        if described != list(parameters(function)):
            found.append(f"{name}: help describes {described}, parameters are {list(parameters(function))}")
        if "[CmdletBinding(" not in text(function):
            found.append(f"{name}: no [CmdletBinding()]")
        for parameter, node in parameters(function).items():
            written = text(node)
            if not re.search(r"\[(?:System|Microsoft)\.[\w.]+(?:\[\])?\]\s*\$", written):
                found.append(f"{name}: parameter {parameter} has no full type name right before it")
            if "[Parameter(" not in written:
                found.append(f"{name}: parameter {parameter} has no [Parameter()]")
    return found


def calls_only_what_is_documented(script: Script) -> list[str]:
    return script.documented.missing(script.calls(script.root))


def calls_functions_by_their_parameters(script: Script) -> list[str]:
    known = script.functions | script.shared
    found = []
    for node in walk(script.root):
        if node.type != "command":
            continue
        name = command_name(node)
        passed = passed_parameters(node)
        if name in known:
            own = parameters(known[name])
            bad = {each for each in passed if not each.startswith("@")} - set(own) - COMMON_PARAMETERS
            found += [f"{name} has no parameter {each}" for each in sorted(bad)]
            if not any(each.startswith("@") for each in passed):
                needed = {each for each, parameter in own.items() if "Mandatory = $true" in text(parameter)}
                found += [f"{name} is called without {each}" for each in sorted(needed - set(passed))]
        if re.fullmatch(r"[A-Za-z]+-\w+", name):
            found += [f"{name}: {each} has no parameter name before it" for each in _positional(node)]
    return found


def _positional(command: Node) -> Iterator[str]:
    """Values that follow no parameter. One behind a switch cannot be told from the switch's own."""
    before = ""
    for element in command.children:
        for child in element.children if element.type == "command_elements" else ():
            if child.type == "command_argument_sep":
                continue
            if child.prev_sibling is not None and child.prev_sibling.type != "command_argument_sep":
                continue  # the arguments of a method: the parser takes $a.Method('b') for two values
            is_value = child.type != "command_parameter" and not re.fullmatch(r"@\w+", text(child))
            if is_value and before != "command_parameter" and child.type != "redirection":
                yield text(child).partition("\n")[0]
            before = child.type


def every_function_is_used(script: Script) -> list[str]:
    called = {command_name(node) for node in walk(script.root) if node.type == "command"}
    return [
        f"{name} is never called" for name in script.functions if name not in called and name not in PUBLIC
    ]


def variables_are_assigned_used_and_not_powershells_own(script: Script) -> list[str]:
    found = []
    for name, function in script.functions.items():
        assigned = {each.casefold() for each in _assigned(function)}
        given = {each.casefold() for each in parameters(function)}
        used = [each.casefold() for each in _variables(function)]
        found += [
            f"{name}: ${each} is set by PowerShell itself"
            for each in (assigned | given) & AUTOMATIC - {"null"}
        ]
        found += [
            f"{name}: ${each} is never assigned"
            for each in set(used) - assigned - given - READ_FROM_POWERSHELL
        ]
        found += [
            f"{name}: ${each} is assigned and never used"
            for each in assigned - {"null"}
            if used.count(each) < 2 and not each.endswith("preference")
        ]
        if name not in PUBLIC:
            found += [f"{name}: parameter {each} is never used" for each in given if used.count(each) < 2]
    scripts = set(re.findall(r"\$script:(\w+)", script.source))
    outside = set(re.findall(r"^\$script:(\w+) =", script.source, re.MULTILINE))
    return found + [f"$script:{each} is assigned nowhere, or never used" for each in scripts ^ outside]


def _assigned(function: Node) -> Iterator[str]:
    for node in walk(function):
        if node.type == "assignment_expression":
            # [System.Int32] $x = ..., $a, $b = ...: every variable on the left that is no index
            target = text(node.children[0])
            yield from re.findall(r"(?<![\[(:])\$(\w+)(?=\s*(?:,|$))", target)
        elif node.type == "foreach_statement":
            yield text(next(child for child in node.children if child.type == "variable")).removeprefix("$")
    yield from re.findall(r"-(?:Error|Warning|Out|Information)Variable '?\+?(\w+)", text(function))


def _variables(function: Node) -> Iterator[str]:
    """Names of variables as used, without those that name their scope; @name stands for $name."""
    for node in walk(function):
        if node.type == "variable":
            written = text(node)
            if braced := re.fullmatch(r"\$\{(\w+)\}", written):
                yield braced[1]
            elif re.fullmatch(r"[$@]\w+", written):
                yield written[1:]


def bound_parameters_are_asked_by_their_names(script: Script) -> list[str]:
    return [
        f"{name}: $PSBoundParameters is asked for {asked}, which is no parameter"
        for name, function in script.functions.items()
        for asked in re.findall(r"\$PSBoundParameters(?:\.ContainsKey\(|\[)'(\w+)'", text(function))
        if asked not in parameters(function)
    ]


def null_stands_on_the_left(script: Script) -> list[str]:
    """With a list on the left, -eq and -ne filter it."""
    return [
        f"{text(node)!r}: $null goes to the left"
        for node in walk(script.root)
        if node.type == "comparison_expression"
        and len(node.children) == 3
        and text(node.children[1]).casefold() in {"-eq", "-ne"}
        and text(node.children[2]).casefold() == "$null"
    ]


def pipelines_are_lists_before_they_are_counted(script: Script) -> list[str]:
    """One result is no list, and none is null: under strict mode .Count and [0] of them throw."""
    lists = {name for name, node in script.functions.items() if re.search(r"return\s*,", text(node))}
    lists.add("New-Object")
    found = []
    for function in script.functions.values():
        loose = {
            text(node.children[0]).casefold()
            for node in walk(function)
            if node.type == "assignment_expression"
            and (command := _command_of(node.children[2])) is not None
            and command_name(command) not in lists
        }
        for node in walk(function):
            if node.type not in {"member_access", "element_access"} or enclosing_function(node) != function:
                continue
            target = node.children[0]
            is_count = text(node.children[2]) in {"Count", "Length"} or (
                node.type == "element_access" and not text(node.children[2]).startswith(("'", '"'))
            )
            is_loose = text(target).casefold() in loose or (
                target.type == "parenthesized_expression"
                and (command := _command_of(target.children[1])) is not None
                and command_name(command) not in lists
            )
            if is_count and is_loose and not _is_table(script, function, text(target)):
                found.append(f"{text(node)!r}: wrap what the command returns with @()")
    return found


def _command_of(value: Node) -> Node | None:
    """The first command of a pipeline, when the value is one and no expression around it."""
    while value.type in {"pipeline", "pipeline_chain"} and value.children:
        value = value.children[0]
    return value if value.type == "command" else None


def _is_table(script: Script, function: Node, variable: str) -> bool:
    """Whether a variable holds a table that a function of the script returns: its keys are asked by index."""
    made = re.search(rf"(?i){re.escape(variable)} = ([A-Z]\w+-\w+)", text(function))
    maker = script.functions.get(made[1]) if made else None
    return maker is not None and re.search(r"OutputType\(\[System\.Collections\.", text(maker)) is not None


def a_colon_after_a_variable_is_no_scope(script: Script) -> list[str]:
    return [
        f"{text(node)!r}: write ${{name}}: - $name: names a scope"
        for node in walk(script.root)
        if node.type == "expandable_string_literal"
        and re.search(r"(?<!`)\$(?!script:|global:|env:)\w+:", text(node))
    ]


def formats_get_all_their_values(script: Script) -> list[str]:
    found = []
    for node in walk(script.root):
        if node.type != "format_expression" or len(node.children) != 3:
            continue
        left, _, right = node.children
        places = [int(each) for each in re.findall(r"(?<!\{)\{(\d+)(?:[,:][^}]*)?\}", text(left))]
        count = _count_of(right)
        if places and count is not None and max(places) + 1 != count:
            found.append(f"{text(left)[:60]!r} has {max(places) + 1} places for {count} values")
    return found


def _count_of(value: Node) -> int | None:
    """How many values a literal list holds; one for a variable or a call; None when nobody can tell."""
    while len(value.children) == 1 and value.type != "variable":
        value = value.children[0]
    if value.type == "parenthesized_expression":
        return _count_of(value.children[1])
    if value.type == "array_literal_expression":
        return len([child for child in value.children if child.type != ","])
    return None if value.type == "array_expression" else 1


def failures_are_not_swallowed(script: Script) -> list[str]:
    found = []
    for node in walk(script.root):
        if node.type == "catch_clause":
            body = next(child for child in node.children if child.type == "statement_block")
            if not any(child.type == "statement_list" for child in body.children):
                found.append(f"an empty catch: {text(node)!r}")
    return found


def logic_does_not_touch_the_machine(script: Script) -> list[str]:
    found = (
        []
        if script.source.count(REGION) == script.source.count(END) == 1
        else [f"there is no one {REGION!r}"]
    )
    for name, function in script.functions.items():
        calls = script.calls(function)
        touched = script.documented.touched(calls)
        started = {each.partition("::")[0] for each in script.documented.started(calls)}
        if not script.within_region(function):
            found += [
                f"{name} calls {each} itself; it goes into a function of its own below {REGION!r}"
                for each in touched
            ]
        elif len(started) > 1:
            found.append(f"{name} makes more than one call: {', '.join(sorted(started))}")
    return found


def cmdlets_of_other_modules_are_told_to_stop(script: Script) -> list[str]:
    """$ErrorActionPreference of a module does not reach functions of another one, as most of Storage's are."""
    found = []
    for node in walk(script.root):
        if node.type != "command":
            continue
        name = command_name(node)
        address = script.documented.cmdlet_addresses.get(name, "")
        module = address.partition("/module/")[2]
        if (
            module
            and not module.startswith(COMPILED)
            and "ErrorAction" not in script.calls(node).cmdlets.get(name, ())
        ):
            found.append(
                f"{name} needs -ErrorAction: $ErrorActionPreference does not reach cmdlets that are functions"
            )
    return found


def programs_are_asked_for_their_exit_code(script: Script) -> list[str]:
    return [
        f"{name} runs {', '.join(programs)} and does not look at $LASTEXITCODE"
        for name, function in script.functions.items()
        if (programs := sorted(script.calls(function).programs)) and "$LASTEXITCODE" not in text(function)
    ]


RULES: tuple[Rule, ...] = (
    parses,
    is_plain_text,
    is_older_than_powershell_6,
    braces_stand_on_lines_of_their_own,
    is_strict_and_stops,
    functions_have_approved_verbs_and_help,
    calls_only_what_is_documented,
    calls_functions_by_their_parameters,
    every_function_is_used,
    variables_are_assigned_used_and_not_powershells_own,
    bound_parameters_are_asked_by_their_names,
    null_stands_on_the_left,
    pipelines_are_lists_before_they_are_counted,
    a_colon_after_a_variable_is_no_scope,
    formats_get_all_their_values,
    failures_are_not_swallowed,
    logic_does_not_touch_the_machine,
    cmdlets_of_other_modules_are_told_to_stop,
    programs_are_asked_for_their_exit_code,
)
