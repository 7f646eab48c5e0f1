"""Another project's tests use simulated nodes as fixtures, with nothing to import or configure."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

PROJECT = """
    import pytest
    from pypsrp.client import Client
    from pypsrp.powershell import PowerShell, RunspacePool
    from pypsrp.wsman import WSMan


    def ask(node, command, **parameters):
        wsman = WSMan(node.address, port=node.port, ssl=False, auth="ntlm",
                      username=node.user, password=node.password)
        with wsman, RunspacePool(wsman) as pool:
            shell = PowerShell(pool)
            shell.add_cmdlet(command).add_parameters(parameters)
            return shell.invoke()


    def test_one_node(lab_node):
        ask(lab_node, "Stop-Service", Name="W32Time")
        assert [entry["name"] for entry in lab_node.journal("command")] == ["Stop-Service"]
        assert any("w32time" in change["path"] for change in lab_node.changes())
        assert "Stopped" in lab_node.run("Get-Service -Name W32Time")


    def test_a_fleet_is_new_each_time(lab_fleet):
        lab = lab_fleet(3, windows="2019")
        assert len(lab) == 3
        assert {node.show()["windows"] for node in lab} == {"2019"}
        assert all(node.changes() == [] for node in lab)
        assert ask(lab["node02"], "Get-Service", Name="W32Time")[0].adapted_properties["Status"]


    def test_a_cut_node_does_not_answer(lab_fleet):
        node = lab_fleet()["node01"]
        node.cut()
        with pytest.raises(Exception, match="refused|reset"):
            ask(node, "Get-Service")
        node.restore()
        assert ask(node, "Get-Service")


    def test_what_fails_at_the_console_is_told(lab_node):
        from provisioner.lab.control import LabError

        with pytest.raises(LabError, match="not recognized"):
            lab_node.run("No-Such")
"""


def test_fixtures_of_the_plugin_serve_a_foreign_project(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(PROJECT)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:xdist", "-q")
    result.assert_outcomes(passed=4)


def test_a_project_without_labs_pays_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_the_lab_is_not_even_loaded():
            assert "provisioner.lab.hosting.app" not in sys.modules
        """
    )
    pytester.runpytest_subprocess("-p", "no:cacheprovider", "-q").assert_outcomes(passed=1)
