"""What can go wrong with the embedded target, said for people."""


class DemoError(Exception):
    """The embedded target cannot do what was asked; the message says why and what to do."""


class MissingExtraError(DemoError):
    """What the embedded target is made of is not installed; the message says how to install it."""
