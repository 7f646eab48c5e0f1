<#
    Makes a disk of a failover cluster a Cluster Shared Volume, and waits until this node has mounted it.

    Every call of a cmdlet that touches the machine stands alone in a small private function, so that the logic above
    it can be run with these functions replaced. This module has been parsed, but has not run on Windows.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

$script:moduleFolder = Split-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -Parent
Import-Module -Name (Join-Path -Path $script:moduleFolder -ChildPath 'Modules/ProvisionerDsc.Common')

# Time between two looks at a volume that is not mounted yet.
$script:pollSeconds = 5

<#
    .SYNOPSIS
        Returns the state of the Cluster Shared Volume.

    .PARAMETER Name
        Name of the disk as a resource of the cluster.
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
        $Name
    )

    Assert-ClusterMember -Name $Name

    $volume = Find-SharedVolume -Name $Name
    $ensure = 'Absent'
    $path = $null

    if ($null -ne $volume)
    {
        $ensure = 'Present'
        $path = Get-MountPath -Volume $volume
    }

    return @{
        Name           = $Name
        Ensure         = $ensure
        TimeoutSeconds = $null
        Path           = $path
    }
}

<#
    .SYNOPSIS
        Tells whether the disk is a Cluster Shared Volume that this node has mounted, or none.

    .PARAMETER Name
        Name of the disk as a resource of the cluster.

    .PARAMETER Ensure
        Whether the disk is a Cluster Shared Volume.

    .PARAMETER TimeoutSeconds
        How long Set waits until the volume is mounted. Not compared.
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

        [Parameter()]
        [ValidateSet('Present', 'Absent')]
        [System.String]
        $Ensure = 'Present',

        [Parameter()]
        [System.UInt32]
        $TimeoutSeconds = 300
    )

    Assert-ClusterMember -Name $Name

    $volume = Find-SharedVolume -Name $Name

    if ($Ensure -eq 'Absent')
    {
        return ($null -eq $volume)
    }

    if ($null -eq $volume)
    {
        Write-Verbose -Message ("'{0}' is no Cluster Shared Volume." -f $Name)
        return $false
    }

    return (Test-Mounted -Volume $volume)
}

<#
    .SYNOPSIS
        Makes the disk a Cluster Shared Volume and waits for it, or takes it out of the Cluster Shared Volumes.

    .PARAMETER Name
        Name of the disk as a resource of the cluster.

    .PARAMETER Ensure
        Whether the disk is a Cluster Shared Volume.

    .PARAMETER TimeoutSeconds
        How long to wait until the volume is mounted.
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

        [Parameter()]
        [ValidateSet('Present', 'Absent')]
        [System.String]
        $Ensure = 'Present',

        [Parameter()]
        [System.UInt32]
        $TimeoutSeconds = 300
    )

    Assert-ClusterMember -Name $Name

    $volume = Find-SharedVolume -Name $Name

    if ($Ensure -eq 'Absent')
    {
        if ($null -ne $volume)
        {
            Write-Verbose -Message ("Taking '{0}' out of the Cluster Shared Volumes; its data stays." -f $Name)
            Remove-SharedVolume -Name $Name
        }

        return
    }

    if ($null -eq $volume)
    {
        Assert-ClusterDisk -Name $Name
        Write-Verbose -Message ("Making '{0}' a Cluster Shared Volume." -f $Name)
        Add-SharedVolume -Name $Name
    }

    Wait-SharedVolume -Name $Name -TimeoutSeconds $TimeoutSeconds
}

<#
    .SYNOPSIS
        Waits until this node has mounted the volume; throws when the time is over.

    .PARAMETER Name
        Name of the disk as a resource of the cluster.

    .PARAMETER TimeoutSeconds
        How long to wait.
#>
function Wait-SharedVolume
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name,

        [Parameter(Mandatory = $true)]
        [System.UInt32]
        $TimeoutSeconds
    )

    $waited = 0

    while ($true)
    {
        $volume = Find-SharedVolume -Name $Name

        if (($null -ne $volume) -and (Test-Mounted -Volume $volume))
        {
            return
        }

        if ($waited -ge $TimeoutSeconds)
        {
            break
        }

        Wait-Second -Seconds $script:pollSeconds
        $waited += $script:pollSeconds
    }

    $state = 'gone'

    if ($null -ne $volume)
    {
        $state = [System.String] $volume.State
    }

    throw (New-ResourceError -Id 'VolumeNotMounted' -Category 'OperationTimeout' -Target $Name -Message (
            "The Cluster Shared Volume '{0}' was not mounted on this node after {1} seconds; its state is {2}." -f
            $Name, $TimeoutSeconds, $state))
}

<#
    .SYNOPSIS
        Tells whether a volume is online and its folder is there on this node.

    .PARAMETER Volume
        What Get-ClusterSharedVolume gave.
#>
function Test-Mounted
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Volume
    )

    $state = [System.String] $Volume.State
    $path = Get-MountPath -Volume $Volume

    if ($state -ne 'Online')
    {
        Write-Verbose -Message ("'{0}' is {1}." -f $Volume.Name, $state)
        return $false
    }

    if ([System.String]::IsNullOrEmpty($path) -or -not (Test-FolderExistence -Path $path))
    {
        Write-Verbose -Message ("'{0}' is online, but not mounted on this node." -f $Volume.Name)
        return $false
    }

    return $true
}

<#
    .SYNOPSIS
        Returns the folder in which a volume is mounted; null when it says none.

    .PARAMETER Volume
        What Get-ClusterSharedVolume gave.
#>
function Get-MountPath
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Volume
    )

    $parts = @($Volume.SharedVolumeInfo)

    if (($parts.Count -eq 0) -or ($null -eq $parts[0]))
    {
        return $null
    }

    return $parts[0].FriendlyVolumeName
}

<#
    .SYNOPSIS
        Returns the Cluster Shared Volume of a name; null when there is none.

    .PARAMETER Name
        Name of the disk as a resource of the cluster.
#>
function Find-SharedVolume
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name
    )

    foreach ($volume in @(Read-SharedVolume))
    {
        if ($volume.Name -eq $Name)
        {
            return $volume
        }
    }

    return $null
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

<#
    .SYNOPSIS
        Throws unless a disk of this name is in the available storage of the cluster.

    .PARAMETER Name
        Name of the disk as a resource of the cluster.
#>
function Assert-ClusterDisk
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name
    )

    $names = @(
        foreach ($resource in @(Read-ClusterResource))
        {
            if ([System.String] $resource.ResourceType -eq 'Physical Disk')
            {
                $resource.Name
            }
        }
    )

    if ($names -notcontains $Name)
    {
        throw (New-ResourceError -Id 'DiskNotInCluster' -Category 'ObjectNotFound' -Target $Name -Message (
                "The cluster has no disk named '{0}'. Its disks are: {1}." -f $Name, ($names -join ', ')))
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
        Makes a disk in available storage a Cluster Shared Volume.

    .PARAMETER Name
        Name of the disk as a resource of the cluster.
#>
function Add-SharedVolume
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name
    )

    $null = Add-ClusterSharedVolume -Name $Name -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Takes a disk out of the Cluster Shared Volumes, back to available storage.

    .PARAMETER Name
        Name of the disk as a resource of the cluster.
#>
function Remove-SharedVolume
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name
    )

    $null = Remove-ClusterSharedVolume -Name $Name -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Tells whether there is a folder of this path.

    .PARAMETER Path
        Full path of the folder.
#>
function Test-FolderExistence
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path
    )

    return [System.IO.Directory]::Exists($Path)
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
