<#
    What the resources of this module have in common: errors with stable ids, markers that tell whether a secret is
    the one that was given to Windows last, and guards, tasks of Windows that undo what nobody confirmed.
    This module has been parsed, but has not run on Windows.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

# Below HKEY_LOCAL_MACHINE; a key for each resource, a value for each thing that has a secret.
$script:markerKey = 'SOFTWARE\provisioner\Markers'

# The folder of this module, for tasks that load a resource of it.
$script:moduleFolder = Split-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -Parent

# The folder of the tasks that guard a change.
$script:guardFolder = '\provisioner\'

# How often such a task tries, and how many seconds it waits in between: five minutes.
$script:guardAttempts = 20
$script:guardSeconds = 15

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

<#
    .SYNOPSIS
        Returns the name of the task that disables an extension of a virtual switch.

    .PARAMETER VMSwitchName
        Name of the virtual switch.
#>
function Get-GuardName
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $VMSwitchName
    )

    # A name of a task holds none of these.
    $name = $VMSwitchName

    foreach ($character in @('\', '/', ':', '*', '?', '"', '<', '>', '|'))
    {
        $name = $name.Replace($character, '_')
    }

    return ('extension of {0}' -f $name)
}

<#
    .SYNOPSIS
        Returns a text as it is written in PowerShell, in single quotes. PowerShell takes typographic ones for the
        same, so these are doubled as well.

    .PARAMETER Text
        The text.
#>
function ConvertTo-Literal
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String]
        $Text
    )

    return ("'{0}'" -f ($Text -replace "(['\u2018\u2019\u201a\u201b])", '$1$1'))
}

<#
    .SYNOPSIS
        Lets a task of Windows call Set of resources as SYSTEM after some time; one of that name is replaced.

    .DESCRIPTION
        A task that fails is not started again by Windows, and after a boot Hyper-V may not answer yet. So the task
        itself tries for five minutes.

    .PARAMETER Name
        Name of the task.

    .PARAMETER Step
        What the task does in this order, each with Resource, the name of a resource, and Option, the parameters of its
        Set as written in PowerShell. They hold no double quotes. One that fails does not keep the next from being done.

    .PARAMETER Second
        After how many seconds. A machine that is off by then runs it when it is up.
#>
function Register-Guard
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable[]]
        $Step,

        [Parameter(Mandatory = $true)]
        [System.UInt32]
        $Second
    )

    $form = 'Import-Module -Name {0}; for ($try = 1; $try -le {1}; $try++) ' +
        '{{ try {{ PROV_{2}\Set-TargetResource {3}; break }} catch {{ Start-Sleep -Seconds {4} }} }}'
    $lines = @(
        foreach ($each in $Step)
        {
            $file = 'DSCResources\PROV_{0}\PROV_{0}.psm1' -f $each['Resource']
            $path = ConvertTo-Literal -Text ('{0}\{1}' -f $script:moduleFolder, $file)
            $form -f $path, $script:guardAttempts, $each['Resource'], $each['Option'], $script:guardSeconds
        }
    )
    $argument = '-NoProfile -NonInteractive -ExecutionPolicy Bypass -Command "{0}"' -f ($lines -join '; ')
    $part = @{
        Action    = New-GuardAction -Argument $argument
        Trigger   = New-GuardTrigger -Time (Get-TimeIn -Second $Second)
        Principal = New-GuardPrincipal
        Settings  = New-GuardSetting
    }

    Write-Verbose -Message ("In {0} seconds the task '{1}' runs unless it is taken away." -f $Second, $Name)
    Add-GuardTask -Name $Name -Part $part
}

<#
    .SYNOPSIS
        Takes a task away; one that is not there is no matter.

    .PARAMETER Name
        Name of the task.
#>
function Unregister-Guard
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name
    )

    if (Test-Guard -Name $Name)
    {
        Remove-GuardTask -Name $Name
    }
}

<#
    .SYNOPSIS
        Tells whether there is a task of this name.

    .PARAMETER Name
        Name of the task.
#>
function Test-Guard
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name
    )

    return (@(Get-GuardTask | Where-Object -FilterScript { $_.TaskName -eq $Name }).Count -gt 0)
}

<#
    .SYNOPSIS
        Runs a task now; one that is not there is no matter.

    .PARAMETER Name
        Name of the task.
#>
function Invoke-Guard
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name
    )

    if (Test-Guard -Name $Name)
    {
        Start-GuardTask -Name $Name
    }
}

<#
    .SYNOPSIS
        Returns the step of a task that disables an extension of a virtual switch.

    .PARAMETER VMSwitchName
        Name of the virtual switch.

    .PARAMETER Names
        Names that the extension may have.
#>
function Get-ExtensionStep
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $VMSwitchName,

        [Parameter(Mandatory = $true)]
        [System.String[]]
        $Names
    )

    $quoted = @($Names | ForEach-Object -Process { ConvertTo-Literal -Text $_ }) -join ', '
    $literal = ConvertTo-Literal -Text $VMSwitchName

    return @{
        Resource = 'SwitchExtension'
        Option   = '-VMSwitchName {0} -Names {1} -Ensure Absent' -f $literal, $quoted
    }
}

<#
    .SYNOPSIS
        Lets a task disable an extension of a virtual switch after some time, unless it is taken away before.

    .PARAMETER VMSwitchName
        Name of the virtual switch.

    .PARAMETER Names
        Names that the extension may have.

    .PARAMETER Second
        After how many seconds.
#>
function Register-ExtensionGuard
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $VMSwitchName,

        [Parameter(Mandatory = $true)]
        [System.String[]]
        $Names,

        [Parameter(Mandatory = $true)]
        [System.UInt32]
        $Second
    )

    $guard = @{
        Name   = Get-GuardName -VMSwitchName $VMSwitchName
        Step   = @(Get-ExtensionStep -VMSwitchName $VMSwitchName -Names $Names)
        Second = $Second
    }

    Register-Guard @guard
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

    $writable = [Microsoft.Win32.RegistryKeyPermissionCheck]::ReadWriteSubTree

    foreach ($path in @($script:markerKey, "$script:markerKey\$Resource"))
    {
        # A new object for each: .NET writes only what was changed in one since it was last written.
        $security = New-Object -TypeName 'System.Security.AccessControl.RegistrySecurity'
        # Full control for SYSTEM and Administrators, handed down, nothing from above. The owner is left alone.
        $security.SetSecurityDescriptorSddlForm(
            'D:P(A;CI;KA;;;SY)(A;CI;KA;;;BA)', [System.Security.AccessControl.AccessControlSections]::Access)
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

<#
    .SYNOPSIS
        Returns the time of day that it is after some seconds.

    .PARAMETER Second
        How many seconds.
#>
function Get-TimeIn
{
    [CmdletBinding()]
    [OutputType([System.DateTime])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.UInt32]
        $Second
    )

    return (Get-Date).AddSeconds($Second)
}

<#
    .SYNOPSIS
        Returns the action of a task: a PowerShell.

    .PARAMETER Argument
        What PowerShell is started with.
#>
function New-GuardAction
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Argument
    )

    return New-ScheduledTaskAction -Execute 'powershell.exe' -Argument $Argument -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Returns the trigger of a task that runs once.

    .PARAMETER Time
        When it runs.
#>
function New-GuardTrigger
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.DateTime]
        $Time
    )

    return New-ScheduledTaskTrigger -Once -At $Time -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Returns the account of a task: SYSTEM.
#>
function New-GuardPrincipal
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param ()

    return New-ScheduledTaskPrincipal -UserId 'S-1-5-18' -LogonType 'ServiceAccount' -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Returns the settings of a task, which runs late rather than never.
#>
function New-GuardSetting
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param ()

    # A machine on the battery of its power supply is one that needs the task as well.
    $setting = @{
        StartWhenAvailable         = $true
        AllowStartIfOnBatteries    = $true
        DontStopIfGoingOnBatteries = $true
        ErrorAction                = 'Stop'
    }

    return New-ScheduledTaskSettingsSet @setting
}

<#
    .SYNOPSIS
        Hands out the tasks in the folder of provisioner.
#>
function Get-GuardTask
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param ()

    # All tasks, since asking for a folder that is not there is an error.
    Get-ScheduledTask -ErrorAction 'Stop' | Where-Object -FilterScript { $_.TaskPath -eq $script:guardFolder }
}

<#
    .SYNOPSIS
        Registers a task; one of that name is replaced.

    .PARAMETER Name
        Name of the task.

    .PARAMETER Part
        Its action, trigger, principal and settings.
#>
function Add-GuardTask
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Part
    )

    $task = @{
        TaskName    = $Name
        TaskPath    = $script:guardFolder
        Action      = $Part['Action']
        Trigger     = $Part['Trigger']
        Principal   = $Part['Principal']
        Settings    = $Part['Settings']
        Force       = $true
        ErrorAction = 'Stop'
    }

    $null = Register-ScheduledTask @task
}

<#
    .SYNOPSIS
        Unregisters a task.

    .PARAMETER Name
        Name of the task.
#>
function Remove-GuardTask
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name
    )

    Unregister-ScheduledTask -TaskName $Name -TaskPath $script:guardFolder -Confirm:$false -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Starts a task.

    .PARAMETER Name
        Name of the task.
#>
function Start-GuardTask
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name
    )

    Start-ScheduledTask -TaskName $Name -TaskPath $script:guardFolder -ErrorAction 'Stop'
}

#endregion

Export-ModuleMember -Function @(
    'Clear-SecretMarker'
    'ConvertTo-Literal'
    'Get-ExtensionStep'
    'Get-GuardName'
    'Invoke-Guard'
    'New-ResourceError'
    'Register-ExtensionGuard'
    'Register-Guard'
    'Set-SecretMarker'
    'Test-Guard'
    'Test-SecretMarker'
    'Unregister-Guard'
)
