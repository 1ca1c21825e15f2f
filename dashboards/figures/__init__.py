"""Charts as plain Plotly dicts, a module a family; they know numbers and colours, never tables or people."""
