<#
    Lets initiators of an iSCSI target authenticate by CHAP, and the target towards them.

    Every call that touches the machine stands alone in a small private function, so that the logic above it can be
    run with these functions replaced. This module has been parsed, but has not run on Windows.

    Windows never gives a secret back. Which one was set last is known by a marker (see ProvisionerDsc.Common). A
    secret stands in no message, and is handed to commands and functions inside its PSCredential only, of which the
    log shows the name of the type.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

$script:moduleFolder = Split-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -Parent
Import-Module -Name (Join-Path -Path $script:moduleFolder -ChildPath 'Modules/ProvisionerDsc.Common')

# What the initiator of Windows takes without IPsec.
$script:secretMinimum = 12
$script:secretMaximum = 16

# An LCM that cannot decrypt hands out the encrypted text.
$script:encryptedStart = '-----BEGIN CMS-----'

<#
    .SYNOPSIS
        Returns whether a target asks for CHAP.

    .DESCRIPTION
        Secrets cannot be read, so Chap and ReverseChap are always null.

    .PARAMETER TargetName
        Name of the target.
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
        $TargetName
    )

    $state = @{
        TargetName  = $TargetName
        Ensure      = 'Absent'
        Chap        = $null
        ReverseChap = $null
    }

    $target = Read-Target -TargetName $TargetName

    if ($null -ne $target -and ($target['Chap'] -or $target['ReverseChap']))
    {
        $state['Ensure'] = 'Present'
    }

    return $state
}

<#
    .SYNOPSIS
        Tells whether a target asks for the given user and, as far as is known, for the given secret.

    .PARAMETER TargetName
        Name of the target.

    .PARAMETER Ensure
        Whether initiators have to authenticate.

    .PARAMETER Chap
        User name and secret that initiators log on with.

    .PARAMETER ReverseChap
        User name and secret that the target proves itself with. Left out, it does not.
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

        [Parameter()]
        [ValidateSet('Present', 'Absent')]
        [System.String]
        $Ensure = 'Present',

        [Parameter()]
        [System.Management.Automation.PSCredential]
        $Chap,

        [Parameter()]
        [System.Management.Automation.PSCredential]
        $ReverseChap
    )

    if ($Ensure -eq 'Absent')
    {
        $target = Read-Target -TargetName $TargetName
        return ($null -eq $target -or -not ($target['Chap'] -or $target['ReverseChap']))
    }

    Assert-Secret -TargetName $TargetName -Chap $Chap -ReverseChap $ReverseChap
    $target = Read-Target -TargetName $TargetName

    if ($null -eq $target)
    {
        # The target may be made by a resource this one depends on, so Set is the one to complain.
        Write-Verbose -Message ('There is no target {0}.' -f $TargetName)
        return $false
    }

    if (-not (Test-Direction -Target $target -Direction 'Chap' -Credential $Chap))
    {
        return $false
    }

    if (-not (Test-Direction -Target $target -Direction 'ReverseChap' -Credential $ReverseChap))
    {
        return $false
    }

    Write-Verbose -Message ('CHAP of the target {0} is in the desired state.' -f $TargetName)
    return $true
}

<#
    .SYNOPSIS
        Sets user and secret of a target, or lets it ask for none.

    .PARAMETER TargetName
        Name of the target.

    .PARAMETER Ensure
        Whether initiators have to authenticate.

    .PARAMETER Chap
        User name and secret that initiators log on with.

    .PARAMETER ReverseChap
        User name and secret that the target proves itself with. Left out, it does not.
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

        [Parameter()]
        [ValidateSet('Present', 'Absent')]
        [System.String]
        $Ensure = 'Present',

        [Parameter()]
        [System.Management.Automation.PSCredential]
        $Chap,

        [Parameter()]
        [System.Management.Automation.PSCredential]
        $ReverseChap
    )

    $target = Read-Target -TargetName $TargetName

    if ($Ensure -eq 'Absent')
    {
        if ($null -ne $target)
        {
            Write-Verbose -Message ('The target {0} asks for CHAP no longer.' -f $TargetName)
            Clear-Chap -TargetName $TargetName
        }

        Clear-SecretMarker -Resource 'IscsiTargetChap' -Name (Get-MarkerName -TargetName $TargetName -Direction 'Chap')
        Clear-SecretMarker -Resource 'IscsiTargetChap' -Name (
            Get-MarkerName -TargetName $TargetName -Direction 'ReverseChap')
        return
    }

    Assert-Secret -TargetName $TargetName -Chap $Chap -ReverseChap $ReverseChap

    if ($null -eq $target)
    {
        throw (New-ResourceError -Id 'TargetNotFound' -Category 'ObjectNotFound' -Target $TargetName -Message (
                "There is no iSCSI target '{0}'." -f $TargetName))
    }

    if (-not (Test-Direction -Target $target -Direction 'Chap' -Credential $Chap))
    {
        Write-Verbose -Message ('Setting CHAP of the target {0}.' -f $TargetName)
        $name = Get-MarkerName -TargetName $TargetName -Direction 'Chap'

        # Without a marker the secret counts as unknown, so a Set that is cut off is repeated.
        Clear-SecretMarker -Resource 'IscsiTargetChap' -Name $name
        Write-Chap -TargetName $TargetName -Credential $Chap
        Set-SecretMarker -Resource 'IscsiTargetChap' -Name $name -Secret $Chap
    }

    if (-not (Test-Direction -Target $target -Direction 'ReverseChap' -Credential $ReverseChap))
    {
        $name = Get-MarkerName -TargetName $TargetName -Direction 'ReverseChap'
        Clear-SecretMarker -Resource 'IscsiTargetChap' -Name $name

        if ($null -eq $ReverseChap)
        {
            Write-Verbose -Message ('The target {0} proves itself no longer.' -f $TargetName)
            Clear-ReverseChap -TargetName $TargetName
        }
        else
        {
            Write-Verbose -Message ('Setting reverse CHAP of the target {0}.' -f $TargetName)
            Write-ReverseChap -TargetName $TargetName -Credential $ReverseChap
            Set-SecretMarker -Resource 'IscsiTargetChap' -Name $name -Secret $ReverseChap
        }
    }

    $target = Read-Target -TargetName $TargetName

    Assert-Direction -Target $target -Direction 'Chap' -Credential $Chap
    Assert-Direction -Target $target -Direction 'ReverseChap' -Credential $ReverseChap
}

<#
    .SYNOPSIS
        Tells whether one direction of CHAP is as desired.

    .PARAMETER Target
        The target, as Read-Target gives it.

    .PARAMETER Direction
        Chap or ReverseChap.

    .PARAMETER Credential
        User name and secret; null when this direction is off.
#>
function Test-Direction
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Target,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Direction,

        [Parameter(Mandatory = $true)]
        [AllowNull()]
        [System.Management.Automation.PSCredential]
        $Credential
    )

    $isEnabled = $Target[$Direction]
    $user = $Target["${Direction}User"]

    if ($null -eq $Credential)
    {
        Write-Verbose -Message ('{0} is enabled: {1}. It should not be.' -f $Direction, $isEnabled)
        return (-not $isEnabled)
    }

    if (-not $isEnabled -or $user -cne $Credential.UserName)
    {
        Write-Verbose -Message ("{0} is enabled: {1}, for the user '{2}'." -f $Direction, $isEnabled, $user)
        return $false
    }

    $name = Get-MarkerName -TargetName $Target['TargetName'] -Direction $Direction

    if (-not (Test-SecretMarker -Resource 'IscsiTargetChap' -Name $name -Secret $Credential))
    {
        Write-Verbose -Message ('The secret of {0} is another one than was set last, or unknown.' -f $Direction)
        return $false
    }

    return $true
}

<#
    .SYNOPSIS
        Throws when one direction of CHAP was set and reads back otherwise.

    .PARAMETER Target
        The target, as Read-Target gives it.

    .PARAMETER Direction
        Chap or ReverseChap.

    .PARAMETER Credential
        User name and secret; null when this direction is off.
#>
function Assert-Direction
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Target,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Direction,

        [Parameter(Mandatory = $true)]
        [AllowNull()]
        [System.Management.Automation.PSCredential]
        $Credential
    )

    if (-not (Test-Direction -Target $Target -Direction $Direction -Credential $Credential))
    {
        throw (New-ResourceError -Id 'ChapNotApplied' -Category 'InvalidResult' -Target $Target['TargetName'] -Message (
                "{0} of the target '{1}' was set, but reads back otherwise." -f $Direction, $Target['TargetName']))
    }
}

<#
    .SYNOPSIS
        Throws when a secret is missing or cannot be one.

    .PARAMETER TargetName
        Name of the target.

    .PARAMETER Chap
        User name and secret that initiators log on with.

    .PARAMETER ReverseChap
        User name and secret that the target proves itself with.
#>
function Assert-Secret
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $TargetName,

        [Parameter()]
        [AllowNull()]
        [System.Management.Automation.PSCredential]
        $Chap,

        [Parameter()]
        [AllowNull()]
        [System.Management.Automation.PSCredential]
        $ReverseChap
    )

    if ($null -eq $Chap)
    {
        throw (New-ResourceError -Id 'ChapMissing' -Category 'InvalidArgument' -Target $TargetName -Message (
                "CHAP of the target '{0}' should be present, but Chap is not given." -f $TargetName))
    }

    Assert-OneSecret -TargetName $TargetName -Direction 'Chap' -Credential $Chap

    if ($null -ne $ReverseChap)
    {
        Assert-OneSecret -TargetName $TargetName -Direction 'ReverseChap' -Credential $ReverseChap

        if (Test-SameSecret -First $Chap -Second $ReverseChap)
        {
            throw (New-ResourceError -Id 'SecretsEqual' -Category 'InvalidArgument' -Target $TargetName -Message (
                    "Chap and ReverseChap of the target '{0}' have the same secret; they must differ." -f $TargetName))
        }
    }
}

<#
    .SYNOPSIS
        Throws when a secret is still encrypted or of a wrong length.

    .PARAMETER TargetName
        Name of the target.

    .PARAMETER Direction
        Chap or ReverseChap.

    .PARAMETER Credential
        User name and secret.
#>
function Assert-OneSecret
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $TargetName,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Direction,

        [Parameter(Mandatory = $true)]
        [System.Management.Automation.PSCredential]
        $Credential
    )

    if (Test-EncryptedSecret -Credential $Credential)
    {
        throw (New-ResourceError -Id 'SecretNotDecrypted' -Category 'InvalidData' -Target $TargetName -Message (
                "{0} of the target '{1}' arrived encrypted: does CertificateID of the LCM name the certificate?" -f
                $Direction, $TargetName))
    }

    $length = Measure-Secret -Credential $Credential

    if ($length -lt $script:secretMinimum -or $length -gt $script:secretMaximum)
    {
        throw (New-ResourceError -Id 'SecretLength' -Category 'InvalidArgument' -Target $TargetName -Message (
                "The secret of {0} of the target '{1}' does not have {2} to {3} characters, as Windows wants it." -f
                $Direction, $TargetName, $script:secretMinimum, $script:secretMaximum))
    }
}

<#
    .SYNOPSIS
        Returns the name of the marker of one direction of a target.

    .PARAMETER TargetName
        Name of the target.

    .PARAMETER Direction
        Chap or ReverseChap.
#>
function Get-MarkerName
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $TargetName,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Direction
    )

    return '{0} {1}' -f $Direction, $TargetName
}

#region One call each

<#
    .SYNOPSIS
        Returns what a target asks for; null when there is no target of this name.

    .PARAMETER TargetName
        Name of the target.
#>
function Read-Target
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $TargetName
    )

    $found = @(Get-IscsiServerTarget | Where-Object -FilterScript { $_.TargetName -eq $TargetName })

    if ($found.Count -eq 0)
    {
        return $null
    }

    return @{
        TargetName      = $TargetName
        Chap            = [System.Boolean] $found[0].EnableChap
        ChapUser        = [System.String] $found[0].ChapUserName
        ReverseChap     = [System.Boolean] $found[0].EnableReverseChap
        ReverseChapUser = [System.String] $found[0].ReverseChapUserName
    }
}

<#
    .SYNOPSIS
        Lets a target ask initiators for a user and a secret.

    .PARAMETER TargetName
        Name of the target.

    .PARAMETER Credential
        User name and secret.
#>
function Write-Chap
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $TargetName,

        [Parameter(Mandatory = $true)]
        [System.Management.Automation.PSCredential]
        $Credential
    )

    Set-IscsiServerTarget -TargetName $TargetName -EnableChap $true -Chap $Credential
}

<#
    .SYNOPSIS
        Lets a target prove itself with a user and a secret.

    .PARAMETER TargetName
        Name of the target.

    .PARAMETER Credential
        User name and secret.
#>
function Write-ReverseChap
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $TargetName,

        [Parameter(Mandatory = $true)]
        [System.Management.Automation.PSCredential]
        $Credential
    )

    Set-IscsiServerTarget -TargetName $TargetName -EnableReverseChap $true -ReverseChap $Credential
}

<#
    .SYNOPSIS
        Lets a target prove itself no longer.

    .PARAMETER TargetName
        Name of the target.
#>
function Clear-ReverseChap
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $TargetName
    )

    Set-IscsiServerTarget -TargetName $TargetName -EnableReverseChap $false
}

<#
    .SYNOPSIS
        Lets a target ask for nothing and prove nothing.

    .PARAMETER TargetName
        Name of the target.
#>
function Clear-Chap
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $TargetName
    )

    Set-IscsiServerTarget -TargetName $TargetName -EnableReverseChap $false -EnableChap $false
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
        Tells whether two secrets are the same.

    .PARAMETER First
        One.

    .PARAMETER Second
        The other.
#>
function Test-SameSecret
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Management.Automation.PSCredential]
        $First,

        [Parameter(Mandatory = $true)]
        [System.Management.Automation.PSCredential]
        $Second
    )

    return ($First.GetNetworkCredential().Password -ceq $Second.GetNetworkCredential().Password)
}

#endregion

Export-ModuleMember -Function 'Get-TargetResource', 'Test-TargetResource', 'Set-TargetResource'
