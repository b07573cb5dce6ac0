"""Errors of the embedded target, with messages for users."""


class DemoError(Exception):
    """The embedded target cannot fulfil a request; the message states the reason and what to do."""


class MissingExtraError(DemoError):
    """Dependencies of the embedded target are not installed; the message states how to install them."""
