<#
    Says where the Windows Time service takes the time from, and that it runs.

    Every call of a cmdlet, a program or .NET that touches the machine stands alone in a small private function, so
    that the logic above it can be run with these functions replaced. This module has been parsed, but has not run on
    Windows.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

$script:moduleFolder = Split-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -Parent
Import-Module -Name (Join-Path -Path $script:moduleFolder -ChildPath 'Modules/ProvisionerDsc.Common')

$script:parametersKey = 'SYSTEM\CurrentControlSet\Services\W32Time\Parameters'
$script:policyKey = 'SOFTWARE\Policies\Microsoft\W32Time\Parameters'
$script:serviceName = 'W32Time'

# What a server gets that is given without flags: the node is a client of it, and never its peer.
$script:defaultFlag = '0x8'

<#
    .SYNOPSIS
        Returns where the node takes the time from.

    .PARAMETER IsSingleInstance
        Always Yes.

    .PARAMETER Type
        NTP for the servers of Peers, NT5DS for the hierarchy of the domain.
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
        [ValidateSet('NTP', 'NT5DS')]
        [System.String]
        $Type
    )

    $source = Get-TimeSource

    return @{
        IsSingleInstance = $IsSingleInstance
        Type             = $source.Type
        Peers            = [System.String[]] $source.Peers
    }
}

<#
    .SYNOPSIS
        Tells whether the node takes the time from where it should, and whether the service runs and starts with
        Windows.

    .PARAMETER IsSingleInstance
        Always Yes.

    .PARAMETER Type
        NTP for the servers of Peers, NT5DS for the hierarchy of the domain.

    .PARAMETER Peers
        Names or addresses of time servers, each with or without flags (pool.example.com,0x8).
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
        [ValidateSet('NTP', 'NT5DS')]
        [System.String]
        $Type,

        [Parameter()]
        [AllowEmptyCollection()]
        [System.String[]]
        $Peers = @()
    )

    Assert-Peer -Type $Type -Peers @($Peers)
    Assert-NoPolicy -Type $Type -Peers @($Peers)

    if (-not (Test-Source -Type $Type -Peers @($Peers)))
    {
        return $false
    }

    $service = Read-TimeService
    $isRunning = ([System.String] $service.Status) -eq 'Running'
    $isAutomatic = ([System.String] $service.StartType) -eq 'Automatic'
    Write-Verbose -Message ('The service W32Time runs: {0}; starts with Windows: {1}.' -f $isRunning, $isAutomatic)

    return ($isRunning -and $isAutomatic)
}

<#
    .SYNOPSIS
        Has the service run and start with Windows, and says where it takes the time from.

    .PARAMETER IsSingleInstance
        Always Yes.

    .PARAMETER Type
        NTP for the servers of Peers, NT5DS for the hierarchy of the domain.

    .PARAMETER Peers
        Names or addresses of time servers, each with or without flags (pool.example.com,0x8).
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
        [ValidateSet('NTP', 'NT5DS')]
        [System.String]
        $Type,

        [Parameter()]
        [AllowEmptyCollection()]
        [System.String[]]
        $Peers = @()
    )

    Assert-Peer -Type $Type -Peers @($Peers)
    Assert-NoPolicy -Type $Type -Peers @($Peers)
    $service = Read-TimeService

    if (([System.String] $service.StartType) -ne 'Automatic')
    {
        Write-Verbose -Message 'The service W32Time will start with Windows.'
        Set-TimeServiceAutomatic
    }

    if (([System.String] $service.Status) -ne 'Running')
    {
        Write-Verbose -Message 'Starting the service W32Time.'
        Start-TimeService
    }

    if (Test-Source -Type $Type -Peers @($Peers))
    {
        return
    }

    if ($Type -eq 'NTP')
    {
        $list = @(ConvertTo-PeerEntry -Peers $Peers) -join ' '
        Write-Verbose -Message ('Taking the time from {0}.' -f $list)
        $options = @("/manualpeerlist:$list", '/syncfromflags:MANUAL')
    }
    else
    {
        Write-Verbose -Message 'Taking the time from the domain.'
        $options = @('/syncfromflags:DOMHIER')
    }

    $answer = Invoke-TimeConfiguration -Option $options

    if ($answer.ExitCode -ne 0)
    {
        throw (New-ResourceError -Id 'TimeConfigurationFailed' -Category 'InvalidResult' -Target 'W32Time' -Message (
                'w32tm.exe ended with {0}: {1}' -f $answer.ExitCode, $answer.Text))
    }

    if (-not (Test-Source -Type $Type -Peers @($Peers)))
    {
        $source = Get-TimeSource

        throw (New-ResourceError -Id 'TimeSourceNotApplied' -Category 'InvalidResult' -Target 'W32Time' -Message (
                "w32tm.exe reported success, but the registry says type '{0}' with the servers '{1}'." -f
                $source.Type, ($source.Peers -join ' ')))
    }
}

<#
    .SYNOPSIS
        Tells whether the registry names the wanted source. The order of servers does not count.

    .PARAMETER Type
        NTP or NT5DS.

    .PARAMETER Peers
        The time servers.
#>
function Test-Source
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Type,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [System.String[]]
        $Peers
    )

    $source = Get-TimeSource
    Write-Verbose -Message ("The time source is '{0}', servers '{1}'." -f $source.Type, ($source.Peers -join ' '))

    if ($source.Type -ne $Type)
    {
        return $false
    }

    if ($Type -eq 'NT5DS')
    {
        return $true
    }

    $wanted = @(ConvertTo-PeerEntry -Peers $Peers | Sort-Object) -join ' '
    $found = @(ConvertTo-PeerEntry -Peers @($source.Peers) | Sort-Object) -join ' '

    return ($wanted -eq $found)
}

<#
    .SYNOPSIS
        Returns Type and Peers as the registry has them; the type is empty when it is missing.
#>
function Get-TimeSource
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param ()

    $type = [System.String] (Read-RegistryValue -Key $script:parametersKey -Name 'Type')
    $list = [System.String] (Read-RegistryValue -Key $script:parametersKey -Name 'NtpServer')
    $peers = @($list -split '\s+' | Where-Object -FilterScript { $_ -ne '' })

    return @{
        Type  = $type
        Peers = $peers
    }
}

<#
    .SYNOPSIS
        Hands out time servers as Windows writes them: name, comma, flags.

    .PARAMETER Peers
        The time servers.
#>
function ConvertTo-PeerEntry
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [System.String[]]
        $Peers
    )

    foreach ($peer in $Peers)
    {
        if ($peer -match ',')
        {
            $peer
        }
        else
        {
            '{0},{1}' -f $peer, $script:defaultFlag
        }
    }
}

<#
    .SYNOPSIS
        Throws when type and servers do not go together, or a server is no name.

    .PARAMETER Type
        NTP or NT5DS.

    .PARAMETER Peers
        The time servers.
#>
function Assert-Peer
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Type,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [System.String[]]
        $Peers
    )

    if ($Type -eq 'NTP' -and $Peers.Count -eq 0)
    {
        throw (New-ResourceError -Id 'PeersMissing' -Category 'InvalidArgument' -Target 'Peers' -Message (
                'The type NTP needs at least one server in Peers.'))
    }

    if ($Type -eq 'NT5DS' -and $Peers.Count -gt 0)
    {
        throw (New-ResourceError -Id 'PeersNotUsed' -Category 'InvalidArgument' -Target 'Peers' -Message (
                'The type NT5DS takes the time from the domain and uses no Peers.'))
    }

    foreach ($peer in $Peers)
    {
        if ($peer -notmatch '\A[A-Za-z0-9.:_-]+(,0x[0-9A-Fa-f]+)?\z')
        {
            throw (New-ResourceError -Id 'PeerMalformed' -Category 'InvalidArgument' -Target $peer -Message (
                    "'{0}' is no name or address of a time server, with or without flags like ,0x8." -f $peer))
        }
    }
}

<#
    .SYNOPSIS
        Throws when a group policy names another source: Windows would go on using that one.

    .PARAMETER Type
        NTP or NT5DS.

    .PARAMETER Peers
        The time servers.
#>
function Assert-NoPolicy
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Type,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [System.String[]]
        $Peers
    )

    $policyType = [System.String] (Read-RegistryValue -Key $script:policyKey -Name 'Type')
    $list = [System.String] (Read-RegistryValue -Key $script:policyKey -Name 'NtpServer')
    $servers = @($list -split '\s+' | Where-Object -FilterScript { $_ -ne '' })
    $found = @(ConvertTo-PeerEntry -Peers $servers | Sort-Object) -join ' '
    $wanted = @(ConvertTo-PeerEntry -Peers $Peers | Sort-Object) -join ' '
    $isOtherType = $policyType -ne '' -and $policyType -ne $Type
    $isOtherList = $Type -eq 'NTP' -and $list -ne '' -and $found -ne $wanted

    if ($isOtherType -or $isOtherList)
    {
        throw (New-ResourceError -Id 'TimePolicy' -Category 'PermissionDenied' -Target 'W32Time' -Message (
                "A group policy sets the time source: type '{0}', servers '{1}'. Change the policy." -f
                $policyType, $list))
    }
}

#region One call each

<#
    .SYNOPSIS
        Returns the data of a value below HKEY_LOCAL_MACHINE; null when it or its key is missing.

    .PARAMETER Key
        The key, for example SOFTWARE\Example.

    .PARAMETER Name
        The name of the value.
#>
function Read-RegistryValue
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Key,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Name
    )

    return [Microsoft.Win32.Registry]::GetValue("HKEY_LOCAL_MACHINE\$Key", $Name, $null)
}

<#
    .SYNOPSIS
        Returns the Windows Time service.
#>
function Read-TimeService
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param ()

    return Get-Service -Name $script:serviceName
}

<#
    .SYNOPSIS
        Has the Windows Time service start with Windows.
#>
function Set-TimeServiceAutomatic
{
    [CmdletBinding()]
    param ()

    Set-Service -Name $script:serviceName -StartupType 'Automatic'
}

<#
    .SYNOPSIS
        Starts the Windows Time service.
#>
function Start-TimeService
{
    [CmdletBinding()]
    param ()

    Start-Service -Name $script:serviceName
}

<#
    .SYNOPSIS
        Runs w32tm.exe /config with options and /update; returns ExitCode and Text.

    .PARAMETER Option
        The options.
#>
function Invoke-TimeConfiguration
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String[]]
        $Option
    )

    $text = @(& 'w32tm.exe' '/config' $Option '/update') -join ' '

    return @{
        ExitCode = $LASTEXITCODE
        Text     = $text
    }
}

#endregion

Export-ModuleMember -Function 'Get-TargetResource', 'Test-TargetResource', 'Set-TargetResource'
