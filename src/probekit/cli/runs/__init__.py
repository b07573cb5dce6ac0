"""The commands of `probekit runs`, a file for each."""
