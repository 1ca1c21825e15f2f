"""What every table promises: columns, types, units and meanings, each written once."""
