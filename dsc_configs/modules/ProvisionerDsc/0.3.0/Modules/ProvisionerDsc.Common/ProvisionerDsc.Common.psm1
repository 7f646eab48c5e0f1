<#
    What the resources of this module have in common. Nothing here touches the machine.
    This module has been parsed, but has not run on Windows.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

<#
    .SYNOPSIS
        Returns an error record with a stable id.

    .PARAMETER Id
        Becomes the FullyQualifiedErrorId.

    .PARAMETER Message
        What went wrong, in one sentence. Never a secret, and never the contents of a file.

    .PARAMETER Category
        The error category.

    .PARAMETER Target
        The thing the error is about: a path, a service, an account.

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
        if ($Category -eq 'InvalidArgument')
        {
            $Exception = New-Object -TypeName 'System.ArgumentException' -ArgumentList @($Message)
        }
        else
        {
            $Exception = New-Object -TypeName 'System.InvalidOperationException' -ArgumentList @($Message)
        }
    }

    return New-Object -TypeName 'System.Management.Automation.ErrorRecord' -ArgumentList @(
        $Exception, $Id, $Category, $Target)
}

Export-ModuleMember -Function 'New-ResourceError'
