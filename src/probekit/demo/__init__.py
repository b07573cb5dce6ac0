"""The embedded target: a small shop with its data stores, started on loopback for one command or one test."""
