"""What has to hold on the node before its targets are touched: folders of disks, and disks of the right size."""

from __future__ import annotations

import pytest


def _disks(variables):
    return [
        disk
        for target in variables["iscsi_targets"]
        if target["ensure"] == "Present"
        for disk in target["disks"]
    ]


def _folder(path):
    return path.rpartition("\\")[0]


def test_the_folder_of_every_disk_is_there_or_is_made(host, variables):
    """No disk lies in a folder that neither exists nor is in iscsi_folders."""
    made = {folder.rstrip("\\").casefold() for folder in variables["iscsi_folders"]}
    folders = sorted({_folder(disk["path"]) for disk in _disks(variables)})
    not_made = [folder for folder in folders if folder.casefold() not in made]
    if not not_made:
        pytest.skip("all folders of disks are in iscsi_folders")
    for folder in not_made:
        there = host.file(folder + "\\").is_directory
        assert there, f"{folder} does not exist: add it to iscsi_folders, or correct the path of the disk"


def test_no_disk_has_another_size_than_it_is_there_with(host, variables):
    """A disk that is there has the size of the inventory, since the resource would refuse any other for ever."""
    if not host.feature("FS-iSCSITarget-Server").is_installed or not host.service("WinTarget").is_running:
        pytest.skip("no target server runs on the node, so there is no disk yet")
    for disk in _disks(variables):
        size = host.iscsi_virtual_disk(disk["path"]).size
        wanted = disk["size_gb"] * 1024**3
        assert size in {None, wanted}, (
            f"{disk['path']} has {size / 1024**3:g} GiB and is wanted with {disk['size_gb']}: no DSC resource "
            f"resizes it. To grow it: Resize-IscsiVirtualDisk -Path '{disk['path']}' -Size {disk['size_gb']}GB "
            "on the node; otherwise set size_gb back"
        )
