#!/bin/sh
# Fills in the templates as the image's own entry point does: variables whose name the filter
# matches, *.template, into a directory that must be writable already.
set -eu
output=${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}
if [ ! -w "$output" ]; then
    echo "$output is not writable" >&2
else
    names=$(env | cut -d= -f1 | grep -E "${NGINX_ENVSUBST_FILTER:-.}" | sed 's/.*/${&}/' | tr '\n' ' ')
    for template in /etc/nginx/templates/*.template; do
        envsubst "$names" <"$template" >"$output/$(basename "$template" .template)"
    done
fi
exec "$@"
