<#
    Decides what Windows does with disks that it has not seen before (the SAN policy).

    Every call that touches the machine stands alone in a small private function, so that the logic above it can be
    run with these functions replaced. This module has been parsed, but has not run on Windows.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

$script:moduleFolder = Split-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -Parent
Import-Module -Name (Join-Path -Path $script:moduleFolder -ChildPath 'Modules/ProvisionerDsc.Common')

# The numbers of MSFT_StorageSetting, which Storage shows by their names where its table of types is loaded.
$script:policyNames = @{
    '1' = 'OnlineAll'
    '2' = 'OfflineShared'
    '3' = 'OfflineAll'
    '4' = 'OfflineInternal'
}

<#
    .SYNOPSIS
        Returns the policy for new disks.

    .PARAMETER IsSingleInstance
        Always Yes.

    .PARAMETER NewDiskPolicy
        What Windows does with a disk it has not seen before.
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
        $IsSingleInstance,

        [Parameter(Mandatory = $true)]
        [ValidateSet('OnlineAll', 'OfflineAll', 'OfflineInternal', 'OfflineShared')]
        [System.String]
        $NewDiskPolicy
    )

    return @{
        IsSingleInstance = $IsSingleInstance
        NewDiskPolicy    = Get-NewDiskPolicy
    }
}

<#
    .SYNOPSIS
        Tells whether new disks are treated as desired.

    .PARAMETER IsSingleInstance
        Always Yes.

    .PARAMETER NewDiskPolicy
        What Windows does with a disk it has not seen before.
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

        [Parameter(Mandatory = $true)]
        [ValidateSet('OnlineAll', 'OfflineAll', 'OfflineInternal', 'OfflineShared')]
        [System.String]
        $NewDiskPolicy
    )

    $current = Get-NewDiskPolicy
    Write-Verbose -Message ('The policy for new disks is {0}. It should be {1}.' -f $current, $NewDiskPolicy)

    return ($current -eq $NewDiskPolicy)
}

<#
    .SYNOPSIS
        Sets the policy for new disks. Disks that Windows knows already stay as they are.

    .PARAMETER IsSingleInstance
        Always Yes.

    .PARAMETER NewDiskPolicy
        What Windows does with a disk it has not seen before.
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

        [Parameter(Mandatory = $true)]
        [ValidateSet('OnlineAll', 'OfflineAll', 'OfflineInternal', 'OfflineShared')]
        [System.String]
        $NewDiskPolicy
    )

    Write-Verbose -Message ('Setting the policy for new disks to {0}.' -f $NewDiskPolicy)
    Write-NewDiskPolicy -Policy $NewDiskPolicy

    $current = Get-NewDiskPolicy

    if ($current -ne $NewDiskPolicy)
    {
        throw (New-ResourceError -Id 'PolicyNotApplied' -Category 'InvalidResult' -Target $NewDiskPolicy -Message (
                'The policy for new disks was set to {0}, but is {1}.' -f $NewDiskPolicy, $current))
    }
}

<#
    .SYNOPSIS
        Returns the policy for new disks by its name.
#>
function Get-NewDiskPolicy
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param ()

    $shown = [System.String] (Read-NewDiskPolicy)

    if ($script:policyNames.ContainsKey($shown))
    {
        return $script:policyNames[$shown]
    }

    return $shown
}

#region One call each

<#
    .SYNOPSIS
        Returns the policy for new disks by its name.
#>
function Read-NewDiskPolicy
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param ()

    return [System.String] (Get-StorageSetting -ErrorAction 'Stop').NewDiskPolicy
}

<#
    .SYNOPSIS
        Sets the policy for new disks.

    .PARAMETER Policy
        Name of the policy.
#>
function Write-NewDiskPolicy
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Policy
    )

    Set-StorageSetting -NewDiskPolicy $Policy -ErrorAction 'Stop'
}

#endregion

Export-ModuleMember -Function 'Get-TargetResource', 'Test-TargetResource', 'Set-TargetResource'
