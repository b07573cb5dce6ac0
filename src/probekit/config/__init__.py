"""From probes.toml to a checked configuration."""
