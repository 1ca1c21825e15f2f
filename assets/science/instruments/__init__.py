"""One declaration for every measure a service may use, with the source and status of each number."""
