<#
    Makes a shared disk a disk of the failover cluster this node is a member of. An empty disk is formatted first;
    one that holds anything joins as it is.

    Every call of a cmdlet that touches the machine stands alone in a small private function, so that the logic above
    it can be run with these functions replaced. This module has been parsed, but has not run on Windows.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

$script:moduleFolder = Split-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -Parent
Import-Module -Name (Join-Path -Path $script:moduleFolder -ChildPath 'Modules/ProvisionerDsc.Common')

# Ways in which several nodes can reach one disk.
$script:sharedBusTypes = @('iSCSI', 'Fibre Channel', 'SAS')

# What Windows shows as the file system of a partition in which it finds none.
$script:noFileSystem = @('', 'RAW', 'Unknown')

# Characters a label of NTFS and ReFS can have.
$script:labelLength = 32

<#
    .SYNOPSIS
        Returns whether the cluster has a disk of the name.

    .PARAMETER Name
        Name of the disk as a resource of the cluster.

    .PARAMETER DiskId
        The disk. Given back only when the cluster has a disk of the name.
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
        $Name,

        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $DiskId
    )

    Assert-ClusterMember -Name $Name

    $shownId = $null

    if (Test-ClusterDisk -Name $Name)
    {
        $shownId = $DiskId
    }

    return @{
        Name       = $Name
        DiskId     = $shownId
        DiskIdType = $null
        FileSystem = $null
    }
}

<#
    .SYNOPSIS
        Tells whether the cluster has a disk of the name, as available storage or as a Cluster Shared Volume.

    .PARAMETER Name
        Name of the disk as a resource of the cluster.

    .PARAMETER DiskId
        The disk. Not compared.

    .PARAMETER DiskIdType
        What DiskId is. Not compared.

    .PARAMETER FileSystem
        How an empty disk is formatted. Not compared.
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
        $Name,

        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $DiskId,

        [Parameter()]
        [ValidateSet('Number', 'UniqueId', 'SerialNumber')]
        [System.String]
        $DiskIdType = 'UniqueId',

        [Parameter()]
        [ValidateSet('NTFS', 'ReFS')]
        [System.String]
        $FileSystem = 'NTFS'
    )

    Assert-ClusterMember -Name $Name

    return (Test-ClusterDisk -Name $Name)
}

<#
    .SYNOPSIS
        Adds the disk to the cluster under its name; an empty disk gets one formatted partition first.

    .PARAMETER Name
        Name of the disk as a resource of the cluster.

    .PARAMETER DiskId
        The disk.

    .PARAMETER DiskIdType
        What DiskId is.

    .PARAMETER FileSystem
        How an empty disk is formatted.
#>
function Set-TargetResource
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $Name,

        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $DiskId,

        [Parameter()]
        [ValidateSet('Number', 'UniqueId', 'SerialNumber')]
        [System.String]
        $DiskIdType = 'UniqueId',

        [Parameter()]
        [ValidateSet('NTFS', 'ReFS')]
        [System.String]
        $FileSystem = 'NTFS'
    )

    Assert-ClusterMember -Name $Name

    if (Test-ClusterDisk -Name $Name)
    {
        Write-Verbose -Message ("The cluster has a disk named '{0}'." -f $Name)
        return
    }

    $disk = Find-Disk -Name $Name -DiskId $DiskId -DiskIdType $DiskIdType
    Assert-DiskUsable -Name $Name -Disk $disk
    Initialize-SharedDisk -Name $Name -Disk $disk -FileSystem $FileSystem

    Write-Verbose -Message ("Adding disk {0} to the cluster as '{1}'." -f $disk.Number, $Name)
    $number = [System.String] $disk.Number
    $resource = Add-DiskResource -Disk (Find-Disk -Name $Name -DiskId $number -DiskIdType 'Number')
    Rename-DiskResource -Resource $resource -Name $Name
}

<#
    .SYNOPSIS
        Brings a disk on line, and partitions and formats it when it is empty.

    .PARAMETER Name
        Name of the disk as a resource of the cluster; the volume gets it as its label.

    .PARAMETER Disk
        What Get-Disk gave.

    .PARAMETER FileSystem
        NTFS or ReFS.
#>
function Initialize-SharedDisk
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name,

        [Parameter(Mandatory = $true)]
        [System.Object]
        $Disk,

        [Parameter(Mandatory = $true)]
        [System.String]
        $FileSystem
    )

    if ($Disk.IsOffline)
    {
        Write-Verbose -Message ('Bringing disk {0} on line.' -f $Disk.Number)
        Enable-DiskAccess -Number $Disk.Number
    }

    if ($Disk.IsReadOnly)
    {
        Write-Verbose -Message ('Making disk {0} writable.' -f $Disk.Number)
        Unblock-DiskWrite -Number $Disk.Number
    }

    if ([System.String] $Disk.PartitionStyle -eq 'RAW')
    {
        Write-Verbose -Message ('Writing a GPT to disk {0}, which is empty.' -f $Disk.Number)
        Write-PartitionTable -Number $Disk.Number
    }

    $used = @(
        foreach ($partition in @(Read-Partition))
        {
            if (($partition.DiskNumber -eq $Disk.Number) -and ([System.String] $partition.Type -ne 'Reserved'))
            {
                $partition
            }
        }
    )

    if ($used.Count -eq 0)
    {
        Write-Verbose -Message ('Making a partition on disk {0} and formatting it as {1}.' -f
            $Disk.Number, $FileSystem)
        $partition = Write-Partition -Number $Disk.Number
        $label = $Name.Substring(0, [System.Math]::Min($Name.Length, $script:labelLength))
        Write-FileSystem -Partition $partition -FileSystem $FileSystem -Label $label
        return
    }

    foreach ($partition in $used)
    {
        if ($script:noFileSystem -contains [System.String] (Read-FileSystem -Partition $partition))
        {
            throw (New-ResourceError -Id 'PartitionNotFormatted' -Category 'InvalidData' -Target $Name -Message (
                    ("Partition {0} of disk {1} has no file system Windows can read. It is not touched, since it " +
                    "may hold something: format it or remove it yourself.") -f
                    $partition.PartitionNumber, $Disk.Number))
        }
    }

    Write-Verbose -Message ('Disk {0} has partitions: it joins as it is.' -f $Disk.Number)
}

<#
    .SYNOPSIS
        Returns the one disk that is meant; throws when there is none, or several.

    .PARAMETER Name
        Name of the disk as a resource of the cluster, for the message.

    .PARAMETER DiskId
        The disk.

    .PARAMETER DiskIdType
        What DiskId is.
#>
function Find-Disk
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name,

        [Parameter(Mandatory = $true)]
        [System.String]
        $DiskId,

        [Parameter(Mandatory = $true)]
        [System.String]
        $DiskIdType
    )

    $disks = @(Read-Disk)
    $found = @($disks | Where-Object -FilterScript { ([System.String] $_.$DiskIdType).Trim() -eq $DiskId })

    if ($found.Count -eq 0)
    {
        throw (New-ResourceError -Id 'DiskNotFound' -Category 'ObjectNotFound' -Target $Name -Message (
                "This node has no disk whose {0} is '{1}', which was to become '{2}' of the cluster." -f
                $DiskIdType, $DiskId, $Name))
    }

    if ($found.Count -gt 1)
    {
        throw (New-ResourceError -Id 'DiskAmbiguous' -Category 'InvalidData' -Target $Name -Message (
                "{0} disks have the {1} '{2}'. Is MPIO missing?" -f $found.Count, $DiskIdType, $DiskId))
    }

    # Two paths to one disk have a number each, and one unique id.
    $uniqueId = ([System.String] $found[0].UniqueId).Trim()
    $paths = @($disks | Where-Object -FilterScript { ([System.String] $_.UniqueId).Trim() -eq $uniqueId })

    if (($uniqueId -ne '') -and ($paths.Count -gt 1))
    {
        throw (New-ResourceError -Id 'DiskAmbiguous' -Category 'InvalidData' -Target $Name -Message (
                "{0} disks have the UniqueId '{1}'. Is MPIO missing?" -f $paths.Count, $uniqueId))
    }

    return $found[0]
}

<#
    .SYNOPSIS
        Throws when a disk cannot become a disk of the cluster.

    .PARAMETER Name
        Name of the disk as a resource of the cluster, for the message.

    .PARAMETER Disk
        What Get-Disk gave.
#>
function Assert-DiskUsable
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name,

        [Parameter(Mandatory = $true)]
        [System.Object]
        $Disk
    )

    $busType = [System.String] $Disk.BusType

    if ($Disk.IsBoot -or $Disk.IsSystem -or ($script:sharedBusTypes -notcontains $busType))
    {
        throw (New-ResourceError -Id 'DiskNotShared' -Category 'InvalidArgument' -Target $Name -Message (
                ("Disk {0} (bus type {1}) cannot be '{2}' of the cluster: only disks that several nodes reach " +
                "can, over {3}, and never one Windows starts from.") -f
                $Disk.Number, $busType, $Name, ($script:sharedBusTypes -join ', ')))
    }

    if ($Disk.IsClustered)
    {
        throw (New-ResourceError -Id 'DiskInCluster' -Category 'ResourceExists' -Target $Name -Message (
                "Disk {0} is in a cluster already, under another name than '{1}'." -f $Disk.Number, $Name))
    }
}

<#
    .SYNOPSIS
        Tells whether the cluster has a disk of a name.

    .PARAMETER Name
        Name of the disk as a resource of the cluster.
#>
function Test-ClusterDisk
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name
    )

    foreach ($resource in @(Read-ClusterResource))
    {
        if (($resource.Name -eq $Name) -and ([System.String] $resource.ResourceType -eq 'Physical Disk'))
        {
            return $true
        }
    }

    foreach ($volume in @(Read-SharedVolume))
    {
        if ($volume.Name -eq $Name)
        {
            return $true
        }
    }

    Write-Verbose -Message ("The cluster has no disk named '{0}'." -f $Name)
    return $false
}

<#
    .SYNOPSIS
        Throws unless this node is a running member of a cluster.

    .PARAMETER Name
        Name of the disk, for the message.
#>
function Assert-ClusterMember
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name
    )

    try
    {
        $null = Read-Cluster
    }
    catch
    {
        throw (New-ResourceError -Id 'ClusterNotFound' -Category 'ConnectionError' -Target $Name -Message (
                "This node is no running member of a cluster, so '{0}' cannot be looked for: {1}" -f
                $Name, $_.Exception.Message))
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
        Hands out the resources of this node's cluster.
#>
function Read-ClusterResource
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param ()

    Get-ClusterResource -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Hands out the Cluster Shared Volumes of this node's cluster.
#>
function Read-SharedVolume
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param ()

    Get-ClusterSharedVolume -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Hands out the disks of this node.
#>
function Read-Disk
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param ()

    Get-Disk -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Hands out the partitions of all disks of this node.
#>
function Read-Partition
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param ()

    # To ask for those of one disk is an error when it has none.
    Get-Partition -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Returns the file system of a partition; an empty text when there is none.

    .PARAMETER Partition
        What Get-Partition gave.
#>
function Read-FileSystem
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Partition
    )

    $volume = Get-Volume -Partition $Partition -ErrorAction 'SilentlyContinue'

    if ($null -eq $volume)
    {
        return ''
    }

    return [System.String] $volume.FileSystem
}

<#
    .SYNOPSIS
        Brings a disk on line.

    .PARAMETER Number
        Number of the disk.
#>
function Enable-DiskAccess
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.UInt32]
        $Number
    )

    Set-Disk -Number $Number -IsOffline $false -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Lets a disk be written to.

    .PARAMETER Number
        Number of the disk.
#>
function Unblock-DiskWrite
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.UInt32]
        $Number
    )

    Set-Disk -Number $Number -IsReadOnly $false -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Writes a GUID partition table to an empty disk.

    .PARAMETER Number
        Number of the disk.
#>
function Write-PartitionTable
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.UInt32]
        $Number
    )

    Initialize-Disk -Number $Number -PartitionStyle 'GPT' -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Makes one partition of all the space of a disk, without a drive letter, and returns it.

    .PARAMETER Number
        Number of the disk.
#>
function Write-Partition
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.UInt32]
        $Number
    )

    return New-Partition -DiskNumber $Number -UseMaximumSize -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Formats a partition that was just made.

    .PARAMETER Partition
        What New-Partition gave.

    .PARAMETER FileSystem
        NTFS or ReFS.

    .PARAMETER Label
        Label of the volume, at most 32 characters.
#>
function Write-FileSystem
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Partition,

        [Parameter(Mandatory = $true)]
        [System.String]
        $FileSystem,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Label
    )

    $null = Format-Volume -Partition $Partition -FileSystem $FileSystem -NewFileSystemLabel $Label -Confirm:$false `
        -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Adds a disk to this node's cluster and returns the resource it is there.

    .PARAMETER Disk
        What Get-Disk gave.
#>
function Add-DiskResource
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Disk
    )

    return Add-ClusterDisk -InputObject $Disk -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Gives a resource of the cluster another name.

    .PARAMETER Resource
        What Add-ClusterDisk gave.

    .PARAMETER Name
        The name.
#>
function Rename-DiskResource
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Resource,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Name
    )

    $Resource.Name = $Name
}

#endregion

Export-ModuleMember -Function 'Get-TargetResource', 'Test-TargetResource', 'Set-TargetResource'
