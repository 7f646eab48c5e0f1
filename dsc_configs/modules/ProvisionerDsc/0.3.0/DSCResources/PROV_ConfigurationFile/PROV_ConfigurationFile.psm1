<#
    Writes one configuration file of a service: exact bytes, exact readers.

    Every call of .NET that touches the machine stands alone in a small private function, so that the logic above it
    can be run with these functions replaced. This module has been parsed, but has not run on Windows.

    Secrets: what the file is to hold, and what it holds, is never bound to a parameter as text or bytes, since module
    logging writes parameters of commands and functions down. It travels in a MemoryStream, of which the log
    shows the name of its type. Methods of .NET are not logged.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

$script:moduleFolder = Split-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -Parent
Import-Module -Name (Join-Path -Path $script:moduleFolder -ChildPath 'Modules/ProvisionerDsc.Common')

# Well-known SIDs, since names are translated on some editions of Windows: SYSTEM and Administrators.
$script:fullControlSids = @('S-1-5-18', 'S-1-5-32-544')

# The new file lies beside the old one, so that it can take its place in one step. The name is always the same:
# what a Set that was cut off left behind is removed by the next one.
$script:temporarySuffix = '.provisioner-new'

# A placeholder is @{secret:NAME}. The same characters begin an encrypted text whatever its case.
$script:placeholderStart = '@{secret:'
$script:secretName = '\A[A-Za-z0-9_.-]+\z'
$script:encryptedStart = '-----BEGIN CMS-----'

<#
    .SYNOPSIS
        Returns the state of the file.

    .DESCRIPTION
        The text of the file is not returned, because secrets may stand in it: Contents is the desired text, with its
        placeholders, when the file holds just that, and null otherwise. Secrets is always null.

    .PARAMETER Path
        Full path of the file.

    .PARAMETER Contents
        The whole text of the file, with placeholders for secrets.

    .PARAMETER LineEnding
        What every line end of Contents becomes.

    .PARAMETER Secrets
        The password holds lines of the form name=base64; each placeholder is replaced by the secret of its name.
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

        [Parameter()]
        [AllowEmptyString()]
        [System.String]
        $Contents,

        [Parameter()]
        [ValidateSet('CRLF', 'LF')]
        [System.String]
        $LineEnding = 'CRLF',

        [Parameter()]
        [System.Management.Automation.PSCredential]
        $Secrets
    )

    Assert-FilePath -Path $Path

    $state = @{
        Path       = $Path
        Ensure     = 'Absent'
        Contents   = $null
        LineEnding = $null
        ReadAccess = $null
        Secrets    = $null
    }

    if (Test-FileExistence -Path $Path)
    {
        $state['Ensure'] = 'Present'
        $state['LineEnding'] = Get-LineEnding -Path $Path
        $state['ReadAccess'] = Get-ReaderSid -Security (Read-FileSecurity -Path $Path)

        if ($PSBoundParameters.ContainsKey('Contents'))
        {
            $desired = New-DesiredContent -Path $Path -Contents $Contents -LineEnding $LineEnding -Secrets $Secrets

            if (Test-FileContent -Path $Path -Desired $desired)
            {
                $state['Contents'] = $Contents
            }
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
        The whole text of the file, with placeholders for secrets.

    .PARAMETER LineEnding
        What every line end of Contents becomes.

    .PARAMETER ReadAccess
        Names or SIDs of those who may read the file besides SYSTEM and Administrators.

    .PARAMETER Secrets
        The password holds lines of the form name=base64; each placeholder is replaced by the secret of its name.
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
        $ReadAccess,

        [Parameter()]
        [System.Management.Automation.PSCredential]
        $Secrets
    )

    Assert-FilePath -Path $Path

    $exists = Test-FileExistence -Path $Path

    if ($Ensure -eq 'Absent')
    {
        Write-Verbose -Message ('The file {0} exists: {1}. It should not.' -f $Path, $exists)
        return (-not $exists)
    }

    Assert-ContentsGiven -Path $Path -IsGiven $PSBoundParameters.ContainsKey('Contents')
    $desired = New-DesiredContent -Path $Path -Contents $Contents -LineEnding $LineEnding -Secrets $Secrets

    if (-not $exists)
    {
        Write-Verbose -Message ('The file {0} does not exist.' -f $Path)
        return $false
    }

    if (-not (Test-FileContent -Path $Path -Desired $desired))
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
        The whole text of the file, with placeholders for secrets.

    .PARAMETER LineEnding
        What every line end of Contents becomes.

    .PARAMETER ReadAccess
        Names or SIDs of those who may read the file besides SYSTEM and Administrators.

    .PARAMETER Secrets
        The password holds lines of the form name=base64; each placeholder is replaced by the secret of its name.
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
        $ReadAccess,

        [Parameter()]
        [System.Management.Automation.PSCredential]
        $Secrets
    )

    Assert-FilePath -Path $Path

    if ($Ensure -eq 'Absent')
    {
        Remove-ExistingFile -Path $Path
        return
    }

    Assert-ContentsGiven -Path $Path -IsGiven $PSBoundParameters.ContainsKey('Contents')
    Assert-Folder -Path $Path

    $desired = New-DesiredContent -Path $Path -Contents $Contents -LineEnding $LineEnding -Secrets $Secrets
    $exists = Test-FileExistence -Path $Path
    $security = $null

    if ($PSBoundParameters.ContainsKey('ReadAccess'))
    {
        $security = New-DesiredSecurity -ReadAccess $ReadAccess
    }

    if ($exists -and (Test-FileContent -Path $Path -Desired $desired))
    {
        Write-Verbose -Message ('The file {0} has the desired contents.' -f $Path)
    }
    else
    {
        Publish-FileContent -Path $Path -Desired $desired -Exists $exists -Security $security
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

    .PARAMETER Desired
        What the file is to hold.

    .PARAMETER Exists
        Whether there is an old file.

    .PARAMETER Security
        The desired security descriptor; null where rights are left as they are.
#>
function Publish-FileContent
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path,

        [Parameter(Mandatory = $true)]
        [System.IO.MemoryStream]
        $Desired,

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
        Write-NewFile -Path $temporaryPath -Desired $Desired -Security $firstSecurity

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
        Returns what the file is to hold: UTF-8 without a byte order mark, line ends as wanted, placeholders filled.

    .DESCRIPTION
        Contents are gone through once, from left to right, and compared character by character. What a secret
        brings along is never looked at again, so a secret that looks like a placeholder stays as it is.

    .PARAMETER Path
        Full path of the file, for errors.

    .PARAMETER Contents
        The text, with line ends of any kind.

    .PARAMETER LineEnding
        CRLF or LF.

    .PARAMETER Secrets
        The named secrets; null when there are none.
#>
function New-DesiredContent
{
    [CmdletBinding()]
    [OutputType([System.IO.MemoryStream])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path,

        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String]
        $Contents,

        [Parameter(Mandatory = $true)]
        [System.String]
        $LineEnding,

        [Parameter(Mandatory = $true)]
        [AllowNull()]
        [System.Management.Automation.PSCredential]
        $Secrets
    )

    $text = $Contents.Replace("`r`n", "`n").Replace("`r", "`n")

    if ($LineEnding -eq 'CRLF')
    {
        $text = $text.Replace("`n", "`r`n")
    }

    $values = Read-NamedSecret -Path $Path -Secrets $Secrets
    # A secret may be named Keys: the value of a key hides the property of that name, but not from PSBase.
    $unused = [System.Collections.Generic.HashSet[System.String]]::new($values.PSBase.Keys)
    $filled = [System.Text.StringBuilder]::new()
    $position = 0
    $start = $text.IndexOf($script:placeholderStart, $position, [System.StringComparison]::Ordinal)

    while ($start -ge 0)
    {
        $nameStart = $start + $script:placeholderStart.Length
        $end = $text.IndexOf([System.Char] '}', $nameStart)
        $name = Get-PlaceholderName -Path $Path -Text $text -Start $nameStart -End $end

        if (-not $values.ContainsKey($name))
        {
            throw (New-ResourceError -Id 'PlaceholderUnknown' -Category 'InvalidArgument' -Target $Path -Message (
                    "The text of the file '{0}' has a placeholder for the secret '{1}', which is not given." -f (
                        $Path, $name)))
        }

        # Assigned, because what a method returns would become output of this function.
        $null = $filled.Append($text, $position, $start - $position)
        $null = $filled.Append($values[$name])
        $null = $unused.Remove($name)
        $position = $end + 1
        $start = $text.IndexOf($script:placeholderStart, $position, [System.StringComparison]::Ordinal)
    }

    foreach ($name in $unused)
    {
        throw (New-ResourceError -Id 'SecretUnused' -Category 'InvalidArgument' -Target $Path -Message (
                "The secret '{0}' is given, but the text of the file '{1}' has no placeholder for it." -f $name, $Path))
    }

    $null = $filled.Append($text, $position, $text.Length - $position)

    return [System.IO.MemoryStream]::new((Get-Utf8Encoding).GetBytes($filled.ToString()))
}

<#
    .SYNOPSIS
        Returns the name in a placeholder. The text is that of the configuration, without secrets.

    .PARAMETER Path
        Full path of the file, for errors.

    .PARAMETER Text
        The text with the placeholder.

    .PARAMETER Start
        Where the name begins.

    .PARAMETER End
        Where the closing brace stands; negative when there is none.
#>
function Get-PlaceholderName
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Text,

        [Parameter(Mandatory = $true)]
        [System.Int32]
        $Start,

        [Parameter(Mandatory = $true)]
        [System.Int32]
        $End
    )

    if ($End -ge 0)
    {
        $name = $Text.Substring($Start, $End - $Start)

        if ($name -cmatch $script:secretName)
        {
            return $name
        }
    }

    throw (New-ResourceError -Id 'PlaceholderMalformed' -Category 'InvalidArgument' -Target $Path -Message (
            "The text of the file '{0}' has a placeholder at character {1} whose name does not end or is no name." -f (
                $Path, $Start)))
}

<#
    .SYNOPSIS
        Returns secrets by name; the names are told apart by upper and lower case.

    .PARAMETER Path
        Full path of the file, for errors.

    .PARAMETER Secrets
        The password holds lines of the form name=base64; null when there are no secrets.
#>
function Read-NamedSecret
{
    [CmdletBinding()]
    [OutputType([System.Collections.Generic.Dictionary[System.String, System.String]])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path,

        [Parameter(Mandatory = $true)]
        [AllowNull()]
        [System.Management.Automation.PSCredential]
        $Secrets
    )

    $comparer = [System.StringComparer]::Ordinal
    $values = [System.Collections.Generic.Dictionary[System.String, System.String]]::new($comparer)

    if ($null -eq $Secrets)
    {
        return $values
    }

    $password = $Secrets.GetNetworkCredential().Password

    # An LCM that cannot decrypt hands out the encrypted text.
    if ($password.TrimStart().StartsWith($script:encryptedStart, [System.StringComparison]::OrdinalIgnoreCase))
    {
        throw (New-ResourceError -Id 'SecretsNotDecrypted' -Category 'InvalidData' -Target $Path -Message (
                "The secrets of '{0}' arrived encrypted: does CertificateID of the LCM name the certificate?" -f $Path))
    }

    $number = 0

    foreach ($line in $password.Replace("`r`n", "`n").Split([System.Char] 10))
    {
        $number++
        $separator = $line.IndexOf([System.Char] '=')
        $name = $line.Substring(0, [System.Math]::Max($separator, 0))
        $value = $null

        # A name is told in no error: what has no form may be a secret itself.
        if ([System.Text.RegularExpressions.Regex]::IsMatch($name, $script:secretName) -and (
                -not $values.ContainsKey($name)))
        {
            try
            {
                $bytes = [System.Convert]::FromBase64String($line.Substring($separator + 1))
                $value = (Get-StrictUtf8Encoding).GetString($bytes)
            }
            catch
            {
                $value = $null
            }
        }

        if ($null -eq $value)
        {
            throw (New-ResourceError -Id 'SecretsMalformed' -Category 'InvalidArgument' -Target $Path -Message (
                    "Line {0} of the secrets of '{1}' is not name=base64 with a name of its own and text in UTF-8." -f (
                        $number, $Path)))
        }

        if (($value.IndexOf([System.Char] 10) -ge 0) -or ($value.IndexOf([System.Char] 13) -ge 0))
        {
            throw (New-ResourceError -Id 'SecretHasLineBreak' -Category 'InvalidArgument' -Target $Path -Message (
                    "The secret '{0}' of the file '{1}' has a line break, which would begin another line." -f (
                        $name, $Path)))
        }

        $values.Add($name, $value)
    }

    return $values
}

<#
    .SYNOPSIS
        Tells whether the file holds exactly these bytes.

    .PARAMETER Path
        Full path of the file.

    .PARAMETER Desired
        What the file is to hold.
#>
function Test-FileContent
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path,

        [Parameter(Mandatory = $true)]
        [System.IO.MemoryStream]
        $Desired
    )

    $wantedBytes = $Desired.ToArray()
    $actualBytes = Read-FileByte -Path $Path

    if ($wantedBytes.Length -ne $actualBytes.Length)
    {
        return $false
    }

    for ($index = 0; $index -lt $wantedBytes.Length; $index++)
    {
        if ($wantedBytes[$index] -ne $actualBytes[$index])
        {
            return $false
        }
    }

    return $true
}

<#
    .SYNOPSIS
        Returns CRLF if the file has one, LF if it has only LF, and null if it has one line.

    .PARAMETER Path
        Full path of the file.
#>
function Get-LineEnding
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path
    )

    $text = (Get-Utf8Encoding).GetString((Read-FileByte -Path $Path))

    if ($text.Contains("`r`n"))
    {
        return 'CRLF'
    }

    if ($text.Contains("`n"))
    {
        return 'LF'
    }

    return $null
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

    $desiredRights = ConvertTo-RightsText -Security $Security
    $actualRights = ConvertTo-RightsText -Security (Read-FileSecurity -Path $Path)

    if ($actualRights -ne $desiredRights)
    {
        throw (New-ResourceError -Id 'RightsNotApplied' -Category 'InvalidResult' -Target $Path -Message (
                "The file '{0}' was given the rights {1}, but has {2}." -f $Path, $desiredRights, $actualRights))
    }
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

#region One call each

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

    .PARAMETER Desired
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
        [System.IO.MemoryStream]
        $Desired,

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
        $Desired.WriteTo($stream)
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

<#
    .SYNOPSIS
        Returns the encoding of secrets: UTF-8, in which bytes of another encoding are an error.
#>
function Get-StrictUtf8Encoding
{
    [CmdletBinding()]
    [OutputType([System.Text.UTF8Encoding])]
    param ()

    return New-Object -TypeName 'System.Text.UTF8Encoding' -ArgumentList @($false, $true)
}

#endregion

Export-ModuleMember -Function 'Get-TargetResource', 'Test-TargetResource', 'Set-TargetResource'
