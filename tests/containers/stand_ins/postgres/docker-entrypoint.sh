#!/bin/bash
# Makes the database on the first start and steps down to its user, as the image's entry point does.
set -eu
if [ "$(id -u)" = 0 ]; then
    install -d -o postgres -g postgres -m 700 "$PGDATA"
    chown postgres:postgres /var/lib/postgresql "$(dirname "$PGDATA")"
    exec setpriv --reuid=999 --regid=999 --init-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    user=${POSTGRES_USER:-postgres}
    # shellcheck disable=SC2086
    initdb --username="$user" --pwfile=<(printf '%s\n' "${POSTGRES_PASSWORD:?}") \
        ${POSTGRES_INITDB_ARGS:-} -D "$PGDATA"
    printf '\nhost all all all scram-sha-256\n' >>"$PGDATA/pg_hba.conf"
    printf "listen_addresses = '*'\nunix_socket_directories = '/var/run/postgresql'\n" >>"$PGDATA/postgresql.conf"
    # On the socket alone, so that nobody is told "ready" before the database is there.
    pg_ctl -D "$PGDATA" -w -o "-c listen_addresses=''" start
    database=${POSTGRES_DB:-$user}
    [ "$database" = postgres ] || createdb -U "$user" --maintenance-db=postgres "$database"
    pg_ctl -D "$PGDATA" -w -m fast stop
fi
exec "$@"
