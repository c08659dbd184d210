"""How long a test waits for what must come. Nothing here measures how fast anything is."""

PATIENCE = 300.0
"""Seconds after which something is taken never to come: only a test that fails waits for them, so
they are many, for machines that are slow or have much else to do."""
ANSWER = 60.0
"""Seconds for one answer over HTTP, where no other limit is what the test is about."""
