<#
    How a Hyper-V host proves itself for shielded virtual machines: to a Host Guardian Service, or to itself.

    Every cmdlet that touches the machine stands alone in a small private function, so that the logic above it can be
    run with these functions replaced. This module has been parsed, but has not run on Windows.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

$script:moduleFolder = Split-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -Parent
Import-Module -Name (Join-Path -Path $script:moduleFolder -ChildPath 'Modules/ProvisionerDsc.Common')

<#
    .SYNOPSIS
        Returns how the host proves itself, and whether it was believed.

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

    Assert-ClientModule

    $client = Read-Client

    return @{
        IsSingleInstance       = $IsSingleInstance
        Mode                   = [System.String] $client.Mode
        AttestationServerUrl   = [System.String] $client.AttestationServerUrl
        KeyProtectionServerUrl = [System.String] $client.KeyProtectionServerUrl
        IsHostGuarded          = [System.Boolean] $client.IsHostGuarded
        AttestationStatus      = [System.String] $client.AttestationStatus
    }
}

<#
    .SYNOPSIS
        Tells whether the host proves itself as wanted. Whether it is believed is not compared: that is decided
        elsewhere.

    .PARAMETER IsSingleInstance
        There is one such resource for a node. The only value is Yes.

    .PARAMETER Mode
        HostGuardianService (default): a service attests the host and hands out keys. Local: the host keeps keys
        itself, as a fresh one does.

    .PARAMETER AttestationServerUrl
        Address of the attestation service, as in http://hgs.example.com/Attestation.

    .PARAMETER KeyProtectionServerUrl
        Address of the key protection service, as in http://hgs.example.com/KeyProtection.
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
        [ValidateSet('HostGuardianService', 'Local')]
        [System.String]
        $Mode = 'HostGuardianService',

        [Parameter()]
        [System.String]
        $AttestationServerUrl,

        [Parameter()]
        [System.String]
        $KeyProtectionServerUrl
    )

    Assert-Wish -Mode $Mode -Properties $PSBoundParameters

    if (-not (Test-ClientModule))
    {
        Write-Verbose -Message 'The PowerShell module HgsClient is missing.'
        return $Mode -eq 'Local'
    }

    $client = Read-Client

    if ([System.String] $client.Mode -ne $Mode)
    {
        Write-Verbose -Message ('The mode is {0}.' -f $client.Mode)
        return $false
    }

    if ($Mode -eq 'Local')
    {
        return $true
    }

    return (Test-SameUrl -One $client.AttestationServerUrl -Other $AttestationServerUrl) -and
        (Test-SameUrl -One $client.KeyProtectionServerUrl -Other $KeyProtectionServerUrl)
}

<#
    .SYNOPSIS
        Sets how the host proves itself.

    .PARAMETER IsSingleInstance
        There is one such resource for a node. The only value is Yes.

    .PARAMETER Mode
        HostGuardianService (default): a service attests the host and hands out keys. Local: the host keeps keys
        itself, as a fresh one does.

    .PARAMETER AttestationServerUrl
        Address of the attestation service, as in http://hgs.example.com/Attestation.

    .PARAMETER KeyProtectionServerUrl
        Address of the key protection service, as in http://hgs.example.com/KeyProtection.
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
        [ValidateSet('HostGuardianService', 'Local')]
        [System.String]
        $Mode = 'HostGuardianService',

        [Parameter()]
        [System.String]
        $AttestationServerUrl,

        [Parameter()]
        [System.String]
        $KeyProtectionServerUrl
    )

    Assert-Wish -Mode $Mode -Properties $PSBoundParameters
    Assert-ClientModule

    if ($Mode -eq 'Local')
    {
        Write-Verbose -Message 'Turning to local mode.'
        Enable-LocalMode
        return
    }

    Write-Verbose -Message ('Turning to {0} and {1}.' -f $AttestationServerUrl, $KeyProtectionServerUrl)
    Write-Client -AttestationServerUrl $AttestationServerUrl -KeyProtectionServerUrl $KeyProtectionServerUrl
}

<#
    .SYNOPSIS
        Throws when what is wanted contradicts itself or is incomplete.

    .PARAMETER Mode
        The wanted mode.

    .PARAMETER Properties
        The bound parameters of the resource.
#>
function Assert-Wish
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Mode,

        [Parameter(Mandatory = $true)]
        [System.Object]
        $Properties
    )

    foreach ($name in @('AttestationServerUrl', 'KeyProtectionServerUrl'))
    {
        $isGiven = $Properties.ContainsKey($name) -and -not [System.String]::IsNullOrEmpty($Properties[$name])

        if ($Mode -eq 'Local' -and $isGiven)
        {
            throw (New-ResourceError -Id 'UrlNotForLocalMode' -Category 'InvalidArgument' -Target $name -Message (
                    'In local mode no service is asked: leave {0} out.' -f $name))
        }

        if ($Mode -ne 'Local' -and -not $isGiven)
        {
            throw (New-ResourceError -Id 'UrlMissing' -Category 'InvalidArgument' -Target $name -Message (
                    '{0} is needed, unless Mode is Local.' -f $name))
        }

        if ($isGiven -and $Properties[$name] -notmatch '^https?://[^/\s]+(/\S*)?$')
        {
            throw (New-ResourceError -Id 'UrlMalformed' -Category 'InvalidArgument' -Target $name -Message (
                    "'{0}' is no address. Write it as http://hgs.example.com/Attestation." -f $Properties[$name]))
        }
    }
}

<#
    .SYNOPSIS
        Tells whether two addresses are the same; case and a slash at the end do not count.

    .PARAMETER One
        An address.

    .PARAMETER Other
        Another one.
#>
function Test-SameUrl
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String]
        $One,

        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String]
        $Other
    )

    return $One.TrimEnd('/') -eq $Other.TrimEnd('/')
}

<#
    .SYNOPSIS
        Throws when the cmdlets of the client are not there.
#>
function Assert-ClientModule
{
    [CmdletBinding()]
    param ()

    if (-not (Test-ClientModule))
    {
        throw (New-ResourceError -Id 'GuardianClientMissing' -Category 'ObjectNotFound' -Target 'HgsClient' -Message (
                'The PowerShell module HgsClient is missing. Install the feature HostGuardian, which the edition ' +
                'Datacenter has.'))
    }
}

#region One call each

<#
    .SYNOPSIS
        Tells whether the PowerShell module of the client is installed.
#>
function Test-ClientModule
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param ()

    return @(Get-Module -Name 'HgsClient' -ListAvailable).Count -gt 0
}

<#
    .SYNOPSIS
        Returns how the host proves itself.
#>
function Read-Client
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param ()

    return Get-HgsClientConfiguration -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Lets a Host Guardian Service attest the host.

    .PARAMETER AttestationServerUrl
        Address of the attestation service.

    .PARAMETER KeyProtectionServerUrl
        Address of the key protection service.
#>
function Write-Client
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $AttestationServerUrl,

        [Parameter(Mandatory = $true)]
        [System.String]
        $KeyProtectionServerUrl
    )

    $urls = @{
        AttestationServerUrl   = $AttestationServerUrl
        KeyProtectionServerUrl = $KeyProtectionServerUrl
    }

    $null = Set-HgsClientConfiguration @urls -Confirm:$false -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Lets the host keep keys itself.
#>
function Enable-LocalMode
{
    [CmdletBinding()]
    param ()

    $null = Set-HgsClientConfiguration -EnableLocalMode -Confirm:$false -ErrorAction 'Stop'
}

#endregion

Export-ModuleMember -Function 'Get-TargetResource', 'Test-TargetResource', 'Set-TargetResource'
