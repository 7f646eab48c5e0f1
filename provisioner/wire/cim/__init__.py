"""CIM over WS-Management: Enumerate, Pull, Release, Get and Invoke on classes of WMI."""
