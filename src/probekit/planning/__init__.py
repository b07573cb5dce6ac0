"""From a configuration to a plan; nothing is sent."""
