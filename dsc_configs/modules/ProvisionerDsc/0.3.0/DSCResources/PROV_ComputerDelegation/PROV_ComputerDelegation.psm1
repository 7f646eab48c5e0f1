<#
    Constrained delegation of a computer account in Active Directory: to which services of other computers it may hand
    on who asked it. Live migration needs it from every host to every other one.

    Every cmdlet that touches the machine or the directory stands alone in a small private function, so that the logic
    above it can be run with these functions replaced. This module has been parsed, but has not run on Windows.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

$script:moduleFolder = Split-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -Parent
Import-Module -Name (Join-Path -Path $script:moduleFolder -ChildPath 'Modules/ProvisionerDsc.Common')

# Services whose entries are managed: copying files of a machine that moves, and moving its memory.
$script:migrationServices = @('cifs', 'Microsoft Virtual System Migration Service')
$script:listAttribute = 'msDS-AllowedToDelegateTo'

<#
    .SYNOPSIS
        Returns to what the account may delegate, entries of all services.

    .PARAMETER ComputerName
        Name of the computer account, without a dollar sign.

    .PARAMETER Credential
        Who reads and writes the account. Left out, the machine itself, which by default may not set delegation.

    .PARAMETER DomainController
        The domain controller to ask. Left out, one that Windows chooses.
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
        $ComputerName,

        [Parameter()]
        [System.Management.Automation.PSCredential]
        $Credential,

        [Parameter()]
        [System.String]
        $DomainController
    )

    Assert-Directory

    $connection = New-Connection -Properties $PSBoundParameters
    $account = Read-Account -ComputerName $ComputerName -Connection $connection
    $entries = @(Get-Entry -Account $account | Sort-Object)
    $services = @($entries | ForEach-Object -Process { Get-ServiceName -Entry $_ })
    $ensure = 'Absent'

    if (@($services | Where-Object -FilterScript { $script:migrationServices -contains $_ }).Count -gt 0)
    {
        $ensure = 'Present'
    }

    return @{
        ComputerName          = $ComputerName
        Ensure                = $ensure
        Hosts                 = $null
        DomainName            = $null
        ServicePrincipalNames = [System.String[]] $entries
        AnyProtocol           = [System.Boolean] $account.TrustedToAuthForDelegation
        Credential            = $null
        DomainController      = $null
    }
}

<#
    .SYNOPSIS
        Tells whether the account may delegate to exactly what is wanted, entries of other services left aside.

    .PARAMETER ComputerName
        Name of the computer account, without a dollar sign.

    .PARAMETER Ensure
        Present (default): the account may delegate to exactly these entries of the managed services. Absent: to none
        of them.

    .PARAMETER Hosts
        Computers to which virtual machines migrate, short or fully qualified. Each gives four entries: cifs and
        Microsoft Virtual System Migration Service, with its short and its full name. The account itself is left out.

    .PARAMETER DomainName
        DNS name of the domain of short names in Hosts. Left out, that of the account.

    .PARAMETER ServicePrincipalNames
        The entries themselves, as service/host, instead of Hosts.

    .PARAMETER AnyProtocol
        Whether the account may delegate for who came by another protocol than Kerberos (TrustedToAuthForDelegation).
        Live migration needs it on Windows Server 2016 and later.

    .PARAMETER Credential
        Who reads and writes the account. Left out, the machine itself, which by default may not set delegation.

    .PARAMETER DomainController
        The domain controller to ask. Left out, one that Windows chooses.
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
        $ComputerName,

        [Parameter()]
        [ValidateSet('Present', 'Absent')]
        [System.String]
        $Ensure = 'Present',

        [Parameter()]
        [ValidateNotNullOrEmpty()]
        [System.String[]]
        $Hosts,

        [Parameter()]
        [System.String]
        $DomainName,

        [Parameter()]
        [ValidateNotNullOrEmpty()]
        [System.String[]]
        $ServicePrincipalNames,

        [Parameter()]
        [System.Boolean]
        $AnyProtocol,

        [Parameter()]
        [System.Management.Automation.PSCredential]
        $Credential,

        [Parameter()]
        [System.String]
        $DomainController
    )

    Assert-Wish -Properties $PSBoundParameters

    if (-not (Test-DirectoryModule) -or -not (Test-DomainMembership))
    {
        Write-Verbose -Message 'The module ActiveDirectory is missing, or the machine has not joined a domain yet.'
        return $false
    }

    $account = Find-Account -ComputerName $ComputerName -Connection (New-Connection -Properties $PSBoundParameters)

    if ($null -eq $account)
    {
        Write-Verbose -Message ('The domain has no computer account {0}.' -f $ComputerName)
        return $Ensure -eq 'Absent'
    }

    $change = Get-Change -Account $account -Properties $PSBoundParameters

    Write-Verbose -Message ('Entries of {0} to add: {1}. To remove: {2}. Flag to set: {3}.' -f
        $ComputerName, ($change['Add'] -join ', '), ($change['Remove'] -join ', '), $change['AnyProtocol'])

    return $change['Add'].Count -eq 0 -and $change['Remove'].Count -eq 0 -and $null -eq $change['AnyProtocol']
}

<#
    .SYNOPSIS
        Changes the list of the account, and its flag.

    .DESCRIPTION
        New entries are added before old ones are removed. The change counts once it has come to the domain controller
        a host asks, and for tickets a host gets from then on.

    .PARAMETER ComputerName
        Name of the computer account, without a dollar sign.

    .PARAMETER Ensure
        Present (default): the account may delegate to exactly these entries of the managed services. Absent: to none
        of them.

    .PARAMETER Hosts
        Computers to which virtual machines migrate, short or fully qualified. Each gives four entries: cifs and
        Microsoft Virtual System Migration Service, with its short and its full name. The account itself is left out.

    .PARAMETER DomainName
        DNS name of the domain of short names in Hosts. Left out, that of the account.

    .PARAMETER ServicePrincipalNames
        The entries themselves, as service/host, instead of Hosts.

    .PARAMETER AnyProtocol
        Whether the account may delegate for who came by another protocol than Kerberos (TrustedToAuthForDelegation).
        Live migration needs it on Windows Server 2016 and later.

    .PARAMETER Credential
        Who reads and writes the account. Left out, the machine itself, which by default may not set delegation.

    .PARAMETER DomainController
        The domain controller to ask. Left out, one that Windows chooses.
#>
function Set-TargetResource
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $ComputerName,

        [Parameter()]
        [ValidateSet('Present', 'Absent')]
        [System.String]
        $Ensure = 'Present',

        [Parameter()]
        [ValidateNotNullOrEmpty()]
        [System.String[]]
        $Hosts,

        [Parameter()]
        [System.String]
        $DomainName,

        [Parameter()]
        [ValidateNotNullOrEmpty()]
        [System.String[]]
        $ServicePrincipalNames,

        [Parameter()]
        [System.Boolean]
        $AnyProtocol,

        [Parameter()]
        [System.Management.Automation.PSCredential]
        $Credential,

        [Parameter()]
        [System.String]
        $DomainController
    )

    Assert-Wish -Properties $PSBoundParameters
    Assert-Directory

    $connection = New-Connection -Properties $PSBoundParameters
    $account = Read-Account -ComputerName $ComputerName -Connection $connection
    $change = Get-Change -Account $account -Properties $PSBoundParameters

    try
    {
        if ($change['Add'].Count -gt 0)
        {
            Write-Verbose -Message ('Adding to {0}: {1}.' -f $ComputerName, ($change['Add'] -join ', '))
            Add-Entry -Identity $change['Identity'] -Entries $change['Add'] -Connection $connection
        }

        if ($change['Remove'].Count -gt 0)
        {
            Write-Verbose -Message ('Removing from {0}: {1}.' -f $ComputerName, ($change['Remove'] -join ', '))
            Remove-Entry -Identity $change['Identity'] -Entries $change['Remove'] -Connection $connection
        }

        if ($null -ne $change['AnyProtocol'])
        {
            Write-Verbose -Message ('Setting the flag of {0}: {1}.' -f $ComputerName, $change['AnyProtocol'])
            Set-ProtocolFlag -Identity $change['Identity'] -IsSet $change['AnyProtocol'] -Connection $connection
        }
    }
    catch
    {
        $message = "The delegation of '{0}' could not be changed: {1} By default only administrators of the domain " +
            'may set it: give a Credential of an account that may.'

        throw (New-ResourceError -Id 'DelegationNotWritten' -Category 'PermissionDenied' -Target (
                $ComputerName) -Message ($message -f $ComputerName, $_.Exception.Message))
    }
}

<#
    .SYNOPSIS
        Returns what has to change: the account by its distinguished name, entries to add and to remove, and the flag,
        which is null where it stays.

    .PARAMETER Account
        The account, as the directory gave it.

    .PARAMETER Properties
        The bound parameters of the resource.
#>
function Get-Change
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Account,

        [Parameter(Mandatory = $true)]
        [System.Object]
        $Properties
    )

    $connection = New-Connection -Properties $Properties
    $present = @(Get-Entry -Account $Account)
    $isAbsent = $Properties.ContainsKey('Ensure') -and $Properties['Ensure'] -eq 'Absent'
    $wanted = @()

    if (-not $isAbsent)
    {
        $wanted = @(Get-WantedEntry -Properties $Properties -Connection $connection)
    }

    $services = @(Get-ManagedService -Properties $Properties)
    $others = @($present | Where-Object -FilterScript { $services -notcontains (Get-ServiceName -Entry $_) })
    $flag = $null
    $isFlagSet = [System.Boolean] $Account.TrustedToAuthForDelegation

    if ($isAbsent)
    {
        # Without any entry the flag allows nothing that anybody could have wanted.
        if ($isFlagSet -and $others.Count -eq 0)
        {
            $flag = $false
        }
    }
    elseif ($Properties.ContainsKey('AnyProtocol') -and $Properties['AnyProtocol'] -ne $isFlagSet)
    {
        $flag = $Properties['AnyProtocol']
    }

    return @{
        Identity    = [System.String] $Account.DistinguishedName
        Add         = @($wanted | Where-Object -FilterScript { $present -notcontains $_ })
        Remove      = @($present | Where-Object -FilterScript { $wanted -notcontains $_ -and $others -notcontains $_ })
        AnyProtocol = $flag
    }
}

<#
    .SYNOPSIS
        Throws when what is wanted contradicts itself or is incomplete, whatever the directory holds.

    .PARAMETER Properties
        The bound parameters of the resource.
#>
function Assert-Wish
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Properties
    )

    $name = $Properties['ComputerName']
    $isPresent = -not $Properties.ContainsKey('Ensure') -or $Properties['Ensure'] -eq 'Present'

    if ($Properties.ContainsKey('Hosts') -and $Properties.ContainsKey('ServicePrincipalNames'))
    {
        throw (New-ResourceError -Id 'EntriesContradictory' -Category 'InvalidArgument' -Target $name -Message (
                'Hosts and ServicePrincipalNames say the same thing twice: give one of them.'))
    }

    if ($isPresent -and -not $Properties.ContainsKey('Hosts') -and
        -not $Properties.ContainsKey('ServicePrincipalNames'))
    {
        throw (New-ResourceError -Id 'EntriesMissing' -Category 'InvalidArgument' -Target $name -Message (
                'Neither Hosts nor ServicePrincipalNames is given: it is not said to what {0} may delegate.' -f $name))
    }

    foreach ($entry in @($Properties['ServicePrincipalNames'] | Where-Object -FilterScript { $null -ne $_ }))
    {
        if ($entry -notmatch '^[^/]+/[^/]+(/[^/]+)?$')
        {
            throw (New-ResourceError -Id 'EntryMalformed' -Category 'InvalidArgument' -Target $entry -Message (
                    "'{0}' is no service principal name. Write it as cifs/hv02.example.com." -f $entry))
        }
    }
}

<#
    .SYNOPSIS
        Hands out the entries that are wanted, each once.

    .PARAMETER Properties
        The bound parameters of the resource.

    .PARAMETER Connection
        How to reach the directory.
#>
function Get-WantedEntry
{
    [CmdletBinding()]
    [OutputType([System.String[]])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Properties,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Connection
    )

    if ($Properties.ContainsKey('ServicePrincipalNames'))
    {
        return @($Properties['ServicePrincipalNames'] | Sort-Object -Unique)
    }

    $own = $Properties['ComputerName'].TrimEnd('$')
    $domainName = [System.String] $Properties['DomainName']
    $entries = @()

    foreach ($item in $Properties['Hosts'])
    {
        $short, $rest = $item -split '\.', 2

        if ($short -eq $own)
        {
            continue
        }

        if ([System.String]::IsNullOrEmpty($rest))
        {
            if ([System.String]::IsNullOrEmpty($domainName))
            {
                $domainName = Read-DomainName -Connection $Connection
            }

            $rest = $domainName
        }

        foreach ($service in $script:migrationServices)
        {
            $entries += '{0}/{1}' -f $service, $short
            $entries += '{0}/{1}.{2}' -f $service, $short, $rest
        }
    }

    return @($entries | Sort-Object -Unique)
}

<#
    .SYNOPSIS
        Hands out the services whose entries are managed: the two of live migration, and those that are named.

    .PARAMETER Properties
        The bound parameters of the resource.
#>
function Get-ManagedService
{
    [CmdletBinding()]
    [OutputType([System.String[]])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Properties
    )

    $services = @($script:migrationServices)

    if ($Properties.ContainsKey('ServicePrincipalNames'))
    {
        foreach ($entry in $Properties['ServicePrincipalNames'])
        {
            $services += Get-ServiceName -Entry $entry
        }
    }

    return @($services | Sort-Object -Unique)
}

<#
    .SYNOPSIS
        Returns the service of an entry: what stands before the first slash.

    .PARAMETER Entry
        The entry.
#>
function Get-ServiceName
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Entry
    )

    return @($Entry -split '/', 2)[0]
}

<#
    .SYNOPSIS
        Hands out the entries of an account.

    .PARAMETER Account
        The account, as the directory gave it.
#>
function Get-Entry
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Account
    )

    $property = $Account.PSObject.Properties[$script:listAttribute]

    if ($null -eq $property)
    {
        return
    }

    foreach ($entry in $property.Value)
    {
        [System.String] $entry
    }
}

<#
    .SYNOPSIS
        Returns how to reach the directory, as parameters of its cmdlets.

    .PARAMETER Properties
        The bound parameters of the resource.
#>
function New-Connection
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Object]
        $Properties
    )

    $connection = @{}

    if ($Properties.ContainsKey('Credential'))
    {
        $connection['Credential'] = $Properties['Credential']
    }

    if ($Properties.ContainsKey('DomainController'))
    {
        $connection['Server'] = $Properties['DomainController']
    }

    return $connection
}

<#
    .SYNOPSIS
        Returns the account with its delegation.

    .PARAMETER ComputerName
        Name of the account.

    .PARAMETER Connection
        How to reach the directory.
#>
function Read-Account
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $ComputerName,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Connection
    )

    $account = Find-Account -ComputerName $ComputerName -Connection $Connection

    if ($null -eq $account)
    {
        throw (New-ResourceError -Id 'ComputerNotFound' -Category 'ObjectNotFound' -Target $ComputerName -Message (
                "The domain has no computer account '{0}'. Let the computer join the domain first." -f $ComputerName))
    }

    return $account
}

<#
    .SYNOPSIS
        Returns the account with its delegation; null when the domain has none of this name.

    .PARAMETER ComputerName
        Name of the account.

    .PARAMETER Connection
        How to reach the directory.
#>
function Find-Account
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $ComputerName,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Connection
    )

    try
    {
        return Read-Computer -Identity $ComputerName -Connection $Connection
    }
    catch
    {
        if ($_.FullyQualifiedErrorId -like '*ADIdentityNotFoundException*')
        {
            return $null
        }

        throw
    }
}

<#
    .SYNOPSIS
        Throws when there is no directory to ask, or nothing to ask it with.
#>
function Assert-Directory
{
    [CmdletBinding()]
    param ()

    if (-not (Test-DirectoryModule))
    {
        throw (New-ResourceError -Id 'DirectoryModuleMissing' -Category 'ObjectNotFound' -Target (
                'ActiveDirectory') -Message (
                'The PowerShell module ActiveDirectory is missing. Install the feature RSAT-AD-PowerShell.'))
    }

    if (-not (Test-DomainMembership))
    {
        throw (New-ResourceError -Id 'NotDomainMember' -Category 'InvalidOperation' -Target (
                'ActiveDirectory') -Message (
                'The machine is in a workgroup: it has no account that could delegate. Let it join the domain first.'))
    }
}

#region One call each

<#
    .SYNOPSIS
        Tells whether the PowerShell module of Active Directory is installed.
#>
function Test-DirectoryModule
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param ()

    return @(Get-Module -Name 'ActiveDirectory' -ListAvailable).Count -gt 0
}

<#
    .SYNOPSIS
        Tells whether the machine is in a domain.
#>
function Test-DomainMembership
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param ()

    return [System.Boolean] (Get-CimInstance -ClassName 'Win32_ComputerSystem').PartOfDomain
}

<#
    .SYNOPSIS
        Returns a computer account with its delegation.

    .PARAMETER Identity
        The account.

    .PARAMETER Connection
        How to reach the directory.
#>
function Read-Computer
{
    [CmdletBinding()]
    [OutputType([System.Object])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Identity,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Connection
    )

    $properties = @($script:listAttribute, 'TrustedToAuthForDelegation')

    return Get-ADComputer -Identity $Identity -Properties $properties @Connection
}

<#
    .SYNOPSIS
        Returns the DNS name of the domain.

    .PARAMETER Connection
        How to reach the directory.
#>
function Read-DomainName
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Connection
    )

    return [System.String] (Get-ADDomain @Connection).DNSRoot
}

<#
    .SYNOPSIS
        Adds entries to the list of an account.

    .PARAMETER Identity
        The account.

    .PARAMETER Entries
        The entries.

    .PARAMETER Connection
        How to reach the directory.
#>
function Add-Entry
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Identity,

        [Parameter(Mandatory = $true)]
        [System.String[]]
        $Entries,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Connection
    )

    Set-ADComputer -Identity $Identity -Add @{ $script:listAttribute = $Entries } -Confirm:$false @Connection
}

<#
    .SYNOPSIS
        Removes entries from the list of an account.

    .PARAMETER Identity
        The account.

    .PARAMETER Entries
        The entries.

    .PARAMETER Connection
        How to reach the directory.
#>
function Remove-Entry
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Identity,

        [Parameter(Mandatory = $true)]
        [System.String[]]
        $Entries,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Connection
    )

    Set-ADComputer -Identity $Identity -Remove @{ $script:listAttribute = $Entries } -Confirm:$false @Connection
}

<#
    .SYNOPSIS
        Sets whether an account may delegate whatever the protocol was.

    .PARAMETER Identity
        The account.

    .PARAMETER IsSet
        Whether it may.

    .PARAMETER Connection
        How to reach the directory.
#>
function Set-ProtocolFlag
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Identity,

        [Parameter(Mandatory = $true)]
        [System.Boolean]
        $IsSet,

        [Parameter(Mandatory = $true)]
        [System.Collections.Hashtable]
        $Connection
    )

    Set-ADAccountControl -Identity $Identity -TrustedToAuthForDelegation $IsSet -Confirm:$false @Connection
}

#endregion

Export-ModuleMember -Function 'Get-TargetResource', 'Test-TargetResource', 'Set-TargetResource'
