<#
    Says what Windows does when a service fails.

    Every call of a cmdlet, a program or .NET that touches the machine stands alone in a small private function, so
    that the logic above it can be run with these functions replaced. This module has been parsed, but has not run on
    Windows.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

$script:moduleFolder = Split-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -Parent
Import-Module -Name (Join-Path -Path $script:moduleFolder -ChildPath 'Modules/ProvisionerDsc.Common')

# By the numbers of SC_ACTION_TYPE; the last one is what a service does by itself.
$script:actionNames = @('none', 'restart', 'reboot', 'run', 'own')

# SERVICE_FAILURE_ACTIONS as the registry keeps it: five numbers of four bytes, then eight bytes for each action.
$script:headLength = 20
$script:actionLength = 8

<#
    .SYNOPSIS
        Returns what Windows does when the service fails.

    .PARAMETER ServiceName
        Name of the service.

    .PARAMETER Actions
        What is done after the first, second and each later failure: restart/60000, run/0, reboot/0 or none/0.
#>
function Get-TargetResource
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $ServiceName,

        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String[]]
        $Actions
    )

    $found = Get-Recovery -ServiceName $ServiceName

    return @{
        ServiceName        = $ServiceName
        Actions            = [System.String[]] $found.Actions
        ResetPeriod        = $found.ResetPeriod
        Command            = $found.Command
        OnNonCrashFailures = $found.OnNonCrashFailures
    }
}

<#
    .SYNOPSIS
        Tells whether Windows does what it should when the service fails.

    .PARAMETER ServiceName
        Name of the service.

    .PARAMETER Actions
        What is done after the first, second and each later failure: restart/60000, run/0, reboot/0 or none/0.

    .PARAMETER ResetPeriod
        Seconds without failure after which failures are counted from the beginning.

    .PARAMETER Command
        Command line of the action run.

    .PARAMETER OnNonCrashFailures
        Whether a service that stops with an error is one that failed.
#>
function Test-TargetResource
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $ServiceName,

        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String[]]
        $Actions,

        [Parameter()]
        [System.UInt32]
        $ResetPeriod = 86400,

        [Parameter()]
        [AllowEmptyString()]
        [System.String]
        $Command,

        [Parameter()]
        [System.Boolean]
        $OnNonCrashFailures = $true
    )

    Assert-Action -Actions $Actions -Command $Command

    if (-not (Test-ServiceKey -ServiceName $ServiceName))
    {
        Write-Verbose -Message ("There is no service named '{0}'." -f $ServiceName)
        return $false
    }

    $found = Get-Recovery -ServiceName $ServiceName
    Write-Verbose -Message ("Service '{0}': actions {1}, reset after {2} s, also without a crash: {3}." -f
        $ServiceName, ($found.Actions -join ' '), $found.ResetPeriod, $found.OnNonCrashFailures)
    $isCommandRight = (-not $PSBoundParameters.ContainsKey('Command')) -or $found.Command -ceq $Command

    return (($found.Actions -join ' ') -eq ($Actions -join ' ') -and $found.ResetPeriod -eq $ResetPeriod -and
        $isCommandRight -and $found.OnNonCrashFailures -eq $OnNonCrashFailures)
}

<#
    .SYNOPSIS
        Says what Windows does when the service fails, and reads it back.

    .PARAMETER ServiceName
        Name of the service.

    .PARAMETER Actions
        What is done after the first, second and each later failure: restart/60000, run/0, reboot/0 or none/0.

    .PARAMETER ResetPeriod
        Seconds without failure after which failures are counted from the beginning.

    .PARAMETER Command
        Command line of the action run.

    .PARAMETER OnNonCrashFailures
        Whether a service that stops with an error is one that failed.
#>
function Set-TargetResource
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $ServiceName,

        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String[]]
        $Actions,

        [Parameter()]
        [System.UInt32]
        $ResetPeriod = 86400,

        [Parameter()]
        [AllowEmptyString()]
        [System.String]
        $Command,

        [Parameter()]
        [System.Boolean]
        $OnNonCrashFailures = $true
    )

    Assert-Action -Actions $Actions -Command $Command
    Assert-Service -ServiceName $ServiceName

    # sc.exe calls the action that does nothing by no name at all.
    $words = @($Actions | ForEach-Object -Process { $_ -replace '\Anone/', '/' }) -join '/'
    $options = @('failure', $ServiceName, 'reset=', [System.String] $ResetPeriod, 'actions=', $words)

    if ($PSBoundParameters.ContainsKey('Command'))
    {
        $options += @('command=', $Command)
    }

    Write-Verbose -Message ("Service '{0}': setting actions {1}." -f $ServiceName, ($Actions -join ' '))
    Assert-Answer -ServiceName $ServiceName -Answer (Invoke-ServiceControl -Option $options)

    $flag = [System.String] [System.Int32] $OnNonCrashFailures
    $answer = Invoke-ServiceControl -Option @('failureflag', $ServiceName, $flag)
    Assert-Answer -ServiceName $ServiceName -Answer $answer

    if (-not (Test-TargetResource @PSBoundParameters))
    {
        $found = Get-Recovery -ServiceName $ServiceName

        throw (New-ResourceError -Id 'RecoveryNotApplied' -Category 'InvalidResult' -Target $ServiceName -Message (
                "sc.exe reported success, but the registry says for '{0}': actions {1}, reset after {2} s." -f
                $ServiceName, ($found.Actions -join ' '), $found.ResetPeriod))
    }
}

<#
    .SYNOPSIS
        Returns Actions, ResetPeriod, Command and OnNonCrashFailures from the registry.

    .PARAMETER ServiceName
        Name of the service.
#>
function Get-Recovery
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $ServiceName
    )

    $key = "SYSTEM\CurrentControlSet\Services\$ServiceName"
    $bytes = [System.Byte[]] @(Read-RegistryValue -Key $key -Name 'FailureActions')
    $flag = [System.String] (Read-RegistryValue -Key $key -Name 'FailureActionsOnNonCrashFailures')
    $recovery = @{
        Actions            = @()
        ResetPeriod        = [System.UInt32] 0
        Command            = [System.String] (Read-RegistryValue -Key $key -Name 'FailureCommand')
        OnNonCrashFailures = $flag -eq '1'
    }

    if ($bytes.Count -lt $script:headLength)
    {
        return $recovery
    }

    $recovery.ResetPeriod = ConvertFrom-LittleEndian -Bytes $bytes -Offset 0
    $count = ConvertFrom-LittleEndian -Bytes $bytes -Offset 12

    for ($number = 0; $number -lt $count; $number++)
    {
        $offset = $script:headLength + $script:actionLength * $number

        if ($bytes.Count -lt $offset + $script:actionLength)
        {
            break
        }

        $type = ConvertFrom-LittleEndian -Bytes $bytes -Offset $offset
        $delay = ConvertFrom-LittleEndian -Bytes $bytes -Offset ($offset + 4)
        $recovery.Actions += '{0}/{1}' -f $script:actionNames[$type], $delay
    }

    return $recovery
}

<#
    .SYNOPSIS
        Returns the number of four bytes, the lowest first.

    .PARAMETER Bytes
        The bytes.

    .PARAMETER Offset
        Where the number begins.
#>
function ConvertFrom-LittleEndian
{
    [CmdletBinding()]
    [OutputType([System.UInt32])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Byte[]]
        $Bytes,

        [Parameter(Mandatory = $true)]
        [System.Int32]
        $Offset
    )

    return [System.UInt32] ($Bytes[$Offset] + 256 * $Bytes[$Offset + 1] + 65536 * $Bytes[$Offset + 2] +
        16777216 * $Bytes[$Offset + 3])
}

<#
    .SYNOPSIS
        Throws when an action is none, or run has no command.

    .PARAMETER Actions
        The actions.

    .PARAMETER Command
        Command line of the action run.
#>
function Assert-Action
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String[]]
        $Actions,

        [Parameter()]
        [AllowEmptyString()]
        [AllowNull()]
        [System.String]
        $Command
    )

    foreach ($action in $Actions)
    {
        if ($action -notmatch '\A(none|restart|reboot|run)/(0|[1-9][0-9]{0,8})\z')
        {
            throw (New-ResourceError -Id 'ActionMalformed' -Category 'InvalidArgument' -Target $action -Message (
                    "'{0}' is no action: write none, restart, reboot or run, a slash and milliseconds." -f $action))
        }

        if ($action -match '\Arun/' -and [System.String]::IsNullOrEmpty($Command))
        {
            throw (New-ResourceError -Id 'CommandMissing' -Category 'InvalidArgument' -Target $action -Message (
                    'The action run needs a Command.'))
        }
    }

    if ($Command -match '"')
    {
        throw (New-ResourceError -Id 'CommandHasQuotes' -Category 'InvalidArgument' -Target $Command -Message (
                'A Command with double quotes cannot be handed to sc.exe unchanged. Use a path without spaces.'))
    }
}

<#
    .SYNOPSIS
        Throws when sc.exe did not succeed.

    .PARAMETER ServiceName
        Name of the service.

    .PARAMETER Answer
        ExitCode and Text.
#>
function Assert-Answer
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $ServiceName,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Answer
    )

    if ($Answer.ExitCode -ne 0)
    {
        throw (New-ResourceError -Id 'ServiceControlFailed' -Category 'InvalidResult' -Target $ServiceName -Message (
                "sc.exe ended with {0} for '{1}': {2}" -f $Answer.ExitCode, $ServiceName, $Answer.Text))
    }
}

<#
    .SYNOPSIS
        Throws when there is no service of this name.

    .PARAMETER ServiceName
        Name of the service.
#>
function Assert-Service
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $ServiceName
    )

    if (-not (Test-ServiceKey -ServiceName $ServiceName))
    {
        throw (New-ResourceError -Id 'ServiceNotFound' -Category 'ObjectNotFound' -Target $ServiceName -Message (
                "There is no service named '{0}'." -f $ServiceName))
    }
}

#region One call each

<#
    .SYNOPSIS
        Hands out the data of a value below HKEY_LOCAL_MACHINE, bytes one by one; nothing when it or its key is
        missing.

    .PARAMETER Key
        The key, for example SOFTWARE\Example.

    .PARAMETER Name
        The name of the value.
#>
function Read-RegistryValue
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Key,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Name
    )

    [Microsoft.Win32.Registry]::GetValue("HKEY_LOCAL_MACHINE\$Key", $Name, $null)
}

<#
    .SYNOPSIS
        Tells whether there is a service of this name.

    .PARAMETER ServiceName
        Name of the service.
#>
function Test-ServiceKey
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $ServiceName
    )

    return Test-Path -LiteralPath "Registry::HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\$ServiceName"
}

<#
    .SYNOPSIS
        Runs sc.exe; returns ExitCode and Text.

    .PARAMETER Option
        Its arguments. An empty one is passed as such.
#>
function Invoke-ServiceControl
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String[]]
        $Option
    )

    $words = @($Option | ForEach-Object -Process { if ($_ -eq '') { '""' } else { $_ } })
    $text = @(& 'sc.exe' $words) -join ' '

    return @{
        ExitCode = $LASTEXITCODE
        Text     = $text
    }
}

#endregion

Export-ModuleMember -Function 'Get-TargetResource', 'Test-TargetResource', 'Set-TargetResource'
