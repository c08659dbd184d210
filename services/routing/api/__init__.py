"""Entry points for programs."""

from services.routing.api.rules import router

__all__ = ["router"]
