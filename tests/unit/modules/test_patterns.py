"""What the patterns of scripts take, where .NET would go on with something else than is written."""

from __future__ import annotations

import re

import pytest

from upkeep.module import script_of
from upkeep.powershell import functions, parse, text


@pytest.mark.parametrize(
    ("written", "is_address"),
    [
        ("192.0.2.0", True),
        ("0.0.0.0", True),
        ("10.20.0.100", True),
        ("010.0.0.0", False),
        ("10.0.00.0", False),
    ],
)
def test_a_number_that_dotnet_reads_as_octal_is_no_part_of_a_network(
    written: str, *, is_address: bool
) -> None:
    function = text(functions(parse(script_of("VMMigration")))["ConvertTo-AddressByte"])
    must, may_not = (
        re.search(rf"\$Text -{operator} '([^':]+)'", function) for operator in ("notmatch", "match")
    )
    assert must is not None
    assert may_not is not None
    assert bool(re.search(must[1], written) and not re.search(may_not[1], written)) is is_address
