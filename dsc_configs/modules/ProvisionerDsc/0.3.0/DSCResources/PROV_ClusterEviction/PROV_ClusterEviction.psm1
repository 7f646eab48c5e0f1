<#
    Takes this node out of a failover cluster, after what runs on it has moved away. Never destroys a cluster.

    Every call of a cmdlet that touches the machine stands alone in a small private function, so that the logic above
    it can be run with these functions replaced. This module has been parsed, but has not run on Windows.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

$script:moduleFolder = Split-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -Parent
Import-Module -Name (Join-Path -Path $script:moduleFolder -ChildPath 'Modules/ProvisionerDsc.Common')

<#
    .SYNOPSIS
        Returns whether this node is a member of the cluster.

    .PARAMETER ClusterName
        Name of the cluster.
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
        $ClusterName
    )

    return @{
        ClusterName = $ClusterName
        IsMember    = (Test-Membership -ClusterName $ClusterName)
    }
}

<#
    .SYNOPSIS
        Tells whether this node is no member of the cluster.

    .PARAMETER ClusterName
        Name of the cluster.
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
        $ClusterName
    )

    return (-not (Test-Membership -ClusterName $ClusterName))
}

<#
    .SYNOPSIS
        Moves what runs on this node to the others, and takes the node out of the cluster.

    .PARAMETER ClusterName
        Name of the cluster.
#>
function Set-TargetResource
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $ClusterName
    )

    if (-not (Test-Membership -ClusterName $ClusterName))
    {
        return
    }

    $own = Get-ComputerName
    $othersUp = @(
        foreach ($node in @(Read-ClusterNode))
        {
            if (($node.Name -ne $own) -and ([System.String] $node.State -eq 'Up'))
            {
                $node.Name
            }
        }
    )

    if ($othersUp.Count -eq 0)
    {
        throw (New-ResourceError -Id 'LastNode' -Category 'InvalidOperation' -Target $ClusterName -Message (
                ("No other node of '{0}' is up, so nothing can take over what runs here. A cluster is destroyed by " +
                "hand: Remove-Cluster -CleanupAD.") -f $ClusterName))
    }

    Write-Verbose -Message ("Moving what runs on {0} to {1}." -f $own, ($othersUp -join ', '))
    Suspend-Node -Name $own
    Write-Verbose -Message ("Taking {0} out of '{1}'." -f $own, $ClusterName)
    Remove-Node -Name $own
}

<#
    .SYNOPSIS
        Tells whether this node is a member of the cluster; throws when it is one whose service does not run.

    .PARAMETER ClusterName
        Name of the cluster.
#>
function Test-Membership
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $ClusterName
    )

    $service = Read-ClusterService

    # The feature is not there, or no cluster was ever joined: then the service is disabled.
    if (($null -eq $service) -or ([System.String] $service.StartType -eq 'Disabled'))
    {
        return $false
    }

    if ([System.String] $service.Status -ne 'Running')
    {
        throw (New-ResourceError -Id 'ClusterServiceStopped' -Category 'ResourceUnavailable' -Target $ClusterName `
                -Message (("The service ClusSvc does not run, so nobody can say whether this node is a member of " +
                "'{0}', or move what it holds. Start it.") -f $ClusterName))
    }

    return ((Read-Cluster).Name -eq $ClusterName)
}

#region One call each

<#
    .SYNOPSIS
        Returns the cluster service; null when the feature is not installed.
#>
function Read-ClusterService
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param ()

    return Get-Service -Name 'ClusSvc' -ErrorAction 'SilentlyContinue'
}

<#
    .SYNOPSIS
        Returns the cluster this node is a member of.
#>
function Read-Cluster
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param ()

    return Get-Cluster -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Hands out the nodes of this node's cluster.
#>
function Read-ClusterNode
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param ()

    Get-ClusterNode -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Returns the name of this computer.
#>
function Get-ComputerName
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param ()

    return [System.Environment]::MachineName
}

<#
    .SYNOPSIS
        Pauses a node and waits until what runs on it has moved.

    .PARAMETER Name
        Name of the node.
#>
function Suspend-Node
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name
    )

    $null = Suspend-ClusterNode -Name $Name -Drain -Wait -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Evicts a node.

    .PARAMETER Name
        Name of the node.
#>
function Remove-Node
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name
    )

    $null = Remove-ClusterNode -Name $Name -Force -ErrorAction 'Stop'
}

#endregion

Export-ModuleMember -Function 'Get-TargetResource', 'Test-TargetResource', 'Set-TargetResource'
