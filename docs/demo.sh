#!/bin/sh
# make demo: nodes come up, an inventory is applied, the result is verified, a second run changes nothing.
set -eu
cd "$(dirname "$0")/.."
inventory=inventories/lab/inventory.yaml
PROVISIONER_LAB_HOME="$PWD/.provisioner/labs"
export PROVISIONER_LAB_HOME

run() {
    printf '\n$ provision %s\n' "$*"
    .venv/bin/provision "$@"
}

take_down() {
    .venv/bin/provision lab down demo >/dev/null 2>&1 || true
}

take_down
trap take_down EXIT
run lab up "$inventory" --name demo --fresh
run apply "$inventory" --yes
run verify "$inventory"
run apply "$inventory" --yes
trap - EXIT
run lab down demo
