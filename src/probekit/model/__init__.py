"""The values that pass from step to step; standard library only."""
