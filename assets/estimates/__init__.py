"""From joined tables to estimated ones: frames in, frames out, one module a subject."""
