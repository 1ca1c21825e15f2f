"""The analysis tables as Dagster assets: frames out of the marts, through the estimates, back into DuckDB; a module a question."""
