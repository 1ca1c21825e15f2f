"""How it runs: the command line, settings, jobs, schedules and the one Definitions."""
