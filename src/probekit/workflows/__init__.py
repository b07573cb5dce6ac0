"""The work of each command, from its options to its result."""
