#!/bin/sh
# Who may do what on the broker: an account per service, one for set-up, one per adapter.
#
#   accounts.sh services            grant what the services and set-up need; safe to repeat
#   accounts.sh whole NAME          grant an account all of it: one process runs all services
#   accounts.sh adapter NAME        grant an adapter what it needs: to write feedback.inbound
#   accounts.sh password NAME       set an account's password, read from standard input
#   accounts.sh lock NAME           take its password away: it cannot sign in any more
#
# Needs Kafka's own tools on the PATH, KAFKA (host:port), and ADMIN: a file with the properties of
# an account in super.users (security.protocol, sasl.mechanism, sasl.jaas.config, ssl.truststore…).
# Kafka cannot tell one type of event from another within a topic: there each reader checks that an
# event comes from its owner.
set -eu
case "${1:-}" in
    services | whole | adapter | password | lock) ;;
    *) sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
: "${KAFKA:?host:port of a broker}" "${ADMIN:?file with the properties of an administrator}"

acls() { kafka-acls.sh --bootstrap-server "$KAFKA" --command-config "$ADMIN" --force "$@"; }
allow() { who=$1; shift; acls --add --allow-principal "User:$who" "$@"; }
on_topics() { for topic in "$@"; do printf -- '--topic feedback.%s ' "$topic"; done; }

# Read and Write bring Describe with them, and Write the right to be an idempotent producer.
# shellcheck disable=SC2046
reads() { who=$1; shift; allow "$who" --operation Read $(on_topics "$@"); }
# shellcheck disable=SC2046
writes() { who=$1; shift; allow "$who" --operation Write $(on_topics "$@"); }
joins() { allow "$1" --operation Read --group "$2" --resource-pattern-type "${3:-literal}"; }

services() {
    for service in intake routing desk sla notification; do
        reads $service events directory
        writes $service events
        joins $service $service
    done
    reads intake private inbound
    writes intake private directory inbound.rejected
    reads routing private
    writes routing private
    writes sla directory
    reads desk private
    writes desk private directory
    reads notification private
    writes notification private directory

    # The views of each generation are read by a group of their own: tracking-1, tracking-2 …
    reads tracking events directory
    writes tracking directory
    joins tracking tracking prefixed

    # Makes and configures the topics; sends a lost log again (restore-log) from all outboxes.
    everything="events private directory inbound inbound.rejected"
    # shellcheck disable=SC2046,SC2086
    allow setup --operation Create --operation Write --operation DescribeConfigs \
        --operation AlterConfigs $(on_topics $everything)
    # Restored databases are brought up to the log, and the places of their groups are set.
    reads setup events private directory inbound
    for group in intake routing desk sla notification; do joins setup $group; done
    joins setup tracking prefixed
}

whole() {
    allow "$1" --operation Read --operation Write --operation Create --operation DescribeConfigs \
        --operation AlterConfigs --topic feedback. --resource-pattern-type prefixed
    for service in intake routing desk sla notification; do joins "$1" $service; done
    joins "$1" tracking prefixed
}

password() {
    read -r secret
    # By a file, so that it stands in no list of processes.
    printf 'SCRAM-SHA-512=[password=%s]\n' "$secret" | kafka-configs.sh --bootstrap-server "$KAFKA" \
        --command-config "$ADMIN" --alter --add-config-file /dev/stdin --entity-type users --entity-name "$1"
}

lock() {
    kafka-configs.sh --bootstrap-server "$KAFKA" --command-config "$ADMIN" \
        --alter --delete-config SCRAM-SHA-512 --entity-type users --entity-name "$1"
}

case "${1:-}" in
    services) services ;;
    whole) whole "${2:?NAME}" ;;
    adapter) writes "${2:?NAME}" inbound ;;
    password) password "${2:?NAME}" ;;
    lock) lock "${2:?NAME}" ;;
esac
