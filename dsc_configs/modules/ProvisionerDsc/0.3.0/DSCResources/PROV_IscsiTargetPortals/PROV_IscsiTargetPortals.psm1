<#
    Decides on which addresses the iSCSI Target Server listens.

    Every call that touches the machine stands alone in a small private function, so that the logic above it can be
    run with these functions replaced. This module has been parsed, but has not run on Windows.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

$script:moduleFolder = Split-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -Parent
Import-Module -Name (Join-Path -Path $script:moduleFolder -ChildPath 'Modules/ProvisionerDsc.Common')

<#
    .SYNOPSIS
        Returns the addresses that listen.

    .DESCRIPTION
        Port is null when they listen on different ports, or none listens.

    .PARAMETER IsSingleInstance
        Always Yes.

    .PARAMETER Addresses
        The addresses that listen. All other portals are disabled.
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
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [System.String[]]
        $Addresses
    )

    $listening = @(Read-Portal | Where-Object -FilterScript { $_['IsEnabled'] })
    $ports = @($listening | ForEach-Object -Process { $_['Port'] } | Sort-Object -Unique)
    $port = $null

    if ($ports.Count -eq 1)
    {
        $port = $ports[0]
    }

    return @{
        IsSingleInstance = $IsSingleInstance
        Addresses        = [System.String[]] @($listening | ForEach-Object -Process { $_['Address'] } | Sort-Object)
        Port             = $port
    }
}

<#
    .SYNOPSIS
        Tells whether exactly these addresses listen, on this port.

    .PARAMETER IsSingleInstance
        Always Yes.

    .PARAMETER Addresses
        The addresses that listen. All other portals are disabled.

    .PARAMETER Port
        The TCP port that they listen on.
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
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [System.String[]]
        $Addresses,

        [Parameter()]
        [System.UInt16]
        $Port = 3260
    )

    $wanted = @(Get-Address -Addresses $Addresses)
    $portals = @(Read-Portal)

    foreach ($address in $wanted)
    {
        $portal = @($portals | Where-Object -FilterScript { $_['Address'] -eq $address })

        if ($portal.Count -eq 0)
        {
            # The address may be given to an adapter by a resource this one depends on, so Set is the one to complain.
            Write-Verbose -Message ('There is no portal on {0}.' -f $address)
            return $false
        }

        if (-not $portal[0]['IsEnabled'] -or $portal[0]['Port'] -ne $Port)
        {
            Write-Verbose -Message ('The portal {0}:{1} is enabled: {2}. It should listen on port {3}.' -f
                $address, $portal[0]['Port'], $portal[0]['IsEnabled'], $Port)
            return $false
        }
    }

    foreach ($portal in $portals)
    {
        if ($portal['IsEnabled'] -and $wanted -notcontains $portal['Address'])
        {
            Write-Verbose -Message ('The portal on {0} is enabled and should not be.' -f $portal['Address'])
            return $false
        }
    }

    Write-Verbose -Message 'The portals are in the desired state.'
    return $true
}

<#
    .SYNOPSIS
        Enables the portals of the given addresses and disables all others.

    .PARAMETER IsSingleInstance
        Always Yes.

    .PARAMETER Addresses
        The addresses that listen. All other portals are disabled.

    .PARAMETER Port
        The TCP port that they listen on.
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
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [System.String[]]
        $Addresses,

        [Parameter()]
        [System.UInt16]
        $Port = 3260
    )

    $wanted = @(Get-Address -Addresses $Addresses)
    $portals = @(Read-Portal)
    $there = @($portals | ForEach-Object -Process { $_['Address'] })

    # Nothing is changed before every address was found: half a change could leave nobody listening.
    foreach ($address in $wanted)
    {
        if ($there -notcontains $address)
        {
            throw (New-ResourceError -Id 'AddressNotFound' -Category 'ObjectNotFound' -Target $address -Message (
                    'No adapter of this machine has the address {0}. Portals are there for: {1}.' -f
                    $address, ($there -join ', ')))
        }
    }

    # Those that are to listen come first, so that initiators always find one.
    foreach ($portal in $portals)
    {
        if ($wanted -contains $portal['Address'] -and (-not $portal['IsEnabled'] -or $portal['Port'] -ne $Port))
        {
            Write-Verbose -Message ('Listening on {0}:{1}.' -f $portal['Address'], $Port)
            Enable-Portal -Address $portal['Address'] -Port $Port
        }
    }

    foreach ($portal in $portals)
    {
        if ($wanted -notcontains $portal['Address'] -and $portal['IsEnabled'])
        {
            Write-Verbose -Message ('Listening on {0} no longer.' -f $portal['Address'])
            Disable-Portal -Address $portal['Address']
        }
    }
}

<#
    .SYNOPSIS
        Returns the addresses as Windows writes them, each once.

    .PARAMETER Addresses
        The addresses that listen. All other portals are disabled.
#>
function Get-Address
{
    [CmdletBinding()]
    [OutputType([System.String[]])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [System.String[]]
        $Addresses
    )

    $found = @()

    foreach ($text in $Addresses)
    {
        $address = ConvertTo-Address -Text $text

        if ($null -eq $address)
        {
            throw (New-ResourceError -Id 'AddressMalformed' -Category 'InvalidArgument' -Target $text -Message (
                    "'{0}' is not an IP address." -f $text))
        }

        if ($found -notcontains $address)
        {
            $found += $address
        }
    }

    return $found
}

#region One call each

<#
    .SYNOPSIS
        Returns an IP address as .NET writes it; null when the text is none.

    .PARAMETER Text
        The text.
#>
function ConvertTo-Address
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String]
        $Text
    )

    $address = $null

    # An IPv4 address has four parts: .NET reads a bare number as one too.
    if (($Text -match '^[0-9]+(\.[0-9]+){3}$' -or $Text -match ':') -and
        [System.Net.IPAddress]::TryParse($Text, [ref] $address))
    {
        return $address.ToString()
    }

    return $null
}

<#
    .SYNOPSIS
        Hands out the portals: Address, Port and IsEnabled of each.
#>
function Read-Portal
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param ()

    foreach ($portal in @((Get-IscsiTargetServerSetting).Portals))
    {
        @{
            Address   = [System.String] $portal.IPEndpoint.Address.ToString()
            Port      = [System.Int32] $portal.IPEndpoint.Port
            IsEnabled = [System.Boolean] $portal.Enabled
        }
    }
}

<#
    .SYNOPSIS
        Lets a portal listen.

    .PARAMETER Address
        Its address.

    .PARAMETER Port
        The port it listens on.
#>
function Enable-Portal
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Address,

        [Parameter(Mandatory = $true)]
        [System.UInt16]
        $Port
    )

    Set-IscsiTargetServerSetting -IP $Address -Port $Port -Enable $true
}

<#
    .SYNOPSIS
        Lets a portal listen no longer.

    .PARAMETER Address
        Its address.
#>
function Disable-Portal
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Address
    )

    Set-IscsiTargetServerSetting -IP $Address -Enable $false
}

#endregion

Export-ModuleMember -Function 'Get-TargetResource', 'Test-TargetResource', 'Set-TargetResource'
