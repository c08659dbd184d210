"""The entry point for programs: a case by its code, its live timeline, and the dashboard."""

from fastapi import APIRouter

from services.tracking.api import behind, board, live, reports, track

router = APIRouter()
router.include_router(track.router)
router.include_router(board.router)
router.include_router(behind.router)
router.include_router(live.router)
router.include_router(reports.router)
