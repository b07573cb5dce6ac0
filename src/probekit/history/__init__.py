"""The record of earlier runs, deployments and baselines in one SQLite file."""
