<#
    Live migration of a Hyper-V host: whether it is on, how the hosts prove who they are, how many migrations run at
    once, and over which networks.

    Every cmdlet that touches the machine stands alone in a small private function, so that the logic above it can be
    run with these functions replaced. This module has been parsed, but has not run on Windows.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

$script:moduleFolder = Split-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -Parent
Import-Module -Name (Join-Path -Path $script:moduleFolder -ChildPath 'Modules/ProvisionerDsc.Common')

# What Set-VMHost and Get-VMHost call the properties that are handed on as they are.
$script:hostSettings = @{
    AuthenticationType              = 'VirtualMachineMigrationAuthenticationType'
    PerformanceOption               = 'VirtualMachineMigrationPerformanceOption'
    MaximumVirtualMachineMigrations = 'MaximumVirtualMachineMigrations'
    MaximumStorageMigrations        = 'MaximumStorageMigrations'
    UseAnyNetwork                   = 'UseAnyNetworkForMigration'
}

<#
    .SYNOPSIS
        Returns how live migration is set up on the host.

    .PARAMETER IsSingleInstance
        There is one such resource for a node. The only value is Yes.
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

    Assert-HyperV

    $vmHost = Read-HostSetting
    $networks = @(Read-MigrationNetwork | ForEach-Object -Process { Get-ShownNetwork -Text $_ } | Sort-Object -Unique)
    $ensure = 'Absent'

    if ($vmHost.VirtualMachineMigrationEnabled)
    {
        $ensure = 'Present'
    }

    return @{
        IsSingleInstance                = $IsSingleInstance
        Ensure                          = $ensure
        AuthenticationType              = [System.String] $vmHost.VirtualMachineMigrationAuthenticationType
        PerformanceOption               = [System.String] $vmHost.VirtualMachineMigrationPerformanceOption
        MaximumVirtualMachineMigrations = [System.UInt32] $vmHost.MaximumVirtualMachineMigrations
        MaximumStorageMigrations        = [System.UInt32] $vmHost.MaximumStorageMigrations
        UseAnyNetwork                   = [System.Boolean] $vmHost.UseAnyNetworkForMigration
        Networks                        = [System.String[]] $networks
    }
}

<#
    .SYNOPSIS
        Tells whether live migration is set up as wanted; only what is given is compared.

    .PARAMETER IsSingleInstance
        There is one such resource for a node. The only value is Yes.

    .PARAMETER Ensure
        Whether the host takes part in live migration. The default is Present. Absent turns it off and looks at
        nothing else.

    .PARAMETER AuthenticationType
        How hosts prove who they are. Kerberos is the one that is carried out; CredSSP is an error that says why.

    .PARAMETER PerformanceOption
        How memory travels: as it is (TCPIP), compressed, or by SMB.

    .PARAMETER MaximumVirtualMachineMigrations
        How many live migrations run at once, at most.

    .PARAMETER MaximumStorageMigrations
        How many storage migrations run at once, at most.

    .PARAMETER UseAnyNetwork
        Whether incoming migrations are taken on every network. Cannot be true together with Networks.

    .PARAMETER Networks
        The networks that take incoming migrations, exactly these, as 192.0.2.0/24, 2001:db8::/64 or one address. Not
        on nodes of a failover cluster.
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
        [ValidateSet('Present', 'Absent')]
        [System.String]
        $Ensure = 'Present',

        [Parameter()]
        [ValidateSet('Kerberos', 'CredSSP')]
        [System.String]
        $AuthenticationType,

        [Parameter()]
        [ValidateSet('TCPIP', 'Compression', 'SMB')]
        [System.String]
        $PerformanceOption,

        [Parameter()]
        [System.UInt32]
        $MaximumVirtualMachineMigrations,

        [Parameter()]
        [System.UInt32]
        $MaximumStorageMigrations,

        [Parameter()]
        [System.Boolean]
        $UseAnyNetwork,

        [Parameter()]
        [ValidateNotNullOrEmpty()]
        [System.String[]]
        $Networks
    )

    Assert-Wish -Properties $PSBoundParameters

    if (-not (Test-HyperV))
    {
        Write-Verbose -Message 'Hyper-V is not at work.'
        return $Ensure -eq 'Absent'
    }

    $vmHost = Read-HostSetting

    if ($vmHost.VirtualMachineMigrationEnabled -ne ($Ensure -eq 'Present'))
    {
        Write-Verbose -Message ('Live migration is on: {0}.' -f $vmHost.VirtualMachineMigrationEnabled)
        return $false
    }

    if ($Ensure -eq 'Absent')
    {
        return $true
    }

    $differing = Get-DifferingSetting -VMHost $vmHost -Properties $PSBoundParameters

    if ($differing.Count -gt 0)
    {
        Write-Verbose -Message ('These settings differ: {0}.' -f (@($differing.Keys | Sort-Object) -join ', '))
        return $false
    }

    if ($PSBoundParameters.ContainsKey('Networks'))
    {
        $change = Get-NetworkChange -Networks $Networks

        if ($change['Add'].Count -gt 0 -or $change['Remove'].Count -gt 0)
        {
            Write-Verbose -Message ('Networks to add: {0}. To remove: {1}.' -f
                ($change['Add'] -join ', '), ($change['Remove'] -join ', '))
            return $false
        }
    }

    Write-Verbose -Message 'Live migration is in the desired state.'
    return $true
}

<#
    .SYNOPSIS
        Sets live migration up.

    .DESCRIPTION
        All errors come before the first change. New networks are added before old ones are removed, and live
        migration is turned on last.

    .PARAMETER IsSingleInstance
        There is one such resource for a node. The only value is Yes.

    .PARAMETER Ensure
        Whether the host takes part in live migration. The default is Present. Absent turns it off and looks at
        nothing else.

    .PARAMETER AuthenticationType
        How hosts prove who they are. Kerberos is the one that is carried out; CredSSP is an error that says why.

    .PARAMETER PerformanceOption
        How memory travels: as it is (TCPIP), compressed, or by SMB.

    .PARAMETER MaximumVirtualMachineMigrations
        How many live migrations run at once, at most.

    .PARAMETER MaximumStorageMigrations
        How many storage migrations run at once, at most.

    .PARAMETER UseAnyNetwork
        Whether incoming migrations are taken on every network. Cannot be true together with Networks.

    .PARAMETER Networks
        The networks that take incoming migrations, exactly these, as 192.0.2.0/24, 2001:db8::/64 or one address. Not
        on nodes of a failover cluster.
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
        [ValidateSet('Present', 'Absent')]
        [System.String]
        $Ensure = 'Present',

        [Parameter()]
        [ValidateSet('Kerberos', 'CredSSP')]
        [System.String]
        $AuthenticationType,

        [Parameter()]
        [ValidateSet('TCPIP', 'Compression', 'SMB')]
        [System.String]
        $PerformanceOption,

        [Parameter()]
        [System.UInt32]
        $MaximumVirtualMachineMigrations,

        [Parameter()]
        [System.UInt32]
        $MaximumStorageMigrations,

        [Parameter()]
        [System.Boolean]
        $UseAnyNetwork,

        [Parameter()]
        [ValidateNotNullOrEmpty()]
        [System.String[]]
        $Networks
    )

    Assert-Wish -Properties $PSBoundParameters
    Assert-HyperV

    $vmHost = Read-HostSetting

    if ($Ensure -eq 'Absent')
    {
        if ($vmHost.VirtualMachineMigrationEnabled)
        {
            Write-Verbose -Message 'Turning live migration off.'
            Disable-Migration
        }

        return
    }

    Assert-DomainMember

    $change = @{
        Add    = @()
        Remove = @()
    }

    if ($PSBoundParameters.ContainsKey('Networks'))
    {
        $change = Get-NetworkChange -Networks $Networks
    }

    $settings = Get-DifferingSetting -VMHost $vmHost -Properties $PSBoundParameters

    if ($change['Add'].Count -gt 0 -or $change['Remove'].Count -gt 0 -or
        $settings.ContainsKey('UseAnyNetworkForMigration'))
    {
        Assert-NoCluster
    }

    # New networks come before old ones go, so that the host never listens nowhere.
    foreach ($network in $change['Add'])
    {
        Write-Verbose -Message ('Adding the network {0}.' -f $network)
        Add-Network -Subnet $network
    }

    if ($settings.Count -gt 0)
    {
        Write-Verbose -Message ('Setting {0}.' -f (@($settings.Keys | Sort-Object) -join ', '))
        Write-HostSetting -Settings $settings
    }

    foreach ($network in $change['Remove'])
    {
        Write-Verbose -Message ('Removing the network {0}.' -f $network)
        Remove-Network -Subnet $network
    }

    if (-not $vmHost.VirtualMachineMigrationEnabled)
    {
        Write-Verbose -Message 'Turning live migration on.'
        Enable-Migration
    }
}

<#
    .SYNOPSIS
        Throws when what is wanted cannot be carried out, whatever the machine is like.

    .PARAMETER Properties
        The bound parameters of the resource.
#>
function Assert-Wish
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Properties
    )

    $isPresent = -not $Properties.ContainsKey('Ensure') -or $Properties['Ensure'] -eq 'Present'

    if ($isPresent -and $Properties.ContainsKey('AuthenticationType') -and
        $Properties['AuthenticationType'] -eq 'CredSSP')
    {
        throw (New-ResourceError -Id 'CredSspRefused' -Category 'InvalidArgument' -Target 'CredSSP' -Message (
                'CredSSP needs somebody who is logged on to the source host, which a service that migrates is not, ' +
                'and Credential Guard, which Windows Server 2025 turns on in domains, breaks it. Use Kerberos with ' +
                'constrained delegation.'))
    }

    if (-not $Properties.ContainsKey('Networks'))
    {
        return
    }

    if ($Properties.ContainsKey('UseAnyNetwork') -and $Properties['UseAnyNetwork'])
    {
        throw (New-ResourceError -Id 'NetworksContradictory' -Category 'InvalidArgument' -Target 'Networks' -Message (
                'Networks and UseAnyNetwork contradict each other: give the networks, or take any.'))
    }

    foreach ($network in $Properties['Networks'])
    {
        $null = ConvertTo-Network -Text $network
    }
}

<#
    .SYNOPSIS
        Returns the wanted settings that the host does not have, by the names Set-VMHost gives them.

    .PARAMETER VMHost
        What Get-VMHost returned.

    .PARAMETER Properties
        The bound parameters of the resource.
#>
function Get-DifferingSetting
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $VMHost,

        [Parameter(Mandatory = $true)]
        [System.Object]
        $Properties
    )

    $wanted = @{}

    foreach ($name in $script:hostSettings.Keys)
    {
        if ($Properties.ContainsKey($name))
        {
            $wanted[$script:hostSettings[$name]] = $Properties[$name]
        }
    }

    # Networks that are listed count only where not every network is taken.
    if ($Properties.ContainsKey('Networks'))
    {
        $wanted['UseAnyNetworkForMigration'] = $false
    }

    $differing = @{}

    foreach ($name in $wanted.Keys)
    {
        if ([System.String] $VMHost.$name -ne [System.String] $wanted[$name])
        {
            $differing[$name] = $wanted[$name]
        }
    }

    return $differing
}

<#
    .SYNOPSIS
        Returns which networks have to be added, as they are written everywhere, and which removed, as the host writes
        them.

    .PARAMETER Networks
        The wanted networks.
#>
function Get-NetworkChange
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String[]]
        $Networks
    )

    $wanted = @($Networks | ForEach-Object -Process { ConvertTo-Network -Text $_ } | Sort-Object -Unique)
    $present = @(Read-MigrationNetwork)
    $known = @($present | ForEach-Object -Process { Get-ShownNetwork -Text $_ })

    return @{
        Add    = @($wanted | Where-Object -FilterScript { $known -notcontains $_ })
        Remove = @($present | Where-Object -FilterScript { $wanted -notcontains (Get-ShownNetwork -Text $_) })
    }
}

<#
    .SYNOPSIS
        Returns a network that the host has in the one spelling, or as it is when that is no network.

    .PARAMETER Text
        The network as the host writes it.
#>
function Get-ShownNetwork
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Text
    )

    try
    {
        return ConvertTo-Network -Text $Text
    }
    catch
    {
        Write-Verbose -Message ('The host has a network that is none: {0}' -f $_.Exception.Message)
        return $Text
    }
}

<#
    .SYNOPSIS
        Returns a network as it is always written: the first address and the length of the prefix.

    .PARAMETER Text
        A network such as 192.0.2.0/24, or one address.
#>
function ConvertTo-Network
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Text
    )

    $address, $length = $Text.Trim() -split '/', 2
    $bytes = ConvertTo-AddressByte -Text $address
    $isNetwork = $null -ne $bytes
    $bits = 0

    if ($isNetwork)
    {
        $bits = 8 * $bytes.Count

        if ($null -eq $length)
        {
            $length = [System.String] $bits
        }

        $isNetwork = $length -match '^[0-9]{1,3}$' -and [System.Int32] $length -le $bits
    }

    if (-not $isNetwork)
    {
        throw (New-ResourceError -Id 'NetworkMalformed' -Category 'InvalidArgument' -Target $Text -Message (
                "'{0}' is no network. Write it as 192.0.2.0/24 or 2001:db8::/64." -f $Text))
    }

    for ($bit = [System.Int32] $length; $bit -lt $bits; $bit++)
    {
        $index = [System.Int32] [System.Math]::Floor($bit / 8)

        if (($bytes[$index] -band (128 -shr ($bit % 8))) -ne 0)
        {
            throw (New-ResourceError -Id 'NetworkMalformed' -Category 'InvalidArgument' -Target $Text -Message (
                    "'{0}' is an address within a network. Write the first address of the network." -f $Text))
        }
    }

    return '{0}/{1}' -f (ConvertFrom-AddressByte -Bytes $bytes), [System.Int32] $length
}

<#
    .SYNOPSIS
        Throws when the machine belongs to no domain: without one there is no Kerberos between hosts.
#>
function Assert-DomainMember
{
    [CmdletBinding()]
    param ()

    if (-not (Test-DomainMembership))
    {
        throw (New-ResourceError -Id 'NotDomainMember' -Category 'InvalidOperation' -Target 'Ensure' -Message (
                'The machine is in a workgroup. Live migration needs Kerberos, and so a domain that all hosts are in.'))
    }
}

<#
    .SYNOPSIS
        Throws when the machine is a node of a failover cluster, which chooses migration networks itself.
#>
function Assert-NoCluster
{
    [CmdletBinding()]
    param ()

    if (Test-ClusterMembership)
    {
        throw (New-ResourceError -Id 'NetworksOwnedByCluster' -Category 'InvalidOperation' -Target 'Networks' -Message (
                'The machine is a node of a failover cluster: the cluster chooses the networks of live migration, ' +
                'and they cannot be set on its nodes. Leave out Networks and UseAnyNetwork, choose them there.'))
    }
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
        Returns the bytes of an IP address; null when the text is none.

    .PARAMETER Text
        The address.
#>
function ConvertTo-AddressByte
{
    [CmdletBinding()]
    [OutputType([System.Byte[]])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String]
        $Text
    )

    $address = $null

    # .NET takes 10 and 10.1 for addresses too, and reads 010 as 8; a network is written with all its parts.
    if (($Text -notmatch '^([0-9]{1,3}\.){3}[0-9]{1,3}$' -or $Text -match '(^|\.)0[0-9]') -and
        $Text -notmatch '^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$')
    {
        return $null
    }

    if (-not [System.Net.IPAddress]::TryParse($Text, [ref] $address))
    {
        return $null
    }

    return , $address.GetAddressBytes()
}

<#
    .SYNOPSIS
        Returns the text of an IP address.

    .PARAMETER Bytes
        Its bytes.
#>
function ConvertFrom-AddressByte
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Bytes
    )

    return (New-Object -TypeName 'System.Net.IPAddress' -ArgumentList @(, [System.Byte[]] $Bytes)).ToString()
}

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
        Returns the settings of the host.
#>
function Read-HostSetting
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param ()

    return Get-VMHost
}

<#
    .SYNOPSIS
        Changes settings of the host.

    .PARAMETER Settings
        Names and values of parameters of Set-VMHost.
#>
function Write-HostSetting
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Settings
    )

    Set-VMHost @Settings -Confirm:$false
}

<#
    .SYNOPSIS
        Hands out the networks that take incoming migrations, as the host writes them.
#>
function Read-MigrationNetwork
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param ()

    Get-VMMigrationNetwork | ForEach-Object -Process { [System.String] $_.Subnet }
}

<#
    .SYNOPSIS
        Lets a network take incoming migrations.

    .PARAMETER Subnet
        The network.
#>
function Add-Network
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Subnet
    )

    Add-VMMigrationNetwork -Subnet $Subnet -Confirm:$false
}

<#
    .SYNOPSIS
        Takes a network away from incoming migrations.

    .PARAMETER Subnet
        The network, as the host writes it.
#>
function Remove-Network
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Subnet
    )

    Remove-VMMigrationNetwork -Subnet $Subnet -Confirm:$false
}

<#
    .SYNOPSIS
        Turns live migration on.
#>
function Enable-Migration
{
    [CmdletBinding()]
    param ()

    Enable-VMMigration -Confirm:$false
}

<#
    .SYNOPSIS
        Turns live migration off.
#>
function Disable-Migration
{
    [CmdletBinding()]
    param ()

    Disable-VMMigration -Confirm:$false
}

<#
    .SYNOPSIS
        Tells whether the machine is in a domain.
#>
function Test-DomainMembership
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param ()

    return [System.Boolean] (Get-CimInstance -ClassName 'Win32_ComputerSystem').PartOfDomain
}

<#
    .SYNOPSIS
        Tells whether the machine is a node of a failover cluster: the service is there from the feature on, and only
        nodes may start it.
#>
function Test-ClusterMembership
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param ()

    $service = Get-CimInstance -ClassName 'Win32_Service' -Filter "Name = 'ClusSvc'"

    return $null -ne $service -and $service.StartMode -ne 'Disabled'
}

#endregion

Export-ModuleMember -Function 'Get-TargetResource', 'Test-TargetResource', 'Set-TargetResource'
