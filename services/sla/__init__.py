"""The sla service: promises, the calendars they are counted in, and the clocks that watch them."""
