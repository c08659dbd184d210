"""Entry points for staff and programs; each module of this folder brings a router."""

from services.sla.api import promises, rules, trials

ROUTERS = [rules.router, promises.router, trials.router]
