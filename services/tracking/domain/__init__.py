"""What the events of a case amount to for those who look: pure functions, no session, no clock."""
