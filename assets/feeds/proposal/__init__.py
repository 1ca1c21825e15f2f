"""From a folder of files that nobody has described to a first configuration that says where each column's values are."""
