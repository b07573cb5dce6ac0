"""The application of the embedded target: a small shop that behaves like a healthy deployment."""
