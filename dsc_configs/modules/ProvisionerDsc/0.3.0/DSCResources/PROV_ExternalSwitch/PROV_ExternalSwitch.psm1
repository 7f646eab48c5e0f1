<#
    Keeps one external virtual switch on one network adapter, or on a team of several (switch embedded teaming).

    A switch that lies on just these adapters is taken over, whatever it is called. No step removes a switch: what
    cannot be mended in place is an error, and all errors that can be foreseen come before the first change.

    Every call that touches the machine stands alone in a small private function, so that the logic above it can be
    run with these functions replaced. This module has been parsed, but has not run on Windows.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

$script:moduleFolder = Split-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -Parent
Import-Module -Name (Join-Path -Path $script:moduleFolder -ChildPath 'Modules/ProvisionerDsc.Common')

# From Windows Server 2022 on a switch on a team of NIC Teaming (LBFO) is refused.
$script:firstBuildWithoutLbfo = 20348

<#
    .SYNOPSIS
        Returns the state of the switch that lies on the adapters.

    .PARAMETER Name
        Name of the virtual switch.

    .PARAMETER NetAdapterName
        Physical network adapters below the switch, each by its name or its interface description.
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
        [System.String[]]
        $NetAdapterName
    )

    $state = @{
        Name                   = $Name
        NetAdapterName         = $null
        AllowManagementOS      = $null
        ManagementVlanId       = $null
        LoadBalancingAlgorithm = $null
        EnableIov              = $null
        Notes                  = $null
        Id                     = $null
    }

    $switches = Read-Switch

    if ($null -eq $switches)
    {
        return $state
    }

    $adapters = @(Get-PhysicalAdapter)
    $wanted = Select-WantedAdapter -NetAdapterName $NetAdapterName -Adapter $adapters
    $vmSwitch = Select-ExactSwitch -VMSwitch $switches -Adapter $wanted

    # A switch on those that are there does not lie on just these adapters when one of them is not.
    if ($null -eq $vmSwitch -or $wanted.Count -lt $NetAdapterName.Count)
    {
        return $state
    }

    $state['Name'] = $vmSwitch.Name
    $state['NetAdapterName'] = [System.String[]] @($wanted | ForEach-Object -Process { $_.Name })
    $state['AllowManagementOS'] = [System.Boolean] $vmSwitch.AllowManagementOS
    $state['ManagementVlanId'] = Get-ManagementVlan -VMSwitch $vmSwitch
    $state['LoadBalancingAlgorithm'] = Get-LoadBalancing -VMSwitch $vmSwitch
    $state['EnableIov'] = [System.Boolean] $vmSwitch.IovEnabled
    $state['Notes'] = $vmSwitch.Notes
    $state['Id'] = $vmSwitch.Id.ToString()

    return $state
}

<#
    .SYNOPSIS
        Tells whether the switch lies on just these adapters and has what is given.

    .PARAMETER Name
        Name of the virtual switch.

    .PARAMETER NetAdapterName
        Physical network adapters below the switch, each by its name or its interface description.

    .PARAMETER AllowManagementOS
        Whether the machine itself uses the adapters through the switch.

    .PARAMETER ManagementVlanId
        VLAN of the machine's own adapter on the switch; 0 is untagged.

    .PARAMETER LoadBalancingAlgorithm
        How a team shares its load.

    .PARAMETER EnableIov
        Whether the switch offers SR-IOV.

    .PARAMETER Notes
        Notes kept with the switch.
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
        [System.String[]]
        $NetAdapterName,

        [Parameter()]
        [System.Boolean]
        $AllowManagementOS,

        [Parameter()]
        [ValidateRange(0, 4094)]
        [System.UInt32]
        $ManagementVlanId,

        [Parameter()]
        [ValidateSet('Dynamic', 'HyperVPort')]
        [System.String]
        $LoadBalancingAlgorithm,

        [Parameter()]
        [System.Boolean]
        $EnableIov,

        [Parameter()]
        [AllowEmptyString()]
        [System.String]
        $Notes
    )

    Assert-Property -Desired $PSBoundParameters

    $switches = Read-Switch

    if ($null -eq $switches)
    {
        return $false
    }

    $adapters = @(Get-PhysicalAdapter)

    foreach ($label in $NetAdapterName)
    {
        if ($null -eq (Select-Adapter -Label $label -Adapter $adapters))
        {
            # A resource this one depends on may give the adapter its name, so Set is the one to complain.
            Write-Verbose -Message ("No network adapter is called '{0}'." -f $label)
            return $false
        }
    }

    $wanted = Select-WantedAdapter -NetAdapterName $NetAdapterName -Adapter $adapters
    Assert-DistinctAdapter -Name $Name -Adapter $wanted
    $vmSwitch = Select-ExactSwitch -VMSwitch $switches -Adapter $wanted

    if ($null -eq $vmSwitch)
    {
        Write-Verbose -Message 'No external switch lies on just these adapters.'
        return $false
    }

    if ($vmSwitch.Name -ne $Name)
    {
        Write-Verbose -Message ("The switch on these adapters is called '{0}'." -f $vmSwitch.Name)
        return $false
    }

    return (Test-SwitchProperty -VMSwitch $vmSwitch -Desired $PSBoundParameters)
}

<#
    .SYNOPSIS
        Makes the switch, or takes over the one that lies on the adapters and mends it in place.

    .PARAMETER Name
        Name of the virtual switch.

    .PARAMETER NetAdapterName
        Physical network adapters below the switch, each by its name or its interface description.

    .PARAMETER AllowManagementOS
        Whether the machine itself uses the adapters through the switch.

    .PARAMETER ManagementVlanId
        VLAN of the machine's own adapter on the switch; 0 is untagged.

    .PARAMETER LoadBalancingAlgorithm
        How a team shares its load.

    .PARAMETER EnableIov
        Whether the switch offers SR-IOV.

    .PARAMETER Notes
        Notes kept with the switch.
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
        [System.String[]]
        $NetAdapterName,

        [Parameter()]
        [System.Boolean]
        $AllowManagementOS,

        [Parameter()]
        [ValidateRange(0, 4094)]
        [System.UInt32]
        $ManagementVlanId,

        [Parameter()]
        [ValidateSet('Dynamic', 'HyperVPort')]
        [System.String]
        $LoadBalancingAlgorithm,

        [Parameter()]
        [System.Boolean]
        $EnableIov,

        [Parameter()]
        [AllowEmptyString()]
        [System.String]
        $Notes
    )

    Assert-Property -Desired $PSBoundParameters
    $switches = Get-AnsweringSwitch -Name $Name

    $adapters = @(Get-PhysicalAdapter)
    Assert-Adapter -Name $Name -NetAdapterName $NetAdapterName -Adapter $adapters -VMSwitch $switches
    $wanted = Select-WantedAdapter -NetAdapterName $NetAdapterName -Adapter $adapters
    Assert-DistinctAdapter -Name $Name -Adapter $wanted

    $vmSwitch = Select-Switch -Name $Name -VMSwitch $switches -Adapter $wanted

    if ($null -eq $vmSwitch)
    {
        Assert-NameFree -Name $Name -VMSwitch $switches
        Assert-NoTeamBelow -Name $Name -Adapter $wanted
        $vmSwitch = New-Switch -Desired $PSBoundParameters -Adapter $wanted
    }
    else
    {
        Assert-Mendable -VMSwitch $vmSwitch -Switches $switches -Adapter $wanted -Desired $PSBoundParameters
        Update-SwitchIdentity -VMSwitch $vmSwitch -Name $Name -Adapter $wanted
        $vmSwitch = Get-SwitchById -Id $vmSwitch.Id
    }

    Update-SwitchProperty -VMSwitch $vmSwitch -Desired $PSBoundParameters
}

<#
    .SYNOPSIS
        Throws when properties contradict each other.

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

    $name = $Desired['Name']
    $seen = @{}

    foreach ($label in $Desired['NetAdapterName'])
    {
        if ($seen.ContainsKey($label))
        {
            throw (New-ResourceError -Id 'AdapterTwice' -Category 'InvalidArgument' -Target $name -Message (
                    "The network adapter '{0}' of the switch '{1}' is given twice." -f $label, $name))
        }

        $seen[$label] = $true
    }

    if ($Desired.ContainsKey('LoadBalancingAlgorithm') -and (@($Desired['NetAdapterName']).Count -eq 1))
    {
        throw (New-ResourceError -Id 'AlgorithmWithoutTeam' -Category 'InvalidArgument' -Target $name -Message (
                "LoadBalancingAlgorithm belongs to a team, but the switch '{0}' has one adapter." -f $name))
    }

    $isShared = (-not $Desired.ContainsKey('AllowManagementOS')) -or $Desired['AllowManagementOS']

    if ($Desired.ContainsKey('ManagementVlanId') -and ($Desired['ManagementVlanId'] -ne 0) -and (-not $isShared))
    {
        throw (New-ResourceError -Id 'VlanWithoutHost' -Category 'InvalidArgument' -Target $name -Message (
                ("ManagementVlanId {0} is given, but AllowManagementOS is false: the machine has no adapter on the " +
                "switch '{1}' that could be in a VLAN.") -f $Desired['ManagementVlanId'], $name))
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
        Returns all virtual switches; throws while Hyper-V does not answer.

    .PARAMETER Name
        Name of the wanted switch.
#>
function Get-AnsweringSwitch
{
    [CmdletBinding()]
    [OutputType([System.Object[]])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name
    )

    try
    {
        $found = @(Get-EverySwitch)
    }
    catch
    {
        throw (New-ResourceError -Id 'HyperVNotReady' -Category 'ResourceUnavailable' -Target $Name -Message (
                ("Hyper-V does not answer, so the switch '{0}' cannot be made: the features Hyper-V and " +
                'Hyper-V-PowerShell have to be installed, the machine restarted since, and vmms running. {1}') -f
                $Name, $_.Exception.Message))
    }

    return , $found
}

<#
    .SYNOPSIS
        Returns the adapter of a name or, when none has it, of an interface description; null for none.

    .PARAMETER Label
        A name or an interface description.

    .PARAMETER Adapter
        All network adapters.
#>
function Select-Adapter
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Label,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Object[]]
        $Adapter
    )

    $found = @($Adapter | Where-Object -FilterScript { $_.Name -eq $Label })

    if ($found.Count -eq 0)
    {
        $found = @($Adapter | Where-Object -FilterScript { $_.InterfaceDescription -eq $Label })
    }

    if ($found.Count -eq 0)
    {
        return $null
    }

    return $found[0]
}

<#
    .SYNOPSIS
        Returns the wanted adapters that are there, in the order they were given.

    .PARAMETER NetAdapterName
        Names or interface descriptions.

    .PARAMETER Adapter
        All network adapters.
#>
function Select-WantedAdapter
{
    [CmdletBinding()]
    [OutputType([System.Object[]])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String[]]
        $NetAdapterName,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Object[]]
        $Adapter
    )

    $wanted = @(
        foreach ($label in $NetAdapterName)
        {
            $found = Select-Adapter -Label $label -Adapter $Adapter

            if ($null -ne $found)
            {
                $found
            }
        }
    )

    return , $wanted
}

<#
    .SYNOPSIS
        Returns the interface descriptions of the adapters below a switch.

    .PARAMETER VMSwitch
        The switch.
#>
function Get-DescriptionBelow
{
    [CmdletBinding()]
    [OutputType([System.String[]])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $VMSwitch
    )

    $descriptions = @($VMSwitch.NetAdapterInterfaceDescriptions | Where-Object -FilterScript { $_ })

    return , [System.String[]] $descriptions
}

<#
    .SYNOPSIS
        Returns the external switch that lies on just these adapters; null for none.

    .PARAMETER VMSwitch
        All switches.

    .PARAMETER Adapter
        The wanted adapters.
#>
function Select-ExactSwitch
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Object[]]
        $VMSwitch,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Object[]]
        $Adapter
    )

    $wanted = @($Adapter | ForEach-Object -Process { $_.InterfaceDescription })

    foreach ($candidate in $VMSwitch)
    {
        $below = Get-DescriptionBelow -VMSwitch $candidate
        $shared = @($below | Where-Object -FilterScript { $wanted -contains $_ })

        if (($below.Count -gt 0) -and ($below.Count -eq $wanted.Count) -and ($shared.Count -eq $wanted.Count))
        {
            return $candidate
        }
    }

    return $null
}

<#
    .SYNOPSIS
        Returns the switch to take over: the one on just these adapters, else the team of the name that has one of
        them; null when a new one is to be made. Throws when another switch has one of the adapters or the name.

    .PARAMETER Name
        Name of the wanted switch.

    .PARAMETER VMSwitch
        All switches.

    .PARAMETER Adapter
        The wanted adapters.
#>
function Select-Switch
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Object[]]
        $VMSwitch,

        [Parameter(Mandatory = $true)]
        [System.Object[]]
        $Adapter
    )

    $chosen = Select-ExactSwitch -VMSwitch $VMSwitch -Adapter $Adapter

    if ($null -eq $chosen)
    {
        $wanted = @($Adapter | ForEach-Object -Process { $_.InterfaceDescription })

        foreach ($candidate in $VMSwitch)
        {
            $below = Get-DescriptionBelow -VMSwitch $candidate
            $shared = @($below | Where-Object -FilterScript { $wanted -contains $_ })

            if ($shared.Count -eq 0)
            {
                continue
            }

            if (($candidate.Name -ne $Name) -or ($null -ne $chosen))
            {
                throw (New-ResourceError -Id 'AdapterInUse' -Category 'ResourceBusy' -Target $Name -Message (
                        ("The network adapter '{0}' is below the switch '{1}', which lies on {2}, so the switch " +
                        "'{3}' cannot have it. No switch is removed here.") -f
                        $shared[0], $candidate.Name, (Join-Quoted -Text $below), $Name))
            }

            $chosen = $candidate
        }
    }

    return $chosen
}

<#
    .SYNOPSIS
        Throws when a switch has the name.

    .PARAMETER Name
        The wanted name.

    .PARAMETER VMSwitch
        All switches.
#>
function Assert-NameFree
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Object[]]
        $VMSwitch
    )

    foreach ($candidate in $VMSwitch)
    {
        if ($candidate.Name -eq $Name)
        {
            $below = Get-DescriptionBelow -VMSwitch $candidate

            throw (New-ResourceError -Id 'NameInUse' -Category 'ResourceExists' -Target $Name -Message (
                    ("Another switch is called '{0}' already: {1}, on {2}. It is not removed: choose another name, " +
                    'name its adapters, or rename or remove it by hand.') -f
                    $Name, $candidate.SwitchType, (Join-Quoted -Text $below)))
        }
    }
}

<#
    .SYNOPSIS
        Throws unless each wanted adapter is there and is no port of a switch.

    .PARAMETER Name
        Name of the wanted switch.

    .PARAMETER NetAdapterName
        Names or interface descriptions.

    .PARAMETER Adapter
        All network adapters.

    .PARAMETER VMSwitch
        All switches.
#>
function Assert-Adapter
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name,

        [Parameter(Mandatory = $true)]
        [System.String[]]
        $NetAdapterName,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Object[]]
        $Adapter,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Object[]]
        $VMSwitch
    )

    $ports = @(Get-HostAdapter | ForEach-Object -Process { $_.DeviceId })

    foreach ($label in $NetAdapterName)
    {
        $found = Select-Adapter -Label $label -Adapter $Adapter

        if ($null -eq $found)
        {
            $known = @($Adapter | ForEach-Object -Process { '{0} ({1})' -f $_.Name, $_.InterfaceDescription })
            $message = "No network adapter is called '{0}', by name or interface description. There are: {1}." -f
                $label, (Join-Quoted -Text $known)

            foreach ($candidate in @($VMSwitch | Where-Object -FilterScript { $_.Name -eq $Name }))
            {
                $below = Get-DescriptionBelow -VMSwitch $candidate
                $message += " The switch '{0}' lies on {1} and is left as it is." -f $Name, (Join-Quoted -Text $below)
            }

            throw (New-ResourceError -Id 'AdapterNotFound' -Category 'ObjectNotFound' -Target $label -Message (
                    $message))
        }

        if ($ports -contains $found.InterfaceGuid)
        {
            throw (New-ResourceError -Id 'AdapterIsPort' -Category 'InvalidArgument' -Target $label -Message (
                    ("The network adapter '{0}' is the machine's own port on a virtual switch. Name the physical " +
                    'adapter below that switch.') -f $found.Name))
        }
    }
}

<#
    .SYNOPSIS
        Throws when two of the wanted adapters are one, which a name and a description can hide.

    .PARAMETER Name
        Name of the wanted switch.

    .PARAMETER Adapter
        The wanted adapters.
#>
function Assert-DistinctAdapter
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Object[]]
        $Adapter
    )

    $seen = @{}

    foreach ($item in $Adapter)
    {
        if ($seen.ContainsKey($item.Name))
        {
            throw (New-ResourceError -Id 'AdapterTwice' -Category 'InvalidArgument' -Target $Name -Message (
                    "The network adapter '{0}' of the switch '{1}' is given twice." -f $item.Name, $Name))
        }

        $seen[$item.Name] = $true
    }
}

<#
    .SYNOPSIS
        Throws when an adapter is in a team of NIC Teaming (LBFO), or is one that a switch may not lie on.

    .PARAMETER Name
        Name of the wanted switch.

    .PARAMETER Adapter
        The wanted adapters that no switch has yet.
#>
function Assert-NoTeamBelow
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Object[]]
        $Adapter
    )

    $members = @(Get-TeamMember)
    $teamAdapters = @(Get-TeamAdapter)

    foreach ($item in $Adapter)
    {
        foreach ($member in @($members | Where-Object -FilterScript { $_.Name -eq $item.Name }))
        {
            throw (New-ResourceError -Id 'AdapterInTeam' -Category 'ResourceBusy' -Target $item.Name -Message (
                    ("The network adapter '{0}' is a member of the team '{1}' of NIC Teaming (LBFO), so the switch " +
                    "'{2}' cannot have it. Take it out of the team, and name all members as NetAdapterName for a " +
                    'team of the switch itself (switch embedded teaming).') -f $item.Name, $member.Team, $Name))
        }

        foreach ($teamAdapter in @($teamAdapters | Where-Object -FilterScript { $_.Name -eq $item.Name }))
        {
            if (($Adapter.Count -gt 1) -or ((Get-BuildNumber) -ge $script:firstBuildWithoutLbfo))
            {
                throw (New-ResourceError -Id 'LbfoTeamRefused' -Category 'InvalidArgument' -Target (
                        $item.Name) -Message (
                        ("The network adapter '{0}' is the team '{1}' of NIC Teaming (LBFO). From Windows Server " +
                        '2022 on no switch may lie on one, and never a team of a switch. Remove the team, and name ' +
                        'its members as NetAdapterName (switch embedded teaming).') -f $item.Name, $teamAdapter.Team))
            }
        }
    }
}

<#
    .SYNOPSIS
        Throws when the switch to take over cannot be mended in place.

    .PARAMETER VMSwitch
        The switch to take over.

    .PARAMETER Switches
        All switches.

    .PARAMETER Adapter
        The wanted adapters.

    .PARAMETER Desired
        The bound parameters.
#>
function Assert-Mendable
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $VMSwitch,

        [Parameter(Mandatory = $true)]
        [System.Object[]]
        $Switches,

        [Parameter(Mandatory = $true)]
        [System.Object[]]
        $Adapter,

        [Parameter(Mandatory = $true)]
        [System.Collections.IDictionary]
        $Desired
    )

    $name = $Desired['Name']

    if ($VMSwitch.Name -ne $name)
    {
        Assert-NameFree -Name $name -VMSwitch $Switches
    }

    $below = Get-DescriptionBelow -VMSwitch $VMSwitch
    $added = @($Adapter | Where-Object -FilterScript { $below -notcontains $_.InterfaceDescription })

    if (($added.Count -gt 0) -and (-not $VMSwitch.EmbeddedTeamingEnabled))
    {
        throw (New-ResourceError -Id 'SwitchIsNoTeam' -Category 'InvalidOperation' -Target $name -Message (
                ("The switch '{0}' on {1} was made without a team, and no switch becomes one later. Remove it by " +
                'hand when no virtual machine needs it; it is made anew then.') -f
                $VMSwitch.Name, (Join-Quoted -Text $below)))
    }

    Assert-NoTeamBelow -Name $name -Adapter $added

    if ($Desired.ContainsKey('EnableIov') -and ($Desired['EnableIov'] -ne [System.Boolean] $VMSwitch.IovEnabled))
    {
        throw (New-ResourceError -Id 'IovFixed' -Category 'InvalidOperation' -Target $name -Message (
                ("The switch '{0}' was made with EnableIov {1}, wanted is {2}. SR-IOV is settled when a switch is " +
                'made. Remove the switch by hand when no virtual machine needs it; it is made anew then.') -f
                $VMSwitch.Name, $VMSwitch.IovEnabled, $Desired['EnableIov']))
    }

    Assert-HostAdapter -VMSwitch $VMSwitch -Desired $Desired
}

<#
    .SYNOPSIS
        Throws when the machine has no adapter on the switch, or no single one, whose VLAN could be set.

    .PARAMETER VMSwitch
        The switch.

    .PARAMETER Desired
        The bound parameters.
#>
function Assert-HostAdapter
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $VMSwitch,

        [Parameter(Mandatory = $true)]
        [System.Collections.IDictionary]
        $Desired
    )

    if (-not $Desired.ContainsKey('ManagementVlanId'))
    {
        return
    }

    $name = $Desired['Name']
    $isMade = $Desired.ContainsKey('AllowManagementOS')

    if ((-not $isMade) -and (-not $VMSwitch.AllowManagementOS) -and ($Desired['ManagementVlanId'] -ne 0))
    {
        throw (New-ResourceError -Id 'HostHasNoAdapter' -Category 'InvalidOperation' -Target $name -Message (
                ("The machine has no adapter of its own on the switch '{0}' that could be in the VLAN {1}. Set " +
                'AllowManagementOS too.') -f $VMSwitch.Name, $Desired['ManagementVlanId']))
    }

    $own = @(Get-HostAdapter | Where-Object -FilterScript { $_.SwitchId -eq $VMSwitch.Id })

    if (($own.Count -gt 1) -and ($null -eq (Select-HostAdapter -VMSwitch $VMSwitch)))
    {
        throw (New-ResourceError -Id 'HostAdapterAmbiguous' -Category 'InvalidOperation' -Target $name -Message (
                ("The machine has several adapters on the switch '{0}': {1}. ManagementVlanId belongs to the one " +
                'with the name of the switch, and there is none.') -f
                $VMSwitch.Name, (Join-Quoted -Text @($own | ForEach-Object -Process { $_.Name }))))
    }
}

<#
    .SYNOPSIS
        Makes the switch and returns it.

    .PARAMETER Desired
        The bound parameters.

    .PARAMETER Adapter
        The wanted adapters.
#>
function New-Switch
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Collections.IDictionary]
        $Desired,

        [Parameter(Mandatory = $true)]
        [System.Object[]]
        $Adapter
    )

    $names = [System.String[]] @($Adapter | ForEach-Object -Process { $_.Name })
    $given = @{ Name = $Desired['Name']; NetAdapterName = $names }

    foreach ($property in @('AllowManagementOS', 'EnableIov', 'Notes'))
    {
        if ($Desired.ContainsKey($property))
        {
            $given[$property] = $Desired[$property]
        }
    }

    if ($names.Count -gt 1)
    {
        $given['EnableEmbeddedTeaming'] = $true
    }

    Write-Verbose -Message ("Making the switch '{0}' on {1}." -f $given['Name'], (Join-Quoted -Text $names))

    return (Add-Switch -Given $given)
}

<#
    .SYNOPSIS
        Gives the switch its name and its adapters: missing ones join the team before others leave it.

    .PARAMETER VMSwitch
        The switch that is taken over.

    .PARAMETER Name
        The wanted name.

    .PARAMETER Adapter
        The wanted adapters.
#>
function Update-SwitchIdentity
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $VMSwitch,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Name,

        [Parameter(Mandatory = $true)]
        [System.Object[]]
        $Adapter
    )

    if ($VMSwitch.Name -ne $Name)
    {
        Write-Verbose -Message ("Taking over the switch '{0}' as '{1}'." -f $VMSwitch.Name, $Name)
        Rename-Switch -VMSwitch $VMSwitch -NewName $Name
        $VMSwitch = Get-SwitchById -Id $VMSwitch.Id
    }

    $below = Get-DescriptionBelow -VMSwitch $VMSwitch
    $wanted = @($Adapter | ForEach-Object -Process { $_.InterfaceDescription })

    foreach ($description in @($wanted | Where-Object -FilterScript { $below -notcontains $_ }))
    {
        Write-Verbose -Message ("Adding '{0}' to the team." -f $description)
        Add-TeamAdapter -VMSwitch $VMSwitch -Description $description
    }

    foreach ($description in @($below | Where-Object -FilterScript { $wanted -notcontains $_ }))
    {
        Write-Verbose -Message ("Taking '{0}' out of the team." -f $description)
        Remove-TeamAdapter -VMSwitch $VMSwitch -Description $description
    }
}

<#
    .SYNOPSIS
        Tells whether all given properties are as wanted.

    .PARAMETER VMSwitch
        The switch.

    .PARAMETER Desired
        The bound parameters.
#>
function Test-SwitchProperty
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $VMSwitch,

        [Parameter(Mandatory = $true)]
        [System.Collections.IDictionary]
        $Desired
    )

    $different = Get-Difference -VMSwitch $VMSwitch -Desired $Desired

    foreach ($property in $different)
    {
        Write-Verbose -Message ("{0} of the switch '{1}' is not as wanted." -f $property, $VMSwitch.Name)
    }

    return ($different.Count -eq 0)
}

<#
    .SYNOPSIS
        Returns the names of the given properties that are not as wanted.

    .PARAMETER VMSwitch
        The switch.

    .PARAMETER Desired
        The bound parameters.
#>
function Get-Difference
{
    [CmdletBinding()]
    [OutputType([System.String[]])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $VMSwitch,

        [Parameter(Mandatory = $true)]
        [System.Collections.IDictionary]
        $Desired
    )

    $different = @()
    $isShared = [System.Boolean] $VMSwitch.AllowManagementOS

    if ($Desired.ContainsKey('AllowManagementOS') -and ($Desired['AllowManagementOS'] -ne $isShared))
    {
        $different += 'AllowManagementOS'
    }

    if ($Desired.ContainsKey('EnableIov') -and ($Desired['EnableIov'] -ne [System.Boolean] $VMSwitch.IovEnabled))
    {
        $different += 'EnableIov'
    }

    if ($Desired.ContainsKey('Notes') -and ($Desired['Notes'] -cne [System.String] $VMSwitch.Notes))
    {
        $different += 'Notes'
    }

    if ($Desired.ContainsKey('LoadBalancingAlgorithm') -and
        ($Desired['LoadBalancingAlgorithm'] -ne (Get-LoadBalancing -VMSwitch $VMSwitch)))
    {
        $different += 'LoadBalancingAlgorithm'
    }

    if ($Desired.ContainsKey('ManagementVlanId'))
    {
        $vlan = Get-ManagementVlan -VMSwitch $VMSwitch

        # Without an adapter of the machine's own nothing is tagged.
        if (($null -eq $vlan) -and (-not $isShared))
        {
            $vlan = 0
        }

        if ($Desired['ManagementVlanId'] -ne $vlan)
        {
            $different += 'ManagementVlanId'
        }
    }

    return , [System.String[]] $different
}

<#
    .SYNOPSIS
        Mends the given properties that are not as wanted, each in place.

    .PARAMETER VMSwitch
        The switch.

    .PARAMETER Desired
        The bound parameters.
#>
function Update-SwitchProperty
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $VMSwitch,

        [Parameter(Mandatory = $true)]
        [System.Collections.IDictionary]
        $Desired
    )

    $different = Get-Difference -VMSwitch $VMSwitch -Desired $Desired

    if ($different -contains 'AllowManagementOS')
    {
        Write-Verbose -Message ('Setting AllowManagementOS to {0}.' -f $Desired['AllowManagementOS'])
        Set-SwitchSharing -VMSwitch $VMSwitch -AllowManagementOS $Desired['AllowManagementOS']
        $VMSwitch = Get-SwitchById -Id $VMSwitch.Id
        $different = Get-Difference -VMSwitch $VMSwitch -Desired $Desired
    }

    if ($different -contains 'Notes')
    {
        Write-Verbose -Message 'Setting the notes.'
        Set-SwitchNote -VMSwitch $VMSwitch -Notes $Desired['Notes']
    }

    if ($different -contains 'LoadBalancingAlgorithm')
    {
        Write-Verbose -Message ('Setting LoadBalancingAlgorithm to {0}.' -f $Desired['LoadBalancingAlgorithm'])
        Set-TeamBalancing -VMSwitch $VMSwitch -Algorithm $Desired['LoadBalancingAlgorithm']
    }

    if ($different -contains 'ManagementVlanId')
    {
        Write-Verbose -Message ('Setting ManagementVlanId to {0}.' -f $Desired['ManagementVlanId'])
        Set-ManagementVlan -VMSwitch $VMSwitch -VlanId $Desired['ManagementVlanId']
    }
}

<#
    .SYNOPSIS
        Returns the machine's own adapter on the switch: the only one, or of several the one with the name of the
        switch; null for none.

    .PARAMETER VMSwitch
        The switch.
#>
function Select-HostAdapter
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $VMSwitch
    )

    $own = @(Get-HostAdapter | Where-Object -FilterScript { $_.SwitchId -eq $VMSwitch.Id })

    if ($own.Count -gt 1)
    {
        $own = @($own | Where-Object -FilterScript { $_.Name -eq $VMSwitch.Name })
    }

    if ($own.Count -eq 1)
    {
        return $own[0]
    }

    return $null
}

<#
    .SYNOPSIS
        Returns the VLAN of the machine's own adapter on the switch: 0 is untagged, null is no adapter or neither an
        access VLAN nor untagged.

    .PARAMETER VMSwitch
        The switch.
#>
function Get-ManagementVlan
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $VMSwitch
    )

    $adapter = Select-HostAdapter -VMSwitch $VMSwitch

    if ($null -eq $adapter)
    {
        return $null
    }

    $vlan = Get-AdapterVlan -Adapter $adapter

    switch ([System.String] $vlan.OperationMode)
    {
        'Untagged'
        {
            return [System.UInt32] 0
        }

        'Access'
        {
            return [System.UInt32] $vlan.AccessVlanId
        }

        default
        {
            return $null
        }
    }
}

<#
    .SYNOPSIS
        Sets the VLAN of the machine's own adapter on the switch.

    .PARAMETER VMSwitch
        The switch.

    .PARAMETER VlanId
        The VLAN; 0 is untagged.
#>
function Set-ManagementVlan
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $VMSwitch,

        [Parameter(Mandatory = $true)]
        [System.UInt32]
        $VlanId
    )

    $adapter = Select-HostAdapter -VMSwitch $VMSwitch

    if ($null -eq $adapter)
    {
        throw (New-ResourceError -Id 'HostHasNoAdapter' -Category 'InvalidOperation' -Target (
                $VMSwitch.Name) -Message (
                ("The machine has no adapter of its own on the switch '{0}' that could be in the VLAN {1}. Set " +
                'AllowManagementOS too.') -f $VMSwitch.Name, $VlanId))
    }

    if ($VlanId -eq 0)
    {
        Set-AdapterUntagged -Adapter $adapter
    }
    else
    {
        Set-AdapterVlan -Adapter $adapter -VlanId $VlanId
    }
}

<#
    .SYNOPSIS
        Returns how a team shares its load; null for a switch that is no team.

    .PARAMETER VMSwitch
        The switch.
#>
function Get-LoadBalancing
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $VMSwitch
    )

    if (-not $VMSwitch.EmbeddedTeamingEnabled)
    {
        return $null
    }

    return [System.String] (Get-SwitchTeam -VMSwitch $VMSwitch).LoadBalancingAlgorithm
}

<#
    .SYNOPSIS
        Returns the switch of an id as it is now.

    .PARAMETER Id
        The id of the switch.
#>
function Get-SwitchById
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Guid]
        $Id
    )

    return @(Get-EverySwitch | Where-Object -FilterScript { $_.Id -eq $Id })[0]
}

<#
    .SYNOPSIS
        Returns texts in quotes with commas between them.

    .PARAMETER Text
        The texts.
#>
function Join-Quoted
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.String[]]
        $Text
    )

    if ($Text.Count -eq 0)
    {
        return 'no adapter'
    }

    return "'{0}'" -f ($Text -join "', '")
}

#region One call each

<#
    .SYNOPSIS
        Hands out all virtual switches.
#>
function Get-EverySwitch
{
    [CmdletBinding()]
    param ()

    Get-VMSwitch -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Makes a virtual switch and returns it.

    .PARAMETER Given
        Parameters of New-VMSwitch by their names.
#>
function Add-Switch
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Given
    )

    return New-VMSwitch @Given -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Gives a virtual switch another name.

    .PARAMETER VMSwitch
        The switch.

    .PARAMETER NewName
        Its new name.
#>
function Rename-Switch
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $VMSwitch,

        [Parameter(Mandatory = $true)]
        [System.String]
        $NewName
    )

    Rename-VMSwitch -VMSwitch $VMSwitch -NewName $NewName -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Lets the machine use the adapters through the switch, or not.

    .PARAMETER VMSwitch
        The switch.

    .PARAMETER AllowManagementOS
        Whether it does.
#>
function Set-SwitchSharing
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $VMSwitch,

        [Parameter(Mandatory = $true)]
        [System.Boolean]
        $AllowManagementOS
    )

    Set-VMSwitch -VMSwitch $VMSwitch -AllowManagementOS $AllowManagementOS -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Sets the notes of a switch.

    .PARAMETER VMSwitch
        The switch.

    .PARAMETER Notes
        The notes.
#>
function Set-SwitchNote
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $VMSwitch,

        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String]
        $Notes
    )

    Set-VMSwitch -VMSwitch $VMSwitch -Notes $Notes -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Returns the team of a switch.

    .PARAMETER VMSwitch
        The switch.
#>
function Get-SwitchTeam
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $VMSwitch
    )

    return Get-VMSwitchTeam -VMSwitch $VMSwitch -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Sets how the team of a switch shares its load.

    .PARAMETER VMSwitch
        The switch.

    .PARAMETER Algorithm
        Dynamic or HyperVPort.
#>
function Set-TeamBalancing
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $VMSwitch,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Algorithm
    )

    Set-VMSwitchTeam -VMSwitch $VMSwitch -LoadBalancingAlgorithm $Algorithm -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Puts an adapter into the team of a switch.

    .PARAMETER VMSwitch
        The switch.

    .PARAMETER Description
        Interface description of the adapter.
#>
function Add-TeamAdapter
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $VMSwitch,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Description
    )

    Add-VMSwitchTeamMember -VMSwitch $VMSwitch -NetAdapterInterfaceDescription $Description -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Takes an adapter out of the team of a switch.

    .PARAMETER VMSwitch
        The switch.

    .PARAMETER Description
        Interface description of the adapter.
#>
function Remove-TeamAdapter
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $VMSwitch,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Description
    )

    Remove-VMSwitchTeamMember -VMSwitch $VMSwitch -NetAdapterInterfaceDescription $Description -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Hands out the machine's own adapters on virtual switches.
#>
function Get-HostAdapter
{
    [CmdletBinding()]
    param ()

    Get-VMNetworkAdapter -ManagementOS -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Returns in which VLAN an adapter is.

    .PARAMETER Adapter
        The adapter.
#>
function Get-AdapterVlan
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Adapter
    )

    return Get-VMNetworkAdapterVlan -VMNetworkAdapter $Adapter -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Puts an adapter into a VLAN.

    .PARAMETER Adapter
        The adapter.

    .PARAMETER VlanId
        The VLAN.
#>
function Set-AdapterVlan
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Adapter,

        [Parameter(Mandatory = $true)]
        [System.UInt32]
        $VlanId
    )

    Set-VMNetworkAdapterVlan -VMNetworkAdapter $Adapter -Access -VlanId $VlanId -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Takes an adapter out of all VLANs.

    .PARAMETER Adapter
        The adapter.
#>
function Set-AdapterUntagged
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Adapter
    )

    Set-VMNetworkAdapterVlan -VMNetworkAdapter $Adapter -Untagged -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Returns all network adapters that are not hidden.
#>
function Get-PhysicalAdapter
{
    [CmdletBinding()]
    param ()

    Get-NetAdapter -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Hands out the members of all teams of NIC Teaming (LBFO).
#>
function Get-TeamMember
{
    [CmdletBinding()]
    param ()

    Get-NetLbfoTeamMember -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Hands out the adapters that teams of NIC Teaming (LBFO) make.
#>
function Get-TeamAdapter
{
    [CmdletBinding()]
    param ()

    Get-NetLbfoTeamNic -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Returns the build number of Windows.
#>
function Get-BuildNumber
{
    [CmdletBinding()]
    [OutputType([System.Int32])]
    param ()

    return [System.Int32] (Get-CimInstance -ClassName 'Win32_OperatingSystem' -ErrorAction 'Stop').BuildNumber
}

#endregion

Export-ModuleMember -Function 'Get-TargetResource', 'Test-TargetResource', 'Set-TargetResource'
