"""Configuration files of OpenStack's services, held against the options the services register."""
