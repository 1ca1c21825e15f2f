"""What the data are and how each table is made; imports nothing of the other rooms."""
