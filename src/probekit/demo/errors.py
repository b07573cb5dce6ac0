"""What can go wrong with the embedded target, said for people."""


class DemoError(Exception):
    """The embedded target cannot do what was asked; the message says why and what to do."""
