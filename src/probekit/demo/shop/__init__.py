"""The target's application: a small shop that behaves as a well-kept deployment should."""
