"""The entry points of desk for people and programs: sessions, and cases."""

from services.desk.api.absence import router as absence
from services.desk.api.answered import router as answered
from services.desk.api.bulk import perform
from services.desk.api.bulk import router as bulk
from services.desk.api.canned import router as canned
from services.desk.api.cases import router as cases
from services.desk.api.described import router as described
from services.desk.api.drafts import router as drafts
from services.desk.api.incidents import router as incidents
from services.desk.api.preview import router as preview
from services.desk.api.record import router as record
from services.desk.api.reports_wanted import router as reports_wanted
from services.desk.api.review_rules import router as review_rules
from services.desk.api.session import router as session
from services.desk.api.similar import router as similar
from services.desk.api.surges import router as surges
from services.desk.api.theme_measures import router as theme_measures
from services.desk.api.theme_moves import router as theme_moves
from services.desk.api.themes import router as themes
from services.desk.api.themes_found import router as themes_found
from services.desk.api.viewers import router as viewers

__all__ = [
    "absence",
    "answered",
    "bulk",
    "canned",
    "cases",
    "described",
    "drafts",
    "incidents",
    "perform",
    "preview",
    "record",
    "reports_wanted",
    "review_rules",
    "session",
    "similar",
    "surges",
    "theme_measures",
    "theme_moves",
    "themes",
    "themes_found",
    "viewers",
]
