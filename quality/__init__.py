"""What must be true: checks between every two layers of the night."""
