<#
    Keeps files, extensions and programs from being scanned by Microsoft Defender, and leaves other exclusions alone.

    Every call of a cmdlet, a program or .NET that touches the machine stands alone in a small private function, so
    that the logic above it can be run with these functions replaced. This module has been parsed, but has not run on
    Windows.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

$script:moduleFolder = Split-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -Parent
Import-Module -Name (Join-Path -Path $script:moduleFolder -ChildPath 'Modules/ProvisionerDsc.Common')

$script:policyKey = 'SOFTWARE\Policies\Microsoft\Windows Defender'

# Names of properties and parameters of Defender for our own.
$script:preferences = @{
    Paths      = 'ExclusionPath'
    Extensions = 'ExclusionExtension'
    Processes  = 'ExclusionProcess'
}

<#
    .SYNOPSIS
        Returns all exclusions that Defender has.

    .PARAMETER IsSingleInstance
        Always Yes.
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

    $found = Get-Exclusion

    return @{
        IsSingleInstance = $IsSingleInstance
        Ensure           = $null
        Paths            = [System.String[]] $found['Paths']
        Extensions       = [System.String[]] $found['Extensions']
        Processes        = [System.String[]] $found['Processes']
    }
}

<#
    .SYNOPSIS
        Tells whether all of these exclusions are there, or none of them.

    .PARAMETER IsSingleInstance
        Always Yes.

    .PARAMETER Ensure
        Whether the exclusions are there.

    .PARAMETER Paths
        Files and folders.

    .PARAMETER Extensions
        Extensions of files, with or without a dot.

    .PARAMETER Processes
        Programs whose files are not scanned.
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
        [AllowEmptyCollection()]
        [System.String[]]
        $Paths = @(),

        [Parameter()]
        [AllowEmptyCollection()]
        [System.String[]]
        $Extensions = @(),

        [Parameter()]
        [AllowEmptyCollection()]
        [System.String[]]
        $Processes = @()
    )

    $wanted = @{
        Paths      = @($Paths)
        Extensions = @($Extensions)
        Processes  = @($Processes)
    }
    $rest = Get-Difference -Wanted $wanted -Ensure $Ensure

    return (($rest['Paths'].Count + $rest['Extensions'].Count + $rest['Processes'].Count) -eq 0)
}

<#
    .SYNOPSIS
        Adds the exclusions that are missing, or removes those that are there.

    .PARAMETER IsSingleInstance
        Always Yes.

    .PARAMETER Ensure
        Whether the exclusions are there.

    .PARAMETER Paths
        Files and folders.

    .PARAMETER Extensions
        Extensions of files, with or without a dot.

    .PARAMETER Processes
        Programs whose files are not scanned.
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
        [AllowEmptyCollection()]
        [System.String[]]
        $Paths = @(),

        [Parameter()]
        [AllowEmptyCollection()]
        [System.String[]]
        $Extensions = @(),

        [Parameter()]
        [AllowEmptyCollection()]
        [System.String[]]
        $Processes = @()
    )

    $wanted = @{
        Paths      = @($Paths)
        Extensions = @($Extensions)
        Processes  = @($Processes)
    }
    $rest = Get-Difference -Wanted $wanted -Ensure $Ensure

    foreach ($list in @('Paths', 'Extensions', 'Processes'))
    {
        if ($rest[$list].Count -eq 0)
        {
            continue
        }

        if ($Ensure -eq 'Present')
        {
            Add-Exclusion -List $list -Value $rest[$list]
        }
        else
        {
            Remove-Exclusion -List $list -Value $rest[$list]
        }
    }

    $rest = Get-Difference -Wanted $wanted -Ensure $Ensure
    $kept = @($rest['Paths'] + $rest['Extensions'] + $rest['Processes'])

    if ($kept.Count -gt 0)
    {
        $reason = 'A policy may forbid it.'

        if (Test-TamperProtection)
        {
            $reason = 'Tamper protection is on: who manages Defender centrally has to set them there.'
        }

        throw (New-ResourceError -Id 'ExclusionsNotApplied' -Category 'PermissionDenied' -Target 'Defender' -Message (
                'Defender took the change of {0} and did not carry it out. {1}' -f ($kept -join ', '), $reason))
    }
}

<#
    .SYNOPSIS
        Returns the exclusions that are missing (Present) or there (Absent), by list.

    .PARAMETER Wanted
        The exclusions by list.

    .PARAMETER Ensure
        Present or Absent.
#>
function Get-Difference
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Wanted,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Ensure
    )

    $rest = @{
        Paths      = @()
        Extensions = @()
        Processes  = @()
    }

    if (($Wanted['Paths'].Count + $Wanted['Extensions'].Count + $Wanted['Processes'].Count) -eq 0)
    {
        return $rest
    }

    $found = Get-Exclusion

    foreach ($list in @('Paths', 'Extensions', 'Processes'))
    {
        $known = @{}

        foreach ($item in @($found[$list]))
        {
            $known[(ConvertTo-ExclusionKey -List $list -Value $item)] = $item
        }

        foreach ($item in $Wanted[$list])
        {
            $key = ConvertTo-ExclusionKey -List $list -Value $item
            $isThere = $known.ContainsKey($key)
            Write-Verbose -Message ("{0}: '{1}' is there: {2}." -f $list, $item, $isThere)

            if ($Ensure -eq 'Present' -and -not $isThere)
            {
                $rest[$list] += $item
            }

            if ($Ensure -eq 'Absent' -and $isThere)
            {
                # Defender removes what is written just as it has it.
                $rest[$list] += $known[$key]
            }
        }
    }

    return $rest
}

<#
    .SYNOPSIS
        Returns all exclusions of the node by list.
#>
function Get-Exclusion
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param ()

    if (-not (Test-Defender))
    {
        throw (New-ResourceError -Id 'DefenderMissing' -Category 'ObjectNotFound' -Target 'Defender' -Message (
                'Microsoft Defender is not installed on this node (feature Windows-Defender).'))
    }

    if (([System.String] (Read-RegistryValue -Key $script:policyKey -Name 'DisableLocalAdminMerge')) -eq '1')
    {
        throw (New-ResourceError -Id 'ExclusionPolicy' -Category 'PermissionDenied' -Target 'Defender' -Message (
                'A group policy (DisableLocalAdminMerge) has Defender ignore exclusions that are set on the node. ' +
                'Set them in the policy.'))
    }

    $preference = Read-Preference
    $found = @{}

    foreach ($list in @('Paths', 'Extensions', 'Processes'))
    {
        $values = @($preference.($script:preferences[$list]) | Where-Object -FilterScript { $_ })

        # Windows gives this text, and in English only, in place of a list that it hides.
        if ($values.Count -eq 1 -and $values[0] -like 'N/A:*')
        {
            throw (New-ResourceError -Id 'ExclusionsHidden' -Category 'PermissionDenied' -Target 'Defender' -Message (
                    'Defender hides its exclusions: {0}' -f $values[0]))
        }

        $found[$list] = $values
    }

    return $found
}

<#
    .SYNOPSIS
        Returns an exclusion in the form that is compared: an extension without dot, a folder without backslash at its
        end.

    .PARAMETER List
        Paths, Extensions or Processes.

    .PARAMETER Value
        The exclusion.
#>
function ConvertTo-ExclusionKey
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $List,

        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String]
        $Value
    )

    if ($List -eq 'Extensions')
    {
        return $Value.TrimStart('.')
    }

    if ($List -eq 'Paths' -and $Value.Length -gt 3)
    {
        return $Value.TrimEnd([System.Char[]] '\')
    }

    return $Value
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
        Tells whether the cmdlets of Defender are there.
#>
function Test-Defender
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param ()

    return ($null -ne (Get-Command -Name 'Get-MpPreference' -ErrorAction 'SilentlyContinue'))
}

<#
    .SYNOPSIS
        Returns the preferences of Defender.
#>
function Read-Preference
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param ()

    return Get-MpPreference -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Adds exclusions of one list.

    .PARAMETER List
        Paths, Extensions or Processes.

    .PARAMETER Value
        The exclusions.
#>
function Add-Exclusion
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $List,

        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String[]]
        $Value
    )

    if ($List -eq 'Paths')
    {
        Add-MpPreference -ExclusionPath $Value -ErrorAction 'Stop'
    }
    elseif ($List -eq 'Extensions')
    {
        Add-MpPreference -ExclusionExtension $Value -ErrorAction 'Stop'
    }
    else
    {
        Add-MpPreference -ExclusionProcess $Value -ErrorAction 'Stop'
    }
}

<#
    .SYNOPSIS
        Removes exclusions of one list.

    .PARAMETER List
        Paths, Extensions or Processes.

    .PARAMETER Value
        The exclusions.
#>
function Remove-Exclusion
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $List,

        [Parameter(Mandatory = $true)]
        [System.String[]]
        $Value
    )

    if ($List -eq 'Paths')
    {
        Remove-MpPreference -ExclusionPath $Value -ErrorAction 'Stop'
    }
    elseif ($List -eq 'Extensions')
    {
        Remove-MpPreference -ExclusionExtension $Value -ErrorAction 'Stop'
    }
    else
    {
        Remove-MpPreference -ExclusionProcess $Value -ErrorAction 'Stop'
    }
}

<#
    .SYNOPSIS
        Tells whether tamper protection is on; false where Defender does not say so.
#>
function Test-TamperProtection
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param ()

    $status = Get-MpComputerStatus -ErrorAction 'Stop'
    $property = $status.PSObject.Properties['IsTamperProtected']

    return ($null -ne $property -and [System.Boolean] $property.Value)
}

#endregion

Export-ModuleMember -Function 'Get-TargetResource', 'Test-TargetResource', 'Set-TargetResource'
