"""The doors of desk for people and programs: sessions, and cases."""

from services.desk.api.cases import router as cases
from services.desk.api.session import router as session

__all__ = ["cases", "session"]
