"""The staff desk in a browser: the same bodies as the API, rendered."""

from services.desk.pages.filters import router as filters
from services.desk.pages.incidents import router as incidents
from services.desk.pages.many import router as many
from services.desk.pages.parts import router as parts
from services.desk.pages.replying import router as replying
from services.desk.pages.review_rules import router as review_rules
from services.desk.pages.themes import router as themes
from services.desk.pages.work import router as work

routers = [work, many, incidents, themes, parts, filters, replying, review_rules]

__all__ = ["routers"]
