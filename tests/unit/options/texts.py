"""Configuration files as people break them: options of a catalogue with values of all sorts, lines out of shape."""

from __future__ import annotations

from hypothesis import strategies as st

from provisioner.options.catalogue import Catalogue, Option

#: oslo.config fetches these itself; a function of the package, which nobody else can call; needs the plugin's package.
_LEFT_OUT = {"config_source", "config_file", "config_dir", "capabilities", "auth_section"}

VALUES = [
    *(
        "",
        "0",
        "1",
        "-1",
        "5",
        "12",
        "80",
        "4096",
        "65535",
        "65536",
        "99999999",
        "1.5",
        "0.0",
        "1e3",
        "nan",
        "0x10",
    ),
    *("true", "True", "yes", "on", "off", "no", "maybe", "lots", "none", "None", "<None>", " 7 ", "5 # five"),
    *("a", "a,b", "a, b,", ",", "a:b", "a:b,c:d", "a:b,c", "{a:b}", "[a,b]", "1,2,3", "1-5", "*:external"),
    *(
        "10.0.0.1",
        "10.0.0.300",
        "::1",
        "fe80::1%eth0",
        "host",
        "-host",
        "host_name",
        "a.b.c",
        "10.0.0",
        "x" * 70,
    ),
    *(
        "http://10.0.0.1:9696/",
        "ftp://x",
        "http:",
        "rabbit://u:p@h:5672/",
        "file:///C:/OpenStack/Lock",
        "C:\\OpenStack",
    ),
    *(
        "'quoted'",
        '"quoted"',
        "'open",
        '"',
        "''",
        "%(asctime)s",
        "%(nothing)s",
        "100%",
        "\\$HOME",
        "$$",
        "pa$$word",
    ),
    *(
        "$state_path/x",
        "$my_ip",
        "${my_ip}",
        "$debug",
        "$nothing",
        "${state_path}.d",
        "$state_path.d",
        "$DEFAULT.debug",
    ),
    *(
        "$hyperv.vswitch_name",
        "$agent.polling_interval",
        "$AGENT.polling_interval",
        "$1",
        "a$",
        "$oslo_concurrency",
    ),
    *("COM1,115200,N,8", "vhd", "vhdx", "VHDX", "INFO", "password", "v3password", "value = other", "a=b"),
]
SHAPES = [
    "{}",
    "{}",
    "{}",
    "{}",
    "{}",
    "  {}",
    "\t{}",
    "# {}",
    ";{}",
    "{}\r",
    "{}   ",
    "{}\n  continued",
    "{}\n\n",
]
BROKEN = [
    "no assignment",
    "= value",
    ": value",
    "[open",
    "[]",
    "[DEFAULT] # why",
    "\ufeff",
    "   ",
    "[default]",
    "\x0b",
    "\x85x=1",
]


@st.composite
def texts(draw: st.DrawFn, known: Catalogue) -> str:
    """Return a file for a service, most lines of it in order."""
    every = [option for options in known.sections.values() for option in options.values()]
    usable = [option for option in every if option.name not in _LEFT_OUT]
    lines = ["[DEFAULT]"] if draw(st.integers(0, 9)) else []
    if known.service == "cinder" and draw(st.booleans()):
        lines.append(f"enabled_backends = {draw(st.sampled_from(['one', 'One, two', 'one,,two', '$my_ip']))}")
        backend = [each for each in usable if each.section == "backend_defaults"]
        lines += [
            "[one]",
            *draw(st.lists(_line(backend), max_size=6)),
            "[TWO]",
            *draw(st.lists(_line(backend))),
        ]
    # A few options and many lines, so that some are given twice, by several names and in several sections.
    few = draw(st.lists(st.sampled_from(usable), min_size=1, max_size=6))
    for option in draw(st.lists(st.sampled_from(few), min_size=1, max_size=14)):
        section = draw(st.sampled_from([option.section, option.section, option.section.upper(), "hyper", ""]))
        if section:
            lines.append(f"[{section}]")
        lines.append(draw(_line([option, option, draw(st.sampled_from(usable))])))
    if not draw(st.integers(0, 4)):
        lines.insert(draw(st.integers(0, len(lines))), draw(st.sampled_from(BROKEN)))
    return "\n".join(lines) + draw(st.sampled_from(["\n", "", "\r\n"]))


@st.composite
def _line(draw: st.DrawFn, options: list[Option]) -> str:
    option = draw(st.sampled_from(options))
    old = [name for _, name in option.was]
    names = [option.name] * 6 + old + [option.name.replace("_", "-"), f"{option.name}s", option.name.upper()]
    values = VALUES + [str(each) for each in option.facts.get("choices", [])] * 3
    default = option.facts.get("default")
    if isinstance(default, str | int | float):
        values = values + [str(default)] * 5
    limits = [option.facts[each] for each in ("min", "max") if each in option.facts]
    values = values + [str(each + offset) for each in limits for offset in (-1, 0, 1)]
    sign = draw(st.sampled_from([" = ", "=", ":", " : ", "="]))
    written = f"{draw(st.sampled_from(names))}{sign}{draw(st.sampled_from(values))}"
    return draw(st.sampled_from(SHAPES)).replace("{}", written)
