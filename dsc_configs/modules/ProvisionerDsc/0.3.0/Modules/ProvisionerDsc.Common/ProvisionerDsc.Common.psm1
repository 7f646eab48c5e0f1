<#
    What the resources of this module have in common: errors with stable ids, and markers that tell whether a secret
    is the one that was given to Windows last.
    This module has been parsed, but has not run on Windows.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

# Below HKEY_LOCAL_MACHINE; a key for each resource, a value for each thing that has a secret.
$script:markerKey = 'SOFTWARE\provisioner\Markers'

# Hashing that often takes about a tenth of a second. SHA-1 is what PBKDF2 has in .NET Framework 4.6 (Server 2016).
$script:markerRounds = 100000

# Scheme, rounds, salt and hash; the last two in base64.
$script:markerForm = '\Apbkdf2-sha1\$[1-9][0-9]{0,6}\$[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{27}=\z'

<#
    .SYNOPSIS
        Returns an error record with a stable id.

    .PARAMETER Id
        Becomes the FullyQualifiedErrorId.

    .PARAMETER Message
        What went wrong, in one sentence. Never a secret, and never the contents of a file.

    .PARAMETER Category
        The error category.

    .PARAMETER Target
        The thing the error is about: a path, a service, an account.

    .PARAMETER Exception
        The exception to carry; by default one with the message.
#>
function New-ResourceError
{
    [CmdletBinding()]
    [OutputType([System.Management.Automation.ErrorRecord])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Id,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Message,

        [Parameter(Mandatory = $true)]
        [System.Management.Automation.ErrorCategory]
        $Category,

        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String]
        $Target,

        [Parameter()]
        [System.Exception]
        $Exception
    )

    if ($null -eq $Exception)
    {
        if ($Category -eq 'InvalidArgument')
        {
            $Exception = New-Object -TypeName 'System.ArgumentException' -ArgumentList @($Message)
        }
        else
        {
            $Exception = New-Object -TypeName 'System.InvalidOperationException' -ArgumentList @($Message)
        }
    }

    return New-Object -TypeName 'System.Management.Automation.ErrorRecord' -ArgumentList @(
        $Exception, $Id, $Category, $Target)
}

<#
    .SYNOPSIS
        Tells whether a secret is the one that was given to Windows last.

    .DESCRIPTION
        Windows does not give passwords back, so nothing else can tell. The marker is a salted hash; the secret is not
        kept.

    .PARAMETER Resource
        Name of the resource that gave the secret to Windows.

    .PARAMETER Name
        What the secret belongs to: a service, a target.

    .PARAMETER Secret
        The secret is its password; the user name has no meaning.
#>
function Test-SecretMarker
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Resource,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Name,

        [Parameter(Mandatory = $true)]
        [System.Management.Automation.PSCredential]
        $Secret
    )

    $marker = Read-SecretMarker -Resource $Resource -Name $Name

    # What is no marker of ours tells nothing, so the secret counts as another one.
    if ([System.String]::IsNullOrEmpty($marker) -or $marker -cnotmatch $script:markerForm)
    {
        return $false
    }

    $parts = $marker.Split('$')
    $digest = New-SecretDigest -Secret $Secret -Salt ([System.Convert]::FromBase64String($parts[2])) -Rounds $parts[1]

    return ($digest -ceq $parts[3])
}

<#
    .SYNOPSIS
        Remembers which secret was given to Windows.

    .PARAMETER Resource
        Name of the resource that gave the secret to Windows.

    .PARAMETER Name
        What the secret belongs to: a service, a target.

    .PARAMETER Secret
        The secret is its password; the user name has no meaning.
#>
function Set-SecretMarker
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Resource,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Name,

        [Parameter(Mandatory = $true)]
        [System.Management.Automation.PSCredential]
        $Secret
    )

    $salt = [System.Byte[]] @(New-Salt)
    $digest = New-SecretDigest -Secret $Secret -Salt $salt -Rounds $script:markerRounds
    $marker = 'pbkdf2-sha1${0}${1}${2}' -f $script:markerRounds, [System.Convert]::ToBase64String($salt), $digest
    Write-SecretMarker -Resource $Resource -Name $Name -Marker @{
        Text = $marker
    }
}

<#
    .SYNOPSIS
        Forgets which secret was given to Windows.

    .PARAMETER Resource
        Name of the resource that gave the secret to Windows.

    .PARAMETER Name
        What the secret belongs to: a service, a target.
#>
function Clear-SecretMarker
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Resource,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Name
    )

    Remove-SecretMarker -Resource $Resource -Name $Name
}

#region One call each

<#
    .SYNOPSIS
        Returns the PBKDF2 hash (HMAC-SHA1, 20 bytes) of a secret in base64.

    .PARAMETER Secret
        The secret is its password; the user name has no meaning.

    .PARAMETER Salt
        The salt.

    .PARAMETER Rounds
        How often it is hashed.
#>
function New-SecretDigest
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Management.Automation.PSCredential]
        $Secret,

        [Parameter(Mandatory = $true)]
        [System.Byte[]]
        $Salt,

        [Parameter(Mandatory = $true)]
        [System.Int32]
        $Rounds
    )

    # The secret stays within .NET, whose arguments no log of PowerShell shows.
    $derived = [System.Security.Cryptography.Rfc2898DeriveBytes]::new(
        [System.Text.Encoding]::UTF8.GetBytes($Secret.GetNetworkCredential().Password), $Salt, $Rounds)

    try
    {
        return [System.Convert]::ToBase64String($derived.GetBytes(20))
    }
    finally
    {
        $derived.Dispose()
    }
}

<#
    .SYNOPSIS
        Hands out 16 bytes that come once.
#>
function New-Salt
{
    [CmdletBinding()]
    [OutputType([System.Byte])]
    param ()

    [System.Guid]::NewGuid().ToByteArray()
}

<#
    .SYNOPSIS
        Returns a marker; nothing when there is none.

    .PARAMETER Resource
        Name of the resource that gave the secret to Windows.

    .PARAMETER Name
        What the secret belongs to: a service, a target.
#>
function Read-SecretMarker
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Resource,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Name
    )

    return [Microsoft.Win32.Registry]::GetValue("HKEY_LOCAL_MACHINE\$script:markerKey\$Resource", $Name, $null)
}

<#
    .SYNOPSIS
        Keeps a marker where only SYSTEM and Administrators can read it.

    .PARAMETER Resource
        Name of the resource that gave the secret to Windows.

    .PARAMETER Name
        What the secret belongs to: a service, a target.

    .PARAMETER Marker
        Text is the marker; a table, so that no log shows it.
#>
function Write-SecretMarker
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Resource,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Name,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Marker
    )

    $security = New-Object -TypeName 'System.Security.AccessControl.RegistrySecurity'
    # Full control for SYSTEM and Administrators, handed down, nothing from above. The owner is left alone.
    $security.SetSecurityDescriptorSddlForm(
        'D:P(A;CI;KA;;;SY)(A;CI;KA;;;BA)', [System.Security.AccessControl.AccessControlSections]::Access)
    $writable = [Microsoft.Win32.RegistryKeyPermissionCheck]::ReadWriteSubTree

    foreach ($path in @($script:markerKey, "$script:markerKey\$Resource"))
    {
        $made = [Microsoft.Win32.Registry]::LocalMachine.CreateSubKey($path, $writable, $security)
        $made.Dispose()

        # A key that was there keeps its rights when it is opened, so they are set in any case. A handle from
        # CreateSubKey may not do that.
        $key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey(
            $path, $writable, [System.Security.AccessControl.RegistryRights]::ChangePermissions)

        try
        {
            $key.SetAccessControl($security)
        }
        finally
        {
            $key.Dispose()
        }
    }

    [Microsoft.Win32.Registry]::SetValue(
        "HKEY_LOCAL_MACHINE\$script:markerKey\$Resource", $Name, $Marker.Text,
        [Microsoft.Win32.RegistryValueKind]::String)
}

<#
    .SYNOPSIS
        Removes a marker; one that is not there is no matter.

    .PARAMETER Resource
        Name of the resource that gave the secret to Windows.

    .PARAMETER Name
        What the secret belongs to: a service, a target.
#>
function Remove-SecretMarker
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Resource,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Name
    )

    $key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey("$script:markerKey\$Resource", $true)

    if ($null -eq $key)
    {
        return
    }

    try
    {
        $key.DeleteValue($Name, $false)
    }
    finally
    {
        $key.Dispose()
    }
}

#endregion

Export-ModuleMember -Function @(
    'Clear-SecretMarker'
    'New-ResourceError'
    'Set-SecretMarker'
    'Test-SecretMarker'
)
