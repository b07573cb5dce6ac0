"""The certificates that the shop's HTTPS may serve."""

GOOD = "good"
EXPIRED = "expired"
OTHER_HOST = "other-host"
SOON_EXPIRING = "soon-expiring"
DAYS_LEFT = 20  # of the certificate that expires soon
