<#
    Installs one product from an .msi file that is known to the byte, or removes it.

    Every call that touches the machine stands alone in a small private function, so that the logic above it can be
    run with these functions replaced. This module has been parsed, but has not run on Windows.

    The values of properties are in no message: only their names are.
#>

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

# With a progress bar Invoke-WebRequest of Windows PowerShell 5.1 takes many times as long.
$ProgressPreference = 'SilentlyContinue'

$script:moduleFolder = Split-Path -Path (Split-Path -Path $PSScriptRoot -Parent) -Parent
Import-Module -Name (Join-Path -Path $script:moduleFolder -ChildPath 'Modules/ProvisionerDsc.Common')

$script:guid = '\A\{[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}\}\z'
$script:publicProperty = '\A[A-Z_][A-Z0-9_.]*=[^"\r\n]*\z'

# "Action ended 10:11:12: InstallFiles. Return value 3." Other languages have other words around the name.
$script:failedAction = '\A.*\d+:\d+:\d+: (\w+)\. .*\b3\.\s*\z'

# What msiexec.exe answers.
$script:success = 0
$script:unknownProduct = 1605
$script:otherInstallation = 1618
$script:restartNeeded = @(1641, 3010)

# Status messages, warnings, errors, actions, lack of memory and room: neither the command line nor the values of
# properties, which the letters v, p, c and r would bring.
$script:logMode = '/liweamo'

# How long and how often to wait for another installation: ten minutes.
$script:busySeconds = 15
$script:busyAttempts = 40

$script:uninstallKeys = @(
    'HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall'
    'HKEY_LOCAL_MACHINE\SOFTWARE\Wow6432Node\Microsoft\Windows\CurrentVersion\Uninstall'
)

<#
    .SYNOPSIS
        Returns whether the product is installed, and its version.

    .PARAMETER ProductCode
        ProductCode of the product, a GUID in braces.
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
        $ProductCode
    )

    Assert-Guid -Name 'ProductCode' -Value $ProductCode

    $state = @{
        ProductCode = $ProductCode
        Ensure      = 'Absent'
        Path        = $null
        Sha256      = $null
        Version     = $null
        UpgradeCode = $null
        Properties  = $null
        LogFolder   = $null
    }

    $product = Get-Product -ProductCode $ProductCode

    if ($null -ne $product)
    {
        $state['Ensure'] = 'Present'
        $state['Version'] = $product.Version
    }

    return $state
}

<#
    .SYNOPSIS
        Tells whether the product is there in the wanted version, and alone of its family.

    .PARAMETER ProductCode
        ProductCode of the product, a GUID in braces.

    .PARAMETER Ensure
        Whether the product is installed.

    .PARAMETER Path
        The .msi file: a full path, a share, or an http or https address.

    .PARAMETER Sha256
        SHA-256 of the file in hexadecimal digits.

    .PARAMETER Version
        Version the product has, as Windows shows it.

    .PARAMETER UpgradeCode
        UpgradeCode of the family: every other product of it is removed.

    .PARAMETER Properties
        Public properties, each as NAME=value. Not compared.

    .PARAMETER LogFolder
        Folder of the log of msiexec.exe.
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
        $ProductCode,

        [Parameter()]
        [ValidateSet('Present', 'Absent')]
        [System.String]
        $Ensure = 'Present',

        [Parameter()]
        [System.String]
        $Path,

        [Parameter()]
        [System.String]
        $Sha256,

        [Parameter()]
        [System.String]
        $Version,

        [Parameter()]
        [System.String]
        $UpgradeCode,

        [Parameter()]
        [AllowEmptyCollection()]
        [System.String[]]
        $Properties,

        [Parameter()]
        [System.String]
        $LogFolder
    )

    Assert-Guid -Name 'ProductCode' -Value $ProductCode
    $product = Get-Product -ProductCode $ProductCode
    $others = @()

    if ($PSBoundParameters.ContainsKey('UpgradeCode'))
    {
        Assert-Guid -Name 'UpgradeCode' -Value $UpgradeCode
        $others = @(Get-OtherProduct -UpgradeCode $UpgradeCode -ProductCode $ProductCode)
    }

    if ($Ensure -eq 'Absent')
    {
        Write-Verbose -Message ('The product {0} is installed: {1}. Others of its family: {2}.' -f
            $ProductCode, ($null -ne $product), $others.Count)
        return ($null -eq $product -and $others.Count -eq 0)
    }

    if ($null -eq $product)
    {
        Write-Verbose -Message ('The product {0} is not installed.' -f $ProductCode)
        return $false
    }

    if ($PSBoundParameters.ContainsKey('Version') -and
        -not (Test-SameVersion -First $product.Version -Second $Version))
    {
        Write-Verbose -Message ('The product {0} has the version {1}.' -f $ProductCode, $product.Version)
        return $false
    }

    if ($others.Count -gt 0)
    {
        Write-Verbose -Message ('Of its family these are installed too: {0}.' -f ($others -join ', '))
        return $false
    }

    Write-Verbose -Message ('The product {0} is in the desired state.' -f $ProductCode)
    return $true
}

<#
    .SYNOPSIS
        Installs the product in place of older ones, or removes it.

    .PARAMETER ProductCode
        ProductCode of the product, a GUID in braces.

    .PARAMETER Ensure
        Whether the product is installed.

    .PARAMETER Path
        The .msi file: a full path, a share, or an http or https address.

    .PARAMETER Sha256
        SHA-256 of the file in hexadecimal digits.

    .PARAMETER Version
        Version the product has, as Windows shows it.

    .PARAMETER UpgradeCode
        UpgradeCode of the family: every other product of it is removed.

    .PARAMETER Properties
        Public properties, each as NAME=value. Not compared.

    .PARAMETER LogFolder
        Folder of the log of msiexec.exe.
#>
function Set-TargetResource
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [ValidateNotNullOrEmpty()]
        [System.String]
        $ProductCode,

        [Parameter()]
        [ValidateSet('Present', 'Absent')]
        [System.String]
        $Ensure = 'Present',

        [Parameter()]
        [System.String]
        $Path,

        [Parameter()]
        [System.String]
        $Sha256,

        [Parameter()]
        [System.String]
        $Version,

        [Parameter()]
        [System.String]
        $UpgradeCode,

        [Parameter()]
        [AllowEmptyCollection()]
        [System.String[]]
        $Properties,

        [Parameter()]
        [System.String]
        $LogFolder
    )

    Assert-Guid -Name 'ProductCode' -Value $ProductCode
    $others = @()

    if ($PSBoundParameters.ContainsKey('UpgradeCode'))
    {
        Assert-Guid -Name 'UpgradeCode' -Value $UpgradeCode
    }

    if ($Ensure -eq 'Present')
    {
        Assert-Package -Path $Path -Digest $Sha256
        Assert-Property -Property $Properties
    }

    if ([System.String]::IsNullOrEmpty($LogFolder))
    {
        $LogFolder = '{0}\logs' -f (Get-DataFolder)
    }

    Initialize-Folder -Path $LogFolder

    if ($PSBoundParameters.ContainsKey('UpgradeCode'))
    {
        $others = @(Get-OtherProduct -UpgradeCode $UpgradeCode -ProductCode $ProductCode)
    }

    $needsRestart = $false

    if ($Ensure -eq 'Absent')
    {
        $codes = @($others)

        if ($null -ne (Get-Product -ProductCode $ProductCode))
        {
            $codes += $ProductCode
        }

        foreach ($code in $codes)
        {
            $needsRestart = (Uninstall-Product -ProductCode $code -LogFolder $LogFolder) -or $needsRestart
        }
    }
    else
    {
        $isCopy = -not (Test-LocalPath -Path $Path)
        $file = $Path

        try
        {
            if ($isCopy)
            {
                $file = Copy-Package -Path $Path -ProductCode $ProductCode
            }

            Assert-Hash -Path $file -Digest $Sha256

            foreach ($code in $others)
            {
                $needsRestart = (Uninstall-Product -ProductCode $code -LogFolder $LogFolder) -or $needsRestart
            }

            $product = @{
                File        = $file
                ProductCode = $ProductCode
                Property    = $Properties
                LogFolder   = $LogFolder
            }

            $needsRestart = (Install-Product @product) -or $needsRestart
        }
        finally
        {
            if ($isCopy -and $file -ne $Path)
            {
                Remove-ExistingFile -Path $file
            }
        }

        if (-not $needsRestart -and $null -eq (Get-Product -ProductCode $ProductCode))
        {
            throw (New-ResourceError -Id 'ProductNotListed' -Category 'InvalidResult' -Target $ProductCode -Message (
                    "{0} was installed, and Windows does not list {1}: the file holds another product." -f
                    $Path, $ProductCode))
        }
    }

    if ($needsRestart)
    {
        Write-Verbose -Message 'The node has to be restarted.'
        Request-Restart
    }
}

<#
    .SYNOPSIS
        Installs a product, or brings an installed one to another version. Returns whether a restart is needed.

    .PARAMETER File
        The .msi file on the node.

    .PARAMETER ProductCode
        ProductCode of the product.

    .PARAMETER Property
        Public properties as NAME=value.

    .PARAMETER LogFolder
        Folder of the log.
#>
function Install-Product
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $File,

        [Parameter(Mandatory = $true)]
        [System.String]
        $ProductCode,

        [Parameter(Mandatory = $true)]
        [AllowNull()]
        [AllowEmptyCollection()]
        [System.String[]]
        $Property,

        [Parameter(Mandatory = $true)]
        [System.String]
        $LogFolder
    )

    $arguments = @('/i', ('"{0}"' -f $File))

    if ($null -ne (Get-Product -ProductCode $ProductCode))
    {
        Write-Verbose -Message ('The product {0} is there, and is installed anew.' -f $ProductCode)
        $arguments += @('REINSTALL=ALL', 'REINSTALLMODE=vomus')
    }

    $names = @()

    foreach ($entry in $Property)
    {
        $name, $value = $entry -split '=', 2
        $names += $name
        $arguments += '{0}="{1}"' -f $name, $value
    }

    Write-Verbose -Message ('Installing {0} with the properties {1}.' -f $File, ($names -join ', '))
    $code = Invoke-Installation -ArgumentList $arguments -ProductCode $ProductCode -LogFolder $LogFolder

    return ($code -in $script:restartNeeded)
}

<#
    .SYNOPSIS
        Removes a product; one that Windows does not know is no error. Returns whether a restart is needed.

    .PARAMETER ProductCode
        ProductCode of the product.

    .PARAMETER LogFolder
        Folder of the log.
#>
function Uninstall-Product
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $ProductCode,

        [Parameter(Mandatory = $true)]
        [System.String]
        $LogFolder
    )

    Write-Verbose -Message ('Removing {0}.' -f $ProductCode)
    $removal = @{
        ArgumentList = @('/x', $ProductCode)
        ProductCode  = $ProductCode
        LogFolder    = $LogFolder
        Accepted     = @($script:unknownProduct)
    }

    $code = Invoke-Installation @removal

    return ($code -in $script:restartNeeded)
}

<#
    .SYNOPSIS
        Runs msiexec.exe until no other installation is in its way, and returns its exit code.

    .PARAMETER ArgumentList
        What to do, and with which properties.

    .PARAMETER ProductCode
        The product it is about; its log has this name.

    .PARAMETER LogFolder
        Folder of the log.

    .PARAMETER Accepted
        Exit codes that are no failure besides those of success.
#>
function Invoke-Installation
{
    [CmdletBinding()]
    [OutputType([System.Int32])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String[]]
        $ArgumentList,

        [Parameter(Mandatory = $true)]
        [System.String]
        $ProductCode,

        [Parameter(Mandatory = $true)]
        [System.String]
        $LogFolder,

        [Parameter()]
        [System.Int32[]]
        $Accepted
    )

    $log = '{0}\{1}.log' -f ($LogFolder -replace '\\+\z', ''), $ProductCode
    $whole = @($ArgumentList + @('/qn', '/norestart', $script:logMode, ('"{0}"' -f $log)))

    for ($attempt = 1; $attempt -le $script:busyAttempts; $attempt++)
    {
        $code = Start-Msiexec -ArgumentList $whole

        if ($code -ne $script:otherInstallation)
        {
            break
        }

        Write-Verbose -Message ('Another installation is running. Attempt {0} of {1}.' -f
            $attempt, $script:busyAttempts)

        if ($attempt -lt $script:busyAttempts)
        {
            Wait-Second -Second $script:busySeconds
        }
    }

    if ($code -eq $script:otherInstallation)
    {
        throw (New-ResourceError -Id 'InstallerBusy' -Category 'ResourceBusy' -Target $ProductCode -Message (
                "Another installation was still running after {0} attempts, {1} seconds apart (exit code {2})." -f
                $script:busyAttempts, $script:busySeconds, $code))
    }

    if ($code -eq $script:success -or $code -in $script:restartNeeded -or $code -in @($Accepted))
    {
        Write-Verbose -Message ('msiexec.exe ended with {0}.' -f $code)
        return $code
    }

    $lines = @()

    if (Test-FileExistence -Path $log)
    {
        $lines = @(Read-LogLine -Path $log)
    }

    $action = Get-FailedAction -Line $lines

    throw (New-ResourceError -Id 'InstallationFailed' -Category 'InvalidResult' -Target $ProductCode -Message (
            "msiexec.exe ended with {0} for {1}{2}. Its log is {3}." -f $code, $ProductCode, $action, $log))
}

<#
    .SYNOPSIS
        Returns a clause that names the first action that failed, or nothing.

    .DESCRIPTION
        Windows writes "Return value 3" for an action that failed, innermost first.

    .PARAMETER Line
        Lines of the log.
#>
function Get-FailedAction
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [System.String[]]
        $Line
    )

    foreach ($text in $Line)
    {
        if ($text -match $script:failedAction)
        {
            return (', in the action {0}' -f ($text -replace $script:failedAction, '$1'))
        }
    }

    return ''
}

<#
    .SYNOPSIS
        Returns an installed product with its version, or nothing.

    .PARAMETER ProductCode
        ProductCode of the product.
#>
function Get-Product
{
    [CmdletBinding()]
    [OutputType([System.Collections.Hashtable])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $ProductCode
    )

    foreach ($key in $script:uninstallKeys)
    {
        $version = Read-RegistryValue -Key ('{0}\{1}' -f $key, $ProductCode) -Name 'DisplayVersion'

        if ($null -ne $version)
        {
            return @{
                ProductCode = $ProductCode
                Version     = [System.String] $version
            }
        }
    }
}

<#
    .SYNOPSIS
        Hands out the ProductCodes of all installed products of a family but one.

    .PARAMETER UpgradeCode
        UpgradeCode of the family.

    .PARAMETER ProductCode
        The one that is left out.
#>
function Get-OtherProduct
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $UpgradeCode,

        [Parameter(Mandatory = $true)]
        [System.String]
        $ProductCode
    )

    foreach ($code in @(Read-RelatedProduct -UpgradeCode $UpgradeCode))
    {
        if ($code -ne $ProductCode)
        {
            $code
        }
    }
}

<#
    .SYNOPSIS
        Tells whether two versions are the same, 1.2.3 and 1.2.3.0 among them.

    .PARAMETER First
        A version.

    .PARAMETER Second
        The other.
#>
function Test-SameVersion
{
    [CmdletBinding()]
    [OutputType([System.Boolean])]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [AllowNull()]
        [System.String]
        $First,

        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [System.String]
        $Second
    )

    return (($First -replace '(\.0+)+\z', '') -eq ($Second -replace '(\.0+)+\z', ''))
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

    .PARAMETER ProductCode
        The product; its copy has this name.
#>
function Copy-Package
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
        $ProductCode
    )

    $folder = '{0}\installers' -f (Get-DataFolder)
    Initialize-Folder -Path $folder
    $copy = '{0}\{1}.msi' -f $folder, $ProductCode
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
        Throws when a code is not a GUID in braces.

    .PARAMETER Name
        Name of the property.

    .PARAMETER Value
        What was given.
#>
function Assert-Guid
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
        $Value
    )

    if ($Value -notmatch $script:guid)
    {
        throw (New-ResourceError -Id 'ProductCodeMalformed' -Category 'InvalidArgument' -Target $Name -Message (
                "{0} is '{1}', which is not a GUID in braces." -f $Name, $Value))
    }
}

<#
    .SYNOPSIS
        Throws when it is not said, or cannot be meant, which file to install.

    .PARAMETER Path
        The .msi file.

    .PARAMETER Digest
        Its SHA-256.
#>
function Assert-Package
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
                'The product should be installed, but Path or Sha256 is not given.'))
    }

    if ($Path -notmatch '\A([A-Za-z]:\\|\\\\[^\\]+\\[^\\]+\\|https?://[^/]+/)[^?"]*\.msi(\?[^"]*)?\z')
    {
        throw (New-ResourceError -Id 'PathMalformed' -Category 'InvalidArgument' -Target $Path -Message (
                "'{0}' is not the full path, share or address of an .msi file." -f $Path))
    }

    if ($Digest -notmatch '\A[0-9A-Fa-f]{64}\z')
    {
        throw (New-ResourceError -Id 'HashMalformed' -Category 'InvalidArgument' -Target 'Sha256' -Message (
                "Sha256 is '{0}', which is not 64 hexadecimal digits." -f $Digest))
    }
}

<#
    .SYNOPSIS
        Throws when a property could not stand on a command line as it is meant.

    .PARAMETER Property
        Public properties as NAME=value.
#>
function Assert-Property
{
    [CmdletBinding()]
    param
    (
        [Parameter(Mandatory = $true)]
        [AllowNull()]
        [AllowEmptyCollection()]
        [AllowEmptyString()]
        [System.String[]]
        $Property
    )

    foreach ($entry in $Property)
    {
        if ($entry -cnotmatch $script:publicProperty)
        {
            $name = ($entry -split '=', 2)[0]

            throw (New-ResourceError -Id 'PropertyMalformed' -Category 'InvalidArgument' -Target 'Properties' -Message (
                    "The property '{0}' is not NAME=value, in capitals and without double quotes." -f $name))
        }
    }
}

#region One call each

<#
    .SYNOPSIS
        Runs msiexec.exe to its end and returns its exit code.

    .PARAMETER ArgumentList
        Its arguments, quoted where they need it.
#>
function Start-Msiexec
{
    [CmdletBinding()]
    [OutputType([System.Int32])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String[]]
        $ArgumentList
    )

    $msiexec = @{
        FilePath     = '{0}\msiexec.exe' -f [System.Environment]::SystemDirectory
        ArgumentList = $ArgumentList -join ' '
        Wait         = $true
        PassThru     = $true
    }

    return (Start-Process @msiexec).ExitCode
}

<#
    .SYNOPSIS
        Hands out the ProductCodes of the installed products of a family.

    .PARAMETER UpgradeCode
        UpgradeCode of the family.
#>
function Read-RelatedProduct
{
    [CmdletBinding()]
    [OutputType([System.String])]
    param
    (
        [Parameter(Mandatory = $true)]
        [System.String]
        $UpgradeCode
    )

    $installer = New-Object -ComObject 'WindowsInstaller.Installer'

    foreach ($code in $installer.RelatedProducts($UpgradeCode))
    {
        [System.String] $code
    }
}

<#
    .SYNOPSIS
        Returns a value of the registry: null without its key, empty without the value.

    .PARAMETER Key
        The key, with the full name of its hive.

    .PARAMETER Name
        Name of the value.
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

    return [Microsoft.Win32.Registry]::GetValue($Key, $Name, '')
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
        Hands out the lines of a log.

    .PARAMETER Path
        Full path of the log.
#>
function Read-LogLine
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
        Asks the Local Configuration Manager for a restart of the node.
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
