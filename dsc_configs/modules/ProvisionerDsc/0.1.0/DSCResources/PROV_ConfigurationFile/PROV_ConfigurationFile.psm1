<#
    Writes one configuration file of a service: exact bytes, exact readers.

    Every call of .NET stands alone in a small private function, so that the logic above it can be run with these
    functions replaced. This module has been parsed, but has not run on Windows.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

# Well-known SIDs, since names are translated on some editions of Windows: SYSTEM and Administrators.
$script:fullControlSids = @('S-1-5-18', 'S-1-5-32-544')

# The new file lies beside the old one, so that it can take its place in one step. The name is always the same:
# what a Set that was cut off left behind is removed by the next one.
$script:temporarySuffix = '.provisioner-new'

<#
    .SYNOPSIS
        Returns the state of the file.

    .PARAMETER Path
        Full path of the file.
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
        $Path
    )

    Assert-FilePath -Path $Path

    $state = @{
        Path       = $Path
        Ensure     = 'Absent'
        Contents   = $null
        LineEnding = $null
        ReadAccess = $null
    }

    if (Test-FileExistence -Path $Path)
    {
        $text = ConvertFrom-FileByte -Byte (Read-FileByte -Path $Path)

        $state['Ensure'] = 'Present'
        $state['Contents'] = $text
        $state['ReadAccess'] = Get-ReaderSid -Security (Read-FileSecurity -Path $Path)

        if ($text.Contains("`r`n"))
        {
            $state['LineEnding'] = 'CRLF'
        }
        elseif ($text.Contains("`n"))
        {
            $state['LineEnding'] = 'LF'
        }
    }

    return $state
}

<#
    .SYNOPSIS
        Tells whether the file has the desired bytes and, where ReadAccess is given, the desired rights.

    .PARAMETER Path
        Full path of the file.

    .PARAMETER Ensure
        Whether the file is there.

    .PARAMETER Contents
        The whole text of the file.

    .PARAMETER LineEnding
        What every line end of Contents becomes.

    .PARAMETER ReadAccess
        Names or SIDs of those who may read the file besides SYSTEM and Administrators.
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

        [Parameter()]
        [ValidateSet('Present', 'Absent')]
        [System.String]
        $Ensure = 'Present',

        [Parameter()]
        [AllowEmptyString()]
        [System.String]
        $Contents,

        [Parameter()]
        [ValidateSet('CRLF', 'LF')]
        [System.String]
        $LineEnding = 'CRLF',

        [Parameter()]
        [AllowEmptyCollection()]
        [System.String[]]
        $ReadAccess
    )

    Assert-FilePath -Path $Path

    $exists = Test-FileExistence -Path $Path

    if ($Ensure -eq 'Absent')
    {
        Write-Verbose -Message ('The file {0} exists: {1}. It should not.' -f $Path, $exists)
        return (-not $exists)
    }

    Assert-ContentsGiven -Path $Path -IsGiven $PSBoundParameters.ContainsKey('Contents')

    if (-not $exists)
    {
        Write-Verbose -Message ('The file {0} does not exist.' -f $Path)
        return $false
    }

    $desiredBytes = ConvertTo-FileByte -Contents $Contents -LineEnding $LineEnding

    if (-not (Compare-Byte -First $desiredBytes -Second (Read-FileByte -Path $Path)))
    {
        Write-Verbose -Message ('The file {0} has other contents.' -f $Path)
        return $false
    }

    if ($PSBoundParameters.ContainsKey('ReadAccess'))
    {
        try
        {
            $desiredRights = ConvertTo-RightsText -Security (New-DesiredSecurity -ReadAccess $ReadAccess)
        }
        catch [System.Security.Principal.IdentityNotMappedException]
        {
            # The account may be made by a resource this one depends on, so Set is the one to complain.
            Write-Verbose -Message $_.Exception.Message
            return $false
        }

        $actualRights = ConvertTo-RightsText -Security (Read-FileSecurity -Path $Path)

        if ($actualRights -ne $desiredRights)
        {
            Write-Verbose -Message ('The file {0} has the rights {1}.' -f $Path, $actualRights)
            return $false
        }
    }

    Write-Verbose -Message ('The file {0} is in the desired state.' -f $Path)
    return $true
}

<#
    .SYNOPSIS
        Writes or removes the file.

    .DESCRIPTION
        The new text never stands on disk with more readers than it ends with:

        1. A temporary file is created in the same folder. Its security descriptor is given at creation, before
           the first byte: the desired one, or, where ReadAccess is not given, that of the file it replaces.
        2. An old file gets the desired rights while it still has the old text, because File.Replace lets the
           new file take over the security descriptor of the one it replaces.
        3. The new file takes the name in one step: File.Replace where there is an old file, File.Move otherwise.
        4. The rights are set once more and read back. Differing rights are an error.

        Where only the rights differ, the text is left alone.

    .PARAMETER Path
        Full path of the file.

    .PARAMETER Ensure
        Whether the file is there.

    .PARAMETER Contents
        The whole text of the file.

    .PARAMETER LineEnding
        What every line end of Contents becomes.

    .PARAMETER ReadAccess
        Names or SIDs of those who may read the file besides SYSTEM and Administrators.
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

        [Parameter()]
        [ValidateSet('Present', 'Absent')]
        [System.String]
        $Ensure = 'Present',

        [Parameter()]
        [AllowEmptyString()]
        [System.String]
        $Contents,

        [Parameter()]
        [ValidateSet('CRLF', 'LF')]
        [System.String]
        $LineEnding = 'CRLF',

        [Parameter()]
        [AllowEmptyCollection()]
        [System.String[]]
        $ReadAccess
    )

    Assert-FilePath -Path $Path

    if ($Ensure -eq 'Absent')
    {
        Remove-ExistingFile -Path $Path
        return
    }

    Assert-ContentsGiven -Path $Path -IsGiven $PSBoundParameters.ContainsKey('Contents')
    Assert-Folder -Path $Path

    $desiredBytes = ConvertTo-FileByte -Contents $Contents -LineEnding $LineEnding
    $exists = Test-FileExistence -Path $Path
    $security = $null

    if ($PSBoundParameters.ContainsKey('ReadAccess'))
    {
        $security = New-DesiredSecurity -ReadAccess $ReadAccess
    }

    if ($exists -and (Compare-Byte -First $desiredBytes -Second (Read-FileByte -Path $Path)))
    {
        Write-Verbose -Message ('The file {0} has the desired contents.' -f $Path)
    }
    else
    {
        Publish-FileByte -Path $Path -Byte $desiredBytes -Exists $exists -Security $security
    }

    if ($null -ne $security)
    {
        # A new object: .NET writes only what was changed in one since it was last written.
        Write-FileSecurity -Path $Path -Security (New-DesiredSecurity -ReadAccess $ReadAccess)
        Assert-Right -Path $Path -Security $security
    }
}

<#
    .SYNOPSIS
        Puts the bytes under the name in one step, as Set-TargetResource describes.

    .PARAMETER Path
        Full path of the file.

    .PARAMETER Byte
        What the file is to hold.

    .PARAMETER Exists
        Whether there is an old file.

    .PARAMETER Security
        The desired security descriptor; null where rights are left as they are.
#>
function Publish-FileByte
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Byte[]]
        $Byte,

        [Parameter(Mandatory = $true)]
        [System.Boolean]
        $Exists,

        [Parameter(Mandatory = $true)]
        [AllowNull()]
        [System.Object]
        $Security
    )

    $temporaryPath = $Path + $script:temporarySuffix
    $firstSecurity = $Security

    if ($Exists -and ($null -eq $Security))
    {
        $firstSecurity = Read-FileSecurity -Path $Path
        # Otherwise what the folder passes down would be added to it.
        Protect-Security -Security $firstSecurity -KeepInherited $true
    }

    Remove-ExistingFile -Path $temporaryPath

    try
    {
        Write-Verbose -Message ('Writing {0}.' -f $temporaryPath)
        Write-NewFile -Path $temporaryPath -Byte $Byte -Security $firstSecurity

        if ($Exists)
        {
            Clear-ReadOnlyAttribute -Path $Path

            if ($null -ne $Security)
            {
                Write-FileSecurity -Path $Path -Security $Security
            }

            Write-Verbose -Message ('Replacing {0}.' -f $Path)
            Switch-File -Source $temporaryPath -Destination $Path
        }
        else
        {
            Write-Verbose -Message ('Creating {0}.' -f $Path)
            Rename-File -Source $temporaryPath -Destination $Path
        }
    }
    catch
    {
        $failure = $_

        try
        {
            Remove-ExistingFile -Path $temporaryPath
        }
        catch
        {
            Write-Warning -Message ('The file {0} could not be removed: {1}' -f $temporaryPath, $_.Exception.Message)
        }

        throw $failure
    }
}

<#
    .SYNOPSIS
        Returns the bytes the file is to hold: UTF-8 without a byte order mark, line ends as wanted.

    .PARAMETER Contents
        The text, with line ends of any kind.

    .PARAMETER LineEnding
        CRLF or LF.
#>
function ConvertTo-FileByte
{
    [CmdletBinding()]
    [OutputType([System.Byte[]])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String]
        $Contents,

        [Parameter(Mandatory = $true)]
        [System.String]
        $LineEnding
    )

    $text = $Contents.Replace("`r`n", "`n").Replace("`r", "`n")

    if ($LineEnding -eq 'CRLF')
    {
        $text = $text.Replace("`n", "`r`n")
    }

    # The comma keeps PowerShell from handing the bytes out one by one.
    return , (Get-Utf8Encoding).GetBytes($text)
}

<#
    .SYNOPSIS
        Returns bytes as text; a byte order mark is dropped, invalid bytes become U+FFFD.

    .PARAMETER Byte
        The bytes of a file.
#>
function ConvertFrom-FileByte
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Byte[]]
        $Byte
    )

    return (Get-Utf8Encoding).GetString($Byte).TrimStart([System.Char] 0xFEFF)
}

<#
    .SYNOPSIS
        Tells whether two byte arrays are equal.

    .PARAMETER First
        One array.

    .PARAMETER Second
        The other array.
#>
function Compare-Byte
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Byte[]]
        $First,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Byte[]]
        $Second
    )

    if ($First.Length -ne $Second.Length)
    {
        return $false
    }

    for ($index = 0; $index -lt $First.Length; $index++)
    {
        if ($First[$index] -ne $Second[$index])
        {
            return $false
        }
    }

    return $true
}

<#
    .SYNOPSIS
        Returns the security descriptor the file is to have: nothing inherited, full control for SYSTEM and
        Administrators, read for the others.

    .PARAMETER ReadAccess
        Names or SIDs.
#>
function New-DesiredSecurity
{
    [CmdletBinding()]
    [OutputType([System.Security.AccessControl.FileSecurity])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowNull()]
        [AllowEmptyCollection()]
        [System.String[]]
        $ReadAccess
    )

    $security = New-EmptySecurity
    Protect-Security -Security $security -KeepInherited $false

    foreach ($sid in $script:fullControlSids)
    {
        Add-AllowRule -Security $security -Sid $sid -Right 'FullControl'
    }

    foreach ($identity in $ReadAccess)
    {
        $sid = ConvertTo-Sid -Identity $identity

        # They have more than that already.
        if ($script:fullControlSids -notcontains $sid)
        {
            Add-AllowRule -Security $security -Sid $sid -Right 'Read'
        }
    }

    return $security
}

<#
    .SYNOPSIS
        Returns the rights of a security descriptor as one text that is equal for equal rights.

    .PARAMETER Security
        The security descriptor.
#>
function ConvertTo-RightsText
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Security
    )

    $entries = @(
        foreach ($rule in (Get-AccessRule -Security $Security))
        {
            '{0} {1} 0x{2:X} inherited: {3}' -f $rule.AccessControlType, $rule.IdentityReference.Value,
                [System.Int32] $rule.FileSystemRights, $rule.IsInherited
        }
    )

    $isProtected = Test-SecurityProtection -Security $Security

    return 'protected: {0}; {1}' -f $isProtected, (@($entries | Sort-Object) -join ', ')
}

<#
    .SYNOPSIS
        Returns the SIDs of those who are allowed something besides SYSTEM and Administrators.

    .PARAMETER Security
        The security descriptor.
#>
function Get-ReaderSid
{
    [CmdletBinding()]
    [OutputType([System.String[]])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Security
    )

    $sids = @(
        foreach ($rule in (Get-AccessRule -Security $Security))
        {
            $sid = $rule.IdentityReference.Value

            if (($rule.AccessControlType -eq 'Allow') -and ($script:fullControlSids -notcontains $sid))
            {
                $sid
            }
        }
    )

    return , [System.String[]] @($sids | Sort-Object -Unique)
}

<#
    .SYNOPSIS
        Throws unless the path is absolute and no folder.

    .PARAMETER Path
        Full path of the file.
#>
function Assert-FilePath
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path
    )

    if ($Path -notmatch '^([A-Za-z]:\\|\\\\[^\\]+\\[^\\]+\\)')
    {
        throw (New-ResourceError -Id 'PathNotAbsolute' -Category 'InvalidArgument' -Target $Path -Message (
                "The path '{0}' does not start with a drive, as in C:\, or a share." -f $Path))
    }

    if (Test-FolderExistence -Path $Path)
    {
        throw (New-ResourceError -Id 'PathIsFolder' -Category 'InvalidArgument' -Target $Path -Message (
                "The path '{0}' is a folder, not a file." -f $Path))
    }
}

<#
    .SYNOPSIS
        Throws when a file is wanted whose text nobody gave: an empty file must be asked for.

    .PARAMETER Path
        Full path of the file.

    .PARAMETER IsGiven
        Whether Contents is given.
#>
function Assert-ContentsGiven
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path,

        [Parameter(Mandatory = $true)]
        [System.Boolean]
        $IsGiven
    )

    if (-not $IsGiven)
    {
        throw (New-ResourceError -Id 'ContentsMissing' -Category 'InvalidArgument' -Target $Path -Message (
                "The file '{0}' should be present, but Contents is not given." -f $Path))
    }
}

<#
    .SYNOPSIS
        Throws unless the folder of the file is there.

    .PARAMETER Path
        Full path of the file.
#>
function Assert-Folder
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path
    )

    $folder = Get-FolderPath -Path $Path

    if (-not (Test-FolderExistence -Path $folder))
    {
        throw (New-ResourceError -Id 'DirectoryNotFound' -Category 'ObjectNotFound' -Target $Path -Message (
                "The folder '{0}' of the file '{1}' does not exist." -f $folder, $Path))
    }
}

<#
    .SYNOPSIS
        Throws when the file has other rights than it was given.

    .PARAMETER Path
        Full path of the file.

    .PARAMETER Security
        The desired security descriptor.
#>
function Assert-Right
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path,

        [Parameter(Mandatory = $true)]
        [System.Object]
        $Security
    )

    $desired = ConvertTo-RightsText -Security $Security
    $actual = ConvertTo-RightsText -Security (Read-FileSecurity -Path $Path)

    if ($actual -ne $desired)
    {
        throw (New-ResourceError -Id 'RightsNotApplied' -Category 'InvalidResult' -Target $Path -Message (
                "The file '{0}' was given the rights {1}, but has {2}." -f $Path, $desired, $actual))
    }
}

<#
    .SYNOPSIS
        Returns an error record with a stable id.

    .PARAMETER Id
        Becomes the FullyQualifiedErrorId.

    .PARAMETER Message
        What went wrong, in one sentence. Never the contents of the file.

    .PARAMETER Category
        The error category.

    .PARAMETER Target
        The file or account.

    .PARAMETER Exception
        The exception to carry; by default one with the message.
#>
function New-ResourceError
{
    [CmdletBinding()]
    [OutputType([System.Management.Automation.ErrorRecord])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Id,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Message,

        [Parameter(Mandatory = $true)]
        [System.Management.Automation.ErrorCategory]
        $Category,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Target,

        [Parameter()]
        [System.Exception]
        $Exception
    )

    if ($null -eq $Exception)
    {
        $typeName = 'System.InvalidOperationException'

        if ($Category -eq 'InvalidArgument')
        {
            $typeName = 'System.ArgumentException'
        }

        $Exception = New-Object -TypeName $typeName -ArgumentList @($Message)
    }

    return New-Object -TypeName 'System.Management.Automation.ErrorRecord' -ArgumentList @(
        $Exception, $Id, $Category, $Target)
}

<#
    .SYNOPSIS
        Removes a file; does nothing when it is not there.

    .PARAMETER Path
        Full path of the file.
#>
function Remove-ExistingFile
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path
    )

    if (Test-FileExistence -Path $Path)
    {
        Write-Verbose -Message ('Removing {0}.' -f $Path)
        Clear-ReadOnlyAttribute -Path $Path
        Remove-FileByPath -Path $Path
    }
}

#region One call of .NET each

<#
    .SYNOPSIS
        Returns the SID of an account name, or a SID as it is.

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
        $message = "No account is named '{0}'." -f $Identity
        $exception = New-Object -TypeName 'System.Security.Principal.IdentityNotMappedException' -ArgumentList @(
            $message, $_.Exception)

        throw (New-ResourceError -Id 'IdentityNotMapped' -Category 'ObjectNotFound' -Target $Identity -Message (
                $message) -Exception $exception)
    }
}

<#
    .SYNOPSIS
        Returns a security descriptor without entries.
#>
function New-EmptySecurity
{
    [CmdletBinding()]
    [OutputType([System.Security.AccessControl.FileSecurity])]
    param ()

    return New-Object -TypeName 'System.Security.AccessControl.FileSecurity'
}

<#
    .SYNOPSIS
        Keeps what the folder passes down away from a security descriptor.

    .PARAMETER Security
        The security descriptor; it is changed.

    .PARAMETER KeepInherited
        Whether inherited entries stay, as own ones.
#>
function Protect-Security
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Security,

        [Parameter(Mandatory = $true)]
        [System.Boolean]
        $KeepInherited
    )

    $Security.SetAccessRuleProtection($true, $KeepInherited)
}

<#
    .SYNOPSIS
        Tells whether a security descriptor takes nothing from its folder.

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
        Adds an entry that allows something to a security descriptor; .NET adds the right to synchronize.

    .PARAMETER Security
        The security descriptor; it is changed.

    .PARAMETER Sid
        For whom.

    .PARAMETER Right
        What: a name of FileSystemRights.
#>
function Add-AllowRule
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
        [System.Security.AccessControl.AccessControlType]::Allow)
    $Security.AddAccessRule($rule)
}

<#
    .SYNOPSIS
        Hands out the entries of a security descriptor, own and inherited ones, by SID.

    .PARAMETER Security
        The security descriptor.
#>
function Get-AccessRule
{
    [CmdletBinding()]
    [OutputType([System.Security.AccessControl.FileSystemAccessRule])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Security
    )

    $Security.GetAccessRules($true, $true, [System.Security.Principal.SecurityIdentifier])
}

<#
    .SYNOPSIS
        Reads who may do what with a file.

    .PARAMETER Path
        Full path of the file.
#>
function Read-FileSecurity
{
    [CmdletBinding()]
    [OutputType([System.Security.AccessControl.FileSecurity])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path
    )

    return [System.IO.File]::GetAccessControl($Path, [System.Security.AccessControl.AccessControlSections]::Access)
}

<#
    .SYNOPSIS
        Sets who may do what with a file.

    .PARAMETER Path
        Full path of the file.

    .PARAMETER Security
        The security descriptor.
#>
function Write-FileSecurity
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path,

        [Parameter(Mandatory = $true)]
        [System.Object]
        $Security
    )

    [System.IO.File]::SetAccessControl($Path, $Security)
}

<#
    .SYNOPSIS
        Creates a file that must not exist yet, with its security descriptor, and writes it through to the disk.

    .PARAMETER Path
        Full path of the file.

    .PARAMETER Byte
        What it is to hold.

    .PARAMETER Security
        The security descriptor it is created with; null takes what the folder passes down.
#>
function Write-NewFile
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Byte[]]
        $Byte,

        [Parameter(Mandatory = $true)]
        [AllowNull()]
        [System.Object]
        $Security
    )

    $stream = [System.IO.FileStream]::new(
        $Path,
        [System.IO.FileMode]::CreateNew,
        [System.Security.AccessControl.FileSystemRights]::Write,
        [System.IO.FileShare]::None,
        4096,
        [System.IO.FileOptions]::WriteThrough,
        $Security)

    try
    {
        $stream.Write($Byte, 0, $Byte.Length)
        $stream.Flush($true)
    }
    finally
    {
        $stream.Dispose()
    }
}

<#
    .SYNOPSIS
        Replaces a file by another one of the same folder in one step.

    .PARAMETER Source
        The new file; it is gone afterwards.

    .PARAMETER Destination
        The file that is replaced.
#>
function Switch-File
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Source,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Destination
    )

    # PowerShell turns $null into an empty text for a parameter of type String; this stands for a real null,
    # which means that no copy of the old file is kept.
    $noBackup = [System.Management.Automation.Language.NullString]::Value

    [System.IO.File]::Replace($Source, $Destination, $noBackup)
}

<#
    .SYNOPSIS
        Gives a file another name; nothing may have that name yet.

    .PARAMETER Source
        The file.

    .PARAMETER Destination
        Its new path.
#>
function Rename-File
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Source,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Destination
    )

    [System.IO.File]::Move($Source, $Destination)
}

<#
    .SYNOPSIS
        Removes a file.

    .PARAMETER Path
        Full path of the file.
#>
function Remove-FileByPath
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path
    )

    [System.IO.File]::Delete($Path)
}

<#
    .SYNOPSIS
        Takes the attribute ReadOnly from a file, which would keep it from being replaced or removed.

    .PARAMETER Path
        Full path of the file.
#>
function Clear-ReadOnlyAttribute
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path
    )

    $attributes = [System.Int32] [System.IO.File]::GetAttributes($Path)
    $readOnly = [System.Int32] [System.IO.FileAttributes]::ReadOnly

    if (($attributes -band $readOnly) -ne 0)
    {
        [System.IO.File]::SetAttributes($Path, [System.IO.FileAttributes] ($attributes -bxor $readOnly))
    }
}

<#
    .SYNOPSIS
        Reads the bytes of a file.

    .PARAMETER Path
        Full path of the file.
#>
function Read-FileByte
{
    [CmdletBinding()]
    [OutputType([System.Byte[]])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path
    )

    return , [System.IO.File]::ReadAllBytes($Path)
}

<#
    .SYNOPSIS
        Tells whether there is a file of this path; a folder is none.

    .PARAMETER Path
        Full path of the file.
#>
function Test-FileExistence
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path
    )

    return [System.IO.File]::Exists($Path)
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
        [System.String]
        $Path
    )

    return [System.IO.Directory]::Exists($Path)
}

<#
    .SYNOPSIS
        Returns the folder of a path.

    .PARAMETER Path
        Full path of a file.
#>
function Get-FolderPath
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path
    )

    return [System.IO.Path]::GetDirectoryName($Path)
}

<#
    .SYNOPSIS
        Returns the encoding of the file: UTF-8, never with a byte order mark.
#>
function Get-Utf8Encoding
{
    [CmdletBinding()]
    [OutputType([System.Text.UTF8Encoding])]
    param ()

    return New-Object -TypeName 'System.Text.UTF8Encoding' -ArgumentList @($false)
}

#endregion

Export-ModuleMember -Function 'Get-TargetResource', 'Test-TargetResource', 'Set-TargetResource'
