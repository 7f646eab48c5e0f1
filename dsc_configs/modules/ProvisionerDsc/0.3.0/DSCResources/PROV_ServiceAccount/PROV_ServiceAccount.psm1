<#
    Has a service run under an account, and gives Windows a new password of that account.

    Every call of a cmdlet, a program or .NET that touches the machine stands alone in a small private function, so
    that the logic above it can be run with these functions replaced. This module has been parsed, but has not run on
    Windows.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

$script:moduleFolder = Split-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -Parent
Import-Module -Name (Join-Path -Path $script:moduleFolder -ChildPath 'Modules/ProvisionerDsc.Common')

# What Win32_Service.Change answers; see its documentation.
$script:changeAnswers = @{
    2  = 'access denied'
    3  = 'a dependent service runs'
    5  = 'the control code is not valid'
    8  = 'unknown failure'
    15 = 'the account cannot log on as a service: the name or the password is wrong, or it lacks the right'
    16 = 'the service is marked for deletion'
    22 = 'the account is not valid, or lacks the right to run the service'
}

<#
    .SYNOPSIS
        Returns the service. The credential is not returned, because it holds a password.

    .PARAMETER Name
        Name of the service.

    .PARAMETER Credential
        The account and its password.
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
        [System.Management.Automation.PSCredential]
        $Credential
    )

    $service = Read-Service -Name $Name
    $found = ''

    if ($null -ne $service)
    {
        $found = $service.StartName
    }

    Write-Verbose -Message ("The service '{0}' runs as '{1}'." -f $Name, $found)

    return @{
        Name       = $Name
        Credential = $null
    }
}

<#
    .SYNOPSIS
        Tells whether the service has the account, and whether the password is the one that was given last.

    .PARAMETER Name
        Name of the service.

    .PARAMETER Credential
        The account and its password.
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
        [System.Management.Automation.PSCredential]
        $Credential
    )

    Assert-Credential -Credential $Credential
    $service = Read-Service -Name $Name

    if ($null -eq $service)
    {
        Write-Verbose -Message ("There is no service named '{0}'." -f $Name)
        return $false
    }

    if (-not (Test-Account -StartName $service.StartName -Credential $Credential))
    {
        return $false
    }

    if (Test-ManagedAccount -Credential $Credential)
    {
        return $true
    }

    $isSame = Test-SecretMarker -Resource 'ServiceAccount' -Name $Name -Secret $Credential
    Write-Verbose -Message ("The password of '{0}' is the one that was given last: {1}." -f $Name, $isSame)

    return $isSame
}

<#
    .SYNOPSIS
        Gives the service its account and password, and restarts it if it runs.

    .PARAMETER Name
        Name of the service.

    .PARAMETER Credential
        The account and its password.
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
        [System.Management.Automation.PSCredential]
        $Credential
    )

    Assert-Credential -Credential $Credential
    $service = Read-Service -Name $Name

    if ($null -eq $service)
    {
        throw (New-ResourceError -Id 'ServiceNotFound' -Category 'ObjectNotFound' -Target $Name -Message (
                "There is no service named '{0}'." -f $Name))
    }

    $isManaged = Test-ManagedAccount -Credential $Credential
    Write-Verbose -Message ("Giving the service '{0}' the account '{1}'." -f $Name, $Credential.UserName)
    $startName = ConvertTo-StartName -Account $Credential.UserName
    $logon = @{
        Name       = $Name
        StartName  = $startName
        Credential = $Credential
        IsManaged  = $isManaged
    }
    $code = [System.Int32] (Set-ServiceLogon @logon)

    if ($code -ne 0)
    {
        $reason = 'see the documentation of Win32_Service.Change'

        if ($script:changeAnswers.ContainsKey($code))
        {
            $reason = $script:changeAnswers[$code]
        }

        throw (New-ResourceError -Id 'AccountNotApplied' -Category 'InvalidResult' -Target $Name -Message (
                "Windows did not give the service '{0}' the account '{1}': {2} ({3})." -f
                $Name, $Credential.UserName, $reason, $code))
    }

    if ($service.State -eq 'Running')
    {
        Write-Verbose -Message ("Restarting the service '{0}'." -f $Name)
        Restart-ServiceByForce -Name $Name
    }

    # Only what worked is remembered: a restart that fails is tried again by the next run.
    if (-not $isManaged)
    {
        Set-SecretMarker -Resource 'ServiceAccount' -Name $Name -Secret $Credential
    }
}

<#
    .SYNOPSIS
        Tells whether the service has the account of the credential.

    .PARAMETER StartName
        Account of the service as Windows writes it.

    .PARAMETER Credential
        The wanted account.
#>
function Test-Account
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [AllowNull()]
        [System.String]
        $StartName,

        [Parameter(Mandatory = $true)]
        [System.Management.Automation.PSCredential]
        $Credential
    )

    $wanted = ConvertTo-AccountText -Account $Credential.UserName
    $found = ConvertTo-AccountText -Account $StartName
    Write-Verbose -Message ("The account is '{0}', and should be '{1}'." -f $found, $wanted)

    return ($found -eq $wanted)
}

<#
    .SYNOPSIS
        Returns an account in the form that is compared: its SID, or the name itself while nobody has it.

    .PARAMETER Account
        Name of an account: .\name, name, COMPUTER\name, DOMAIN\name or name@domain.
#>
function ConvertTo-AccountText
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String]
        $Account
    )

    if ($Account -match '\A\.\\')
    {
        $Account = '{0}\{1}' -f (Get-ComputerName), $Account.Substring(2)
    }
    elseif ($Account -notmatch '[\\@]')
    {
        $Account = '{0}\{1}' -f (Get-ComputerName), $Account
    }

    $sid = Find-Sid -Account $Account

    if ($null -ne $sid)
    {
        return $sid
    }

    return $Account
}

<#
    .SYNOPSIS
        Returns an account as Windows wants it for a service: one of the node begins with a dot.

    .PARAMETER Account
        Name of an account.
#>
function ConvertTo-StartName
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Account
    )

    if ($Account -match '[\\@]')
    {
        return $Account
    }

    return '.\{0}' -f $Account
}

<#
    .SYNOPSIS
        Tells whether Windows manages the password of the account.

    .PARAMETER Credential
        The account.
#>
function Test-ManagedAccount
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Management.Automation.PSCredential]
        $Credential
    )

    return $Credential.UserName.EndsWith('$')
}

<#
    .SYNOPSIS
        Throws when the password reached the node as it was sealed, so that nothing could open it.

    .PARAMETER Credential
        The account.
#>
function Assert-Credential
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.Management.Automation.PSCredential]
        $Credential
    )

    if ($Credential.GetNetworkCredential().Password -like '-----BEGIN CMS-----*')
    {
        $user = $Credential.UserName

        throw (New-ResourceError -Id 'SecretsNotDecrypted' -Category 'InvalidData' -Target $user -Message (
                'The password is still encrypted: the LCM of this node does not know the certificate.'))
    }
}

#region One call each

<#
    .SYNOPSIS
        Returns the service; nothing when there is none of this name.

    .PARAMETER Name
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
        $Name
    )

    $text = $Name.Replace("'", "\'")

    return Get-CimInstance -ClassName 'Win32_Service' -Filter "Name='$text'" -ErrorAction 'Stop'
}

<#
    .SYNOPSIS
        Gives a service its account and password; returns the answer of Win32_Service.Change. The password goes
        through .NET only, whose arguments no log of PowerShell shows.

    .PARAMETER Name
        Name of the service.

    .PARAMETER StartName
        The account as Windows wants it.

    .PARAMETER Credential
        The account and its password.

    .PARAMETER IsManaged
        Whether Windows knows the password itself.
#>
function Set-ServiceLogon
{
    [CmdletBinding()]
    [OutputType([System.Int32])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name,

        [Parameter(Mandatory = $true)]
        [System.String]
        $StartName,

        [Parameter(Mandatory = $true)]
        [System.Management.Automation.PSCredential]
        $Credential,

        [Parameter(Mandatory = $true)]
        [System.Boolean]
        $IsManaged
    )

    $service = New-Object -TypeName 'System.Management.ManagementObject' -ArgumentList @(
        ('Win32_Service.Name="{0}"' -f $Name))

    try
    {
        $values = $service.GetMethodParameters('Change')
        $values['StartName'] = $StartName

        if (-not $IsManaged)
        {
            $values['StartPassword'] = $Credential.GetNetworkCredential().Password
        }

        return [System.Int32] $service.InvokeMethod('Change', $values, $null)['ReturnValue']
    }
    finally
    {
        $service.Dispose()
    }
}

<#
    .SYNOPSIS
        Restarts a service, whether others depend on it or not.

    .PARAMETER Name
        Name of the service.
#>
function Restart-ServiceByForce
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $Name
    )

    Restart-Service -Name $Name -Force
}

<#
    .SYNOPSIS
        Returns the name of the node.
#>
function Get-ComputerName
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param ()

    return [System.Environment]::MachineName
}

<#
    .SYNOPSIS
        Returns the SID of an account; nothing when nobody has the name.

    .PARAMETER Account
        Name of the account.
#>
function Find-Sid
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String]
        $Account
    )

    try
    {
        $name = New-Object -TypeName 'System.Security.Principal.NTAccount' -ArgumentList @($Account)

        return $name.Translate([System.Security.Principal.SecurityIdentifier]).Value
    }
    catch [System.Security.Principal.IdentityNotMappedException]
    {
        return
    }
}

#endregion

Export-ModuleMember -Function 'Get-TargetResource', 'Test-TargetResource', 'Set-TargetResource'
