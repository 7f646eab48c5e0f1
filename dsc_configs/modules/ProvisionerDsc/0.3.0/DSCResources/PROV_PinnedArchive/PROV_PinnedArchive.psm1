<#
    Unpacks one .zip file that is known to the byte, or removes what was unpacked of it.

    Every call that touches the machine stands alone in a small private function, so that the logic above it can be
    run with these functions replaced. This module has been parsed, but has not run on Windows.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

# With a progress bar Invoke-WebRequest of Windows PowerShell 5.1 takes many times as long.
$ProgressPreference = 'SilentlyContinue'

$script:moduleFolder = Split-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -Parent
Import-Module -Name (Join-Path -Path $script:moduleFolder -ChildPath 'Modules/ProvisionerDsc.Common')

# In the folder: the digest of the archive, then a line for each file with its size and its name.
$script:manifestName = '.provisioner-archive'
$script:manifestLine = '\A(?<length>[0-9]{1,15}) (?<name>.+)\z'

# The part of .NET Framework that reads .zip files, which Windows PowerShell does not load by itself.
$script:compression = -join @(
    'System.IO.Compression.FileSystem, Version=4.0.0.0, Culture=neutral, '
    'PublicKeyToken=b77a5c561934e089'
)

$script:digest = '\A[0-9A-Fa-f]{64}\z'

# Stands in place of the digest while files are being changed.
$script:unfinished = 'unfinished'

# Names that lead to devices, whatever follows the first dot.
$script:device = '\A(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9\u00b9\u00b2\u00b3]) *(\.|\z)'

<#
    .SYNOPSIS
        Returns which archive was unpacked in the folder.

    .PARAMETER Folder
        Full path of the folder the archive is unpacked in.
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
        $Folder
    )

    Assert-Folder -Folder $Folder
    $manifest = Get-Manifest -Folder $Folder
    $state = @{
        Folder = $Folder
        Ensure = 'Absent'
        Path   = $null
        Sha256 = $null
    }

    if ($null -ne $manifest -and $manifest.Digest -ne $script:unfinished)
    {
        $state['Ensure'] = 'Present'
        $state['Sha256'] = $manifest.Digest
    }

    return $state
}

<#
    .SYNOPSIS
        Tells whether just this archive was unpacked, and its files are as they were then.

    .PARAMETER Folder
        Full path of the folder the archive is unpacked in.

    .PARAMETER Ensure
        Whether the files of the archive are there.

    .PARAMETER Path
        The .zip file: a full path, a share, or an http or https address.

    .PARAMETER Sha256
        SHA-256 of the file in hexadecimal digits.
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
        $Folder,

        [Parameter()]
        [ValidateSet('Present', 'Absent')]
        [System.String]
        $Ensure = 'Present',

        [Parameter()]
        [System.String]
        $Path,

        [Parameter()]
        [System.String]
        $Sha256
    )

    Assert-Folder -Folder $Folder
    $manifest = Get-Manifest -Folder $Folder

    if ($Ensure -eq 'Absent')
    {
        Write-Verbose -Message ('An archive was unpacked in {0}: {1}.' -f $Folder, ($null -ne $manifest))
        return ($null -eq $manifest)
    }

    Assert-Archive -Path $Path -Digest $Sha256

    if ($null -eq $manifest)
    {
        Write-Verbose -Message ('No archive was unpacked in {0}.' -f $Folder)
        return $false
    }

    if ($manifest.Digest -ne $Sha256)
    {
        Write-Verbose -Message ('What was unpacked in {0} has the SHA-256 {1}.' -f $Folder, $manifest.Digest)
        return $false
    }

    foreach ($file in $manifest.Files)
    {
        $length = Read-Length -Path ('{0}\{1}' -f $Folder, $file.Name)

        if ($length -ne $file.Length)
        {
            Write-Verbose -Message ('The file {0} is missing or has another size.' -f $file.Name)
            return $false
        }
    }

    Write-Verbose -Message ('The archive of {0} is in the desired state.' -f $Folder)
    return $true
}

<#
    .SYNOPSIS
        Unpacks the archive in place of an older one, or removes its files.

    .PARAMETER Folder
        Full path of the folder the archive is unpacked in.

    .PARAMETER Ensure
        Whether the files of the archive are there.

    .PARAMETER Path
        The .zip file: a full path, a share, or an http or https address.

    .PARAMETER Sha256
        SHA-256 of the file in hexadecimal digits.
#>
function Set-TargetResource
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $Folder,

        [Parameter()]
        [ValidateSet('Present', 'Absent')]
        [System.String]
        $Ensure = 'Present',

        [Parameter()]
        [System.String]
        $Path,

        [Parameter()]
        [System.String]
        $Sha256
    )

    Assert-Folder -Folder $Folder

    if ($Ensure -eq 'Absent')
    {
        Remove-Content -Folder $Folder
        return
    }

    Assert-Archive -Path $Path -Digest $Sha256
    $isCopy = -not (Test-LocalPath -Path $Path)
    $file = $Path
    $archive = $null

    try
    {
        if ($isCopy)
        {
            $file = Copy-Archive -Path $Path -Digest $Sha256
        }

        Assert-Hash -Path $file -Digest $Sha256
        Initialize-Compression
        $archive = Open-Archive -Path $file
        $files = @(Get-ArchiveFile -Archive $archive -Path $Path)
        $names = @($files | ForEach-Object -Process { $_.Name })
        $gone = @(Get-UnpackedFile -Folder $Folder | Where-Object -FilterScript { $_.Name -notin $names })
        Assert-Inside -Folder $Folder -File @($files + $gone)

        Write-Verbose -Message ('Unpacking {0} files of {1} in {2}.' -f $files.Count, $Path, $Folder)
        Initialize-Folder -Path $Folder
        # Whatever ends this run, the next one knows which files are of archives.
        Write-Manifest -Folder $Folder -Head $script:unfinished -File @($files + $gone)
        Remove-UnpackedFile -Folder $Folder -File $gone

        foreach ($entry in $files)
        {
            $target = '{0}\{1}' -f $Folder, $entry.Name
            Initialize-Folder -Path (Get-ParentPath -Path $target)
            Expand-Entry -Entry $entry.Entry -Destination $target
        }

        Write-Manifest -Folder $Folder -Head $Sha256.ToLowerInvariant() -File $files
    }
    finally
    {
        if ($null -ne $archive)
        {
            Close-Archive -Archive $archive
        }

        if ($isCopy -and $file -ne $Path)
        {
            Remove-ExistingFile -Path $file
        }
    }
}

<#
    .SYNOPSIS
        Returns what was unpacked in a folder, its digest and its files; null when nothing was. The digest is
        another word when a run did not come to its end.

    .PARAMETER Folder
        The folder.
#>
function Get-Manifest
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Folder
    )

    $path = '{0}\{1}' -f $Folder, $script:manifestName

    if (-not (Test-FileExistence -Path $path))
    {
        return $null
    }

    $lines = @(Read-Line -Path $path)

    if ($lines.Count -eq 0 -or ($lines[0] -notmatch $script:digest -and $lines[0] -ne $script:unfinished))
    {
        return $null
    }

    $files = @()

    for ($index = 1; $index -lt $lines.Count; $index++)
    {
        # Whoever changed the list must not lead this module out of the folder.
        if ($lines[$index] -notmatch $script:manifestLine -or -not (Test-Inside -Name $Matches['name']))
        {
            return $null
        }

        $files += @{
            Name   = $Matches['name']
            Length = [System.Int64] $Matches['length']
        }
    }

    return @{
        Digest = $lines[0]
        Files  = $files
    }
}

<#
    .SYNOPSIS
        Removes what was unpacked, and last the list of it: a file in use leaves the list for the next run.

    .PARAMETER Folder
        The folder.
#>
function Remove-Content
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Folder
    )

    $files = @(Get-UnpackedFile -Folder $Folder)
    Assert-Inside -Folder $Folder -File $files
    Remove-UnpackedFile -Folder $Folder -File $files
    $path = '{0}\{1}' -f $Folder, $script:manifestName

    if (Test-FileExistence -Path $path)
    {
        Remove-ExistingFile -Path $path
    }
}

<#
    .SYNOPSIS
        Hands out the files of the list, finished or not, with their names and lengths.

    .PARAMETER Folder
        The folder.
#>
function Get-UnpackedFile
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Folder
    )

    $manifest = Get-Manifest -Folder $Folder

    if ($null -ne $manifest)
    {
        $manifest.Files
    }
}

<#
    .SYNOPSIS
        Removes files of an archive; folders stay.

    .PARAMETER Folder
        The folder.

    .PARAMETER File
        The files.
#>
function Remove-UnpackedFile
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Folder,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Collections.Hashtable[]]
        $File
    )

    foreach ($old in $File)
    {
        $path = '{0}\{1}' -f $Folder, $old.Name

        if (Test-FileExistence -Path $path)
        {
            Write-Verbose -Message ('Removing {0}.' -f $old.Name)
            Remove-ExistingFile -Path $path
        }
    }
}

<#
    .SYNOPSIS
        Writes the list of what lies in the folder.

    .PARAMETER Folder
        The folder.

    .PARAMETER Head
        SHA-256 of the archive; another word while files are being changed.

    .PARAMETER File
        The files, with names and lengths.
#>
function Write-Manifest
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Folder,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Head,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Collections.Hashtable[]]
        $File
    )

    $lines = @($Head)
    $lines += @($File | ForEach-Object -Process { '{0} {1}' -f $_.Length, $_.Name })
    Write-Line -Path ('{0}\{1}' -f $Folder, $script:manifestName) -Line $lines
}

<#
    .SYNOPSIS
        Returns an archive, opened; throws when the file is none.

    .PARAMETER Path
        The .zip file on the node.
#>
function Open-Archive
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path
    )

    try
    {
        return (Open-Zip -Path $Path)
    }
    catch
    {
        throw (New-ResourceError -Id 'ArchiveUnreadable' -Category 'InvalidData' -Target $Path -Message (
                "The file {0} is no .zip archive that can be read: {1}" -f $Path, $_.Exception.Message))
    }
}

<#
    .SYNOPSIS
        Hands out the files of an archive, with their names below the folder and their lengths.

    .PARAMETER Archive
        The archive, opened.

    .PARAMETER Path
        Where it came from, for messages.
#>
function Get-ArchiveFile
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Archive,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Path
    )

    try
    {
        $entries = @(Read-Entry -Archive $Archive)
    }
    catch
    {
        # .NET reads what an archive holds when it is asked for it, and not before.
        throw (New-ResourceError -Id 'ArchiveUnreadable' -Category 'InvalidData' -Target $Path -Message (
                "The file {0} is no .zip archive that can be read: {1}" -f $Path, $_.Exception.Message))
    }

    $seen = @()

    foreach ($entry in $entries)
    {
        $name = $entry.FullName.Replace('/', '\')

        # What ends with a slash is a folder; folders are made with their files.
        if ($name.EndsWith('\'))
        {
            continue
        }

        if (-not (Test-Inside -Name $name) -or $name -eq $script:manifestName -or $name -in $seen)
        {
            throw (New-ResourceError -Id 'ArchiveUnsafe' -Category 'InvalidData' -Target $Path -Message (
                    "The archive {0} has the entry '{1}', which is no file of its own below a folder." -f
                    $Path, $entry.FullName))
        }

        $seen += $name

        @{
            Entry  = $entry
            Name   = $name
            Length = [System.Int64] $entry.Length
        }
    }
}

<#
    .SYNOPSIS
        Tells whether a name stays below the folder it is joined to, in the eyes of Windows.

    .PARAMETER Name
        A name with backslashes.
#>
function Test-Inside
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String]
        $Name
    )

    foreach ($part in ($Name -split '\\'))
    {
        # Windows drops dots and spaces at the end of a name; a colon begins a drive or a stream.
        if ($part -eq '' -or $part -match '[. ]\z' -or $part -match '[\x00-\x1f<>:"|?*]' -or
            $part -match $script:device)
        {
            return $false
        }
    }

    return $true
}

<#
    .SYNOPSIS
        Throws when a folder on the way to a file is a link, which may lead anywhere.

    .PARAMETER Folder
        The folder.

    .PARAMETER File
        The files.
#>
function Assert-Inside
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Folder,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Collections.Hashtable[]]
        $File
    )

    $seen = @()

    foreach ($entry in $File)
    {
        $parent = Get-ParentPath -Path $entry.Name

        while ($parent -ne '' -and $parent -notin $seen)
        {
            $seen += $parent
            $path = '{0}\{1}' -f $Folder, $parent

            if ((Test-FolderExistence -Path $path) -and (Test-Link -Path $path))
            {
                throw (New-ResourceError -Id 'FolderIsLink' -Category 'InvalidOperation' -Target $path -Message (
                        "The folder {0} is a link, and files of the archive would go where it leads." -f $path))
            }

            $parent = Get-ParentPath -Path $parent
        }
    }
}

<#
    .SYNOPSIS
        Returns the folder of a path, nothing where it names none.

    .PARAMETER Path
        The path, of a file or a folder.
#>
function Get-ParentPath
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path
    )

    return ($Path -replace '(\A|\\)[^\\]*\z', '')
}

<#
    .SYNOPSIS
        Tells whether a path starts with a drive.

    .PARAMETER Path
        A path or an address.
#>
function Test-LocalPath
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path
    )

    return ($Path -match '\A[A-Za-z]:\\')
}

<#
    .SYNOPSIS
        Copies the file from a share or a web server and returns the path of the copy.

    .PARAMETER Path
        A share or an address.

    .PARAMETER Digest
        Its SHA-256; the copy has this name.
#>
function Copy-Archive
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
        $Digest
    )

    $folder = '{0}\archives' -f (Get-DataFolder)
    Initialize-Folder -Path $folder
    $copy = '{0}\{1}.zip' -f $folder, $Digest.ToLowerInvariant()
    Write-Verbose -Message ('Copying {0} to {1}.' -f $Path, $copy)

    try
    {
        if ($Path -match '\Ahttps?://')
        {
            Enable-Tls12
            Save-WebFile -Uri $Path -Destination $copy
        }
        else
        {
            Copy-File -Path $Path -Destination $copy
        }
    }
    catch
    {
        $reason = $_.Exception.Message
        Remove-ExistingFile -Path $copy

        throw (New-ResourceError -Id 'FileNotFound' -Category 'ObjectNotFound' -Target $Path -Message (
                "The file {0} cannot be fetched: {1}" -f $Path, $reason))
    }

    return $copy
}

<#
    .SYNOPSIS
        Throws when there is no such file, or it is another one.

    .PARAMETER Path
        The file on the node.

    .PARAMETER Digest
        The SHA-256 it has.
#>
function Assert-Hash
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Digest
    )

    if (-not (Test-FileExistence -Path $Path))
    {
        throw (New-ResourceError -Id 'FileNotFound' -Category 'ObjectNotFound' -Target $Path -Message (
                "There is no file {0}." -f $Path))
    }

    $actual = Read-Hash -Path $Path

    if ($actual -ne $Digest)
    {
        throw (New-ResourceError -Id 'HashMismatch' -Category 'InvalidData' -Target $Path -Message (
                "The file {0} has the SHA-256 {1}, and not {2}." -f $Path, $actual.ToLowerInvariant(), $Digest))
    }
}

<#
    .SYNOPSIS
        Throws when a folder is not given by its full path, or is a whole drive.

    .PARAMETER Folder
        The folder.
#>
function Assert-Folder
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Folder
    )

    if ($Folder -notmatch '\A[A-Za-z]:\\[^<>:"|?*/]*[^<>:"|?*/\\. ]\z')
    {
        throw (New-ResourceError -Id 'FolderMalformed' -Category 'InvalidArgument' -Target $Folder -Message (
                "'{0}' is not the full path of a folder below a drive." -f $Folder))
    }
}

<#
    .SYNOPSIS
        Throws when it is not said, or cannot be meant, which file to unpack.

    .PARAMETER Path
        The .zip file.

    .PARAMETER Digest
        Its SHA-256.
#>
function Assert-Archive
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String]
        $Path,

        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String]
        $Digest
    )

    if ([System.String]::IsNullOrEmpty($Path) -or [System.String]::IsNullOrEmpty($Digest))
    {
        throw (New-ResourceError -Id 'PathMissing' -Category 'InvalidArgument' -Target 'Path' -Message (
                'The archive should be unpacked, but Path or Sha256 is not given.'))
    }

    if ($Path -notmatch '\A([A-Za-z]:\\|\\\\[^\\]+\\[^\\]+\\|https?://[^/]+/)[^"]+\z')
    {
        throw (New-ResourceError -Id 'PathMalformed' -Category 'InvalidArgument' -Target $Path -Message (
                "'{0}' is not the full path, share or address of a file." -f $Path))
    }

    if ($Digest -notmatch $script:digest)
    {
        throw (New-ResourceError -Id 'HashMalformed' -Category 'InvalidArgument' -Target 'Sha256' -Message (
                "Sha256 is '{0}', which is not 64 hexadecimal digits." -f $Digest))
    }
}

#region One call each

<#
    .SYNOPSIS
        Returns the size of a file in bytes, -1 when there is none.

    .PARAMETER Path
        Full path of the file.
#>
function Read-Length
{
    [CmdletBinding()]
    [OutputType([System.Int64])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path
    )

    $file = New-Object -TypeName 'System.IO.FileInfo' -ArgumentList $Path

    if (-not $file.Exists)
    {
        return -1
    }

    return $file.Length
}

<#
    .SYNOPSIS
        Loads the part of .NET that reads .zip files.
#>
function Initialize-Compression
{
    [CmdletBinding()]
    param ()

    $null = [System.Reflection.Assembly]::Load($script:compression)
}

<#
    .SYNOPSIS
        Opens a .zip file for reading.

    .PARAMETER Path
        Full path of the file.
#>
function Open-Zip
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path
    )

    return [System.IO.Compression.ZipFile]::OpenRead($Path)
}

<#
    .SYNOPSIS
        Hands out the entries of an archive.

    .PARAMETER Archive
        The archive, opened.
#>
function Read-Entry
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Archive
    )

    $Archive.Entries
}

<#
    .SYNOPSIS
        Unpacks a file over what is there.

    .PARAMETER Entry
        The entry of the archive.

    .PARAMETER Destination
        Full path of the file.
#>
function Expand-Entry
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Entry,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Destination
    )

    [System.IO.Compression.ZipFileExtensions]::ExtractToFile($Entry, $Destination, $true)
}

<#
    .SYNOPSIS
        Closes an archive.

    .PARAMETER Archive
        The archive.
#>
function Close-Archive
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.IDisposable]
        $Archive
    )

    $Archive.Dispose()
}

<#
    .SYNOPSIS
        Tells whether a folder is a link to another place.

    .PARAMETER Path
        Full path of the folder.
#>
function Test-Link
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path
    )

    $attributes = [System.IO.File]::GetAttributes($Path)

    return (($attributes -band [System.IO.FileAttributes]::ReparsePoint) -eq [System.IO.FileAttributes]::ReparsePoint)
}

<#
    .SYNOPSIS
        Returns the folder in which this module keeps what it needs on a node. Only administrators may write below
        the folder of programs: below that of application data, anybody could make this folder first, own it, and
        put another file in place of one whose hash was just computed.
#>
function Get-DataFolder
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param ()

    $folder = [System.Environment]::GetFolderPath('ProgramFiles')

    return ('{0}\provisioner' -f $folder)
}

<#
    .SYNOPSIS
        Makes a folder with those above it, where there is none.

    .PARAMETER Path
        Full path of the folder.
#>
function Initialize-Folder
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path
    )

    $null = [System.IO.Directory]::CreateDirectory($Path)
}

<#
    .SYNOPSIS
        Tells whether there is a file.

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
        Tells whether there is a folder.

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
        Returns the SHA-256 of a file in hexadecimal digits.

    .PARAMETER Path
        Full path of the file.
#>
function Read-Hash
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path
    )

    return [System.String] (Get-FileHash -LiteralPath $Path -Algorithm 'SHA256').Hash
}

<#
    .SYNOPSIS
        Copies a file over another.

    .PARAMETER Path
        The file.

    .PARAMETER Destination
        Full path of the copy.
#>
function Copy-File
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Destination
    )

    Copy-Item -LiteralPath $Path -Destination $Destination -Force
}

<#
    .SYNOPSIS
        Fetches a file from a web server.

    .PARAMETER Uri
        Its address.

    .PARAMETER Destination
        Full path of the copy.
#>
function Save-WebFile
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Uri,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Destination
    )

    Invoke-WebRequest -Uri $Uri -OutFile $Destination -UseBasicParsing
}

<#
    .SYNOPSIS
        Lets this process use TLS 1.2, which Windows PowerShell of Windows Server 2016 and 2019 leaves out.
#>
function Enable-Tls12
{
    [CmdletBinding()]
    param ()

    $protocols = [System.Net.ServicePointManager]::SecurityProtocol

    # 0 leaves the choice to Windows, which has it.
    if ([System.Int32] $protocols -ne 0)
    {
        [System.Net.ServicePointManager]::SecurityProtocol = $protocols -bor [System.Net.SecurityProtocolType]::Tls12
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

    [System.IO.File]::Delete($Path)
}

<#
    .SYNOPSIS
        Hands out the lines of a text file.

    .PARAMETER Path
        Full path of the file.
#>
function Read-Line
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path
    )

    [System.IO.File]::ReadAllLines($Path)
}

<#
    .SYNOPSIS
        Writes the lines of a text file, in UTF-8 without a mark.

    .PARAMETER Path
        Full path of the file.

    .PARAMETER Line
        The lines.
#>
function Write-Line
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path,

        [Parameter(Mandatory = $true)]
        [System.String[]]
        $Line
    )

    [System.IO.File]::WriteAllLines($Path, $Line)
}

#endregion

Export-ModuleMember -Function 'Get-TargetResource', 'Test-TargetResource', 'Set-TargetResource'
