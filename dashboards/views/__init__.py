"""What stands on each page: tables in, view models out, with everything too small withheld."""
