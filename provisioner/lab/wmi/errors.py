"""Error records of the CIM cmdlets, for WMI's own errors and for those of the LCM.

Source of the texts: wbemcli.h codes as CimCmdlets show them; category by MI result, as CimCmdlets translate it.
"""

from __future__ import annotations

from provisioner.lab.lcm.errors import LcmMessage
from provisioner.lab.values import ErrorRecord

_CIM_EXCEPTION = "Microsoft.Management.Infrastructure.CimException"

#: WMI errors: (text, code, category).
INVALID_CLASS = ("Invalid class ", "0x80041010", "MetadataError")
ACCESS_DENIED = ("Access denied ", "0x80041003", "PermissionDenied")
INVALID_NAMESPACE = ("Invalid namespace ", "0x8004100e", "MetadataError")
INVALID_METHOD = ("Invalid method ", "0x8004102e", "MetadataError")
INVALID_METHOD_PARAMETERS = ("Invalid method Parameter(s) ", "0x8004102f", "InvalidArgument")
INVALID_QUERY = ("Invalid query ", "0x80041017", "InvalidArgument")
TYPE_MISMATCH = ("Type mismatch ", "0x80041005", "InvalidType")


def wmi_error(error: tuple[str, str, str], type_name: str, activity: str, target: str) -> ErrorRecord:
    """Build the record of a WMI error for the cmdlet whose class is ``type_name``."""
    text, code, category = error
    return ErrorRecord(text, f"HRESULT {code},{type_name}", category, _CIM_EXCEPTION, activity, target)


def lcm_error(error: LcmMessage, type_name: str, activity: str, target: str) -> ErrorRecord:
    """Build the record of an error the LCM gave."""
    return ErrorRecord(
        error.text, f"{error.error_id},{type_name}", error.category, _CIM_EXCEPTION, activity, target
    )
