"""What is done to nights that no reader may notice, and the laws that are held against it."""
