"""What a Windows machine needs once before it can be managed: a script for it, and our DSC module as a package.

The rule of the room: texts and bytes out of values. Nothing is contacted, and nothing of an inventory is known.
"""
