<#
    Keeps one bridge of Open vSwitch: its uplink, the VLAN of the machine on it, and its network adapter enabled.

    Bridges and ports are asked for and changed by ovs-vsctl.exe, which has a time limit twice: its own, and one of this
    script that ends it. No step removes a port of somebody else.

    Every call that touches the machine stands alone in a small private function, so that the logic above it can be
    run with these functions replaced. This module has been parsed, but has not run on Windows.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

$script:moduleFolder = Split-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -Parent
Import-Module -Name (Join-Path -Path $script:moduleFolder -ChildPath 'Modules/ProvisionerDsc.Common')

# ovs-vsctl.exe waits for both, and may wait for ever.
$script:services = @('ovsdb-server', 'ovs-vswitchd')

<#
    .SYNOPSIS
        Returns what the database says of the bridge.

    .PARAMETER Name
        Name of the bridge.

    .PARAMETER ToolPath
        Full path of ovs-vsctl.exe.

    .PARAMETER Database
        Where the database is.

    .PARAMETER TimeoutSeconds
        How long one call of ovs-vsctl.exe may take.
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
        $Name,

        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $ToolPath,

        [Parameter()]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $Database = 'tcp:127.0.0.1:6640',

        [Parameter()]
        [ValidateRange(1, 600)]
        [System.UInt32]
        $TimeoutSeconds = 30
    )

    Assert-Argument -Text @($Name, $Database)
    $tool = @{
        Path     = $ToolPath
        Database = $Database
        Second   = $TimeoutSeconds
    }

    $state = @{
        Name           = $Name
        ToolPath       = $ToolPath
        Ensure         = 'Absent'
        AdapterName    = $null
        VlanId         = $null
        Database       = $Database
        TimeoutSeconds = $TimeoutSeconds
        Ports          = $null
        AdapterStatus  = $null
    }

    if (-not (Test-Ready -Tool $tool))
    {
        return $state
    }

    if (-not (Test-Bridge -Bridge $Name -Tool $tool))
    {
        return $state
    }

    $ports = [System.String[]] @(Get-Port -Bridge $Name -Tool $tool)
    $adapters = @(Get-EveryAdapter)
    $uplinks = @($ports | Where-Object -FilterScript { $null -ne (Select-Adapter -Name $_ -Adapter $adapters) })
    $own = Select-Adapter -Name $Name -Adapter $adapters
    $state['Ensure'] = 'Present'
    $state['Ports'] = $ports
    $state['VlanId'] = Get-Tag -Bridge $Name -Tool $tool

    if ($uplinks.Count -gt 0)
    {
        $state['AdapterName'] = $uplinks[0]
    }

    if ($null -ne $own)
    {
        $state['AdapterStatus'] = $own.Status.ToString()
    }

    return $state
}

<#
    .SYNOPSIS
        Tells whether the bridge is there with its port, its VLAN and an adapter that is enabled.

    .PARAMETER Name
        Name of the bridge.

    .PARAMETER ToolPath
        Full path of ovs-vsctl.exe.

    .PARAMETER Ensure
        Whether there is such a bridge.

    .PARAMETER AdapterName
        Name of the physical network adapter that is a port of the bridge.

    .PARAMETER VlanId
        VLAN of the adapter the machine has on the bridge; 0 is untagged.

    .PARAMETER Database
        Where the database is.

    .PARAMETER TimeoutSeconds
        How long one call of ovs-vsctl.exe may take.
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
        $Name,

        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $ToolPath,

        [Parameter()]
        [ValidateSet('Present', 'Absent')]
        [System.String]
        $Ensure = 'Present',

        [Parameter()]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $AdapterName,

        [Parameter()]
        [ValidateRange(0, 4094)]
        [System.UInt32]
        $VlanId,

        [Parameter()]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $Database = 'tcp:127.0.0.1:6640',

        [Parameter()]
        [ValidateRange(1, 600)]
        [System.UInt32]
        $TimeoutSeconds = 30
    )

    Assert-Argument -Text @($Name, $AdapterName, $Database)
    $tool = @{
        Path     = $ToolPath
        Database = $Database
        Second   = $TimeoutSeconds
    }

    if (-not (Test-Ready -Tool $tool))
    {
        return ($Ensure -eq 'Absent' -and -not (Test-Tool -Path $ToolPath))
    }

    $isThere = Test-Bridge -Bridge $Name -Tool $tool

    if ($Ensure -eq 'Absent')
    {
        return (-not $isThere)
    }

    if (-not $isThere)
    {
        Write-Verbose -Message ("There is no bridge called '{0}'." -f $Name)
        return $false
    }

    $adapters = @(Get-EveryAdapter)

    if ($PSBoundParameters.ContainsKey('AdapterName'))
    {
        if ((@(Get-Port -Bridge $Name -Tool $tool) -cnotcontains $AdapterName) -or
            ($null -eq (Select-Adapter -Name $AdapterName -Adapter $adapters)))
        {
            Write-Verbose -Message ("'{0}' is no port of '{1}', or no network adapter." -f $AdapterName, $Name)
            return $false
        }
    }

    if ($PSBoundParameters.ContainsKey('VlanId'))
    {
        $tag = Get-Tag -Bridge $Name -Tool $tool

        if ($tag -ne $VlanId)
        {
            Write-Verbose -Message ("The bridge '{0}' is in VLAN {1}." -f $Name, $tag)
            return $false
        }
    }

    $own = Select-Adapter -Name $Name -Adapter $adapters

    if ($null -eq $own)
    {
        Write-Verbose -Message ("The bridge '{0}' has no network adapter." -f $Name)
        return $false
    }

    Write-Verbose -Message ("The adapter of the bridge '{0}' is {1}." -f $Name, $own.Status)

    return ($own.Status.ToString() -ne 'Disabled')
}

<#
    .SYNOPSIS
        Makes the bridge, or mends what differs in it. Other ports stay.

    .PARAMETER Name
        Name of the bridge.

    .PARAMETER ToolPath
        Full path of ovs-vsctl.exe.

    .PARAMETER Ensure
        Whether there is such a bridge.

    .PARAMETER AdapterName
        Name of the physical network adapter that is a port of the bridge.

    .PARAMETER VlanId
        VLAN of the adapter the machine has on the bridge; 0 is untagged.

    .PARAMETER Database
        Where the database is.

    .PARAMETER TimeoutSeconds
        How long one call of ovs-vsctl.exe may take.
#>
function Set-TargetResource
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $Name,

        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $ToolPath,

        [Parameter()]
        [ValidateSet('Present', 'Absent')]
        [System.String]
        $Ensure = 'Present',

        [Parameter()]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $AdapterName,

        [Parameter()]
        [ValidateRange(0, 4094)]
        [System.UInt32]
        $VlanId,

        [Parameter()]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $Database = 'tcp:127.0.0.1:6640',

        [Parameter()]
        [ValidateRange(1, 600)]
        [System.UInt32]
        $TimeoutSeconds = 30
    )

    Assert-Argument -Text @($Name, $AdapterName, $Database)
    $tool = @{
        Path     = $ToolPath
        Database = $Database
        Second   = $TimeoutSeconds
    }

    Assert-Ready -Bridge $Name -Tool $tool

    if ($Ensure -eq 'Absent')
    {
        Remove-Bridge -Bridge $Name -Tool $tool -Desired $PSBoundParameters
        return
    }

    if ($PSBoundParameters.ContainsKey('AdapterName'))
    {
        Assert-Uplink -Bridge $Name -AdapterName $AdapterName -Tool $tool
    }

    Write-Verbose -Message ("Making the bridge '{0}', if it is not there." -f $Name)
    $null = Invoke-Checked -Tool $tool -Option @('--may-exist', 'add-br', $Name)

    if ($PSBoundParameters.ContainsKey('AdapterName'))
    {
        $null = Invoke-Checked -Tool $tool -Option @('--may-exist', 'add-port', $Name, $AdapterName)
    }

    if ($PSBoundParameters.ContainsKey('VlanId') -and ((Get-Tag -Bridge $Name -Tool $tool) -ne $VlanId))
    {
        Set-Tag -Bridge $Name -VlanId $VlanId -Tool $tool
    }

    Enable-OwnAdapter -Bridge $Name -Second $TimeoutSeconds
}

<#
    .SYNOPSIS
        Throws when a text would not reach the tool as it is, or would be an option there.

    .PARAMETER Text
        The texts; an empty one is none.
#>
function Assert-Argument
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String[]]
        $Text
    )

    foreach ($each in $Text)
    {
        if ($each -match '"|\A-|\\\z')
        {
            throw (New-ResourceError -Id 'NameMalformed' -Category 'InvalidArgument' -Target $each -Message (
                    ("'{0}' has a double quote, begins with a hyphen or ends with a backslash, and ovs-vsctl.exe " +
                    'would take it for something else.') -f $each))
        }
    }
}

<#
    .SYNOPSIS
        Tells whether the tool is there and the daemon runs, without which a call may never end.

    .PARAMETER Tool
        How the tool is called: its path, the database and the seconds.
#>
function Test-Ready
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Tool
    )

    if (-not (Test-Tool -Path $Tool['Path']))
    {
        Write-Verbose -Message ("There is no file '{0}'." -f $Tool['Path'])
        return $false
    }

    foreach ($name in $script:services)
    {
        if ((Get-ServiceStatus -Name $name) -ne 'Running')
        {
            Write-Verbose -Message ("The service '{0}' does not run." -f $name)
            return $false
        }
    }

    return $true
}

<#
    .SYNOPSIS
        Throws when the tool is missing, or a service does not run.

    .PARAMETER Bridge
        Name of the bridge.

    .PARAMETER Tool
        How the tool is called: its path, the database and the seconds.
#>
function Assert-Ready
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Bridge,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Tool
    )

    if (-not (Test-Tool -Path $Tool['Path']))
    {
        throw (New-ResourceError -Id 'ToolNotFound' -Category 'ObjectNotFound' -Target $Bridge -Message (
                "There is no file '{0}', so nobody can ask for the bridge '{1}'." -f $Tool['Path'], $Bridge))
    }

    foreach ($name in $script:services)
    {
        if ((Get-ServiceStatus -Name $name) -ne 'Running')
        {
            throw (New-ResourceError -Id 'ServiceNotRunning' -Category 'ResourceUnavailable' -Target $Bridge -Message (
                    ("The service '{0}' does not run, and ovs-vsctl.exe would wait for it for ever. The bridge '{1}' " +
                    'is left as it is.') -f $name, $Bridge))
        }
    }
}

<#
    .SYNOPSIS
        Throws when there is no adapter of the name, or it is a port of another bridge.

    .PARAMETER Bridge
        Name of the bridge.

    .PARAMETER AdapterName
        Name of the adapter.

    .PARAMETER Tool
        How the tool is called: its path, the database and the seconds.
#>
function Assert-Uplink
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Bridge,

        [Parameter(Mandatory = $true)]
        [System.String]
        $AdapterName,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Tool
    )

    $adapters = @(Get-EveryAdapter)

    if ($null -eq (Select-Adapter -Name $AdapterName -Adapter $adapters))
    {
        $others = @($adapters | ForEach-Object -Process { "'{0}'" -f $_.Name }) -join ', '

        throw (New-ResourceError -Id 'AdapterNotFound' -Category 'ObjectNotFound' -Target $Bridge -Message (
                ("No network adapter is called '{0}', and Open vSwitch knows adapters by their names alone. There " +
                'are: {1}') -f $AdapterName, $others))
    }

    foreach ($other in @(Get-Bridge -Tool $Tool))
    {
        if (($other -cne $Bridge) -and (@(Get-Port -Bridge $other -Tool $Tool) -ccontains $AdapterName))
        {
            throw (New-ResourceError -Id 'AdapterElsewhere' -Category 'ResourceBusy' -Target $Bridge -Message (
                    ("The adapter '{0}' is a port of the bridge '{1}', so the bridge '{2}' cannot have it. No port " +
                    'is removed here.') -f $AdapterName, $other, $Bridge))
        }
    }
}

<#
    .SYNOPSIS
        Removes the bridge when nothing but its adapter and links to other bridges are ports of it.

    .PARAMETER Bridge
        Name of the bridge.

    .PARAMETER Tool
        How the tool is called: its path, the database and the seconds.

    .PARAMETER Desired
        The bound parameters.
#>
function Remove-Bridge
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Bridge,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Tool,

        [Parameter(Mandatory = $true)]
        [System.Collections.IDictionary]
        $Desired
    )

    if (-not (Test-Bridge -Bridge $Bridge -Tool $Tool))
    {
        return
    }

    $others = @(
        foreach ($port in @(Get-Port -Bridge $Bridge -Tool $Tool))
        {
            if (($port -cne $Desired['AdapterName']) -and -not (Test-Patch -Port $port -Tool $Tool))
            {
                "'{0}'" -f $port
            }
        }
    )

    if ($others.Count -gt 0)
    {
        throw (New-ResourceError -Id 'BridgeInUse' -Category 'ResourceBusy' -Target $Bridge -Message (
                "The bridge '{0}' has ports that nobody asked to be removed: {1}." -f $Bridge, ($others -join ', ')))
    }

    Write-Verbose -Message ("Removing the bridge '{0}'." -f $Bridge)
    $null = Invoke-Checked -Tool $Tool -Option @('--if-exists', 'del-br', $Bridge)
}

<#
    .SYNOPSIS
        Hands out the names of all bridges.

    .PARAMETER Tool
        How the tool is called: its path, the database and the seconds.
#>
function Get-Bridge
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Tool
    )

    Invoke-Checked -Tool $Tool -Option @('list-br')
}

<#
    .SYNOPSIS
        Tells whether there is a bridge of this name. Upper and lower case differ.

    .PARAMETER Bridge
        Name of the bridge.

    .PARAMETER Tool
        How the tool is called: its path, the database and the seconds.
#>
function Test-Bridge
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Bridge,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Tool
    )

    return (@(Get-Bridge -Tool $Tool) -ccontains $Bridge)
}

<#
    .SYNOPSIS
        Hands out the names of the ports of a bridge, without its own.

    .PARAMETER Bridge
        Name of the bridge.

    .PARAMETER Tool
        How the tool is called: its path, the database and the seconds.
#>
function Get-Port
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Bridge,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Tool
    )

    Invoke-Checked -Tool $Tool -Option @('list-ports', $Bridge)
}

<#
    .SYNOPSIS
        Tells whether a port leads to another bridge and nowhere else.

    .PARAMETER Port
        Name of the port.

    .PARAMETER Tool
        How the tool is called: its path, the database and the seconds.
#>
function Test-Patch
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Port,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Tool
    )

    $kind = @(Invoke-Checked -Tool $Tool -Option @('--if-exists', 'get', 'interface', $Port, 'type')) -join ''

    return ($kind.Trim('"') -eq 'patch')
}

<#
    .SYNOPSIS
        Returns the VLAN of the own port of a bridge; 0 is none.

    .PARAMETER Bridge
        Name of the bridge.

    .PARAMETER Tool
        How the tool is called: its path, the database and the seconds.
#>
function Get-Tag
{
    [CmdletBinding()]
    [OutputType([System.UInt32])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Bridge,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Tool
    )

    $tag = @(Invoke-Checked -Tool $Tool -Option @('get', 'port', $Bridge, 'tag')) -join ''

    if ($tag -match '\A[0-9]+\z')
    {
        return [System.UInt32] $tag
    }

    return [System.UInt32] 0
}

<#
    .SYNOPSIS
        Puts the own port of a bridge into a VLAN, or with 0 into none.

    .PARAMETER Bridge
        Name of the bridge.

    .PARAMETER VlanId
        The VLAN.

    .PARAMETER Tool
        How the tool is called: its path, the database and the seconds.
#>
function Set-Tag
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Bridge,

        [Parameter(Mandatory = $true)]
        [System.UInt32]
        $VlanId,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Tool
    )

    Write-Verbose -Message ("Putting the bridge '{0}' into VLAN {1}." -f $Bridge, $VlanId)

    if ($VlanId -eq 0)
    {
        $null = Invoke-Checked -Tool $Tool -Option @('clear', 'port', $Bridge, 'tag')
    }
    else
    {
        $null = Invoke-Checked -Tool $Tool -Option @('set', 'port', $Bridge, ('tag={0}' -f $VlanId))
    }
}

<#
    .SYNOPSIS
        Waits for the adapter that has the name of the bridge, and enables it.

    .PARAMETER Bridge
        Name of the bridge.

    .PARAMETER Second
        How long to wait.
#>
function Enable-OwnAdapter
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Bridge,

        [Parameter(Mandatory = $true)]
        [System.UInt32]
        $Second
    )

    for ($waited = 0; $waited -le $Second; $waited++)
    {
        $own = Select-Adapter -Name $Bridge -Adapter @(Get-EveryAdapter)

        if ($null -ne $own)
        {
            if ($own.Status.ToString() -eq 'Disabled')
            {
                Write-Verbose -Message ("Enabling the network adapter '{0}'." -f $Bridge)
                Enable-Adapter -Name $Bridge
            }

            return
        }

        if ($waited -lt $Second)
        {
            Wait-Second -Second 1
        }
    }

    throw (New-ResourceError -Id 'BridgeWithoutAdapter' -Category 'InvalidResult' -Target $Bridge -Message (
            ("The bridge '{0}' is in the database, but Windows shows no network adapter of that name: the extension " +
            'of Open vSwitch is enabled on no virtual switch, or ovs-vswitchd has to be restarted.') -f $Bridge))
}

<#
    .SYNOPSIS
        Returns the adapter of a name; null for none.

    .PARAMETER Name
        The name.

    .PARAMETER Adapter
        All network adapters.
#>
function Select-Adapter
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Object[]]
        $Adapter
    )

    $found = @($Adapter | Where-Object -FilterScript { $_.Name -eq $Name })

    if ($found.Count -eq 0)
    {
        return $null
    }

    return $found[0]
}

<#
    .SYNOPSIS
        Runs the tool and hands out the lines it writes; throws when it fails or takes too long.

    .PARAMETER Tool
        How the tool is called: its path, the database and the seconds.

    .PARAMETER Option
        Its arguments, without the options of every call.
#>
function Invoke-Checked
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Tool,

        [Parameter(Mandatory = $true)]
        [System.String[]]
        $Option
    )

    $options = @(('--timeout={0}' -f $Tool['Second']), ('--db={0}' -f $Tool['Database'])) + $Option
    $answer = Invoke-Tool -Path $Tool['Path'] -Option $options -Second ($Tool['Second'] + 5)
    $called = $Option -join ' '

    if ($answer['TimedOut'])
    {
        throw (New-ResourceError -Id 'ToolHangs' -Category 'OperationTimeout' -Target $Tool['Path'] -Message (
                ("'ovs-vsctl.exe {0}' did not end within {1} seconds, and was ended. It waits for ovs-vswitchd: look " +
                'at the log of that service.') -f $called, $Tool['Second']))
    }

    if ($answer['ExitCode'] -ne 0)
    {
        throw (New-ResourceError -Id 'ToolFailed' -Category 'InvalidResult' -Target $Tool['Path'] -Message (
                "'ovs-vsctl.exe {0}' ended with {1}: {2}" -f $called, $answer['ExitCode'], $answer['Complaint']))
    }

    foreach ($line in $answer['Text'].Split("`n"))
    {
        if ($line.Trim() -ne '')
        {
            $line.Trim()
        }
    }
}

#region One call each

<#
    .SYNOPSIS
        Tells whether there is a file.

    .PARAMETER Path
        Its full path.
#>
function Test-Tool
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
        Returns the status of a service; nothing when there is none.

    .PARAMETER Name
        Name of the service.
#>
function Get-ServiceStatus
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name
    )

    # Not all services: one that Windows does not let be asked for would be an error.
    Get-Service -Name $Name -ErrorAction 'SilentlyContinue' | ForEach-Object -Process { $_.Status.ToString() }
}

<#
    .SYNOPSIS
        Hands out all network adapters.
#>
function Get-EveryAdapter
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param ()

    Get-NetAdapter -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Enables a network adapter.

    .PARAMETER Name
        Its name.
#>
function Enable-Adapter
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name
    )

    Enable-NetAdapter -Name $Name -Confirm:$false -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Waits.

    .PARAMETER Second
        How many seconds.
#>
function Wait-Second
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Int32]
        $Second
    )

    Start-Sleep -Seconds $Second
}

<#
    .SYNOPSIS
        Runs a program and returns ExitCode, Text, Complaint and TimedOut; it is ended when it takes too long.

    .PARAMETER Path
        Full path of the program.

    .PARAMETER Option
        Its arguments; they hold no double quotes.

    .PARAMETER Second
        How many seconds it has.
#>
function Invoke-Tool
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Path,

        [Parameter(Mandatory = $true)]
        [System.String[]]
        $Option,

        [Parameter(Mandatory = $true)]
        [System.UInt32]
        $Second
    )

    $start = New-Object -TypeName 'System.Diagnostics.ProcessStartInfo'
    $start.FileName = $Path
    $start.Arguments = @($Option | ForEach-Object -Process { '"{0}"' -f $_ }) -join ' '
    $start.UseShellExecute = $false
    $start.CreateNoWindow = $true
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    $process = [System.Diagnostics.Process]::Start($start)

    try
    {
        # Read while it runs: a program whose output nobody takes waits for ever.
        $text = $process.StandardOutput.ReadToEndAsync()
        $complaint = $process.StandardError.ReadToEndAsync()

        if (-not $process.WaitForExit([System.Int32] $Second * 1000))
        {
            $process.Kill()

            return @{
                ExitCode  = $null
                Text      = ''
                Complaint = ''
                TimedOut  = $true
            }
        }

        return @{
            ExitCode  = $process.ExitCode
            Text      = $text.Result
            Complaint = $complaint.Result.Trim()
            TimedOut  = $false
        }
    }
    finally
    {
        $process.Dispose()
    }
}

#endregion

Export-ModuleMember -Function 'Get-TargetResource', 'Test-TargetResource', 'Set-TargetResource'
