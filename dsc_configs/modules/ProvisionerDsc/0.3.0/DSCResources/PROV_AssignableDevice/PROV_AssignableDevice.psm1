<#
    A PCI Express device of a Hyper-V host that can be given to one virtual machine (Discrete Device Assignment):
    taken off the host, or given back to it.

    Every cmdlet that touches the machine stands alone in a small private function, so that the logic above it can be
    run with these functions replaced. This module has been parsed, but has not run on Windows.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

$script:moduleFolder = Split-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -Parent
Import-Module -Name (Join-Path -Path $script:moduleFolder -ChildPath 'Modules/ProvisionerDsc.Common')

# Keys of properties of PCI devices, from pciprop.h of the Windows Driver Kit; they have no short names here.
$script:locationKey = 'DEVPKEY_Device_LocationPaths'
$script:acsKey = '{3AB22E31-8264-4B4E-9AF5-A8D2D8E33E62} 31'
$script:reservedMemoryKey = '{3AB22E31-8264-4B4E-9AF5-A8D2D8E33E62} 34'
$script:acsNotSupported = 0

# How often, and after how many seconds each, a device that was given back is looked for on the host.
$script:lookCount = 12
$script:lookSeconds = 5

<#
    .SYNOPSIS
        Returns where the device is.

    .PARAMETER LocationPath
        Where the device sits, as in PCIROOT(0)#PCI(0300)#PCI(0000).
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
        $LocationPath
    )

    Assert-HyperV

    $state = @{
        LocationPath   = $LocationPath
        Ensure         = 'Absent'
        Force          = $null
        InstanceId     = $null
        VirtualMachine = Find-Assignment -LocationPath $LocationPath
    }
    $dismounted = Find-DismountedDevice -LocationPath $LocationPath

    if ($null -ne $state['VirtualMachine'] -or $null -ne $dismounted)
    {
        $state['Ensure'] = 'Present'
        $state['InstanceId'] = $dismounted
    }
    else
    {
        $state['InstanceId'] = Find-HostDevice -LocationPath $LocationPath
    }

    return $state
}

<#
    .SYNOPSIS
        Tells whether the device is where it should be. One that a virtual machine has is off the host.

    .PARAMETER LocationPath
        Where the device sits, as in PCIROOT(0)#PCI(0300)#PCI(0000).

    .PARAMETER Ensure
        Present (default): the device is off the host and can be assigned. Absent: the host itself has it.

    .PARAMETER Force
        Whether a device goes without a mitigation driver of its vendor. The default is false.
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
        $LocationPath,

        [Parameter()]
        [ValidateSet('Present', 'Absent')]
        [System.String]
        $Ensure = 'Present',

        [Parameter()]
        [System.Boolean]
        $Force = $false
    )

    if (-not (Test-HyperV))
    {
        Write-Verbose -Message 'Hyper-V is not at work.'
        return $Ensure -eq 'Absent'
    }

    $isOff = $null -ne (Find-Assignment -LocationPath $LocationPath) -or
        $null -ne (Find-DismountedDevice -LocationPath $LocationPath)

    Write-Verbose -Message ('The device at {0} is off the host: {1}.' -f $LocationPath, $isOff)

    return $isOff -eq ($Ensure -eq 'Present')
}

<#
    .SYNOPSIS
        Takes the device off the host, or gives it back.

    .DESCRIPTION
        Present: what the host and the device can do is asked before anything is changed. The device is disabled, then
        taken off the host; when that fails, it is enabled again.

        Absent: the device is given back and enabled. One that a virtual machine has is left to it.

    .PARAMETER LocationPath
        Where the device sits, as in PCIROOT(0)#PCI(0300)#PCI(0000).

    .PARAMETER Ensure
        Present (default): the device is off the host and can be assigned. Absent: the host itself has it.

    .PARAMETER Force
        Whether a device goes without a mitigation driver of its vendor. The default is false.
#>
function Set-TargetResource
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $LocationPath,

        [Parameter()]
        [ValidateSet('Present', 'Absent')]
        [System.String]
        $Ensure = 'Present',

        [Parameter()]
        [System.Boolean]
        $Force = $false
    )

    Assert-HyperV

    if ($Ensure -eq 'Absent')
    {
        Restore-Device -LocationPath $LocationPath
        return
    }

    if ($null -ne (Find-Assignment -LocationPath $LocationPath) -or
        $null -ne (Find-DismountedDevice -LocationPath $LocationPath))
    {
        Write-Verbose -Message ('The device at {0} is off the host already.' -f $LocationPath)
        return
    }

    $instanceId = Find-HostDevice -LocationPath $LocationPath

    if ($null -eq $instanceId)
    {
        throw (New-ResourceError -Id 'DeviceNotFound' -Category 'ObjectNotFound' -Target $LocationPath -Message (
                ("No PCI device is at '{0}'. Get-PnpDeviceProperty -KeyName DEVPKEY_Device_LocationPaths shows where " +
                'devices are.') -f $LocationPath))
    }

    Assert-Platform -LocationPath $LocationPath
    Assert-Isolation -LocationPath $LocationPath -InstanceId $instanceId

    Write-Verbose -Message ('Disabling {0} and taking it off the host.' -f $instanceId)
    Disable-Device -InstanceId $instanceId

    try
    {
        Dismount-Device -LocationPath $LocationPath -Force $Force
    }
    catch
    {
        $reason = $_.Exception.Message
        Enable-Device -InstanceId $instanceId

        throw (New-ResourceError -Id 'DeviceNotDismounted' -Category 'InvalidResult' -Target $LocationPath -Message (
                "The device at '{0}' could not be taken off the host, which keeps it: {1}" -f $LocationPath, $reason))
    }
}

<#
    .SYNOPSIS
        Gives a device back to the host and enables it.

    .PARAMETER LocationPath
        Where the device sits.
#>
function Restore-Device
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $LocationPath
    )

    $virtualMachine = Find-Assignment -LocationPath $LocationPath

    if ($null -ne $virtualMachine)
    {
        throw (New-ResourceError -Id 'DeviceInUse' -Category 'ResourceBusy' -Target $LocationPath -Message (
                "The virtual machine '{0}' has the device at '{1}'. Take it away from the machine first." -f
                $virtualMachine, $LocationPath))
    }

    if ($null -eq (Find-DismountedDevice -LocationPath $LocationPath))
    {
        return
    }

    Write-Verbose -Message ('Giving the device at {0} back to the host.' -f $LocationPath)
    Mount-Device -LocationPath $LocationPath

    # Plug and Play may take a moment to find the device on the host again.
    for ($look = 1; $look -le $script:lookCount; $look++)
    {
        $instanceId = Find-HostDevice -LocationPath $LocationPath

        if ($null -ne $instanceId)
        {
            Enable-Device -InstanceId $instanceId
            return
        }

        if ($look -lt $script:lookCount)
        {
            Wait-Second -Second $script:lookSeconds
        }
    }

    throw (New-ResourceError -Id 'DeviceNotEnabled' -Category 'OperationTimeout' -Target $LocationPath -Message (
            ("The device at '{0}' was given back, but the host did not find it in time. Enable it there when it " +
            'shows.') -f $LocationPath))
}

<#
    .SYNOPSIS
        Throws when the host cannot keep a device to one virtual machine.

    .PARAMETER LocationPath
        Where the device sits.
#>
function Assert-Platform
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $LocationPath
    )

    $platform = Read-HostPlatform

    if (-not $platform.IovSupport)
    {
        throw (New-ResourceError -Id 'PlatformNotCapable' -Category 'NotImplemented' -Target $LocationPath -Message (
                ('The host cannot keep a device to one virtual machine: it has no IOMMU (VT-d, AMD-Vi), or the ' +
                'firmware has it switched off. Windows says: {0}') -f (@($platform.IovSupportReasons) -join ' ')))
    }
}

<#
    .SYNOPSIS
        Throws when the device cannot be kept apart from others.

    .PARAMETER LocationPath
        Where the device sits.

    .PARAMETER InstanceId
        Instance id of the device.
#>
function Assert-Isolation
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $LocationPath,

        [Parameter(Mandatory = $true)]
        [System.String]
        $InstanceId
    )

    $acs = Read-DeviceProperty -InstanceId $InstanceId -KeyName $script:acsKey

    if ($null -ne $acs -and [System.Int32] $acs -eq $script:acsNotSupported)
    {
        throw (New-ResourceError -Id 'AcsNotSupported' -Category 'NotImplemented' -Target $LocationPath -Message (
                ("Something between the device at '{0}' and the processor has no Access Control Services (ACS): what " +
                'it sends could reach other devices.') -f $LocationPath))
    }

    if (Read-DeviceProperty -InstanceId $InstanceId -KeyName $script:reservedMemoryKey)
    {
        throw (New-ResourceError -Id 'DeviceNeedsHostMemory' -Category 'NotImplemented' -Target $LocationPath -Message (
                "The firmware keeps memory of its own for the device at '{0}', so it cannot leave the host." -f
                $LocationPath))
    }
}

<#
    .SYNOPSIS
        Returns the instance id of the device of the host at a place; null when there is none.

    .PARAMETER LocationPath
        Where the device sits.
#>
function Find-HostDevice
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $LocationPath
    )

    foreach ($instanceId in @(Read-PciInstanceId))
    {
        $paths = @(Read-DeviceProperty -InstanceId $instanceId -KeyName $script:locationKey)

        # The first one is the place; others name the same device by other means, which Hyper-V does not take.
        if ($paths.Count -gt 0 -and $paths[0] -eq $LocationPath)
        {
            return $instanceId
        }
    }

    return $null
}

<#
    .SYNOPSIS
        Returns the instance id of the device at a place that is off the host and free; null when there is none.

    .PARAMETER LocationPath
        Where the device sits.
#>
function Find-DismountedDevice
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $LocationPath
    )

    foreach ($device in @(Read-DismountedDevice))
    {
        if ($device.LocationPath -eq $LocationPath)
        {
            return [System.String] $device.InstanceID
        }
    }

    return $null
}

<#
    .SYNOPSIS
        Returns the name of the virtual machine that has the device; null when none has.

    .PARAMETER LocationPath
        Where the device sits.
#>
function Find-Assignment
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $LocationPath
    )

    foreach ($virtualMachine in @(Read-VirtualMachine))
    {
        foreach ($device in @(Read-AssignedDevice -VirtualMachine $virtualMachine))
        {
            if ($device.LocationPath -eq $LocationPath)
            {
                return [System.String] $virtualMachine.Name
            }
        }
    }

    return $null
}

<#
    .SYNOPSIS
        Tells whether Hyper-V can be asked.
#>
function Test-HyperV
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param ()

    return (Test-HyperVModule) -and (Test-HyperVService)
}

<#
    .SYNOPSIS
        Throws when Hyper-V cannot be asked.
#>
function Assert-HyperV
{
    [CmdletBinding()]
    param ()

    if (-not (Test-HyperVModule))
    {
        throw (New-ResourceError -Id 'HyperVModuleMissing' -Category 'ObjectNotFound' -Target 'Hyper-V' -Message (
                'The PowerShell module Hyper-V is missing. Install the feature Hyper-V-PowerShell.'))
    }

    if (-not (Test-HyperVService))
    {
        throw (New-ResourceError -Id 'HyperVNotRunning' -Category 'ResourceUnavailable' -Target 'vmms' -Message (
                'The service vmms does not run. Install the feature Hyper-V and boot the machine.'))
    }
}

#region One call each

<#
    .SYNOPSIS
        Tells whether the PowerShell module of Hyper-V is installed.
#>
function Test-HyperVModule
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param ()

    return @(Get-Module -Name 'Hyper-V' -ListAvailable).Count -gt 0
}

<#
    .SYNOPSIS
        Tells whether Hyper-V is at work: its service comes with the role, at a boot.
#>
function Test-HyperVService
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param ()

    $service = Get-CimInstance -ClassName 'Win32_Service' -Filter "Name = 'vmms'"

    return $null -ne $service -and $service.State -eq 'Running'
}

<#
    .SYNOPSIS
        Returns what the host can do: IovSupport and IovSupportReasons.
#>
function Read-HostPlatform
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param ()

    return Get-VMHost
}

<#
    .SYNOPSIS
        Hands out the instance ids of the PCI devices of the host.
#>
function Read-PciInstanceId
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param ()

    Get-PnpDevice -PresentOnly -ErrorAction 'Stop' | Where-Object -FilterScript { $_.InstanceId -like 'PCI\*' } |
        ForEach-Object -Process { [System.String] $_.InstanceId }
}

<#
    .SYNOPSIS
        Hands out the value of a property of a device; nothing when it has none.

    .PARAMETER InstanceId
        Instance id of the device.

    .PARAMETER KeyName
        The key of the property.
#>
function Read-DeviceProperty
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $InstanceId,

        [Parameter(Mandatory = $true)]
        [System.String]
        $KeyName
    )

    Get-PnpDeviceProperty -InstanceId $InstanceId -KeyName $KeyName -ErrorAction 'Stop' |
        ForEach-Object -Process { $_.Data }
}

<#
    .SYNOPSIS
        Hands out the devices that are off the host and free.
#>
function Read-DismountedDevice
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param ()

    Get-VMHostAssignableDevice
}

<#
    .SYNOPSIS
        Hands out the virtual machines of the host.
#>
function Read-VirtualMachine
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param ()

    Get-VM
}

<#
    .SYNOPSIS
        Hands out the devices that a virtual machine has.

    .PARAMETER VirtualMachine
        The virtual machine, as Get-VM gave it.
#>
function Read-AssignedDevice
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $VirtualMachine
    )

    Get-VMAssignableDevice -VM $VirtualMachine
}

<#
    .SYNOPSIS
        Disables a device of the host.

    .PARAMETER InstanceId
        Instance id of the device.
#>
function Disable-Device
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $InstanceId
    )

    Disable-PnpDevice -InstanceId $InstanceId -Confirm:$false -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Enables a device of the host.

    .PARAMETER InstanceId
        Instance id of the device.
#>
function Enable-Device
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $InstanceId
    )

    Enable-PnpDevice -InstanceId $InstanceId -Confirm:$false -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Takes a device off the host.

    .PARAMETER LocationPath
        Where the device sits.

    .PARAMETER Force
        Whether it goes without a mitigation driver.
#>
function Dismount-Device
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $LocationPath,

        [Parameter(Mandatory = $true)]
        [System.Boolean]
        $Force
    )

    Dismount-VMHostAssignableDevice -LocationPath $LocationPath -Force:$Force -Confirm:$false
}

<#
    .SYNOPSIS
        Gives a device back to the host.

    .PARAMETER LocationPath
        Where the device sits.
#>
function Mount-Device
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $LocationPath
    )

    Mount-VMHostAssignableDevice -LocationPath $LocationPath -Confirm:$false
}

<#
    .SYNOPSIS
        Waits.

    .PARAMETER Second
        How many seconds.
#>
function Wait-Second
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Int32]
        $Second
    )

    Start-Sleep -Seconds $Second
}

#endregion

Export-ModuleMember -Function 'Get-TargetResource', 'Test-TargetResource', 'Set-TargetResource'
