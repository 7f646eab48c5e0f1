#requires -Version 5.1
#requires -RunAsAdministrator
# First contact: what has to be done once on a Windows machine before provisioner can manage it.
# Run it in Windows PowerShell as administrator, on the machine's own console. Running it again changes nothing that
# is right already. It holds no secret: a password is asked for.

#region settings
$userName = 'provisioner'
$names = @('hv01')
$ipAddresses = @('192.0.2.11')
$from = @('Any')
$port = 5986
$moduleName = 'ProvisionerDsc'
$moduleVersion = '0.3.0'
$moduleHash = ''
$moduleSource = ''
$certificateThumbprint = ''
#endregion

Set-StrictMode -Version 'Latest'
$ErrorActionPreference = 'Stop'

#region network
# A network that counts as public keeps WinRM's firewall rules closed. One of a domain stays what it is.
foreach ($network in @(Get-NetConnectionProfile -ErrorAction 'Stop'))
{
    if ($network.NetworkCategory -eq 'Public')
    {
        Set-NetConnectionProfile -InterfaceIndex $network.InterfaceIndex -NetworkCategory 'Private' -ErrorAction 'Stop'
    }
}
#endregion

#region local-account
# The account that provisioner logs on with. Its password is asked for here and stands nowhere. The account that
# exists already, such as one an unattended setup made, keeps its password.
if ($null -eq (Get-LocalUser -Name $userName -ErrorAction 'SilentlyContinue'))
{
    $password = Read-Host -Prompt ('Password for the new account {0}' -f $userName) -AsSecureString
    $null = New-LocalUser -Name $userName -Password $password -PasswordNeverExpires -AccountNeverExpires
}

# Without this a local administrator who logs on over the network is none (User Account Control), unless he is the
# built-in one. It counts for every local account: give each machine another password.
$policy = 'HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System'
Set-ItemProperty -Path $policy -Name 'LocalAccountTokenFilterPolicy' -Value 1 -Type 'DWord'
#endregion

#region administrator
# Applying a configuration takes an administrator. S-1-5-32-544 is the group Administrators in every language.
try
{
    Add-LocalGroupMember -SID 'S-1-5-32-544' -Member $userName
}
catch
{
    if ($_.FullyQualifiedErrorId -notlike 'MemberExists,*')
    {
        throw
    }
}
#endregion

#region remoting
# The service WinRM starts with Windows and takes PowerShell sessions. Its listener on port 5985 encrypts messages
# by itself and refuses unencrypted ones, which is Windows' default and stays so.
Set-Service -Name 'WinRM' -StartupType 'Automatic'
Enable-PSRemoting -Force -SkipNetworkProfileCheck
#endregion

#region self-signed
# A certificate for HTTPS that this machine signs itself. Its private key never leaves the machine; the public part is
# shown at the end. One that is there from an earlier run is kept for as long as it is good for another month and names
# the same addresses.
$subjects = @($names | ForEach-Object -Process { 'DNS=' + $_ })
$subjects += @($ipAddresses | ForEach-Object -Process { 'IPAddress=' + $_ })
$label = 'provisioner WinRM ' + ($subjects -join ' ')
$certificate = Get-ChildItem -Path 'Cert:\LocalMachine\My' |
    Where-Object -FilterScript { $_.FriendlyName -eq $label -and $_.HasPrivateKey } |
    Where-Object -FilterScript { $_.NotAfter -gt (Get-Date).AddDays(30) } |
    Sort-Object -Property 'NotAfter' -Descending |
    Select-Object -First 1

if ($null -eq $certificate)
{
    $request = @{
        Subject           = 'CN=' + $names[0]
        TextExtension     = @('2.5.29.17={text}' + ($subjects -join '&'))
        Type              = 'SSLServerAuthentication'
        KeyAlgorithm      = 'RSA'
        KeyLength         = 2048
        HashAlgorithm     = 'SHA256'
        KeyExportPolicy   = 'NonExportable'
        NotAfter          = (Get-Date).AddYears(5)
        FriendlyName      = $label
        CertStoreLocation = 'Cert:\LocalMachine\My'
    }
    $certificate = New-SelfSignedCertificate @request
}

$certificateThumbprint = $certificate.Thumbprint
#endregion

#region https
# The listener for HTTPS, with the certificate above or the one that was named.
$certificate = Get-Item -Path ('Cert:\LocalMachine\My\' + $certificateThumbprint)
$listener = Get-WSManInstance -ResourceURI 'winrm/config/Listener' -Enumerate |
    Where-Object -FilterScript { $_.Transport -eq 'HTTPS' -and $_.Address -eq '*' }
$place = @{ Address = '*'; Transport = 'HTTPS' }
$values = @{
    CertificateThumbprint = $certificateThumbprint
    # Windows compares it with the certificate's own name.
    Hostname              = $certificate.GetNameInfo('SimpleName', $false)
    Port                  = [System.String] $port
}

if ($null -eq $listener)
{
    $null = New-WSManInstance -ResourceURI 'winrm/config/Listener' -SelectorSet $place -ValueSet $values
}
elseif ($listener.CertificateThumbprint.Replace(' ', '') -ne $certificateThumbprint -or $listener.Port -ne $port)
{
    $null = Set-WSManInstance -ResourceURI 'winrm/config/Listener' -SelectorSet $place -ValueSet $values
}
#endregion

#region firewall
# Windows opens port 5985 itself, and no other. This rule has a name of its own, so it is found again.
$rule = @{
    Name          = 'provisioner-winrm'
    Direction     = 'Inbound'
    Protocol      = 'TCP'
    LocalPort     = $port
    RemoteAddress = $from
    Profile       = @('Domain', 'Private')
    Action        = 'Allow'
    ErrorAction   = 'Stop'
}

if ($null -eq (Get-NetFirewallRule -Name $rule['Name'] -ErrorAction 'SilentlyContinue'))
{
    $null = New-NetFirewallRule -DisplayName ('provisioner (WinRM, port {0})' -f $port) @rule
}
else
{
    Set-NetFirewallRule @rule
}
#endregion

#region limits
# Windows' limits are made for people. A document for a host is larger than 500 KiB, installing features takes longer
# than a minute, and a setup started in a session needs more memory than old images give one. Larger values stay.
$limits = @{
    'WSMan:\localhost\MaxEnvelopeSizekb'                                       = 8192
    'WSMan:\localhost\MaxTimeoutms'                                            = 1800000
    'WSMan:\localhost\Shell\MaxMemoryPerShellMB'                               = 2048
    'WSMan:\localhost\Plugin\microsoft.powershell\Quotas\MaxMemoryPerShellMB'  = 2048
}
$isChanged = $false

foreach ($path in $limits.Keys)
{
    $now = [System.Int64] (Get-Item -Path $path).Value

    # Zero is no limit.
    if ($now -ne 0 -and $now -lt $limits[$path])
    {
        Set-Item -Path $path -Value $limits[$path] -Force
        $isChanged = $true
    }
}

if ($isChanged)
{
    Restart-Service -Name 'WinRM'
}
#endregion

#region encryption
# The certificate that passwords inside documents are encrypted to; 'provision certificate fetch' reads it.
$isEncryptionReady = @(
    Get-ChildItem -Path 'Cert:\LocalMachine\My' -DocumentEncryptionCert |
        Where-Object -FilterScript { $_.HasPrivateKey -and $_.NotAfter -gt (Get-Date).AddDays(30) }
).Count -gt 0

if (-not $isEncryptionReady)
{
    $request = @{
        Type              = 'DocumentEncryptionCertLegacyCsp'
        DnsName           = 'DscEncryptionCert'
        HashAlgorithm     = 'SHA256'
        NotAfter          = (Get-Date).AddYears(5)
        CertStoreLocation = 'Cert:\LocalMachine\My'
    }
    $null = New-SelfSignedCertificate @request
}
#endregion

#region module-elsewhere
# The DSC module of provisioner, from where it was put. What it must be is known by its hash.
if ($moduleSource -match '^https?://')
{
    $package = Join-Path -Path $env:TEMP -ChildPath ($moduleName + '.nupkg')
    [System.Net.ServicePointManager]::SecurityProtocol = [System.Net.SecurityProtocolType]::Tls12
    Invoke-WebRequest -Uri $moduleSource -OutFile $package -UseBasicParsing
}
else
{
    $package = $moduleSource
}

$bytes = [System.IO.File]::ReadAllBytes($package)
#endregion

#region module-embedded
# The DSC module of provisioner: a zip archive in base64. Its hash is compared before anything of it is used.
$bytes = [System.Convert]::FromBase64String(@'
ARCHIVE
'@)
#endregion

#region module
# Only its files are taken, not what makes a package of them.
Add-Type -AssemblyName 'System.IO.Compression'
Add-Type -AssemblyName 'System.IO.Compression.FileSystem'
$stream = [System.IO.MemoryStream]::new($bytes)
$hash = (Get-FileHash -InputStream $stream -Algorithm 'SHA256').Hash

if ($hash -ne $moduleHash)
{
    throw ('The archive of {0} has the SHA-256 {1}, not {2}.' -f $moduleName, $hash, $moduleHash)
}

$moduleFolder = Join-Path -Path $env:ProgramFiles -ChildPath (
    'WindowsPowerShell\Modules\{0}\{1}' -f $moduleName, $moduleVersion)
$stream.Position = 0
$archive = [System.IO.Compression.ZipArchive]::new($stream)

foreach ($entry in $archive.Entries)
{
    if ($entry.FullName -match '^(_rels/|package/|\[Content_Types\]\.xml$|[^/]+\.nuspec$)')
    {
        continue
    }

    $target = Join-Path -Path $moduleFolder -ChildPath ($entry.FullName.Replace('/', '\'))
    $null = New-Item -ItemType 'Directory' -Path (Split-Path -Path $target -Parent) -Force
    [System.IO.Compression.ZipFileExtensions]::ExtractToFile($entry, $target, $true)
}

$archive.Dispose()
#endregion

#region show-certificate
# The public part of the HTTPS certificate. It is no secret, but bring it along by hand, not over the network: it is
# what tells this machine from another one.
Write-Host -Object ('The certificate {0}, for the file that ca_certificates names:' -f $certificateThumbprint)
Write-Host -Object '-----BEGIN CERTIFICATE-----'
Write-Host -Object ([System.Convert]::ToBase64String($certificate.RawData, 'InsertLineBreaks'))
Write-Host -Object '-----END CERTIFICATE-----'
#endregion

Write-Host -Object 'Done. This machine can be managed now.'
