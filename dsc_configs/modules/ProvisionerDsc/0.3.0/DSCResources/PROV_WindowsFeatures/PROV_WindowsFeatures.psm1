<#
    Installs several Windows features in one servicing call, so that a node boots once for all of them.

    Every call of a cmdlet that touches the machine stands alone in a small private function, so that the logic above
    it can be run with these functions replaced. This module has been parsed, but has not run on Windows.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

$script:moduleFolder = Split-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -Parent
Import-Module -Name (Join-Path -Path $script:moduleFolder -ChildPath 'Modules/ProvisionerDsc.Common')

# How many near names the error about an unknown feature gives. A third of the letters may differ, but no more
# than four.
$script:nearNameCount = 3
$script:nearNameDistance = 4

<#
    .SYNOPSIS
        Returns which features are installed on the node.

    .DESCRIPTION
        Present holds the names of all features that are installed, in the order of Get-WindowsFeature. What a
        restart is still needed for is not among them. The other properties say how to install and are null.

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

    $installed = @()

    foreach ($feature in @(Read-Feature))
    {
        if ((Get-FeatureState -Feature $feature) -eq 'Installed')
        {
            $installed += [System.String] $feature.Name
        }
    }

    return @{
        IsSingleInstance       = $IsSingleInstance
        Present                = [System.String[]] $installed
        Absent                 = $null
        IncludeManagementTools = $null
        Source                 = $null
    }
}

<#
    .SYNOPSIS
        Tells whether all features of Present are installed and none of Absent is.

    .PARAMETER IsSingleInstance
        Always Yes.

    .PARAMETER Present
        Names of the features that are installed.

    .PARAMETER Absent
        Names of the features that are not installed.

    .PARAMETER IncludeManagementTools
        Whether management tools are installed together with a feature. Not compared.

    .PARAMETER Source
        Where the files of removed features lie. Not compared.
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
        [AllowEmptyCollection()]
        [System.String[]]
        $Present = @(),

        [Parameter()]
        [AllowEmptyCollection()]
        [System.String[]]
        $Absent = @(),

        [Parameter()]
        [System.Boolean]
        $IncludeManagementTools = $false,

        [Parameter()]
        [System.String]
        $Source
    )

    $plan = New-FeaturePlan -Present @($Present) -Absent @($Absent)

    if ($plan.Install.Count -gt 0)
    {
        Write-Verbose -Message ('Features to install: {0}.' -f ($plan.Install -join ', '))
    }

    if ($plan.Uninstall.Count -gt 0)
    {
        Write-Verbose -Message ('Features to remove: {0}.' -f ($plan.Uninstall -join ', '))
    }

    if ($plan.Pending.Count -gt 0)
    {
        Write-Verbose -Message ('Features that wait for a restart: {0}.' -f ($plan.Pending -join ', '))
    }

    return ($plan.Install.Count + $plan.Uninstall.Count + $plan.Pending.Count) -eq 0
}

<#
    .SYNOPSIS
        Installs what is missing in one call, then removes what should not be there in one call.

    .PARAMETER IsSingleInstance
        Always Yes.

    .PARAMETER Present
        Names of the features that are installed.

    .PARAMETER Absent
        Names of the features that are not installed.

    .PARAMETER IncludeManagementTools
        Whether management tools are installed together with a feature.

    .PARAMETER Source
        Where the files of removed features lie.
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
        [AllowEmptyCollection()]
        [System.String[]]
        $Present = @(),

        [Parameter()]
        [AllowEmptyCollection()]
        [System.String[]]
        $Absent = @(),

        [Parameter()]
        [System.Boolean]
        $IncludeManagementTools = $false,

        [Parameter()]
        [System.String]
        $Source
    )

    $plan = New-FeaturePlan -Present @($Present) -Absent @($Absent)
    $needsRestart = $plan.Pending.Count -gt 0

    try
    {
        if ($plan.Install.Count -gt 0)
        {
            $wanted = @{
                Plan                   = $plan
                IncludeManagementTools = $IncludeManagementTools
                Source                 = $Source
            }
            $needsRestart = (Install-MissingFeature @wanted) -or $needsRestart
        }

        if ($plan.Uninstall.Count -gt 0)
        {
            Write-Verbose -Message ('Removing {0}.' -f ($plan.Uninstall -join ', '))
            $result = Uninstall-Feature -Name ([System.String[]] $plan.Uninstall)
            Assert-Success -Result $result -Id 'FeatureRemovalFailed' -Verb 'remove' -Name $plan.Uninstall
            $needsRestart = $needsRestart -or ([System.String] $result.RestartNeeded) -eq 'Yes'
        }
    }
    catch
    {
        if (-not $needsRestart)
        {
            throw
        }

        # Windows may refuse every change while it waits for a restart, so what fails now is tried again after it.
        Write-Verbose -Message ('What is left waits for the run after the restart: {0}' -f $_.Exception.Message)
    }

    if ($needsRestart)
    {
        Write-Verbose -Message 'The node has to be restarted.'
        Request-Restart
    }
}

<#
    .SYNOPSIS
        Installs the missing features in one call; tells whether Windows asks for a restart.

    .PARAMETER Plan
        What New-FeaturePlan gave.

    .PARAMETER IncludeManagementTools
        Whether management tools are installed together with a feature.

    .PARAMETER Source
        Where the files of removed features lie; empty when Windows is to find them.
#>
function Install-MissingFeature
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Plan,

        [Parameter(Mandatory = $true)]
        [System.Boolean]
        $IncludeManagementTools,

        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String]
        $Source
    )

    Write-Verbose -Message ('Installing {0}.' -f ($Plan.Install -join ', '))
    $arguments = @{
        Name                   = [System.String[]] $Plan.Install
        IncludeManagementTools = $IncludeManagementTools
    }

    if ($Source -ne '')
    {
        $arguments['Source'] = $Source
    }

    try
    {
        $result = Install-Feature @arguments
        Assert-Success -Result $result -Id 'FeatureInstallFailed' -Verb 'install' -Name $Plan.Install
    }
    catch
    {
        if ($Plan.WithoutFile.Count -eq 0 -or $Source -ne '')
        {
            throw
        }

        $names = $Plan.WithoutFile -join ', '
        $message = ('The files of {0} were removed from this node, and Windows found them nowhere else. ' +
            'Give their folder as Source. {1}') -f $names, $_.Exception.Message
        $exception = New-Object -TypeName 'System.InvalidOperationException' -ArgumentList @($message, $_.Exception)

        throw (New-ResourceError -Id 'FeatureSourceNeeded' -Category 'ObjectNotFound' -Target $names -Message (
                $message) -Exception $exception)
    }

    return (([System.String] $result.RestartNeeded) -eq 'Yes')
}

<#
    .SYNOPSIS
        Compares the lists with the node and tells what is to be done.

    .DESCRIPTION
        Returns a table: Install and Uninstall are names to hand to the cmdlets, Pending those that only a restart
        can finish, WithoutFile those of Install whose files are not on the node. Nothing is asked of Windows when
        both lists are empty.

    .PARAMETER Present
        Names of the features that are installed.

    .PARAMETER Absent
        Names of the features that are not installed.
#>
function New-FeaturePlan
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [System.String[]]
        $Present,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [System.String[]]
        $Absent
    )

    $plan = @{
        Install     = @()
        Uninstall   = @()
        Pending     = @()
        WithoutFile = @()
    }

    if (($Present.Count + $Absent.Count) -eq 0)
    {
        return $plan
    }

    Assert-ListsApart -Present $Present -Absent $Absent

    # A hashtable literal compares its keys without regard to case, as Windows compares names of features.
    $features = @{}

    foreach ($feature in @(Read-Feature))
    {
        $features[[System.String] $feature.Name] = $feature
    }

    Assert-FeatureKnown -Name @($Present + $Absent) -Known $features
    Assert-FeatureUnneeded -Present $Present -Absent $Absent -Known $features

    foreach ($name in @(Get-DistinctName -Name $Present))
    {
        $state = Get-FeatureState -Feature $features[$name]

        if ($state -in @('InstallPending', 'UninstallPending'))
        {
            # What waits to be removed can be installed again only after the restart.
            $plan.Pending += $name
        }
        elseif ($state -ne 'Installed')
        {
            $plan.Install += $name

            if ($state -eq 'Removed')
            {
                $plan.WithoutFile += $name
            }
        }
    }

    foreach ($name in @(Get-DistinctName -Name $Absent))
    {
        $state = Get-FeatureState -Feature $features[$name]

        if ($state -eq 'UninstallPending')
        {
            $plan.Pending += $name
        }
        elseif ($state -notin @('Available', 'Removed'))
        {
            $plan.Uninstall += $name
        }
    }

    return $plan
}

<#
    .SYNOPSIS
        Hands out names without those that came before, upper and lower case alike.

    .PARAMETER Name
        The names.
#>
function Get-DistinctName
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [System.String[]]
        $Name
    )

    $seen = @{}

    foreach ($item in $Name)
    {
        if (-not $seen.ContainsKey($item))
        {
            $seen[$item] = $true
            $item
        }
    }
}

<#
    .SYNOPSIS
        Returns the state of a feature: Installed, Available, Removed, InstallPending or UninstallPending.

    .PARAMETER Feature
        What Get-WindowsFeature gave.
#>
function Get-FeatureState
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Feature
    )

    return [System.String] $Feature.InstallState
}

<#
    .SYNOPSIS
        Throws when a feature is to be there and not to be there.

    .PARAMETER Present
        Names of the features that are installed.

    .PARAMETER Absent
        Names of the features that are not installed.
#>
function Assert-ListsApart
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [System.String[]]
        $Present,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [System.String[]]
        $Absent
    )

    $both = @(Get-DistinctName -Name @($Present | Where-Object -FilterScript { $_ -in $Absent }))

    if ($both.Count -gt 0)
    {
        $names = $both -join ', '

        throw (New-ResourceError -Id 'FeatureInBothLists' -Category 'InvalidArgument' -Target $names -Message (
                'Present and Absent both name {0}.' -f $names))
    }
}

<#
    .SYNOPSIS
        Throws when Windows does not know a feature; the error gives the names that are nearest to it.

    .PARAMETER Name
        The names to look up.

    .PARAMETER Known
        The features of this Windows by name.
#>
function Assert-FeatureKnown
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [System.String[]]
        $Name,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Known
    )

    $unknown = @(Get-DistinctName -Name $Name | Where-Object -FilterScript { -not $Known.ContainsKey($_) })

    if ($unknown.Count -eq 0)
    {
        return
    }

    $parts = @()

    foreach ($item in $unknown)
    {
        $near = @(Get-NearName -Name $item -Known @($Known.Keys))
        $part = "'{0}'" -f $item

        if ($near.Count -gt 0)
        {
            $part += ' (near: {0})' -f ($near -join ', ')
        }

        $parts += $part
    }

    throw (New-ResourceError -Id 'FeatureUnknown' -Category 'ObjectNotFound' -Target ($unknown -join ', ') -Message (
            'This Windows ({0}) has no feature named {1}.' -f (Get-WindowsName), ($parts -join ', ')))
}

<#
    .SYNOPSIS
        Hands out the names that differ from a name in the fewest letters, the nearest first.

    .PARAMETER Name
        The name nobody knows.

    .PARAMETER Known
        The names that are known.
#>
function Get-NearName
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String]
        $Name,

        [Parameter(Mandatory = $true)]
        [System.String[]]
        $Known
    )

    $limit = [System.Math]::Min($script:nearNameDistance, [System.Math]::Max(1, [System.Math]::Floor($Name.Length / 3)))
    $near = @()

    foreach ($item in $Known)
    {
        $distance = Get-EditDistance -First $Name.ToUpperInvariant() -Second $item.ToUpperInvariant()

        if ($distance -le $limit)
        {
            $near += [PSCustomObject] @{
                Name     = $item
                Distance = $distance
            }
        }
    }

    $sorted = @($near | Sort-Object -Property 'Distance', 'Name')

    foreach ($item in @($sorted | Select-Object -First $script:nearNameCount))
    {
        $item.Name
    }
}

<#
    .SYNOPSIS
        Returns how many letters have to be changed, added or taken away to make one text of another (Levenshtein).

    .PARAMETER First
        A text.

    .PARAMETER Second
        Another text.
#>
function Get-EditDistance
{
    [CmdletBinding()]
    [OutputType([System.Int32])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String]
        $First,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Second
    )

    # The difference in length alone is already more than would be called near.
    if ([System.Math]::Abs($First.Length - $Second.Length) -gt $script:nearNameDistance)
    {
        return [System.Math]::Abs($First.Length - $Second.Length)
    }

    $previous = @(0..$Second.Length)

    for ($row = 1; $row -le $First.Length; $row++)
    {
        $current = @($row)

        for ($column = 1; $column -le $Second.Length; $column++)
        {
            $cost = [System.Int32] ($First[$row - 1] -ne $Second[$column - 1])
            $change = [System.Math]::Min($previous[$column] + 1, $current[$column - 1] + 1)
            $current += [System.Math]::Min($change, $previous[$column - 1] + $cost)
        }

        $previous = $current
    }

    return $previous[$Second.Length]
}

<#
    .SYNOPSIS
        Throws when a feature that is not to be there is needed by one that is.

    .DESCRIPTION
        Uninstall-WindowsFeature would take what depends on the feature away with it, and the next run would bring
        both back.

    .PARAMETER Present
        Names of the features that are installed.

    .PARAMETER Absent
        Names of the features that are not installed.

    .PARAMETER Known
        The features of this Windows by name.
#>
function Assert-FeatureUnneeded
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.String[]]
        $Present,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [System.String[]]
        $Absent,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Known
    )

    if ($Absent.Count -eq 0)
    {
        return
    }

    foreach ($name in $Present)
    {
        $needed = @(Get-NeededName -Name $name -Known $Known)
        $lost = @($needed | Where-Object -FilterScript { $_ -in $Absent })

        if ($lost.Count -gt 0)
        {
            throw (New-ResourceError -Id 'FeatureNeeded' -Category 'InvalidArgument' -Target $lost[0] -Message (
                    "Absent names '{0}', which '{1}' of Present needs." -f $lost[0], $name))
        }
    }
}

<#
    .SYNOPSIS
        Hands out the names of all features that one feature needs: those it depends on and those it is a part of,
        theirs too.

    .PARAMETER Name
        The feature.

    .PARAMETER Known
        The features of this Windows by name.
#>
function Get-NeededName
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Known
    )

    $waiting = @($Name)
    $seen = @{
        $Name = $true
    }

    for ($index = 0; $index -lt $waiting.Count; $index++)
    {
        $feature = $Known[$waiting[$index]]

        foreach ($needed in (@($feature.DependsOn) + @($feature.Parent)))
        {
            # What a feature depends on may be a server component, which is no feature and cannot be removed.
            if ($needed -and $Known.ContainsKey($needed) -and -not $seen.ContainsKey($needed))
            {
                $seen[$needed] = $true
                $waiting += $needed
                $needed
            }
        }
    }
}

<#
    .SYNOPSIS
        Throws when a servicing call did not succeed.

    .PARAMETER Result
        What the cmdlet gave.

    .PARAMETER Id
        Id of the error.

    .PARAMETER Verb
        What was tried: install or remove.

    .PARAMETER Name
        The features.
#>
function Assert-Success
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowNull()]
        [System.Object]
        $Result,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Id,

        [Parameter(Mandatory = $true)]
        [System.String]
        $Verb,

        [Parameter(Mandatory = $true)]
        [System.String[]]
        $Name
    )

    if ($null -eq $Result -or -not $Result.Success)
    {
        throw (New-ResourceError -Id $Id -Category 'InvalidResult' -Target ($Name -join ', ') -Message (
                'Windows did not {0} {1}.' -f $Verb, ($Name -join ', ')))
    }
}

#region One call each

<#
    .SYNOPSIS
        Hands out all features of this Windows with their states.
#>
function Read-Feature
{
    [CmdletBinding()]
    param ()

    Get-WindowsFeature -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Installs features with what they need, without restarting.

    .PARAMETER Name
        Names of the features.

    .PARAMETER IncludeManagementTools
        Whether their management tools are installed too.

    .PARAMETER Source
        Where the files of removed features lie.
#>
function Install-Feature
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String[]]
        $Name,

        [Parameter(Mandatory = $true)]
        [System.Boolean]
        $IncludeManagementTools,

        [Parameter()]
        [System.String]
        $Source
    )

    $options = @{
        Name                   = $Name
        IncludeManagementTools = $IncludeManagementTools
    }

    if ($PSBoundParameters.ContainsKey('Source'))
    {
        $options['Source'] = $Source
    }

    return Install-WindowsFeature @options -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Removes features with what depends on them, without restarting. Their files stay on the node.

    .PARAMETER Name
        Names of the features.
#>
function Uninstall-Feature
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String[]]
        $Name
    )

    return Uninstall-WindowsFeature -Name $Name -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Returns how Windows calls itself, for example Microsoft Windows Server 2022 Datacenter.
#>
function Get-WindowsName
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param ()

    return [System.String] (Get-CimInstance -ClassName 'Win32_OperatingSystem' -ErrorAction 'Stop').Caption
}

<#
    .SYNOPSIS
        Asks the Local Configuration Manager for a restart.
#>
function Request-Restart
{
    [CmdletBinding()]
    [System.Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSAvoidGlobalVars', '',
        Justification = 'The Local Configuration Manager reads this variable.')]
    [System.Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSUseDeclaredVarsMoreThanAssignments', '',
        Justification = 'The Local Configuration Manager reads this variable.')]
    param ()

    $global:DSCMachineStatus = 1
}

#endregion

Export-ModuleMember -Function 'Get-TargetResource', 'Test-TargetResource', 'Set-TargetResource'
