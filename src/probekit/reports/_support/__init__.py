"""What several report formats share: the wording of decisions, values and remedies."""
