"""The part of an answer file of Windows Setup (Unattend.xml) that runs the first contact by itself.

The password of the account cannot be asked for there, so a placeholder stands in its place.
"""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

from provisioner.bootstrap.script import FirstContact, write_script
from provisioner.errors import UsageError

#: Where Setup's own scripts lie; put the script there when the image is made.
SCRIPT_PATH = r"C:\Windows\Setup\Scripts\first-contact.ps1"
PLACEHOLDER = "PUT-THE-PASSWORD-HERE"
_COMPUTER_NAME = re.compile(r"[A-Za-z0-9-]{1,15}")

_FRAGMENT = """\
<?xml version="1.0" encoding="utf-8"?>
<!-- What an answer file needs so that Windows Setup makes the account and runs the first contact by itself. Merge
     it into yours. The script goes into the image as
     {script}
     (write it with 'provision bootstrap -o first-contact.ps1', with the same options). -->
<unattend xmlns="urn:schemas-microsoft-com:unattend" xmlns:wcm="http://schemas.microsoft.com/WMIConfig/2002/State">
{specialize}  <settings pass="oobeSystem">
    <component name="Microsoft-Windows-Shell-Setup" processorArchitecture="amd64" \
publicKeyToken="31bf3856ad364e35" language="neutral" versionScope="nonSxS">
      <!-- Replace the placeholder, twice, on a copy that nobody else can read, with a password for this machine
           alone. Windows removes passwords from the copy it keeps in C:\\Windows\\Panther; an image or a share
           with your copy still has them. Change the password once the machine is managed. -->
      <UserAccounts>
        <LocalAccounts>
          <LocalAccount wcm:action="add">
            <Name>{user}</Name>
            <Group>Administrators</Group>
            <Password>
              <Value>{placeholder}</Value>
              <PlainText>true</PlainText>
            </Password>
          </LocalAccount>
        </LocalAccounts>
      </UserAccounts>
      <!-- First-logon commands wait for a logon: this one, once. -->
      <AutoLogon>
        <Enabled>true</Enabled>
        <LogonCount>1</LogonCount>
        <Username>{user}</Username>
        <Password>
          <Value>{placeholder}</Value>
          <PlainText>true</PlainText>
        </Password>
      </AutoLogon>
      <FirstLogonCommands>
        <SynchronousCommand wcm:action="add">
          <Order>1</Order>
          <Description>First contact of provisioner</Description>
          <CommandLine>powershell.exe -NoProfile -ExecutionPolicy Bypass -File {script}</CommandLine>
        </SynchronousCommand>
        <!-- What is on the screen now would stay open for whoever stands there. -->
        <SynchronousCommand wcm:action="add">
          <Order>2</Order>
          <Description>End the session</Description>
          <CommandLine>logoff.exe</CommandLine>
        </SynchronousCommand>
      </FirstLogonCommands>
    </component>
  </settings>
</unattend>
"""
_SPECIALIZE = """\
  <settings pass="specialize">
    <component name="Microsoft-Windows-Shell-Setup" processorArchitecture="amd64" \
publicKeyToken="31bf3856ad364e35" language="neutral" versionScope="nonSxS">
      <ComputerName>{name}</ComputerName>
    </component>
  </settings>
"""


def write_fragment(asked: FirstContact) -> str:
    """Return the XML; the computer is named when the first name asked for can be a computer's.

    Raises:
        UsageError: The account is one of a domain, which the machine has not joined yet; or see ``write_script``.
    """
    write_script(asked)  # for what it refuses: the same values run in both
    if asked.is_domain_account:
        raise UsageError(
            f"'{asked.user}' is an account of a domain, and the machine has joined none when Setup ends.",
            "Name a local account, and let a role join the domain.",
        )
    name = asked.names[0].partition(".")[0] if asked.names else ""
    specialize = _SPECIALIZE.format(name=escape(name)) if _COMPUTER_NAME.fullmatch(name) else ""
    return _FRAGMENT.format(
        script=SCRIPT_PATH, user=escape(asked.user), placeholder=PLACEHOLDER, specialize=specialize
    )
