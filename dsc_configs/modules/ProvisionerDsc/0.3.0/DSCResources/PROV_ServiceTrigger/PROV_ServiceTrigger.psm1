<#
    Says which events start or stop a service.

    Every call of a cmdlet, a program or .NET that touches the machine stands alone in a small private function, so
    that the logic above it can be run with these functions replaced. This module has been parsed, but has not run on
    Windows.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

$script:moduleFolder = Split-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -Parent
Import-Module -Name (Join-Path -Path $script:moduleFolder -ChildPath 'Modules/ProvisionerDsc.Common')

# Triggers without data: the words of sc.exe, with SERVICE_TRIGGER_TYPE and the subtype that Windows keeps for each.
$script:simpleTriggers = @{
    'networkon'   = '2/4f27f2de-14e2-430b-a549-7cd48cbc8245'
    'networkoff'  = '2/cc4ba62a-162e-4648-847a-b6bdf993e335'
    'domainjoin'  = '3/1ce20aba-9851-4421-9430-1ddeb766e809'
    'domainleave' = '3/ddaf516e-58c2-4866-9574-c3b615d42ea1'
}

# SERVICE_TRIGGER_TYPE_CUSTOM, whose subtype is the provider of an event, and the type of its data that is text.
$script:customType = 20
$script:textData = 2
$script:guid = '[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}'

<#
    .SYNOPSIS
        Returns the triggers of the service.

    .PARAMETER ServiceName
        Name of the service.

    .PARAMETER Triggers
        The triggers, each as sc.exe writes it; none takes all triggers away.
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
        $Triggers
    )

    return @{
        ServiceName = $ServiceName
        Triggers    = [System.String[]] @(Get-Trigger -ServiceName $ServiceName)
    }
}

<#
    .SYNOPSIS
        Tells whether the service has exactly these triggers, in any order.

    .PARAMETER ServiceName
        Name of the service.

    .PARAMETER Triggers
        The triggers, each as sc.exe writes it; none takes all triggers away.
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
        $Triggers
    )

    Assert-Trigger -Triggers @($Triggers)

    if (-not (Test-ServiceKey -ServiceName $ServiceName))
    {
        Write-Verbose -Message ("There is no service named '{0}'." -f $ServiceName)
        return $false
    }

    $found = @(Get-Trigger -ServiceName $ServiceName | Sort-Object) -join ' '
    $wanted = @($Triggers | Sort-Object) -join ' '
    Write-Verbose -Message ("Service '{0}' has the triggers '{1}'." -f $ServiceName, $found)

    return ($found -eq $wanted)
}

<#
    .SYNOPSIS
        Gives the service exactly these triggers, and reads them back.

    .PARAMETER ServiceName
        Name of the service.

    .PARAMETER Triggers
        The triggers, each as sc.exe writes it; none takes all triggers away.
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
        $Triggers
    )

    Assert-Trigger -Triggers @($Triggers)
    Assert-Service -ServiceName $ServiceName

    if ($Triggers.Count -eq 0)
    {
        # sc.exe fails where there is nothing to delete.
        if (@(Get-Trigger -ServiceName $ServiceName).Count -eq 0)
        {
            return
        }

        $options = @('triggerinfo', $ServiceName, 'delete')
    }
    else
    {
        $options = @('triggerinfo', $ServiceName) + @($Triggers)
    }

    Write-Verbose -Message ("Service '{0}': setting the triggers '{1}'." -f $ServiceName, ($Triggers -join ' '))
    $answer = Invoke-ServiceControl -Option $options

    if ($answer.ExitCode -ne 0)
    {
        throw (New-ResourceError -Id 'ServiceControlFailed' -Category 'InvalidResult' -Target $ServiceName -Message (
                "sc.exe ended with {0} for '{1}': {2}" -f $answer.ExitCode, $ServiceName, $answer.Text))
    }

    if (-not (Test-TargetResource @PSBoundParameters))
    {
        throw (New-ResourceError -Id 'TriggersNotApplied' -Category 'InvalidResult' -Target $ServiceName -Message (
                "sc.exe reported success, but the registry says that '{0}' has the triggers '{1}'." -f
                $ServiceName, (@(Get-Trigger -ServiceName $ServiceName) -join ' ')))
    }
}

<#
    .SYNOPSIS
        Hands out the triggers of a service as sc.exe writes them; one of another kind as type/N/GUID.

    .PARAMETER ServiceName
        Name of the service.
#>
function Get-Trigger
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $ServiceName
    )

    foreach ($key in @(Get-TriggerKey -ServiceName $ServiceName))
    {
        $type = [System.Int32] (Read-RegistryValue -Key $key -Name 'Type')
        $subtype = ConvertTo-GuidText -Bytes ([System.Byte[]] @(Read-RegistryValue -Key $key -Name 'GUID'))
        $action = 'start'

        if (([System.Int32] (Read-RegistryValue -Key $key -Name 'Action')) -eq 2)
        {
            $action = 'stop'
        }

        $words = @($script:simpleTriggers.Keys | Where-Object -FilterScript {
                $script:simpleTriggers[$_] -eq ('{0}/{1}' -f $type, $subtype) })

        if ($words.Count -eq 1)
        {
            '{0}/{1}' -f $action, $words[0]
            continue
        }

        $dataType = [System.Int32] (Read-RegistryValue -Key $key -Name 'DataType0')

        if ($type -eq $script:customType -and $dataType -eq $script:textData)
        {
            $data = [System.Byte[]] @(Read-RegistryValue -Key $key -Name 'Data0')
            '{0}/strcustom/{1}/{2}' -f $action, $subtype, (ConvertTo-DataText -Bytes $data)
            continue
        }

        '{0}/type/{1}/{2}' -f $action, $type, $subtype
    }
}

<#
    .SYNOPSIS
        Returns 16 bytes of the registry as a GUID without braces.

    .PARAMETER Bytes
        The bytes.
#>
function ConvertTo-GuidText
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Byte[]]
        $Bytes
    )

    if ($Bytes.Count -ne 16)
    {
        return ''
    }

    $order = @(3, 2, 1, 0, -1, 5, 4, -1, 7, 6, -1, 8, 9, -1, 10, 11, 12, 13, 14, 15)
    $text = ''

    foreach ($index in $order)
    {
        if ($index -lt 0)
        {
            $text += '-'
        }
        else
        {
            $text += '{0:x2}' -f $Bytes[$index]
        }
    }

    return $text
}

<#
    .SYNOPSIS
        Returns bytes of UTF-16 as text, without the zeros at its end.

    .PARAMETER Bytes
        The bytes.
#>
function ConvertTo-DataText
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.Byte[]]
        $Bytes
    )

    $text = ''

    for ($index = 0; $index + 1 -lt $Bytes.Count; $index += 2)
    {
        $code = $Bytes[$index] + 256 * $Bytes[$index + 1]

        if ($code -ne 0)
        {
            $text += [System.Char] $code
        }
    }

    return $text
}

<#
    .SYNOPSIS
        Throws when something is no trigger that this resource knows, or comes twice.

    .PARAMETER Triggers
        The triggers.
#>
function Assert-Trigger
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [System.String[]]
        $Triggers
    )

    $simple = $script:simpleTriggers.Keys -join '|'
    $seen = @{}

    foreach ($trigger in $Triggers)
    {
        $isSimple = $trigger -match ('\A(start|stop)/({0})\z' -f $simple)
        $isCustom = $trigger -match ('\A(start|stop)/strcustom/{0}/[A-Za-z0-9_.-]+\z' -f $script:guid)

        if (-not ($isSimple -or $isCustom))
        {
            throw (New-ResourceError -Id 'TriggerMalformed' -Category 'InvalidArgument' -Target $trigger -Message (
                    ("'{0}' is no trigger: write start/ or stop/ and networkon, networkoff, domainjoin, " +
                        'domainleave or strcustom/GUID/DATA.') -f $trigger))
        }

        if ($seen.ContainsKey($trigger))
        {
            throw (New-ResourceError -Id 'TriggerTwice' -Category 'InvalidArgument' -Target $trigger -Message (
                    "The trigger '{0}' is given twice." -f $trigger))
        }

        $seen[$trigger] = $true
    }
}

<#
    .SYNOPSIS
        Throws when there is no service of this name.

    .PARAMETER ServiceName
        Name of the service.
#>
function Assert-Service
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $ServiceName
    )

    if (-not (Test-ServiceKey -ServiceName $ServiceName))
    {
        throw (New-ResourceError -Id 'ServiceNotFound' -Category 'ObjectNotFound' -Target $ServiceName -Message (
                "There is no service named '{0}'." -f $ServiceName))
    }
}

#region One call each

<#
    .SYNOPSIS
        Hands out the keys of the triggers of a service, in the order of their numbers.

    .PARAMETER ServiceName
        Name of the service.
#>
function Get-TriggerKey
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $ServiceName
    )

    $parent = "SYSTEM\CurrentControlSet\Services\$ServiceName\TriggerInfo"
    $key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey($parent)

    if ($null -eq $key)
    {
        return
    }

    try
    {
        foreach ($name in @($key.GetSubKeyNames() | Sort-Object))
        {
            '{0}\{1}' -f $parent, $name
        }
    }
    finally
    {
        $key.Dispose()
    }
}

<#
    .SYNOPSIS
        Hands out the data of a value below HKEY_LOCAL_MACHINE, bytes one by one; nothing when it or its key is
        missing.

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

    [Microsoft.Win32.Registry]::GetValue("HKEY_LOCAL_MACHINE\$Key", $Name, $null)
}

<#
    .SYNOPSIS
        Tells whether there is a service of this name.

    .PARAMETER ServiceName
        Name of the service.
#>
function Test-ServiceKey
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $ServiceName
    )

    return Test-Path -LiteralPath "Registry::HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\$ServiceName"
}

<#
    .SYNOPSIS
        Runs sc.exe; returns ExitCode and Text.

    .PARAMETER Option
        Its arguments. An empty one is passed as such.
#>
function Invoke-ServiceControl
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String[]]
        $Option
    )

    $words = @($Option | ForEach-Object -Process { if ($_ -eq '') { '""' } else { $_ } })
    $text = @(& 'sc.exe' $words) -join ' '

    return @{
        ExitCode = $LASTEXITCODE
        Text     = $text
    }
}

#endregion

Export-ModuleMember -Function 'Get-TargetResource', 'Test-TargetResource', 'Set-TargetResource'
