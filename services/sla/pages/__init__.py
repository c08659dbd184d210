"""Entry points for people: when we work, what we promise, and what a change would do."""

from services.sla.pages import calendar, policy, promise, trial

ROUTERS = [calendar.router, policy.router, promise.router, trial.router]
