"""The commands of `probekit deployment`, one file for each."""
