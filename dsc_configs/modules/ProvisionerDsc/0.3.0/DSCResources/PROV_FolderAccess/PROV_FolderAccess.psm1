<#
    Gives accounts rights on a folder and what lies in it.

    Every call that touches the machine stands alone in a small private function, so that the logic above it can be
    run with these functions replaced. This module has been parsed, but has not run on Windows.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

$script:moduleFolder = Split-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -Parent
Import-Module -Name (Join-Path -Path $script:moduleFolder -ChildPath 'Modules/ProvisionerDsc.Common')

# What may be asked for: names of FileSystemRights.
$script:knownRights = @('FullControl', 'Modify', 'ReadAndExecute', 'Read', 'Write')

# Well-known SIDs, since names are translated on some editions of Windows: SYSTEM and Administrators.
$script:fullControlSids = @('S-1-5-18', 'S-1-5-32-544')

<#
    .SYNOPSIS
        Returns who has rights of their own on the folder.

    .DESCRIPTION
        Accounts are given by their SIDs. Rights that the folder inherits are left out.

    .PARAMETER Path
        Full path of the folder.

    .PARAMETER Entries
        Who may do what: texts of the form account=right.
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
        $Path,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [System.String[]]
        $Entries
    )

    Assert-FolderPath -Path $Path

    $state = @{
        Path      = $Path
        Entries   = [System.String[]] @()
        Ensure    = 'Absent'
        Exclusive = $null
    }

    if (Test-FolderExistence -Path $Path)
    {
        $security = Read-FolderSecurity -Path $Path
        $state['Ensure'] = 'Present'
        $state['Exclusive'] = Test-SecurityProtection -Security $security
        $state['Entries'] = [System.String[]] @(Get-OwnRule -Security $security | ForEach-Object -Process {
                '{0}={1}' -f $_['Sid'], $_['Right'] } | Sort-Object -Unique)
    }

    return $state
}

<#
    .SYNOPSIS
        Tells whether the accounts have exactly these rights of their own, or none.

    .PARAMETER Path
        Full path of the folder.

    .PARAMETER Entries
        Who may do what: texts of the form account=right.

    .PARAMETER Ensure
        Whether the accounts have their rights, or none of their own.

    .PARAMETER Exclusive
        Whether nobody else has rights besides SYSTEM and Administrators.
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
        $Path,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [System.String[]]
        $Entries,

        [Parameter()]
        [ValidateSet('Present', 'Absent')]
        [System.String]
        $Ensure = 'Present',

        [Parameter()]
        [System.Boolean]
        $Exclusive = $false
    )

    Assert-FolderPath -Path $Path
    $wanted = @(ConvertTo-Entry -Path $Path -Entries $Entries)

    if (-not (Test-FolderExistence -Path $Path))
    {
        Write-Verbose -Message ('The folder {0} does not exist.' -f $Path)
        return ($Ensure -eq 'Absent')
    }

    $security = Read-FolderSecurity -Path $Path

    foreach ($entry in $wanted)
    {
        $sid = ConvertTo-Sid -Identity $entry['Identity']

        if ([System.String]::IsNullOrEmpty($sid))
        {
            if ($Ensure -eq 'Present')
            {
                # The account may be made by a resource this one depends on, so Set is the one to complain.
                Write-Verbose -Message ('No account is named {0}.' -f $entry['Identity'])
                return $false
            }

            continue
        }

        $right = $entry['Right']

        if ($Ensure -eq 'Absent')
        {
            $right = ''
        }

        if (-not (Test-Entry -Security $security -Sid $sid -Right $right))
        {
            Write-Verbose -Message ('The rights of {0} on {1} are other ones.' -f $entry['Identity'], $Path)
            return $false
        }
    }

    if ($Ensure -eq 'Present' -and $Exclusive -and -not (Test-Exclusive -Security $security -Wanted $wanted))
    {
        Write-Verbose -Message ('Others have rights on {0} too.' -f $Path)
        return $false
    }

    Write-Verbose -Message ('The rights on {0} are in the desired state.' -f $Path)
    return $true
}

<#
    .SYNOPSIS
        Makes the folder and gives the accounts their rights, or takes them away.

    .PARAMETER Path
        Full path of the folder.

    .PARAMETER Entries
        Who may do what: texts of the form account=right.

    .PARAMETER Ensure
        Whether the accounts have their rights, or none of their own.

    .PARAMETER Exclusive
        Whether nobody else has rights besides SYSTEM and Administrators.
#>
function Set-TargetResource
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $Path,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [System.String[]]
        $Entries,

        [Parameter()]
        [ValidateSet('Present', 'Absent')]
        [System.String]
        $Ensure = 'Present',

        [Parameter()]
        [System.Boolean]
        $Exclusive = $false
    )

    Assert-FolderPath -Path $Path
    $wanted = @(ConvertTo-Entry -Path $Path -Entries $Entries)

    if ($Ensure -eq 'Absent')
    {
        if (Test-FolderExistence -Path $Path)
        {
            Clear-Entry -Path $Path -Wanted $wanted
        }

        return
    }

    # All accounts are looked up before anything is changed.
    Resolve-Account -Path $Path -Wanted $wanted

    if (-not (Test-FolderExistence -Path $Path))
    {
        Write-Verbose -Message ('Making the folder {0}.' -f $Path)
        New-Folder -Path $Path
    }

    $security = Read-FolderSecurity -Path $Path

    if ($Exclusive)
    {
        Write-Verbose -Message ('Taking the rights of all others on {0}.' -f $Path)
        Protect-Security -Security $security

        foreach ($rule in @(Get-OwnRule -Security $security))
        {
            Remove-OwnRule -Security $security -Sid $rule['Sid']
        }

        foreach ($sid in $script:fullControlSids)
        {
            Add-OwnRule -Security $security -Sid $sid -Right 'FullControl'
        }
    }

    foreach ($entry in $wanted)
    {
        Write-Verbose -Message ('{0} gets {1} on {2}.' -f $entry['Identity'], $entry['Right'], $Path)
        Remove-OwnRule -Security $security -Sid $entry['Sid']
        Add-OwnRule -Security $security -Sid $entry['Sid'] -Right $entry['Right']
    }

    Write-FolderSecurity -Path $Path -Security $security
    $security = Read-FolderSecurity -Path $Path

    foreach ($entry in $wanted)
    {
        if (-not (Test-Entry -Security $security -Sid $entry['Sid'] -Right $entry['Right']))
        {
            throw (New-ResourceError -Id 'RightsNotApplied' -Category 'InvalidResult' -Target $Path -Message (
                    "'{0}' was given {1} on the folder '{2}', but has other rights." -f
                    $entry['Identity'], $entry['Right'], $Path))
        }
    }
}

<#
    .SYNOPSIS
        Throws when a path cannot be that of a folder.

    .PARAMETER Path
        Full path of the folder.
#>
function Assert-FolderPath
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $Path
    )

    if ($Path -notmatch '^[A-Za-z]:\\' -and $Path -notmatch '^\\\\[^\\]+\\[^\\]+')
    {
        throw (New-ResourceError -Id 'PathNotAbsolute' -Category 'InvalidArgument' -Target $Path -Message (
                "The path '{0}' starts with neither a drive, as in C:\, nor a share." -f $Path))
    }

    if (Test-FileExistence -Path $Path)
    {
        throw (New-ResourceError -Id 'PathIsFile' -Category 'InvalidArgument' -Target $Path -Message (
                "The path '{0}' is a file, not a folder." -f $Path))
    }
}

<#
    .SYNOPSIS
        Hands out Identity and Right of each entry.

    .PARAMETER Path
        Full path of the folder.

    .PARAMETER Entries
        Who may do what: texts of the form account=right.
#>
function ConvertTo-Entry
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $Path,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [System.String[]]
        $Entries
    )

    $known = @()

    foreach ($text in $Entries)
    {
        $at = $text.LastIndexOf('=')
        $identity = ''
        $right = ''

        if ($at -gt 0)
        {
            $identity = $text.Substring(0, $at).Trim()
            $right = $text.Substring($at + 1).Trim()
        }

        if ($identity -eq '' -or $script:knownRights -notcontains $right)
        {
            throw (New-ResourceError -Id 'EntryMalformed' -Category 'InvalidArgument' -Target $Path -Message (
                    "'{0}' is not of the form account=right, with one of the rights {1}." -f
                    $text, ($script:knownRights -join ', ')))
        }

        if ($known -contains $identity)
        {
            throw (New-ResourceError -Id 'EntryTwice' -Category 'InvalidArgument' -Target $Path -Message (
                    "'{0}' stands twice among the entries of the folder '{1}'." -f $identity, $Path))
        }

        $known += $identity

        @{
            Identity = $identity
            Right    = $right
        }
    }
}

<#
    .SYNOPSIS
        Gives each entry its Sid; throws when an account does not exist, or two entries mean the same one.

    .PARAMETER Path
        The folder, for messages.

    .PARAMETER Wanted
        The entries.
#>
function Resolve-Account
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $Path,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Collections.Hashtable[]]
        $Wanted
    )

    $known = @{}

    foreach ($entry in $Wanted)
    {
        $identity = $entry['Identity']
        $sid = [System.String] (ConvertTo-Sid -Identity $identity)

        if ($sid -eq '')
        {
            throw (New-ResourceError -Id 'IdentityNotMapped' -Category 'ObjectNotFound' -Target $identity -Message (
                    "No account is named '{0}', to have rights on the folder '{1}'." -f $identity, $Path))
        }

        if ($known.ContainsKey($sid))
        {
            throw (New-ResourceError -Id 'EntryTwice' -Category 'InvalidArgument' -Target $Path -Message (
                    "'{0}' and '{1}' are one account, which stands twice among the entries of the folder '{2}'." -f
                    $known[$sid], $identity, $Path))
        }

        $known[$sid] = $identity
        $entry['Sid'] = $sid
    }
}

<#
    .SYNOPSIS
        Takes the rights of their own from accounts; one that does not exist has none.

    .PARAMETER Path
        Full path of the folder.

    .PARAMETER Wanted
        The entries.
#>
function Clear-Entry
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $Path,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Collections.Hashtable[]]
        $Wanted
    )

    $security = Read-FolderSecurity -Path $Path

    foreach ($entry in $Wanted)
    {
        $sid = ConvertTo-Sid -Identity $entry['Identity']

        if (-not [System.String]::IsNullOrEmpty($sid))
        {
            Write-Verbose -Message ('Taking the rights of {0} on {1}.' -f $entry['Identity'], $Path)
            Remove-OwnRule -Security $security -Sid $sid
        }
    }

    Write-FolderSecurity -Path $Path -Security $security
}

<#
    .SYNOPSIS
        Tells whether an account has exactly one right of its own, for the folder and all in it; or none.

    .PARAMETER Security
        The security descriptor.

    .PARAMETER Sid
        SID of the account.

    .PARAMETER Right
        Name of the right; empty for none.
#>
function Test-Entry
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Security,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Sid,

        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String]
        $Right
    )

    $rules = @(Get-OwnRule -Security $Security | Where-Object -FilterScript { $_['Sid'] -eq $Sid })

    if ($Right -eq '')
    {
        return ($rules.Count -eq 0)
    }

    return ($rules.Count -eq 1 -and $rules[0]['IsAllowed'] -and $rules[0]['IsForAll'] -and $rules[0]['Right'] -eq (
            ConvertTo-RightText -Right $Right))
}

<#
    .SYNOPSIS
        Tells whether nobody else has rights besides SYSTEM and Administrators.

    .PARAMETER Security
        The security descriptor.

    .PARAMETER Wanted
        The entries.
#>
function Test-Exclusive
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Security,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Collections.Hashtable[]]
        $Wanted
    )

    if (-not (Test-SecurityProtection -Security $Security))
    {
        return $false
    }

    $named = @($Wanted | ForEach-Object -Process { ConvertTo-Sid -Identity $_['Identity'] })

    foreach ($sid in $script:fullControlSids)
    {
        if ($named -notcontains $sid -and -not (Test-Entry -Security $Security -Sid $sid -Right 'FullControl'))
        {
            return $false
        }
    }

    foreach ($rule in @(Get-OwnRule -Security $Security))
    {
        if ($named -notcontains $rule['Sid'] -and $script:fullControlSids -notcontains $rule['Sid'])
        {
            return $false
        }
    }

    return $true
}

#region One call each

<#
    .SYNOPSIS
        Returns the SID of an account name, or a SID as it is; null when there is no such account.

    .PARAMETER Identity
        A name or a SID.
#>
function ConvertTo-Sid
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Identity
    )

    if ($Identity -match '^S-1-[0-9]+(-[0-9]+)*$')
    {
        return $Identity.ToUpperInvariant()
    }

    try
    {
        $account = New-Object -TypeName 'System.Security.Principal.NTAccount' -ArgumentList @($Identity)
        return $account.Translate([System.Security.Principal.SecurityIdentifier]).Value
    }
    catch [System.Security.Principal.IdentityNotMappedException]
    {
        return $null
    }
}

<#
    .SYNOPSIS
        Returns a right as a rule shows it: with the right to synchronize.

    .PARAMETER Right
        Name of the right.
#>
function ConvertTo-RightText
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Right
    )

    $rights = [System.Security.AccessControl.FileSystemRights] $Right
    $rights = $rights -bor [System.Security.AccessControl.FileSystemRights]::Synchronize

    return ([System.Security.AccessControl.FileSystemRights] $rights).ToString()
}

<#
    .SYNOPSIS
        Hands out the rules that a folder does not inherit: Sid, Right, IsAllowed and IsForAll of each.

    .PARAMETER Security
        The security descriptor.
#>
function Get-OwnRule
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Security
    )

    foreach ($rule in $Security.GetAccessRules($true, $false, [System.Security.Principal.SecurityIdentifier]))
    {
        @{
            Sid       = $rule.IdentityReference.Value
            Right     = $rule.FileSystemRights.ToString()
            IsAllowed = ($rule.AccessControlType -eq [System.Security.AccessControl.AccessControlType]::Allow)
            IsForAll  = ([System.String] $rule.InheritanceFlags -eq 'ContainerInherit, ObjectInherit' -and
                [System.String] $rule.PropagationFlags -eq 'None')
        }
    }
}

<#
    .SYNOPSIS
        Removes all rules of an account from a security descriptor; inherited ones stay.

    .PARAMETER Security
        The security descriptor; it is changed.

    .PARAMETER Sid
        SID of the account.
#>
function Remove-OwnRule
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Security,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Sid
    )

    $identity = New-Object -TypeName 'System.Security.Principal.SecurityIdentifier' -ArgumentList @($Sid)
    $Security.PurgeAccessRules($identity)
}

<#
    .SYNOPSIS
        Allows an account something, on the folder and all that lies in it.

    .PARAMETER Security
        The security descriptor; it is changed.

    .PARAMETER Sid
        SID of the account.

    .PARAMETER Right
        Name of the right.
#>
function Add-OwnRule
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Security,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Sid,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Right
    )

    $identity = New-Object -TypeName 'System.Security.Principal.SecurityIdentifier' -ArgumentList @($Sid)
    $rule = New-Object -TypeName 'System.Security.AccessControl.FileSystemAccessRule' -ArgumentList @(
        $identity,
        [System.Security.AccessControl.FileSystemRights] $Right,
        [System.Security.AccessControl.InheritanceFlags] 'ContainerInherit, ObjectInherit',
        [System.Security.AccessControl.PropagationFlags]::None,
        [System.Security.AccessControl.AccessControlType]::Allow)
    $Security.AddAccessRule($rule)
}

<#
    .SYNOPSIS
        Keeps what the folder above passes down away from a security descriptor.

    .PARAMETER Security
        The security descriptor; it is changed.
#>
function Protect-Security
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Security
    )

    $Security.SetAccessRuleProtection($true, $false)
}

<#
    .SYNOPSIS
        Tells whether a security descriptor takes nothing from the folder above.

    .PARAMETER Security
        The security descriptor.
#>
function Test-SecurityProtection
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Security
    )

    return $Security.AreAccessRulesProtected
}

<#
    .SYNOPSIS
        Reads who may do what with a folder.

    .PARAMETER Path
        Full path of the folder.
#>
function Read-FolderSecurity
{
    [CmdletBinding()]
    [OutputType([System.Security.AccessControl.DirectorySecurity])]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $Path
    )

    return [System.IO.Directory]::GetAccessControl(
        $Path, [System.Security.AccessControl.AccessControlSections]::Access)
}

<#
    .SYNOPSIS
        Sets who may do what with a folder.

    .PARAMETER Path
        Full path of the folder.

    .PARAMETER Security
        The security descriptor.
#>
function Write-FolderSecurity
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $Path,

        [Parameter(Mandatory = $true)]
        [System.Object]
        $Security
    )

    [System.IO.Directory]::SetAccessControl($Path, $Security)
}

<#
    .SYNOPSIS
        Makes a folder, with the folders above it that are missing.

    .PARAMETER Path
        Full path of the folder.
#>
function New-Folder
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $Path
    )

    $null = [System.IO.Directory]::CreateDirectory($Path)
}

<#
    .SYNOPSIS
        Tells whether there is a folder of this path.

    .PARAMETER Path
        Full path of the folder.
#>
function Test-FolderExistence
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $Path
    )

    return [System.IO.Directory]::Exists($Path)
}

<#
    .SYNOPSIS
        Tells whether there is a file of this path.

    .PARAMETER Path
        Full path of the folder.
#>
function Test-FileExistence
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $Path
    )

    return [System.IO.File]::Exists($Path)
}

#endregion

Export-ModuleMember -Function 'Get-TargetResource', 'Test-TargetResource', 'Set-TargetResource'
