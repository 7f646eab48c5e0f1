<#
    Keeps one extension of a virtual switch enabled, or disabled.

    What forwards on a switch may cut the machine off that is managed through it. GuardSeconds lets a task of Windows
    disable the extension again, unless somebody takes the task away in time.

    Every call that touches the machine stands alone in a small private function, so that the logic above it can be
    run with these functions replaced. This module has been parsed, but has not run on Windows.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

$script:moduleFolder = Split-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -Parent
Import-Module -Name (Join-Path -Path $script:moduleFolder -ChildPath 'Modules/ProvisionerDsc.Common')

<#
    .SYNOPSIS
        Returns which of the extensions is enabled on the switch.

    .PARAMETER VMSwitchName
        Name of the virtual switch.

    .PARAMETER Names
        Names the extension may have; the node has one of them.
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
        $VMSwitchName,

        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String[]]
        $Names
    )

    $state = @{
        VMSwitchName = $VMSwitchName
        Names        = $null
        Ensure       = 'Absent'
        GuardSeconds = $null
        Installed    = $null
    }

    $switches = Read-Switch

    if ($null -eq $switches)
    {
        return $state
    }

    $named = @($switches | Where-Object -FilterScript { $_.Name -eq $VMSwitchName })

    if ($named.Count -ne 1)
    {
        return $state
    }

    $found = Select-Extension -Extension @(Get-Extension -VMSwitch $named[0]) -Names $Names
    $state['Installed'] = [System.String[]] @($found | ForEach-Object -Process { $_.Name })
    $enabled = @($found | Where-Object -FilterScript { $_.Enabled })
    $state['Names'] = [System.String[]] @($enabled | ForEach-Object -Process { $_.Name })

    if ($enabled.Count -gt 0)
    {
        $state['Ensure'] = 'Present'
    }

    return $state
}

<#
    .SYNOPSIS
        Tells whether the extension is enabled on the switch, or disabled.

    .PARAMETER VMSwitchName
        Name of the virtual switch.

    .PARAMETER Names
        Names the extension may have; the node has one of them.

    .PARAMETER Ensure
        Whether the extension is enabled on the switch.

    .PARAMETER GuardSeconds
        After how many seconds the extension is disabled again unless somebody says that all is well.
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
        $VMSwitchName,

        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String[]]
        $Names,

        [Parameter()]
        [ValidateSet('Present', 'Absent')]
        [System.String]
        $Ensure = 'Present',

        [Parameter()]
        [ValidateRange(60, 86400)]
        [System.UInt32]
        $GuardSeconds
    )

    Assert-Property -Desired $PSBoundParameters
    $switches = Read-Switch

    if ($null -eq $switches)
    {
        return ($Ensure -eq 'Absent')
    }

    $named = @($switches | Where-Object -FilterScript { $_.Name -eq $VMSwitchName })

    if ($named.Count -ne 1)
    {
        Write-Verbose -Message ("There are {0} virtual switches called '{1}'." -f $named.Count, $VMSwitchName)
        return ($Ensure -eq 'Absent')
    }

    $found = Select-Extension -Extension @(Get-Extension -VMSwitch $named[0]) -Names $Names
    $enabled = @($found | Where-Object -FilterScript { $_.Enabled } | ForEach-Object -Process { $_.Name })
    Write-Verbose -Message (
        "Of these extensions the switch '{0}' has enabled: '{1}'." -f $VMSwitchName, ($enabled -join ', '))

    if ($Ensure -eq 'Absent')
    {
        return ($enabled.Count -eq 0)
    }

    return ($enabled.Count -eq 1)
}

<#
    .SYNOPSIS
        Enables the extension on the switch, or disables it.

    .PARAMETER VMSwitchName
        Name of the virtual switch.

    .PARAMETER Names
        Names the extension may have; the node has one of them.

    .PARAMETER Ensure
        Whether the extension is enabled on the switch.

    .PARAMETER GuardSeconds
        After how many seconds the extension is disabled again unless somebody says that all is well.
#>
function Set-TargetResource
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $VMSwitchName,

        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String[]]
        $Names,

        [Parameter()]
        [ValidateSet('Present', 'Absent')]
        [System.String]
        $Ensure = 'Present',

        [Parameter()]
        [ValidateRange(60, 86400)]
        [System.UInt32]
        $GuardSeconds
    )

    Assert-Property -Desired $PSBoundParameters

    if ($Ensure -eq 'Absent')
    {
        Disable-NamedExtension -VMSwitchName $VMSwitchName -Names $Names
        return
    }

    $vmSwitch = Get-NamedSwitch -VMSwitchName $VMSwitchName
    $every = @(Get-Extension -VMSwitch $vmSwitch)
    $chosen = Get-InstalledExtension -VMSwitchName $VMSwitchName -Extension $every -Names $Names
    Assert-NoOtherForwarding -VMSwitchName $VMSwitchName -Extension $every -Chosen $chosen

    if ($PSBoundParameters.ContainsKey('GuardSeconds'))
    {
        Register-ExtensionGuard -VMSwitchName $VMSwitchName -Names $Names -Second $GuardSeconds
    }

    Write-Verbose -Message ("Enabling the extension '{0}' on the switch '{1}'." -f $chosen.Name, $VMSwitchName)

    try
    {
        Enable-Extension -Extension $chosen

        if (-not (Test-TargetResource -VMSwitchName $VMSwitchName -Names $Names))
        {
            $message = "Windows reported success, but '{0}' is not the one extension enabled on the switch '{1}'."

            throw (New-ResourceError -Id 'ExtensionNotEnabled' -Category 'InvalidResult' -Target $chosen.Name -Message (
                    $message -f $chosen.Name, $VMSwitchName))
        }
    }
    catch
    {
        if ($PSBoundParameters.ContainsKey('GuardSeconds'))
        {
            Undo-Enabling -VMSwitchName $VMSwitchName -Names $Names
        }

        throw
    }
}

<#
    .SYNOPSIS
        Disables what was to be enabled, since an error does not say how far Windows came. Where that fails too, the
        guard stays and does it later.

    .PARAMETER VMSwitchName
        Name of the virtual switch.

    .PARAMETER Names
        The names.
#>
function Undo-Enabling
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $VMSwitchName,

        [Parameter(Mandatory = $true)]
        [System.String[]]
        $Names
    )

    try
    {
        Disable-NamedExtension -VMSwitchName $VMSwitchName -Names $Names
    }
    catch
    {
        Write-Verbose -Message ('The task stays, and tries it later: {0}' -f $_.Exception.Message)
    }
}

<#
    .SYNOPSIS
        Throws when a name could not be written into a task.

    .PARAMETER Desired
        The bound parameters.
#>
function Assert-Property
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Collections.IDictionary]
        $Desired
    )

    foreach ($name in @($Desired['VMSwitchName']) + @($Desired['Names']))
    {
        if ($name.Contains('"'))
        {
            throw (New-ResourceError -Id 'NameMalformed' -Category 'InvalidArgument' -Target $name -Message (
                    "The name '{0}' has a double quote, which no task of Windows could be told." -f $name))
        }
    }
}

<#
    .SYNOPSIS
        Returns all virtual switches, or null while Hyper-V does not answer.
#>
function Read-Switch
{
    [CmdletBinding()]
    [OutputType([System.Object[]])]
    param ()

    try
    {
        $found = @(Get-EverySwitch)
    }
    catch
    {
        Write-Verbose -Message ('Hyper-V does not answer: {0}' -f $_.Exception.Message)
        return $null
    }

    return , $found
}

<#
    .SYNOPSIS
        Returns the one virtual switch of a name; throws when there is none, or more than one.

    .PARAMETER VMSwitchName
        Name of the virtual switch.
#>
function Get-NamedSwitch
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $VMSwitchName
    )

    try
    {
        $every = @(Get-EverySwitch)
    }
    catch
    {
        throw (New-ResourceError -Id 'HyperVNotReady' -Category 'ResourceUnavailable' -Target $VMSwitchName -Message (
                ("Hyper-V does not answer, so no extension of the switch '{0}' can be enabled: the features Hyper-V " +
                'and Hyper-V-PowerShell have to be installed, the machine restarted since, and vmms running. {1}') -f
                $VMSwitchName, $_.Exception.Message))
    }

    $named = @($every | Where-Object -FilterScript { $_.Name -eq $VMSwitchName })

    if ($named.Count -eq 0)
    {
        $others = @($every | ForEach-Object -Process { "'{0}'" -f $_.Name }) -join ', '

        throw (New-ResourceError -Id 'SwitchNotFound' -Category 'ObjectNotFound' -Target $VMSwitchName -Message (
                "There is no virtual switch called '{0}'. There are: {1}" -f $VMSwitchName, $others))
    }

    if ($named.Count -gt 1)
    {
        throw (New-ResourceError -Id 'SwitchAmbiguous' -Category 'InvalidArgument' -Target $VMSwitchName -Message (
                "There are {0} virtual switches called '{1}'." -f $named.Count, $VMSwitchName))
    }

    return $named[0]
}

<#
    .SYNOPSIS
        Returns the extensions that have one of the names.

    .PARAMETER Extension
        All extensions of a switch.

    .PARAMETER Names
        The names.
#>
function Select-Extension
{
    [CmdletBinding()]
    [OutputType([System.Object[]])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Object[]]
        $Extension,

        [Parameter(Mandatory = $true)]
        [System.String[]]
        $Names
    )

    $found = @($Extension | Where-Object -FilterScript { $Names -contains $_.Name })

    return , $found
}

<#
    .SYNOPSIS
        Returns the one extension that has one of the names; throws when there is none, or more than one.

    .PARAMETER VMSwitchName
        Name of the virtual switch.

    .PARAMETER Extension
        All extensions of the switch.

    .PARAMETER Names
        The names.
#>
function Get-InstalledExtension
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $VMSwitchName,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Object[]]
        $Extension,

        [Parameter(Mandatory = $true)]
        [System.String[]]
        $Names
    )

    $found = Select-Extension -Extension $Extension -Names $Names
    $wanted = "'" + ($Names -join "', '") + "'"

    if ($found.Count -eq 0)
    {
        $others = @($Extension | ForEach-Object -Process { "'{0}'" -f $_.Name }) -join ', '

        throw (New-ResourceError -Id 'ExtensionNotFound' -Category 'ObjectNotFound' -Target $VMSwitchName -Message (
                ("The switch '{0}' has no extension called {1}. It has: {2}. The driver is not installed, or Windows " +
                'does not take its signature.') -f $VMSwitchName, $wanted, $others))
    }

    if ($found.Count -gt 1)
    {
        throw (New-ResourceError -Id 'ExtensionAmbiguous' -Category 'InvalidArgument' -Target $VMSwitchName -Message (
                "The switch '{0}' has more than one of the extensions {1}." -f $VMSwitchName, $wanted))
    }

    return $found[0]
}

<#
    .SYNOPSIS
        Throws when the extension forwards, and another one that does is enabled: a switch has one.

    .PARAMETER VMSwitchName
        Name of the virtual switch.

    .PARAMETER Extension
        All extensions of the switch.

    .PARAMETER Chosen
        The extension to enable.
#>
function Assert-NoOtherForwarding
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $VMSwitchName,

        [Parameter(Mandatory = $true)]
        [System.Object[]]
        $Extension,

        [Parameter(Mandatory = $true)]
        [System.Object]
        $Chosen
    )

    if ($Chosen.ExtensionType.ToString() -ne 'Forwarding')
    {
        return
    }

    foreach ($other in $Extension)
    {
        if ($other.Enabled -and ($other.ExtensionType.ToString() -eq 'Forwarding') -and ($other.Name -ne $Chosen.Name))
        {
            throw (New-ResourceError -Id 'ForwardingTaken' -Category 'ResourceBusy' -Target $VMSwitchName -Message (
                    ("On the switch '{0}' the extension '{1}' forwards already, and a switch has one that does. It " +
                    'is not disabled here.') -f $VMSwitchName, $other.Name))
        }
    }
}

<#
    .SYNOPSIS
        Disables the extensions of the names on the switch, where there are any, and takes the guard away.

    .PARAMETER VMSwitchName
        Name of the virtual switch.

    .PARAMETER Names
        The names.
#>
function Disable-NamedExtension
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $VMSwitchName,

        [Parameter(Mandatory = $true)]
        [System.String[]]
        $Names
    )

    foreach ($vmSwitch in @(Get-EverySwitch | Where-Object -FilterScript { $_.Name -eq $VMSwitchName }))
    {
        $found = Select-Extension -Extension @(Get-Extension -VMSwitch $vmSwitch) -Names $Names

        foreach ($each in @($found | Where-Object -FilterScript { $_.Enabled }))
        {
            Write-Verbose -Message ("Disabling the extension '{0}' on the switch '{1}'." -f $each.Name, $VMSwitchName)
            Disable-Extension -Extension $each
        }
    }

    Unregister-Guard -Name (Get-GuardName -VMSwitchName $VMSwitchName)
}

#region One call each

<#
    .SYNOPSIS
        Hands out all virtual switches.
#>
function Get-EverySwitch
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param ()

    Get-VMSwitch
}

<#
    .SYNOPSIS
        Hands out all extensions of a virtual switch.

    .PARAMETER VMSwitch
        The switch.
#>
function Get-Extension
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $VMSwitch
    )

    Get-VMSwitchExtension -VMSwitch $VMSwitch
}

<#
    .SYNOPSIS
        Enables an extension on its switch.

    .PARAMETER Extension
        The extension, as Get-VMSwitchExtension gives it.
#>
function Enable-Extension
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Extension
    )

    $null = Enable-VMSwitchExtension -VMSwitchExtension $Extension
}

<#
    .SYNOPSIS
        Disables an extension on its switch.

    .PARAMETER Extension
        The extension, as Get-VMSwitchExtension gives it.
#>
function Disable-Extension
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Extension
    )

    $null = Disable-VMSwitchExtension -VMSwitchExtension $Extension
}

#endregion

Export-ModuleMember -Function 'Get-TargetResource', 'Test-TargetResource', 'Set-TargetResource'
