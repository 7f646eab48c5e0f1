<#
    Makes a virtual environment of Python with exactly the wanted versions, from a folder of wheels.

    Every call that touches the machine stands alone in a small private function, so that the logic above it can be
    run with these functions replaced. This module has been parsed, but has not run on Windows.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

$script:moduleFolder = Split-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -Parent
Import-Module -Name (Join-Path -Path $script:moduleFolder -ChildPath 'Modules/ProvisionerDsc.Common')

$script:requirement = '\A[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9.!+_-]*\z'

# In the environment: what was wanted when it was made or mended last.
$script:listName = 'provisioner-requirements.txt'

# What makes a folder an environment.
$script:markName = 'pyvenv.cfg'

<#
    .SYNOPSIS
        Returns what is installed in the environment.

    .PARAMETER Path
        Full path of the folder of the environment.
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

    Assert-Path -Name 'Path' -Path $Path
    $state = @{
        Path         = $Path
        Ensure       = 'Absent'
        Python       = $null
        Requirements = $null
        Wheels       = $null
    }

    $base = Get-Base -Path $Path

    if ($null -ne $base)
    {
        $state['Ensure'] = 'Present'
        $state['Requirements'] = [System.String[]] @(Get-Distribution -Path $Path)
    }

    if (-not [System.String]::IsNullOrEmpty($base))
    {
        $state['Python'] = '{0}\python.exe' -f $base
    }

    return $state
}

<#
    .SYNOPSIS
        Tells whether the environment was made with this Python and has these distributions.

    .PARAMETER Path
        Full path of the folder of the environment.

    .PARAMETER Ensure
        Whether the environment is there.

    .PARAMETER Python
        Full path of the python.exe the environment is made with.

    .PARAMETER Requirements
        What is installed, each as name==version.

    .PARAMETER Wheels
        Full path of the folder with the wheels.
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
        [System.String]
        $Python,

        [Parameter()]
        [AllowEmptyCollection()]
        [System.String[]]
        $Requirements,

        [Parameter()]
        [System.String]
        $Wheels
    )

    Assert-Path -Name 'Path' -Path $Path
    $base = Get-Base -Path $Path

    if ($Ensure -eq 'Absent')
    {
        Write-Verbose -Message ('There is an environment in {0}: {1}.' -f $Path, ($null -ne $base))
        return ($null -eq $base)
    }

    Assert-Wanted -Python $Python -Requirements $Requirements -Wheels $Wheels

    if ($null -eq $base -or $base -ne (Get-Origin -Python $Python))
    {
        Write-Verbose -Message ('The environment in {0} is made with {1}.' -f $Path, $base)
        return $false
    }

    $missing = @(Get-Missing -Path $Path -Requirements $Requirements)

    if ($missing.Count -gt 0)
    {
        Write-Verbose -Message ('Missing in {0}: {1}.' -f $Path, ($missing -join ', '))
        return $false
    }

    if (-not (Test-FileExistence -Path ('{0}\{1}' -f $Path, $script:listName)))
    {
        Write-Verbose -Message ('The environment in {0} was not finished.' -f $Path)
        return $false
    }

    Write-Verbose -Message ('The environment in {0} is in the desired state.' -f $Path)
    return $true
}

<#
    .SYNOPSIS
        Makes or mends the environment, or removes it.

    .PARAMETER Path
        Full path of the folder of the environment.

    .PARAMETER Ensure
        Whether the environment is there.

    .PARAMETER Python
        Full path of the python.exe the environment is made with.

    .PARAMETER Requirements
        What is installed, each as name==version.

    .PARAMETER Wheels
        Full path of the folder with the wheels.
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
        [System.String]
        $Python,

        [Parameter()]
        [AllowEmptyCollection()]
        [System.String[]]
        $Requirements,

        [Parameter()]
        [System.String]
        $Wheels
    )

    Assert-Path -Name 'Path' -Path $Path
    $base = Get-Base -Path $Path

    if ($Ensure -eq 'Absent')
    {
        if ($null -ne $base)
        {
            Write-Verbose -Message ('Removing {0}.' -f $Path)
            Clear-Environment -Path $Path
            Remove-Folder -Path $Path
        }

        return
    }

    Assert-Wanted -Python $Python -Requirements $Requirements -Wheels $Wheels

    if (-not (Test-FileExistence -Path $Python))
    {
        throw (New-ResourceError -Id 'PythonNotFound' -Category 'ObjectNotFound' -Target $Python -Message (
                "There is no Python {0}." -f $Python))
    }

    if (-not (Test-FolderExistence -Path $Wheels))
    {
        throw (New-ResourceError -Id 'WheelsNotFound' -Category 'ObjectNotFound' -Target $Wheels -Message (
                "There is no folder {0} with wheels." -f $Wheels))
    }

    if ($null -eq $base -and (Test-FolderExistence -Path $Path) -and @(Get-Entry -Path $Path).Count -gt 0)
    {
        throw (New-ResourceError -Id 'FolderNotEmpty' -Category 'InvalidOperation' -Target $Path -Message (
                "The folder {0} has files, and is no environment of Python that could be cleared." -f $Path))
    }

    # Missing until the end: a run that is cut off is found out, and nobody takes what runs for what is there.
    Remove-ExistingFile -Path ('{0}\{1}' -f $Path, $script:listName)

    if ($null -eq $base -or $base -ne (Get-Origin -Python $Python) -or $null -eq (Read-Distribution -Path $Path))
    {
        Write-Verbose -Message ('Making an environment in {0} with {1}.' -f $Path, $Python)

        if ($null -ne $base)
        {
            Clear-Environment -Path $Path
        }

        Invoke-Step -Program $Python -Argument @('-m', 'venv', '--clear', $Path) -Id 'EnvironmentNotMade'
    }

    $missing = @(Get-Missing -Path $Path -Requirements $Requirements)

    if ($missing.Count -gt 0)
    {
        Write-Verbose -Message ('Installing {0}.' -f ($missing -join ', '))
        $install = @('-m', 'pip', 'install', '--isolated', '--disable-pip-version-check', '--no-index')
        $install += @('--find-links', $Wheels)
        Invoke-Step -Program (Get-Program -Path $Path) -Argument @($install + $Requirements) -Id 'InstallationFailed'
        $missing = @(Get-Missing -Path $Path -Requirements $Requirements)
    }

    if ($missing.Count -gt 0)
    {
        throw (New-ResourceError -Id 'NotInstalled' -Category 'InvalidResult' -Target $Path -Message (
                "pip ended well, and {0} is not installed as written: write versions as pip shows them." -f
                ($missing -join ', ')))
    }

    # Newer than a process of the environment: who reads it has to be restarted.
    Write-Line -Path ('{0}\{1}' -f $Path, $script:listName) -Line $Requirements
}

<#
    .SYNOPSIS
        Returns the folder of a Python as pyvenv.cfg names it, without a backslash at its end.

    .PARAMETER Python
        Full path of the python.exe.
#>
function Get-Origin
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Python
    )

    return ($Python -replace '\\+[^\\]*\z', '')
}

<#
    .SYNOPSIS
        Empties an environment but for the file that makes it one. When something is in use, what is left is still
        an environment, which the next run goes on with.

    .PARAMETER Path
        Folder of the environment.
#>
function Clear-Environment
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path
    )

    foreach ($entry in @(Get-Entry -Path $Path))
    {
        if (Test-FolderExistence -Path $entry)
        {
            Remove-Folder -Path $entry
        }
        elseif (-not $entry.EndsWith('\{0}' -f $script:markName))
        {
            Remove-ExistingFile -Path $entry
        }
    }
}

<#
    .SYNOPSIS
        Returns the folder of the Python an environment is made with; null when it is none.

    .PARAMETER Path
        Folder of the environment.
#>
function Get-Base
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path
    )

    $file = '{0}\{1}' -f $Path, $script:markName

    if (-not (Test-FileExistence -Path $file))
    {
        return $null
    }

    foreach ($line in @(Read-Line -Path $file))
    {
        if ($line -match '\A\s*home\s*=\s*(?<home>.*?)\\?\s*\z')
        {
            return $Matches['home']
        }
    }

    return ''
}

<#
    .SYNOPSIS
        Hands out what is installed, each as name==version; nothing when its Python does not answer.

    .PARAMETER Path
        Folder of the environment.
#>
function Get-Distribution
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path
    )

    foreach ($line in @(Read-Distribution -Path $Path))
    {
        if ($line -match $script:requirement)
        {
            $line
        }
    }
}

<#
    .SYNOPSIS
        Hands out those of the requirements that are not installed in their version.

    .PARAMETER Path
        Folder of the environment.

    .PARAMETER Requirements
        The requirements.
#>
function Get-Missing
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path,

        [Parameter(Mandatory = $true)]
        [System.String[]]
        $Requirements
    )

    $installed = @(Get-Distribution -Path $Path | ForEach-Object -Process { Get-PlainName -Requirement $_ })

    foreach ($requirement in $Requirements)
    {
        if ((Get-PlainName -Requirement $requirement) -notin $installed)
        {
            $requirement
        }
    }
}

<#
    .SYNOPSIS
        Returns a requirement with its name as an index of packages compares it (PEP 503).

    .PARAMETER Requirement
        The requirement, as name==version.
#>
function Get-PlainName
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Requirement
    )

    $name, $version = $Requirement -split '==', 2

    return ('{0}=={1}' -f ($name -replace '[-_.]+', '-'), $version)
}

<#
    .SYNOPSIS
        Hands out the lines by which pip lists what is installed; null when the Python of the environment
        does not answer.

    .PARAMETER Path
        Folder of the environment.
#>
function Read-Distribution
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path
    )

    $program = Get-Program -Path $Path

    if (-not (Test-FileExistence -Path $program))
    {
        return $null
    }

    $list = @('-m', 'pip', 'list', '--isolated', '--format=freeze', '--disable-pip-version-check')

    try
    {
        $ended = Invoke-Program -Program $program -Argument $list
    }
    catch
    {
        Write-Verbose -Message ('{0} cannot be run: {1}' -f $program, $_.Exception.Message)
        return $null
    }

    if ($ended.Code -ne 0)
    {
        Write-Verbose -Message ('{0} ended with {1}.' -f $program, $ended.Code)
        return $null
    }

    return ($ended.Output -split '\r?\n')
}

<#
    .SYNOPSIS
        Returns the path of the python.exe of an environment.

    .PARAMETER Path
        Folder of the environment.
#>
function Get-Program
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path
    )

    return ('{0}\Scripts\python.exe' -f $Path)
}

<#
    .SYNOPSIS
        Runs a program, and throws with the last lines it wrote when it does not end well.

    .PARAMETER Program
        Full path of the program.

    .PARAMETER Argument
        Its arguments.

    .PARAMETER Id
        Id of the error.
#>
function Invoke-Step
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Program,

        [Parameter(Mandatory = $true)]
        [System.String[]]
        $Argument,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Id
    )

    $ended = Invoke-Program -Program $Program -Argument $Argument

    if ($ended.Code -ne 0)
    {
        $lines = @(($ended.Output + $ended.Errors) -split '\r?\n' | Where-Object -FilterScript { $_ -ne '' })
        $first = [System.Math]::Max(0, $lines.Count - 5)
        $told = @()

        for ($index = $first; $index -lt $lines.Count; $index++)
        {
            $told += $lines[$index].Trim()
        }

        throw (New-ResourceError -Id $Id -Category 'InvalidResult' -Target $Program -Message (
                "{0} ended with {1}: {2}" -f $Program, $ended.Code, ($told -join ' ')))
    }
}

<#
    .SYNOPSIS
        Runs a program to its end; returns its exit code and what it wrote.

    .PARAMETER Program
        Full path of the program.

    .PARAMETER Argument
        Its arguments, none of which has a double quote.
#>
function Invoke-Program
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Program,

        [Parameter(Mandatory = $true)]
        [System.String[]]
        $Argument
    )

    # A backslash before the closing quote would escape it.
    $quoted = @($Argument | ForEach-Object -Process { '"{0}"' -f ($_ -replace '(\\+)\z', '$1$1') })
    $start = New-Object -TypeName 'System.Diagnostics.ProcessStartInfo'
    $start.FileName = $Program
    $start.Arguments = $quoted -join ' '
    $start.UseShellExecute = $false
    $start.CreateNoWindow = $true
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    $process = Start-Program -Start $start

    try
    {
        # Both at once: a program that fills one while nobody reads it would never end.
        $output = Start-Reading -Reader $process.StandardOutput
        $errors = Start-Reading -Reader $process.StandardError
        Wait-Program -Process $process

        return @{
            Code   = $process.ExitCode
            Output = [System.String] $output.Result
            Errors = [System.String] $errors.Result
        }
    }
    finally
    {
        Close-Program -Process $process
    }
}

<#
    .SYNOPSIS
        Throws when a path is not a full one below a drive.

    .PARAMETER Name
        Name of the property.

    .PARAMETER Path
        The path.
#>
function Assert-Path
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name,

        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String]
        $Path
    )

    if ($Path -notmatch '\A[A-Za-z]:\\[^<>:"|?*/]*[^<>:"|?*/\\. ]\z')
    {
        throw (New-ResourceError -Id 'PathMalformed' -Category 'InvalidArgument' -Target $Name -Message (
                "{0} is '{1}', which is no full path below a drive." -f $Name, $Path))
    }
}

<#
    .SYNOPSIS
        Throws when it is not said, or cannot be meant, what is wanted.

    .PARAMETER Python
        The python.exe.

    .PARAMETER Requirements
        The requirements.

    .PARAMETER Wheels
        The folder of the wheels.
#>
function Assert-Wanted
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String]
        $Python,

        [Parameter(Mandatory = $true)]
        [AllowNull()]
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [System.String[]]
        $Requirements,

        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String]
        $Wheels
    )

    Assert-Path -Name 'Python' -Path $Python
    Assert-Path -Name 'Wheels' -Path $Wheels
    $problem = @{
        Category = 'InvalidArgument'
        Target   = 'Requirements'
    }

    # Nothing is not an empty list: wrapped in one, it would count as an entry.
    if ($null -eq $Requirements -or $Requirements.Count -eq 0)
    {
        $problem['Message'] = 'The environment should be there, but Requirements is empty.'

        throw (New-ResourceError -Id 'RequirementMalformed' @problem)
    }

    foreach ($requirement in $Requirements)
    {
        if ($requirement -notmatch $script:requirement)
        {
            $problem['Message'] = "The requirement '{0}' is not name==version." -f $requirement

            throw (New-ResourceError -Id 'RequirementMalformed' @problem)
        }
    }
}

#region One call each

<#
    .SYNOPSIS
        Starts a program.

    .PARAMETER Start
        How it is started.
#>
function Start-Program
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Start
    )

    return [System.Diagnostics.Process]::Start($Start)
}

<#
    .SYNOPSIS
        Begins to read what a program writes.

    .PARAMETER Reader
        What it writes to.
#>
function Start-Reading
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Reader
    )

    return $Reader.ReadToEndAsync()
}

<#
    .SYNOPSIS
        Waits until a program has ended.

    .PARAMETER Process
        The program.
#>
function Wait-Program
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Process
    )

    $Process.WaitForExit()
}

<#
    .SYNOPSIS
        Lets go of a program that has ended.

    .PARAMETER Process
        The program.
#>
function Close-Program
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Process
    )

    $Process.Dispose()
}

<#
    .SYNOPSIS
        Hands out what lies in a folder.

    .PARAMETER Path
        Full path of the folder.
#>
function Get-Entry
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path
    )

    [System.IO.Directory]::GetFileSystemEntries($Path)
}

<#
    .SYNOPSIS
        Removes a folder with all in it.

    .PARAMETER Path
        Full path of the folder.
#>
function Remove-Folder
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path
    )

    [System.IO.Directory]::Delete($Path, $true)
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

    if ([System.IO.File]::Exists($Path))
    {
        [System.IO.File]::Delete($Path)
    }
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
