"""Readers of bodies and headers that several kinds share."""
