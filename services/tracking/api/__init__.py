"""The entry point for programs: a case by its code, its live timeline, and the dashboard."""

from fastapi import APIRouter

from services.tracking.api import behind, board, live, mailed, reports, themes, track
from services.tracking.api.board import HOT_ROUTES

router = APIRouter()
router.include_router(track.router)
router.include_router(board.router)
router.include_router(behind.router)
router.include_router(live.router)
router.include_router(reports.router)
router.include_router(mailed.router)
router.include_router(themes.router)

__all__ = ["HOT_ROUTES", "router"]
