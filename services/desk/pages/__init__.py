"""The staff desk in a browser: the same bodies as the API, rendered."""

from services.desk.pages.filters import router as filters
from services.desk.pages.incidents import router as incidents
from services.desk.pages.many import router as many
from services.desk.pages.parts import router as parts
from services.desk.pages.work import router as work

routers = [work, many, incidents, parts, filters]

__all__ = ["routers"]
