"""From the warehouse's tables to what a page shows: suppression applied, verdicts given, nothing drawn."""
