"""One reader knows what a health answer says, in the dialects that real programs speak."""

from __future__ import annotations

import pytest

from probekit.model.measurement import ProbeFailedError, Reason
from probekit.probes._support.health_document import Names
from probekit.probes._support.health_reader import read_health
from probekit.probes._support.health_words import Health

OK = {"status": "ok"}
# As these programs answer when they are well; nothing in it may count as bad or unclear.
HEALTHY = {
    "a word": OK,
    "Airflow": {
        "metadatabase": {"status": "healthy"},
        "scheduler": {"latest_scheduler_heartbeat": "2026-11-28T10:00:00+00:00", "status": "healthy"},
        "triggerer": {"latest_triggerer_heartbeat": None, "status": None},
    },
    "Consul": [
        {"Node": "n1", "CheckID": "serfHealth", "Name": "Serf Health Status", "Status": "passing", "Output": "alive"},
        {"Node": "n1", "CheckID": "service:web", "Name": "Service 'web' check", "Status": "passing", "Output": ""},
    ],
    "CouchDB": {"status": "ok", "seeds": {}},
    "Elasticsearch": {
        "cluster_name": "logs",
        "status": "green",
        "timed_out": False,
        "number_of_nodes": 3,
        "unassigned_shards": 0,
        "active_shards_percent_as_number": 100.0,
    },
    "GitLab": {"status": "ok", "master_check": [{"status": "ok"}]},
    "Grafana": {"commit": "abc123", "database": "ok", "version": "11.2.0"},
    "Keycloak": {"status": "UP", "checks": [{"name": "Keycloak database connections", "status": "UP"}]},
    "Kong": {
        "database": {"reachable": True},
        "memory": {"lua_shared_dicts": {"kong": {"allocated_slabs": "0.04 MiB", "capacity": "5.00 MiB"}}},
        "server": {"connections_accepted": 5, "total_requests": 9},
    },
    "Kubernetes": {
        "status": {
            "conditions": [
                {"type": "MemoryPressure", "status": "False"},
                {"type": "DiskPressure", "status": "False"},
                {"type": "Progressing", "status": "False"},
                {"type": "Ready", "status": "True"},
            ]
        }
    },
    "SonarQube": {"health": "GREEN", "causes": []},
    "Spring Boot": {
        "status": "UP",
        "components": {
            "db": {"status": "UP", "details": {"database": "PostgreSQL", "validationQuery": "isValid()"}},
            "discoveryComposite": {"description": "Discovery Client not initialized", "status": "UNKNOWN"},
            "diskSpace": {"status": "UP", "details": {"total": 10, "free": 5, "threshold": 1, "exists": True}},
            "ping": {"status": "UP"},
        },
    },
    "remarks": OK | {"version": "2.3.1", "host": "web-1", "uptime": 17, "errors": [], "error": None, "failed": 0},
    "flags": OK | {"maintenance": False, "debug": False, "sealed": False, "cache_enabled": False, "leader": False},
    "GraphQL": {"data": {"health": "ok"}},
    "Kubernetes' node": {
        "conditions": [
            {"type": "PIDPressure", "status": "False"},
            {"type": "Conflicted", "status": "False"},
            {"type": "Paused", "status": "False"},
            {"type": "Terminating", "status": "False"},
            {"type": "Ready", "status": "True"},
        ]
    },
    "the past": OK
    | {
        "checks": {"db": OK | {"previous_status": "down", "prior": {"status": "down"}}},
        "history": [{"time": "x", "status": "down"}],
    },
    "colours and places": OK | {"pod": "red", "app": "green", "deployment": "red", "db": "ok"},
    "wishes": OK | {"features": {"search": False, "cache": False}, "update": {"available": False}},
    "a wish of a component": OK | {"components": {"mail": {"enabled": False}}},
    "an update": OK | {"update_available": False, "has_errors": False, "failed_jobs": 3},
    "a healthy part with details": {
        "status": "UP",
        "components": {
            "circuitBreakers": {"status": "UP", "details": {"a": {"status": "UP", "details": {"state": "CLOSED"}}}},
            "disk": {"status": "UP", "details": {"exists": True, "path": "/app/."}},
        },
    },
    "conditions of a node": {
        "conditions": [
            {"type": "ReadonlyFilesystem", "status": "False"},
            {"type": "FrequentKubeletRestart", "status": "False"},
            {"type": "ScalingLimited", "status": "False"},
            {"type": "Issuing", "status": "False"},
            {"type": "Active", "status": "False"},
            {"type": "Ready", "status": "True"},
        ]
    },
    "Consul's service": [
        {"Node": {"Node": "n1"}, "Service": {"ID": "web"}, "Checks": [{"Name": "a", "Status": "passing"}]}
    ],
}
UNWELL = {
    "a word": (OK | {"database": "down"}, "database", Health.BAD),
    "a map of words": (OK | {"checks": {"database": "down", "cache": "ok"}}, "database", Health.BAD),
    "a claim of a dependency": (OK | {"database": False}, "database", Health.BAD),
    "a claim in a map of components": (OK | {"checks": {"orders": False}}, "orders", Health.BAD),
    "errors": (OK | {"errors": ["database unreachable"]}, "errors", Health.UNCLEAR),
    "GraphQL errors": ({"data": {"health": "ok"}, "errors": [{"message": "x"}]}, "errors", Health.UNCLEAR),
    "a count of failures": (OK | {"failures": 3}, "failures", Health.UNCLEAR),
    "an error as text": (OK | {"error": "no connection"}, "error", Health.UNCLEAR),
    "errors of a part": (OK | {"components": {"db": OK | {"errors": ["x"]}}}, "db.errors", Health.UNCLEAR),
    "errors of a group": (OK | {"group": {"db": OK, "errors": ["x"]}}, "group.errors", Health.UNCLEAR),
    "a part's ok": (OK | {"components": {"db": {"ok": False}}}, "db", Health.BAD),
    "a part's HTTP status": (OK | {"components": {"db": {"status": 503}}}, "db", Health.BAD),
    "a part's result": (OK | {"checks": [{"name": "db", "result": "FAIL"}]}, "db", Health.BAD),
    "keys with capitals": (OK | {"Entries": {"db": {"Status": "Unhealthy"}}}, "db", Health.BAD),
    "a list with capitals": (
        {"Status": "Healthy", "Checks": [{"Name": "db", "Status": "Unhealthy"}]},
        "db",
        Health.BAD,
    ),
    "Consul": ([{"CheckID": "a", "Name": "web", "Status": "critical"}], "web", Health.BAD),
    "a condition": ({"conditions": [{"type": "Ready", "status": "False"}]}, "conditions.Ready", Health.BAD),
    "a flag": (OK | {"maintenance": True}, "maintenance", Health.UNCLEAR),
    "a node without processes": (
        {"conditions": [{"type": "PIDPressure", "status": "True"}]},
        "conditions.PIDPressure",
        Health.BAD,
    ),
    "the latest check": (OK | {"db": OK | {"last_check": {"status": "down"}}}, "db.last_check", Health.UNCLEAR),
    "an acronym": (OK | {"isDBUp": False}, "isDB", Health.BAD),
    "an acronym in capitals": (OK | {"APIDown": True}, "APIDown", Health.BAD),
    "an acronym with errors": (OK | {"hasDBErrors": True}, "hasDBErrors", Health.BAD),
    "a noun within a good part": (OK | {"db": OK | {"cache": False}}, "db.cache", Health.UNCLEAR),
    "details of a part": (
        OK | {"components": {"db": {"status": "UP", "details": {"connected": False}}}},
        "db",
        Health.BAD,
    ),
    "a word beside a part's": (OK | {"components": {"db": OK | {"replica": "down"}}}, "db.replica", Health.BAD),
    "errors in details": (
        OK | {"components": {"db": {"status": "UP", "details": {"errors": ["x"]}}}},
        "db.errors",
        Health.UNCLEAR,
    ),
    "checks of a part": (OK | {"services": {"api": OK | {"checks": {"db": "down"}}}}, "api.db", Health.BAD),
    "a claim among checks of a part": (OK | {"services": {"api": OK | {"checks": {"x": False}}}}, "api.x", Health.BAD),
    "nodes of a part": (
        OK | {"components": {"db": OK | {"details": {"nodes": [{"name": "a", "status": "DOWN"}]}}}},
        "db.nodes.a",
        Health.BAD,
    ),
    "replicas without names": ({"database": OK | {"replicas": [{"status": "down"}]}}, "database.replicas", Health.BAD),
    "beneath two": (OK | {"x": OK | {"y": {"z": {"status": "down"}}}}, "x.y.z", Health.BAD),
    "beside a wrapped word": ({"data": {"attributes": OK | {"db": False}}}, "attributes.db", Health.UNCLEAR),
    "a component called app": (OK | {"services": {"app": "down"}}, "app", Health.BAD),
    "a component called host": (OK | {"host": "unreachable"}, "host", Health.BAD),
    "a claim in camel case": (OK | {"databaseConnected": False}, "database", Health.BAD),
    "a claim that begins with is": (OK | {"isDatabaseUp": False}, "isDatabase", Health.BAD),
    "a component that is reached": ({"database": {"accessible": False}}, "database", Health.BAD),
    "a claim of errors": (OK | {"has_errors": True}, "has_errors", Health.BAD),
    "a claim of not": (OK | {"notReady": True}, "notReady", Health.BAD),
    "an inverse claim": (OK | {"isReadOnly": True}, "isReadOnly", Health.UNCLEAR),
    "a list of failed checks": (OK | {"failed_checks": ["db"]}, "failed_checks", Health.UNCLEAR),
    "a list of the unhealthy": (OK | {"unhealthy": ["db"]}, "unhealthy", Health.UNCLEAR),
    "a count of errors": (OK | {"error_count": 3}, "error_count", Health.UNCLEAR),
    "a condition with capitals": (
        {"Conditions": [{"Type": "Ready", "Status": "False"}]},
        "Conditions.Ready",
        Health.BAD,
    ),
    "components in a list": (OK | {"services": [{"db": {"status": "down"}}]}, "db", Health.BAD),
    "Consul's second node": (
        [{"Node": {"Node": "n1"}, "Checks": [{"Name": "a", "Status": "critical"}]}],
        "a",
        Health.BAD,
    ),
    "deep within": (OK | {"a": {"b": {"c": {"status": "down"}}}}, "a.b.c", Health.BAD),
}


def unwell(said):
    return [(one.name, one.health) for one in said.listed if one.health in (Health.UNCLEAR, Health.BAD)]


@pytest.mark.parametrize("program", HEALTHY)
def test_nothing_in_a_healthy_answer_counts_as_bad_or_unclear(program) -> None:
    said = read_health(HEALTHY[program])

    assert unwell(said) == []
    assert said.overall in (None, Health.GOOD)
    assert not said.is_silent


@pytest.mark.parametrize("case", UNWELL)
def test_what_is_not_well_is_named_in_whatever_form_it_stands(case) -> None:
    document, name, health = UNWELL[case]

    assert (name, health) in unwell(read_health(document))


@pytest.mark.parametrize("case", UNWELL)
def test_what_is_ignored_does_not_count(case) -> None:
    document, name, _ = UNWELL[case]

    assert unwell(read_health(document, ignored=Names((name,)))) == []


@pytest.mark.parametrize(
    ("document", "worst", "best"),
    [
        ({"status": "ok"}, Health.GOOD, None),
        ({"status": "ok", "ready": True}, Health.GOOD, Health.GOOD),
        ({"status": "ok", "ready": False}, Health.BAD, Health.GOOD),
        ({"status": "down", "ready": False}, Health.BAD, Health.BAD),
        ({"Status": "DOWN"}, Health.BAD, None),
        ({"success": False, "data": {"status": "ok"}}, Health.BAD, Health.GOOD),
        ({"status": 503}, Health.BAD, None),
        ({"status": 200}, Health.UNKNOWN, None),
    ],
)
def test_of_several_words_about_the_whole_the_worst_counts_and_the_best_is_known(document, worst, best) -> None:
    said = read_health(document)

    assert (said.overall, said.best) == (worst, best)


def test_an_ignored_word_is_none_about_the_whole() -> None:
    said = read_health({"status": "ok", "ready": False}, ignored=Names(("ready",)))

    assert (said.overall, said.best) == (Health.GOOD, None)


def test_what_is_of_the_past_or_of_unknown_polarity_is_noted() -> None:
    said = read_health(OK | {"previous_status": "down", "conditions": [{"type": "Conflicted", "status": "True"}]})

    assert sorted(said.neutral) == ["Conflicted = True", 'previous = "down"']


def test_claims_that_say_nothing_of_health_are_noted() -> None:
    assert read_health(OK | {"debug": False, "leader": True}).neutral == ("debug = false", "leader = true")


@pytest.mark.parametrize("document", [{}, [], {"initialized": True, "sealed": False}, {"a": {"b": 1}}, 200, None])
def test_a_document_without_a_word_of_health_is_silent(document) -> None:
    assert read_health(document).is_silent


@pytest.mark.parametrize(
    "document",
    [
        OK | {"bad": {"x": {"status": "down"}}} | {f"c{n}": OK for n in range(2100)},
        OK | {"checks": [{"name": f"c{n}", "status": "ok"} for n in range(201)]},
    ],
)
def test_more_components_than_are_read_are_no_reading(document) -> None:
    with pytest.raises(ProbeFailedError) as caught:
        read_health(document)

    assert caught.value.reason is Reason.BAD_RESPONSE
