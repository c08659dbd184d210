"""What intake decides: what a comment is, and what its reporter may still say. No I/O."""
