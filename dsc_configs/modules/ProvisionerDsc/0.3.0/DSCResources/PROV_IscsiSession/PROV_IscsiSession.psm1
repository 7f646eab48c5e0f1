<#
    Keeps the iSCSI initiator logged on to a target, over one or several paths.

    Every call that touches the machine stands alone in a small private function, so that the logic above it can be
    run with these functions replaced. This module has been parsed, but has not run on Windows.

    Windows never gives a secret back. Which one was set last is known by a marker (see ProvisionerDsc.Common). The
    cmdlets of the initiator take a secret as text only: Connect-Session and Register-Session hand it to them, all
    others know the PSCredential.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

$script:moduleFolder = Split-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -Parent
Import-Module -Name (Join-Path -Path $script:moduleFolder -ChildPath 'Modules/ProvisionerDsc.Common')

$script:defaultPort = 3260

# What the initiator of Windows takes without IPsec.
$script:secretMinimum = 12
$script:secretMaximum = 16

# An LCM that cannot decrypt hands out the encrypted text.
$script:encryptedStart = '-----BEGIN CMS-----'

# What Windows shows for an address that it chose itself.
$script:anyAddress = @('', '0.0.0.0', '::')

<#
    .SYNOPSIS
        Returns the paths over which the machine is logged on to a target.

    .DESCRIPTION
        Secrets cannot be read, so Chap is always null.

    .PARAMETER TargetName
        Name of the target.

    .PARAMETER Portals
        The paths that are wanted; they are not looked at.
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
        $TargetName,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [System.String[]]
        $Portals
    )

    Write-Verbose -Message ('Looking for sessions of {0}; wanted are: {1}.' -f $TargetName, ($Portals -join ', '))
    $shown = @()

    if ((Read-ServiceStatus) -eq 'Running')
    {
        foreach ($session in @(Get-Session -TargetName $TargetName))
        {
            if ($session['IsConnected'])
            {
                $own = @($session['Own'] | Where-Object -FilterScript { $script:anyAddress -notcontains $_ })
                $shown += (Format-Entry -Address $session['Address'] -Port $session['Port'] -Own (
                        [System.String] ($own | Select-Object -First 1)))
            }
        }
    }

    $ensure = 'Absent'

    if ($shown.Count -gt 0)
    {
        $ensure = 'Present'
    }

    return @{
        TargetName         = $TargetName
        Portals            = [System.String[]] @($shown | Sort-Object)
        Ensure             = $ensure
        IsMultipathEnabled = $null
        Chap               = $null
        Exclusive          = $null
    }
}

<#
    .SYNOPSIS
        Tells whether the machine is logged on to a target as wanted.

    .PARAMETER TargetName
        Name of the target.

    .PARAMETER Portals
        The paths, one persistent session for each.

    .PARAMETER Ensure
        Whether the machine is logged on.

    .PARAMETER IsMultipathEnabled
        Whether sessions are paths of Multipath I/O.

    .PARAMETER Chap
        User name and secret to log on with. Left out, sessions are without authentication.

    .PARAMETER Exclusive
        Whether sessions that no entry of Portals stands for are ended.
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
        $TargetName,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [System.String[]]
        $Portals,

        [Parameter()]
        [ValidateSet('Present', 'Absent')]
        [System.String]
        $Ensure = 'Present',

        [Parameter()]
        [System.Boolean]
        $IsMultipathEnabled = $false,

        [Parameter()]
        [System.Management.Automation.PSCredential]
        $Chap,

        [Parameter()]
        [System.Boolean]
        $Exclusive = $false
    )

    $entries = @(Get-Entry -TargetName $TargetName -Portals $Portals)

    if ($Ensure -eq 'Present')
    {
        Assert-Path -TargetName $TargetName -Entries $entries -IsMultipathEnabled $IsMultipathEnabled
        Assert-Secret -TargetName $TargetName -Chap $Chap
    }

    if ((Read-ServiceStatus) -ne 'Running')
    {
        # It may be started by a resource this one depends on, so Set is the one to complain.
        Write-Verbose -Message 'The service MSiSCSI does not run.'
        return $false
    }

    if ($Ensure -eq 'Absent')
    {
        $sessions = @(Get-Session -TargetName $TargetName)
        $portals = @(Get-UnusedPortal -TargetName $TargetName -Entries $entries)
        Write-Verbose -Message ('The target {0} has {1} sessions, and {2} portals are registered for it alone.' -f
            $TargetName, $sessions.Count, $portals.Count)
        return ($sessions.Count -eq 0 -and $portals.Count -eq 0)
    }

    foreach ($entry in @(Get-MissingPortal -Entries $entries))
    {
        Write-Verbose -Message ('The portal {0} is not registered.' -f $entry['Text'])
        return $false
    }

    if (@(Read-Target) -notcontains $TargetName)
    {
        Write-Verbose -Message ('The target {0} is not known.' -f $TargetName)
        return $false
    }

    foreach ($difference in @(Get-Difference -TargetName $TargetName -Entries $entries -Chap $Chap))
    {
        Write-Verbose -Message $difference
        return $false
    }

    if (-not (Test-Secret -TargetName $TargetName -Chap $Chap))
    {
        Write-Verbose -Message ('The secret for {0} is another one than was set last, or unknown.' -f $TargetName)
        return $false
    }

    if ($Exclusive)
    {
        foreach ($pair in @(Get-Pair -TargetName $TargetName -Entries $entries))
        {
            if ($null -eq $pair['Entry'])
            {
                Write-Verbose -Message ('The target {0} has a session that is not wanted.' -f $TargetName)
                return $false
            }
        }
    }

    Write-Verbose -Message ('The sessions of the target {0} are in the desired state.' -f $TargetName)
    return $true
}

<#
    .SYNOPSIS
        Logs the machine on to a target over the paths that are missing, or logs it off.

    .PARAMETER TargetName
        Name of the target.

    .PARAMETER Portals
        The paths, one persistent session for each.

    .PARAMETER Ensure
        Whether the machine is logged on.

    .PARAMETER IsMultipathEnabled
        Whether sessions are paths of Multipath I/O.

    .PARAMETER Chap
        User name and secret to log on with. Left out, sessions are without authentication.

    .PARAMETER Exclusive
        Whether sessions that no entry of Portals stands for are ended.
#>
function Set-TargetResource
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $TargetName,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [System.String[]]
        $Portals,

        [Parameter()]
        [ValidateSet('Present', 'Absent')]
        [System.String]
        $Ensure = 'Present',

        [Parameter()]
        [System.Boolean]
        $IsMultipathEnabled = $false,

        [Parameter()]
        [System.Management.Automation.PSCredential]
        $Chap,

        [Parameter()]
        [System.Boolean]
        $Exclusive = $false
    )

    $entries = @(Get-Entry -TargetName $TargetName -Portals $Portals)

    if ($Ensure -eq 'Present')
    {
        Assert-Path -TargetName $TargetName -Entries $entries -IsMultipathEnabled $IsMultipathEnabled
        Assert-Secret -TargetName $TargetName -Chap $Chap
    }

    if ((Read-ServiceStatus) -ne 'Running')
    {
        throw (New-ResourceError -Id 'ServiceNotRunning' -Category 'ResourceUnavailable' -Target 'MSiSCSI' -Message (
                'The service MSiSCSI (Microsoft iSCSI Initiator Service) does not run. Start it, and have it start ' +
                'automatically, before sessions are made.'))
    }

    if ($Ensure -eq 'Absent')
    {
        Remove-Path -TargetName $TargetName -Entries $entries
        Clear-SecretMarker -Resource 'IscsiSession' -Name $TargetName
        return
    }

    foreach ($entry in @(Get-MissingPortal -Entries $entries))
    {
        Add-Path -Entry $entry
    }

    Assert-Target -TargetName $TargetName -Entries $entries

    $isSecretRight = Test-Secret -TargetName $TargetName -Chap $Chap

    if (-not $isSecretRight)
    {
        # Without a marker the secret counts as unknown, so a Set that is cut off is repeated.
        Clear-SecretMarker -Resource 'IscsiSession' -Name $TargetName
    }

    $pairs = @(Get-Pair -TargetName $TargetName -Entries $entries)
    $others = @()

    if ($Exclusive)
    {
        $others = @($pairs | Where-Object -FilterScript { $null -eq $_['Entry'] })
    }

    if (-not $IsMultipathEnabled)
    {
        # Windows logs on to a target once then, so another session would be in the way.
        Disconnect-Other -TargetName $TargetName -Others $others
        $others = @()
    }

    foreach ($pair in $pairs)
    {
        if ($null -ne $pair['Entry'])
        {
            $pair['IsSecretRight'] = $isSecretRight
            Set-Path -TargetName $TargetName -Pair $pair -IsMultipathEnabled $IsMultipathEnabled -Chap $Chap
        }
    }

    # The wanted paths are there by now, so the disks stay.
    Disconnect-Other -TargetName $TargetName -Others $others

    $differences = @(Get-Difference -TargetName $TargetName -Entries $entries -Chap $Chap)

    if ($differences.Count -gt 0)
    {
        throw (New-ResourceError -Id 'SessionNotApplied' -Category 'InvalidResult' -Target $TargetName -Message (
                "The sessions of the target '{0}' were made, but read back otherwise: {1}" -f
                $TargetName, ($differences -join ' ')))
    }

    if ($null -eq $Chap)
    {
        Clear-SecretMarker -Resource 'IscsiSession' -Name $TargetName
    }
    elseif (-not $isSecretRight)
    {
        Set-SecretMarker -Resource 'IscsiSession' -Name $TargetName -Secret $Chap
    }
}

<#
    .SYNOPSIS
        Hands out the entries of Portals: Address, Port, Own (empty when there is none) and Text of each.

    .PARAMETER TargetName
        Name of the target.

    .PARAMETER Portals
        The paths that are wanted.
#>
function Get-Entry
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $TargetName,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [System.String[]]
        $Portals
    )

    $pattern = '^(?:\[(?<six>[^\]@]*:[^\]@]*)\]|(?<four>[0-9.]+))(?::(?<port>[0-9]{1,5}))?' +
        '(?:@(?:\[(?<ownsix>[^\]@]*:[^\]@]*)\]|(?<ownfour>[0-9.]+)))?$'

    foreach ($text in $Portals)
    {
        $entry = $null

        if ($text -match $pattern)
        {
            $parts = $Matches
            $address = ConvertTo-Address -Text ('{0}{1}' -f $parts['six'], $parts['four'])
            $ownText = '{0}{1}' -f $parts['ownsix'], $parts['ownfour']
            $own = ConvertTo-Address -Text $ownText
            $port = $script:defaultPort

            if ($null -ne $parts['port'])
            {
                $port = [System.Int32] $parts['port']
            }

            if ($address -and ($own -or -not $ownText) -and $port -ge 1 -and $port -le 65535)
            {
                $entry = @{
                    Address = $address
                    Port    = $port
                    Own     = [System.String] $own
                    Text    = Format-Entry -Address $address -Port $port -Own ([System.String] $own)
                }
            }
        }

        if ($null -eq $entry)
        {
            throw (New-ResourceError -Id 'PortalMalformed' -Category 'InvalidArgument' -Target $TargetName -Message (
                    ("'{0}' of the target '{1}' is no path. Write ADDRESS:PORT@OWN with IP addresses, of which :PORT " +
                        'and @OWN may be left out; IPv6 addresses stand in brackets.') -f $text, $TargetName))
        }

        $entry
    }
}

<#
    .SYNOPSIS
        Returns the text of a path.

    .PARAMETER Address
        Address of the target server.

    .PARAMETER Port
        Its port.

    .PARAMETER Own
        Address of this machine; empty when Windows chooses it.
#>
function Format-Entry
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String]
        $Address,

        [Parameter(Mandatory = $true)]
        [System.Int32]
        $Port,

        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String]
        $Own
    )

    $shown = @()

    foreach ($each in @($Address, $Own))
    {
        if ($each.Contains(':'))
        {
            $shown += '[{0}]' -f $each
        }
        else
        {
            $shown += $each
        }
    }

    if ($Own)
    {
        return '{0}:{1}@{2}' -f $shown[0], $Port, $shown[1]
    }

    return '{0}:{1}' -f $shown[0], $Port
}

<#
    .SYNOPSIS
        Throws when the paths cannot all be there.

    .PARAMETER TargetName
        Name of the target.

    .PARAMETER Entries
        The paths that are wanted.

    .PARAMETER IsMultipathEnabled
        Whether sessions are paths of Multipath I/O.
#>
function Assert-Path
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $TargetName,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Collections.Hashtable[]]
        $Entries,

        [Parameter(Mandatory = $true)]
        [System.Boolean]
        $IsMultipathEnabled
    )

    if ($Entries.Count -eq 0)
    {
        throw (New-ResourceError -Id 'PortalMissing' -Category 'InvalidArgument' -Target $TargetName -Message (
                "Sessions of the target '{0}' should be present, but Portals is empty." -f $TargetName))
    }

    $seen = @{}

    foreach ($entry in $Entries)
    {
        $place = Format-Entry -Address $entry['Address'] -Port $entry['Port'] -Own ''

        if (-not $seen.ContainsKey($place))
        {
            $seen[$place] = @()
        }

        # Entries of one place are told apart by the address they go out from, so each of them needs one.
        if ($seen[$place] -contains $entry['Own'] -or
            ($seen[$place].Count -gt 0 -and ($entry['Own'] -eq '' -or $seen[$place] -contains '')))
        {
            throw (New-ResourceError -Id 'PortalTwice' -Category 'InvalidArgument' -Target $TargetName -Message (
                    ("Two paths to the target '{0}' go to {1}. Give each another address of this machine (@OWN), " +
                        'or leave one out.') -f $TargetName, $place))
        }

        $seen[$place] += $entry['Own']
    }

    if ($Entries.Count -gt 1 -and -not $IsMultipathEnabled)
    {
        throw (New-ResourceError -Id 'MultipathNeeded' -Category 'InvalidArgument' -Target $TargetName -Message (
                ("The target '{0}' has {1} paths, and IsMultipathEnabled is not true. Without Multipath I/O Windows " +
                    'logs on to a target once.') -f $TargetName, $Entries.Count))
    }
}

<#
    .SYNOPSIS
        Throws when a secret cannot be one.

    .PARAMETER TargetName
        Name of the target.

    .PARAMETER Chap
        User name and secret; null when there is none.
#>
function Assert-Secret
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $TargetName,

        [Parameter(Mandatory = $true)]
        [AllowNull()]
        [System.Management.Automation.PSCredential]
        $Chap
    )

    if ($null -eq $Chap)
    {
        return
    }

    if (Test-EncryptedSecret -Credential $Chap)
    {
        throw (New-ResourceError -Id 'SecretNotDecrypted' -Category 'InvalidData' -Target $TargetName -Message (
                "Chap of the target '{0}' arrived encrypted: does CertificateID of the LCM name the certificate?" -f
                $TargetName))
    }

    $length = Measure-Secret -Credential $Chap

    if ($length -lt $script:secretMinimum -or $length -gt $script:secretMaximum)
    {
        throw (New-ResourceError -Id 'SecretLength' -Category 'InvalidArgument' -Target $TargetName -Message (
                "The secret of Chap of the target '{0}' does not have {1} to {2} characters, as Windows wants it." -f
                $TargetName, $script:secretMinimum, $script:secretMaximum))
    }
}

<#
    .SYNOPSIS
        Tells whether the secret is the one that was given to Windows last; without Chap there is none to differ.

    .PARAMETER TargetName
        Name of the target.

    .PARAMETER Chap
        User name and secret; null when there is none.
#>
function Test-Secret
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $TargetName,

        [Parameter(Mandatory = $true)]
        [AllowNull()]
        [System.Management.Automation.PSCredential]
        $Chap
    )

    return ($null -eq $Chap -or (Test-SecretMarker -Resource 'IscsiSession' -Name $TargetName -Secret $Chap))
}

<#
    .SYNOPSIS
        Returns the authentication that sessions have, as Windows names it.

    .PARAMETER Chap
        User name and secret; null when there is none.
#>
function Get-Authentication
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowNull()]
        [System.Management.Automation.PSCredential]
        $Chap
    )

    if ($null -eq $Chap)
    {
        return 'NONE'
    }

    return 'ONEWAYCHAP'
}

<#
    .SYNOPSIS
        Hands out the entries whose address and port are not registered as a portal.

    .PARAMETER Entries
        The paths that are wanted.
#>
function Get-MissingPortal
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Collections.Hashtable[]]
        $Entries
    )

    $there = @()

    foreach ($portal in @(Read-Portal))
    {
        $address = ConvertTo-Address -Text $portal['Address']
        $there += Format-Entry -Address ([System.String] $address) -Port $portal['Port'] -Own ''
    }

    foreach ($entry in $Entries)
    {
        $place = Format-Entry -Address $entry['Address'] -Port $entry['Port'] -Own ''

        if ($there -notcontains $place)
        {
            $there += $place
            $entry
        }
    }
}

<#
    .SYNOPSIS
        Hands out the registered portals of the paths that no session of another target uses.

    .PARAMETER TargetName
        Name of the target.

    .PARAMETER Entries
        The paths that are no longer wanted.
#>
function Get-UnusedPortal
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $TargetName,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Collections.Hashtable[]]
        $Entries
    )

    $places = @($Entries | ForEach-Object -Process { '{0} {1}' -f $_['Address'], $_['Port'] })
    $used = @()

    foreach ($session in @(Get-Session -TargetName ''))
    {
        if ($session['Target'] -ne $TargetName)
        {
            $used += '{0} {1}' -f $session['Address'], $session['Port']
        }
    }

    foreach ($portal in @(Read-Portal))
    {
        $place = '{0} {1}' -f (ConvertTo-Address -Text $portal['Address']), $portal['Port']

        if ($places -contains $place -and $used -notcontains $place)
        {
            $portal
        }
    }
}

<#
    .SYNOPSIS
        Hands out sessions with where they go: Target, Id, IsConnected, IsPersistent, Authentication, Address, Port
        and Own, the addresses of this machine that Windows shows.

    .PARAMETER TargetName
        Name of the target; empty for all.
#>
function Get-Session
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String]
        $TargetName
    )

    foreach ($session in @(Read-Session))
    {
        if ($TargetName -ne '' -and $session['Target'] -ne $TargetName)
        {
            continue
        }

        $connections = @(Read-Connection -Session $session['Instance'])
        $address = ''
        $port = 0
        $own = @([System.String] (ConvertTo-Address -Text $session['Own']))

        if ($connections.Count -gt 0)
        {
            $address = [System.String] (ConvertTo-Address -Text $connections[0]['Address'])
            $port = $connections[0]['Port']
            $own += [System.String] (ConvertTo-Address -Text $connections[0]['Own'])
        }

        @{
            Target         = $session['Target']
            Id             = $session['Id']
            IsConnected    = $session['IsConnected']
            IsPersistent   = $session['IsPersistent']
            Authentication = $session['Authentication']
            Address        = $address
            Port           = $port
            Own            = $own
        }
    }
}

<#
    .SYNOPSIS
        Hands out each entry with its session (null when it has none), and then, with an Entry that is null, the
        sessions of the target that belong to none.

    .PARAMETER TargetName
        Name of the target.

    .PARAMETER Entries
        The paths that are wanted.
#>
function Get-Pair
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $TargetName,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Collections.Hashtable[]]
        $Entries
    )

    $sessions = @(Get-Session -TargetName $TargetName)
    $taken = @()

    foreach ($entry in $Entries)
    {
        $found = $null

        foreach ($session in $sessions)
        {
            if ($null -eq $found -and $taken -notcontains $session['Id'] -and
                (Test-EntrySession -Session $session -Entry $entry))
            {
                $found = $session
                $taken += $session['Id']
            }
        }

        @{
            Entry   = $entry
            Session = $found
        }
    }

    foreach ($session in $sessions)
    {
        if ($taken -notcontains $session['Id'])
        {
            @{
                Entry   = $null
                Session = $session
            }
        }
    }
}

<#
    .SYNOPSIS
        Tells whether a session is that of an entry.

    .PARAMETER Session
        The session, as Get-Session gives it.

    .PARAMETER Entry
        The entry, as Get-Entry gives it.
#>
function Test-EntrySession
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Session,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Entry
    )

    return ($Session['IsConnected'] -and $Session['Address'] -eq $Entry['Address'] -and
        $Session['Port'] -eq $Entry['Port'] -and ($Entry['Own'] -eq '' -or $Session['Own'] -contains $Entry['Own']))
}

<#
    .SYNOPSIS
        Hands out, in words, what the sessions of the entries lack.

    .PARAMETER TargetName
        Name of the target.

    .PARAMETER Entries
        The paths that are wanted.

    .PARAMETER Chap
        User name and secret; null when there is none.
#>
function Get-Difference
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $TargetName,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Collections.Hashtable[]]
        $Entries,

        [Parameter(Mandatory = $true)]
        [AllowNull()]
        [System.Management.Automation.PSCredential]
        $Chap
    )

    $authentication = Get-Authentication -Chap $Chap

    foreach ($pair in @(Get-Pair -TargetName $TargetName -Entries $Entries))
    {
        if ($null -eq $pair['Entry'])
        {
            continue
        }

        $path = $pair['Entry']['Text']

        if ($null -eq $pair['Session'])
        {
            'There is no session over {0}.' -f $path
        }
        elseif ($pair['Session']['Authentication'] -ne $authentication)
        {
            'The authentication over {0} is {1}.' -f $path, $pair['Session']['Authentication']
        }
        elseif (-not $pair['Session']['IsPersistent'])
        {
            'The session over {0} is not persistent.' -f $path
        }
    }
}

<#
    .SYNOPSIS
        Registers the portal of a path.

    .PARAMETER Entry
        The path, as Get-Entry gives it.
#>
function Add-Path
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Entry
    )

    Write-Verbose -Message ('Registering the portal {0}.' -f $Entry['Text'])

    try
    {
        Add-Portal -Address $Entry['Address'] -Port $Entry['Port'] -Own $Entry['Own']
    }
    catch
    {
        throw (New-ResourceError -Id 'PortalNotReachable' -Category 'ConnectionError' -Target $Entry['Text'] -Message (
                ('The portal {0} cannot be registered. Does the target server listen there, and do firewalls let ' +
                    'this machine through? {1}') -f $Entry['Text'], $_.Exception.Message))
    }
}

<#
    .SYNOPSIS
        Throws when no portal names the target, after asking all of them again.

    .PARAMETER TargetName
        Name of the target.

    .PARAMETER Entries
        The paths that are wanted.
#>
function Assert-Target
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $TargetName,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable[]]
        $Entries
    )

    if (@(Read-Target) -contains $TargetName)
    {
        return
    }

    $places = @($Entries | ForEach-Object -Process { '{0} {1}' -f $_['Address'], $_['Port'] })

    foreach ($portal in @(Read-Portal))
    {
        if ($places -notcontains ('{0} {1}' -f (ConvertTo-Address -Text $portal['Address']), $portal['Port']))
        {
            continue
        }

        Write-Verbose -Message ('Asking the portal {0} for its targets.' -f $portal['Address'])

        try
        {
            Update-Portal -Address $portal['Address'] -Port $portal['Port'] -Own $portal['Own']
        }
        catch
        {
            $place = Format-Entry -Address $portal['Address'] -Port $portal['Port'] -Own ''
            throw (New-ResourceError -Id 'PortalNotReachable' -Category 'ConnectionError' -Target $place -Message (
                    'The portal {0} does not answer. Does the target server run? {1}' -f
                    $place, $_.Exception.Message))
        }
    }

    if (@(Read-Target) -notcontains $TargetName)
    {
        throw (New-ResourceError -Id 'TargetNotDiscovered' -Category 'ObjectNotFound' -Target $TargetName -Message (
                ("No portal names the target '{0}' to this initiator, {1}. Is the name right, and does the target " +
                    'admit that initiator? Portals: {2}.') -f $TargetName, (Read-InitiatorName),
                (@($Entries | ForEach-Object -Process { $_['Text'] }) -join ', ')))
    }
}

<#
    .SYNOPSIS
        Makes the session of a path what it should be; one that is right is left alone.

    .PARAMETER TargetName
        Name of the target.

    .PARAMETER Pair
        Entry and Session as Get-Pair gives them, and IsSecretRight: whether the secret is the one that was set last.

    .PARAMETER IsMultipathEnabled
        Whether the session is a path of Multipath I/O.

    .PARAMETER Chap
        User name and secret; null when there is none.
#>
function Set-Path
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $TargetName,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Pair,

        [Parameter(Mandatory = $true)]
        [System.Boolean]
        $IsMultipathEnabled,

        [Parameter(Mandatory = $true)]
        [AllowNull()]
        [System.Management.Automation.PSCredential]
        $Chap
    )

    $session = $Pair['Session']
    $path = $Pair['Entry']['Text']

    if ($null -ne $session -and
        ($session['Authentication'] -ne (Get-Authentication -Chap $Chap) -or -not $Pair['IsSecretRight']))
    {
        Write-Verbose -Message ('Ending the session over {0}: it logged on otherwise.' -f $path)
        Disconnect-Path -TargetName $TargetName -Session $session
        $session = $null
    }

    if ($null -eq $session)
    {
        Write-Verbose -Message ('Logging on to {0} over {1}.' -f $TargetName, $path)
        $request = @{
            TargetName         = $TargetName
            Entry              = $Pair['Entry']
            IsMultipathEnabled = $IsMultipathEnabled
        }

        Connect-Path -Request $request -Chap $Chap
    }
    elseif (-not $session['IsPersistent'])
    {
        Write-Verbose -Message ('Registering the session over {0}.' -f $path)
        Register-Session -Id $session['Id'] -IsMultipathEnabled $IsMultipathEnabled -Chap $Chap
    }
}

<#
    .SYNOPSIS
        Logs on over a path, and says in words why that fails.

    .PARAMETER Request
        TargetName, Entry and IsMultipathEnabled.

    .PARAMETER Chap
        User name and secret; null when there is none.
#>
function Connect-Path
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Request,

        [Parameter(Mandatory = $true)]
        [AllowNull()]
        [System.Management.Automation.PSCredential]
        $Chap
    )

    try
    {
        Connect-Session -Request $Request -Chap $Chap
    }
    catch
    {
        $target = $Request['TargetName']
        $path = $Request['Entry']['Text']
        $reason = $_.Exception.Message

        if ($_.FullyQualifiedErrorId -match '0xefff0003')
        {
            throw (New-ResourceError -Id 'PortalNotReachable' -Category 'ConnectionError' -Target $path -Message (
                    ("Nobody answers at {0} for the target '{1}'. Does the target server listen there, and do " +
                        'firewalls let this machine through? {2}') -f $path, $target, $reason))
        }

        if ($_.FullyQualifiedErrorId -match '0xefff0009')
        {
            throw (New-ResourceError -Id 'ChapRefused' -Category 'AuthenticationError' -Target $target -Message (
                    ("The target '{0}' refuses the log-on over {1}: user or secret of Chap are not those of the " +
                        'target, or it asks for CHAP and Chap is not given. {2}') -f $target, $path, $reason))
        }

        if ($_.FullyQualifiedErrorId -match '0xefff003f')
        {
            throw (New-ResourceError -Id 'AlreadyLoggedOn' -Category 'ResourceExists' -Target $target -Message (
                    ("The target '{0}' has a session over another path, so it cannot be logged on to over {1}. Let " +
                        'Exclusive end that session, or set IsMultipathEnabled. {2}') -f $target, $path, $reason))
        }

        throw (New-ResourceError -Id 'LogOnRefused' -Category 'PermissionDenied' -Target $target -Message (
                ("The target '{0}' refuses the log-on over {1}. Does it admit this initiator, {2}? {3}") -f
                $target, $path, (Read-InitiatorName), $reason))
    }
}

<#
    .SYNOPSIS
        Ends sessions that no entry stands for.

    .PARAMETER TargetName
        Name of the target.

    .PARAMETER Others
        The sessions, as Get-Pair gives them.
#>
function Disconnect-Other
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $TargetName,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Collections.Hashtable[]]
        $Others
    )

    foreach ($other in $Others)
    {
        Write-Verbose -Message ('Ending the session {0}, which is not wanted.' -f $other['Session']['Id'])
        Disconnect-Path -TargetName $TargetName -Session $other['Session']
    }
}

<#
    .SYNOPSIS
        Ends a session for good.

    .PARAMETER TargetName
        Name of the target.

    .PARAMETER Session
        The session, as Get-Session gives it.
#>
function Disconnect-Path
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $TargetName,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Session
    )

    if ($Session['IsPersistent'])
    {
        Unregister-Session -Id $Session['Id']
    }

    Disconnect-Session -TargetName $TargetName -Id $Session['Id']
}

<#
    .SYNOPSIS
        Ends all sessions of a target and forgets the portals that nobody else uses.

    .PARAMETER TargetName
        Name of the target.

    .PARAMETER Entries
        The paths that are no longer wanted.
#>
function Remove-Path
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $TargetName,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Collections.Hashtable[]]
        $Entries
    )

    foreach ($session in @(Get-Session -TargetName $TargetName))
    {
        Write-Verbose -Message ('Ending the session {0}.' -f $session['Id'])
        Disconnect-Path -TargetName $TargetName -Session $session
    }

    foreach ($portal in @(Get-UnusedPortal -TargetName $TargetName -Entries $Entries))
    {
        Write-Verbose -Message ('Forgetting the portal {0}.' -f $portal['Address'])
        Remove-Portal -Address $portal['Address'] -Port $portal['Port'] -Own $portal['Own']
    }
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
        Returns the number of characters of a secret.

    .PARAMETER Credential
        User name and secret.
#>
function Measure-Secret
{
    [CmdletBinding()]
    [OutputType([System.Int32])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Management.Automation.PSCredential]
        $Credential
    )

    return $Credential.GetNetworkCredential().Password.Length
}

<#
    .SYNOPSIS
        Tells whether a secret is a text that the LCM could not decrypt.

    .PARAMETER Credential
        User name and secret.
#>
function Test-EncryptedSecret
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Management.Automation.PSCredential]
        $Credential
    )

    return $Credential.GetNetworkCredential().Password.TrimStart().StartsWith(
        $script:encryptedStart, [System.StringComparison]::OrdinalIgnoreCase)
}

<#
    .SYNOPSIS
        Returns the status of the initiator service.
#>
function Read-ServiceStatus
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param ()

    return [System.String] (Get-Service -Name 'MSiSCSI').Status
}

<#
    .SYNOPSIS
        Returns the name of this initiator; several are listed.
#>
function Read-InitiatorName
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param ()

    $ports = @(Get-InitiatorPort -ErrorAction 'SilentlyContinue')
    $names = @($ports | ForEach-Object -Process { [System.String] $_.NodeAddress } |
        Where-Object -FilterScript { $_ -like 'iqn.*' } | Select-Object -Unique)

    return ($names -join ', ')
}

<#
    .SYNOPSIS
        Hands out the portals where targets are looked for: Address, Port and Own of each.
#>
function Read-Portal
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param ()

    foreach ($portal in @(Get-IscsiTargetPortal -ErrorAction 'Stop'))
    {
        @{
            Address = [System.String] $portal.TargetPortalAddress
            Port    = [System.Int32] $portal.TargetPortalPortNumber
            Own     = [System.String] $portal.InitiatorPortalAddress
        }
    }
}

<#
    .SYNOPSIS
        Looks for targets at a portal, and remembers it.

    .PARAMETER Address
        Its address.

    .PARAMETER Port
        Its port.

    .PARAMETER Own
        Address of this machine that it is asked from; empty when Windows chooses it.
#>
function Add-Portal
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Address,

        [Parameter(Mandatory = $true)]
        [System.UInt16]
        $Port,

        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String]
        $Own
    )

    $arguments = @{
        TargetPortalAddress    = $Address
        TargetPortalPortNumber = $Port
    }

    if ($Own)
    {
        $arguments['InitiatorPortalAddress'] = $Own
    }

    $null = New-IscsiTargetPortal @arguments -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Asks a portal again which targets it has.

    .PARAMETER Address
        Its address, as it was registered.

    .PARAMETER Port
        Its port.

    .PARAMETER Own
        Address of this machine that it is asked from; empty when Windows chooses it.
#>
function Update-Portal
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Address,

        [Parameter(Mandatory = $true)]
        [System.UInt16]
        $Port,

        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String]
        $Own
    )

    $arguments = @{
        TargetPortalAddress    = $Address
        TargetPortalPortNumber = $Port
    }

    if ($Own)
    {
        $arguments['InitiatorPortalAddress'] = $Own
    }

    $null = Update-IscsiTargetPortal @arguments -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Forgets a portal.

    .PARAMETER Address
        Its address, as it was registered.

    .PARAMETER Port
        Its port.

    .PARAMETER Own
        Address of this machine that it is asked from; empty when Windows chooses it.
#>
function Remove-Portal
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Address,

        [Parameter(Mandatory = $true)]
        [System.Int32]
        $Port,

        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String]
        $Own
    )

    $arguments = @{
        TargetPortalAddress    = $Address
        TargetPortalPortNumber = $Port
    }

    if ($Own)
    {
        $arguments['InitiatorPortalAddress'] = $Own
    }

    $null = Remove-IscsiTargetPortal @arguments -Confirm:$false -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Hands out the names of the targets that are known.
#>
function Read-Target
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param ()

    foreach ($target in @(Get-IscsiTarget -ErrorAction 'Stop'))
    {
        [System.String] $target.NodeAddress
    }
}

<#
    .SYNOPSIS
        Hands out all sessions: Instance, Target, Id, IsConnected, IsPersistent, Authentication and Own of each.
#>
function Read-Session
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param ()

    foreach ($session in @(Get-IscsiSession -ErrorAction 'Stop'))
    {
        @{
            Instance       = $session
            Target         = [System.String] $session.TargetNodeAddress
            Id             = [System.String] $session.SessionIdentifier
            IsConnected    = [System.Boolean] $session.IsConnected
            IsPersistent   = [System.Boolean] $session.IsPersistent
            Authentication = [System.String] $session.AuthenticationType
            Own            = [System.String] $session.InitiatorPortalAddress
        }
    }
}

<#
    .SYNOPSIS
        Hands out the connections of a session: Address and Port they go to, and Own they come from.

    .PARAMETER Session
        The session, as Get-IscsiSession gave it.
#>
function Read-Connection
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Session
    )

    foreach ($connection in @(Get-IscsiConnection -IscsiSession $Session -ErrorAction 'Stop'))
    {
        @{
            Address = [System.String] $connection.TargetAddress
            Port    = [System.Int32] $connection.TargetPortNumber
            Own     = [System.String] $connection.InitiatorAddress
        }
    }
}

<#
    .SYNOPSIS
        Logs on to a target, to be logged on again after each boot. The secret is a text here, as the cmdlet wants it.

    .PARAMETER Request
        TargetName, Entry and IsMultipathEnabled.

    .PARAMETER Chap
        User name and secret; null when there is none.
#>
function Connect-Session
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Request,

        [Parameter(Mandatory = $true)]
        [AllowNull()]
        [System.Management.Automation.PSCredential]
        $Chap
    )

    $arguments = @{
        NodeAddress            = $Request['TargetName']
        TargetPortalAddress    = $Request['Entry']['Address']
        TargetPortalPortNumber = $Request['Entry']['Port']
        IsPersistent           = $true
        IsMultipathEnabled     = $Request['IsMultipathEnabled']
        AuthenticationType     = 'NONE'
    }

    if ($Request['Entry']['Own'])
    {
        $arguments['InitiatorPortalAddress'] = $Request['Entry']['Own']
    }

    if ($null -ne $Chap)
    {
        $arguments['AuthenticationType'] = 'ONEWAYCHAP'
        $arguments['ChapUsername'] = $Chap.UserName
        $arguments['ChapSecret'] = $Chap.GetNetworkCredential().Password
    }

    $null = Connect-IscsiTarget @arguments -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Lets a session come back after each boot. The secret is a text here, as the cmdlet wants it.

    .PARAMETER Id
        Identifier of the session.

    .PARAMETER IsMultipathEnabled
        Whether the session is a path of Multipath I/O.

    .PARAMETER Chap
        User name and secret; null when there is none.
#>
function Register-Session
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Id,

        [Parameter(Mandatory = $true)]
        [System.Boolean]
        $IsMultipathEnabled,

        [Parameter(Mandatory = $true)]
        [AllowNull()]
        [System.Management.Automation.PSCredential]
        $Chap
    )

    $arguments = @{
        SessionIdentifier  = $Id
        IsMultipathEnabled = $IsMultipathEnabled
    }

    if ($null -ne $Chap)
    {
        $arguments['ChapUsername'] = $Chap.UserName
        $arguments['ChapSecret'] = $Chap.GetNetworkCredential().Password
    }

    $null = Register-IscsiSession @arguments -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Lets a session come back no longer.

    .PARAMETER Id
        Identifier of the session.
#>
function Unregister-Session
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Id
    )

    $null = Unregister-IscsiSession -SessionIdentifier $Id -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Ends one session of a target.

    .PARAMETER TargetName
        Name of the target.

    .PARAMETER Id
        Identifier of the session.
#>
function Disconnect-Session
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $TargetName,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Id
    )

    $null = Disconnect-IscsiTarget -NodeAddress $TargetName -SessionIdentifier $Id -Confirm:$false -ErrorAction 'Stop'
}

#endregion

Export-ModuleMember -Function 'Get-TargetResource', 'Test-TargetResource', 'Set-TargetResource'
