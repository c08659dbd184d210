"""Every series, once, with its meaning and what to do when it moves. Labels are bounded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from shared.service import Service

REGISTRY = CollectorRegistry(auto_describe=True)

RECEIVED = Counter(
    "feedback_received_total",
    "Comments accepted, by channel. Flat in opening hours: look at the doors.",
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
    "Moves of cases, by fact type. Returns rising: routing sends to the wrong place.",
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


class ServiceCollector(Collector):
    """Reads the state of the services of this process when somebody scrapes."""

    def __init__(self, services: dict[str, Service]) -> None:
        self._services = services

    def collect(self) -> Iterable[Metric]:
        """One gauge per service and matter."""
        ready = GaugeMetricFamily(
            "feedback_service_ready", "1 when ready. 0: /health/ready says why.", labels=["service"]
        )
        waiting = GaugeMetricFamily(
            "feedback_outbox_rows", "Facts not yet in the log. Rising: broker.", labels=["service"]
        )
        age = GaugeMetricFamily(
            "feedback_outbox_age_seconds", "Age of the oldest such fact.", labels=["service"]
        )
        lag = GaugeMetricFamily(
            "feedback_consumer_lag_records", "Facts not yet taken in.", labels=["service"]
        )
        letters = GaugeMetricFamily(
            "feedback_dead_letters", "Facts refused. Any: mend, then redrive.", labels=["service"]
        )
        parked = GaugeMetricFamily(
            "feedback_parked_facts", "Facts that wait behind a refused one.", labels=["service"]
        )
        taken = GaugeMetricFamily(
            "feedback_facts_taken_in", "Facts taken in since start.", labels=["service"]
        )
        for name, service in self._services.items():
            ready.add_metric([name], 0 if service.reasons() else 1)
            if service.relay is not None:
                waiting.add_metric([name], service.relay.health.waiting)
                age.add_metric([name], service.relay.health.oldest_seconds)
            if service.consumer is not None:
                lag.add_metric([name], service.consumer.health.lag)
                taken.add_metric([name], service.consumer.health.taken_in)
            letters.add_metric([name], service.letters[0])
            parked.add_metric([name], service.letters[1])
        return [ready, waiting, age, lag, letters, parked, taken]
