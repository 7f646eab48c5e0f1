<#
    Lets the Microsoft device specific module (MSDSM) claim disks for Multipath I/O.

    Every call that touches the machine stands alone in a small private function, so that the logic above it can be
    run with these functions replaced. This module has been parsed, but has not run on Windows.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

$script:moduleFolder = Split-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -Parent
Import-Module -Name (Join-Path -Path $script:moduleFolder -ChildPath 'Modules/ProvisionerDsc.Common')

<#
    .SYNOPSIS
        Returns which bus types are claimed, and how paths are used.

    .PARAMETER IsSingleInstance
        Always Yes.
#>
function Get-TargetResource
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateSet('Yes')]
        [System.String]
        $IsSingleInstance
    )

    $claims = Get-Claim

    return @{
        IsSingleInstance  = $IsSingleInstance
        ClaimIscsi        = $claims['iSCSI']
        ClaimSas          = $claims['SAS']
        LoadBalancePolicy = Read-LoadBalancePolicy
    }
}

<#
    .SYNOPSIS
        Tells whether what is given is so.

    .PARAMETER IsSingleInstance
        Always Yes.

    .PARAMETER ClaimIscsi
        Whether disks of the bus type iSCSI are claimed.

    .PARAMETER ClaimSas
        Whether disks of the bus type SAS are claimed.

    .PARAMETER LoadBalancePolicy
        How reads and writes are spread over the paths of disks that are claimed from now on.
#>
function Test-TargetResource
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateSet('Yes')]
        [System.String]
        $IsSingleInstance,

        [Parameter()]
        [System.Boolean]
        $ClaimIscsi,

        [Parameter()]
        [System.Boolean]
        $ClaimSas,

        [Parameter()]
        [ValidateSet('None', 'FOO', 'RR', 'LQD', 'LB')]
        [System.String]
        $LoadBalancePolicy
    )

    $claims = Get-Claim

    foreach ($wish in @(Get-WantedClaim -Bound $PSBoundParameters))
    {
        $busType = $wish['BusType']

        if ($claims[$busType] -ne $wish['IsClaimed'])
        {
            Write-Verbose -Message ('Disks of the bus type {0} are claimed: {1}.' -f $busType, $claims[$busType])
            return $false
        }
    }

    if ($PSBoundParameters.ContainsKey('LoadBalancePolicy'))
    {
        $policy = Read-LoadBalancePolicy

        if ($policy -ne $LoadBalancePolicy)
        {
            Write-Verbose -Message ('The load balance policy is {0}.' -f $policy)
            return $false
        }
    }

    Write-Verbose -Message 'Multipath I/O is in the desired state.'
    return $true
}

<#
    .SYNOPSIS
        Claims bus types, or stops claiming them, and sets the policy.

    .PARAMETER IsSingleInstance
        Always Yes.

    .PARAMETER ClaimIscsi
        Whether disks of the bus type iSCSI are claimed.

    .PARAMETER ClaimSas
        Whether disks of the bus type SAS are claimed.

    .PARAMETER LoadBalancePolicy
        How reads and writes are spread over the paths of disks that are claimed from now on.
#>
function Set-TargetResource
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateSet('Yes')]
        [System.String]
        $IsSingleInstance,

        [Parameter()]
        [System.Boolean]
        $ClaimIscsi,

        [Parameter()]
        [System.Boolean]
        $ClaimSas,

        [Parameter()]
        [ValidateSet('None', 'FOO', 'RR', 'LQD', 'LB')]
        [System.String]
        $LoadBalancePolicy
    )

    $claims = Get-Claim

    # The policy counts only for disks that are claimed after it was set, so it comes first.
    if ($PSBoundParameters.ContainsKey('LoadBalancePolicy') -and (Read-LoadBalancePolicy) -ne $LoadBalancePolicy)
    {
        Write-Verbose -Message ('Setting the load balance policy {0}.' -f $LoadBalancePolicy)
        Write-LoadBalancePolicy -Policy $LoadBalancePolicy
    }

    foreach ($wish in @(Get-WantedClaim -Bound $PSBoundParameters))
    {
        $busType = $wish['BusType']

        if ($claims[$busType] -eq $wish['IsClaimed'])
        {
            continue
        }

        # Counted first: a failure after the change would leave nothing that asks for the restart.
        $diskCount = Measure-Disk -BusType $busType

        if ($wish['IsClaimed'])
        {
            Write-Verbose -Message ('Claiming disks of the bus type {0}.' -f $busType)
            Enable-Claim -BusType $busType
        }
        else
        {
            Write-Verbose -Message ('Claiming disks of the bus type {0} no longer.' -f $busType)
            Disable-Claim -BusType $busType
        }

        if ($diskCount -gt 0)
        {
            # Disks that are there already are claimed, or let go, when Windows finds them anew.
            Write-Verbose -Message ('A restart is needed: {0} disks are on {1} already.' -f $diskCount, $busType)
            Request-Restart
        }
    }
}

<#
    .SYNOPSIS
        Returns for each bus type that is given whether it is claimed.

    .PARAMETER Bound
        The bound parameters.
#>
function Get-WantedClaim
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Collections.IDictionary]
        $Bound
    )

    if ($Bound.ContainsKey('ClaimIscsi'))
    {
        @{
            BusType   = 'iSCSI'
            IsClaimed = [System.Boolean] $Bound['ClaimIscsi']
        }
    }

    if ($Bound.ContainsKey('ClaimSas'))
    {
        @{
            BusType   = 'SAS'
            IsClaimed = [System.Boolean] $Bound['ClaimSas']
        }
    }
}

<#
    .SYNOPSIS
        Returns for both bus types whether they are claimed.

    .DESCRIPTION
        Throws when the feature is not installed, and when it does not answer, as before its restart.
#>
function Get-Claim
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param ()

    if (-not (Test-ClaimCommand))
    {
        throw (New-ResourceError -Id 'MpioNotInstalled' -Category 'NotInstalled' -Target 'Multipath-IO' -Message (
                'There are no cmdlets for Multipath I/O: the feature Multipath-IO is not installed.'))
    }

    try
    {
        return Read-Claim
    }
    catch
    {
        throw (New-ResourceError -Id 'MpioNotReady' -Category 'ResourceUnavailable' -Target 'Multipath-IO' -Message (
                'Multipath I/O does not answer. It works after the restart that installing Multipath-IO needs. {0}' -f
                $_.Exception.Message))
    }
}

#region One call each

<#
    .SYNOPSIS
        Tells whether the cmdlets of Multipath I/O are there.
#>
function Test-ClaimCommand
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param ()

    return ($null -ne (Get-Command -Name 'Get-MSDSMAutomaticClaimSettings' -ErrorAction 'SilentlyContinue'))
}

<#
    .SYNOPSIS
        Returns for both bus types whether they are claimed.
#>
function Read-Claim
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param ()

    $settings = Get-MSDSMAutomaticClaimSettings -ErrorAction 'Stop'

    return @{
        iSCSI = [System.Boolean] $settings['iSCSI']
        SAS   = [System.Boolean] $settings['SAS']
    }
}

<#
    .SYNOPSIS
        Lets disks of a bus type be claimed.

    .PARAMETER BusType
        iSCSI or SAS.
#>
function Enable-Claim
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $BusType
    )

    $null = Enable-MSDSMAutomaticClaim -BusType $BusType -Confirm:$false -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Lets disks of a bus type be claimed no longer.

    .PARAMETER BusType
        iSCSI or SAS.
#>
function Disable-Claim
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $BusType
    )

    $null = Disable-MSDSMAutomaticClaim -BusType $BusType -Confirm:$false -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Returns the default policy by its short name.
#>
function Read-LoadBalancePolicy
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param ()

    return [System.String] (Get-MSDSMGlobalDefaultLoadBalancePolicy -ErrorAction 'Stop')
}

<#
    .SYNOPSIS
        Sets the default policy.

    .PARAMETER Policy
        Short name of the policy.
#>
function Write-LoadBalancePolicy
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Policy
    )

    $null = Set-MSDSMGlobalDefaultLoadBalancePolicy -Policy $Policy -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Returns how many disks of a bus type are there.

    .PARAMETER BusType
        iSCSI or SAS.
#>
function Measure-Disk
{
    [CmdletBinding()]
    [OutputType([System.Int32])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $BusType
    )

    $disks = @(Get-Disk -ErrorAction 'Stop')
    return @($disks | Where-Object -FilterScript { [System.String] $_.BusType -eq $BusType }).Count
}

<#
    .SYNOPSIS
        Asks the LCM for a restart of the node.
#>
function Request-Restart
{
    [CmdletBinding()]
    [System.Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSAvoidGlobalVars', '',
        Justification = 'The Local Configuration Manager reads this variable.')]
    [System.Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSUseDeclaredVarsMoreThanAssignments', '',
        Justification = 'The Local Configuration Manager reads this variable.')]
    param ()

    $global:DSCMachineStatus = 1
}

#endregion

Export-ModuleMember -Function 'Get-TargetResource', 'Test-TargetResource', 'Set-TargetResource'
