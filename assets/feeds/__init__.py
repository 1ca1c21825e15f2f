"""Reading what clinics send: landing, decoding and mapping, without Dagster."""
