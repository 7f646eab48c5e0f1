"""User rights of the local security policy, as ``secedit /export`` writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from provisioner.lab.machine.area import Area, MachineError
from provisioner.lab.machine.directory.principals import sid_of

if TYPE_CHECKING:
    from provisioner.lab.machine.machine import Machine

#: Names of the policies to what the system calls them.
CONSTANTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Access_Credential_Manager_as_a_trusted_caller": "SeTrustedCredManAccessPrivilege",
        "Access_this_computer_from_the_network": "SeNetworkLogonRight",
        "Act_as_part_of_the_operating_system": "SeTcbPrivilege",
        "Add_workstations_to_domain": "SeMachineAccountPrivilege",
        "Adjust_memory_quotas_for_a_process": "SeIncreaseQuotaPrivilege",
        "Allow_log_on_locally": "SeInteractiveLogonRight",
        "Allow_log_on_through_Remote_Desktop_Services": "SeRemoteInteractiveLogonRight",
        "Back_up_files_and_directories": "SeBackupPrivilege",
        "Bypass_traverse_checking": "SeChangeNotifyPrivilege",
        "Change_the_system_time": "SeSystemtimePrivilege",
        "Change_the_time_zone": "SeTimeZonePrivilege",
        "Create_a_pagefile": "SeCreatePagefilePrivilege",
        "Create_a_token_object": "SeCreateTokenPrivilege",
        "Create_global_objects": "SeCreateGlobalPrivilege",
        "Create_permanent_shared_objects": "SeCreatePermanentPrivilege",
        "Create_symbolic_links": "SeCreateSymbolicLinkPrivilege",
        "Debug_programs": "SeDebugPrivilege",
        "Deny_access_to_this_computer_from_the_network": "SeDenyNetworkLogonRight",
        "Deny_log_on_as_a_batch_job": "SeDenyBatchLogonRight",
        "Deny_log_on_as_a_service": "SeDenyServiceLogonRight",
        "Deny_log_on_locally": "SeDenyInteractiveLogonRight",
        "Deny_log_on_through_Remote_Desktop_Services": "SeDenyRemoteInteractiveLogonRight",
        "Enable_computer_and_user_accounts_to_be_trusted_for_delegation": "SeEnableDelegationPrivilege",
        "Force_shutdown_from_a_remote_system": "SeRemoteShutdownPrivilege",
        "Generate_security_audits": "SeAuditPrivilege",
        "Impersonate_a_client_after_authentication": "SeImpersonatePrivilege",
        "Increase_a_process_working_set": "SeIncreaseWorkingSetPrivilege",
        "Increase_scheduling_priority": "SeIncreaseBasePriorityPrivilege",
        "Load_and_unload_device_drivers": "SeLoadDriverPrivilege",
        "Lock_pages_in_memory": "SeLockMemoryPrivilege",
        "Log_on_as_a_batch_job": "SeBatchLogonRight",
        "Log_on_as_a_service": "SeServiceLogonRight",
        "Manage_auditing_and_security_log": "SeSecurityPrivilege",
        "Modify_an_object_label": "SeRelabelPrivilege",
        "Modify_firmware_environment_values": "SeSystemEnvironmentPrivilege",
        "Obtain_an_impersonation_token_for_another_user_in_the_same_session": (
            "SeDelegateSessionUserImpersonatePrivilege"
        ),
        "Perform_volume_maintenance_tasks": "SeManageVolumePrivilege",
        "Profile_single_process": "SeProfileSingleProcessPrivilege",
        "Profile_system_performance": "SeSystemProfilePrivilege",
        "Remove_computer_from_docking_station": "SeUndockPrivilege",
        "Replace_a_process_level_token": "SeAssignPrimaryTokenPrivilege",
        "Restore_files_and_directories": "SeRestorePrivilege",
        "Shut_down_the_system": "SeShutdownPrivilege",
        "Synchronize_directory_service_data": "SeSyncAgentPrivilege",
        "Take_ownership_of_files_or_other_objects": "SeTakeOwnershipPrivilege",
    }
)
_ADMINISTRATORS: Final = "*S-1-5-32-544"
_SERVICES: Final = ("*S-1-5-19", "*S-1-5-20")
#: What a member server has; shared by all that never changed anything.
_FRESH: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                "SeCreatePagefilePrivilege",
                "SeCreateSymbolicLinkPrivilege",
                "SeDebugPrivilege",
                "SeDelegateSessionUserImpersonatePrivilege",
                "SeIncreaseBasePriorityPrivilege",
                "SeLoadDriverPrivilege",
                "SeManageVolumePrivilege",
                "SeProfileSingleProcessPrivilege",
                "SeRemoteShutdownPrivilege",
                "SeSecurityPrivilege",
                "SeSystemEnvironmentPrivilege",
                "SeSystemProfilePrivilege",
                "SeTakeOwnershipPrivilege",
                "SeUndockPrivilege",
            ),
            (_ADMINISTRATORS,),
        ),
        "SeAssignPrimaryTokenPrivilege": _SERVICES,
        "SeAuditPrivilege": _SERVICES,
        "SeBackupPrivilege": (_ADMINISTRATORS, "*S-1-5-32-551"),
        "SeBatchLogonRight": (_ADMINISTRATORS, "*S-1-5-32-551"),
        "SeChangeNotifyPrivilege": (
            "*S-1-1-0",
            *_SERVICES,
            _ADMINISTRATORS,
            "*S-1-5-32-545",
            "*S-1-5-32-551",
        ),
        "SeCreateGlobalPrivilege": (*_SERVICES, _ADMINISTRATORS, "*S-1-5-6"),
        "SeImpersonatePrivilege": (*_SERVICES, _ADMINISTRATORS, "*S-1-5-6"),
        "SeIncreaseQuotaPrivilege": (*_SERVICES, _ADMINISTRATORS),
        "SeIncreaseWorkingSetPrivilege": ("*S-1-5-32-545",),
        "SeInteractiveLogonRight": (_ADMINISTRATORS, "*S-1-5-32-545", "*S-1-5-32-551"),
        "SeNetworkLogonRight": ("*S-1-1-0", _ADMINISTRATORS, "*S-1-5-32-545", "*S-1-5-32-551"),
        "SeRemoteInteractiveLogonRight": (_ADMINISTRATORS, "*S-1-5-32-555"),
        "SeRestorePrivilege": (_ADMINISTRATORS, "*S-1-5-32-551"),
        "SeServiceLogonRight": ("*S-1-5-80-0",),
        "SeShutdownPrivilege": (_ADMINISTRATORS, "*S-1-5-32-551"),
        "SeSystemtimePrivilege": ("*S-1-5-19", _ADMINISTRATORS),
        "SeTimeZonePrivilege": ("*S-1-5-19", _ADMINISTRATORS),
    }
)
_DONE: Final = "The task has completed successfully."
_NOT_DONE: Final = "The task has completed with an error."


class UserRights(Area["Machine"]):
    """Who has which right: ``*SID`` each, in the order in which they were written."""

    def __init__(self, owner: Machine) -> None:
        super().__init__(owner)
        self._changed: dict[str, tuple[str, ...]] = {}
        self._base = _FRESH

    def export(self) -> dict[str, tuple[str, ...]]:
        """Give all rights that somebody has, by their constants."""
        rights = {**self._base, **self._changed}
        return {name: holders for name, holders in rights.items() if holders}

    def configure(self, constant: str, entries: Sequence[str]) -> str:
        """Replace the holders of a right (``secedit /configure``); give the last line that it prints.

        An entry is ``*SID``, or the name of an account. A bare SID is no name of any: it is kept, with an error.
        """
        try:
            self.owner.ledger.attempt("Start-Process")
        except MachineError:
            return _NOT_DONE
        self._changed[constant] = tuple(self._entry(text) for text in entries)
        self.owner.ledger.changed("user_rights", f"{constant} set")
        return _NOT_DONE if any(_is_sid(text) for text in entries) else _DONE

    def _entry(self, text: str) -> str:
        return text if text.startswith("*") or _is_sid(text) else f"*{sid_of(self.owner, text)}"

    def adopt(self, rights: Mapping[str, Sequence[str]]) -> None:
        """Take over rights as they are, in place of those of a fresh machine."""
        self._base = MappingProxyType({})
        self._changed = {name: tuple(holders) for name, holders in rights.items()}

    def to_plain(self) -> Any:
        """Give what was changed."""
        return {
            "base": self._base is _FRESH,
            "rights": {name: list(it) for name, it in self._changed.items()},
        }

    def load(self, plain: Any) -> None:
        """Take over what ``to_plain`` gave."""
        self._base = _FRESH if plain.get("base", True) else MappingProxyType({})
        self._changed = {name: tuple(holders) for name, holders in plain["rights"].items()}


def _is_sid(text: str) -> bool:
    return re.match(r"S-[0-9-]{3,}", text) is not None
