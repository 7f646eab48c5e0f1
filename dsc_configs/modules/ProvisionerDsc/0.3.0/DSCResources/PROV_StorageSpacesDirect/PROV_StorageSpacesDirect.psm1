<#
    Makes a storage pool of exactly the listed disks of a failover cluster with Storage Spaces Direct, and volumes.
    No disk that is not listed is claimed, pooled or written to, and none that holds anything.

    Every call of a cmdlet that touches the machine stands alone in a small private function, so that the logic above
    it can be run with these functions replaced. This module has been parsed, but has not run on Windows.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

$script:moduleFolder = Split-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -Parent
Import-Module -Name (Join-Path -Path $script:moduleFolder -ChildPath 'Modules/ProvisionerDsc.Common')

# OperatingSystemSKU of the editions that have Storage Spaces Direct: Datacenter, with a desktop, as core, evaluation,
# of a semi-annual channel, Azure Stack HCI, Azure edition with a desktop and as core.
$script:directSkus = @(8, 12, 80, 145, 406, 407, 408)

# The health service adds every new disk to the pool while this is true.
$script:autoPoolSetting = 'System.Storage.PhysicalDisk.AutoPool.Enabled'

# Time between two looks at the disks of the cluster.
$script:pollSeconds = 5

<#
    .SYNOPSIS
        Returns the state of the pool.

    .PARAMETER PoolName
        Name of the storage pool.

    .PARAMETER Disks
        The physical disks of the pool: each by its unique id or its serial number.
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
        $PoolName,

        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String[]]
        $Disks
    )

    Assert-ClusterMember -PoolName $PoolName

    $pool = Find-Pool -PoolName $PoolName
    $shownDisks = @()

    if ($null -ne $pool)
    {
        $shownDisks = @(
            foreach ($disk in @(Read-PoolDisk -Pool $pool))
            {
                $disk.UniqueId
            }
        )
    }

    return @{
        PoolName       = $PoolName
        Disks          = [System.String[]] $shownDisks
        Volumes        = $null
        TimeoutSeconds = $null
    }
}

<#
    .SYNOPSIS
        Tells whether the pool has exactly the listed disks, and the volumes that are listed.

    .PARAMETER PoolName
        Name of the storage pool.

    .PARAMETER Disks
        The physical disks of the pool: each by its unique id or its serial number.

    .PARAMETER Volumes
        Volumes of the pool, each with Name, Size in bytes and Resiliency.

    .PARAMETER TimeoutSeconds
        How long Set waits until the disks of all nodes show in the cluster.
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
        $PoolName,

        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String[]]
        $Disks,

        [Parameter()]
        [Microsoft.Management.Infrastructure.CimInstance[]]
        $Volumes = @(),

        [Parameter()]
        [System.UInt32]
        $TimeoutSeconds = 300
    )

    Assert-ClusterMember -PoolName $PoolName

    if (-not (Test-DirectEnabled))
    {
        Write-Verbose -Message 'Storage Spaces Direct is not enabled.'
        return $false
    }

    $pool = Find-Pool -PoolName $PoolName

    if ($null -eq $pool)
    {
        Write-Verbose -Message ("There is no storage pool '{0}'." -f $PoolName)
        return $false
    }

    if (Test-AutoPool)
    {
        Write-Verbose -Message 'New disks would be added to the pool by themselves.'
        return $false
    }

    $pooled = @(Read-PoolDisk -Pool $pool)
    Assert-OnlyListed -PoolName $PoolName -Disks $Disks -Pooled $pooled

    foreach ($id in $Disks)
    {
        if (@(Select-DiskById -Disk $pooled -Id $id).Count -eq 0)
        {
            Write-Verbose -Message ("The disk '{0}' is not in the pool yet." -f $id)
            return $false
        }
    }

    return (@(Select-MissingVolume -Volumes $Volumes -Pool $pool).Count -eq 0)
}

<#
    .SYNOPSIS
        Enables Storage Spaces Direct, makes the pool of the listed disks, adds new ones, and makes missing volumes.

    .PARAMETER PoolName
        Name of the storage pool.

    .PARAMETER Disks
        The physical disks of the pool: each by its unique id or its serial number.

    .PARAMETER Volumes
        Volumes of the pool, each with Name, Size in bytes and Resiliency.

    .PARAMETER TimeoutSeconds
        How long Set waits until the disks of all nodes show in the cluster.
#>
function Set-TargetResource
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $PoolName,

        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String[]]
        $Disks,

        [Parameter()]
        [Microsoft.Management.Infrastructure.CimInstance[]]
        $Volumes = @(),

        [Parameter()]
        [System.UInt32]
        $TimeoutSeconds = 300
    )

    Assert-ClusterMember -PoolName $PoolName
    Assert-Edition -PoolName $PoolName

    $pool = Find-Pool -PoolName $PoolName
    $pooled = @()

    if ($null -ne $pool)
    {
        $pooled = @(Read-PoolDisk -Pool $pool)
        Assert-OnlyListed -PoolName $PoolName -Disks $Disks -Pooled $pooled
    }

    $new = @(
        foreach ($id in $Disks)
        {
            if (@(Select-DiskById -Disk $pooled -Id $id).Count -eq 0)
            {
                $id
            }
        }
    )

    # Everything is looked at before anything is changed.
    $nodes = @(Read-NodeName)
    $perNode = @{}

    foreach ($node in $nodes)
    {
        $perNode[$node] = @(Read-NodePhysicalDisk -Node $node)
    }

    Assert-Usable -PoolName $PoolName -Disks $new -Nodes $nodes -PerNode $perNode

    if (Test-DirectEnabled)
    {
        foreach ($node in $nodes)
        {
            $own = @(
                foreach ($id in $new)
                {
                    Select-DiskById -Disk $perNode[$node] -Id $id
                }
            )

            if ($own.Count -gt 0)
            {
                Set-DiskClaim -Node $node -Disk $own -CanBeClaimed $true
            }
        }
    }
    else
    {
        foreach ($node in $nodes)
        {
            $others = @(Select-UnlistedDisk -Disk $perNode[$node] -Disks $Disks)

            if ($others.Count -gt 0)
            {
                Set-DiskClaim -Node $node -Disk $others -CanBeClaimed $false
            }
        }

        Write-Verbose -Message 'Enabling Storage Spaces Direct without a cache and without a pool.'
        Enable-Direct
    }

    if (Test-AutoPool)
    {
        Write-Verbose -Message 'New disks are no longer added to the pool by themselves.'
        Disable-AutoPool -Subsystem (Read-Subsystem) -Setting $script:autoPoolSetting
    }

    if ($new.Count -gt 0)
    {
        $found = @(Wait-PoolableDisk -PoolName $PoolName -Disks $new -TimeoutSeconds $TimeoutSeconds)

        if ($null -eq $pool)
        {
            Write-Verbose -Message ("Making the pool '{0}' of {1} disks." -f $PoolName, $found.Count)
            Write-Pool -PoolName $PoolName -Subsystem (Read-Subsystem) -Disk $found
        }
        else
        {
            Write-Verbose -Message ("Adding to the pool '{0}': {1}." -f $PoolName, ($new -join ', '))
            Add-PoolDisk -PoolName $PoolName -Disk $found
        }
    }

    foreach ($volume in @(Select-MissingVolume -Volumes $Volumes -Pool (Find-Pool -PoolName $PoolName)))
    {
        $resiliency = 'Mirror'
        $given = $volume.PSObject.Properties['Resiliency']

        if (($null -ne $given) -and (-not [System.String]::IsNullOrEmpty($given.Value)))
        {
            $resiliency = $given.Value
        }

        Write-Verbose -Message ("Making the volume '{0}'." -f $volume.Name)
        Write-Volume -PoolName $PoolName -Name $volume.Name -Size $volume.Size -Resiliency $resiliency
    }
}

<#
    .SYNOPSIS
        Returns the listed disks once the cluster can pool all of them; throws when the time is over.

    .PARAMETER PoolName
        Name of the storage pool.

    .PARAMETER Disks
        The physical disks of the pool: each by its unique id or its serial number.

    .PARAMETER TimeoutSeconds
        How long Set waits until the disks of all nodes show in the cluster.
#>
function Wait-PoolableDisk
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $PoolName,

        [Parameter(Mandatory = $true)]
        [System.String[]]
        $Disks,

        [Parameter(Mandatory = $true)]
        [System.UInt32]
        $TimeoutSeconds
    )

    $waited = 0

    while ($true)
    {
        $shown = @(Read-PhysicalDisk)
        $missing = @()
        $found = @(
            foreach ($id in $Disks)
            {
                $match = @(Select-DiskById -Disk $shown -Id $id)

                if (($match.Count -eq 1) -and $match[0].CanPool)
                {
                    $match[0]
                }
                else
                {
                    $missing += $id
                }
            }
        )

        if ($missing.Count -eq 0)
        {
            return $found
        }

        if ($waited -ge $TimeoutSeconds)
        {
            break
        }

        Wait-Second -Seconds $script:pollSeconds
        $waited += $script:pollSeconds
    }

    throw (New-ResourceError -Id 'DiskNotShown' -Category 'OperationTimeout' -Target $PoolName -Message (
            "After {0} seconds the cluster could not pool these disks: {1}." -f $TimeoutSeconds, ($missing -join ', ')))
}

<#
    .SYNOPSIS
        Throws unless each disk is there once, empty, and can be pooled.

    .PARAMETER PoolName
        Name of the storage pool.

    .PARAMETER Disks
        The disks that are to join the pool.

    .PARAMETER Nodes
        Names of the nodes of the cluster.

    .PARAMETER PerNode
        The physical disks of each node.
#>
function Assert-Usable
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $PoolName,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.String[]]
        $Disks,

        [Parameter(Mandatory = $true)]
        [System.String[]]
        $Nodes,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $PerNode
    )

    foreach ($id in $Disks)
    {
        $seen = @{}

        foreach ($node in $Nodes)
        {
            foreach ($disk in @(Select-DiskById -Disk $PerNode[$node] -Id $id))
            {
                $seen[$disk.UniqueId] = @($node, $disk)
            }
        }

        if ($seen.Count -ne 1)
        {
            throw (New-ResourceError -Id 'DiskNotFound' -Category 'ObjectNotFound' -Target $PoolName -Message (
                    "{0} disks of the nodes {1} have the unique id or serial number '{2}'; one is needed." -f
                    $seen.Count, ($Nodes -join ', '), $id))
        }

        $node, $disk = @($seen.Values)[0]

        if (-not $disk.CanPool)
        {
            throw (New-ResourceError -Id 'DiskNotPoolable' -Category 'InvalidArgument' -Target $PoolName -Message (
                    ("The disk '{0}' of {1} cannot be pooled ({2}). It is not cleared: do so yourself when nothing " +
                    "on it is needed.") -f $id, $node, (@($disk.CannotPoolReason) -join ', ')))
        }

        foreach ($logical in @(Read-NodeDisk -Node $node))
        {
            if (($logical.UniqueId -eq $disk.UniqueId) -and ($logical.NumberOfPartitions -gt 0))
            {
                throw (New-ResourceError -Id 'DiskNotEmpty' -Category 'InvalidArgument' -Target $PoolName -Message (
                        ("The disk '{0}' of {1} has {2} partitions. It is not cleared: do so yourself when nothing " +
                        "on it is needed.") -f $id, $node, $logical.NumberOfPartitions))
            }
        }
    }
}

<#
    .SYNOPSIS
        Throws when the pool has a disk that is not listed.

    .PARAMETER PoolName
        Name of the storage pool.

    .PARAMETER Disks
        The physical disks of the pool: each by its unique id or its serial number.

    .PARAMETER Pooled
        The disks of the pool.
#>
function Assert-OnlyListed
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $PoolName,

        [Parameter(Mandatory = $true)]
        [System.String[]]
        $Disks,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Object[]]
        $Pooled
    )

    $others = @(Select-UnlistedDisk -Disk $Pooled -Disks $Disks | ForEach-Object -Process { $_.UniqueId })

    if ($others.Count -gt 0)
    {
        throw (New-ResourceError -Id 'DiskNotListed' -Category 'InvalidData' -Target $PoolName -Message (
                ("The pool '{0}' has disks that are not listed: {1}. A disk leaves a pool by hand, since its data " +
                "has to move first: Set-PhysicalDisk -Usage Retired, Repair-VirtualDisk for each volume, and when " +
                "Get-StorageJob shows nothing more, Remove-PhysicalDisk.") -f $PoolName, ($others -join ', ')))
    }
}

<#
    .SYNOPSIS
        Hands out the disks that are not listed.

    .PARAMETER Disk
        What Get-PhysicalDisk gave.

    .PARAMETER Disks
        The physical disks of the pool: each by its unique id or its serial number.
#>
function Select-UnlistedDisk
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Object[]]
        $Disk,

        [Parameter(Mandatory = $true)]
        [System.String[]]
        $Disks
    )

    foreach ($one in $Disk)
    {
        if (($Disks -notcontains ([System.String] $one.UniqueId).Trim()) -and
            ($Disks -notcontains ([System.String] $one.SerialNumber).Trim()))
        {
            $one
        }
    }
}

<#
    .SYNOPSIS
        Hands out the disks of a unique id or serial number.

    .PARAMETER Disk
        What Get-PhysicalDisk gave.

    .PARAMETER Id
        The unique id or serial number.
#>
function Select-DiskById
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Object[]]
        $Disk,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Id
    )

    foreach ($one in $Disk)
    {
        if ((([System.String] $one.UniqueId).Trim() -eq $Id) -or (([System.String] $one.SerialNumber).Trim() -eq $Id))
        {
            $one
        }
    }
}

<#
    .SYNOPSIS
        Hands out the volumes that the pool does not have.

    .PARAMETER Volumes
        Volumes of the pool, each with Name, Size and Resiliency.

    .PARAMETER Pool
        What Get-StoragePool gave.
#>
function Select-MissingVolume
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Object[]]
        $Volumes,

        [Parameter(Mandatory = $true)]
        [System.Object]
        $Pool
    )

    $names = @(
        foreach ($space in @(Read-VirtualDisk -Pool $Pool))
        {
            $space.FriendlyName
        }
    )

    foreach ($volume in $Volumes)
    {
        if ($names -notcontains $volume.Name)
        {
            Write-Verbose -Message ("The pool has no volume '{0}'." -f $volume.Name)
            $volume
        }
    }
}

<#
    .SYNOPSIS
        Keeps Storage Spaces Direct away from disks of a node, or lets it have them.

    .PARAMETER Node
        Name of the node.

    .PARAMETER Disk
        What Get-PhysicalDisk gave.

    .PARAMETER CanBeClaimed
        Whether it may have them.
#>
function Set-DiskClaim
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Node,

        [Parameter(Mandatory = $true)]
        [System.Object[]]
        $Disk,

        [Parameter(Mandatory = $true)]
        [System.Boolean]
        $CanBeClaimed
    )

    $ids = @($Disk | ForEach-Object -Process { $_.UniqueId })
    Write-Verbose -Message ('Storage Spaces Direct may have these disks of {0}: {1} ({2}).' -f
        $Node, $CanBeClaimed, ($ids -join ', '))

    # The page of the cmdlet knows ids alone; the cmdlet of released versions takes disks, and no such ids.
    if (Test-ClaimByDisk)
    {
        Write-ClaimByDisk -Node $Node -Disk $Disk -CanBeClaimed $CanBeClaimed
    }
    else
    {
        Write-ClaimById -Node $Node -Id $ids -CanBeClaimed $CanBeClaimed
    }
}

<#
    .SYNOPSIS
        Returns the storage pool of a name; null when there is none.

    .PARAMETER PoolName
        Name of the storage pool.
#>
function Find-Pool
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $PoolName
    )

    foreach ($pool in @(Read-Pool))
    {
        if (($pool.FriendlyName -eq $PoolName) -and (-not $pool.IsPrimordial))
        {
            return $pool
        }
    }

    return $null
}

<#
    .SYNOPSIS
        Tells whether Storage Spaces Direct is enabled.
#>
function Test-DirectEnabled
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param ()

    return ([System.String] (Read-Direct).State -eq 'Enabled')
}

<#
    .SYNOPSIS
        Tells whether the health service adds new disks to the pool by itself.
#>
function Test-AutoPool
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param ()

    $setting = Read-HealthSetting -Subsystem (Read-Subsystem) -Setting $script:autoPoolSetting

    return (($null -eq $setting) -or ([System.String] $setting.Value -ne 'False'))
}

<#
    .SYNOPSIS
        Throws unless this edition of Windows has Storage Spaces Direct.

    .PARAMETER PoolName
        Name of the storage pool.
#>
function Assert-Edition
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $PoolName
    )

    $system = Read-OperatingSystem

    if ($script:directSkus -notcontains [System.Int32] $system.OperatingSystemSKU)
    {
        throw (New-ResourceError -Id 'EditionWithoutDirect' -Category 'InvalidOperation' -Target $PoolName -Message (
                "Storage Spaces Direct needs a Datacenter edition; this is {0}." -f $system.Caption))
    }
}

<#
    .SYNOPSIS
        Throws unless this node is a running member of a cluster.

    .PARAMETER PoolName
        Name of the storage pool.
#>
function Assert-ClusterMember
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $PoolName
    )

    try
    {
        $null = Read-Cluster
    }
    catch
    {
        throw (New-ResourceError -Id 'ClusterNotFound' -Category 'ConnectionError' -Target $PoolName -Message (
                "This node is no running member of a cluster, so '{0}' cannot be looked for: {1}" -f
                $PoolName, $_.Exception.Message))
    }
}

#region One call each

<#
    .SYNOPSIS
        Returns the cluster this node is a member of; throws when there is none.
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
        Hands out the names of the nodes of this node's cluster.
#>
function Read-NodeName
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param ()

    (Get-ClusterNode -ErrorAction 'Stop').Name
}

<#
    .SYNOPSIS
        Returns what this Windows is.
#>
function Read-OperatingSystem
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param ()

    return Get-CimInstance -ClassName 'Win32_OperatingSystem' -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Returns the state of Storage Spaces Direct.
#>
function Read-Direct
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param ()

    return Get-ClusterStorageSpacesDirect -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Enables Storage Spaces Direct; no disk becomes a cache or goes into a pool by it.
#>
function Enable-Direct
{
    [CmdletBinding()]
    param ()

    $null = Enable-ClusterStorageSpacesDirect -Autoconfig $false -CacheState 'Disabled' -Confirm:$false `
        -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Tells whether the cmdlet that claims disks takes them as what Get-PhysicalDisk gave.
#>
function Test-ClaimByDisk
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param ()

    $command = Get-Command -Name 'Set-ClusterStorageSpacesDirectDisk' -ErrorAction 'Stop'

    return $command.Parameters.ContainsKey('PhysicalDisk')
}

<#
    .SYNOPSIS
        Says of disks of a node whether Storage Spaces Direct may have them.

    .PARAMETER Node
        Name of the node.

    .PARAMETER Disk
        What Get-PhysicalDisk gave.

    .PARAMETER CanBeClaimed
        Whether it may have them.
#>
function Write-ClaimByDisk
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Node,

        [Parameter(Mandatory = $true)]
        [System.Object[]]
        $Disk,

        [Parameter(Mandatory = $true)]
        [System.Boolean]
        $CanBeClaimed
    )

    $null = Set-ClusterStorageSpacesDirectDisk -CimSession $Node -CanBeClaimed $CanBeClaimed -PhysicalDisk $Disk `
        -Confirm:$false -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Says of disks of a node, by their ids, whether Storage Spaces Direct may have them.

    .PARAMETER Node
        Name of the node.

    .PARAMETER Id
        Unique ids of the disks.

    .PARAMETER CanBeClaimed
        Whether it may have them.
#>
function Write-ClaimById
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Node,

        [Parameter(Mandatory = $true)]
        [System.String[]]
        $Id,

        [Parameter(Mandatory = $true)]
        [System.Boolean]
        $CanBeClaimed
    )

    $null = Set-ClusterStorageSpacesDirectDisk -CimSession $Node -CanBeClaimed $CanBeClaimed -PhysicalDiskIds $Id `
        -Confirm:$false -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Returns the storage of the cluster as a whole.
#>
function Read-Subsystem
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param ()

    return Get-StorageSubSystem -FriendlyName 'Clustered*' -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Returns a setting of the health service.

    .PARAMETER Subsystem
        What Get-StorageSubSystem gave.

    .PARAMETER Setting
        Name of the setting.
#>
function Read-HealthSetting
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Subsystem,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Setting
    )

    return Get-StorageHealthSetting -InputObject $Subsystem -Name $Setting -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Sets a setting of the health service to False.

    .PARAMETER Subsystem
        What Get-StorageSubSystem gave.

    .PARAMETER Setting
        Name of the setting.
#>
function Disable-AutoPool
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Subsystem,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Setting
    )

    $null = Set-StorageHealthSetting -InputObject $Subsystem -Name $Setting -Value 'False' -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Hands out the physical disks a node has.

    .PARAMETER Node
        Name of the node.
#>
function Read-NodePhysicalDisk
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Node
    )

    Get-PhysicalDisk -CimSession $Node -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Hands out the disks of a node, with the number of their partitions.

    .PARAMETER Node
        Name of the node.
#>
function Read-NodeDisk
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Node
    )

    Get-Disk -CimSession $Node -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Hands out the physical disks this node sees, with Storage Spaces Direct those of all nodes.
#>
function Read-PhysicalDisk
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param ()

    Get-PhysicalDisk -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Hands out the storage pools.
#>
function Read-Pool
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param ()

    Get-StoragePool -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Hands out the physical disks of a pool.

    .PARAMETER Pool
        What Get-StoragePool gave.
#>
function Read-PoolDisk
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Pool
    )

    Get-PhysicalDisk -StoragePool $Pool -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Hands out the virtual disks of a pool.

    .PARAMETER Pool
        What Get-StoragePool gave.
#>
function Read-VirtualDisk
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Pool
    )

    try
    {
        Get-VirtualDisk -StoragePool $Pool -ErrorAction 'Stop'
    }
    catch
    {
        # A pool without any is no failure. After another one, volumes that are there would be made a second time.
        if ($_.CategoryInfo.Category -ne 'ObjectNotFound')
        {
            throw
        }
    }
}

<#
    .SYNOPSIS
        Makes a storage pool.

    .PARAMETER PoolName
        Name of the storage pool.

    .PARAMETER Subsystem
        What Get-StorageSubSystem gave.

    .PARAMETER Disk
        What Get-PhysicalDisk gave.
#>
function Write-Pool
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $PoolName,

        [Parameter(Mandatory = $true)]
        [System.Object]
        $Subsystem,

        [Parameter(Mandatory = $true)]
        [System.Object[]]
        $Disk
    )

    $null = New-StoragePool -FriendlyName $PoolName -StorageSubsystemUniqueId $Subsystem.UniqueId `
        -PhysicalDisks $Disk -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Adds disks to a storage pool.

    .PARAMETER PoolName
        Name of the storage pool.

    .PARAMETER Disk
        What Get-PhysicalDisk gave.
#>
function Add-PoolDisk
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $PoolName,

        [Parameter(Mandatory = $true)]
        [System.Object[]]
        $Disk
    )

    $null = Add-PhysicalDisk -StoragePoolFriendlyName $PoolName -PhysicalDisks $Disk -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Makes a volume of a storage pool a Cluster Shared Volume with ReFS.

    .PARAMETER PoolName
        Name of the storage pool.

    .PARAMETER Name
        Name of the volume.

    .PARAMETER Size
        Size in bytes.

    .PARAMETER Resiliency
        Mirror, Parity or Simple.
#>
function Write-Volume
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $PoolName,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Name,

        [Parameter(Mandatory = $true)]
        [System.UInt64]
        $Size,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Resiliency
    )

    $null = New-Volume -StoragePoolFriendlyName $PoolName -FriendlyName $Name -FileSystem 'CSVFS_ReFS' -Size $Size `
        -ResiliencySettingName $Resiliency -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Waits.

    .PARAMETER Seconds
        How long.
#>
function Wait-Second
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Int32]
        $Seconds
    )

    Start-Sleep -Seconds $Seconds
}

#endregion

Export-ModuleMember -Function 'Get-TargetResource', 'Test-TargetResource', 'Set-TargetResource'
