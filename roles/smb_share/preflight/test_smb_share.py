"""What has to hold on the node before its shares are touched."""

from __future__ import annotations


def test_no_share_is_there_with_another_folder(host, variables):
    """A share of the inventory is not there yet, or shares the wanted folder."""
    for wanted in variables["smb_shares"]:
        share = host.smb_share(wanted["name"])
        if wanted["ensure"] == "Present" and share.exists:
            is_same = share.path.rstrip("\\").casefold() == wanted["path"].rstrip("\\").casefold()
            assert is_same, (
                f"the share {share.name} is there with the folder {share.path}, and a share never moves: take "
                f"another name, or end the sharing on the node first: Remove-SmbShare -Name {share.name}"
            )


def test_the_drive_of_every_folder_is_there(host, variables):
    """No folder is on a drive that the node does not have."""
    for drive in sorted({wanted["path"][:3] for wanted in variables["smb_shares"]}):
        assert host.file(drive).is_directory, f"the node has no drive {drive}"
