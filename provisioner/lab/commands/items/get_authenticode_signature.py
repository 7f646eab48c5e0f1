"""Get-AuthenticodeSignature: who signed a file. Of all files only installers may be signed here."""

from __future__ import annotations

from provisioner.lab.commands.base import Invocation
from provisioner.lab.commands.items import paths
from provisioner.lab.machine.ground.files import Entry
from provisioner.lab.values import EnumValue, PsObject

TYPE = "Microsoft.PowerShell.Commands.GetAuthenticodeSignatureCommand"
_NAMESPACE = "System.Management.Automation."


async def run(invocation: Invocation) -> None:
    """Write one signature for each file."""
    packages = invocation.node.machine.packages
    parameters = dict(invocation.parameters)
    if "FilePath" in parameters:
        parameters["Path"] = parameters.pop("FilePath")
    asked = Invocation(invocation.node, parameters, invocation.input, invocation.output, invocation.user)
    async for item in paths.items(asked, TYPE, "Get-AuthenticodeSignature"):
        if not isinstance(item, Entry) or item.content is None:
            continue
        package = packages.describe(item.path)
        is_signed = package is not None and bool(package.signer_subject)
        certificate = None
        if package is not None and is_signed:
            certificate = PsObject(
                ("System.Security.Cryptography.X509Certificates.X509Certificate2", "System.Object"),
                {"Subject": package.signer_subject, "Thumbprint": package.signer_thumbprint},
            )
        status = ("Valid", 0) if is_signed else ("NotSigned", 2)
        message = "Signature verified." if is_signed else f"The file {item.path} is not digitally signed."
        invocation.output.write(
            PsObject(
                (f"{_NAMESPACE}Signature", "System.Object"),
                {
                    "SignerCertificate": certificate,
                    "TimeStamperCertificate": None,
                    "Status": EnumValue(f"{_NAMESPACE}SignatureStatus", *status),
                    "StatusMessage": message,
                    "Path": item.path,
                    "SignatureType": EnumValue(
                        f"{_NAMESPACE}SignatureType", "Authenticode" if is_signed else "None", int(is_signed)
                    ),
                    "IsOSBinary": False,
                },
            )
        )
