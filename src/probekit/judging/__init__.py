"""From measurements to verdicts and a decision; no input or output, no clock."""
