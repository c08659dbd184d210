"""Every series, once, with its meaning and what to do when it moves. Labels are bounded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from shared.service import Service

REGISTRY = CollectorRegistry(auto_describe=True)

RECEIVED = Counter(
    "feedback_received_total",
    "Comments accepted, by channel. Flat in opening hours: look at the entry points.",
    ["channel"],
    registry=REGISTRY,
)
ACCEPT_SECONDS = Histogram(
    "feedback_accept_seconds",
    "Time from request to durable answer. Rising: the database is slow.",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 3),
    registry=REGISTRY,
)
TURNED_AWAY = Counter(
    "feedback_turned_away_total",
    "Requests refused, by reason (limit, busy). Rising: an attack, or too little room.",
    ["reason"],
    registry=REGISTRY,
)
ROUTED = Counter(
    "feedback_routed_total",
    "Routing decisions, by result (routed, triage). More triage: the rules need care.",
    ["result"],
    registry=REGISTRY,
)
TRANSITIONS = Counter(
    "feedback_transitions_total",
    "Moves of cases, by event type. Returns rising: routing sends to the wrong place.",
    ["type"],
    registry=REGISTRY,
)
BREACHES = Counter(
    "feedback_sla_breaches_total",
    "Promises broken, by department and clock. Any: look at the overdue queue.",
    ["department", "clock"],
    registry=REGISTRY,
)
WARNINGS = Counter(
    "feedback_sla_warnings_total",
    "Promises about to break, by department and clock.",
    ["department", "clock"],
    registry=REGISTRY,
)
DELIVERIES = Counter(
    "feedback_deliveries_total",
    "Messages to people, by channel and result (sent, failed, retried, uncertain, suppressed).",
    ["channel", "result"],
    registry=REGISTRY,
)
TRANSPORT_UNAVAILABLE = Gauge(
    "feedback_transport_unavailable",
    "1 while the mail server or an official account is away or refuses us, and deliveries wait.",
    ["transport"],
    registry=REGISTRY,
)
OPEN_CASES = Gauge(
    "feedback_open_cases",
    "Open cases, by state and department. Rising for days: the board says where they lie.",
    ["state", "department"],
    registry=REGISTRY,
)
OVERDUE_CASES = Gauge(
    "feedback_overdue_cases",
    "Open cases past a deadline, by department. Any: look at the overdue queue.",
    ["department"],
    registry=REGISTRY,
)
DUE_WITHIN_HOUR = Gauge(
    "feedback_due_within_hour_cases",
    "Open cases with a deadline in the next hour, by department.",
    ["department"],
    registry=REGISTRY,
)
RETURN_RATIO = Gauge(
    "feedback_return_ratio",
    "Of what a department was sent in 30 days, how much it returned. High: routing misses.",
    ["department"],
    registry=REGISTRY,
)
UNDELIVERED = Gauge(
    "feedback_undelivered_messages",
    "Messages of today that did not arrive, by channel. Rising: mail server or account.",
    ["channel"],
    registry=REGISTRY,
)

UNREADABLE = Counter(
    "feedback_unreadable_batches_total",
    "Batches that could not be decoded and were handed on as they are. Any: ask who sends them.",
    ["service"],
    registry=REGISTRY,
)
REFUSED_RECORDS = Counter(
    "feedback_refused_records_total",
    "Records not believed, by reader and reason. Any: somebody else writes the log.",
    ["service", "reason"],
    registry=REGISTRY,
)


class ServiceCollector(Collector):
    """Reads the state of the services of this process when somebody scrapes."""

    def __init__(self, services: dict[str, Service]) -> None:
        self._services = services

    def collect(self) -> Iterable[Metric]:
        """One gauge per service and matter."""
        ready = GaugeMetricFamily(
            "feedback_service_ready", "1 when ready. 0: /health/ready says why.", labels=["service"]
        )
        warnings = GaugeMetricFamily(
            "feedback_service_warnings",
            "What somebody has to look at although it is ready. Any: /health/ready says what.",
            labels=["service"],
        )
        waiting = GaugeMetricFamily(
            "feedback_outbox_rows", "Events not yet in the log. Rising: broker.", labels=["service"]
        )
        set_aside = GaugeMetricFamily(
            "feedback_outbox_refused_rows",
            "Events the broker refuses for good. Any: mend the cause, then send-again.",
            labels=["service"],
        )
        held = GaugeMetricFamily(
            "feedback_outbox_held_rows", "Events that wait behind such a one.", labels=["service"]
        )
        age = GaugeMetricFamily(
            "feedback_outbox_age_seconds", "Age of the oldest such event.", labels=["service"]
        )
        lag = GaugeMetricFamily(
            "feedback_consumer_lag_records", "Events not yet processed.", labels=["service"]
        )
        letters = GaugeMetricFamily(
            "feedback_dead_letters",
            "Events refused, or waiting for one that is missing. Any: mend, then redrive.",
            labels=["service"],
        )
        parked = GaugeMetricFamily(
            "feedback_parked_events", "Events that wait behind a refused one.", labels=["service"]
        )
        taken = GaugeMetricFamily(
            "feedback_processed_events", "Events processed since start.", labels=["service"]
        )
        for name, service in self._services.items():
            ready.add_metric([name], 0 if service.reasons() else 1)
            warnings.add_metric([name], len(service.warnings()))
            waiting.add_metric([name], service.outbox.waiting)
            age.add_metric([name], service.outbox.oldest_seconds)
            set_aside.add_metric([name], service.outbox.refused)
            held.add_metric([name], service.outbox.held)
            if service.consumer is not None:
                lag.add_metric([name], service.consumer.health.lag)
                taken.add_metric([name], service.consumer.health.processed)
            letters.add_metric([name], service.letters[0])
            parked.add_metric([name], service.letters[1])
        return [ready, warnings, waiting, age, set_aside, held, lag, letters, parked, taken]
