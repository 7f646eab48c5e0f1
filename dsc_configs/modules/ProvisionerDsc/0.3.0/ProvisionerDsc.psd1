@{
    ModuleVersion        = '0.3.0'
    GUID                 = '7b0c8a52-4d0e-4f3a-9a55-2f6f0d6f1c3e'
    Author               = 'The provisioner contributors'
    CompanyName          = 'The provisioner contributors'
    Copyright            = '(c) The provisioner contributors. Licensed under Apache-2.0.'
    Description          = 'DSC resources that provisioner needs and no published module offers.'

    # FileStream takes a security descriptor at creation in the .NET Framework only.
    CompatiblePSEditions = @('Desktop')
    PowerShellVersion    = '5.1'

    FunctionsToExport    = @()
    CmdletsToExport      = @()
    VariablesToExport    = @()
    AliasesToExport      = @()
    DscResourcesToExport = @(
        'AssignableDevice'
        'BridgeAddress'
        'ClusterEviction'
        'ClusterPhysicalDisk'
        'ClusterSharedVolume'
        'ComputerDelegation'
        'ConfigurationFile'
        'DefenderExclusions'
        'ExternalSwitch'
        'FolderAccess'
        'HostGuardianClient'
        'IscsiSession'
        'IscsiTargetChap'
        'IscsiTargetPortals'
        'MpioClaim'
        'MsiProduct'
        'OvsBridge'
        'PinnedArchive'
        'PythonEnvironment'
        'SanPolicy'
        'ServiceAccount'
        'ServiceRecovery'
        'ServiceRestart'
        'ServiceTrigger'
        'StorageSpacesDirect'
        'SwitchExtension'
        'TimeSource'
        'VMMigration'
        'WindowsFeatures'
    )

    PrivateData          = @{
        PSData = @{
            Tags = @('DSC', 'DesiredStateConfiguration', 'DSCResource')
        }
    }
}
