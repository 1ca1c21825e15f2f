"""Plotly figures as plain dictionaries, one module a family; they take data and words, and compute nothing."""
