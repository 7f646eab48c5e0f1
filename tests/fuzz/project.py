"""A valid project that uses every construct a user can write; the fuzzer breaks it."""

from __future__ import annotations

#: What its secret references name.
ENVIRONMENT = {"PASSWORD": "of the connection", "RABBIT": "p@ss/w0rd$", "JOIN": "of the domain"}

FILES = {
    "inventory.yaml": """\
site: test
connection: {transport: psrp, user: admin, password: 'env:PASSWORD', port: 5985}
encryption: {plain_text: true}
merge:
  registry: deep
  services: unique
variables:
  site_name: north
  services: [WAS]
  registry: {Level: 1, Mode: site}
groups:
  all:
    children: [web]
    variables: {timeout: 20}
  web:
    roles: [web]
    variables:
      services: [W3SVC, --WAS]
      registry: {Mode: web, --Level: 0}
nodes:
  n1:
    address: 192.0.2.1
    groups: [web]
    management_adapter: Ethernet
    variables: {answer: 42, folder: 'C:\\Data', rabbit: 'env:RABBIT', join: {user: 'EX\\admin', password: 'env:JOIN'}}
""",
    "roles/web/role.yaml": """\
description: A role for tests.
variables:
  site_name: {type: string, description: Name of the site.}
  services: {type: list, items: string, default: [Spooler], merge: unique, description: Services that run.}
  registry: {type: mapping, default: {}, description: Values.}
  timeout: {type: integer, default: 10, description: Seconds.}
  answer: {type: integer, required: true, description: A number.}
  folder: {type: string, default: 'C:\\Web', description: A folder.}
  rabbit: {type: secret, required: true, description: A password.}
  join: {type: credential, required: true, description: Who may join.}
modules: {PSDscResources: "2.12.0.0", xHyper-V: "3.18.0", ProvisionerDsc: "0.3.0", ComputerManagementDsc: "10.0.0"}
configurations: [web, more]
""",
    "dsc_configs/web.dsc.yaml": """\
resources:
  - name: IIS
    type: PSDscResources/WindowsFeature
    properties: {Name: Web-Server, Ensure: Present, IncludeAllSubFeature: true}
  - name: "{{ item }}"
    type: PSDscResources/Service
    forEach: "{{ services }}"
    properties:
      Name: "{{ item }}"
      StartupType: Automatic
      StartupTimeout: "{{ timeout * 1000 }}"
    dependsOn: '[WindowsFeature]IIS'
  - name: greeting
    type: PSDscResources/Registry
    condition: "{{ answer > 1 }}"
    properties:
      Key: HKEY_LOCAL_MACHINE\\SOFTWARE\\Test
      ValueName: "{{ site_name | upper }}"
      ValueData: ['1', '2']
      ValueType: MultiString
    dependsOn: "{{ resources('Service', services) }}"
  - name: config
    type: ProvisionerDsc/ConfigurationFile
    properties:
      Path: "{{ folder }}\\\\web.conf"
      Contents: |
        name = {{ site_name }}
        password = @{secret:rabbit}
      ReadAccess: [S-1-5-18]
      Secrets: {rabbit: "{{ rabbit }}|url|oslo"}
  - name: external
    type: xHyper-V/xVMSwitch
    properties: {Name: external, Type: External, NetAdapterName: Ethernet 2, AllowManagementOS: true}
""",
    "dsc_configs/more.dsc.yaml": """\
resources:
  - name: tools
    type: PSDscResources/WindowsFeatureSet
    properties: {Name: [RSAT-Hyper-V-Tools, Hyper-V-PowerShell], Ensure: Present}
  - name: domain
    type: ComputerManagementDsc/Computer
    properties: {Name: n1, DomainName: example.org, Credential: "{{ join }}"}
    dependsOn: '[WindowsFeatureSet]tools'
  - name: machine
    type: xHyper-V/xVMHyperV
    properties:
      Name: vm1
      VhdPath: C:\\vm1.vhdx
      SwitchName: [external]
      Generation: 2
      StartupMemory: 1073741824
      PsDscRunAsCredential: {user: 'EX\\admin', password: 'env:JOIN'}
  - name: part
    type: PSDscResources/Service
    within: '[Composite]outer'
    properties: {Name: Inner, State: Running}
  - name: last
    type: PSDscResources/Environment
    properties: {Name: LAST, Value: "{{ registry.Mode }}", Target: [Machine]}
    dependsOn: ['[Composite]outer', '[Computer]domain']
""",
}
