"""The report for other programs, by report.schema.json."""
