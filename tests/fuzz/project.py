"""A valid project that uses every construct a user can write; the fuzzer breaks it."""

from __future__ import annotations

FILES = {
    "inventory.yaml": """\
site: test
connection: {transport: psrp, user: admin, password: 'env:PASSWORD', port: 5985}
variables:
  site_name: north
groups:
  web:
    roles: [web]
    variables:
      services: [W3SVC, WAS]
      timeout: 30
nodes:
  n1:
    address: 192.0.2.1
    groups: [web]
    variables: {answer: 42, folder: 'C:\\Data'}
""",
    "roles/web/role.yaml": """\
description: A role for tests.
variables:
  site_name: {type: string, description: Name of the site.}
  services: {type: list, items: string, default: [], description: Services that run.}
  timeout: {type: integer, default: 10, description: Seconds.}
  answer: {type: integer, required: true, description: A number.}
  folder: {type: string, default: 'C:\\Web', description: A folder.}
modules: {PSDscResources: "2.12.0.0", xHyper-V: "3.18.0", iSCSIDsc: "1.5.0.41", ProvisionerDsc: "0.2.0"}
configurations: [web]
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
        answer = {{ answer }}
      ReadAccess: [S-1-5-18]
  - name: external
    type: xHyper-V/xVMSwitch
    properties: {Name: external, Type: External, NetAdapterName: Ethernet 2, AllowManagementOS: true}
""",
}
