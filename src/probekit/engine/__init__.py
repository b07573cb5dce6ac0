"""From a plan to measurements."""
