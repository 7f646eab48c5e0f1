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
    after: [n2]
    decommission: [old]
    variables: {answer: 42, folder: 'C:\\Data', rabbit: 'env:RABBIT', join: {user: 'EX\\admin', password: 'env:JOIN'}}
  n2: {address: 192.0.2.2, roles: [base], variables: {disks: [{path: 'D:\\a', size: 2, chap: 'env:RABBIT'}]}}
""",
    "roles/base/role.yaml": """\
description: What others build on, with every key a role may have.
variables:
  leader: {type: string, default: n2, pattern: '[a-z0-9]{1,15}', form: 'letters and digits', description: Who is first.}
  ports: {type: list, items: integer, minimum: 1, maximum: 65535, default: [80], description: Ports.}
  mode: {type: string, choices: [a, b], default: a, description: One of two.}
  disks:
    type: list
    items: mapping
    default: [{path: 'C:\\a', size: 1}]
    description: Disks.
    fields:
      path: {type: string, required: true, description: A path.}
      size: {type: integer, minimum: 1, default: 4, description: Gibibytes.}
      chap: {type: secret, description: A password.}
      more: {type: mapping, default: {}, description: More., fields: {kind: {type: string, description: Kind.}}}
refuse:
  - {when: "{{ mode == 'b' }}", variable: mode, reason: "{{ node.name }} has mode {{ mode }}.", help: Take a.}
  - {forEach: "{{ disks }}", when: "{{ item.size > 64 }}", variable: disks, reason: "{{ item.path }} is too large."}
unique:
  - {what: paths, value: "{{ disks | map(attribute='path') | list }}", variable: disks}
after:
  - {nodes: "{{ leader }}", reason: it is the leader}
preflight: [preflight/test_base.py]
checks: [checks/test_base.py]
modules: {ProvisionerDsc: "0.3.0"}
configurations: [base]
""",
    "roles/base/preflight/test_base.py": '"""Nothing."""\n',
    "roles/base/checks/test_base.py": '"""Nothing."""\n',
    "roles/old/role.yaml": """\
description: A role that is undone.
variables:
  gone: {type: string, required: true, description: Read by nothing any more.}
  name: {type: string, default: old, description: A service.}
modules: {PSDscResources: "2.12.0.0"}
decommission:
  configurations: [old.decommission]
  leaves: [Its files.]
""",
    "dsc_configs/base.dsc.yaml": """\
resources:
  - name: features
    type: ProvisionerDsc/WindowsFeatures
    unite: [Present]
    properties: {IsSingleInstance: 'Yes', Present: [Hyper-V]}
  - name: "{{ item.path }}"
    type: ProvisionerDsc/ConfigurationFile
    forEach: "{{ disks }}"
    properties: {Path: "{{ item.path }}", Contents: "{{ item.size }} {{ item.more.kind }}"}
    dependsOn: '[WindowsFeatures]features'
""",
    "dsc_configs/old.decommission.dsc.yaml": """\
resources:
  - {name: "{{ name }}", type: PSDscResources/Service, properties: {Name: "{{ name }}", Ensure: Absent}}
""",
    "roles/web/role.yaml": """\
description: A role for tests.
requires: [base]
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
  - name: features
    type: ProvisionerDsc/WindowsFeatures
    unite: [Present]
    properties: {IsSingleInstance: 'Yes', Present: [hyper-v, Multipath-IO]}
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
