<#
    Moves the IPv4 addresses of a network adapter, with gateway and name servers, to the adapter of a bridge.

    What the adapter had is saved in the registry before the first change, and tasks of Windows give it back unless
    somebody was heard over the bridge in time, also when this script did not come to its end.

    Every call that touches the machine stands alone in a small private function, so that the logic above it can be
    run with these functions replaced. This module has been parsed, but has not run on Windows.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

$script:moduleFolder = Split-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -Parent
Import-Module -Name (Join-Path -Path $script:moduleFolder -ChildPath 'Modules/ProvisionerDsc.Common')

# Below HKEY_LOCAL_MACHINE; a key for each bridge.
$script:stateKey = 'SOFTWARE\provisioner\BridgeAddress'

# How long an adapter that was just enabled may take to be up.
$script:upSeconds = 30

# What New-NetRoute gives a route by itself.
$script:routeMetric = 256

<#
    .SYNOPSIS
        Returns the addresses on the bridge, and how far a move has come.

    .PARAMETER BridgeAdapter
        Name of the network adapter that the machine has on the bridge.

    .PARAMETER SourceAdapter
        Name of the network adapter that has the addresses before.
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
        $BridgeAdapter,

        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $SourceAdapter
    )

    $saved = Read-Snapshot -BridgeAdapter $BridgeAdapter
    $found = Get-Configuration -Alias $BridgeAdapter
    $state = @{
        BridgeAdapter  = $BridgeAdapter
        SourceAdapter  = $SourceAdapter
        Ensure         = 'Absent'
        Addresses      = [System.String[]] $found['Addresses']
        DefaultGateway = $found['Gateway']
        DnsServers     = [System.String[]] $found['DnsServers']
        VMSwitchName   = $null
        ExtensionNames = $null
        TimeoutSeconds = $null
        Phase          = $null
    }

    if ($null -ne $saved)
    {
        $state['Phase'] = $saved['Phase']
        $state['SourceAdapter'] = $saved['Source']

        if ($saved['Phase'] -eq 'Confirmed')
        {
            $state['Ensure'] = 'Present'
        }
    }

    return $state
}

<#
    .SYNOPSIS
        Tells whether the addresses are on the bridge, and the move was confirmed.

    .PARAMETER BridgeAdapter
        Name of the network adapter that the machine has on the bridge.

    .PARAMETER SourceAdapter
        Name of the network adapter that has the addresses before.

    .PARAMETER Ensure
        Whether the addresses are on the bridge.

    .PARAMETER Addresses
        IPv4 addresses with their prefix length.

    .PARAMETER DefaultGateway
        The default gateway.

    .PARAMETER DnsServers
        The name servers, in their order.

    .PARAMETER VMSwitchName
        Name of the virtual switch.

    .PARAMETER ExtensionNames
        Names of the extension that is disabled again when the addresses go back.

    .PARAMETER TimeoutSeconds
        How long somebody may take to be heard over the bridge.
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
        $BridgeAdapter,

        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $SourceAdapter,

        [Parameter()]
        [ValidateSet('Present', 'Absent')]
        [System.String]
        $Ensure = 'Present',

        [Parameter()]
        [ValidateNotNullOrEmpty()]
        [System.String[]]
        $Addresses,

        [Parameter()]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $DefaultGateway,

        [Parameter()]
        [ValidateNotNullOrEmpty()]
        [System.String[]]
        $DnsServers,

        [Parameter()]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $VMSwitchName,

        [Parameter()]
        [ValidateNotNullOrEmpty()]
        [System.String[]]
        $ExtensionNames,

        [Parameter()]
        [ValidateRange(10, 3600)]
        [System.UInt32]
        $TimeoutSeconds = 180
    )

    Assert-Property -Desired $PSBoundParameters
    $saved = Read-Snapshot -BridgeAdapter $BridgeAdapter

    if ($Ensure -eq 'Absent')
    {
        return ($null -eq $saved)
    }

    if (($null -eq $saved) -or ($saved['Phase'] -ne 'Confirmed'))
    {
        Write-Verbose -Message ("No move of addresses to '{0}' was confirmed." -f $BridgeAdapter)
        return $false
    }

    if (Test-Guard -Name (Get-OwnGuardName -BridgeAdapter $BridgeAdapter))
    {
        Write-Verbose -Message ("A task is about to move the addresses of '{0}' back." -f $BridgeAdapter)
        return $false
    }

    if ($PSBoundParameters.ContainsKey('VMSwitchName') -and
        (Test-Guard -Name (Get-GuardName -VMSwitchName $VMSwitchName)))
    {
        Write-Verbose -Message ("A task is about to disable the extension of the switch '{0}'." -f $VMSwitchName)
        return $false
    }

    $wanted = Get-Wanted -Desired $PSBoundParameters -Saved $saved

    return ((Test-Configuration -Alias $BridgeAdapter -Wanted $wanted) -and
        ((Get-Configuration -Alias $SourceAdapter)['Addresses'].Count -eq 0))
}

<#
    .SYNOPSIS
        Moves the addresses to the bridge and waits for somebody to be heard; without that they go back.

    .PARAMETER BridgeAdapter
        Name of the network adapter that the machine has on the bridge.

    .PARAMETER SourceAdapter
        Name of the network adapter that has the addresses before.

    .PARAMETER Ensure
        Whether the addresses are on the bridge.

    .PARAMETER Addresses
        IPv4 addresses with their prefix length.

    .PARAMETER DefaultGateway
        The default gateway.

    .PARAMETER DnsServers
        The name servers, in their order.

    .PARAMETER VMSwitchName
        Name of the virtual switch.

    .PARAMETER ExtensionNames
        Names of the extension that is disabled again when the addresses go back.

    .PARAMETER TimeoutSeconds
        How long somebody may take to be heard over the bridge.
#>
function Set-TargetResource
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $BridgeAdapter,

        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $SourceAdapter,

        [Parameter()]
        [ValidateSet('Present', 'Absent')]
        [System.String]
        $Ensure = 'Present',

        [Parameter()]
        [ValidateNotNullOrEmpty()]
        [System.String[]]
        $Addresses,

        [Parameter()]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $DefaultGateway,

        [Parameter()]
        [ValidateNotNullOrEmpty()]
        [System.String[]]
        $DnsServers,

        [Parameter()]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $VMSwitchName,

        [Parameter()]
        [ValidateNotNullOrEmpty()]
        [System.String[]]
        $ExtensionNames,

        [Parameter()]
        [ValidateRange(10, 3600)]
        [System.UInt32]
        $TimeoutSeconds = 180
    )

    Assert-Property -Desired $PSBoundParameters
    $saved = Read-Snapshot -BridgeAdapter $BridgeAdapter

    if ($Ensure -eq 'Absent')
    {
        if ($null -ne $saved)
        {
            Restore-Address -BridgeAdapter $BridgeAdapter -Saved $saved
            Unregister-Guard -Name (Get-OwnGuardName -BridgeAdapter $BridgeAdapter)
        }

        return
    }

    Wait-Adapter -Name $BridgeAdapter
    Assert-Adapter -Desired $PSBoundParameters -Saved $saved

    if ($null -eq $saved)
    {
        $saved = Get-FirstSnapshot -Desired $PSBoundParameters
    }

    $wanted = Get-Wanted -Desired $PSBoundParameters -Saved $saved
    Assert-Address -Desired $PSBoundParameters -Wanted $wanted
    $saved['Phase'] = 'Moving'
    Write-Snapshot -BridgeAdapter $BridgeAdapter -Snapshot $saved
    Add-EveryGuard -Desired $PSBoundParameters -Second ($TimeoutSeconds + 60)

    try
    {
        $since = Get-Now
        Set-Configuration -Alias $saved['Source'] -Wanted (Get-Nothing)
        Set-Configuration -Alias $BridgeAdapter -Wanted $wanted
        Wait-Confirmation -BridgeAdapter $BridgeAdapter -Wanted $wanted -Since $since -Second $TimeoutSeconds
    }
    catch
    {
        Write-Verbose -Message ('The addresses go back: {0}' -f $_.Exception.Message)
        Restore-EveryAddress -Desired $PSBoundParameters -Saved $saved

        throw
    }

    $saved['Phase'] = 'Confirmed'
    Write-Snapshot -BridgeAdapter $BridgeAdapter -Snapshot $saved

    if ($PSBoundParameters.ContainsKey('VMSwitchName'))
    {
        Unregister-Guard -Name (Get-GuardName -VMSwitchName $VMSwitchName)
    }

    # Last, since it undoes the whole when this script ends before.
    Unregister-Guard -Name (Get-OwnGuardName -BridgeAdapter $BridgeAdapter)
}

<#
    .SYNOPSIS
        Throws when something is malformed, or a property lacks the one it belongs to.

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

    $bridge = $Desired['BridgeAdapter']
    $octet = '(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])'
    $names = @($bridge, $Desired['SourceAdapter'], $Desired['VMSwitchName']) + @($Desired['ExtensionNames'])

    foreach ($name in @($names | Where-Object -FilterScript { $null -ne $_ }))
    {
        if ($name.Contains('"'))
        {
            throw (New-ResourceError -Id 'NameMalformed' -Category 'InvalidArgument' -Target $name -Message (
                    "The name '{0}' has a double quote, which no task of Windows could be told." -f $name))
        }
    }

    if ($bridge -eq $Desired['SourceAdapter'])
    {
        throw (New-ResourceError -Id 'AdapterTwice' -Category 'InvalidArgument' -Target $bridge -Message (
                "The addresses of '{0}' are there already: SourceAdapter is another adapter." -f $bridge))
    }

    foreach ($address in @($Desired['Addresses'] | Where-Object -FilterScript { $null -ne $_ }))
    {
        if ($address -notmatch ('\A({0}\.){{3}}{0}/([1-9]|[12][0-9]|3[0-2])\z' -f $octet))
        {
            throw (New-ResourceError -Id 'AddressMalformed' -Category 'InvalidArgument' -Target $bridge -Message (
                    "'{0}' is no IPv4 address with a prefix length, as in 192.0.2.10/24." -f $address))
        }
    }

    $hosts = @(@($Desired['DefaultGateway']) + @($Desired['DnsServers']))

    foreach ($address in @($hosts | Where-Object -FilterScript { $null -ne $_ }))
    {
        if ($address -notmatch ('\A({0}\.){{3}}{0}\z' -f $octet))
        {
            throw (New-ResourceError -Id 'AddressMalformed' -Category 'InvalidArgument' -Target $bridge -Message (
                    "'{0}' is no IPv4 address." -f $address))
        }
    }

    if ($Desired.ContainsKey('VMSwitchName') -ne $Desired.ContainsKey('ExtensionNames'))
    {
        throw (New-ResourceError -Id 'SwitchIncomplete' -Category 'InvalidArgument' -Target $bridge -Message (
                'VMSwitchName and ExtensionNames go together: what is disabled again, and where.'))
    }

    if (($Desired.ContainsKey('DefaultGateway') -or $Desired.ContainsKey('DnsServers')) -and
        -not $Desired.ContainsKey('Addresses'))
    {
        throw (New-ResourceError -Id 'AddressesMissing' -Category 'InvalidArgument' -Target $bridge -Message (
                'DefaultGateway and DnsServers go with Addresses; without these, all is taken over from the adapter.'))
    }
}

<#
    .SYNOPSIS
        Waits for an adapter that was just enabled to be up. What is missing or disabled is not waited for.

    .PARAMETER Name
        Name of the network adapter.
#>
function Wait-Adapter
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name
    )

    for ($waited = 0; $waited -lt $script:upSeconds; $waited += 2)
    {
        $found = @(Get-EveryAdapter | Where-Object -FilterScript { $_.Name -eq $Name })

        if (($found.Count -eq 0) -or (@('Up', 'Disabled') -contains $found[0].Status.ToString()))
        {
            return
        }

        Wait-Second -Second 2
    }
}

<#
    .SYNOPSIS
        Throws when an adapter is missing or disabled, or the addresses came from another one.

    .PARAMETER Desired
        The bound parameters.

    .PARAMETER Saved
        What was saved; nothing before the first move.
#>
function Assert-Adapter
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Collections.IDictionary]
        $Desired,

        [Parameter()]
        [AllowNull()]
        [System.Collections.Hashtable]
        $Saved
    )

    $adapters = @(Get-EveryAdapter)

    foreach ($name in @($Desired['BridgeAdapter'], $Desired['SourceAdapter']))
    {
        $found = @($adapters | Where-Object -FilterScript { $_.Name -eq $name })

        if ($found.Count -eq 0)
        {
            $others = @($adapters | ForEach-Object -Process { "'{0}'" -f $_.Name }) -join ', '

            throw (New-ResourceError -Id 'AdapterNotFound' -Category 'ObjectNotFound' -Target $name -Message (
                    "No network adapter is called '{0}'. There are: {1}" -f $name, $others))
        }

        if (($name -eq $Desired['BridgeAdapter']) -and ($found[0].Status.ToString() -ne 'Up'))
        {
            throw (New-ResourceError -Id 'AdapterNotUp' -Category 'ResourceUnavailable' -Target $name -Message (
                    "The network adapter '{0}' is {1}: nobody would be heard over it." -f $name, $found[0].Status))
        }
    }

    if (($null -ne $Saved) -and ($Saved['Source'] -ne $Desired['SourceAdapter']))
    {
        throw (New-ResourceError -Id 'SourceChanged' -Category 'InvalidOperation' -Target $Saved['Source'] -Message (
                ("The addresses on '{0}' came from '{1}', not from '{2}'. Move them back first, with Ensure Absent.") -f
                $Desired['BridgeAdapter'], $Saved['Source'], $Desired['SourceAdapter']))
    }
}

<#
    .SYNOPSIS
        Returns what the source has; what the bridge has, when somebody moved it before.

    .PARAMETER Desired
        The bound parameters.
#>
function Get-FirstSnapshot
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Collections.IDictionary]
        $Desired
    )

    $snapshot = Get-Configuration -Alias $Desired['SourceAdapter']

    if (($snapshot['Addresses'].Count -eq 0) -and -not $Desired.ContainsKey('Addresses'))
    {
        $snapshot = Get-Configuration -Alias $Desired['BridgeAdapter']
        $snapshot['Dhcp'] = $false
        Write-Verbose -Message ("The addresses on '{0}' already: '{1}'." -f
            $Desired['BridgeAdapter'], ($snapshot['Addresses'] -join ', '))
    }

    $snapshot['Source'] = $Desired['SourceAdapter']

    return $snapshot
}

<#
    .SYNOPSIS
        Throws when there is no address to move.

    .PARAMETER Desired
        The bound parameters.

    .PARAMETER Wanted
        What the bridge is to have.
#>
function Assert-Address
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Collections.IDictionary]
        $Desired,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Wanted
    )

    if ($Wanted['Addresses'].Count -eq 0)
    {
        throw (New-ResourceError -Id 'NoAddress' -Category 'InvalidOperation' -Target 'Addresses' -Message (
                "Neither '{0}' nor '{1}' has an IPv4 address, and Addresses are not given." -f
                $Desired['SourceAdapter'], $Desired['BridgeAdapter']))
    }
}

<#
    .SYNOPSIS
        Returns what the bridge is to have: what is given, or what was taken over.

    .PARAMETER Desired
        The bound parameters.

    .PARAMETER Saved
        What was saved.
#>
function Get-Wanted
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Collections.IDictionary]
        $Desired,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Saved
    )

    if (-not $Desired.ContainsKey('Addresses'))
    {
        return @{
            Addresses  = @($Saved['Addresses'])
            Gateway    = $Saved['Gateway']
            Metric     = $Saved['Metric']
            DnsServers = @($Saved['DnsServers'])
            Dhcp       = $false
        }
    }

    $wanted = Get-Nothing
    $wanted['Addresses'] = @($Desired['Addresses'])

    if ($Desired.ContainsKey('DefaultGateway'))
    {
        $wanted['Gateway'] = $Desired['DefaultGateway']
    }

    if ($Desired.ContainsKey('DnsServers'))
    {
        $wanted['DnsServers'] = @($Desired['DnsServers'])
    }

    return $wanted
}

<#
    .SYNOPSIS
        Returns the configuration of an adapter without addresses.
#>
function Get-Nothing
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param ()

    return @{
        Addresses  = @()
        Gateway    = ''
        Metric     = $script:routeMetric
        DnsServers = @()
        Dhcp       = $false
    }
}

<#
    .SYNOPSIS
        Returns the IPv4 addresses with their prefix, gateway with its metric and name servers of an adapter, and
        whether it asks for them by DHCP. Addresses that Windows makes up itself are none.

    .PARAMETER Alias
        Name of the network adapter.
#>
function Get-Configuration
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Alias
    )

    $addresses = @(Get-EveryAddress | Where-Object -FilterScript {
            ($_.InterfaceAlias -eq $Alias) -and -not $_.IPAddress.StartsWith('169.254.') })
    $routes = @(Get-DefaultRoute | Where-Object -FilterScript { $_.InterfaceAlias -eq $Alias })
    $servers = @(Get-NameServer | Where-Object -FilterScript { $_.InterfaceAlias -eq $Alias })
    $interfaces = @(Get-Interface | Where-Object -FilterScript { $_.InterfaceAlias -eq $Alias })
    $gateway = ''
    $metric = $script:routeMetric

    if ($routes.Count -gt 0)
    {
        $gateway = $routes[0].NextHop
        $metric = [System.Int32] $routes[0].RouteMetric
    }

    return @{
        Addresses  = @($addresses | ForEach-Object -Process { '{0}/{1}' -f $_.IPAddress, $_.PrefixLength })
        Gateway    = $gateway
        Metric     = $metric
        DnsServers = @($servers | ForEach-Object -Process { $_.ServerAddresses } | Where-Object -FilterScript { $_ })
        Dhcp       = (@($interfaces | Where-Object -FilterScript { $_.Dhcp.ToString() -eq 'Enabled' }).Count -gt 0)
    }
}

<#
    .SYNOPSIS
        Tells whether an adapter has just these addresses, in any order, and this gateway and these name servers.

    .PARAMETER Alias
        Name of the network adapter.

    .PARAMETER Wanted
        What it is to have.
#>
function Test-Configuration
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Alias,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Wanted
    )

    $found = Get-Configuration -Alias $Alias
    Write-Verbose -Message ("'{0}' has the addresses '{1}', the gateway '{2}' and the name servers '{3}'." -f
        $Alias, ($found['Addresses'] -join ', '), $found['Gateway'], ($found['DnsServers'] -join ', '))

    $addresses = @($found['Addresses'] | Sort-Object) -join ' '

    return (($addresses -eq (@($Wanted['Addresses'] | Sort-Object) -join ' ')) -and
        ($found['Gateway'] -eq $Wanted['Gateway']) -and
        (($found['DnsServers'] -join ' ') -eq ($Wanted['DnsServers'] -join ' ')))
}

<#
    .SYNOPSIS
        Gives an adapter just these addresses, this gateway and these name servers; what is right already stays.

    .PARAMETER Alias
        Name of the network adapter.

    .PARAMETER Wanted
        What it is to have.
#>
function Set-Configuration
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Alias,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Wanted
    )

    $found = Get-Configuration -Alias $Alias

    # First, since who asks for a lease may get one again, and since the name servers of a lease go with it.
    if ($found['Dhcp'] -and -not $Wanted['Dhcp'])
    {
        Set-Dhcp -Alias $Alias -Enabled $false
        $found = Get-Configuration -Alias $Alias
    }

    if ($found['Gateway'] -and ($found['Gateway'] -ne $Wanted['Gateway']))
    {
        try
        {
            Remove-Gateway -Alias $Alias -NextHop $found['Gateway']
        }
        catch
        {
            # That of a lease may be gone by now.
            if ((Get-Configuration -Alias $Alias)['Gateway'] -eq $found['Gateway'])
            {
                throw
            }
        }
    }

    foreach ($address in @($found['Addresses'] | Where-Object -FilterScript { $Wanted['Addresses'] -notcontains $_ }))
    {
        Write-Verbose -Message ("Taking the address {0} from '{1}'." -f $address, $Alias)

        try
        {
            Remove-Address -Alias $Alias -IPAddress ($address -split '/')[0]
        }
        catch
        {
            # That of a lease may be gone by now.
            if ((Get-Configuration -Alias $Alias)['Addresses'] -contains $address)
            {
                throw
            }
        }
    }

    # With DHCP on, the server says the rest.
    if ($Wanted['Dhcp'])
    {
        if (-not $found['Dhcp'])
        {
            Set-Dhcp -Alias $Alias -Enabled $true
        }

        Clear-NameServer -Alias $Alias
        return
    }

    $there = (Get-Configuration -Alias $Alias)['Addresses']

    foreach ($address in @($Wanted['Addresses'] | Where-Object -FilterScript { $there -notcontains $_ }))
    {
        Write-Verbose -Message ("Giving '{0}' the address {1}." -f $Alias, $address)
        $parts = $address -split '/'
        Add-Address -Alias $Alias -IPAddress $parts[0] -PrefixLength ([System.Int32] $parts[1])
    }

    if ($Wanted['Gateway'] -and ((Get-Configuration -Alias $Alias)['Gateway'] -ne $Wanted['Gateway']))
    {
        Add-Gateway -Alias $Alias -NextHop $Wanted['Gateway'] -Metric $Wanted['Metric']
    }

    if (($found['DnsServers'] -join ' ') -ne ($Wanted['DnsServers'] -join ' '))
    {
        if ($Wanted['DnsServers'].Count -gt 0)
        {
            Set-NameServer -Alias $Alias -Server $Wanted['DnsServers']
        }
        else
        {
            Clear-NameServer -Alias $Alias
        }
    }
}

<#
    .SYNOPSIS
        Waits until somebody is heard over the bridge; throws when nobody is in time.

    .PARAMETER BridgeAdapter
        Name of the network adapter that the machine has on the bridge.

    .PARAMETER Wanted
        What the bridge has now.

    .PARAMETER Since
        When the move began.

    .PARAMETER Second
        How long to wait.
#>
function Wait-Confirmation
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $BridgeAdapter,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Wanted,

        [Parameter(Mandatory = $true)]
        [System.DateTime]
        $Since,

        [Parameter(Mandatory = $true)]
        [System.UInt32]
        $Second
    )

    $addresses = @($Wanted['Addresses'] | ForEach-Object -Process { ($_ -split '/')[0] })

    # Asking takes time as well, and the tasks do not wait for it.
    $began = Get-Now

    for ($waited = 0; ($waited -lt $Second) -and (((Get-Now) - $began).TotalSeconds -lt $Second); $waited += 2)
    {
        if (Test-Configuration -Alias $BridgeAdapter -Wanted $Wanted)
        {
            if ($Wanted['Gateway'] -and (Test-Echo -Address $Wanted['Gateway']))
            {
                Write-Verbose -Message ('The default gateway {0} answers.' -f $Wanted['Gateway'])
                return
            }

            if ((-not $Wanted['Gateway']) -and (Test-Preferred -Address $addresses))
            {
                Write-Verbose -Message 'There is no default gateway; the addresses are nobody else''s.'
                return
            }

            # What the machine says to itself does not pass the bridge.
            $new = @(Get-Connection | Where-Object -FilterScript {
                    ($addresses -contains $_.LocalAddress) -and ($addresses -notcontains $_.RemoteAddress) -and
                    ($_.CreationTime -gt $Since) })

            if ($new.Count -gt 0)
            {
                Write-Verbose -Message 'Somebody is connected over the bridge.'
                return
            }
        }

        Wait-Second -Second 2
    }

    $silence = 'there is no default gateway, Windows has not found that nobody else has the addresses'

    if ($Wanted['Gateway'])
    {
        $silence = "the default gateway '{0}' does not answer" -f $Wanted['Gateway']
    }

    throw (New-ResourceError -Id 'MoveNotConfirmed' -Category 'OperationTimeout' -Target $BridgeAdapter -Message (
            ("Nobody was heard over '{0}' within {1} seconds: {2}, and no connection to {3} was made. The " +
            'addresses are back where they were.') -f $BridgeAdapter, $Second, $silence, ($addresses -join ', ')))
}

<#
    .SYNOPSIS
        Tells whether Windows uses all of these addresses: none is still being looked at, or a duplicate.

    .PARAMETER Address
        The addresses.
#>
function Test-Preferred
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String[]]
        $Address
    )

    $good = @(Get-EveryAddress | Where-Object -FilterScript {
            ($Address -contains $_.IPAddress) -and ($_.AddressState.ToString() -eq 'Preferred') })

    return ($good.Count -eq $Address.Count)
}

<#
    .SYNOPSIS
        Gives the source what it had, and forgets the move.

    .PARAMETER BridgeAdapter
        Name of the network adapter that the machine has on the bridge.

    .PARAMETER Saved
        What was saved.
#>
function Restore-Address
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $BridgeAdapter,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Saved
    )

    $adapters = @(Get-EveryAdapter | ForEach-Object -Process { $_.Name })

    if ($adapters -notcontains $Saved['Source'])
    {
        throw (New-ResourceError -Id 'AdapterNotFound' -Category 'ObjectNotFound' -Target $Saved['Source'] -Message (
                "No network adapter is called '{0}', where the addresses of '{1}' came from. There are: {2}" -f
                $Saved['Source'], $BridgeAdapter, ($adapters -join ', ')))
    }

    $problem = $null

    if ($adapters -contains $BridgeAdapter)
    {
        try
        {
            Set-Configuration -Alias $BridgeAdapter -Wanted (Get-Nothing)
        }
        catch
        {
            # The source comes first: the machine may be reached through nothing else.
            Write-Verbose -Message ("'{0}' keeps something: {1}" -f $BridgeAdapter, $_.Exception.Message)
            $problem = $_
        }
    }

    Set-Configuration -Alias $Saved['Source'] -Wanted $Saved

    if ($null -ne $problem)
    {
        throw $problem
    }

    Clear-Snapshot -BridgeAdapter $BridgeAdapter
}

<#
    .SYNOPSIS
        Gives back what this move took, and what other moves did over the same extension, which is then disabled.

    .PARAMETER Desired
        The bound parameters.

    .PARAMETER Saved
        What was saved of this move.
#>
function Restore-EveryAddress
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Collections.IDictionary]
        $Desired,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Saved
    )

    try
    {
        Restore-Address -BridgeAdapter $Desired['BridgeAdapter'] -Saved $Saved

        foreach ($other in @(Get-OtherBridge -Desired $Desired))
        {
            Write-Verbose -Message ("The addresses on '{0}' go back too." -f $other)
            Restore-Address -BridgeAdapter $other -Saved (Read-Snapshot -BridgeAdapter $other)
        }
    }
    finally
    {
        if ($Desired.ContainsKey('VMSwitchName'))
        {
            Invoke-Guard -Name (Get-GuardName -VMSwitchName $Desired['VMSwitchName'])
        }
    }

    Unregister-Guard -Name (Get-OwnGuardName -BridgeAdapter $Desired['BridgeAdapter'])
}

<#
    .SYNOPSIS
        Hands out the other bridges that have addresses, which they would have to themselves once the extension is
        disabled. Windows lets Open vSwitch have one virtual switch, so it is theirs too.

    .PARAMETER Desired
        The bound parameters.
#>
function Get-OtherBridge
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Collections.IDictionary]
        $Desired
    )

    if (-not $Desired.ContainsKey('VMSwitchName'))
    {
        return
    }

    foreach ($name in @(Get-SavedBridge))
    {
        if (($name -ne $Desired['BridgeAdapter']) -and ($null -ne (Read-Snapshot -BridgeAdapter $name)))
        {
            $name
        }
    }
}

<#
    .SYNOPSIS
        Returns the name of the task that moves the addresses back.

    .PARAMETER BridgeAdapter
        Name of the network adapter that the machine has on the bridge.
#>
function Get-OwnGuardName
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $BridgeAdapter
    )

    return ('addresses of {0}' -f $BridgeAdapter)
}

<#
    .SYNOPSIS
        Returns the step of a task that moves addresses back.

    .PARAMETER BridgeAdapter
        Name of the network adapter that the machine has on the bridge.

    .PARAMETER SourceAdapter
        Name of the network adapter that had the addresses before.
#>
function Get-Step
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $BridgeAdapter,

        [Parameter(Mandatory = $true)]
        [System.String]
        $SourceAdapter
    )

    return @{
        Resource = 'BridgeAddress'
        Option   = '-BridgeAdapter {0} -SourceAdapter {1} -Ensure Absent' -f (
            ConvertTo-Literal -Text $BridgeAdapter), (ConvertTo-Literal -Text $SourceAdapter)
    }
}

<#
    .SYNOPSIS
        Lets tasks move the addresses back and disable the extension, unless they are taken away in time.

    .PARAMETER Desired
        The bound parameters.

    .PARAMETER Second
        After how many seconds.
#>
function Add-EveryGuard
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Collections.IDictionary]
        $Desired,

        [Parameter(Mandatory = $true)]
        [System.UInt32]
        $Second
    )

    # One task for all of it, so that there is no moment in which only a part would be undone. Its last step removes it.
    $steps = @(
        foreach ($other in @(Get-OtherBridge -Desired $Desired))
        {
            Get-Step -BridgeAdapter $other -SourceAdapter (Read-Snapshot -BridgeAdapter $other)['Source']
        }
    )

    if ($Desired.ContainsKey('VMSwitchName'))
    {
        $steps += Get-ExtensionStep -VMSwitchName $Desired['VMSwitchName'] -Names $Desired['ExtensionNames']
    }

    $steps += Get-Step -BridgeAdapter $Desired['BridgeAdapter'] -SourceAdapter $Desired['SourceAdapter']
    Register-Guard -Name (Get-OwnGuardName -BridgeAdapter $Desired['BridgeAdapter']) -Step $steps -Second $Second

    if ($Desired.ContainsKey('VMSwitchName'))
    {
        $guard = @{
            VMSwitchName = $Desired['VMSwitchName']
            Names        = $Desired['ExtensionNames']
            Second       = $Second
        }

        Register-ExtensionGuard @guard
    }
}

<#
    .SYNOPSIS
        Returns what was saved of a move: Source, Addresses, Gateway, Metric, DnsServers, Dhcp and Phase; null without
        one.

    .PARAMETER BridgeAdapter
        Name of the network adapter that the machine has on the bridge.
#>
function Read-Snapshot
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $BridgeAdapter
    )

    $phase = Read-Value -BridgeAdapter $BridgeAdapter -Name 'Phase'

    if ($null -eq $phase)
    {
        return $null
    }

    $metric = $script:routeMetric
    $text = Read-Value -BridgeAdapter $BridgeAdapter -Name 'Metric'

    if (-not [System.String]::IsNullOrEmpty($text))
    {
        $metric = [System.Int32] $text
    }

    return @{
        Phase      = $phase
        Metric     = $metric
        Source     = Read-Value -BridgeAdapter $BridgeAdapter -Name 'Source'
        Gateway    = Read-Value -BridgeAdapter $BridgeAdapter -Name 'Gateway'
        Addresses  = @(Split-List -Text (Read-Value -BridgeAdapter $BridgeAdapter -Name 'Addresses'))
        DnsServers = @(Split-List -Text (Read-Value -BridgeAdapter $BridgeAdapter -Name 'DnsServers'))
        Dhcp       = ((Read-Value -BridgeAdapter $BridgeAdapter -Name 'Dhcp') -eq 'yes')
    }
}

<#
    .SYNOPSIS
        Hands out the entries of a list with commas.

    .PARAMETER Text
        The list; empty without an entry.
#>
function Split-List
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [AllowNull()]
        [System.String]
        $Text
    )

    $Text -split ',' | Where-Object -FilterScript { $_ }
}

<#
    .SYNOPSIS
        Saves what is to be given back. The phase comes last: without it nothing was saved.

    .PARAMETER BridgeAdapter
        Name of the network adapter that the machine has on the bridge.

    .PARAMETER Snapshot
        What Read-Snapshot returns.
#>
function Write-Snapshot
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $BridgeAdapter,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Snapshot
    )

    $dhcp = 'no'

    if ($Snapshot['Dhcp'])
    {
        $dhcp = 'yes'
    }

    Write-Value -BridgeAdapter $BridgeAdapter -Name 'Source' -Text $Snapshot['Source']
    Write-Value -BridgeAdapter $BridgeAdapter -Name 'Gateway' -Text $Snapshot['Gateway']
    Write-Value -BridgeAdapter $BridgeAdapter -Name 'Metric' -Text ([System.String] $Snapshot['Metric'])
    Write-Value -BridgeAdapter $BridgeAdapter -Name 'Addresses' -Text ($Snapshot['Addresses'] -join ',')
    Write-Value -BridgeAdapter $BridgeAdapter -Name 'DnsServers' -Text ($Snapshot['DnsServers'] -join ',')
    Write-Value -BridgeAdapter $BridgeAdapter -Name 'Dhcp' -Text $dhcp
    Write-Value -BridgeAdapter $BridgeAdapter -Name 'Phase' -Text $Snapshot['Phase']
}

#region One call each

<#
    .SYNOPSIS
        Returns a value that was saved of a move; null when it is not there.

    .PARAMETER BridgeAdapter
        Name of the network adapter that the machine has on the bridge.

    .PARAMETER Name
        Name of the value.
#>
function Read-Value
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $BridgeAdapter,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Name
    )

    return [Microsoft.Win32.Registry]::GetValue("HKEY_LOCAL_MACHINE\$script:stateKey\$BridgeAdapter", $Name, $null)
}

<#
    .SYNOPSIS
        Saves a value of a move.

    .PARAMETER BridgeAdapter
        Name of the network adapter that the machine has on the bridge.

    .PARAMETER Name
        Name of the value.

    .PARAMETER Text
        The value.
#>
function Write-Value
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $BridgeAdapter,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Name,

        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [AllowNull()]
        [System.String]
        $Text
    )

    [Microsoft.Win32.Registry]::SetValue(
        "HKEY_LOCAL_MACHINE\$script:stateKey\$BridgeAdapter", $Name, $Text,
        [Microsoft.Win32.RegistryValueKind]::String)
}

<#
    .SYNOPSIS
        Forgets a move.

    .PARAMETER BridgeAdapter
        Name of the network adapter that the machine has on the bridge.
#>
function Clear-Snapshot
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $BridgeAdapter
    )

    [Microsoft.Win32.Registry]::LocalMachine.DeleteSubKeyTree("$script:stateKey\$BridgeAdapter", $false)
}

<#
    .SYNOPSIS
        Hands out the names of the bridges of which something was saved.
#>
function Get-SavedBridge
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param ()

    $key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey($script:stateKey)

    if ($null -eq $key)
    {
        return
    }

    try
    {
        $key.GetSubKeyNames()
    }
    finally
    {
        $key.Dispose()
    }
}

<#
    .SYNOPSIS
        Hands out all network adapters.
#>
function Get-EveryAdapter
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param ()

    Get-NetAdapter -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Hands out all IPv4 addresses.
#>
function Get-EveryAddress
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param ()

    Get-NetIPAddress -AddressFamily 'IPv4' -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Hands out all default routes of IPv4.
#>
function Get-DefaultRoute
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param ()

    # All routes, since asking for one that is not there is an error.
    Get-NetRoute -AddressFamily 'IPv4' -ErrorAction 'Stop' | Where-Object -FilterScript {
        $_.DestinationPrefix -eq '0.0.0.0/0' }
}

<#
    .SYNOPSIS
        Hands out the name servers of all adapters.
#>
function Get-NameServer
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param ()

    Get-DnsClientServerAddress -AddressFamily 'IPv4' -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Hands out how IPv4 is set up on all adapters.
#>
function Get-Interface
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param ()

    Get-NetIPInterface -AddressFamily 'IPv4' -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Hands out the TCP connections that are established.
#>
function Get-Connection
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param ()

    # All of them, since asking for a state that none has is an error.
    Get-NetTCPConnection -ErrorAction 'Stop' | Where-Object -FilterScript { $_.State.ToString() -eq 'Established' }
}

<#
    .SYNOPSIS
        Takes an address from an adapter.

    .PARAMETER Alias
        Name of the network adapter.

    .PARAMETER IPAddress
        The address.
#>
function Remove-Address
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Alias,

        [Parameter(Mandatory = $true)]
        [System.String]
        $IPAddress
    )

    Remove-NetIPAddress -InterfaceAlias $Alias -IPAddress $IPAddress -Confirm:$false -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Gives an adapter an address.

    .PARAMETER Alias
        Name of the network adapter.

    .PARAMETER IPAddress
        The address.

    .PARAMETER PrefixLength
        Its prefix length.
#>
function Add-Address
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Alias,

        [Parameter(Mandatory = $true)]
        [System.String]
        $IPAddress,

        [Parameter(Mandatory = $true)]
        [System.Int32]
        $PrefixLength
    )

    $address = @{
        InterfaceAlias = $Alias
        IPAddress      = $IPAddress
        PrefixLength   = $PrefixLength
        Confirm        = $false
        ErrorAction    = 'Stop'
    }

    $null = New-NetIPAddress @address
}

<#
    .SYNOPSIS
        Takes a default gateway from an adapter.

    .PARAMETER Alias
        Name of the network adapter.

    .PARAMETER NextHop
        The gateway.
#>
function Remove-Gateway
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Alias,

        [Parameter(Mandatory = $true)]
        [System.String]
        $NextHop
    )

    $route = @{
        InterfaceAlias    = $Alias
        DestinationPrefix = '0.0.0.0/0'
        NextHop           = $NextHop
        Confirm           = $false
        ErrorAction       = 'Stop'
    }

    Remove-NetRoute @route
}

<#
    .SYNOPSIS
        Gives an adapter a default gateway.

    .PARAMETER Alias
        Name of the network adapter.

    .PARAMETER NextHop
        The gateway.

    .PARAMETER Metric
        The metric of the route.
#>
function Add-Gateway
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Alias,

        [Parameter(Mandatory = $true)]
        [System.String]
        $NextHop,

        [Parameter(Mandatory = $true)]
        [System.Int32]
        $Metric
    )

    $route = @{
        InterfaceAlias    = $Alias
        DestinationPrefix = '0.0.0.0/0'
        NextHop           = $NextHop
        RouteMetric       = $Metric
        Confirm           = $false
        ErrorAction       = 'Stop'
    }

    $null = New-NetRoute @route
}

<#
    .SYNOPSIS
        Lets an adapter ask for its IPv4 addresses by DHCP, or not.

    .PARAMETER Alias
        Name of the network adapter.

    .PARAMETER Enabled
        Whether it asks.
#>
function Set-Dhcp
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Alias,

        [Parameter(Mandatory = $true)]
        [System.Boolean]
        $Enabled
    )

    $dhcp = 'Disabled'

    if ($Enabled)
    {
        $dhcp = 'Enabled'
    }

    Set-NetIPInterface -InterfaceAlias $Alias -AddressFamily 'IPv4' -Dhcp $dhcp -Confirm:$false -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Sets the name servers of an adapter.

    .PARAMETER Alias
        Name of the network adapter.

    .PARAMETER Server
        The name servers, in their order.
#>
function Set-NameServer
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Alias,

        [Parameter(Mandatory = $true)]
        [System.String[]]
        $Server
    )

    Set-DnsClientServerAddress -InterfaceAlias $Alias -ServerAddresses $Server -Confirm:$false -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Leaves the name servers of an adapter to DHCP, or to nobody.

    .PARAMETER Alias
        Name of the network adapter.
#>
function Clear-NameServer
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Alias
    )

    Set-DnsClientServerAddress -InterfaceAlias $Alias -ResetServerAddresses -Confirm:$false -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Tells whether an address answers an echo request.

    .PARAMETER Address
        The address.
#>
function Test-Echo
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Address
    )

    return (Test-Connection -ComputerName $Address -Count 1 -Quiet)
}

<#
    .SYNOPSIS
        Returns the time.
#>
function Get-Now
{
    [CmdletBinding()]
    [OutputType([System.DateTime])]
    param ()

    return (Get-Date)
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
