<#
    Restarts a service when a file it reads is newer than its process.

    Every call of a cmdlet, a program or .NET that touches the machine stands alone in a small private function, so
    that the logic above it can be run with these functions replaced. This module has been parsed, but has not run on
    Windows.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

$script:moduleFolder = Split-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -Parent
Import-Module -Name (Join-Path -Path $script:moduleFolder -ChildPath 'Modules/ProvisionerDsc.Common')

<#
    .SYNOPSIS
        Returns those of the files that are newer than the process of the service.

    .PARAMETER ServiceName
        Name of the service.

    .PARAMETER Paths
        Files that the service reads at its start.
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
        $ServiceName,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [System.String[]]
        $Paths
    )

    return @{
        ServiceName = $ServiceName
        Paths       = [System.String[]] @(Get-NewerFile -ServiceName $ServiceName -Paths @($Paths))
    }
}

<#
    .SYNOPSIS
        Tells whether the service runs with all files as they are now, or does not run at all.

    .PARAMETER ServiceName
        Name of the service.

    .PARAMETER Paths
        Files that the service reads at its start.
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
        $ServiceName,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [System.String[]]
        $Paths
    )

    if ($null -eq (Read-Service -ServiceName $ServiceName))
    {
        Write-Verbose -Message ("There is no service named '{0}'." -f $ServiceName)
        return $false
    }

    return (@(Get-NewerFile -ServiceName $ServiceName -Paths @($Paths)).Count -eq 0)
}

<#
    .SYNOPSIS
        Restarts the service, and those that depend on it and ran.

    .PARAMETER ServiceName
        Name of the service.

    .PARAMETER Paths
        Files that the service reads at its start.
#>
function Set-TargetResource
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $ServiceName,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [System.String[]]
        $Paths
    )

    if ($null -eq (Read-Service -ServiceName $ServiceName))
    {
        throw (New-ResourceError -Id 'ServiceNotFound' -Category 'ObjectNotFound' -Target $ServiceName -Message (
                "There is no service named '{0}'." -f $ServiceName))
    }

    if (@(Get-NewerFile -ServiceName $ServiceName -Paths @($Paths)).Count -eq 0)
    {
        return
    }

    $dependants = @(Read-RunningDependant -ServiceName $ServiceName)
    Write-Verbose -Message ("Restarting '{0}' and its dependants '{1}'." -f $ServiceName, ($dependants -join ' '))
    Restart-ServiceByForce -ServiceName $ServiceName

    # The one that others depend on comes last in this list, and one that runs again is not started twice.
    foreach ($name in $dependants)
    {
        Start-DependantService -ServiceName $name
    }

    $newer = @(Get-NewerFile -ServiceName $ServiceName -Paths @($Paths))

    if ($newer.Count -gt 0)
    {
        throw (New-ResourceError -Id 'ProcessOlder' -Category 'InvalidResult' -Target $ServiceName -Message (
                ("'{0}' was restarted, but its process is still older than {1}: it shares the process with other " +
                    'services, so a restart cannot be told from none.') -f $ServiceName, ($newer -join ', ')))
    }
}

<#
    .SYNOPSIS
        Hands out the files that are newer than the process of the service; none when it does not run.

    .PARAMETER ServiceName
        Name of the service.

    .PARAMETER Paths
        The files.
#>
function Get-NewerFile
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $ServiceName,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [System.String[]]
        $Paths
    )

    $service = Read-Service -ServiceName $ServiceName

    if ($null -eq $service -or $service.ProcessId -eq 0)
    {
        Write-Verbose -Message ("The service '{0}' does not run: there is nothing to restart." -f $ServiceName)
        return
    }

    $started = Read-ProcessStart -ProcessId $service.ProcessId
    $now = Get-Now

    if ($null -eq $started)
    {
        Write-Verbose -Message ("The process of '{0}' has just ended." -f $ServiceName)
        return
    }

    foreach ($path in $Paths)
    {
        $changed = Read-FileTime -Path $path

        if ($null -eq $changed)
        {
            Write-Verbose -Message ("The file '{0}' does not exist." -f $path)
            continue
        }

        if ($changed -gt $now)
        {
            throw (New-ResourceError -Id 'FileFromFuture' -Category 'InvalidData' -Target $path -Message (
                    ("The file '{0}' was changed at {1:u}, and the clock of the node says {2:u}: whether the " +
                        'service has read it cannot be told. Set the clock, or write the file again.') -f
                    $path, $changed, $now))
        }

        if ($changed -gt $started)
        {
            Write-Verbose -Message ("'{0}' was changed at {1:u}, after {2:u}." -f $path, $changed, $started)
            $path
        }
    }
}

#region One call each

<#
    .SYNOPSIS
        Returns the service; nothing when there is none of this name.

    .PARAMETER ServiceName
        Name of the service.
#>
function Read-Service
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $ServiceName
    )

    $name = $ServiceName.Replace("'", "\'")

    return Get-CimInstance -ClassName 'Win32_Service' -Filter "Name='$name'" -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Returns when a process was started, in UTC; nothing when it is gone.

    .PARAMETER ProcessId
        Number of the process.
#>
function Read-ProcessStart
{
    [CmdletBinding()]
    [OutputType([System.DateTime])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.UInt32]
        $ProcessId
    )

    $process = Get-CimInstance -ClassName 'Win32_Process' -Filter "ProcessId=$ProcessId" -ErrorAction 'Stop'

    if ($null -ne $process)
    {
        return $process.CreationDate.ToUniversalTime()
    }
}

<#
    .SYNOPSIS
        Returns when a file was last written or made, whichever is later, in UTC; nothing when it is not there.

    .PARAMETER Path
        The file.
#>
function Read-FileTime
{
    [CmdletBinding()]
    [OutputType([System.DateTime])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String]
        $Path
    )

    if (-not [System.IO.File]::Exists($Path))
    {
        return
    }

    $written = [System.IO.File]::GetLastWriteTimeUtc($Path)
    $made = [System.IO.File]::GetCreationTimeUtc($Path)

    if ($made -gt $written)
    {
        return $made
    }

    return $written
}

<#
    .SYNOPSIS
        Returns the time of the node in UTC.
#>
function Get-Now
{
    [CmdletBinding()]
    [OutputType([System.DateTime])]
    param ()

    return [System.DateTime]::UtcNow
}

<#
    .SYNOPSIS
        Hands out the names of running services that depend on a service.

    .PARAMETER ServiceName
        Name of the service.
#>
function Read-RunningDependant
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $ServiceName
    )

    foreach ($dependant in @((Get-Service -Name $ServiceName).DependentServices))
    {
        if (([System.String] $dependant.Status) -eq 'Running')
        {
            $dependant.Name
        }
    }
}

<#
    .SYNOPSIS
        Restarts a service, whether others depend on it or not.

    .PARAMETER ServiceName
        Name of the service.
#>
function Restart-ServiceByForce
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $ServiceName
    )

    Restart-Service -Name $ServiceName -Force
}

<#
    .SYNOPSIS
        Starts a service; one that runs stays as it is.

    .PARAMETER ServiceName
        Name of the service.
#>
function Start-DependantService
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $ServiceName
    )

    Start-Service -Name $ServiceName
}

#endregion

Export-ModuleMember -Function 'Get-TargetResource', 'Test-TargetResource', 'Set-TargetResource'
